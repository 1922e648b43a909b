"""Prints all rows of chunks as JSON lines, read with libraries of others.

    python read_chunks.py modular KEY_HEX PROJECT EXPORT RUN pyarrow|duckdb CHUNK ...
    python read_chunks.py wrong   KEY_HEX PROJECT EXPORT RUN pyarrow|duckdb CHUNK ...

The footer key is derived as examples/open_with_python/README.md says. With `wrong`, one bit of it
is flipped, and the library's refusal is what must be printed.
"""

import base64
import decimal
import hashlib
import hmac
import json
import struct
import sys

import duckdb
import pyarrow
import pyarrow.parquet
from pyarrow.parquet.encryption import create_decryption_properties


def footer_key(key, project, export, run):
    fields = [field.encode() for field in ("engine modular v1", project, export, run)]
    info = struct.pack("<Q", len(fields))
    for field in fields:
        info += struct.pack("<Q", len(field)) + field
    # RFC 5869: no salt stands for 32 zeros, and 32 bytes are the first block.
    return hmac.digest(hmac.digest(bytes(32), key, hashlib.sha256), info + b"\x01", hashlib.sha256)


def with_pyarrow(key, chunks):
    tables = []
    for chunk in chunks:
        properties = create_decryption_properties(footer_key=key)
        tables.append(pyarrow.parquet.read_table(chunk, decryption_properties=properties))
    return pyarrow.concat_tables(tables).to_pylist()


def with_duckdb(key, chunks):
    connection = duckdb.connect()
    # Only the library's own files and memory: no extension is fetched from the network.
    connection.execute("SET autoinstall_known_extensions = false")
    encoded = base64.b64encode(key).decode()
    connection.execute(f"PRAGMA add_parquet_key('footer', '{encoded}')")
    sql = "SELECT * FROM read_parquet(?, encryption_config = {footer_key: 'footer'})"
    cursor = connection.execute(sql, [chunks])
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


def shown(value):
    """As `engine query --format json` shows it: decimals as numbers, dates as text."""
    if isinstance(value, decimal.Decimal):
        return float(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def main():
    mode, key, project, export, run, library, *chunks = sys.argv[1:]
    key = footer_key(bytes.fromhex(key), project, export, run)
    if mode == "wrong":
        key = bytes([key[0] ^ 1]) + key[1:]
    read = {"pyarrow": with_pyarrow, "duckdb": with_duckdb}[library]
    if mode == "wrong":
        try:
            read(key, chunks)
        except (OSError, duckdb.Error) as error:
            print(f"refused: {error}")
        return
    for row in read(key, chunks):
        print(json.dumps({name: shown(value) for name, value in row.items()}))


main()

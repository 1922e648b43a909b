"""python open_modular.py CHUNK_FILE PROJECT EXPORT RUN < key.hex   prints the chunk's first rows"""
import hashlib, hmac, os, struct, sys
import pyarrow.parquet
from pyarrow.parquet.encryption import create_decryption_properties

path, project, export, run = sys.argv[1:]
chunk_id = os.path.basename(path).split(".")[0]
key = bytes.fromhex(sys.stdin.read().strip())
assert len(key) == 32, "the key is 64 hexadecimal digits"

def encoded(*fields):
    """How many there are, then each with its length: nothing can be read in two ways."""
    fields = [field.encode() for field in fields]
    return struct.pack("<Q", len(fields)) + b"".join(struct.pack("<Q", len(f)) + f for f in fields)

# HKDF-SHA256 (RFC 5869) without salt: 32 bytes are one block.
info = encoded("engine modular v1", project, export, run)
extracted = hmac.digest(bytes(32), key, hashlib.sha256)
footer_key = hmac.digest(extracted, info + b"\x01", hashlib.sha256)

file = pyarrow.parquet.ParquetFile(
    path, decryption_properties=create_decryption_properties(footer_key=footer_key))
# The footer says which chunk this is, so that none passes for another of the same run.
mark = "01" + encoded(project, export, chunk_id).hex()
assert file.metadata.metadata[b"engine.context"].decode() == mark, "another chunk than its name says"
print(file.read().slice(0, 10).to_pylist())

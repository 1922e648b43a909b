"""Opens v1/keyring.json and v1/*.enc without any code of the engine, from the documented formats.

    pip install argon2-cffi blake3 cryptography
    python independent_reader.py

Prints the values that `engine/bundle/src/golden.rs` pins. The engine's tests do not run it:
it is how the pinned values were computed, and a second reading of the formats.
"""

import hashlib
import json
import pathlib
import struct

import argon2
import blake3
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FOLDER = pathlib.Path(__file__).parent / "v1"
PASSPHRASE = b"golden passphrase of version 1"
PROJECT, EXPORT, CHUNK = b"acme", b"customers", b"00112233445566778899aabbccddeeff"
RUN = b"018bcfe5680000000000000000000000"
SEGMENT = 1 << 20


def pae(*fields):
    return struct.pack("<Q", len(fields)) + b"".join(struct.pack("<Q", len(f)) + f for f in fields)


def hkdf(key, salt, info):
    return HKDF(hashes.SHA256(), 32, salt, info).derive(key)


def subkey(key, label, *context):
    return hkdf(key, None, pae(label, *context))


def open_keyring(text):
    ring = json.loads(text)
    how = ring["unlock"]["passphrase_argon2id"]
    root = argon2.low_level.hash_secret_raw(
        PASSPHRASE, bytes.fromhex(how["salt"]), how["passes"], how["memory_kib"], how["lanes"],
        32, argon2.low_level.Type.ID,
    )
    assert subkey(root, b"engine keyring v1 verifier").hex() == ring["verifier"]
    body = json.dumps({**ring, "integrity": "0" * 64}, separators=(",", ":")).encode()
    key = subkey(root, b"engine keyring v1 integrity")
    assert blake3.blake3(body, key=key).hexdigest() == ring["integrity"]
    cipher = AESGCM(subkey(root, b"engine keyring v1 wrapping"))
    keys = {}
    for key in ring["keys"]:
        version = struct.pack(">I", key["version"])
        place = pae(b"engine keyring v1 key", key["purpose"].encode(), key["name"].encode(), version)
        wrapped = bytes.fromhex(key["wrapped"] + key["tag"])
        keys[key["purpose"]] = cipher.decrypt(bytes.fromhex(key["nonce"]), wrapped, place)
    return keys


def open_sealed(key, file, *fields):
    magic, version, _kind, name_len = struct.unpack(">4sHBB", file[:8])
    assert (magic, version) == (b"ENGS", 1)
    header, stream = file[: 12 + name_len], file[12 + name_len :]
    assert stream[0] == 40 and len(stream) <= SEGMENT, "one segment is enough here"
    derived = hkdf(key, stream[1:33], header + pae(*fields))
    return AESGCM(derived).decrypt(stream[33:40] + bytes(4) + b"\x01", stream[40:], None)


def main():
    keys = open_keyring((FOLDER / "keyring.json").read_text())
    sealed = (FOLDER / "manifest.json.enc").read_bytes()
    manifest = open_sealed(keys["data"], sealed, PROJECT, EXPORT, b"1")
    assert manifest == (FOLDER / "manifest.json").read_bytes()
    chunk = json.loads(manifest)["chunks"][0]
    sealed = (FOLDER / chunk["file"]).read_bytes()
    assert chunk["digest"] == "sha256:" + hashlib.sha256(sealed).hexdigest()
    plain = open_sealed(keys["data"], sealed, PROJECT, EXPORT, CHUNK)
    assert plain == (FOLDER / "chunk.parquet").read_bytes()
    print("modular key", subkey(keys["data"], b"engine modular v1", PROJECT, EXPORT, RUN).hex())
    name = pae(b"engine file id v1", PROJECT, EXPORT)
    print("file id    ", blake3.blake3(name, key=keys["identifiers"]).hexdigest()[:16])
    print("data key   ", keys["data"].hex())


main()

"""python open_chunk.py CHUNK_FILE PROJECT EXPORT < key.hex   prints the chunk's first rows"""
import base64, io, json, os, struct, sys
import pyarrow.parquet
import tink
from tink import secret_key_access, streaming_aead

path, project, export = sys.argv[1:]
chunk_id = os.path.basename(path).split(".")[0]
key = bytes.fromhex(sys.stdin.read().strip())
assert len(key) == 32, "the key is 64 hexadecimal digits"

# A keyset with the one key: AES256_GCM_HKDF_1MB, written as Tink's protocol buffer.
proto = bytes.fromhex("1208" "08808040" "1020" "1803" "1a20") + key
data = {"typeUrl": "type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey",
        "keyMaterialType": "SYMMETRIC", "value": base64.b64encode(proto).decode()}
entry = {"keyId": 1, "status": "ENABLED", "outputPrefixType": "RAW", "keyData": data}
keyset = json.dumps({"primaryKeyId": 1, "key": [entry]})
streaming_aead.register()
handle = tink.json_proto_keyset_format.parse(keyset, secret_key_access.TOKEN)

with open(path, "rb") as file:
    header = file.read(8)  # magic, format version, kind, length of the key's name
    assert header[:7] == b"ENGS\0\1\1", "not a sealed chunk of format version 1"
    header += file.read(header[7] + 4)  # the key's name and version
    fields = [field.encode() for field in (project, export, chunk_id)]
    context = struct.pack("<Q", 3) + b"".join(struct.pack("<Q", len(f)) + f for f in fields)
    stream = handle.primitive(streaming_aead.StreamingAead).new_decrypting_stream(file, header + context)
    # Without threads of its own: beside those of tink, they can end the program badly.
    table = pyarrow.parquet.read_table(io.BytesIO(stream.read()), use_threads=False)
print(table.slice(0, 10).to_pylist())

"""Opens sealed files with Google's Tink, and nothing of ours.

    python open_with_tink.py KEY_HEX PROJECT EXPORT OBJECT=FILE ...

For each file: one line on stdout, the SHA-256 of its plaintext, or `refused`.
"""

import base64
import hashlib
import json
import struct
import sys

import tink
from tink import secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2


def primitive(key):
    params = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingParams(
        ciphertext_segment_size=1 << 20, derived_key_size=32, hkdf_hash_type=common_pb2.SHA256
    )
    proto = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(key_value=key, params=params)
    data = {
        "typeUrl": "type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey",
        "keyMaterialType": "SYMMETRIC",
        "value": base64.b64encode(proto.SerializeToString()).decode(),
    }
    entry = {"keyId": 1, "status": "ENABLED", "outputPrefixType": "RAW", "keyData": data}
    keyset = json.dumps({"primaryKeyId": 1, "key": [entry]})
    handle = tink.json_proto_keyset_format.parse(keyset, secret_key_access.TOKEN)
    return handle.primitive(streaming_aead.StreamingAead)


def associated_data(file, fields):
    """Reads the header, leaving `file` at the stream; gives header and encoded context."""
    start = file.read(8)
    magic, version, _kind, name_len = struct.unpack(">4sHBB", start)
    assert (magic, version) == (b"ENGS", 1), "not a sealed file of version 1"
    header = start + file.read(name_len + 4)
    context = struct.pack("<Q", len(fields))
    for field in fields:
        context += struct.pack("<Q", len(field.encode())) + field.encode()
    return header + context


def main():
    key, project, export, *files = sys.argv[1:]
    streaming_aead.register()
    opener = primitive(bytes.fromhex(key))
    for argument in files:
        name, _, path = argument.partition("=")
        with open(path, "rb") as file:
            data = associated_data(file, [project, export, name])
            try:
                with opener.new_decrypting_stream(file, data) as stream:
                    print(hashlib.sha256(stream.read()).hexdigest())
            except tink.TinkError:
                print("refused")


main()

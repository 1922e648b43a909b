"""Makes vectors.json and two_segments.bin with Google's Tink (pip install tink==1.16.1).

Tink draws salt and nonce prefix itself, so every run makes other vectors. The plaintext is
a rule, not a file: byte i is i * 7 % 251. For long streams only header and digest are kept:
whoever seals the plaintext with the header's salt and prefix must get that digest.

    python make_vectors.py
"""

import base64
import hashlib
import io
import json
import pathlib

import tink
from tink import secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2

HERE = pathlib.Path(__file__).parent
SEGMENT = 1 << 20
FIRST = SEGMENT - 40 - 16  # the first segment gives 40 bytes to the header
NEXT = SEGMENT - 16
KEY = bytes(range(32))
AD = b"associated data"


class Kept(io.BytesIO):
    """Tink closes the stream it writes to; this one keeps what was written."""

    def close(self):
        self.kept = self.getvalue()
        super().close()


def primitive(key):
    params = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingParams(
        ciphertext_segment_size=SEGMENT, derived_key_size=32, hkdf_hash_type=common_pb2.SHA256
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


def plaintext(length):
    return bytes(i * 7 % 251 for i in range(length))


def seal(length):
    out = Kept()
    with primitive(KEY).new_encrypting_stream(out, AD) as stream:
        stream.write(plaintext(length))
    return out.kept


def refused(ciphertext, key=KEY, ad=AD):
    """Whether Tink refuses to open it."""
    try:
        with primitive(key).new_decrypting_stream(io.BytesIO(ciphertext), ad) as stream:
            stream.read()
    except tink.TinkError:
        return True
    return False


def good(name, length):
    ciphertext = seal(length)
    entry = {
        "name": name,
        "plaintext_len": length,
        "header": ciphertext[:40].hex(),
        "ciphertext_sha256": hashlib.sha256(ciphertext).hexdigest(),
    }
    if len(ciphertext) < 200:
        entry["ciphertext"] = ciphertext.hex()
    if name == "two segments":
        (HERE / "two_segments.bin").write_bytes(ciphertext)
    return entry


def flipped(ciphertext, at):
    return ciphertext[:at] + bytes([ciphertext[at] ^ 1]) + ciphertext[at + 1 :]


def bad_small():
    whole = seal(100)
    other = KEY[:-1] + b"\0"
    cases = [
        ("flipped in the header's length", flipped(whole, 0), KEY, AD),
        ("flipped in the salt", flipped(whole, 1), KEY, AD),
        ("flipped in the nonce prefix", flipped(whole, 39), KEY, AD),
        ("flipped in the ciphertext", flipped(whole, 40), KEY, AD),
        ("flipped in the tag", flipped(whole, len(whole) - 1), KEY, AD),
        ("cut by one byte", whole[:-1], KEY, AD),
        ("cut in the header", whole[:20], KEY, AD),
        ("extended by one byte", whole + b"\0", KEY, AD),
        ("empty", b"", KEY, AD),
        ("wrong key", whole, other, AD),
        ("wrong associated data", whole, KEY, AD + b"!"),
        ("no associated data", whole, KEY, b""),
    ]
    for name, ciphertext, key, ad in cases:
        assert refused(ciphertext, key, ad), name
        yield {
            "name": name,
            "ciphertext": ciphertext.hex(),
            "key": key.hex(),
            "associated_data": ad.hex(),
        }


def bad_file():
    """Cuts of two_segments.bin: a cut at a segment's border leaves only whole segments."""
    whole = (HERE / "two_segments.bin").read_bytes()
    for keep in (SEGMENT, SEGMENT + 16, len(whole) - 1):
        assert refused(whole[:keep]), keep
        yield keep


def main():
    sizes = [
        ("empty", 0),
        ("one byte", 1),
        ("hundred bytes", 100),
        ("first segment less one", FIRST - 1),
        ("first segment full", FIRST),
        ("two segments", FIRST + 1),
        ("second segment less one", FIRST + NEXT - 1),
        ("second segment full", FIRST + NEXT),
        ("three segments", FIRST + NEXT + 1),
    ]
    vectors = {
        "made_with": "tink 1.16.1 (Python), AES256_GCM_HKDF_1MB, output prefix RAW",
        "plaintext_rule": "byte i is i * 7 % 251",
        "key": KEY.hex(),
        "associated_data": AD.hex(),
        "good": [good(name, length) for name, length in sizes],
        "refused": list(bad_small()),
        "refused_cuts_of_two_segments": list(bad_file()),
    }
    (HERE / "vectors.json").write_text(json.dumps(vectors, indent=2) + "\n")


streaming_aead.register()
main()

"""What is often written instead: peer_pandas.py FROM TO ROWS ZSTD_LEVEL each|memo RATE.

pandas with Faker, seeded per value so that equal values get equal pseudonyms, and the file sealed
with AES-256-GCM. `each` asks Faker for every row, as such scripts do; `memo` asks once per
distinct value. One process on the first rows of the file; the file RATE is to hold rows per second,
loading libraries not counted.
"""

import hashlib
import hmac
import io
import os
import sys
import time

import pandas as pd
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from faker import Faker

MASK_KEY = b"benchmark key, not a secret"


def keyed(value):
    """A keyed digest of a value."""
    return hmac.digest(MASK_KEY, str(value).encode(), "sha256")


def number(value):
    """A keyed number below 2^32."""
    return int.from_bytes(keyed(value)[:4], "big")


def pseudonym(generate, fake):
    """A function that gives Faker's word for a value."""

    def mask(value):
        fake.seed_instance(int.from_bytes(keyed(value)[:8], "big"))
        return generate()

    return mask


def masks():
    """What becomes of each column that is masked alone."""
    fake = Faker()
    return {
        "first_name": pseudonym(fake.first_name, fake),
        "last_name": pseudonym(fake.last_name, fake),
        "email": pseudonym(fake.email, fake),
        "phone": pseudonym(fake.phone_number, fake),
        "street": pseudonym(fake.street_address, fake),
        "city": pseudonym(fake.city, fake),
        "card_number": lambda text: "*" * (len(text) - 4) + text[-4:],
    }


def masked(rows, memo):
    """The rows, ten columns masked."""
    days = rows["customer_id"].map(lambda customer: number(customer) % 61 - 30)
    rows["birth_date"] = pd.to_datetime(rows["birth_date"]) + pd.to_timedelta(days, unit="D")
    ratios = rows["balance"].map(lambda amount: 0.9 + number(amount) % 2001 / 10000)
    rows["balance"] = rows["balance"].astype(float) * ratios
    rows["customer_id"] = rows["customer_id"].map(lambda customer: keyed(customer).hex()[:32])
    for name, mask in masks().items():
        column = rows[name]
        if memo:
            mask = {value: mask(value) for value in column.dropna().unique()}
        rows[name] = column.map(mask, na_action="ignore")
    return rows


def main():
    """Masks, encodes, seals, and says how fast."""
    source, target, rows, level, how, rate = sys.argv[1:7]
    batch = next(pq.ParquetFile(source).iter_batches(batch_size=int(rows)))
    started = time.perf_counter()
    encoded = io.BytesIO()
    frame = masked(batch.to_pandas(), memo=how == "memo")
    frame.to_parquet(encoded, compression="zstd", compression_level=int(level), index=False)
    nonce = os.urandom(12)
    sealed = nonce + AESGCM(hashlib.sha256(MASK_KEY).digest()).encrypt(nonce, encoded.getvalue(), None)
    with open(target, "wb") as file:
        file.write(sealed)
    speed = len(frame) / (time.perf_counter() - started)
    with open(rate, "w", encoding="utf-8") as file:
        file.write(f"{speed:.0f}\n")


main()

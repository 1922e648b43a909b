"""The nearest DuckDB can do to the benchmark's run: peer_duckdb.py FROM TO THREADS ZSTD_LEVEL.

The same ten columns, by SQL: keyed SHA-256, cut to as many hex digits as the engine's tokens have,
where the engine gives pseudonyms or tokens, and plain expressions over such a hash where it shifts
or adds noise. DuckDB has no HMAC: the key stands before the value. Written as encrypted Parquet
(AES-256-GCM, by the one library of it that writes), zstd.
"""

import sys

import duckdb

# Of the benchmark only: what DuckDB encrypts with, in base64, and what its hashes are keyed with.
FILE_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
MASK_KEY = "benchmark key, not a secret"

QUERY = """
copy (
  select
    token as customer_id,
    left(sha256('{key}' || first_name), 32) as first_name,
    left(sha256('{key}' || last_name), 32) as last_name,
    left(sha256('{key}' || email), 32) || '@example.org' as email,
    left(sha256('{key}' || phone), 32) as phone,
    left(sha256('{key}' || street), 32) as street,
    left(sha256('{key}' || city), 32) as city,
    postal_code,
    country,
    birth_date + (hash(token) % 61)::integer - 30 as birth_date,
    repeat('*', length(card_number) - 4) || right(card_number, 4) as card_number,
    joined_at,
    (balance * (0.9 + (hash('{key}', balance) % 2001)::double / 10000))::decimal(12, 2) as balance,
    segment,
    visits,
    note
  from (select *, left(sha256('{key}' || customer_id), 32) as token from read_parquet('{source}'))
) to '{target}' (
  format parquet, compression zstd, compression_level {level},
  encryption_config {{footer_key: 'bench'}}
)
"""


def main():
    """Writes the file."""
    source, target, threads, level = sys.argv[1:5]
    database = duckdb.connect(config={"threads": int(threads)})
    database.execute("set force_mbedtls_unsafe = 'true'")
    database.execute(f"pragma add_parquet_key('bench', '{FILE_KEY}')")
    database.execute(QUERY.format(key=MASK_KEY, source=source, target=target, level=level))


main()

"""Writes invented customers as Parquet: generate.py ROWS FILE.

16 columns, of which the benchmark's project masks 10. Equal arguments give an equal file:
every value is computed from the row's number. Needs duckdb; takes little memory, since
rows are written as they are made.
"""

import os
import sys

import duckdb

ROWS_PER_GROUP = 250_000

FIRST_NAMES = """Ada Bruno Carla Dmitri Elena Farid Grete Hugo Ines Jonas Kaja Liam Mira Noor
Oskar Pilar Quentin Rosa Samir Tilda Ugo Vera Wanda Ximena Yusuf Zoe""".split()
LAST_NAMES = """Abbott Berg Castillo Dvorak Engel Fontaine Gruber Haddad Ivanov Jensen Keller
Lindqvist Moreau Novak Okafor Petrov Quist Ricci Schäfer Tanaka Ueda Vogel Weber Yilmaz
Zeman O'Neill""".split()
STREETS = ["High Street", "Mill Lane", "Oak Avenue", "Gartenweg", "Lindenallee", "rue du Moulin"]
CITIES = ["Musterstadt", "Neudorf", "Anytown", "Springfield", "Villeneuve", "Saint-Exemple"]
COUNTRIES = ["DE", "ES", "FR", "GB", "IT", "NL", "PL", "US"]
SEGMENTS = ["new", "regular", "regular", "regular", "loyal", "lapsed"]
SENTENCES = [
    "Asked for a callback in the morning.",
    "Prefers letters to e-mail.",
    "Moved last year; the old address is in the archive.",
    "Wants the invoice as PDF.",
    "Complained about a late delivery, settled with a voucher.",
    "Nothing special.",
]

QUERY = """
with draws as (
  -- One independent number per column and row.
  select range as i, [(hash(range * 32 + c) & 4611686018427387903)::bigint for c in range(16)] as h from range({rows})
), people as (
  select i, h,
    {first_names}[1 + h[1] % len({first_names})] as first_name,
    {last_names}[1 + h[2] % len({last_names})] as last_name
  from draws
)
select
  (1000000 + i)::bigint as customer_id,
  first_name,
  last_name || case when h[2] % 7 = 0 then '-' || {last_names}[1 + h[3] % len({last_names})]
                    else '' end as last_name,
  case when h[4] % 50 > 0 then
    lower(first_name) || '.' || (h[5] % 10000000)::varchar || '@example.'
      || ['org', 'net', 'com'][1 + h[4] % 3] end as email,
  case when h[6] % 10 > 0 then
    '+' || (30 + h[7] % 60)::varchar || ' ' || (100 + h[6] % 900)::varchar || ' '
      || (1000000 + h[7] % 9000000)::varchar end as phone,
  (1 + h[8] % 200)::varchar || ' ' || {streets}[1 + h[9] % len({streets})] as street,
  {cities}[1 + h[9] % len({cities})] as city,
  lpad((h[8] % 100000)::varchar, 5, '0') as postal_code,
  {countries}[1 + h[10] % len({countries})] as country,
  date '1940-01-01' + (h[11] % 24000)::integer as birth_date,
  (4000000000000000 + h[12] % 1000000000000000)::varchar as card_number,
  timestamp '2015-01-01' + to_seconds((h[13] % 340000000)::bigint) as joined_at,
  ((h[14] % 2000000)::decimal(12, 2) / 100 - 2500)::decimal(12, 2) as balance,
  {segments}[1 + h[15] % len({segments})] as segment,
  (h[15] % 400)::integer as visits,
  {sentences}[1 + h[16] % len({sentences})] || ' '
    || {sentences}[1 + h[13] % len({sentences})] as note
from people
"""


def literal(words):
    """A list of texts as SQL."""
    return "[" + ", ".join("'" + word.replace("'", "''") + "'" for word in words) + "]"


def main():
    """Writes the file under another name first, so that a killed run leaves none."""
    rows, path = int(sys.argv[1]), sys.argv[2]
    query = QUERY.format(
        rows=rows,
        first_names=literal(FIRST_NAMES),
        last_names=literal(LAST_NAMES),
        streets=literal(STREETS),
        cities=literal(CITIES),
        countries=literal(COUNTRIES),
        segments=literal(SEGMENTS),
        sentences=literal(SENTENCES),
    )
    part = path + ".part"
    database = duckdb.connect(config={"threads": 2, "memory_limit": "1GB"})
    database.execute(
        f"copy ({query}) to '{part}' (format parquet, compression zstd, row_group_size {ROWS_PER_GROUP})"
    )
    os.replace(part, path)


main()

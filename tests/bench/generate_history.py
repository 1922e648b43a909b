"""Writes two states of invented customers as Parquet: generate_history.py ROWS CURRENT NEW.

9 columns; the new state has the same keys in another order, and another number of orders in
every hundredth row. Equal arguments give equal rows: every value is computed from the row's
number. Needs duckdb.
"""

import sys

import duckdb

ROWS_PER_GROUP = 122_880

STATE = """
with draws as (
  -- One independent number per column and row.
  select range as i, [(hash(range * 16 + c) & 4611686018427387903)::bigint for c in range(10)] as h from range({rows})
)
select
  (1000000 + i)::bigint as customer_id,
  'Customer ' || (h[1] % 10000019)::varchar as name,
  case when h[2] % 50 > 0 then substr(md5(h[2]::varchar), 1, 12) || '@example.com' end as email,
  ['Anytown', 'Musterstadt', 'Neudorf', 'Springfield', 'Villeneuve'][1 + h[3] % 5] as city,
  ((h[4] % 100000000) / 100)::decimal(12, 2) as balance,
  (h[5] % 1000)::integer + case when {changed} then 1 else 0 end as orders,
  (h[6] % 1000000) / 7.0::double as score,
  date '1940-01-01' + (h[7] % 25000)::integer as birth_date,
  timestamp '2015-01-01' + to_seconds((h[8] % 340000000)::bigint) as updated_at
from draws
{order}
"""


def write(connection, rows, file, changed, order):
    """Writes one state."""
    state = STATE.format(rows=rows, changed=changed, order=order)
    connection.execute(
        f"copy ({state}) to '{file}' (format parquet, compression zstd, row_group_size {ROWS_PER_GROUP})"
    )


def main():
    """Writes both states."""
    rows, current, new = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    connection = duckdb.connect()
    write(connection, rows, current, "false", "")
    write(connection, rows, new, "h[9] % 100 = 0", "order by h[10]")


if __name__ == "__main__":
    main()

"""Holds a SQLite database's lock until stdin ends: python lock_database.py DATABASE"""

import sqlite3
import sys

database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("begin exclusive")
print("locked", flush=True)
sys.stdin.read()

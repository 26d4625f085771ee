"""The two SQLite databases: what the service remembers, and the cache of the company's bills.

Each use-case is one plain function over a `sqlite3.Connection`, one transaction long. The
daemon runs them in the database's thread (`sqlite.py`), commands and tests run them as they are.
"""

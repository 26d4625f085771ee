"""Phones that said stop. All functions work inside the caller's transaction.

A phone stands here as a keyed digest, so that the stop outlives the erasing of all else about it.
"""

import sqlite3
from collections.abc import Iterable

from smsgw.service.keyed import Keyed
from smsgw.service.message import Msisdn


def enter(con: sqlite3.Connection, keyed: Keyed, msisdn: Msisdn, now: float) -> None:
    """Take no registration of the phone's from elsewhere, from now on."""
    con.execute("INSERT OR IGNORE INTO main.stop VALUES (?, ?)", (person(keyed, msisdn), now))


def lift(con: sqlite3.Connection, keyed: Keyed, msisdn: Msisdn) -> None:
    """The phone has asked for a registration itself."""
    con.execute("DELETE FROM main.stop WHERE person = ?", (person(keyed, msisdn),))


def since(con: sqlite3.Connection, keyed: Keyed, msisdn: Msisdn) -> float | None:
    """When the phone said stop; None: it didn't, or has registered by message since."""
    row = con.execute(
        "SELECT at FROM main.stop WHERE person = ?", (person(keyed, msisdn),)
    ).fetchone()
    return None if row is None else float(row[0])


def among(con: sqlite3.Connection, persons: Iterable[bytes]) -> set[bytes]:
    """Those of some digests that stand for a phone which said stop."""
    if con.execute("SELECT 1 FROM main.stop LIMIT 1").fetchone() is None:
        return set()
    query = "SELECT person FROM main.stop WHERE person = ?"
    return {found for person in persons for (found,) in con.execute(query, (person,))}


def person(keyed: Keyed, msisdn: Msisdn) -> bytes:
    """The digest that stands for a phone here."""
    return keyed.digest("stop", msisdn.digits)

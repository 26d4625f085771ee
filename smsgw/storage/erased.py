"""What is left of persons who were erased: keyed digests, so that counts stay and none comes back.

A message that was on its way when its phone was erased stays until it has ended, with an empty
number, no octets, and a text of which only the length is left.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from smsgw.service.keyed import Keyed
from smsgw.service.message import Msisdn, Receipt

NOBODY: Final = ""  # the number of a phone that was erased, where a column can't be empty


class Registration(NamedTuple):
    """A registration that is gone, for reports of the days on which it was active."""

    person: bytes
    customer: bytes
    activated_at: float
    ended_at: float


def person(keyed: Keyed, msisdn: Msisdn) -> bytes:
    """The digest that stands for a phone here."""
    return keyed.digest("erased.person", msisdn.digits)


def customer(keyed: Keyed, number: str) -> bytes:
    """The digest that stands for a customer number here."""
    return keyed.digest("erased.customer", number)


def keep(con: sqlite3.Connection, registrations: Iterable[Registration]) -> None:
    """Keep registrations that go for reports, inside the caller's transaction."""
    con.executemany("INSERT INTO erased_registration VALUES (?, ?, ?, ?)", registrations)


def active(con: sqlite3.Connection, at: float) -> list[tuple[bytes, bytes]]:
    """Those that were active just before `at`: customer and person."""
    return con.execute(
        "SELECT customer, person FROM erased_registration"
        " WHERE activated_at < ?1 AND ended_at >= ?1",
        (at,),
    ).fetchall()


def nameless(
    con: sqlite3.Connection, keyed: Keyed, receipts: Sequence[Receipt]
) -> Sequence[Receipt]:
    """The receipts, without the handsets of those who were erased while these were on their way."""
    if not receipts or con.execute("SELECT 1 FROM erased_person LIMIT 1").fetchone() is None:
        return receipts
    return [
        one._replace(source=None) if one.source and _lately(con, keyed, one.source) else one
        for one in receipts
    ]


def _lately(con: sqlite3.Connection, keyed: Keyed, msisdn: Msisdn) -> bool:
    row = con.execute(
        "SELECT 1 FROM erased_person WHERE person = ?", (person(keyed, msisdn),)
    ).fetchone()
    return row is not None


def forget(con: sqlite3.Connection, before: float) -> None:
    """Drop the digests of phones erased before: nothing of theirs is on its way any more. Inside
    the caller's transaction."""
    con.execute("DELETE FROM erased_person WHERE at < ?", (before,))

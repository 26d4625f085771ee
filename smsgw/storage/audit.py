"""The audit of registrations: append-only, and chained, so that a change to it is seen.

Each row's digest is keyed and covers the digest of the row before. Phone and customer number go
into it as keyed digests, which stay when erasing empties the columns themselves.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from smsgw.service.keyed import Keyed
from smsgw.service.message import Channel, Msisdn


class Change(StrEnum):
    """What happened to a registration."""

    REQUESTED = "requested"  # made, and pending
    ACTIVATED = "activated"
    REJECTED = "rejected"  # no feed knew its customer number in time
    ENDED = "ended"
    MOVED = "moved"  # to another carrier
    SCRIPT = "script"
    SUSPECT = "suspect"  # its carrier says that the phone is not its own
    CLEARED = "cleared"  # of that
    ERASED = "erased"  # all of a person's


_LAST: Final = "SELECT seq FROM main.sqlite_sequence WHERE name = 'audit'"


class Origin(NamedTuple):
    """Who did something, and by which door."""

    channel: Channel
    who: str


CUSTOMER: Final = Origin(Channel.SMS, "customer")  # by message
DAEMON: Final = Origin(Channel.IMPORT, "daemon")
FEED: Final = Origin(Channel.IMPORT, "billing feed")


class Author(NamedTuple):
    """With what a change is signed: whose it is, when it was made, and the key of the chain."""

    keyed: Keyed
    origin: Origin
    now: float


class Entry(NamedTuple):
    """One change to the registration of a phone for a customer number."""

    change: Change
    msisdn: Msisdn
    customer_number: str
    value: str = ""  # what it was changed to, or why


class Recorded(NamedTuple):
    """An entry as it was written. What was erased is None."""

    id: int
    at: float
    change: Change
    msisdn: Msisdn | None
    customer_number: str | None
    value: str
    origin: Origin


Digests = tuple[bytes, bytes]  # of a phone, and of a customer number


def digests(keyed: Keyed, msisdn: Msisdn, customer_number: str) -> Digests:
    """What stands in the chain for a phone and a customer number."""
    return (
        keyed.digest("audit.person", msisdn.digits),
        keyed.digest("audit.customer", customer_number),
    )


def record(
    con: sqlite3.Connection,
    author: Author,
    entries: Iterable[Entry],
    made: Mapping[tuple[Msisdn, str], Digests] = MappingProxyType({}),
) -> None:
    """Append entries, inside the caller's transaction.

    `made` has digests by phone and customer number that were made before it, for who writes many.
    """
    keyed, origin, now = author
    row = con.execute("SELECT digest FROM main.audit ORDER BY id DESC LIMIT 1").fetchone()
    digest = b"" if row is None else row[0]
    rows = []
    for change, msisdn, number, value in entries:
        person, customer = made.get((msisdn, number)) or digests(keyed, msisdn, number)
        digest = _chained(keyed, digest, now, change, value, origin, person, customer)
        named = (None, None) if change is Change.ERASED else (msisdn.digits, number)
        rows.append((now, change, *named, value, *origin, person, customer, digest))
    con.executemany(
        "INSERT INTO main.audit (at, change, msisdn, customer_number, value, channel, who, person,"
        " customer, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def erase(con: sqlite3.Connection, author: Author, msisdn: Msisdn) -> None:
    """Empty a phone's entries, and append that its person was erased, inside the caller's
    transaction. The chain runs over digests, and holds."""
    con.execute(
        "UPDATE main.audit SET msisdn = NULL, customer_number = NULL WHERE msisdn = ?",
        (msisdn.digits,),
    )
    record(con, author, [Entry(Change.ERASED, msisdn, "")])


def of_phone(con: sqlite3.Connection, msisdn: Msisdn) -> Iterator[Recorded]:
    """All that happened to a phone's registrations, oldest first."""
    return _read(con, "msisdn = ?", msisdn.digits)


def of_number(con: sqlite3.Connection, customer_number: str) -> Iterator[Recorded]:
    """All that happened to the registrations for a customer number, oldest first."""
    return _read(con, "customer_number = ?", customer_number)


def _read(con: sqlite3.Connection, condition: str, value: str) -> Iterator[Recorded]:
    for id_, at, change, msisdn, number, new, channel, who in con.execute(
        "SELECT id, at, change, msisdn, customer_number, value, channel, who FROM main.audit"
        f" WHERE {condition} ORDER BY id",
        (value,),
    ):
        phone = None if msisdn is None else Msisdn(msisdn)
        origin = Origin(Channel(channel), who)
        yield Recorded(id_, at, Change(change), phone, number, new, origin)


def asked_by(con: sqlite3.Connection, msisdn: Msisdn, customer_number: str) -> Channel | None:
    """By which door the phone's last registration for a customer number was asked for, whatever
    channel was written down for it; None: nothing says."""
    row = con.execute(
        "SELECT channel FROM main.audit WHERE msisdn = ? AND customer_number = ? AND change = ?"
        " ORDER BY id DESC LIMIT 1",
        (msisdn.digits, customer_number, Change.REQUESTED),
    ).fetchone()
    return None if row is None else Channel(row[0])


def count(con: sqlite3.Connection) -> int:
    (entries,) = con.execute("SELECT count(*) FROM main.audit").fetchone()
    return int(entries)


def broken(con: sqlite3.Connection, keyed: Keyed) -> int | None:
    """The id of the first row that is not what was written there; None if the chain holds.

    Of who takes rows away at the end, and knows what SQLite remembers of them, nothing is seen: for
    that the last digest has to be kept elsewhere.
    """
    digest, expected = b"", 1
    for id_, at, change, value, channel, who, person, customer, found, *names in con.execute(
        "SELECT id, at, change, value, channel, who, person, customer, digest, msisdn,"
        " customer_number FROM main.audit ORDER BY id"
    ):
        if id_ != expected or not isinstance(at, float):
            return expected
        digest = _chained(keyed, digest, at, change, value, (channel, who), person, customer)
        msisdn, number = names
        if (
            found != digest
            or (msisdn is not None and person != keyed.digest("audit.person", msisdn))
            or (number is not None and customer != keyed.digest("audit.customer", number))
        ):
            return expected
        expected += 1
    last = con.execute(_LAST).fetchone()
    return expected if last is not None and last[0] >= expected else None


def _chained(
    keyed: Keyed,
    before: bytes,
    at: float,
    change: str,
    value: str,
    origin: tuple[str, str],
    person: bytes,
    customer: bytes,
) -> bytes:
    return keyed.digest("audit", before, at.hex(), change, value, *origin, person, customer)

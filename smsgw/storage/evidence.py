"""The evidence of notices: what was sent to whom and what became of it, append-only and chained.

An entry is made for each message of a notice, in the transaction that moves it to the history.
Each entry's digest is keyed and covers the digest of the entry before. Phone, customer number and
what was said go into it as keyed digests, which stay when erasing empties the columns themselves.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from smsgw.service.keyed import Keyed
from smsgw.service.message import Msisdn


class Entry(NamedTuple):
    """What became of one message of a notice. Times are seconds since 1970; what was erased, or is
    no longer kept, is None."""

    notice: int
    run: int
    kind: str  # notices.NoticeKind
    mt: int
    carrier: str
    made_at: float
    state: str  # MtState
    final_at: float
    segments: str  # JSON, as in the history: the carrier's ids, receipts, times
    msisdn: Msisdn | None
    customer_number: str | None
    bills: str | None  # JSON [[bill number, attempt], …]
    parameters: str | None  # JSON: what filled the text
    text: str | None


class Recorded(NamedTuple):
    """An entry as it was written."""

    id: int
    entry: Entry


_COLUMNS: Final = (
    "notice, run, kind, mt_id, carrier, made_at, state, final_at, segments, msisdn,"
    " customer_number, bills, parameters, text"
)

# Whatever somebody has put there, these are octets, and times are numbers.
_DIGESTS: Final = ", ".join(
    f"CAST({name} AS BLOB)" for name in ("person", "customer", "said", "digest")
)
_READ: Final = re.sub(r"\b(made_at|final_at)\b", r"CAST(\1 AS REAL)", _COLUMNS)

# The last id that an entry was ever given. Ids have no gaps: who takes entries away at the end, and
# nothing else, leaves this behind.
_LAST: Final = "SELECT seq FROM main.sqlite_sequence WHERE name = 'evidence'"


def record(con: sqlite3.Connection, keyed: Keyed, entries: Iterable[Entry]) -> None:
    """Append entries, inside the caller's transaction."""
    row = con.execute("SELECT digest FROM main.evidence ORDER BY id DESC LIMIT 1").fetchone()
    digest = b"" if row is None else row[0]
    rows = []
    for one in entries:
        phone = "" if one.msisdn is None else one.msisdn.digits
        person = keyed.digest("evidence.person", phone)
        customer = keyed.digest("evidence.customer", one.customer_number or "")
        said = _said(keyed, one)
        digest = _chained(keyed, digest, one, person, customer, said)
        rows.append((*one[:9], one.msisdn and phone, *one[10:], person, customer, said, digest))
    con.executemany(
        f"INSERT INTO main.evidence ({_COLUMNS}, person, customer, said, digest)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


class Which(NamedTuple):
    """Of which notices: those that fit all of these that are given."""

    run: int | None = None
    customer_number: str | None = None
    msisdn: Msisdn | None = None

    @property
    def condition(self) -> tuple[str, dict[str, object]]:
        """Over `notice`, with its values. Notices have the indexes that evidence can do without."""
        values: dict[str, object] = {
            "run": self.run,
            "customer_number": self.customer_number,
            "msisdn": None if self.msisdn is None else self.msisdn.digits,
        }
        given = {name: value for name, value in values.items() if value is not None}
        return " AND ".join(f"notice.{name} = :{name}" for name in given) or "1", given


def records(con: sqlite3.Connection, which: Which) -> Iterator[Recorded]:
    """The entries of notices, oldest first, read while they are asked for."""
    where, values = which.condition
    for id_, *row in con.execute(
        f"SELECT id, {_READ} FROM main.evidence"
        f" WHERE notice IN (SELECT id FROM notice WHERE {where}) ORDER BY id"
        if values
        else f"SELECT id, {_READ} FROM main.evidence ORDER BY id",
        values,
    ):
        yield Recorded(id_, _entry(*row))


def unsealed(con: sqlite3.Connection, which: Which) -> list[tuple[int, int, str, int]]:
    """Notices that are sent and have no entry yet: id, run, kind, message."""
    where, values = which.condition
    return con.execute(
        "SELECT notice.id, run, kind, mt_id FROM notice JOIN notice_run ON notice_run.id = run"
        f" WHERE {where} AND mt_id IN (SELECT id FROM mt) ORDER BY notice.id",
        values,
    ).fetchall()


def count(con: sqlite3.Connection) -> int:
    (entries,) = con.execute("SELECT count(*) FROM main.evidence").fetchone()
    return int(entries)


def broken(con: sqlite3.Connection, keyed: Keyed) -> int | None:
    """The id of the first entry that is not what was written there; None if the chain holds.

    Of who takes entries away at the end, and knows what SQLite remembers of them, nothing is seen:
    for that the last digest has to be kept elsewhere.
    """
    digest, expected = b"", 1
    for id_, *row in con.execute(f"SELECT id, {_READ}, {_DIGESTS} FROM main.evidence ORDER BY id"):
        one = _entry(*row[:14])
        person, customer, said, found = row[14:]
        digest = _chained(keyed, digest, one, person, customer, said)
        if id_ != expected or found != digest or not _fits(keyed, one, person, customer, said):
            return expected
        expected += 1
    last = con.execute(_LAST).fetchone()
    return expected if last is not None and last[0] >= expected else None


def _fits(keyed: Keyed, one: Entry, person: bytes, customer: bytes, said: bytes) -> bool:
    """Whether the digests are of the values that are there."""
    if one.msisdn is not None and person != keyed.digest("evidence.person", one.msisdn.digits):
        return False
    number = one.customer_number
    if number is not None and customer != keyed.digest("evidence.customer", number):
        return False
    erased = one.bills is None and one.parameters is None and one.text is None
    return erased or said == _said(keyed, one)


def _entry(
    notice: int,
    run: int,
    kind: str,
    mt: int,
    carrier: str,
    made_at: float,
    state: str,
    final_at: float,
    segments: str,
    msisdn: str | None,
    *personal: str | None,
) -> Entry:
    phone = None if msisdn is None else Msisdn(msisdn)
    return Entry(
        notice, run, kind, mt, carrier, made_at, state, final_at, segments, phone, *personal
    )


def _said(keyed: Keyed, one: Entry) -> bytes:
    return keyed.digest("evidence.said", one.bills or "", one.parameters or "", one.text or "")


def _chained(
    keyed: Keyed, before: bytes, one: Entry, person: bytes, customer: bytes, said: bytes
) -> bytes:
    return keyed.digest(
        "evidence",
        before,
        str(one.notice),
        str(one.run),
        one.kind,
        str(one.mt),
        one.carrier,
        one.made_at.hex(),
        one.state,
        one.final_at.hex(),
        one.segments,
        person,
        customer,
        said,
    )

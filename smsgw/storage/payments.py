"""Payments: what of a bill is left to pay, as the billing system tells it between two feeds.

A payment is kept in `gateway.db` first, then written to the current cache. A feed that is made of
an older state than the payment takes it over from there, so that no bill is dunned that was paid.
It says what is left and not what was paid: told twice it does no harm.
"""

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from smsgw.service.customer import BillStatus
from smsgw.storage.database import current_snapshot, transaction

# Seconds by which the moment that a feed tells of may be later than the state it was made of: what
# was paid meanwhile may not be in it.
MARGIN: Final = 3600.0
KEPT: Final = 60 * 24 * 3600.0  # seconds after which no feed is that old any more
KNOWN_FOR: Final = 3 * 24 * 3600.0  # and after which no older one follows a feed that knows them
PATIENCE: Final = 5.0  # seconds for a delta that is being written to the cache
MOST: Final = 1000  # at once: 20 ms in each of the databases


class Payment(NamedTuple):
    """What is left of a bill after somebody paid at `at`."""

    customer_number: str
    bill_number: str
    remaining: int  # cents of the bill's currency; 0: it is paid
    at: float


class Outcome(StrEnum):
    """What a payment did to its bill."""

    PAID = "paid"
    REDUCED = "reduced"
    SETTLED = "settled"  # it was paid before
    CANCELLED = "cancelled"  # the bill is; the payment changes nothing
    UNKNOWN = "unknown"  # the cache has no such bill: a later feed may bring it


_NOTE: Final = (
    "INSERT INTO main.payment VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (customer_number, bill_number) DO UPDATE"
    " SET remaining = excluded.remaining, at = excluded.at, told_at = excluded.told_at"
    " WHERE excluded.at >= at"
)
_SELECT: Final = "SELECT customer_number, bill_number, remaining, at FROM main.payment"
_PAY: Final = (
    f"UPDATE bill SET status = iif(?3 = 0, '{BillStatus.PAID}', status),"
    " amount = iif(?3 = 0, amount, ?3)"
    f" WHERE customer = ?1 AND number = ?2 AND status = '{BillStatus.OPEN}' RETURNING status"
)


def note(con: sqlite3.Connection, payments: Iterable[Payment], now: float) -> None:
    """Keep payments for feeds to come, in one transaction. Of two for a bill the later counts."""
    with transaction(con):
        con.executemany(_NOTE, [(*one, now) for one in payments])


def pay(con: sqlite3.Connection, data_dir: Path, payments: Sequence[Payment]) -> list[Outcome]:
    """Write payments that were noted to the current cache, in one transaction.

    `con` is to `gateway.db`. Raises sqlite3.OperationalError where a delta holds the cache for
    longer than PATIENCE: they stay noted, and may be told again.
    """
    for _ in range(2):  # the cache may give way to another just now: that one has taken them over
        name = current_snapshot(con)
        if name is None:
            break
        try:
            with closing(_opened(data_dir / name, PATIENCE)) as cache, transaction(cache):
                return [_paid(cache, one) for one in payments]
        except sqlite3.OperationalError:
            if name == current_snapshot(con):
                raise
    return [Outcome.UNKNOWN] * len(payments)


def since(con: sqlite3.Connection, as_of: float, told_after: float = 0.0) -> list[Payment]:
    """The payments that a feed of `as_of` may not have, told of after `told_after`."""
    rows = con.execute(
        f"{_SELECT} WHERE at > ? AND told_at > ?", (as_of - MARGIN, told_after)
    ).fetchall()
    return [Payment(*row) for row in rows]


def take_over(cache: sqlite3.Connection, payments: Iterable[Payment]) -> None:
    """Write payments to a cache inside the caller's transaction."""
    for one in payments:
        _paid(cache, one)


def take_over_into(path: Path, payments: Collection[Payment]) -> None:
    """The same to the cache in a file, put on disk."""
    if not payments:
        return
    with closing(_opened(path, PATIENCE)) as cache:
        with transaction(cache):
            take_over(cache, payments)
        cache.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def forget(con: sqlite3.Connection, as_of: float, now: float) -> None:
    """Drop payments that a whole feed of `as_of` knows, and those that no feed can miss any more;
    inside the caller's transaction."""
    con.execute(
        "DELETE FROM main.payment WHERE told_at < ?1 AND (at <= ?2 OR told_at < ?3)",
        (now - KNOWN_FOR, as_of - MARGIN, now - KEPT),
    )


def catch_up(con: sqlite3.Connection, data_dir: Path) -> None:
    """Write all that is noted to the current cache: after a crash between the two."""
    name = current_snapshot(con)
    if name is None or not (data_dir / name).exists():
        return
    with closing(_opened(data_dir / name, PATIENCE)) as cache:
        (as_of,) = cache.execute("SELECT as_of FROM feed ORDER BY rowid DESC LIMIT 1").fetchone()
        if due := since(con, as_of):
            with transaction(cache):
                take_over(cache, due)


def _opened(path: Path, timeout: float) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    cache = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=timeout)
    cache.execute("PRAGMA synchronous = FULL")
    return cache


def _paid(cache: sqlite3.Connection, one: Payment) -> Outcome:
    key = (int(one.customer_number), one.bill_number)
    if cache.execute(_PAY, (*key, one.remaining)).fetchone() is not None:
        return Outcome.REDUCED if one.remaining else Outcome.PAID
    row = cache.execute("SELECT status FROM bill WHERE customer = ? AND number = ?", key).fetchone()
    if row is None:
        return Outcome.UNKNOWN
    return Outcome.CANCELLED if row[0] == BillStatus.CANCELLED else Outcome.SETTLED

"""Reads the counts of a period: those that are kept, and what is not counted yet beside them."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any, Final, TypeVar

from smsgw.service.message import CHANNELS, Layout, MessageKind, MtState
from smsgw.service.report import (
    Active,
    Amounts,
    Books,
    Counts,
    Customers,
    Happened,
    Received,
    Registered,
    Sent,
    months,
)
from smsgw.storage import counts, subjects
from smsgw.storage.counts import Customer, Incoming, Message, Segment
from smsgw.storage.database import one_moment

_SEGMENTS: Final = "SELECT mt_id, state, message_id, lost FROM segment ORDER BY mt_id, part"
_MESSAGES: Final = f"""
SELECT id, kind, carrier, iif(layout = '{Layout.PAYLOAD}', text, ''), layout, created_at FROM mt
"""
_INCOMING: Final = "SELECT received_at, carrier, msisdn, intent FROM mo WHERE intent IS NOT NULL"

_SENT: Final = """
SELECT substr(day, 1, 7), kind, purpose, carrier, state, sum(messages), sum(parts), sum(cost)
FROM count_sent WHERE day BETWEEN ? AND ? GROUP BY 1, 2, 3, 4, 5
"""
_RECEIVED: Final = """
SELECT substr(day, 1, 7), carrier, intent, sum(messages)
FROM count_received WHERE day BETWEEN ? AND ? GROUP BY 1, 2, 3
"""
_REGISTERED: Final = """
SELECT substr(day, 1, 7), change, channel, sum(changes)
FROM count_registered WHERE day BETWEEN ? AND ? GROUP BY 1, 2, 3
"""
_ACTIVE: Final = "SELECT numbers, phones, registrations FROM count_active WHERE month = ?"
_FOLDED: Final = "SELECT month, what, customers FROM count_month WHERE month BETWEEN ? AND ?"
_DISTINCT: Final = (
    "SELECT month, what, count(*) FROM count_customer WHERE month BETWEEN ? AND ? GROUP BY 1, 2"
)
_KNOWN: Final = "SELECT 1 FROM count_customer WHERE month = ? AND what = ? AND customer = ?"

Key = TypeVar("Key", bound=tuple[Any, ...])
Value = TypeVar("Value")
Days = tuple[str, str]  # the first and the last, as they are written


def read(con: sqlite3.Connection, first: date, last: date, books: Books, now: float) -> Counts:
    """All counts from one day to another, both included, as they are at one moment."""
    days = first.isoformat(), last.isoformat()
    with one_moment(con):
        live = _on_their_way(con, books)
        came = counts.taken([Incoming(*row) for row in con.execute(_INCOMING)], books)
        return Counts(
            first,
            last,
            _sent(con, live, days),
            _received(con, came, days),
            _registered(con, books, days),
            tuple(_active(con, first, last, books, now)),
            _customers(con, first, last, live.customers | came.customers),
        )


def needs_key(con: sqlite3.Connection) -> bool:
    """Whether customers are counted by their digests, with which others are compared."""
    return con.execute("SELECT 1 FROM count_customer LIMIT 1").fetchone() is not None


def _on_their_way(con: sqlite3.Connection, books: Books) -> counts.Sums:
    """What the messages to customers come to that are not in the history yet."""
    segments: dict[int, list[Segment]] = {}
    for mt_id, *rest in con.execute(_SEGMENTS):
        segments.setdefault(mt_id, []).append(Segment(*rest))
    messages = [
        Message(id_, kind, carrier, text, layout, created_at, segments[id_])
        for id_, kind, carrier, text, layout, created_at in con.execute(_MESSAGES)
    ]
    return counts.sums(messages, subjects.of(con), books)


def _sent(con: sqlite3.Connection, live: counts.Sums, days: Days) -> dict[Sent, Amounts]:
    found: dict[Sent, Amounts] = {}
    rows = [
        *con.execute(_SENT, days),
        *((day[:7], *rest, *amounts) for (day, *rest), amounts in _within(live.sent, days)),
    ]
    for month, kind, purpose, carrier, state, *amounts in rows:
        key = Sent(month, MessageKind(kind), purpose, carrier, MtState(state))
        found[key] = found.get(key, Amounts()).plus(Amounts(*amounts))
    return found


def _received(con: sqlite3.Connection, came: counts.Taken, days: Days) -> Counter[Received]:
    found: Counter[Received] = Counter()
    for *key, messages in con.execute(_RECEIVED, days):
        found[Received(*key)] += messages
    for (day, *rest), messages in _within(came.received, days):
        found[Received(day[:7], *rest)] += messages
    return found


def _registered(con: sqlite3.Connection, books: Books, days: Days) -> Counter[Registered]:
    found: Counter[Registered] = Counter()
    rows = [
        *con.execute(_REGISTERED, days),
        *((day[:7], *rest, n) for (day, *rest), n in _within(counts.registered(con, books), days)),
    ]
    for month, change, channel, changes in rows:
        found[Registered(month, Happened(change), CHANNELS[channel])] += changes
    return found


def _within(found: Mapping[Key, Value], days: Days) -> Iterator[tuple[Key, Value]]:
    """What is of these days. Each key begins with its day."""
    return (one for one in found.items() if days[0] <= one[0][0] <= days[1])


def _active(
    con: sqlite3.Connection, first: date, last: date, books: Books, now: float
) -> Iterator[Active]:
    """At the end of each month of the period, and at that of the period itself: of a day that has
    not ended, now."""
    today = date.fromisoformat(books.day(now))
    last = min(last, today)
    begin = _begin(con, books)
    for month in months(first, last) if first <= last else ():
        end = min(counts.last_day(month), last)
        whole = end == counts.last_day(month) and end < today
        kept = con.execute(_ACTIVE, (month,)).fetchone() if whole else None
        if kept is None:
            there = begin is not None and month >= begin
            yield counts.active(con, end, books) if there else Active(end, 0, 0, 0)
        else:
            yield Active(end, *kept)


def _begin(con: sqlite3.Connection, books: Books) -> str | None:
    """The first month that had registrations. They may be erased: what is kept of it is not."""
    (begin,) = con.execute("SELECT min(month) FROM count_active").fetchone()
    if begin is None:
        at = counts.first_active(con)
        begin = None if at is None else books.day(at)[:7]
    return None if begin is None else str(begin)


def _customers(
    con: sqlite3.Connection, first: date, last: date, live: Collection[Customer]
) -> Counter[tuple[str, Customers]]:
    """Different customers of whole months; `live` are those of messages that are not counted."""
    bounds = f"{first:%Y-%m}", f"{last:%Y-%m}"
    found: Counter[tuple[str, Customers]] = Counter()
    for query in (_FOLDED, _DISTINCT):
        for month, what, customers in con.execute(query, bounds):
            found[month, Customers(what)] += customers
    for one in live:
        if bounds[0] <= one.month <= bounds[1] and con.execute(_KNOWN, one).fetchone() is None:
            found[one.month, one.what] += 1
    return found

"""Counts that are kept for good: what was sent and received, and what became of registrations.

Messages are counted in the transaction that moves them to the history, registrations from the audit
a batch at a time. What is not counted yet is counted by the same functions for a report, so that
a report is right at every moment.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from smsgw.service.message import Encoding, Layout, Msisdn, MtState
from smsgw.service.message_state import message_state
from smsgw.service.report import (
    BILL_CHECKS,
    REMINDERS,
    Active,
    Amounts,
    Books,
    Customers,
    Happened,
    took,
)
from smsgw.storage import erased
from smsgw.storage.database import transaction
from smsgw.storage.subjects import Subject

BATCH: Final = 500  # entries of the audit in one transaction: 5 ms
KEPT_MONTHS: Final = 2  # whole months that digests of different customers are kept after theirs

_STATES: Final = {state.value: state for state in MtState}


class Segment(NamedTuple):
    state: str  # MtState
    message_id: str | None
    lost: int


class Message(NamedTuple):
    """One message to a customer, as it is counted."""

    id: int
    kind: int
    carrier: str
    text: str
    layout: str
    created_at: float
    segments: Sequence[Segment]


class Customer(NamedTuple):
    """One of the different customers of a month."""

    month: str
    what: Customers
    customer: int


class SentOn(NamedTuple):
    """A sort of messages, as a row of count_sent begins."""

    day: str
    kind: int
    purpose: str
    carrier: str
    state: str


class Sums(NamedTuple):
    """What a number of messages to customers comes to."""

    sent: dict[SentOn, Amounts]
    customers: set[Customer]


def sums(messages: Iterable[Message], subjects: Mapping[int, Subject], books: Books) -> Sums:
    """Count messages to customers, each of which has its subject."""
    sent: dict[SentOn, Amounts] = {}
    customers = set()
    for one in messages:
        day = books.day(one.created_at)
        purpose, notice = subjects[one.id]
        state = message_state([_STATES[part.state] for part in one.segments])
        parts = _parts(one, books)
        key = SentOn(day, one.kind, purpose, one.carrier, state.value)
        amounts = Amounts(1, parts, parts * books.prices.get(one.carrier, 0))
        sent[key] = sent.get(key, Amounts()).plus(amounts)
        # One that is erased was counted then.
        if notice is not None and notice.customer_number and parts and purpose in REMINDERS:
            customers.add(reminded(books, day, notice.customer_number))
    return Sums(sent, customers)


def _parts(one: Message, books: Books) -> int:
    """How many parts its carrier certainly accepted."""
    accepted = [took(_STATES[part.state], part.message_id, part.lost) for part in one.segments]
    if one.layout == Layout.PAYLOAD and any(accepted):
        return books.encodings.get(one.carrier, Encoding()).count_parts(one.text)
    return sum(accepted)


def reminded(books: Books, day: str, customer_number: str) -> Customer:
    """A customer number that was reminded on a day."""
    return _customer(books, day, Customers.REMINDED, customer_number)


def _customer(books: Books, day: str, what: Customers, name: str) -> Customer:
    month = day[:7]
    digest = books.keyed.digest("count", month, what, name)
    return Customer(month, what, int.from_bytes(digest[:8], signed=True))


def add_sent(con: sqlite3.Connection, found: Sums) -> None:
    """Add to the counts of messages to customers, inside the caller's transaction."""
    con.executemany(
        "INSERT INTO count_sent (day, kind, purpose, carrier, state, messages, parts, cost)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " messages = messages + excluded.messages, parts = parts + excluded.parts,"
        " cost = cost + excluded.cost",
        [(*key, *amounts) for key, amounts in found.sent.items()],
    )
    add_customers(con, found.customers)


class Incoming(NamedTuple):
    """One message from a customer, as it is counted."""

    received_at: float
    carrier: str
    msisdn: str
    intent: str | None  # None: a part of a long message, which isn't counted


class ReceivedOn(NamedTuple):
    """A sort of messages, as a row of count_received begins."""

    day: str
    carrier: str
    intent: str


class Taken(NamedTuple):
    """What a number of messages from customers comes to."""

    received: Counter[ReceivedOn]
    customers: set[Customer]


def taken(messages: Iterable[Incoming], books: Books) -> Taken:
    """Count messages from customers."""
    received: Counter[ReceivedOn] = Counter()
    customers = set()
    for received_at, carrier, msisdn, intent in messages:
        if intent is None:
            continue
        day = books.day(received_at)
        received[ReceivedOn(day, carrier, intent)] += 1
        if intent in BILL_CHECKS:
            customers.add(_customer(books, day, Customers.CHECKING, msisdn))
    return Taken(received, customers)


def add_received(con: sqlite3.Connection, found: Taken) -> None:
    """Add to the counts of messages from customers, inside the caller's transaction."""
    con.executemany(
        "INSERT INTO count_received (day, carrier, intent, messages) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET messages = messages + excluded.messages",
        [(*key, messages) for key, messages in found.received.items()],
    )
    add_customers(con, found.customers)


def add_customers(con: sqlite3.Connection, customers: Iterable[Customer]) -> None:
    """Add to the different customers of months, inside the caller's transaction."""
    con.executemany("INSERT OR IGNORE INTO count_customer VALUES (?, ?, ?)", sorted(customers))


# -- registrations ------------------------------------------------------------------------------


class RegisteredOn(NamedTuple):
    """A sort of changes, as a row of count_registered begins."""

    day: str
    change: str
    channel: str


_HAPPENED: Final = ", ".join(f"'{change}'" for change in Happened)

# What a feed makes active was registered where it was requested: by the last that happened before.
# The plus signs keep SQLite from walking back through the whole audit for that.
_ENTRIES: Final = f"""
SELECT id, at, change, CASE WHEN change IN ('activated', 'rejected') THEN coalesce(
    (SELECT CASE change WHEN 'requested' THEN channel END FROM audit AS before
     WHERE before.msisdn = audit.msisdn AND before.customer_number = audit.customer_number
     AND +before.id < audit.id AND before.change IN ({_HAPPENED})
     ORDER BY +before.id DESC LIMIT 1), channel) ELSE channel END
FROM audit WHERE id > ? AND change IN ({_HAPPENED}) ORDER BY id LIMIT ?
"""

_ALL: Final = -1  # no LIMIT


def registered(con: sqlite3.Connection, books: Books) -> Counter[RegisteredOn]:
    """The changes to registrations that are not counted yet."""
    return _registered(con, books, _ALL)[0]


def _registered(
    con: sqlite3.Connection, books: Books, limit: int
) -> tuple[Counter[RegisteredOn], int | None, int]:
    """The next changes, the id of the last entry of the audit, and how many they are."""
    (mark,) = con.execute("SELECT audit FROM count_mark").fetchone()
    rows = con.execute(_ENTRIES, (mark, limit)).fetchall()
    found = Counter(RegisteredOn(books.day(at), change, channel) for _, at, change, channel in rows)
    return found, rows[-1][0] if rows else None, len(rows)


def register(con: sqlite3.Connection, books: Books) -> bool:
    """Count the next BATCH changes to registrations; whether there are more.

    A person's are counted before the person is erased: what a feed has made active since then
    would be counted as by the feed.
    """
    if _registered(con, books, 1)[1] is None:
        return False
    with transaction(con):
        found, last, many = _registered(con, books, BATCH)
        con.executemany(
            "INSERT INTO count_registered (day, change, channel, changes) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET changes = changes + excluded.changes",
            [(*key, changes) for key, changes in found.items()],
        )
        con.execute("UPDATE count_mark SET audit = ? WHERE audit < ?", (last, last))
    return many == BATCH


# -- months -------------------------------------------------------------------------------------

_ACTIVE: Final = """
SELECT customer_number, msisdn FROM subscription
WHERE activated_at < ?1 AND (ended_at IS NULL OR ended_at >= ?1)
"""


def active(con: sqlite3.Connection, day: date, books: Books) -> Active:
    """The registrations that were active at the end of a day, or are on one that lasts."""
    at = books.ends(day)
    pairs: list[tuple[str | bytes, str | bytes]] = con.execute(_ACTIVE, (at,)).fetchall()
    if gone := erased.active(con, at):
        keyed = books.keyed
        pairs = [
            (erased.customer(keyed, str(number)), erased.person(keyed, Msisdn(phone)))
            for number, phone in pairs
        ]
        pairs += gone
    numbers, phones = {number for number, _ in pairs}, {phone for _, phone in pairs}
    return Active(day, len(numbers), len(phones), len(pairs))


def first_active(con: sqlite3.Connection) -> float | None:
    """When the first registration became active that there ever was."""
    (at,) = con.execute(
        "SELECT min(at) FROM (SELECT min(activated_at) AS at FROM subscription"
        " UNION ALL SELECT min(activated_at) FROM erased_registration)"
    ).fetchone()
    return None if at is None else float(at)


def unclosed(con: sqlite3.Connection, books: Books, now: float) -> Iterator[Active]:
    """The active registrations at the end of each month that is over and has no such row. Read
    outside of transactions: it takes a tenth of a second a month."""
    today = date.fromisoformat(books.day(now))
    (closed,) = con.execute(
        "SELECT max(month) FROM count_active WHERE month < ?", (f"{today:%Y-%m}",)
    ).fetchone()
    first = first_active(con)
    if closed is not None:
        month = _next(date.fromisoformat(f"{closed}-01"))
    elif first is not None:
        month = date.fromisoformat(books.day(first)).replace(day=1)
    else:
        return
    while (following := _next(month)) <= today:
        yield active(con, last_day(f"{month:%Y-%m}"), books)
        month = following


def close(con: sqlite3.Connection, months: Sequence[Active], books: Books, now: float) -> None:
    """Keep what `unclosed` read. A month that isn't over was closed by a clock that was ahead: it
    is opened again."""
    to_come = books.day(now)[:7]
    ahead = con.execute("SELECT 1 FROM count_active WHERE month >= ?", (to_come,)).fetchone()
    if not months and ahead is None:
        return
    with transaction(con):
        con.execute("DELETE FROM count_active WHERE month >= ?", (to_come,))
        con.executemany(
            "INSERT OR IGNORE INTO count_active (month, numbers, phones, registrations)"
            " VALUES (?, ?, ?, ?)",
            [(f"{one.day:%Y-%m}", *one[1:]) for one in months],
        )


def fold(con: sqlite3.Connection, books: Books, now: float) -> None:
    """Of months that are over for KEPT_MONTHS: keep how many different customers there were, and
    drop their digests. A month with messages that are not in the history yet waits for these."""
    month = date.fromisoformat(books.day(now)).replace(day=1)
    for _ in range(KEPT_MONTHS):
        month = date.fromordinal(month.toordinal() - 1).replace(day=1)
    before = f"{month:%Y-%m}"
    due = "SELECT 1 FROM count_customer WHERE month < ? LIMIT 1"
    if con.execute(due, (before,)).fetchone() is None:
        return
    (oldest,) = con.execute(
        "SELECT min(at) FROM (SELECT min(created_at) AS at FROM mt"
        " UNION ALL SELECT min(received_at) FROM mo)"
    ).fetchone()
    if oldest is not None:
        before = min(before, books.day(oldest)[:7])
    with transaction(con):
        con.execute(
            "INSERT INTO count_month (month, what, customers)"
            " SELECT month, what, count(*) FROM count_customer WHERE month < ? GROUP BY 1, 2"
            " ON CONFLICT DO UPDATE SET customers = customers + excluded.customers",
            (before,),
        )
        con.execute("DELETE FROM count_customer WHERE month < ?", (before,))


def last_day(month: str) -> date:
    """The last day of a month."""
    following = _next(date.fromisoformat(f"{month}-01"))
    return date.fromordinal(following.toordinal() - 1)


def _next(month: date) -> date:
    """The first day of the following month."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)

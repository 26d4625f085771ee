"""Who is registered for what: the use-cases on the table `subscription`.

A phone has at most one live (pending or active) subscription to a customer number; ended ones
stay as they were. All functions work inside the caller's transaction, save `activate`, which is
one of its own. Each change goes into the audit, signed by its author.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.decision import Rules
from smsgw.service.message import CHANNELS, SCRIPTS, Encoding, Msisdn, Mt, Script
from smsgw.service.registering import activated
from smsgw.storage import audit
from smsgw.storage.audit import Author, Change, Entry
from smsgw.storage.database import CACHE_SCHEMA, transaction
from smsgw.storage.messages import enqueue
from smsgw.storage.pace import Pace

LIVE: Final = "state IN ('pending', 'active')"
_COLUMNS: Final = "msisdn, customer_number, state, carrier, script, channel, requested_at"
_STATES: Final = {str(state): state for state in SubscriptionState}


def of_phone(con: sqlite3.Connection, msisdn: Msisdn) -> tuple[Subscription, ...]:
    """The phone's pending and active subscriptions, oldest first."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM main.subscription WHERE msisdn = ? AND {LIVE} ORDER BY id",
        (msisdn.digits,),
    ).fetchall()
    return tuple([_subscription(row) for row in rows])


def _subscription(row: tuple[str, str, str, str | None, str, str, float]) -> Subscription:
    msisdn, number, state, carrier, script, channel, requested_at = row
    return Subscription(
        Msisdn(msisdn),
        number,
        _STATES[state],
        carrier,
        SCRIPTS[script],
        CHANNELS[channel],
        requested_at,
    )


# Other phones of a customer number that are looked at: more can only come by imports.
MOST_OTHERS: Final = 100


def of_others(
    con: sqlite3.Connection, customer_number: str, besides: Msisdn
) -> tuple[Subscription, ...]:
    """Other phones' pending and active subscriptions to a customer number, oldest first."""
    rows = con.execute(
        f"SELECT {_COLUMNS} FROM main.subscription"
        f" WHERE customer_number = ? AND msisdn <> ? AND {LIVE} ORDER BY id LIMIT ?",
        (customer_number, besides.digits, MOST_OTHERS),
    ).fetchall()
    return tuple([_subscription(row) for row in rows])


def subscribe(
    con: sqlite3.Connection, subscription: Subscription, notify: bool, author: Author
) -> None:
    """Store a pending or active subscription, or make the phone's pending one active.

    `notify`: the phone is told when a pending one becomes active later. A live subscription of
    the same phone and number keeps all but its state.
    """
    if add(con, subscription, notify, author) or subscription.state is SubscriptionState.PENDING:
        return
    msisdn, number = subscription.msisdn, subscription.customer_number
    activated = con.execute(
        "UPDATE main.subscription SET state = 'active', activated_at = ?"
        " WHERE msisdn = ? AND customer_number = ? AND state = 'pending'",
        (subscription.requested_at, msisdn.digits, number),
    ).rowcount
    if activated:
        audit.record(con, author, [Entry(Change.ACTIVATED, msisdn, number)])


def add(con: sqlite3.Connection, subscription: Subscription, notify: bool, author: Author) -> bool:
    """Store a subscription unless the phone has a live one to that number; whether it was."""
    msisdn, number, state, carrier, script, channel, requested_at = subscription
    active = state is SubscriptionState.ACTIVE
    added = con.execute(
        f"INSERT INTO main.subscription ({_COLUMNS}, notify, activated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        f" ON CONFLICT (msisdn, customer_number) WHERE {LIVE} DO NOTHING",
        (
            msisdn.digits,
            number,
            state.value,
            carrier,
            script.value,
            channel.value,
            requested_at,
            notify,
            requested_at if active else None,
        ),
    ).rowcount
    if added:
        audit.record(con, author, [Entry(_made(active), msisdn, number, carrier or "")])
    return bool(added)


def _made(active: bool) -> Change:
    return Change.ACTIVATED if active else Change.REQUESTED


def correct(
    con: sqlite3.Connection,
    msisdn: Msisdn,
    customer_number: str,
    carrier: str | None,
    script: Script | None,
    author: Author,
) -> tuple[Change, ...]:
    """Give a live subscription another carrier and script, and say what that changed.

    What is None stays as it is.
    """
    row = con.execute(
        "SELECT carrier, script FROM main.subscription"
        f" WHERE msisdn = ? AND customer_number = ? AND {LIVE}",
        (msisdn.digits, customer_number),
    ).fetchone()
    changes = []
    if row is not None and carrier not in (None, row[0]):
        changes.append(Entry(Change.MOVED, msisdn, customer_number, carrier or ""))
    if row is not None and script is not None and script.value != row[1]:
        changes.append(Entry(Change.SCRIPT, msisdn, customer_number, script.value))
    if changes:
        con.execute(
            "UPDATE main.subscription SET carrier = ifnull(?, carrier), script = ifnull(?, script)"
            f" WHERE msisdn = ? AND customer_number = ? AND {LIVE}",
            (carrier, script and script.value, msisdn.digits, customer_number),
        )
        audit.record(con, author, changes)
    return tuple([one.change for one in changes])


def end(
    con: sqlite3.Connection, msisdn: Msisdn, customer_number: str | None, author: Author
) -> int:
    """End the phone's subscription to a customer number, or to all (None); how many they were."""
    ended = con.execute(
        "UPDATE main.subscription SET state = 'ended', ended_at = ?"
        f" WHERE msisdn = ? AND customer_number = ifnull(?, customer_number) AND {LIVE}"
        " RETURNING customer_number",
        (author.now, msisdn.digits, customer_number),
    ).fetchall()
    audit.record(con, author, [Entry(Change.ENDED, msisdn, number) for (number,) in ended])
    return len(ended)


def move(con: sqlite3.Connection, msisdn: Msisdn, carrier: str, author: Author) -> int:
    """Take the phone's subscriptions to a carrier; how many were elsewhere."""
    moved = con.execute(
        "UPDATE main.subscription SET carrier = ?"
        f" WHERE msisdn = ? AND carrier IS NOT ? AND {LIVE} RETURNING customer_number",
        (carrier, msisdn.digits, carrier),
    ).fetchall()
    audit.record(con, author, [Entry(Change.MOVED, msisdn, number, carrier) for (number,) in moved])
    return len(moved)


class Record(NamedTuple):
    """A subscription with its whole history, for those who look at it."""

    subscription: Subscription
    notify: bool
    activated_at: float | None
    ended_at: float | None


_RECORD: Final = f"SELECT {_COLUMNS}, notify, activated_at, ended_at FROM main.subscription"


def records_of_phone(con: sqlite3.Connection, msisdn: Msisdn) -> Iterator[Record]:
    """All that a phone ever had, oldest first."""
    return _records(con, f"{_RECORD} WHERE msisdn = ? ORDER BY id", (msisdn.digits,))


def records_of_number(con: sqlite3.Connection, customer_number: str) -> Iterator[Record]:
    """The pending and active subscriptions to a customer number, oldest first."""
    query = f"{_RECORD} WHERE customer_number = ? AND {LIVE} ORDER BY id"
    return _records(con, query, (customer_number,))


def records(con: sqlite3.Connection) -> Iterator[Record]:
    """All pending and active subscriptions, oldest first, read while they are asked for."""
    return _records(con, f"{_RECORD} WHERE {LIVE} ORDER BY id", ())


def _records(con: sqlite3.Connection, query: str, values: tuple[str, ...]) -> Iterator[Record]:
    for row in con.execute(query, values):
        yield Record(_subscription(row[:7]), bool(row[7]), row[8], row[9])


def counts(con: sqlite3.Connection) -> dict[SubscriptionState, int]:
    """How many subscriptions there are in each state; 0 where there are none."""
    found = dict(con.execute("SELECT state, count(*) FROM main.subscription GROUP BY state"))
    return {state: found.get(state, 0) for state in SubscriptionState}


# Pending subscriptions looked at in one transaction. With a confirmation each (50 µs) that
# comes to 25 ms under the write lock.
ACTIVATE_BATCH: Final = 500


class Activation(NamedTuple):
    """What `activate` did: how many became active, and whether their phones are told."""

    active: int
    told: int
    untold: int  # phones that wait for it, but over whose carrier nothing can go out
    last: int | None  # the id to go on after; None: that was all


def activate(
    con: sqlite3.Connection,
    after: int,
    rules: Rules,
    encodings: Mapping[str, Encoding],
    author: Author,
) -> Activation:
    """Make pending subscriptions active whose customer number the attached cache now knows.

    One transaction over the next ACTIVATE_BATCH pending ones with an id above `after`; call it
    with 0, then with each result's `last` until that is None. Phones that wait for it are told,
    in the same transaction, those whose carrier has an encoding. Repeating it changes nothing.
    """
    rows = con.execute(
        "SELECT id, msisdn, customer_number, carrier, script, notify,"
        f" EXISTS (SELECT 1 FROM {CACHE_SCHEMA}.customer"
        " WHERE number = CAST(customer_number AS INTEGER))"
        " FROM main.subscription WHERE state = 'pending' AND id > ? ORDER BY id LIMIT ?",
        (after, ACTIVATE_BATCH),
    ).fetchall()
    due = [row[:6] for row in rows if row[6]]
    last = rows[-1][0] if len(rows) == ACTIVATE_BATCH else None
    if not due:
        return Activation(0, 0, 0, last)
    now = author.now
    waiting = 0
    messages, changes = [], []
    with transaction(con):
        for id_, digits, number, carrier, script, notify in due:
            changed = con.execute(
                "UPDATE main.subscription SET state = 'active', activated_at = ?"
                " WHERE id = ? AND state = 'pending'",  # it may have ended since it was read
                (now, id_),
            ).rowcount
            if not changed:
                continue
            msisdn = Msisdn(digits)
            changes.append(Entry(Change.ACTIVATED, msisdn, number))
            waiting += notify
            if notify and carrier in encodings:
                messages.append(confirmation(msisdn, number, carrier, script, rules, now))
        audit.record(con, author, changes)
        enqueue(con, messages, encodings, now)
    return Activation(len(changes), len(messages), waiting - len(messages), last)


def activate_pending(
    con: sqlite3.Connection,
    rules: Rules,
    encodings: Mapping[str, Encoding],
    author: Author,
    pace: Pace,
) -> Activation:
    """Do `activate` to the end, for a command that has taken a feed."""
    with transaction(con):
        pass  # whoever decided on what the cache held before has written it by now
    active = told = untold = 0
    after: int | None = 0
    while after is not None:
        with pace.turn():
            batch = activate(con, after, rules, encodings, author)
        active, told, untold = active + batch.active, told + batch.told, untold + batch.untold
        after = batch.last
    return Activation(active, told, untold, None)


def confirmation(
    msisdn: Msisdn, customer_number: str, carrier: str, script: str, rules: Rules, now: float
) -> Mt:
    """The message that tells a phone of a subscription that is active."""
    reply = activated(customer_number, SCRIPTS[script], rules, carrier)
    return Mt(carrier, reply.kind, msisdn, reply.text, now)

"""Registrations that wait for a feed: each new one makes some of them active, and those that no
feed has known in time are rejected.
"""

import sqlite3
from collections.abc import Mapping
from typing import Final, NamedTuple

from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.decision import Rules, Told
from smsgw.service.message import CHANNELS, SCRIPTS, Channel, Encoding, Msisdn
from smsgw.service.registering import activated, further_phone, rejected
from smsgw.storage import audit, billing, subscriptions
from smsgw.storage.audit import Author, Change, Entry
from smsgw.storage.database import CACHE_SCHEMA, transaction
from smsgw.storage.messages import enqueue
from smsgw.storage.pace import Pace
from smsgw.storage.telling import tell

# Pending subscriptions looked at for one transaction, and messages after which it ends: a change
# and a message take 60 µs each, so that comes to 30 ms under the write lock, or 40 where a number
# has as many phones as are looked at.
BATCH: Final = 500
MESSAGES: Final = 250

_KNOWN: Final = f"""
EXISTS (SELECT 1 FROM {CACHE_SCHEMA}.customer WHERE number = CAST(customer_number AS INTEGER))
"""
# Where codes are required, a message's registration takes one of an invoice of the number.
_UNPROVEN: Final = f"channel = '{Channel.SMS}'"
_PROVEN: Final = f"""
(NOT {_UNPROVEN} OR EXISTS (
    SELECT 1 FROM {CACHE_SCHEMA}.bill WHERE bill.customer = CAST(customer_number AS INTEGER)
    AND bill.code = subscription.code AND bill.{billing.CODE_COUNTS}))
"""
_SELECT: Final = (
    "SELECT id, msisdn, customer_number, carrier, script, channel, requested_at, notify,"
    " {known} AS known, {proven} AS proven"
    " FROM main.subscription WHERE state = 'pending' AND id > ? ORDER BY id LIMIT ?"
)


class Outcome(NamedTuple):
    """What became of some pending registrations, and whether their phones are told."""

    changed: int
    told: int
    untold: int  # phones that wait for it, but over whose carrier nothing can go out
    last: int | None = None  # the id to go on after; None: that was all


class _Row(NamedTuple):
    id: int
    msisdn: str
    customer_number: str
    carrier: str | None
    script: str
    channel: str
    requested_at: float
    notify: bool
    known: bool  # the cache has the customer number
    proven: bool  # its invoices have the code that came with the request, or none is required

    @property
    def ready(self) -> bool:
        return self.known and self.proven

    def subscription(self, state: SubscriptionState) -> Subscription:
        return Subscription(
            Msisdn(self.msisdn),
            self.customer_number,
            state,
            self.carrier,
            SCRIPTS[self.script],
            CHANNELS[self.channel],
            self.requested_at,
        )


def _rows(con: sqlite3.Connection, cache: bool, after: int, rules: Rules) -> list[_Row]:
    """The next BATCH pending ones with an id above `after`."""
    proven = "1"
    if cache and rules.require_code:
        proven = _PROVEN if billing.has_code_column(con) else f"NOT {_UNPROVEN}"
    query = _SELECT.format(known=_KNOWN if cache else "0", proven=proven)
    return [_Row(*row) for row in con.execute(query, (after, BATCH))]


def activate(
    con: sqlite3.Connection,
    after: int,
    rules: Rules,
    encodings: Mapping[str, Encoding],
    author: Author,
) -> Outcome:
    """Make pending subscriptions active whose customer number the attached cache now knows, and
    whose code is one of its invoices' where the rules require that.

    One transaction over the next BATCH pending ones with an id above `after`, or fewer, if many
    phones are told; call it with 0, then with each result's `last` until that is None. Phones that
    wait for it are told, in the same transaction, those whose carrier has an encoding; so are the
    phones that the number has already. Repeating it changes nothing.
    """
    rows = _rows(con, True, after, rules)
    last = rows[-1].id if len(rows) == BATCH else None
    due = [row for row in rows if row.ready]
    if not due:
        return Outcome(0, 0, 0, last)
    others: list[Told] = []
    with transaction(con):
        changed: list[tuple[_Row, Subscription]] = []
        for row in due:
            if len(changed) + len(others) >= MESSAGES:
                last = changed[-1][0].id
                break
            subscription = row.subscription(SubscriptionState.ACTIVE)
            if _change(con, row, "active', code = NULL, activated_at = ?", author.now):
                changed.append((row, subscription))
                if not _imported(con, subscription):
                    others += others_told(con, subscription, rules)
        told = [
            Told(activated(row.customer_number, one.script, rules, one.carrier), one)
            for row, one in changed
            if row.notify
        ]
        done = _finish(con, Change.ACTIVATED, changed, told, encodings, rules, author)
        enqueue(con, tell(others, encodings, rules, author.now), encodings, author.now)
    return done._replace(last=last)


def activate_all(
    con: sqlite3.Connection,
    rules: Rules,
    encodings: Mapping[str, Encoding],
    author: Author,
    pace: Pace,
) -> Outcome:
    """Do `activate` to the end, for a command that has taken a feed."""
    with transaction(con):
        pass  # whoever decided on what the cache held before has written it by now
    active = told = untold = 0
    after: int | None = 0
    while after is not None:
        with pace.turn():
            batch = activate(con, after, rules, encodings, author)
        active, told, untold = active + batch.changed, told + batch.told, untold + batch.untold
        after = batch.last
    return Outcome(active, told, untold)


def reject(
    con: sqlite3.Connection,
    cache: bool,
    rules: Rules,
    encodings: Mapping[str, Encoding],
    author: Author,
) -> Outcome:
    """Reject registrations that have been pending for longer than the rules let them, and tell
    the phones that wait for it. One transaction over at most BATCH of them, the oldest first; call
    it again while `changed` is BATCH.

    `cache` says whether a billing cache is attached: what it knows, with the right code where
    one is required, is to be activated instead.
    """
    if not rules.activation_limit:
        return Outcome(0, 0, 0)
    due = []
    # Ids grow with the time of the request: behind the first that has time left are no others.
    # One of the future is of a time before the clock was set back, and says nothing.
    for row in _rows(con, cache, 0, rules):
        if author.now - rules.activation_limit < row.requested_at <= author.now:
            break
        if not row.ready and row.requested_at <= author.now:
            due.append(row)
    if not due:
        return Outcome(0, 0, 0)
    with transaction(con):
        changed = [
            (row, row.subscription(SubscriptionState.REJECTED))
            for row in due
            if _change(con, row, "rejected', code = NULL, ended_at = ?", author.now)
        ]
        told = [
            Told(
                rejected(row.customer_number, one.script, rules, one.carrier, known=row.known), one
            )
            for row, one in changed
            if row.notify
        ]
        return _finish(con, Change.REJECTED, changed, told, encodings, rules, author)


def _change(con: sqlite3.Connection, row: _Row, state: str, now: float) -> bool:
    """Give it another state, unless it has one since it was read."""
    return bool(
        con.execute(
            f"UPDATE main.subscription SET state = '{state} WHERE id = ? AND state = 'pending'",
            (now, row.id),
        ).rowcount
    )


def _imported(con: sqlite3.Connection, one: Subscription) -> bool:
    """Whether an import asked for it: a row may name the channel that it came by before that."""
    door = audit.asked_by(con, one.msisdn, one.customer_number)
    return Channel.IMPORT in (door, one.channel)


def _finish(
    con: sqlite3.Connection,
    change: Change,
    changed: list[tuple[_Row, Subscription]],
    told: list[Told],
    encodings: Mapping[str, Encoding],
    rules: Rules,
    author: Author,
) -> Outcome:
    audit.record(
        con, author, [Entry(change, one.msisdn, one.customer_number) for _, one in changed]
    )
    messages = tell(told, encodings, rules, author.now)
    enqueue(con, messages, encodings, author.now)
    return Outcome(len(changed), len(messages), len(told) - len(messages))


def others_told(con: sqlite3.Connection, new: Subscription, rules: Rules) -> list[Told]:
    """What the phones that a customer number has are told of a new one."""
    return [
        further_phone(new.msisdn, new.customer_number, other, rules)
        for other in subscriptions.of_others(con, new.customer_number, new.msisdn)
        if other.state is SubscriptionState.ACTIVE
    ]

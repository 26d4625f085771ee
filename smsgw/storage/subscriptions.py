"""Who is registered for what: the use-cases on the table `subscription`.

A phone has at most one live (pending or active) subscription to a customer number; ended ones
stay as they were. All functions work inside the caller's transaction, save `activate`, which is
one of its own. Each change goes into the audit, signed by its author.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.message import CHANNELS, SCRIPTS, Msisdn, Script
from smsgw.storage import audit
from smsgw.storage.audit import Author, Change, Entry

LIVE: Final = "state IN ('pending', 'active')"
_COLUMNS: Final = "msisdn, customer_number, state, carrier, script, channel, requested_at"
_READ: Final = f"{_COLUMNS}, suspect_at"
_STATES: Final = {str(state): state for state in SubscriptionState}


# Where the messages of the phone ?1 go by what is known of it already.
CARRIER_OF_PHONE: Final = (
    f"SELECT carrier FROM main.subscription WHERE msisdn = ?1 AND {LIVE}"
    " AND carrier IS NOT NULL AND suspect_at IS NULL ORDER BY id DESC LIMIT 1"
)

# What is planned goes over the new carrier: the old one may have no link any more.
_NOTICES_FOLLOW: Final = (
    "UPDATE main.notice INDEXED BY notice_phone SET carrier = ?, changed_at = ?"
    " WHERE msisdn = ? AND customer_number = ? AND state = 'planned'"
)


def of_phone(con: sqlite3.Connection, msisdn: Msisdn) -> tuple[Subscription, ...]:
    """The phone's pending and active subscriptions, oldest first."""
    rows = con.execute(
        f"SELECT {_READ} FROM main.subscription WHERE msisdn = ? AND {LIVE} ORDER BY id",
        (msisdn.digits,),
    ).fetchall()
    return tuple([_subscription(row) for row in rows])


def _subscription(
    row: tuple[str, str, str, str | None, str, str, float, float | None],
) -> Subscription:
    msisdn, number, state, carrier, script, channel, requested_at, suspect_at = row
    return Subscription(
        Msisdn(msisdn),
        number,
        _STATES[state],
        carrier,
        SCRIPTS[script],
        CHANNELS[channel],
        requested_at,
        suspect_at,
    )


# Other phones of a customer number that are looked at: more can only come by imports.
MOST_OTHERS: Final = 100


def of_others(
    con: sqlite3.Connection, customer_number: str, besides: Msisdn
) -> tuple[Subscription, ...]:
    """Other phones' pending and active subscriptions to a customer number, oldest first."""
    rows = con.execute(
        f"SELECT {_READ} FROM main.subscription"
        f" WHERE customer_number = ? AND msisdn <> ? AND {LIVE} ORDER BY id LIMIT ?",
        (customer_number, besides.digits, MOST_OTHERS),
    ).fetchall()
    return tuple([_subscription(row) for row in rows])


def subscribe(
    con: sqlite3.Connection,
    subscription: Subscription,
    notify: bool,
    author: Author,
    code: bytes | None = None,
) -> None:
    """Store a pending or active subscription, or make the phone's pending one active.

    `notify`: the phone is told when a pending one becomes active later. A live subscription of
    the same phone and number keeps all but its state; a pending one takes the digest of another
    `code`, to be held against a later feed, and `notify` if it hadn't.
    """
    msisdn, number = subscription.msisdn, subscription.customer_number
    if add(con, subscription, notify, author, code):
        return
    if subscription.state is SubscriptionState.PENDING:
        con.execute(
            "UPDATE main.subscription SET code = ifnull(?, code), notify = max(notify, ?)"
            " WHERE msisdn = ? AND customer_number = ? AND state = 'pending'",
            (code, notify, msisdn.digits, number),
        )
        return
    activated = con.execute(
        "UPDATE main.subscription SET state = 'active', activated_at = ?, code = NULL"
        " WHERE msisdn = ? AND customer_number = ? AND state = 'pending'",
        (subscription.requested_at, msisdn.digits, number),
    ).rowcount
    if activated:
        audit.record(con, author, [Entry(Change.ACTIVATED, msisdn, number)])


def add(
    con: sqlite3.Connection,
    subscription: Subscription,
    notify: bool,
    author: Author,
    code: bytes | None = None,
) -> bool:
    """Store a subscription unless the phone has a live one to that number; whether it was."""
    msisdn, number, state, carrier, script, channel, requested_at, _ = subscription
    active = state is SubscriptionState.ACTIVE
    added = con.execute(
        f"INSERT INTO main.subscription ({_COLUMNS}, notify, activated_at, code)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
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
            code,
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
        "SELECT carrier, script, suspect_at FROM main.subscription"
        f" WHERE msisdn = ? AND customer_number = ? AND {LIVE}",
        (msisdn.digits, customer_number),
    ).fetchone()
    changes = []
    if row is not None and carrier not in (None, row[0]):
        changes.append(Entry(Change.MOVED, msisdn, customer_number, carrier or ""))
        if row[2] is not None:
            changes.append(Entry(Change.CLEARED, msisdn, customer_number))
    if row is not None and script is not None and script.value != row[1]:
        changes.append(Entry(Change.SCRIPT, msisdn, customer_number, script.value))
    if changes:
        con.execute(
            "UPDATE main.subscription SET script = ifnull(?2, script),"
            " suspect_at = iif(carrier IS ifnull(?1, carrier), suspect_at, NULL),"
            " carrier = ifnull(?1, carrier)"
            f" WHERE msisdn = ?3 AND customer_number = ?4 AND {LIVE}",
            (carrier, script and script.value, msisdn.digits, customer_number),
        )
        audit.record(con, author, changes)
    return tuple([one.change for one in changes])


def end(
    con: sqlite3.Connection, msisdn: Msisdn, customer_number: str | None, author: Author
) -> int:
    """End the phone's subscription to a customer number, or to all (None); how many they were."""
    ended = con.execute(
        "UPDATE main.subscription SET state = 'ended', ended_at = ?, code = NULL"
        f" WHERE msisdn = ? AND customer_number = ifnull(?, customer_number) AND {LIVE}"
        " RETURNING customer_number",
        (author.now, msisdn.digits, customer_number),
    ).fetchall()
    audit.record(con, author, [Entry(Change.ENDED, msisdn, number) for (number,) in ended])
    return len(ended)


def move(con: sqlite3.Connection, msisdn: Msisdn, carrier: str, author: Author) -> int:
    """Take the phone's subscriptions to a carrier; how many were elsewhere.

    That it is the phone's own is not in doubt any more.
    """
    return _move(con, msisdn, carrier, "(carrier IS NOT ?1 OR suspect_at IS NOT NULL)", (), author)


def found(
    con: sqlite3.Connection,
    msisdn: Msisdn,
    tried: Collection[str],
    carrier: str,
    author: Author,
) -> int:
    """Take to a carrier what of the phone's subscriptions stands in doubt, with one of those that
    were tried before; how many these are."""
    places = ", ".join("?" * len(tried))
    doubtful = f"suspect_at IS NOT NULL AND carrier IN ({places})"
    return _move(con, msisdn, carrier, doubtful, tuple(tried), author)


def _move(
    con: sqlite3.Connection,
    msisdn: Msisdn,
    carrier: str,
    condition: str,
    values: tuple[str, ...],
    author: Author,
) -> int:
    rows = con.execute(
        "SELECT id, customer_number, carrier IS NOT ?1, suspect_at IS NOT NULL"
        f" FROM main.subscription WHERE msisdn = ?2 AND {LIVE} AND {condition} ORDER BY id",
        (carrier, msisdn.digits, *values),
    ).fetchall()
    con.executemany(
        "UPDATE main.subscription SET carrier = ?, suspect_at = NULL WHERE id = ?",
        [(carrier, row[0]) for row in rows],
    )
    con.executemany(
        _NOTICES_FOLLOW,
        [(carrier, author.now, msisdn.digits, number) for _, number, elsewhere, _ in rows
         if elsewhere],
    )  # fmt: skip
    entries = []
    for _, number, elsewhere, doubtful in rows:
        if elsewhere:
            entries.append(Entry(Change.MOVED, msisdn, number, carrier))
        if doubtful:
            entries.append(Entry(Change.CLEARED, msisdn, number))
    audit.record(con, author, entries)
    return sum(elsewhere for *_, elsewhere, _ in rows)


def suspect(
    con: sqlite3.Connection,
    msisdn: Msisdn,
    carrier: str,
    word: str,
    sent_at: float | None,
    author: Author,
) -> None:
    """Mark the phone's subscriptions with a carrier which says, by `word`, that it is not its own.

    Those that are marked keep the time of the first such word. What was moved there, or cleared of
    doubt, after the message that the word is on was sent (at `sent_at`) is not marked: who did
    that knew better.
    """
    marked = con.execute(
        "UPDATE main.subscription SET suspect_at = ?1"
        f" WHERE msisdn = ?2 AND carrier = ?3 AND suspect_at IS NULL AND {LIVE}"
        " AND NOT EXISTS (SELECT 1 FROM main.audit WHERE msisdn = ?2"
        "  AND audit.customer_number = subscription.customer_number"
        f"  AND change IN ('{Change.MOVED}', '{Change.CLEARED}') AND at > ?4)"
        " RETURNING customer_number",
        (author.now, msisdn.digits, carrier, sent_at),
    ).fetchall()
    said = f"{carrier}: {word}"
    audit.record(con, author, [Entry(Change.SUSPECT, msisdn, number, said) for (number,) in marked])


class Record(NamedTuple):
    """A subscription with its whole history, for those who look at it."""

    id: int
    subscription: Subscription
    notify: bool
    activated_at: float | None
    ended_at: float | None


def records_of_phone(con: sqlite3.Connection, msisdn: Msisdn) -> Iterator[Record]:
    """All that a phone ever had, oldest first."""
    return found_by(con, "msisdn = :msisdn ORDER BY id", {"msisdn": msisdn.digits})


def records_of_number(con: sqlite3.Connection, customer_number: str) -> Iterator[Record]:
    """The pending and active subscriptions to a customer number, oldest first."""
    where = f"customer_number = :number AND {LIVE} ORDER BY id"
    return found_by(con, where, {"number": customer_number})


def records(con: sqlite3.Connection, *, suspect: bool = False) -> Iterator[Record]:
    """All pending and active subscriptions, or those whose carrier is in doubt; oldest first, read
    while they are asked for."""
    which = f"{LIVE} AND suspect_at IS NOT NULL" if suspect else LIVE
    return found_by(con, f"{which} ORDER BY id", {})


def found_by(
    con: sqlite3.Connection, condition: str, values: Mapping[str, object]
) -> Iterator[Record]:
    """The subscriptions for which `condition` holds, SQL with its order and names of `values`."""
    for id_, *row, notify, activated_at, ended_at in con.execute(
        f"SELECT id, {_READ}, notify, activated_at, ended_at FROM main.subscription"
        f" WHERE {condition}",
        values,
    ):
        subscription = _subscription(tuple(row))
        yield Record(id_, subscription, bool(notify), activated_at, ended_at)


def counts(con: sqlite3.Connection) -> dict[SubscriptionState, int]:
    """How many subscriptions there are in each state; 0 where there are none."""
    found = dict(con.execute("SELECT state, count(*) FROM main.subscription GROUP BY state"))
    return {state: found.get(state, 0) for state in SubscriptionState}


def suspects(con: sqlite3.Connection) -> int:
    """How many pending and active subscriptions have a carrier that is in doubt."""
    (count,) = con.execute(
        f"SELECT count(*) FROM main.subscription WHERE suspect_at IS NOT NULL AND {LIVE}"
    ).fetchone()
    return int(count)

"""Phones whose carrier says that they are not its own: their registrations are marked, and their
messages tried over the other carriers, where that is wanted.

A message that looks for its phone's carrier has a row in `search` until it has ended.
"""

import sqlite3
from collections.abc import Sequence
from json import dumps, loads
from typing import Final

from smsgw.service.foreign import AWAITED, DISOWNED, Step, next_carrier, step
from smsgw.service.hours import next_open
from smsgw.service.message import BULK, MessageKind, Msisdn, Mt, MtState, SegmentKey
from smsgw.service.retry import valid_until, worth_sending
from smsgw.storage import subscriptions
from smsgw.storage.audit import DAEMON, Author
from smsgw.storage.erased import NOBODY
from smsgw.storage.messages import enqueue, last_id
from smsgw.storage.policy import Policy
from smsgw.storage.receipts import Found

_UNSENT: Final = f"'{MtState.QUEUED}', '{MtState.WAITING}'"
_GIVEN_BACK: Final = ", ".join(f"'{state}'" for state in sorted(DISOWNED))

# Searches for which something is queued, while nothing of their message was delivered, or may be.
_STRANDED: Final = f"""
SELECT search.mt_id, mt.carrier FROM search JOIN mt ON mt.id = search.mt_id
WHERE EXISTS (SELECT 1 FROM segment WHERE mt_id = mt.id AND state IN ({_UNSENT}))
AND NOT EXISTS (SELECT 1 FROM segment WHERE mt_id = mt.id
                AND (state IN ({_UNSENT}) AND lost > 0
                     OR state NOT IN ({_UNSENT}, {_GIVEN_BACK})))
ORDER BY search.mt_id
"""


def settle(con: sqlite3.Connection, found: Found, policy: Policy, now: float) -> list[Mt]:
    """Follow up what a transaction found out, inside that transaction. Returns the messages that
    were made again; they are queued, or wait for the hours of their kind."""
    author = Author(policy.keyed, DAEMON, now)
    for key, word in found.disowned.items():
        _disown(con, key, word, policy, author)
    if not found.ended or not _any(con):
        return []
    again = (_go_on(con, mt_id, policy, author) for mt_id in dict.fromkeys(found.ended))
    return [mt for mt in again if mt is not None]


def go_round(con: sqlite3.Connection, policy: Policy, now: float) -> list[Mt]:
    """Take searches on that stand at a carrier which is no longer enabled, inside the caller's
    transaction: what waits there can't go out. Returns the messages that were made again.

    A message is left to its carrier where any part of it may have reached the phone.
    """
    if not policy.find_carrier:
        return []
    author = Author(policy.keyed, DAEMON, now)
    stranded = [
        mt_id
        for mt_id, carrier in con.execute(_STRANDED).fetchall()
        if carrier not in policy.encodings
    ]
    con.executemany(
        f"UPDATE segment SET state = '{MtState.CANCELLED}', not_before = NULL, changed_at = ?"
        f" WHERE mt_id = ? AND state IN ({_UNSENT})",
        [(now, mt_id) for mt_id in stranded],
    )
    again = (_next(con, mt_id, policy, author) for mt_id in stranded)
    return [mt for mt in again if mt is not None]


def _next(con: sqlite3.Connection, mt_id: int, policy: Policy, author: Author) -> Mt | None:
    (tried,) = con.execute(
        "DELETE FROM search WHERE mt_id = ? RETURNING tried", (mt_id,)
    ).fetchone()
    mt = _read(con, mt_id)
    return _again(con, mt_id, mt, [*loads(tried), mt.carrier], policy, author.now)


def _disown(
    con: sqlite3.Connection, key: SegmentKey, word: str, policy: Policy, author: Author
) -> None:
    carrier, msisdn, sent_at = con.execute(
        "SELECT mt.carrier, msisdn, claimed_at FROM mt JOIN segment ON mt_id = id"
        " WHERE id = ? AND part = ?",
        key,
    ).fetchone()
    if msisdn == NOBODY:
        return
    subscriptions.suspect(con, Msisdn(msisdn), carrier, word, sent_at, author)
    if policy.find_carrier:
        con.execute(
            "INSERT INTO search (mt_id, tried, disowned) VALUES (?, '[]', 1)"
            " ON CONFLICT (mt_id) DO UPDATE SET disowned = 1",
            (key.mt,),
        )


def _any(con: sqlite3.Connection) -> bool:
    (there,) = con.execute("SELECT EXISTS (SELECT 1 FROM search)").fetchone()
    return bool(there)


def _go_on(con: sqlite3.Connection, mt_id: int, policy: Policy, author: Author) -> Mt | None:
    """Take a message's search a step further, if it has one."""
    row = con.execute("SELECT tried, disowned FROM search WHERE mt_id = ?", (mt_id,)).fetchone()
    if row is None:
        return None
    tried: list[str] = loads(row[0])
    states = [
        MtState(state)
        for (state,) in con.execute("SELECT state FROM segment WHERE mt_id = ?", (mt_id,))
    ]
    following = step(states, repeated=bool(tried), disowned=bool(row[1]))
    if following is Step.WAIT:
        return None
    con.execute("DELETE FROM search WHERE mt_id = ?", (mt_id,))
    mt = _read(con, mt_id)
    if following is Step.FOUND:
        subscriptions.found(con, mt.destination, tried, mt.carrier, author)
    elif following is Step.NEXT and policy.find_carrier:
        return _again(con, mt_id, mt, [*tried, mt.carrier], policy, author.now)
    return None


def _read(con: sqlite3.Connection, mt_id: int) -> Mt:
    carrier, kind, msisdn, text, created_at, mo_id, until = con.execute(
        "SELECT carrier, kind, msisdn, text, created_at, mo_id, valid_until FROM mt WHERE id = ?",
        (mt_id,),
    ).fetchone()
    return Mt(carrier, MessageKind(kind), Msisdn(msisdn), text, created_at, mo_id, until)


def _again(
    con: sqlite3.Connection,
    mt_id: int,
    mt: Mt,
    tried: Sequence[str],
    policy: Policy,
    now: float,
) -> Mt | None:
    """Make a message over the next carrier, if there is one and it is still worth sending."""
    carrier = next_carrier(tried, policy.encodings)
    rules = policy.rules
    # Bulk is held to the hours of notices, when its turn comes.
    at_once = mt.kind in AWAITED or mt.kind in BULK
    opens = None if at_once else next_open(now, rules.hours, rules.timezone)
    until = valid_until(mt.kind, mt.created_at, mt.valid_until)
    if carrier is None or not worth_sending(until, now if opens is None else opens):
        return None
    repeat = mt._replace(carrier=carrier, not_before=opens, found_from=mt_id)
    enqueue(con, [repeat], policy.encodings, now)
    con.execute(
        "INSERT INTO search (mt_id, tried, disowned) VALUES (?, ?, 0)",
        (last_id(con, "mt"), dumps(tried)),
    )
    return repeat

"""Messages that nobody waits for when their turn comes: they may be late, or no longer wanted."""

import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

from smsgw.service.hours import overdue
from smsgw.service.message import MessageKind, MtState, Segment
from smsgw.storage import stops
from smsgw.storage.policy import Policy

# Kinds that may have been put off to the next opening when they were made.
KINDS: Final = frozenset({MessageKind.CONFIRMATION})

_BEGUN: Final = (
    "SELECT EXISTS (SELECT 1 FROM segment WHERE mt_id = ?"
    f" AND state NOT IN ('{MtState.QUEUED}', '{MtState.WAITING}', '{MtState.CANCELLED}'))"
)


class Looked(NamedTuple):
    """What is left of some queued segments, and how many were taken out."""

    going: list[Segment]
    put_off: int = 0  # to the next opening
    cancelled: int = 0  # the phone has said stop since


def look_at(con: sqlite3.Connection, queued: list[Segment], now: float, policy: Policy) -> Looked:
    """Let those of `queued` wait that should have gone out inside the hours, and are late: their
    link was down, say. Cancel those to a phone that said stop after they were made: that it is
    registered is no longer true. A part follows another that is out.
    """
    unawaited = [
        one
        for one in queued
        if one.kind in KINDS and not con.execute(_BEGUN, (one.key.mt,)).fetchone()[0]
    ]
    if not unawaited:
        return Looked(queued)
    cancelled = [one for one in unawaited if _stopped(con, one, policy)]
    _set(con, cancelled, MtState.CANCELLED, [None] * len(cancelled), now)
    hours, timezone = policy.rules.hours, policy.rules.timezone
    late = {
        one: opens
        for one in unawaited
        if one not in cancelled
        and (opens := overdue(one.created_at, now, hours, timezone)) is not None
    }
    _set(con, [*late], MtState.WAITING, [*late.values()], now)
    out = {one.key for one in (*cancelled, *late)}
    return Looked([one for one in queued if one.key not in out], len(late), len(cancelled))


def _stopped(con: sqlite3.Connection, one: Segment, policy: Policy) -> bool:
    since = stops.since(con, policy.keyed, one.destination)
    return since is not None and since >= one.created_at


def _set(
    con: sqlite3.Connection,
    segments: Sequence[Segment],
    state: MtState,
    not_before: Sequence[float | None],
    now: float,
) -> None:
    con.executemany(
        "UPDATE segment SET state = ?, not_before = ?, changed_at = ? WHERE mt_id = ? AND part = ?",
        [(state, at, now, *one.key) for one, at in zip(segments, not_before, strict=True)],
    )

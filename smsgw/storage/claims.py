"""Storing what goes out: a segment is on disk as claimed before its first octet leaves."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from smsgw.service.message import (
    Layout,
    MessageKind,
    Msisdn,
    Mt,
    MtState,
    Segment,
    SegmentKey,
)
from smsgw.service.retry import (
    LONGEST_WAIT,
    Losses,
    after_wait,
    too_late,
    valid_until,
    worth_sending,
)
from smsgw.storage.erased import NOBODY
from smsgw.storage.messages import cut, insert_segments
from smsgw.storage.policy import Policy
from smsgw.storage.unawaited import look_at

# The state stands in the SQL as a literal: only then is the partial index used.
_QUEUED: Final = f"""
SELECT segment.mt_id, part, segment.kind, msisdn, octets, data_coding, layout, attempts, created_at,
       lost, reference, total, valid_until, bare
FROM segment JOIN mt ON mt.id = segment.mt_id
WHERE state = '{MtState.QUEUED}' AND segment.carrier = ? AND segment.kind"""
_IN_ORDER: Final = "ORDER BY segment.kind, segment.mt_id, part LIMIT ?"

SELECT_QUEUED: Final = f"{_QUEUED} < {int(MessageKind.NOTICE)} {_IN_ORDER}"
SELECT_BULK: Final = f"{_QUEUED} >= {int(MessageKind.NOTICE)} {_IN_ORDER}"

# Segments that one transaction wakes at most: 15 ms. All that were made for the next opening are
# due at once, and answers must not wait for them.
WOKEN_AT_ONCE: Final = 1000


class Claims(NamedTuple):
    """What a transaction claimed."""

    segments: Sequence[Segment]
    backlog: Collection[str]
    final: Counter[tuple[str, MtState]]  # queued segments no longer worth sending, by carrier
    due: Collection[str]  # carriers of segments whose wait was over, of whatever kind


def claim(
    con: sqlite3.Connection,
    new: Sequence[Mt],
    free: Mapping[str, int],
    policy: Policy,
    now: float,
) -> Claims:
    """Store new messages, and claim what goes next: of what was queued and what is new, the most
    urgent and oldest, as many segments of a carrier as `free` has places for it. Bulk is left to
    `bulk.claim`; none is new.

    What is claimed at once is written once. Queued segments that are no longer worth sending
    are expired instead; those that nobody waits for are looked at once more.
    """
    fresh = cut(con, new, policy.encodings)
    claimed: list[Segment] = []
    final: Counter[tuple[str, MtState]] = Counter()
    due = _wake(con, now) | _end_waits(con, now, policy.losses)
    backlog = (due | fresh.keys()) - free.keys()
    for carrier, places in free.items():
        queued, stale = read_queued(con, SELECT_QUEUED, carrier, places + 1, now)
        looked = look_at(con, queued, now, policy)
        queued, ended = looked.going, [*stale, *[MtState.CANCELLED] * looked.cancelled]
        final.update((carrier, state) for state in ended)
        candidates = [*queued, *fresh.get(carrier, ())]
        if queued:  # what is new is in order by itself
            candidates.sort(key=lambda one: (one.kind, one.key))
        chosen = candidates[:places]
        if max(len(candidates), len(queued) + len(ended) + looked.put_off) > places:
            backlog.add(carrier)
        claimed += chosen
        waited = {one.key for one in queued}
        mark_claimed(con, [one for one in chosen if one.key in waited], now)
    insert_segments(con, fresh, {one.key for one in claimed}, now)
    return Claims(claimed, backlog, final, due)


def mark_claimed(con: sqlite3.Connection, queued: Iterable[Segment], now: float) -> None:
    con.executemany(
        f"UPDATE segment SET state = '{MtState.CLAIMED}', claimed_at = ?1, changed_at = ?1"
        " WHERE mt_id = ?2 AND part = ?3",
        [(now, *one.key) for one in queued],
    )


def read_queued(
    con: sqlite3.Connection, select: str, carrier: str, limit: int, now: float
) -> tuple[list[Segment], list[MtState]]:
    """The next segments in a carrier's queue, by one of the queries above, and what became of
    those that are too old, or whose phone was erased."""
    found: list[Segment] = []
    stale: list[Segment] = []
    for row in con.execute(select, (carrier, limit)):
        mt_id, part, kind, msisdn, octets, data_coding, layout, attempts, created_at = row[:9]
        lost, reference, total, until, bare = row[9:]
        one = Segment(
            SegmentKey(mt_id, part),
            carrier,
            MessageKind(kind),
            Msisdn(msisdn),
            octets,
            data_coding,
            Layout(layout),
            attempts,
            created_at,
            lost,
            reference,
            total,
            valid_until(MessageKind(kind), created_at, until),
            bool(bare),
        )
        goes = msisdn != NOBODY and worth_sending(one.valid_until, now)
        (found if goes else stale).append(one)
    return found, expire(con, [(one.key, one.lost) for one in stale], now)


def expire(
    con: sqlite3.Connection, stale: Sequence[tuple[SegmentKey, int]], now: float
) -> list[MtState]:
    """End queued segments that are no longer worth sending, each with how many submits of it were
    lost; return what became of each."""
    states = [too_late(lost) for _, lost in stale]
    con.executemany(
        "UPDATE segment SET state = ?, changed_at = ? WHERE mt_id = ? AND part = ?",
        [(state, now, *key) for state, (key, _) in zip(states, stale, strict=True)],
    )
    return states


def _due(columns: str, state: MtState) -> str:
    """A query for segments that have waited until the one moment, or would beyond the other.

    Two of them, as one with OR would look at all that wait.
    """
    select = f"SELECT {columns} FROM segment WHERE state = '{state}' AND not_before"
    return f"{select} <= ? UNION ALL {select} > ?"


def _wake(con: sqlite3.Connection, now: float) -> set[str]:
    """Queue waiting segments whose time has come, as many as are woken at once, and name their
    carriers.

    One that waits longer than any does is of a time before the clock was set back.
    """
    due = con.execute(
        _due("mt_id, part, carrier", MtState.WAITING) + " LIMIT ?",
        (now, now + LONGEST_WAIT, WOKEN_AT_ONCE),
    ).fetchall()
    con.executemany(
        f"UPDATE segment SET state = '{MtState.QUEUED}', not_before = NULL, changed_at = ?"
        " WHERE mt_id = ? AND part = ?",
        [(now, mt_id, part) for mt_id, part, _ in due],
    )
    return {carrier for *_, carrier in due}


def _end_waits(con: sqlite3.Connection, now: float, losses: Losses) -> set[str]:
    """Queue once more, or hold, what waited for a receipt; name the carriers of what is queued."""
    queued = set()
    for mt_id, part, carrier, kind, lost in con.execute(
        _due("mt_id, part, carrier, kind, lost", MtState.UNKNOWN),
        (now, now + losses.wait),
    ).fetchall():
        state = after_wait(MessageKind(kind), lost, losses)
        con.execute(
            "UPDATE segment SET state = ?, not_before = NULL WHERE mt_id = ? AND part = ?",
            (state, mt_id, part),
        )
        if state is MtState.QUEUED:
            queued.add(carrier)
    return queued


def wake_at(con: sqlite3.Connection) -> float | None:
    """When the next wait of a segment ends."""
    ends = [
        at
        for state in (MtState.WAITING, MtState.UNKNOWN)
        for (at,) in con.execute(f"SELECT min(not_before) FROM segment WHERE state = '{state}'")
        if at is not None
    ]
    return min(ends, default=None)

"""What is done once an hour: end what waits in vain, drop what nothing refers to any more. A step
at a time, each a short transaction, for answers wait for it."""

import sqlite3
from collections import Counter
from typing import Final, NamedTuple

from smsgw.service.message import FINAL, MtState, SegmentKey
from smsgw.service.retry import SENT_ONCE_MORE, VALIDITY, too_late
from smsgw.storage.database import transaction

LOOKED_AT: Final = 500  # segments, and receipts, in one step: 10 ms where all of them end

PARKED_FOR: Final = 6 * 3600.0  # seconds: receipts come minutes to hours early at most
PARKED: Final = 100_000  # receipts; past it the oldest are given up
ORPHANS: Final = 10_000  # receipts kept for a look; past it the oldest are dropped
ENDED_FOR: Final = 7 * 24 * 3600.0  # seconds: longer than any window for duplicates

# Seconds past its validity for which the receipt of a message may come: carriers' clocks differ,
# and a handset that was off gets it late.
MARGIN: Final = 24 * 3600.0

# Seconds for which a submit without an id can be taken for another's: as long as receipts come.
UNNAMED_FOR: Final = max(VALIDITY.values()) + MARGIN

_LIVE: Final = (MtState.QUEUED, MtState.UNKNOWN, MtState.ACCEPTED)
_VALID_UNTIL: Final = (
    "(SELECT coalesce(valid_until, created_at + CASE mt.kind "
    + " ".join(f"WHEN {kind:d} THEN {seconds}" for kind, seconds in VALIDITY.items())
    + " END) FROM mt WHERE mt.id = mt_id)"
)
SELECT_NEXT: Final = f"""
SELECT mt_id, part, carrier, kind, state, lost, not_before IS NULL,
       CASE WHEN state IN ({", ".join(f"'{state}'" for state in _LIVE)}) THEN {_VALID_UNTIL} END
FROM segment WHERE (mt_id, part) > (?, ?) ORDER BY mt_id, part LIMIT ?
"""

_FINAL: Final = ", ".join(f"'{state}'" for state in sorted(FINAL))

START: Final = SegmentKey(0, 0)


class Tidied(NamedTuple):
    """What a step ended, by carrier."""

    orphans: Counter[str]
    final: Counter[tuple[str, MtState]]
    after: SegmentKey | None  # where the next step goes on; None: that was all


def tidy(con: sqlite3.Connection, now: float, after: SegmentKey = START) -> Tidied:
    """Give up receipts whose message never came; end segments of which nothing more will be
    learned, and those that wait for a carrier that is gone, say."""
    with transaction(con):
        orphans = _give_up(con, now)
        final, last = _end(con, after, now)
        more = last is not None or orphans.total() >= LOOKED_AT
        if not more:
            more = _drop(con, now) >= LOOKED_AT
    return Tidied(orphans, final, (last or after) if more else None)


def _end(
    con: sqlite3.Connection, after: SegmentKey, now: float
) -> tuple[Counter[tuple[str, MtState]], SegmentKey | None]:
    """End those of the next segments whose time has passed; and which was the last of them, if
    there are more."""
    rows = con.execute(SELECT_NEXT, (*after, LOOKED_AT)).fetchall()
    ended = []
    final = Counter[tuple[str, MtState]]()
    for mt_id, part, carrier, *fate in rows:
        if (state := _state_after(now, *fate)) is not None:
            ended.append((state, now, mt_id, part))
            final[carrier, state] += 1
    con.executemany(
        "UPDATE segment SET state = ?, not_before = NULL, changed_at = ?"
        " WHERE mt_id = ? AND part = ?",
        ended,
    )
    return final, SegmentKey(*rows[-1][:2]) if len(rows) == LOOKED_AT else None


def _state_after(
    now: float, kind: int, state: str, lost: int, held: bool, valid_until: float | None
) -> MtState | None:
    """What becomes of a segment now; None: it stays as it is."""
    if valid_until is None or valid_until >= now:
        return None
    if state == MtState.QUEUED:
        return too_late(lost)
    if state == MtState.UNKNOWN:
        # Lost twice, and sent a third time by nobody: held only while a receipt may still come.
        return MtState.UNCONFIRMED if held and kind in SENT_ONCE_MORE else None
    return MtState.UNCONFIRMED if valid_until < now - MARGIN else None


def _drop(con: sqlite3.Connection, now: float) -> int:
    """Drop what nothing refers to any more; how many submits without an id these were."""
    con.execute("DELETE FROM session_end WHERE ended_at < ?", (now - ENDED_FOR,))
    con.execute(
        "DELETE FROM search WHERE NOT EXISTS (SELECT 1 FROM segment"
        f" WHERE segment.mt_id = search.mt_id AND state NOT IN ({_FINAL}))"
    )
    return con.execute(
        # As long as one of a handset's is unknown, a receipt may be for any of them.
        "DELETE FROM unnamed_submit WHERE (carrier, msisdn, mt_id, part, attempt) IN ("
        " SELECT carrier, msisdn, mt_id, part, attempt FROM unnamed_submit"
        " WHERE claimed_at < ? AND NOT EXISTS (SELECT 1"
        "  FROM unnamed_submit AS other JOIN segment USING (mt_id, part)"
        "  WHERE other.carrier = unnamed_submit.carrier"
        f"  AND other.msisdn = unnamed_submit.msisdn AND state = '{MtState.UNKNOWN}')"
        " LIMIT ?)",
        (now - UNNAMED_FOR, LOOKED_AT),
    ).rowcount


def _give_up(con: sqlite3.Connection, now: float) -> Counter[str]:
    """Move the next receipts that were parked for long enough, or are too many, to where they can
    be seen."""
    newest = con.execute(
        "SELECT received_at FROM parked_receipt ORDER BY received_at DESC LIMIT 1 OFFSET ?",
        (PARKED,),
    ).fetchone()
    until = max(now - PARKED_FOR, -1.0 if newest is None else newest[0])
    last = con.execute(
        "SELECT received_at FROM parked_receipt ORDER BY received_at LIMIT 1 OFFSET ?",
        (LOOKED_AT - 1,),
    ).fetchone()
    if last is not None:
        until = min(until, last[0])
    con.execute(
        "INSERT INTO orphan_receipt (carrier, message_id, msisdn, state, error, done_date,"
        " received_at, given_up_at) SELECT carrier, message_id, msisdn, state, error, done_date,"
        " received_at, ? FROM parked_receipt WHERE received_at <= ? ORDER BY received_at",
        (now, until),
    )
    orphans = con.execute(
        "DELETE FROM parked_receipt WHERE received_at <= ? RETURNING carrier", (until,)
    ).fetchall()
    con.execute(
        "DELETE FROM orphan_receipt WHERE id <= (SELECT max(id) FROM orphan_receipt) - ?",
        (ORPHANS,),
    )
    return Counter(carrier for (carrier,) in orphans)

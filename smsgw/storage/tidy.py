"""What is done once an hour: end what waits in vain, drop what nothing refers to any more."""

import sqlite3
from collections import Counter
from typing import Final, NamedTuple

from smsgw.service.message import FINAL, MtState
from smsgw.service.retry import SENT_ONCE_MORE, VALIDITY, too_late
from smsgw.storage.database import transaction

PARKED_FOR: Final = 6 * 3600.0  # seconds: receipts come minutes to hours early at most
PARKED: Final = 100_000  # receipts; past it the oldest are given up
ORPHANS: Final = 10_000  # receipts kept for a look; past it the oldest are dropped
ENDED_FOR: Final = 7 * 24 * 3600.0  # seconds: longer than any window for duplicates

# Seconds past its validity for which the receipt of a message may come: carriers' clocks differ,
# and a handset that was off gets it late.
MARGIN: Final = 24 * 3600.0

# Seconds for which a submit without an id can be taken for another's: as long as receipts come.
UNNAMED_FOR: Final = max(VALIDITY.values()) + MARGIN

VALID_UNTIL: Final = (
    "(SELECT coalesce(valid_until, created_at + CASE mt.kind "
    + " ".join(f"WHEN {kind:d} THEN {seconds}" for kind, seconds in VALIDITY.items())
    + " END) FROM mt WHERE mt.id = mt_id)"
)

# Lost twice, and sent a third time by nobody: held only while a receipt may still come.
HELD_ANSWERS: Final = (
    f"not_before IS NULL AND kind IN ({', '.join(f'{kind:d}' for kind in sorted(SENT_ONCE_MORE))})"
)

_FINAL: Final = ", ".join(f"'{state}'" for state in sorted(FINAL))


class Tidied(NamedTuple):
    """What was ended, by carrier."""

    orphans: Counter[str]
    final: Counter[tuple[str, MtState]]


def tidy(con: sqlite3.Connection, now: float) -> Tidied:
    """Give up receipts whose message never came; end segments of which nothing more will be
    learned, and those that wait for a carrier that is gone, say."""
    with transaction(con):
        orphans = _give_up(con, now)
        final = (
            _end(con, MtState.QUEUED, "lost = 0", too_late(0), now, now)
            + _end(con, MtState.QUEUED, "lost > 0", too_late(1), now, now)
            + _end(con, MtState.UNKNOWN, HELD_ANSWERS, MtState.UNCONFIRMED, now, now)
            + _end(
                con,
                MtState.ACCEPTED,
                _older(con, now - MARGIN),
                MtState.UNCONFIRMED,
                now,
                now - MARGIN,
            )
        )
        con.execute("DELETE FROM session_end WHERE ended_at < ?", (now - ENDED_FOR,))
        con.execute(
            # As long as one of a handset's is unknown, a receipt may be for any of them.
            "DELETE FROM unnamed_submit WHERE claimed_at < ? AND NOT EXISTS (SELECT 1"
            " FROM unnamed_submit AS other JOIN segment USING (mt_id, part)"
            " WHERE other.carrier = unnamed_submit.carrier"
            f" AND other.msisdn = unnamed_submit.msisdn AND state = '{MtState.UNKNOWN}')",
            (now - UNNAMED_FOR,),
        )
        con.execute(
            "DELETE FROM search WHERE NOT EXISTS (SELECT 1 FROM segment"
            f" WHERE segment.mt_id = search.mt_id AND state NOT IN ({_FINAL}))"
        )
    return Tidied(orphans, final)


def _end(
    con: sqlite3.Connection,
    state: MtState,
    condition: str,
    after: MtState,
    now: float,
    before: float,
) -> Counter[tuple[str, MtState]]:
    """End the segments of a state whose validity ended before `before`."""
    ended = con.execute(
        f"UPDATE segment SET state = ?, not_before = NULL, changed_at = ?"
        f" WHERE state = '{state}' AND {condition} AND {VALID_UNTIL} < ? RETURNING carrier",
        (after, now, before),
    ).fetchall()
    return Counter((carrier, after) for (carrier,) in ended)


def _older(con: sqlite3.Connection, than: float) -> str:
    """A condition that spares looking at the validity of what is too young to have ended then.

    Messages are made in the order of their ids, or nearly: the next hour sees to the rest.
    """
    row = con.execute(
        "SELECT id FROM mt WHERE created_at < ? ORDER BY id DESC LIMIT 1", (than,)
    ).fetchone()
    return f"mt_id <= {0 if row is None else int(row[0])}"


def _give_up(con: sqlite3.Connection, now: float) -> Counter[str]:
    """Move receipts that were parked for long enough, or too many, to where they can be seen."""
    row = con.execute(
        "SELECT received_at FROM parked_receipt ORDER BY received_at DESC LIMIT 1 OFFSET ?",
        (PARKED,),
    ).fetchone()
    until = max(now - PARKED_FOR, -1.0 if row is None else row[0])
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

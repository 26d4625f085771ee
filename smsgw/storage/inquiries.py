"""Segments that a carrier accepted and whose receipt doesn't come: which to ask about, and when."""

import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

from smsgw.service.message import Inquiry, MessageKind, Msisdn, MtState, SegmentKey
from smsgw.storage.database import transaction

MOST_ASKED: Final = 3  # times a segment
PAUSE_FACTOR: Final = 4  # each pause is so many times the one before it

# Rows looked at in one hop to the database: some 10 ms.
SLICE: Final = 2000

# The partial index on accepted segments holds no others, in this order; for it to be used the
# state stands in the SQL as a literal.
SELECT_ACCEPTED: Final = f"""
SELECT message_id, mt_id, part, kind, response_id, asked, coalesce(asked_at, changed_at)
FROM segment
WHERE state = '{MtState.ACCEPTED}' AND carrier = ? AND (message_id, mt_id, part) > (?, ?, ?)
ORDER BY message_id, mt_id, part
LIMIT ?
"""

Place = tuple[str, int, int]  # a message id, an mt and a part of it

START: Final[Place] = ("", 0, 0)


class Due(NamedTuple):
    """What to ask a carrier now, as far as one slice of its accepted segments goes."""

    inquiries: Sequence[Inquiry]
    last: Place | None  # where the slice ended; None: with the last of them


def due(
    con: sqlite3.Connection,
    carrier: str,
    query_after: float,
    now: float,
    limit: int,
    after: Place = START,
) -> Due:
    """At most `limit` segments from `after` on that have an id, no final receipt, and were last
    heard of or asked about long enough ago: `query_after` seconds, then 4 and 16 times that.
    """
    found: list[Inquiry] = []
    rows = con.execute(SELECT_ACCEPTED, (carrier, *after, SLICE)).fetchall()
    last: Place | None = None
    for message_id, mt_id, part, kind, response_id, asked, since in rows:
        last = (message_id, mt_id, part)
        if asked < MOST_ASKED and since + query_after * PAUSE_FACTOR**asked <= now:
            (msisdn,) = con.execute("SELECT msisdn FROM mt WHERE id = ?", (mt_id,)).fetchone()
            found.append(
                Inquiry(
                    SegmentKey(mt_id, part),
                    carrier,
                    MessageKind(kind),
                    Msisdn(msisdn),
                    message_id,
                    response_id or message_id,
                )
            )
            if len(found) == limit:
                return Due(found, last)
    return Due(found, last if len(rows) == SLICE else None)


def note(con: sqlite3.Connection, asked: Sequence[Inquiry], now: float) -> None:
    """Count that the carriers were asked about these."""
    with transaction(con):
        con.executemany(
            "UPDATE segment SET asked = asked + 1, asked_at = ? WHERE mt_id = ? AND part = ?",
            [(now, *one.key) for one in asked],
        )

"""Writing outgoing messages: each Mt is cut into its segments in the transaction that makes it."""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Final
from zlib import crc32

from smsgw.service.layout import lay_out
from smsgw.service.message import Encoding, Msisdn, Mt, MtState, Segment, SegmentKey
from smsgw.service.retry import valid_until

INSERT_MT: Final = """
INSERT INTO mt (id, mo_id, kind, carrier, msisdn, text, data_coding, created_at, layout, reference,
                valid_until, found_from)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

INSERT_SEGMENT: Final = """
INSERT INTO segment (mt_id, part, total, carrier, kind, octets, state, claimed_at, not_before,
                     changed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

# Messages to two phones of one bucket share a count, which does no harm. So many make a table of a
# few pages, however many phones there are, that says nothing of them.
BUCKETS: Final = 1024
NEXT_REFERENCE: Final = """
INSERT INTO reference (bucket, last) VALUES (?, 1)
ON CONFLICT (bucket) DO UPDATE SET last = (last + 1) & 65535
RETURNING last
"""

ByCarrier = Mapping[str, Sequence[Segment]]


def last_id(con: sqlite3.Connection, table: str) -> int:
    """The highest id that `table` ever gave."""
    row = con.execute("SELECT seq FROM main.sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return 0 if row is None else int(row[0])


def enqueue(
    con: sqlite3.Connection, messages: Sequence[Mt], encodings: Mapping[str, Encoding], now: float
) -> None:
    """Store messages as queued, or as waiting for their time, inside the caller's transaction.

    For whoever has no window to claim places in: commands and imports. The running daemon
    finds them within a second.
    """
    for not_before, group in groupby(messages, attrgetter("not_before")):
        insert_segments(con, cut(con, list(group), encodings), (), now, not_before)


def cut(con: sqlite3.Connection, new: Sequence[Mt], encodings: Mapping[str, Encoding]) -> ByCarrier:
    """Store messages and return their segments, which aren't stored yet, by carrier."""
    rows = []
    segments: dict[str, list[Segment]] = defaultdict(list)
    for mt_id, mt in enumerate(new, start=last_id(con, "mt") + 1 if new else 0):
        encoding = encodings.get(mt.carrier, Encoding())
        text = lay_out(mt.text, encoding, partial(_next_reference, con, mt.destination))
        rows.append(
            (mt_id, mt.mo, mt.kind, mt.carrier, mt.destination.digits, mt.text, text.data_coding,
             mt.created_at, text.layout, text.reference, mt.valid_until, mt.found_from)
        )  # fmt: skip
        segments[mt.carrier] += [
            Segment(
                SegmentKey(mt_id, part),
                mt.carrier,
                mt.kind,
                mt.destination,
                octets,
                text.data_coding,
                text.layout,
                attempts=0,
                created_at=mt.created_at,
                reference=text.reference,
                total=len(text.segments),
                valid_until=valid_until(mt.kind, mt.created_at, mt.valid_until),
            )
            for part, octets in enumerate(text.segments, start=1)
        ]
    con.executemany(INSERT_MT, rows)
    return segments


def _next_reference(con: sqlite3.Connection, destination: Msisdn) -> int:
    """Of 16 bits; the 65,536th after it is the same again, and its low octet after 256."""
    bucket = crc32(destination.digits.encode()) % BUCKETS
    (reference,) = con.execute(NEXT_REFERENCE, (bucket,)).fetchone()
    return int(reference)


def insert_segments(
    con: sqlite3.Connection,
    segments: ByCarrier,
    claimed: Collection[SegmentKey],
    now: float,
    not_before: float | None = None,
) -> None:
    """Store new segments: those of `claimed` as claimed, all others as queued, or as waiting."""
    otherwise = MtState.QUEUED if not_before is None else MtState.WAITING
    claimed_now = (MtState.CLAIMED.value, now, None, now)
    unclaimed = (otherwise.value, None, not_before, now)
    con.executemany(
        INSERT_SEGMENT,
        [
            (*one.key, one.total, carrier, one.kind, one.octets,
             *(claimed_now if one.key in claimed else unclaimed))
            for carrier, group in segments.items() for one in group
        ],
    )  # fmt: skip

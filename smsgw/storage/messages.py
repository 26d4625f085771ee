"""Writing outgoing messages: each Mt is cut into its segments in the transaction that makes it."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from smsgw.service.message import Encoding, Layout, Mt, MtState, Segment, SegmentKey
from smsgw.text.segmentation import segment

INSERT_MT: Final = """
INSERT INTO mt (id, mo_id, kind, carrier, msisdn, text, data_coding, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""

INSERT_SEGMENT: Final = """
INSERT INTO segment (mt_id, part, total, carrier, kind, octets, state, changed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""

ByCarrier = Mapping[str, Sequence[Segment]]


def last_id(con: sqlite3.Connection, table: str) -> int:
    """The highest id that `table` ever gave."""
    row = con.execute("SELECT seq FROM main.sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return 0 if row is None else int(row[0])


def enqueue(
    con: sqlite3.Connection, messages: Sequence[Mt], encodings: Mapping[str, Encoding], now: float
) -> None:
    """Store messages as queued, inside the caller's transaction.

    For whoever has no window to claim places in: commands and imports. The running daemon
    finds them within a second.
    """
    insert_segments(con, cut(con, messages, encodings), (), now)


def cut(con: sqlite3.Connection, new: Sequence[Mt], encodings: Mapping[str, Encoding]) -> ByCarrier:
    """Store messages and return their segments, which aren't stored yet, by carrier."""
    rows = []
    segments: dict[str, list[Segment]] = defaultdict(list)
    for mt_id, mt in enumerate(new, start=last_id(con, "mt") + 1 if new else 0):
        encoding = encodings.get(mt.carrier, Encoding())
        text = segment(mt.text, mt_id & 0xFF, default_alphabet=encoding.default_alphabet)
        rows.append(
            (mt_id, mt.mo, mt.kind, mt.carrier, mt.destination.digits, mt.text, text.data_coding,
             mt.created_at)
        )  # fmt: skip
        segments[mt.carrier] += [
            Segment(
                SegmentKey(mt_id, part),
                mt.carrier,
                mt.kind,
                mt.destination,
                octets,
                text.data_coding,
                layout=Layout.UDH if len(text.parts) > 1 else Layout.PLAIN,
                attempts=0,
                created_at=mt.created_at,
            )
            for part, octets in enumerate(text.parts, start=1)
        ]
    con.executemany(INSERT_MT, rows)
    return segments


def insert_segments(
    con: sqlite3.Connection, segments: ByCarrier, claimed: Collection[SegmentKey], now: float
) -> None:
    """Store new segments: those of `claimed` as claimed, all others as queued."""
    totals = Counter(one.key.mt for group in segments.values() for one in group)
    con.executemany(
        INSERT_SEGMENT,
        [
            (*one.key, totals[one.key.mt], carrier, one.kind, one.octets,
             MtState.CLAIMED if one.key in claimed else MtState.QUEUED, now)
            for carrier, group in segments.items() for one in group
        ],
    )  # fmt: skip

"""Finished messages: moved out of the tables of what is on its way, and found again.

A message leaves when nothing can happen to it any more: one to a customer when all its segments
have been final for a while, one from a customer when it can absorb no redelivery and counts for
no daily bound. A batch is one short transaction, so that a crash at any step loses nothing and
repeats nothing. In that transaction they are counted, and notices leave their evidence.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from smsgw.service.keywords import Intent, read
from smsgw.service.message import FINAL, Layout, MessageKind, Msisdn, MtState, ReceiptState
from smsgw.service.message_state import message_state
from smsgw.service.record import MessageRecord, SegmentRecord
from smsgw.service.report import Books
from smsgw.service.retry import valid_until
from smsgw.storage import counts, evidence, subjects
from smsgw.storage.database import transaction
from smsgw.storage.erased import NOBODY
from smsgw.storage.subjects import Subject

BATCH: Final = 40  # messages: 10 ms under the write lock, as their phones lie all over an index
LOOKED_AT: Final = 1000  # messages that are looked at for these: 1 ms
OCTETS_A_PART: Final = 160  # of a text, that take no longer than one message more
FINISHED_FOR: Final = 3600.0  # seconds: a receipt may be repeated, an operator may still look

# Intents of messages that name customer numbers.
ABOUT_NUMBERS: Final = frozenset({Intent.REGISTER, Intent.BILL_CHECK_FOR, Intent.STOP})

_CUSTOMER_NUMBER: Final = re.compile(r"(?<!\d)\d{12}(?!\d)", re.ASCII)

# What is kept of a segment, by these names; what is NULL or 0 is left out.
_SEGMENT: Final = (
    "part", "state", "attempts", "lost", "claimed_at", "changed_at", "message_id", "response_id",
    "error", "receipt", "done_date", "asked", "asked_at", "bare",
)  # fmt: skip
_STATE, _CHANGED_AT = _SEGMENT.index("state"), _SEGMENT.index("changed_at")
_MESSAGE_ID, _LOST = _SEGMENT.index("message_id"), _SEGMENT.index("lost")

_FINAL: Final = ", ".join(f"'{state}'" for state in sorted(FINAL))

# A submit that the carrier may know by an id which we don't is needed while a receipt for it can
# come: it must not be taken for that of another message to the phone.
_FINISHED: Final = f"""
SELECT id FROM mt WHERE id > ? AND id <= ?
AND NOT EXISTS (SELECT 1 FROM segment
                WHERE mt_id = mt.id AND (state NOT IN ({_FINAL}) OR changed_at >= ?))
AND NOT EXISTS (SELECT 1 FROM unnamed_submit
                WHERE carrier = mt.carrier AND msisdn = mt.msisdn AND mt_id = mt.id)
ORDER BY id LIMIT {BATCH}
"""

# Parts leave with the row that stands for the whole, and not while more of them may come. Those
# that no row stands for, and repeated ones, go by themselves.
_PAST: Final = f"""
SELECT id FROM mo WHERE id > ? AND id <= ? AND received_at < ?
AND (assembly IS NULL
     OR NOT EXISTS (SELECT 1 FROM assembly WHERE assembly.id = mo.assembly)
        AND (intent IS NOT NULL
             OR NOT EXISTS (SELECT 1 FROM mo AS whole
                            WHERE whole.assembly = mo.assembly AND whole.intent IS NOT NULL)))
ORDER BY id LIMIT {BATCH}
"""

_SELECT_MO: Final = """
SELECT id, received_at, carrier, msisdn, text, intent, silence, tried,
       CASE WHEN intent IS NOT NULL THEN assembly END
FROM mo WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id
"""

# The rows of mo that leave with one, itself among them: of the whole of a long message, its parts.
_WITH: Final = "SELECT id FROM mo WHERE id = ?1 OR assembly = ?2"
_PARTS: Final = f"SELECT count(*) FROM ({_WITH})"
_REPEATS: Final = f"SELECT count(*) FROM redelivery WHERE mo_id IN ({_WITH})"

_MT: Final = (
    "id, mo_id, kind, carrier, msisdn, text, data_coding, layout, reference, created_at,"
    " valid_until, found_from"
)
_KIND, _CARRIER, _MSISDN, _TEXT, _LAYOUT, _CREATED_AT = 2, 3, 4, 5, 7, 9  # of these

_LARGEST_ID: Final = 2**63 - 1  # SQLite's

Row = tuple[Any, ...]


class Batch(NamedTuple):
    """What one transaction did."""

    moved: int
    last: int | None  # the id to go on after; None: that was all


def move_outgoing(con: sqlite3.Connection, after: int, now: float, books: Books) -> Batch:
    """Move the first BATCH messages to customers that are finished, of the next LOOKED_AT with an
    id above `after`."""
    before = now - FINISHED_FOR
    window = _window(con, "mt", "created_at", after, before, now)
    # What is final stays so: it need not be looked at again under the lock.
    ids = _ids(con, _FINISHED, after, window.upto, before)
    if ids:
        with transaction(con):
            take_outgoing(con, ids, books)
    return Batch(len(ids), ids[-1] if len(ids) == BATCH else window.next)


def take_outgoing(con: sqlite3.Connection, ids: Sequence[int], books: Books) -> None:
    """Move these messages to customers, all of them finished, inside the caller's transaction."""
    wanted = (json.dumps(ids),)
    segments: dict[int, list[Row]] = {}
    for mt_id, *segment in con.execute(
        f"SELECT mt_id, {', '.join(_SEGMENT)} FROM segment"
        " WHERE mt_id IN (SELECT value FROM json_each(?)) ORDER BY mt_id, part",
        wanted,
    ):
        segments.setdefault(mt_id, []).append(tuple(segment))
    rows = con.execute(
        f"SELECT {_MT} FROM mt WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", wanted
    ).fetchall()
    moved = [(*_named(row), *_summed_up(segments[row[0]])) for row in rows]
    con.executemany(
        f"INSERT INTO history_mt ({_MT}, state, final_at, segments)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        moved,
    )
    con.executemany(
        "INSERT INTO history_number (customer_number, at, mt_id) VALUES (?, ?, ?)",
        [
            (number, row[_CREATED_AT], row[0])
            for row in rows
            for number in numbers_in_answer(row[_TEXT])
        ],
    )
    about = subjects.of(con, ids)
    messages = [_counted(row, segments[row[0]]) for row in rows]
    counts.add_sent(con, counts.sums(messages, about, books))
    evidence.record(con, books.keyed, _evidence(moved, about))
    for table, key in (("segment", "mt_id"), ("mt", "id")):
        con.executemany(f"DELETE FROM {table} WHERE {key} = ?", [(each,) for each in ids])


def _named(row: Row) -> Row:
    """A row of mt as it is kept: of one whose phone was erased, without number and text."""
    if row[_MSISDN] != NOBODY:
        return row
    return tuple(None if place in (_MSISDN, _TEXT) else value for place, value in enumerate(row))


def _summed_up(segments: Sequence[Row]) -> tuple[str, float, str]:
    """The state of the message, since when it has it, and its segments as JSON."""
    state = message_state([MtState(one[_STATE]) for one in segments])
    kept = [
        {name: value for name, value in zip(_SEGMENT, one, strict=True) if value}
        for one in segments
    ]
    return (
        state.value,
        max(one[_CHANGED_AT] for one in segments),
        json.dumps(kept, ensure_ascii=False, separators=(",", ":")),
    )


def _counted(row: Row, segments: Sequence[Row]) -> counts.Message:
    return counts.Message(
        row[0], row[_KIND], row[_CARRIER], row[_TEXT], row[_LAYOUT], row[_CREATED_AT],
        [counts.Segment(one[_STATE], one[_MESSAGE_ID], one[_LOST]) for one in segments],
    )  # fmt: skip


def _evidence(moved: Iterable[Row], about: Mapping[int, Subject]) -> Iterator[evidence.Entry]:
    """What stands for the notices among these rows of history_mt."""
    for row in moved:
        notice = about[row[0]].notice
        if notice is None:
            continue
        state, final_at, segments = row[-3:]
        phone = None if row[_MSISDN] is None else Msisdn(row[_MSISDN])
        yield evidence.Entry(
            notice.id, notice.run, notice.kind, row[0], row[_CARRIER], row[_CREATED_AT], state,
            final_at, segments, phone, notice.customer_number, notice.bills, notice.parameters,
            row[_TEXT],
        )  # fmt: skip


def move_incoming(
    con: sqlite3.Connection, after: int, before: float, now: float, books: Books
) -> Batch:
    """Move the first BATCH messages from customers that came before `before`, of the next
    LOOKED_AT with an id above `after`; fewer, if they are long. Those with parts that wait for
    others, or that may be repeated, stay."""
    window = _window(con, "mo", "received_at", after, before, now)
    # All of these are done with: they need not be looked at again under the lock.
    ids = _ids(con, _PAST, after, window.upto, before)
    moved = 0
    if ids:
        with transaction(con):
            moved = take_incoming(con, ids, books)
    full = moved < len(ids) or len(ids) == BATCH
    return Batch(moved, ids[moved - 1] if full else window.next)


def take_incoming(con: sqlite3.Connection, ids: Sequence[int], books: Books) -> int:
    """Move the first of these messages from customers, as many as fit into the caller's
    transaction, and say how many."""
    rows: list[Row] = []
    size = 0
    for *row, assembly in con.execute(_SELECT_MO, (json.dumps(ids),)).fetchall():
        (parts,) = con.execute(_PARTS, (row[0], assembly)).fetchone()
        (repeats,) = con.execute(_REPEATS, (row[0], assembly)).fetchone()
        rows.append((*row, parts, repeats, assembly))
        size += parts + repeats + len(row[4]) // OCTETS_A_PART
        if size >= BATCH:
            break
    con.executemany(
        "INSERT INTO history_mo (id, received_at, carrier, msisdn, text, intent, silence, tried,"
        " parts, repeats) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [row[:10] for row in rows],
    )
    con.executemany(
        "INSERT INTO history_number (customer_number, at, mo_id) VALUES (?, ?, ?)",
        [(number, row[1], row[0]) for row in rows for number in numbers_asked_for(row[5], row[4])],
    )
    came = (
        counts.Incoming(at, carrier, msisdn, intent)
        for _, at, carrier, msisdn, _, intent, *_ in rows
    )
    counts.add_received(con, counts.taken(came, books))
    leaving = [(row[0], row[10]) for row in rows]
    con.executemany(f"DELETE FROM redelivery WHERE mo_id IN ({_WITH})", leaving)
    con.executemany(f"DELETE FROM mo WHERE id IN ({_WITH})", leaving)
    return len(rows)


def numbers_in_answer(text: str | None) -> Sequence[str]:
    """The customer numbers that a text of ours speaks of, each once."""
    return tuple(dict.fromkeys(_CUSTOMER_NUMBER.findall(text or "")))


def numbers_asked_for(intent: str | None, text: str | None) -> Sequence[str]:
    """The customer numbers that a customer's text is about, each once."""
    return read(text or "").customer_numbers if intent in ABOUT_NUMBERS else ()


class _Window(NamedTuple):
    """What one call looks at: ids up to `upto`."""

    upto: int
    next: int | None  # the id to go on after, if this finds nothing; None: that was all


def _window(
    con: sqlite3.Connection, table: str, time: str, after: int, before: float, now: float
) -> _Window:
    """Messages come in the order of their ids, or nearly: behind a young one are no others. One
    of the future is of a time before the clock was set back, and says nothing."""
    row = con.execute(
        f"SELECT id, {time} FROM {table} WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?",
        (after, LOOKED_AT - 1),
    ).fetchone()
    if row is None:
        return _Window(_LARGEST_ID, None)
    return _Window(row[0], None if before <= row[1] <= now else row[0])


def _ids(con: sqlite3.Connection, query: str, *values: float) -> list[int]:
    return [id_ for (id_,) in con.execute(query, values)]


def records(con: sqlite3.Connection, ids: Iterable[int]) -> list[MessageRecord]:
    """Those messages to customers of `ids` that are finished and were moved, by id."""
    return [
        _record(*row)
        for row in con.execute(
            f"SELECT {_MT}, segments FROM history_mt"
            " WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (json.dumps(list(ids)),),
        )
    ]


def _record(
    id_: int,
    mo: int | None,
    kind: int,
    carrier: str,
    msisdn: str | None,
    text: str | None,
    data_coding: int,
    layout: str,
    reference: int,
    created_at: float,
    until: float | None,
    found_from: int | None,
    segments: str,
) -> MessageRecord:
    return MessageRecord(
        id_,
        mo,
        MessageKind(kind),
        carrier,
        None if msisdn is None else Msisdn(msisdn),
        text,
        data_coding,
        created_at,
        valid_until(MessageKind(kind), created_at, until),
        Layout(layout),
        reference,
        tuple([_segment_record(one) for one in json.loads(segments)]),
        found_from,
    )


def _segment_record(kept: dict[str, Any]) -> SegmentRecord:
    receipt = kept.get("receipt")
    return SegmentRecord(
        MtState(kept["state"]),
        None if receipt is None else ReceiptState(receipt),
        kept["part"],
        kept.get("attempts", 0),
        kept.get("lost", 0),
        kept.get("claimed_at"),
        kept["changed_at"],
        None,
        kept.get("message_id"),
        kept.get("error"),
        kept.get("done_date"),
    )

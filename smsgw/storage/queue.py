"""The messages on their way, for an operator: looked at, and changed by hand.

Those are found through the partial indexes over live states alone, so that it costs the same
whatever went out before. A state stands in the SQL as a literal: only then is its index used.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

from smsgw.service.by_hand import Order
from smsgw.service.message import Layout, MessageKind, Msisdn, MtState, ReceiptState
from smsgw.service.record import HELD, MessageRecord, SegmentRecord
from smsgw.service.retry import valid_until
from smsgw.storage import history
from smsgw.storage.database import one_moment, transaction
from smsgw.storage.erased import NOBODY
from smsgw.storage.observe import LIVE
from smsgw.storage.pace import Pace

_IN_STATE: Final = {state.value: f"state = '{state}'" for state in LIVE} | {
    MtState.UNKNOWN.value: f"state = '{MtState.UNKNOWN}' AND not_before IS NOT NULL",
    HELD: f"state = '{MtState.UNKNOWN}' AND not_before IS NULL",
}
ON_THEIR_WAY: Final = tuple(name for name in _IN_STATE if name != MtState.ACCEPTED)


class Filter(NamedTuple):
    """Which messages: those with a segment in one of `states`, words of service.record.LIVE."""

    states: Collection[str] = ON_THEIR_WAY
    carrier: str | None = None
    kind: MessageKind | None = None


class Page(NamedTuple):
    messages: list[MessageRecord]
    more: int  # how many the limit left out


def find(con: sqlite3.Connection, which: Filter, limit: int, after: int = 0) -> Page:
    """The first `limit` messages of those that `which` says with an id above `after`, the oldest
    first."""
    ids, values = _ids(which)
    ids, values = f"SELECT mt_id FROM ({ids}) WHERE mt_id > :after", {**values, "after": after}
    with one_moment(con):
        (count,) = con.execute(f"SELECT count(*) FROM ({ids})", values).fetchone()
        found = con.execute(f"{ids} ORDER BY mt_id LIMIT {int(limit)}", values).fetchall()
        messages = records(con, [mt_id for (mt_id,) in found])
    return Page(messages, count - len(messages))


def find_ids(con: sqlite3.Connection, which: Filter) -> list[int]:
    """All messages that `which` says, the oldest first."""
    ids, values = _ids(which)
    return [mt_id for (mt_id,) in con.execute(f"{ids} ORDER BY mt_id", values)]


def _ids(which: Filter) -> tuple[str, dict[str, object]]:
    """A query for ids, and its values."""
    also = "".join(
        f" AND {column} = :{column}"
        for column in ("carrier", "kind")
        if getattr(which, column) is not None
    )
    selects = [
        f"SELECT mt_id FROM segment WHERE {_IN_STATE[name]}{also}" for name in sorted(which.states)
    ]
    return " UNION ".join(selects), {"carrier": which.carrier, "kind": which.kind}


def carriers(con: sqlite3.Connection) -> set[str]:
    """The carriers that live segments are for, be they in the configuration or not."""
    union = " UNION ".join(
        f"SELECT DISTINCT carrier FROM segment WHERE state = '{state}'" for state in LIVE
    )
    return {carrier for (carrier,) in con.execute(union)}


def records(con: sqlite3.Connection, ids: Sequence[int]) -> list[MessageRecord]:
    """Those messages that there are of `ids`, by id: on their way, or finished."""
    live = _records(con, ids)
    finished = {*ids} - {one.id for one in live}
    if not finished:
        return live
    return sorted([*live, *history.records(con, finished)], key=lambda one: one.id)


def _records(con: sqlite3.Connection, ids: Sequence[int]) -> list[MessageRecord]:
    wanted = (json.dumps(list(ids)),)
    segments: dict[int, list[SegmentRecord]] = {}
    for mt_id, *rest, state, receipt in con.execute(
        "SELECT mt_id, part, attempts, lost, claimed_at, changed_at, not_before, message_id, error,"
        " done_date, state, receipt"
        " FROM segment WHERE mt_id IN (SELECT value FROM json_each(?)) ORDER BY mt_id, part",
        wanted,
    ):
        word = None if receipt is None else ReceiptState(receipt)
        segments.setdefault(mt_id, []).append(SegmentRecord(MtState(state), word, *rest))
    return [
        MessageRecord(
            id_,
            mo_id,
            MessageKind(kind),
            carrier,
            None if msisdn == NOBODY else Msisdn(msisdn),
            None if msisdn == NOBODY else text,
            data_coding,
            created_at,
            valid_until(MessageKind(kind), created_at, until),
            Layout(layout),
            reference,
            tuple(segments[id_]),
            found_from,
        )
        for (
            id_, mo_id, kind, carrier, msisdn, text, data_coding, created_at, until, layout,
            reference, found_from,
        ) in con.execute(
            "SELECT id, mo_id, kind, carrier, msisdn, text, data_coding, created_at, valid_until,"
            " layout, reference, found_from FROM mt"
            " WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
            wanted,
        )
    ]  # fmt: skip


class Question(NamedTuple):
    """The customer's message that another one answers."""

    id: int
    received_at: float
    text: str | None  # None: no longer kept


def question(con: sqlite3.Connection, mo: int) -> Question | None:
    row = con.execute(
        "SELECT id, received_at, text FROM mo WHERE id = ?1"
        " UNION ALL SELECT id, received_at, text FROM history_mo WHERE id = ?1",
        (mo,),
    ).fetchone()
    return None if row is None else Question(*row)


class Changed(NamedTuple):
    """What an order did to one message."""

    id: int
    parts: int  # that were changed
    kept: tuple[MtState, ...]  # the states of all others; no such message: there are none
    late: bool = False  # nothing was changed, as it is no longer worth sending


def change(
    con: sqlite3.Connection,
    order: Order,
    ids: Sequence[int],
    now: float,
    pace: Pace,
    *,
    held_only: bool = False,
    force: bool = False,
) -> Iterator[Changed]:
    """Carry out `order` on each of these messages, in short transactions, while it is asked for.

    `held_only` leaves segments alone that aren't held. A message that is no longer worth sending
    is not queued again, unless `force` gives it as much time as it had when it was made.
    """
    start = 0
    while start < len(ids):
        batch = ids[start : start + pace.size]
        with pace.turn(), transaction(con):
            changed = _change(con, order, batch, now, held_only, force)
        yield from changed
        start += len(batch)


def _change(
    con: sqlite3.Connection,
    order: Order,
    ids: Sequence[int],
    now: float,
    held_only: bool,
    force: bool,
) -> list[Changed]:
    found = {one.id: one for one in records(con, ids)}
    changed = []
    updates: list[tuple[object, ...]] = []
    for id_ in ids:
        message = found.get(id_)
        if message is None:
            changed.append(Changed(id_, 0, ()))
            continue
        theirs = [
            one for one in message.segments if one.state in order.of and (one.held or not held_only)
        ]
        late = bool(theirs) and order.to is MtState.QUEUED and message.valid_until < now
        if late and force:
            until = valid_until(message.kind, now)
            con.execute("UPDATE mt SET valid_until = ? WHERE id = ?", (until, id_))
        elif late:
            theirs = []
        kept = tuple(one.state for one in message.segments if one not in theirs)
        changed.append(Changed(id_, len(theirs), kept, late and not force))
        updates += [(order.to, now, id_, one.part, one.state) for one in theirs]
    con.executemany(
        "UPDATE segment SET state = ?, not_before = NULL, changed_at = ?"
        " WHERE mt_id = ? AND part = ? AND state = ?",
        updates,
    )
    return changed


class Stray(NamedTuple):
    """A receipt that matched no message: parked, or given up as an orphan."""

    carrier: str
    message_id: str
    msisdn: Msisdn | None
    state: ReceiptState
    error: str
    done_date: str
    received_at: float
    given_up_at: float | None  # None: parked, its message may still come


_STRAY_FIELDS: Final = "SELECT carrier, message_id, msisdn, state, error, done_date, received_at"


def strays(con: sqlite3.Connection, carrier: str | None, limit: int) -> tuple[list[Stray], int]:
    """The last `limit` parked and orphaned receipts, the last first, and how many more there are.

    Both tables are small: parked ones stay for hours, and the orphans are bounded.
    """
    of = "" if carrier is None else " WHERE carrier = :carrier"
    union = (
        f"{_STRAY_FIELDS}, NULL AS given_up_at FROM parked_receipt{of}"
        f" UNION ALL {_STRAY_FIELDS}, given_up_at FROM orphan_receipt{of}"
    )
    values = {"carrier": carrier}
    with one_moment(con):
        (count,) = con.execute(f"SELECT count(*) FROM ({union})", values).fetchone()
        rows = con.execute(
            f"{union} ORDER BY received_at DESC, message_id LIMIT {int(limit)}", values
        ).fetchall()
    found = [
        Stray(
            carrier, message_id, None if msisdn is None else Msisdn(msisdn), ReceiptState(state),
            *rest,
        )
        for carrier, message_id, msisdn, state, *rest in rows
    ]  # fmt: skip
    return found, count - len(found)

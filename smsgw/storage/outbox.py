"""Storing what goes out: claims before a submit, what became of it after, and receipts."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from smsgw.log import get_logger
from smsgw.service.message import (
    FINAL,
    Encoding,
    Layout,
    MessageKind,
    Msisdn,
    Mt,
    MtState,
    Receipt,
    ReceiptState,
    Segment,
    SegmentKey,
)
from smsgw.service.ports import Settlement
from smsgw.service.retry import (
    LONGEST_WAIT,
    SENT_ONCE_MORE,
    VALIDITY,
    after_loss,
    valid_until,
    worth_sending,
)
from smsgw.storage.database import transaction
from smsgw.storage.messages import cut, insert_segments

log = get_logger(__name__)

# The state stands in the SQL as a literal: only then is the partial index used.
SELECT_QUEUED: Final = f"""
SELECT segment.mt_id, part, segment.kind, msisdn, octets, data_coding, layout, attempts, created_at,
       lost, reference, total, valid_until, bare
FROM segment JOIN mt ON mt.id = segment.mt_id
WHERE state = '{MtState.QUEUED}' AND segment.carrier = ?
ORDER BY segment.kind, segment.mt_id, part
LIMIT ?
"""

UPDATE_SETTLED: Final = f"""
UPDATE segment SET state = ?, not_before = ?, message_id = ?, error = ?, attempts = ?, lost = ?,
                   bare = ?, changed_at = ?
WHERE mt_id = ? AND part = ? AND state = '{MtState.CLAIMED}'
"""

# What a receipt that is final makes of its segment.
BY_RECEIPT: Final = {
    ReceiptState.DELIVERED: MtState.DELIVERED,
    ReceiptState.EXPIRED: MtState.UNDELIVERED,
    ReceiptState.DELETED: MtState.UNDELIVERED,
    ReceiptState.UNDELIVERABLE: MtState.UNDELIVERED,
    ReceiptState.REJECTED: MtState.UNDELIVERED,
    ReceiptState.UNKNOWN: MtState.UNDELIVERED,
}

PARKED_FOR: Final = 6 * 3600.0  # seconds: receipts come minutes to hours early at most
ENDED_FOR: Final = 7 * 24 * 3600.0  # seconds: longer than any window for duplicates


class Claims(NamedTuple):
    """What a transaction claimed."""

    segments: Sequence[Segment]
    backlog: Collection[str]
    expired: Counter[str]  # queued segments no longer worth sending, by carrier


def settle(
    con: sqlite3.Connection,
    settlements: Sequence[Settlement],
    receipts: Sequence[Receipt],
    now: float,
) -> tuple[Counter[tuple[str, MtState]], Counter[str]]:
    """Write what became of submits, and what receipts say; count final states and parked ones.

    A response and its receipt often come in one read: they are matched before anything is
    written, and written once.
    """
    final: Counter[tuple[str, MtState]] = Counter()
    parked: Counter[str] = Counter()
    early = _final_receipts(receipts)
    updates = []
    for settled in settlements:
        state, error = settled.state, settled.error
        if state is MtState.ACCEPTED and settled.message_id:
            receipt = early.pop((settled.carrier, settled.message_id), None) or _unpark(
                con, settled
            )
            if receipt is not None:
                state, error = BY_RECEIPT[receipt.state], receipt.error
        if state in FINAL:
            final[settled.carrier, state] += 1
        updates.append(
            (state, settled.not_before, settled.message_id or None, error or None,
             settled.attempts, settled.lost, settled.bare, now, *settled.key)
        )  # fmt: skip
    written = con.executemany(UPDATE_SETTLED, updates).rowcount
    if updates and written != len(updates):
        log.error("segment.not_claimed", settled=len(updates), written=written)
    for receipt in early.values():
        after = _apply_receipt(con, receipt, now)
        if after is None:
            _park(con, receipt)
            parked[receipt.carrier] += 1
        else:
            final[receipt.carrier, after] += 1
    return final, parked


def _final_receipts(receipts: Iterable[Receipt]) -> dict[tuple[str, str], Receipt]:
    """The receipts that settle something, by carrier and id; the first for an id counts."""
    by_id: dict[tuple[str, str], Receipt] = {}
    for receipt in receipts:
        if receipt.state.final and receipt.message_id:
            by_id.setdefault((receipt.carrier, receipt.message_id), receipt)
    return by_id


def _apply_receipt(con: sqlite3.Connection, receipt: Receipt, now: float) -> MtState | None:
    """Give the segment its final state; None if no accepted segment has this id.

    Carriers use ids again, so of several the newest is meant.
    """
    state = BY_RECEIPT[receipt.state]
    row = con.execute(
        f"UPDATE segment SET state = ?, error = ?, changed_at = ? WHERE (mt_id, part) = ("
        f" SELECT mt_id, part FROM segment WHERE state = '{MtState.ACCEPTED}'"
        " AND carrier = ? AND message_id = ? ORDER BY mt_id DESC LIMIT 1) RETURNING 1",
        (state, receipt.error or None, now, receipt.carrier, receipt.message_id),
    ).fetchone()
    return None if row is None else state


def _park(con: sqlite3.Connection, receipt: Receipt) -> None:
    con.execute(
        "INSERT OR REPLACE INTO parked_receipt (carrier, message_id, state, error, received_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (receipt.carrier, receipt.message_id, receipt.state, receipt.error, receipt.received_at),
    )


def _unpark(con: sqlite3.Connection, settled: Settlement) -> Receipt | None:
    """The receipt that came before its response; not one of an older message with the same id,
    which came before this one was claimed."""
    carrier, message_id = settled.carrier, settled.message_id
    row = con.execute(
        "DELETE FROM parked_receipt WHERE carrier = ? AND message_id = ? AND received_at >="
        " (SELECT changed_at FROM segment WHERE mt_id = ? AND part = ?)"
        " RETURNING received_at, state, error",
        (carrier, message_id, *settled.key),
    ).fetchone()
    return (
        None if row is None else Receipt(carrier, row[0], message_id, ReceiptState(row[1]), row[2])
    )


def tidy(con: sqlite3.Connection, now: float) -> Counter[str]:
    """Drop receipts whose message never came, counted by carrier, and ends of sessions that no
    redelivery can refer to any more; expire what waits in vain, for a carrier that is gone, say.
    """
    with transaction(con):
        orphans = con.execute(
            "DELETE FROM parked_receipt WHERE received_at < ? RETURNING carrier",
            (now - PARKED_FOR,),
        ).fetchall()
        con.execute("DELETE FROM session_end WHERE ended_at < ?", (now - ENDED_FOR,))
        for kind in MessageKind:
            con.execute(
                f"UPDATE segment SET state = '{MtState.EXPIRED}', changed_at = ?"
                f" WHERE state = '{MtState.QUEUED}' AND kind = ?"
                " AND (SELECT coalesce(valid_until, created_at + ?) FROM mt WHERE id = mt_id) < ?",
                (now, kind, VALIDITY[kind], now),
            )
    return Counter(carrier for (carrier,) in orphans)


def claim(
    con: sqlite3.Connection,
    new: Sequence[Mt],
    free: Mapping[str, int],
    encodings: Mapping[str, Encoding],
    now: float,
) -> Claims:
    """Store new messages, and claim what goes next: of what was queued and what is new, the most
    urgent and oldest, as many segments of a carrier as `free` has places for it.

    What is claimed at once is written once. Queued segments that are no longer worth sending
    are expired instead.
    """
    fresh = cut(con, new, encodings)
    claimed: list[Segment] = []
    expired: Counter[str] = Counter()
    backlog = (_wake(con, now) | fresh.keys()) - free.keys()
    for carrier, places in free.items():
        queued, stale = _queued(con, carrier, places + 1, now)
        expired[carrier] += stale
        candidates = [*queued, *fresh.get(carrier, ())]
        if queued:  # what is new is in order by itself
            candidates.sort(key=lambda one: (one.kind, one.key))
        chosen = candidates[:places]
        if max(len(candidates), len(queued) + stale) > places:
            backlog.add(carrier)
        claimed += chosen
        waited = {one.key for one in queued}
        con.executemany(
            f"UPDATE segment SET state = '{MtState.CLAIMED}', changed_at = ?"
            " WHERE mt_id = ? AND part = ?",
            [(now, *one.key) for one in chosen if one.key in waited],
        )
    insert_segments(con, fresh, {one.key for one in claimed}, now)
    return Claims(claimed, backlog, expired)


def _queued(
    con: sqlite3.Connection, carrier: str, limit: int, now: float
) -> tuple[list[Segment], int]:
    """The next segments in a carrier's queue, and how many of them were expired instead."""
    found: list[Segment] = []
    stale: list[Segment] = []
    for row in con.execute(SELECT_QUEUED, (carrier, limit)):
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
        (found if worth_sending(one.valid_until, now) else stale).append(one)
    con.executemany(
        f"UPDATE segment SET state = '{MtState.EXPIRED}', changed_at = ?"
        " WHERE mt_id = ? AND part = ?",
        [(now, *one.key) for one in stale],
    )
    return found, len(stale)


def _wake(con: sqlite3.Connection, now: float) -> set[str]:
    """Queue the waiting segments whose time has come, and name their carriers.

    One that waits longer than any does is of a time before the clock was set back.
    """
    rows = con.execute(
        f"UPDATE segment SET state = '{MtState.QUEUED}', not_before = NULL, changed_at = ?1"
        f" WHERE state = '{MtState.WAITING}' AND (not_before <= ?1 OR not_before > ?2)"
        " RETURNING carrier",
        (now, now + LONGEST_WAIT),
    ).fetchall()
    return {carrier for (carrier,) in rows}


def wake_at(con: sqlite3.Connection) -> float | None:
    """When the next waiting segment may be queued again."""
    (at,) = con.execute(
        f"SELECT min(not_before) FROM segment WHERE state = '{MtState.WAITING}'"
    ).fetchone()
    return None if at is None else float(at)


def recover(
    con: sqlite3.Connection,
    now: float,
    sent_once_more: Collection[MessageKind] = SENT_ONCE_MORE,
) -> Counter[MtState]:
    """Sort out what a daemon that died left claimed; count what became of it.

    Each may have been sent, or not: its kind's policy for a lost response says what follows.
    """
    after: Counter[MtState] = Counter()
    with transaction(con):
        claimed = con.execute(
            f"SELECT mt_id, part, kind, lost FROM segment WHERE state = '{MtState.CLAIMED}'"
        ).fetchall()
        for mt_id, part, kind, lost in claimed:
            state = after_loss(MessageKind(kind), lost, sent_once_more)
            after[state] += 1
            con.execute(
                "UPDATE segment SET state = ?, attempts = attempts + 1, lost = lost + 1,"
                " changed_at = ? WHERE mt_id = ? AND part = ?",
                (state, now, mt_id, part),
            )
    return after

"""Storing what became of submits: their responses, in time or late or lost, and their receipts."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from smsgw.log import get_logger
from smsgw.service.matching import BY_RECEIPT, How
from smsgw.service.message import FINAL, Encoding, MessageKind, MtState, Receipt, SegmentKey
from smsgw.service.ports import Settlement
from smsgw.service.retry import HOLD, Losses, after_loss, late_counts
from smsgw.storage import receipts, unnamed
from smsgw.storage.receipts import ById, Found

log = get_logger(__name__)

# What is missing is bound as '' or 0: sqlite3 binds these, and exact strings, numbers and bytes, in
# half the time that it takes for None, for an enumeration's member, or for True.
_SET: Final = (
    "state = ?, not_before = nullif(?, 0), message_id = nullif(?, ''),"
    " response_id = nullif(?, ''), error = nullif(?, ''), bare = ?, receipt = nullif(?, ''),"
    " done_date = nullif(?, ''), changed_at = ?"
)

# The state stands in the SQL as a literal: only then is the partial index used.
UPDATE_SETTLED: Final = f"""
UPDATE segment SET {_SET}, attempts = ?, lost = ?
WHERE mt_id = ? AND part = ? AND state = '{MtState.CLAIMED}'
"""

# With a receipt that came beside the response; not one that waited here since before the submit.
UPDATE_WITH_RECEIPT: Final = f"{UPDATE_SETTLED} AND claimed_at <= ?"

# The attempt was counted when it was given up.
UPDATE_LATE: Final = f"UPDATE segment SET {_SET}, lost = lost - 1 WHERE mt_id = ? AND part = ?"


# Of several acceptances the first is as good as any.
NOTE_LATE_ACCEPTANCE: Final = """
INSERT OR IGNORE INTO late_acceptance (mt_id, part, attempt, message_id, response_id)
VALUES (?, ?, ?, ?, ?)
"""
TAKE_LATE_ACCEPTANCE: Final = """
DELETE FROM late_acceptance WHERE mt_id = ? AND part = ? RETURNING attempt, message_id, response_id
"""


class Sheet(NamedTuple):
    """What one transaction settles with."""

    con: sqlite3.Connection
    final: ById  # receipts that came; what is used is taken out
    words: ById  # those that settle nothing
    parked: bool  # whether some came before
    unconfirmed: Collection[str]  # carriers that aren't asked for receipts
    now: float
    found: Found


def settle(
    con: sqlite3.Connection,
    settlements: Sequence[Settlement],
    came: Iterable[Receipt],
    learned: Iterable[Receipt],
    encodings: Mapping[str, Encoding],
    now: float,
) -> Found:
    """Write what became of submits, what receipts say that came, and what was learned by asking.

    A response and its receipt often come in one read: they are matched before anything is
    written, and written once.
    """
    unconfirmed = {carrier for carrier, encoding in encodings.items() if not encoding.receipts}
    parked = receipts.any_parked(con)
    sheet = Sheet(con, *receipts.sort(came), parked, unconfirmed, now, Found.nothing())
    _in_time(sheet, [settled for settled in settlements if not settled.late])
    lost = [
        unnamed.remember(con, settled.key, settled.attempts)
        for settled in settlements
        if settled.unnamed and not settled.late and settled.carrier not in unconfirmed
    ]
    for settled in settlements:
        if settled.late:
            _late(sheet, settled)
    unknown = receipts.apply(con, sheet.final.values(), now, sheet.found, How.ID)
    receipts.note(con, sheet.words.values(), now)
    if unknown or lost or parked:
        unnamed.match(con, unknown, lost, now, sheet.found)
    if learned:
        final, words = receipts.sort(learned)
        receipts.apply(con, final.values(), now, sheet.found, How.ASKED)
        receipts.note(con, words.values(), now)
    return sheet.found


def _in_time(sheet: Sheet, settlements: Sequence[Settlement]) -> None:
    """Write responses, and that there was none, each with the receipt for it if that is here."""
    rows: list[tuple[object, ...]] = []
    paired: list[tuple[Settlement, Receipt]] = []
    for settled in settlements:
        if settled.lost and (row := _accepted_before(sheet, settled)) is not None:
            rows.append(row)
            continue
        receipt = word = None
        if settled.state is MtState.ACCEPTED and settled.message_id:
            name = (settled.carrier, settled.message_id)
            if (receipt := sheet.final.pop(name, None)) is not None:
                paired.append((settled, receipt))
                continue
            if sheet.parked:
                receipt = receipts.unpark(sheet.con, settled, sheet.now)
            if sheet.words:
                word = sheet.words.pop(name, None)
        rows.append(_row(sheet, settled, receipt, receipt or word, How.PARKED))
    written = sheet.con.executemany(UPDATE_SETTLED, rows).rowcount if rows else 0
    written += _paired(sheet, paired) if paired else 0
    if written != len(settlements):
        log.error("segment.not_claimed", settled=len(settlements), written=written)


def _paired(sheet: Sheet, paired: Sequence[tuple[Settlement, Receipt]]) -> int:
    """Write responses with the receipts that came beside them; return how many were written."""
    rows = [
        (*_row(sheet, settled, receipt, receipt, How.RESPONSE), receipt.received_at)
        for settled, receipt in paired
    ]
    written = sheet.con.executemany(UPDATE_WITH_RECEIPT, rows).rowcount
    if written == len(rows):
        return written
    for settled, receipt in paired:
        if _now(sheet.con, settled.key)[0] is MtState.CLAIMED:  # the receipt is not for this one
            sheet.found.unsettled(settled.key, receipt, How.RESPONSE)
            sheet.final[settled.carrier, settled.message_id] = receipt
            row = _row(sheet, settled, None, None, How.RESPONSE)
            written += sheet.con.execute(UPDATE_SETTLED, row).rowcount
    return written


def _accepted_before(sheet: Sheet, settled: Settlement) -> tuple[object, ...] | None:
    """What to write where this submit was not accepted, but one before it was, which was given up;
    its response came meanwhile."""
    row = sheet.con.execute(TAKE_LATE_ACCEPTANCE, settled.key).fetchone()
    if row is None:
        return None
    if settled.state is MtState.ACCEPTED:
        sheet.found.late[settled.carrier, "too_late"] += 1
        return None
    sheet.found.late[settled.carrier, "used"] += 1
    attempt, message_id, response_id = row
    before = settled._replace(
        state=MtState.ACCEPTED,
        not_before=None,
        message_id=message_id,
        error="",
        lost=settled.lost - 1,
        response_id=response_id,
        unnamed=not message_id,
    )
    receipt = _receipt_before(sheet, before, attempt)
    return _row(sheet, before, receipt, receipt, How.PARKED)


def _late(sheet: Sheet, settled: Settlement) -> None:
    """Write a response that had been given up as lost, if it says something new."""
    state, attempts = _now(sheet.con, settled.key)
    if state is MtState.CLAIMED and settled.state is MtState.ACCEPTED:
        sheet.con.execute(
            NOTE_LATE_ACCEPTANCE,
            (*settled.key, settled.attempts, settled.message_id, settled.response_id),
        )
        return
    if state is None or not late_counts(settled, state, attempts):
        sheet.found.late[settled.carrier, "too_late"] += 1
        return
    sheet.found.late[settled.carrier, "used"] += 1
    receipt = _receipt_before(sheet, settled, settled.attempts)
    row = _row(sheet, settled, receipt, receipt, How.PARKED)
    sheet.con.execute(UPDATE_LATE, (*row[:9], *row[11:]))


def _receipt_before(sheet: Sheet, settled: Settlement, attempt: int) -> Receipt | None:
    """The receipt that came before the late response to this attempt, or beside it."""
    since = None
    if not settled.unnamed:
        since = unnamed.forget(sheet.con, settled.key, attempt)
    if settled.state is not MtState.ACCEPTED or not settled.message_id:
        return None
    receipt = sheet.final.pop((settled.carrier, settled.message_id), None)
    return receipt or receipts.unpark(sheet.con, settled, sheet.now, since)


def _row(
    sheet: Sheet, settled: Settlement, receipt: Receipt | None, word: Receipt | None, how: How
) -> tuple[object, ...]:
    """The values of UPDATE_SETTLED, counted: `receipt` settles it, `word` is the last it has."""
    state, error = settled.state, settled.error
    if receipt is not None:
        state, error = BY_RECEIPT[receipt.state], receipt.error
        sheet.found.settled(settled.key, receipt, how)
    elif state is MtState.ACCEPTED and settled.carrier in sheet.unconfirmed:
        state = MtState.UNCONFIRMED
        sheet.found.end(settled.key, settled.carrier, state, False, "")
    elif state in FINAL:
        sheet.found.end(settled.key, settled.carrier, state, settled.not_ours, error)
    return (
        state.value,
        settled.not_before or 0,
        settled.message_id,
        settled.response_id if settled.response_id != settled.message_id else "",
        error,
        1 if settled.bare else 0,
        "" if word is None else word.state.value,
        "" if word is None else word.done_date,
        sheet.now,
        settled.attempts,
        settled.lost,
        *settled.key,
    )


def _now(con: sqlite3.Connection, key: SegmentKey) -> tuple[MtState | None, int]:
    """A segment's state and its attempts."""
    row = con.execute(
        "SELECT state, attempts FROM segment WHERE mt_id = ? AND part = ?", key
    ).fetchone()
    return (None, 0) if row is None else (MtState(row[0]), row[1])


def recover(
    con: sqlite3.Connection, now: float, losses: Losses = HOLD, found: Found | None = None
) -> Counter[MtState]:
    """Sort out what a daemon that died left claimed, inside the caller's transaction; count what
    became of it. What receipts say that are parked already goes to `found`.

    Each may have been sent, or not: its kind's policy for a lost response says what follows,
    unless such a receipt does.
    """
    claimed = con.execute(
        "SELECT mt_id, part, carrier, kind, attempts, lost, bare, coalesce(error, '')"
        f" FROM segment WHERE state = '{MtState.CLAIMED}'"
    ).fetchall()
    lost = [
        Settlement(
            SegmentKey(mt_id, part),
            carrier,
            *after_loss(MessageKind(kind), lost_before, now, losses),
            message_id="",
            error=error,
            attempts=attempts + 1,
            lost=lost_before + 1,
            bare=bool(bare),
            unnamed=True,
        )
        for mt_id, part, carrier, kind, attempts, lost_before, bare, error in claimed
    ]
    settled = settle(con, lost, (), (), {}, now)
    if found is not None:
        found.take(settled)
    states = (_now(con, one.key)[0] for one in lost)
    return Counter(state for state in states if state is not None)

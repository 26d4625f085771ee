"""Storing receipts: by the id of an accepted segment, or parked until a response gives their id."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from smsgw.service.foreign import DISOWNED
from smsgw.service.matching import BY_RECEIPT, How
from smsgw.service.message import Msisdn, MtState, Receipt, ReceiptState, SegmentKey
from smsgw.service.ports import Settlement

ById = dict[tuple[str, str], Receipt]  # by carrier and id

# Carriers use ids again: of several segments the newest is meant, but never one that was claimed
# after the receipt came. One claimed in the future is of a time before the clock was set back.
# The state stands in the SQL as a literal: only then is the partial index used.
_BY_ID: Final = f"""(mt_id, part) = (
    SELECT mt_id, part FROM segment
    WHERE state = '{MtState.ACCEPTED}' AND carrier = ? AND message_id = ?
      AND (claimed_at <= ? OR claimed_at > ?)
    ORDER BY mt_id DESC LIMIT 1)"""

UPDATE_BY_ID: Final = f"""
UPDATE segment SET state = ?, error = nullif(?, ''), receipt = ?, done_date = nullif(?, ''),
                   changed_at = ?
WHERE {_BY_ID} RETURNING mt_id, part
"""

UPDATE_WORD: Final = f"UPDATE segment SET receipt = ?, done_date = ? WHERE {_BY_ID}"

# A parked receipt is final: a later one for its id doesn't replace it.
INSERT_PARKED: Final = """
INSERT OR IGNORE INTO parked_receipt
    (carrier, message_id, msisdn, state, error, done_date, received_at, not_ours)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""

# As `read` takes it.
COLUMNS: Final = "received_at, message_id, state, error, msisdn, done_date, not_ours"


class Found(NamedTuple):
    """What was learned of segments, counted as it is written; by carrier and what is named."""

    final: Counter[tuple[str, MtState]]
    matched: Counter[tuple[str, str]]
    parked: Counter[str]
    late: Counter[tuple[str, str]]
    ended: list[int]  # the messages of segments that came to a final state
    disowned: dict[
        SegmentKey, str
    ]  # those that did as the number is not their carrier's own: its word

    @classmethod
    def nothing(cls) -> "Found":
        return cls(Counter(), Counter(), Counter(), Counter(), [], {})

    def take(self, other: "Found") -> None:
        """Count what was found elsewhere, too."""
        self.final.update(other.final)
        self.matched.update(other.matched)
        self.parked.update(other.parked)
        self.late.update(other.late)
        self.ended.extend(other.ended)
        self.disowned.update(other.disowned)

    def settled(self, key: SegmentKey, receipt: Receipt, how: How) -> None:
        self.matched[receipt.carrier, how] += 1
        self.end(key, receipt.carrier, BY_RECEIPT[receipt.state], receipt.not_ours, receipt.error)

    def unsettled(self, key: SegmentKey, receipt: Receipt, how: How) -> None:
        """Take it back: the receipt was for another."""
        self.matched[receipt.carrier, how] -= 1
        self.final[receipt.carrier, BY_RECEIPT[receipt.state]] -= 1
        self.disowned.pop(key, None)

    def end(
        self, key: SegmentKey, carrier: str, state: MtState, not_ours: bool, error: str
    ) -> None:
        """Count a segment that came to a final state."""
        self.final[carrier, state] += 1
        self.ended.append(key.mt)
        if not_ours and state in DISOWNED:
            self.disowned[key] = error


def sort(receipts: Iterable[Receipt]) -> tuple[ById, ById]:
    """The receipts that settle something, of which the first for an id counts; and, for ids that
    have none of these, the last that settle nothing."""
    final: ById = {}
    words: ById = {}
    for receipt in receipts:
        if receipt.message_id:
            if receipt.state.final:
                final.setdefault((receipt.carrier, receipt.message_id), receipt)
            else:
                words[receipt.carrier, receipt.message_id] = receipt
    for key in final.keys() & words.keys():
        del words[key]
    return final, words


def apply(
    con: sqlite3.Connection, receipts: Iterable[Receipt], now: float, found: Found, how: How
) -> list[Receipt]:
    """Settle accepted segments by their ids; return the receipts whose ids no segment has."""
    unknown = []
    for receipt in receipts:
        state = BY_RECEIPT[receipt.state]
        settled = con.execute(
            UPDATE_BY_ID,
            (state.value, receipt.error, receipt.state.value, receipt.done_date, now,
             receipt.carrier, receipt.message_id, receipt.received_at, now),
        ).fetchone()  # fmt: skip
        if settled is None:
            unknown.append(receipt)
        else:
            found.settled(SegmentKey(*settled), receipt, how)
    return unknown


def note(con: sqlite3.Connection, words: Iterable[Receipt], now: float) -> None:
    """Record receipts that settle nothing with the accepted segments that they name."""
    con.executemany(
        UPDATE_WORD,
        [
            (word.state, word.done_date or None, word.carrier, word.message_id,
             word.received_at, now)
            for word in words
        ],
    )  # fmt: skip


def any_parked(con: sqlite3.Connection) -> bool:
    (there,) = con.execute("SELECT EXISTS (SELECT 1 FROM parked_receipt)").fetchone()
    return bool(there)


def park(con: sqlite3.Connection, receipts: Sequence[Receipt], found: Found) -> None:
    """Keep receipts for a response still to come."""
    con.executemany(
        INSERT_PARKED,
        [
            (one.carrier, one.message_id, one.source and one.source.digits, one.state, one.error,
             one.done_date, one.received_at, one.not_ours)
            for one in receipts
        ],
    )  # fmt: skip
    found.parked.update(receipt.carrier for receipt in receipts)


def unpark(
    con: sqlite3.Connection, settled: Settlement, now: float, since: float | None = None
) -> Receipt | None:
    """The receipt that came before its response; not one of an older message with the same id,
    which came before this one was claimed: `since` then, or the last time that its segment was.

    One claimed in the future is of a time before the clock was set back.
    """
    name = (settled.carrier, settled.message_id)
    row = con.execute(
        f"SELECT {COLUMNS} FROM parked_receipt WHERE carrier = ? AND message_id = ?",
        name,
    ).fetchone()
    if row is None:
        return None
    if since is None:
        (since,) = con.execute(
            "SELECT claimed_at FROM segment WHERE mt_id = ? AND part = ?", settled.key
        ).fetchone()
    if row[0] < since <= now:
        return None
    con.execute("DELETE FROM parked_receipt WHERE carrier = ? AND message_id = ?", name)
    return read(settled.carrier, *row)


def read(
    carrier: str,
    received_at: float,
    message_id: str,
    state: str,
    error: str,
    msisdn: str | None,
    done_date: str,
    not_ours: int,
) -> Receipt:
    """A receipt as it was parked."""
    source = None if msisdn is None else Msisdn(msisdn)
    return Receipt(
        carrier,
        received_at,
        message_id,
        ReceiptState(state),
        error,
        source,
        done_date,
        bool(not_ours),
    )

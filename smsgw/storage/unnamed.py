"""Submits that the carrier may know by an id that isn't known here, and the receipts for them."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from smsgw.service.matching import BY_RECEIPT, How, Submit, assign
from smsgw.service.message import Msisdn, MtState, Receipt, SegmentKey
from smsgw.storage import receipts
from smsgw.storage.messages import last_id
from smsgw.storage.receipts import Found

# Carriers repeat receipts whose acknowledgement they missed, most likely just when responses are
# lost, too. How many of the newest messages are looked through for the id of such a receipt:
# that takes 10 ms, in the few transactions that settle a segment by its handset.
TAIL: Final = 50_000


class Handset(NamedTuple):
    """A phone as one carrier reaches it."""

    carrier: str
    msisdn: Msisdn


INSERT_UNNAMED: Final = """
INSERT OR IGNORE INTO unnamed_submit (carrier, msisdn, mt_id, part, attempt, claimed_at)
SELECT segment.carrier, msisdn, mt_id, part, ?, claimed_at
FROM segment JOIN mt ON mt.id = mt_id WHERE mt_id = ? AND part = ?
"""

# A submit of a time before the clock was set back is older than whatever comes now.
SELECT_UNNAMED: Final = """
SELECT mt_id, part, attempt, iif(unnamed_submit.claimed_at > ?, 0.0, unnamed_submit.claimed_at),
       state, message_id
FROM unnamed_submit JOIN segment USING (mt_id, part)
WHERE unnamed_submit.carrier = ? AND msisdn = ?
"""

# The state stands in the SQL as a literal: only then is the partial index used.
SELECT_CLAIMED: Final = f"""
SELECT mt_id, part, attempts + 1, iif(claimed_at > ?, 0.0, claimed_at)
FROM segment JOIN mt ON mt.id = mt_id
WHERE state = '{MtState.CLAIMED}' AND segment.carrier = ? AND msisdn = ?
"""


def remember(con: sqlite3.Connection, key: SegmentKey, attempt: int) -> Handset:
    """Note a submit that may have reached the carrier; return the handset that it went to."""
    con.execute(INSERT_UNNAMED, (attempt, *key))
    carrier, msisdn = con.execute(
        "SELECT segment.carrier, msisdn FROM segment JOIN mt ON mt.id = mt_id"
        " WHERE mt_id = ? AND part = ?",
        key,
    ).fetchone()
    return Handset(carrier, Msisdn(msisdn))


def forget(con: sqlite3.Connection, key: SegmentKey, attempt: int) -> float | None:
    """Drop a submit whose response, or receipt, came after all; return when it was claimed."""
    row = con.execute(
        "DELETE FROM unnamed_submit WHERE (carrier, msisdn) ="
        " (SELECT segment.carrier, msisdn FROM segment JOIN mt ON mt.id = mt_id"
        "  WHERE mt_id = ?1 AND part = ?2)"
        " AND mt_id = ?1 AND part = ?2 AND attempt = ?3 RETURNING claimed_at",
        (*key, attempt),
    ).fetchone()
    return None if row is None else float(row[0])


def match(
    con: sqlite3.Connection,
    new: Sequence[Receipt],
    lost: Iterable[Handset],
    now: float,
    found: Found,
) -> None:
    """Settle by their handsets what can be: `new` are receipts with ids that no accepted segment
    has, `lost` the handsets of submits whose response was just given up. What settles nothing
    is parked.

    Receipts parked behind a claimed segment are looked at again, too.
    """
    if not _any(con):
        receipts.park(con, new, found)
        return
    handsets: dict[Handset, list[Receipt]] = {handset: [] for handset in (*lost, *_blocked(con))}
    for receipt in new:
        if receipt.source is None:
            receipts.park(con, [receipt], found)
        else:
            handsets.setdefault(Handset(receipt.carrier, receipt.source), []).append(receipt)
    for handset, its in handsets.items():
        _match(con, handset, its, now, found)


def _match(
    con: sqlite3.Connection, handset: Handset, new: list[Receipt], now: float, found: Found
) -> None:
    submits = _unnamed(con, handset, now)
    if not any(submit.open for submit in submits):
        receipts.park(con, new, found)
        _block(con, handset, blocked=False)
        return
    claimed = _claimed(con, handset, now)
    there = _parked(con, handset)
    known = {receipt.message_id for receipt in there}
    there += [receipt for receipt in new if receipt.message_id not in known]
    while pairs := assign(there, submits + claimed):
        foreign = [one.message_id for one, submit in pairs if one.message_id != submit.message_id]
        repeated = _repeated(con, handset, foreign)
        if not repeated:
            break
        found.matched[handset.carrier, How.REPEATED] += len(repeated)
        there = [receipt for receipt in there if receipt.message_id not in repeated]
        _unpark(con, handset, repeated)
    for receipt, submit in pairs:
        _settle(con, receipt, submit, now, found)
    used = {receipt.message_id for receipt, _ in pairs}
    _unpark(con, handset, used)
    receipts.park(con, [one for one in there if one.message_id not in known | used], found)
    _block(con, handset, blocked=bool(claimed))


def _settle(
    con: sqlite3.Connection, receipt: Receipt, submit: Submit, now: float, found: Found
) -> None:
    """Of several receipts for one segment the first counts."""
    state = BY_RECEIPT[receipt.state]
    written = con.execute(
        "UPDATE segment SET state = ?, message_id = ?, response_id = NULL, error = ?, receipt = ?,"
        " done_date = ?, not_before = NULL, changed_at = ?"
        " WHERE mt_id = ? AND part = ? AND state = ?",
        (state, receipt.message_id, receipt.error or None, receipt.state,
         receipt.done_date or None, now, *submit.segment, submit.state),
    ).rowcount  # fmt: skip
    if written:
        found.settled(submit.segment, receipt, How.HANDSET)
    forget(con, submit.segment, submit.attempt)


def _any(con: sqlite3.Connection) -> bool:
    (there,) = con.execute("SELECT EXISTS (SELECT 1 FROM unnamed_submit)").fetchone()
    return bool(there)


def _unnamed(con: sqlite3.Connection, handset: Handset, now: float) -> list[Submit]:
    return [
        Submit(SegmentKey(mt_id, part), attempt, at, MtState(state), message_id or "")
        for mt_id, part, attempt, at, state, message_id in con.execute(
            SELECT_UNNAMED, (now, handset.carrier, handset.msisdn.digits)
        )
    ]


def _claimed(con: sqlite3.Connection, handset: Handset, now: float) -> list[Submit]:
    return [
        Submit(SegmentKey(mt_id, part), attempt, at, MtState.CLAIMED)
        for mt_id, part, attempt, at in con.execute(
            SELECT_CLAIMED, (now, handset.carrier, handset.msisdn.digits)
        )
    ]


def _parked(con: sqlite3.Connection, handset: Handset) -> list[Receipt]:
    return [
        receipts.read(handset.carrier, *row)
        for row in con.execute(
            f"SELECT {receipts.COLUMNS} FROM parked_receipt WHERE carrier = ? AND msisdn = ?",
            (handset.carrier, handset.msisdn.digits),
        )
    ]


def _unpark(con: sqlite3.Connection, handset: Handset, ids: Iterable[str]) -> None:
    con.executemany(
        "DELETE FROM parked_receipt WHERE carrier = ? AND message_id = ?",
        [(handset.carrier, message_id) for message_id in ids],
    )


def _blocked(con: sqlite3.Connection) -> list[Handset]:
    """The handsets with receipts that were parked behind a claimed segment."""
    return [
        Handset(carrier, Msisdn(msisdn))
        for carrier, msisdn in con.execute(
            "SELECT DISTINCT carrier, msisdn FROM parked_receipt WHERE blocked = 1"
        )
    ]


def _block(con: sqlite3.Connection, handset: Handset, *, blocked: bool) -> None:
    """Say whether the handset's parked receipts are to be looked at again in each transaction."""
    con.execute(
        "UPDATE parked_receipt SET blocked = ?1 WHERE carrier = ?2 AND msisdn = ?3"
        " AND blocked <> ?1",
        (blocked, handset.carrier, handset.msisdn.digits),
    )


def _repeated(con: sqlite3.Connection, handset: Handset, ids: Sequence[str]) -> set[str]:
    """Of these ids, those that one of the newest messages has; of finished ones, which have moved
    to the history, the handset's."""
    places = ", ".join("?" * len(ids))
    after = last_id(con, "mt") - TAIL
    rows = con.execute(
        "SELECT message_id FROM segment WHERE mt_id > ? AND carrier = ?"
        f" AND message_id IN ({places})"
        " UNION ALL SELECT json_extract(value, '$.message_id')"
        " FROM history_mt, json_each(segments) WHERE msisdn = ? AND history_mt.id > ?"
        f" AND carrier = ? AND json_extract(value, '$.message_id') IN ({places})",
        (after, handset.carrier, *ids, handset.msisdn.digits, after, handset.carrier, *ids),
    )
    return {message_id for (message_id,) in rows}

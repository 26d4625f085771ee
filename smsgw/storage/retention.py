"""What is no longer kept: texts, records of messages and registrations, what notices said.

A sweep at a time, each a short transaction over the oldest of one sort. Reports read counts that
were taken before; chains run over digests that stay.
"""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from smsgw.service.keep import Keep
from smsgw.service.keyed import Keyed
from smsgw.service.message import Channel, Msisdn
from smsgw.service.notices import NoticeState
from smsgw.storage import erased, requests
from smsgw.storage.audit import Author, Origin
from smsgw.storage.database import transaction
from smsgw.storage.erasing import gone
from smsgw.storage.subscriptions import LIVE
from smsgw.storage.tidy import PARKED_FOR, UNNAMED_FOR

BATCH: Final = 200  # rows in one transaction: 10 ms where each has an index with a random key
LOOKED_AT: Final = 1000  # entries of the audit that are looked at in one: 5 ms

_NOBODY: Final = Origin(Channel.IMPORT, "daemon")


class Sweep(NamedTuple):
    """One transaction's worth of one sort: how many rows it dealt with, and where it goes on."""

    rows: int
    after: int | None = None  # None: that was all


Sweeper = Callable[[sqlite3.Connection, Keep, Keyed, float, int], Sweep]


def _ids(con: sqlite3.Connection, query: str, *values: object) -> list[tuple[int]]:
    return con.execute(f"{query} LIMIT {BATCH}", values).fetchall()


def _more(ids: list[tuple[int]]) -> Sweep:
    return Sweep(len(ids), 0 if len(ids) == BATCH else None)


def texts_in(con: sqlite3.Connection, keep: Keep, _: Keyed, now: float, __: int) -> Sweep:
    """What customers wrote."""
    ids = _ids(
        con,
        "SELECT id FROM history_mo WHERE text IS NOT NULL AND received_at < ?",
        now - keep.texts,
    )
    with transaction(con):
        con.executemany("UPDATE history_mo SET text = NULL, tried = NULL WHERE id = ?", ids)
    return _more(ids)


def texts_out(con: sqlite3.Connection, keep: Keep, _: Keyed, now: float, __: int) -> Sweep:
    """What was written to them, in announcements too."""
    before = now - keep.texts
    ids = _ids(con, "SELECT id FROM history_mt WHERE text IS NOT NULL AND created_at < ?", before)
    with transaction(con):
        con.executemany("UPDATE history_mt SET text = NULL WHERE id = ?", ids)
        con.execute(
            "UPDATE notice_run SET text = NULL"
            " WHERE text IS NOT NULL AND made_at < ? AND state IN ('done', 'cancelled')",
            (before,),
        )
    return _more(ids)


def _oldest(con: sqlite3.Connection, table: str, time: str, before: float) -> list[tuple[int]]:
    """The first rows of a table, as far as they are old: ids grow with time, or nearly."""
    return con.execute(
        f"SELECT id FROM (SELECT id, {time} AS at FROM {table} ORDER BY id LIMIT {BATCH})"
        " WHERE at < ?",
        (before,),
    ).fetchall()


def messages_in(con: sqlite3.Connection, keep: Keep, _: Keyed, now: float, __: int) -> Sweep:
    ids = _oldest(con, "history_mo", "received_at", now - keep.messages)
    with transaction(con):
        con.executemany("DELETE FROM history_number WHERE mo_id = ?", ids)
        con.executemany("DELETE FROM history_mo WHERE id = ?", ids)
    return _more(ids)


def messages_out(con: sqlite3.Connection, keep: Keep, _: Keyed, now: float, __: int) -> Sweep:
    ids = _oldest(con, "history_mt", "created_at", now - keep.messages)
    with transaction(con):
        con.executemany("DELETE FROM history_number WHERE mt_id = ?", ids)
        con.executemany("DELETE FROM history_mt WHERE id = ?", ids)
    return _more(ids)


def receipts(con: sqlite3.Connection, keep: Keep, _: Keyed, now: float, __: int) -> Sweep:
    ids = _oldest(con, "orphan_receipt", "received_at", now - keep.messages)
    with transaction(con):
        con.executemany("DELETE FROM orphan_receipt WHERE id = ?", ids)
    return _more(ids)


def registrations(con: sqlite3.Connection, keep: Keep, keyed: Keyed, now: float, _: int) -> Sweep:
    """Those that ended, or were rejected, long ago. Reports of old days keep digests of them."""
    rows = con.execute(
        "SELECT id, msisdn, customer_number, activated_at, ended_at FROM subscription"
        f" WHERE NOT ({LIVE}) AND ended_at < ? LIMIT {BATCH}",
        (now - keep.messages,),
    ).fetchall()
    author = Author(keyed, _NOBODY, now)
    with transaction(con):
        for id_, msisdn, *row in rows:
            erased.keep(con, gone(author, Msisdn(msisdn), [tuple(row)], now))
            con.execute("DELETE FROM subscription WHERE id = ?", (id_,))
    return Sweep(len(rows), 0 if len(rows) == BATCH else None)


# Entries that are counted, of pairs that are registered no more.
_ENTRIES: Final = f"""
SELECT id, at < ?1 AND id <= (SELECT audit FROM count_mark) AND msisdn IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM subscription WHERE subscription.msisdn = entry.msisdn
                  AND subscription.customer_number = entry.customer_number AND {LIVE})
FROM audit AS entry WHERE id > ?2 ORDER BY id LIMIT {LOOKED_AT}
"""


def entries(con: sqlite3.Connection, keep: Keep, _: Keyed, now: float, after: int) -> Sweep:
    """Whose registrations old entries of the audit are about, where these are no more."""
    before = now - keep.messages
    rows = con.execute(_ENTRIES, (before, after)).fetchall()
    due = [(id_,) for id_, old in rows if old]
    if due:
        with transaction(con):
            con.executemany(
                "UPDATE audit SET msisdn = NULL, customer_number = NULL WHERE id = ?", due
            )
    young = rows and con.execute("SELECT at >= ? FROM audit WHERE id = ?", (before, rows[-1][0]))
    more = len(rows) == LOOKED_AT and not (young and young.fetchone()[0])
    return Sweep(len(due), rows[-1][0] if more else None)


def evidence(con: sqlite3.Connection, keep: Keep, _: Keyed, now: float, __: int) -> Sweep:
    """What notices said, and to whom; that they were sent stays."""
    ids = _ids(
        con,
        "SELECT id FROM evidence WHERE msisdn IS NOT NULL AND final_at < ?",
        now - keep.evidence,
    )
    with transaction(con):
        con.executemany(
            "UPDATE evidence SET msisdn = NULL, customer_number = NULL, bills = NULL,"
            " parameters = NULL, text = NULL WHERE id = ?",
            ids,
        )
    return _more(ids)


def notices(con: sqlite3.Connection, keep: Keep, _: Keyed, now: float, __: int) -> Sweep:
    """Those of which neither the message nor what it said is kept. Their keys stay: nobody is
    noticed a second time."""
    ids = _oldest(con, "notice", "changed_at", now - max(keep.messages, keep.evidence))
    with transaction(con):
        deleted = con.executemany(
            f"DELETE FROM notice WHERE id = ? AND state <> '{NoticeState.PLANNED}'"
            " AND NOT EXISTS (SELECT 1 FROM mt WHERE mt.id = mt_id)",
            ids,
        ).rowcount
    return Sweep(deleted, 0 if deleted == BATCH else None)


def partners(con: sqlite3.Connection, keep: Keep, _: Keyed, now: float, __: int) -> Sweep:
    """What partners asked for, and after a day what they were answered."""
    dropped = requests.drop_answers(con, now, BATCH)
    ids = _oldest(con, "request", "at", now - keep.messages)
    with transaction(con):
        con.executemany("DELETE FROM request WHERE id = ?", ids)
        erased.forget(con, now - UNNAMED_FOR - PARKED_FOR)
    return Sweep(dropped + len(ids), 0 if BATCH in (dropped, len(ids)) else None)


SWEEPERS: Final[Iterable[Sweeper]] = (
    texts_in, texts_out, messages_in, messages_out, receipts, registrations, entries, evidence,
    notices, partners,
)  # fmt: skip

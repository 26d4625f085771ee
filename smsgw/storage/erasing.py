"""Erasing a person: a phone, its texts and its registrations go, counts and chains stay.

In short transactions, each of which leaves everything right: cut off at any moment, it is finished
by being done again. Counts are taken of what goes before it goes. What is on its way goes on
without a name (see `erased`), so that what carriers say of it still counts.

The stop stays, as a digest: it goes on barring imports and partners. So do the digests of notices,
of the audit and of the evidence.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple
from unicodedata import normalize

from smsgw.service.message import FINAL, Msisdn, MtState
from smsgw.service.notices import Cancelled, NoticeState
from smsgw.service.numbers import COUNTRY_CODE
from smsgw.service.report import REMINDERS, Books
from smsgw.storage import audit, counts, erased, history, requests, runs, subjects
from smsgw.storage.audit import Author
from smsgw.storage.database import transaction
from smsgw.storage.erased import NOBODY, Registration
from smsgw.storage.pace import Pace
from smsgw.text.blanking import blanked

BATCH: Final = 40  # messages in one transaction, as many as go to the history at once
PASSES: Final = 5  # over what comes in while it is done
CHECKPOINTS: Final = 20  # tries to empty the log, each while nobody reads

_FINAL: Final = ", ".join(f"'{state}'" for state in sorted(FINAL))
_UNSENT: Final = f"'{MtState.QUEUED}', '{MtState.WAITING}'"

# Rows that stand for themselves, or for the parts that leave with them (see history).
_MOS: Final = """
SELECT id FROM mo WHERE msisdn = ? AND (assembly IS NULL OR intent IS NOT NULL
    OR NOT EXISTS (SELECT 1 FROM mo AS whole
                   WHERE whole.assembly = mo.assembly AND whole.intent IS NOT NULL))
ORDER BY id LIMIT ?
"""
_LIVE: Final = f"SELECT EXISTS (SELECT 1 FROM segment WHERE mt_id = ? AND state NOT IN ({_FINAL}))"
_DISTINCT_NUMBERS: Final = """
SELECT DISTINCT customer_number FROM subscription WHERE msisdn = ?1
UNION SELECT customer_number FROM notice WHERE msisdn = ?1 AND customer_number IS NOT NULL
UNION SELECT customer_number FROM audit WHERE msisdn = ?1 AND customer_number IS NOT NULL
"""


class Erased(NamedTuple):
    """What was removed, or emptied."""

    registrations: int
    messages_in: int
    messages_out: int
    on_the_way: int  # of those out: they end without a name
    notices: int
    audit: int  # entries
    others: int  # texts of others that named the phone

    @property
    def anything(self) -> bool:
        return any(self)


def erase(
    con: sqlite3.Connection,
    msisdn: Msisdn,
    books: Books,
    author: Author,
    pace: Pace,
    sleep: Callable[[float], None],
) -> Erased:
    """Erase all that is stored of a phone's person.

    Messages from others that name the phone lose their texts; those that are still to be sent keep
    theirs, as does an announcement that names it.
    """
    with pace.turn():
        _close_books(con, books, author.now)
    numbers = [number for (number,) in con.execute(_DISTINCT_NUMBERS, (msisdn.digits,))]
    with pace.turn(), transaction(con):
        known = _known(con, msisdn, author)
        if known:
            _note(con, msisdn, author)
    incoming = outgoing = on_the_way = 0
    for _ in range(PASSES):
        came = _incoming(con, msisdn, books, pace)
        gone, going = _outgoing(con, msisdn, books, author.now, pace)
        incoming, outgoing, on_the_way = incoming + came, outgoing + gone, on_the_way + going
        if not came + gone + going:
            break
    incoming += _history(con, "mo", msisdn, pace)
    outgoing += _history(con, "mt", msisdn, pace)
    notices = _notices(con, msisdn, author.now, pace)
    with pace.turn(), transaction(con):
        registrations = _registrations(con, msisdn, books, author)
        entries = _entries(con, msisdn)
        if known or registrations + incoming + outgoing + notices + entries:
            audit.erase(con, author, msisdn)
        _handsets(con, msisdn)
        requests.erase(con, author.keyed, msisdn)
        _payments(con, numbers)
    others = _others(con, msisdn, pace)
    _empty_log(con, sleep)
    return Erased(
        registrations, incoming, outgoing + on_the_way, on_the_way, notices, entries, others
    )


def _known(con: sqlite3.Connection, msisdn: Msisdn, author: Author) -> bool:
    """Whether anything stands under the number, so that there is something to note."""
    for table in (
        "mo", "mt", "history_mo", "history_mt", "subscription", "audit", "notice",
        "parked_receipt", "orphan_receipt", "unnamed_submit", "assembly",
    ):  # fmt: skip
        row = con.execute(f"SELECT 1 FROM {table} WHERE msisdn = ? LIMIT 1", (msisdn.digits,))
        if row.fetchone() is not None:
            return True
    return False


def _note(con: sqlite3.Connection, msisdn: Msisdn, author: Author) -> None:
    """From now on nothing is written down with the number that carriers say of old messages."""
    con.execute(
        "INSERT OR REPLACE INTO erased_person VALUES (?, ?)",
        (erased.person(author.keyed, msisdn), author.now),
    )


def _close_books(con: sqlite3.Connection, books: Books, now: float) -> None:
    """Count what happened to registrations, and the months that are over: the person's entries and
    registrations are needed for that."""
    while counts.register(con, books):
        pass
    counts.close(con, list(counts.unclosed(con, books, now)), books, now)


def _incoming(con: sqlite3.Connection, msisdn: Msisdn, books: Books, pace: Pace) -> int:
    """Move the phone's messages to the history, counted as ever, and empty them there."""
    moved = 0
    while ids := _ids(con, _MOS, msisdn.digits, BATCH):
        with pace.turn(), transaction(con):
            ids = _ids(con, _MOS, msisdn.digits, BATCH)
            # Parts of a message that waits for others wait no longer.
            con.execute("DELETE FROM assembly WHERE msisdn = ?", (msisdn.digits,))
            taken = history.take_incoming(con, ids, books) if ids else 0
            _empty_history(con, "mo", ids[:taken])
        moved += taken
    return moved


def _outgoing(
    con: sqlite3.Connection, msisdn: Msisdn, books: Books, now: float, pace: Pace
) -> tuple[int, int]:
    """End what was not sent; move what has ended to the history and empty it there; and let the
    rest go on without a name. How many were moved, and how many go on."""
    moved = nameless = 0
    query = "SELECT id FROM mt WHERE msisdn = ? ORDER BY id LIMIT ?"
    while ids := _ids(con, query, msisdn.digits, BATCH):
        with pace.turn(), transaction(con):
            _end_unsent(con, ids, now)
            for table in ("unnamed_submit", "search"):
                con.executemany(f"DELETE FROM {table} WHERE mt_id = ?", [(each,) for each in ids])
            live = [each for each in ids if con.execute(_LIVE, (each,)).fetchone()[0]]
            ended = [each for each in ids if each not in live]
            if ended:
                history.take_outgoing(con, ended, books)
                _empty_history(con, "mt", ended)
            _unname(con, live, books)
        moved, nameless = moved + len(ended), nameless + len(live)
    return moved, nameless


def _end_unsent(con: sqlite3.Connection, ids: Sequence[int], now: float) -> None:
    """Segments that wait for their turn are cancelled; one that may have been sent before is
    unconfirmed."""
    con.executemany(
        f"UPDATE segment SET state = iif(lost > 0, '{MtState.UNCONFIRMED}',"
        f" '{MtState.CANCELLED}'), not_before = NULL, changed_at = ?"
        f" WHERE mt_id = ? AND state IN ({_UNSENT})",
        [(now, each) for each in ids],
    )


def _unname(con: sqlite3.Connection, ids: Sequence[int], books: Books) -> None:
    """Leave of messages that are on their way what carriers' words on them need."""
    counts.add_customers(con, _reminded(con, ids, books))
    texts = con.execute(
        "SELECT text, id FROM mt WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    ).fetchall()
    con.executemany(
        f"UPDATE mt SET msisdn = '{NOBODY}', text = ? WHERE id = ?",
        [(blanked(text), id_) for text, id_ in texts],
    )
    con.executemany("UPDATE segment SET octets = x'' WHERE mt_id = ?", [(each,) for each in ids])


def _reminded(
    con: sqlite3.Connection, ids: Sequence[int], books: Books
) -> Iterable[counts.Customer]:
    """The different customers that those of the messages are counted for which a carrier has taken:
    nobody can tell later."""
    about = subjects.of(con, ids)
    for id_, created_at in con.execute(
        "SELECT id, created_at FROM mt WHERE id IN (SELECT value FROM json_each(?))"
        " AND EXISTS (SELECT 1 FROM segment WHERE mt_id = mt.id AND state IN"
        f" ('{MtState.ACCEPTED}', '{MtState.DELIVERED}', '{MtState.UNDELIVERED}'))",
        (json.dumps(list(ids)),),
    ).fetchall():
        purpose, notice = about[id_]
        if notice is not None and notice.customer_number and purpose in REMINDERS:
            yield counts.reminded(books, books.day(created_at), notice.customer_number)


def _history(con: sqlite3.Connection, what: str, msisdn: Msisdn, pace: Pace) -> int:
    """Empty what had gone to the history before."""
    count = 0
    query = f"SELECT id FROM history_{what} WHERE msisdn = ? LIMIT ?"
    while ids := _ids(con, query, msisdn.digits, BATCH):
        with pace.turn(), transaction(con):
            _empty_history(con, what, ids)
        count += len(ids)
    return count


def _empty_history(con: sqlite3.Connection, what: str, ids: Iterable[int]) -> None:
    columns = "msisdn = NULL, text = NULL" + (", tried = NULL" if what == "mo" else "")
    rows = [(each,) for each in ids]
    con.executemany(f"UPDATE history_{what} SET {columns} WHERE id = ?", rows)
    con.executemany(f"DELETE FROM history_number WHERE {what}_id = ?", rows)


def _notices(con: sqlite3.Connection, msisdn: Msisdn, now: float, pace: Pace) -> int:
    count = 0
    query = "SELECT id FROM notice WHERE msisdn = ? LIMIT ?"
    while ids := _ids(con, query, msisdn.digits, BATCH):
        with pace.turn(), transaction(con):
            planned = [
                each
                for each in ids
                if con.execute("SELECT state FROM notice WHERE id = ?", (each,)).fetchone()[0]
                == NoticeState.PLANNED
            ]
            runs.cancelled(con, planned, Cancelled.ERASED, now)
            rows = [(each,) for each in ids]
            con.executemany(
                "UPDATE evidence SET msisdn = NULL, customer_number = NULL, bills = NULL,"
                " parameters = NULL, text = NULL WHERE notice = ?",
                rows,
            )
            con.executemany(
                "UPDATE notice SET msisdn = NULL, customer_number = NULL, bills = NULL,"
                " parameters = NULL WHERE id = ?",
                rows,
            )
        count += len(ids)
    return count


def _registrations(con: sqlite3.Connection, msisdn: Msisdn, books: Books, author: Author) -> int:
    """Remove the phone's registrations. Those that are active count until the day is over, as do
    those that end by a message."""
    rows = con.execute(
        "DELETE FROM subscription WHERE msisdn = ?"
        " RETURNING customer_number, activated_at, ended_at",
        (msisdn.digits,),
    ).fetchall()
    ends = books.ends(date.fromisoformat(books.day(author.now)))
    erased.keep(con, gone(author, msisdn, rows, ends))
    return len(rows)


def gone(
    author: Author,
    msisdn: Msisdn,
    rows: Iterable[tuple[str, float | None, float | None]],
    ends: float,
) -> list[Registration]:
    """What is kept of registrations (customer number, active since, ended) that were ever active;
    those that still are end at `ends`."""
    keyed = author.keyed
    return [
        Registration(
            erased.person(keyed, msisdn),
            erased.customer(keyed, number),
            activated_at,
            ends if ended_at is None else ended_at,
        )
        for number, activated_at, ended_at in rows
        if activated_at is not None
    ]


def _entries(con: sqlite3.Connection, msisdn: Msisdn) -> int:
    query = "SELECT count(*) FROM audit WHERE msisdn = ?"
    (entries,) = con.execute(query, (msisdn.digits,)).fetchone()
    return int(entries)


def _handsets(con: sqlite3.Connection, msisdn: Msisdn) -> None:
    """Receipts that belong to nothing stay, without the handset."""
    phone = (msisdn.digits,)
    con.execute("UPDATE parked_receipt SET msisdn = NULL, blocked = 0 WHERE msisdn = ?", phone)
    con.execute("UPDATE orphan_receipt SET msisdn = NULL WHERE msisdn = ?", phone)
    con.execute("DELETE FROM unnamed_submit WHERE msisdn = ?", phone)


def _payments(con: sqlite3.Connection, numbers: Iterable[str]) -> None:
    """Payments for customer numbers that nobody is registered for any more."""
    con.executemany(
        "DELETE FROM payment WHERE customer_number = ?1"
        " AND NOT EXISTS (SELECT 1 FROM subscription WHERE customer_number = ?1)",
        [(number,) for number in numbers],
    )


def _others(con: sqlite3.Connection, msisdn: Msisdn, pace: Pace) -> int:
    """Drop finished texts of others that name the phone, in whatever grouping of its digits."""
    national = msisdn.digits.removeprefix(str(COUNTRY_CODE))

    def names(text: str) -> bool:
        return national in re.sub(r"[^0-9]", "", normalize("NFKC", text))

    count = 0
    for table in ("history_mo", "history_mt", "mo"):
        query = f"SELECT id, text FROM {table} WHERE text IS NOT NULL"
        found = [id_ for id_, text in con.execute(query) if names(text)]
        emptied = "text = '', octets = x''" if table == "mo" else "text = NULL"
        while ids := found[:BATCH]:
            del found[:BATCH]
            with pace.turn(), transaction(con):
                con.executemany(
                    f"UPDATE {table} SET {emptied} WHERE id = ?", [(each,) for each in ids]
                )
            count += len(ids)
    return count


def _ids(con: sqlite3.Connection, query: str, *values: object) -> list[int]:
    return [id_ for (id_,) in con.execute(query, values)]


def _empty_log(con: sqlite3.Connection, sleep: Callable[[float], None]) -> None:
    """Have nothing stand in the log any more either. Where somebody reads all the time, the log is
    written over by what comes."""
    for _ in range(CHECKPOINTS):
        (busy, *_) = con.execute("PRAGMA main.wal_checkpoint(TRUNCATE)").fetchone()
        if not busy:
            return
        sleep(0.1)

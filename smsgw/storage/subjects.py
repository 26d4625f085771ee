"""What a message to a customer is about: the notice that it carries, or the message it answers."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple


class NoticeOf(NamedTuple):
    """The notice that a message carries. What was erased is None."""

    id: int
    run: int
    kind: str  # notices.NoticeKind
    customer_number: str | None
    bills: str | None  # JSON, as in the table
    parameters: str | None  # JSON


class Subject(NamedTuple):
    purpose: str  # the intent it answers, the kind of its notice, or '': neither
    notice: NoticeOf | None


_NOTICE: Final = (
    "notice.id, notice.run, notice_run.kind, notice.customer_number, notice.bills,"
    " notice.parameters"
)
_SUBJECTS: Final = f"""
SELECT mt.id, mt.found_from, coalesce(mo.intent, history_mo.intent), {_NOTICE}
FROM mt LEFT JOIN mo ON mo.id = mt.mo_id LEFT JOIN history_mo ON history_mo.id = mt.mo_id
LEFT JOIN notice ON notice.mt_id = mt.id LEFT JOIN notice_run ON notice_run.id = notice.run
"""

# The notice of the message that another one repeats: its message is there, or has gone to the
# history and left evidence.
_REPEATED: Final = f"""
SELECT {_NOTICE} FROM notice JOIN notice_run ON notice_run.id = notice.run
WHERE notice.id = coalesce((SELECT id FROM notice WHERE mt_id = ?1),
                           (SELECT notice FROM evidence WHERE mt_id = ?1))
"""

_LONGEST_CHAIN: Final = 100  # repeats of a message, one over each carrier


def of(con: sqlite3.Connection, ids: Sequence[int] | None = None) -> dict[int, Subject]:
    """What messages that are not in the history yet are about, by id; None: all of them."""
    where, values = (
        ("", ())
        if ids is None
        else ("WHERE mt.id IN (SELECT value FROM json_each(?))", (json.dumps(ids),))
    )
    found = {}
    for mt_id, found_from, intent, *row in con.execute(_SUBJECTS + where, values).fetchall():
        notice = NoticeOf(*row) if row[0] is not None else _of_repeated(con, found_from)
        found[mt_id] = Subject(intent or (notice.kind if notice else ""), notice)
    return found


def _of_repeated(con: sqlite3.Connection, mt_id: int | None) -> NoticeOf | None:
    """The notice of the message that a chain of repeats began with."""
    for _ in range(_LONGEST_CHAIN):
        if mt_id is None:
            return None
        row = con.execute(_REPEATED, (mt_id,)).fetchone()
        if row is not None:
            return NoticeOf(*row)
        row = con.execute("SELECT found_from FROM mt WHERE id = ?", (mt_id,)).fetchone()
        mt_id = None if row is None else row[0]
    return None

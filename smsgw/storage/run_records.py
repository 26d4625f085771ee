"""Runs of notices, for those who look at them."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

from smsgw.service.message import SCRIPTS, Msisdn, MtState, Script
from smsgw.service.message_state import DECIDING
from smsgw.service.notices import (
    Cancelled,
    NoticeKind,
    NoticeState,
    Recipient,
    RunState,
)
from smsgw.service.record import HELD
from smsgw.service.run_parts import Lately
from smsgw.storage.progress import lately

_RUN: Final = "SELECT id, kind, day, state, automatic, made_at, notices, hold, text FROM notice_run"
_PLANNED: Final = f"state = '{NoticeState.PLANNED}'"


class RunRecord(NamedTuple):
    """A run as it stands. Times are seconds since 1970."""

    id: int
    kind: NoticeKind
    day: date
    state: RunState
    automatic: bool
    made_at: float
    notices: int  # that it was made with
    hold: str
    text: str | None  # of an announcement
    left: int  # notices whose turn has not come


class RunChange(NamedTuple):
    """A state that a run went into."""

    at: float
    state: RunState
    who: str
    reason: str


class Progress(NamedTuple):
    """What became of a run's notices."""

    left: Mapping[tuple[str, Script], int]  # notices whose turn has not come, by carrier and script
    sent: int
    cancelled: Mapping[Cancelled, int]
    messages: Mapping[str, int]  # of those sent, by the states of their messages
    waiting: list[Recipient]  # the first of those left
    held: list[int]  # the first messages whose response was lost, and that wait for an operator
    lately: Mapping[tuple[str, Script], Lately]  # notices sent, by carrier and script


_LARGEST_ID: Final = 2**63 - 1  # SQLite's


def find(con: sqlite3.Connection, limit: int, before: int = _LARGEST_ID) -> list[RunRecord]:
    """The last `limit` runs with an id below `before`, the last first."""
    rows = con.execute(f"{_RUN} WHERE id < ? ORDER BY id DESC LIMIT ?", (before, limit)).fetchall()
    return [_record(con, row) for row in rows]


def one(con: sqlite3.Connection, run: int) -> RunRecord | None:
    row = con.execute(f"{_RUN} WHERE id = ?", (run,)).fetchone()
    return None if row is None else _record(con, row)


def _record(
    con: sqlite3.Connection,
    row: tuple[int, str, str, str, int, float, int, str, str | None],
) -> RunRecord:
    run, kind, day, state, automatic, made_at, notices, hold, said = row
    (left,) = con.execute(
        f"SELECT count(*) FROM notice WHERE run = ? AND {_PLANNED}", (run,)
    ).fetchone()
    return RunRecord(
        run,
        NoticeKind(kind),
        date.fromisoformat(day),
        RunState(state),
        bool(automatic),
        made_at,
        notices,
        hold,
        said,
        left,
    )


def changes(con: sqlite3.Connection, run: int) -> list[RunChange]:
    """What became of a run, the first thing first."""
    rows = con.execute(
        "SELECT at, state, who, reason FROM notice_run_change WHERE run = ? ORDER BY rowid", (run,)
    )
    return [RunChange(at, RunState(state), who, reason) for at, state, who, reason in rows]


# The state of a message is that of the segment which decides.
_PLACE: Final = " ".join(f"WHEN '{state}' THEN {place}" for place, state in enumerate(DECIDING))
_LIVE_STATES: Final = f"""
SELECT place, held, count(*) FROM (
    SELECT min(CASE segment.state {_PLACE} END) AS place,
           max(segment.state = '{MtState.UNKNOWN}' AND not_before IS NULL) AS held
    FROM notice JOIN segment ON segment.mt_id = notice.mt_id
    WHERE run = ? AND notice.mt_id IS NOT NULL GROUP BY notice.mt_id)
GROUP BY place, held
"""
_MOVED_STATES: Final = """
SELECT history_mt.state, count(*) FROM notice JOIN history_mt ON history_mt.id = notice.mt_id
WHERE run = ? GROUP BY history_mt.state
"""
_HELD: Final = f"""
SELECT DISTINCT notice.mt_id FROM segment JOIN notice ON notice.mt_id = segment.mt_id
WHERE segment.state = '{MtState.UNKNOWN}' AND not_before IS NULL AND run = ?
ORDER BY notice.mt_id LIMIT ?
"""


def progress(con: sqlite3.Connection, run: int, now: float, shown: int) -> Progress:
    """What became of a run's notices; `shown` of each list at most."""
    left = {
        (carrier, SCRIPTS[script]): count
        for carrier, script, count in con.execute(
            "SELECT carrier, script, count(*) FROM notice"
            f" WHERE run = ? AND {_PLANNED} GROUP BY carrier, script",
            (run,),
        )
    }
    sent = 0
    cancelled: Counter[Cancelled] = Counter()
    for state, reason, count in con.execute(
        "SELECT state, reason, count(*) FROM notice"
        f" WHERE run = ? AND NOT {_PLANNED} GROUP BY state, reason",
        (run,),
    ):
        if state == NoticeState.SENT:
            sent += count
        else:
            cancelled[Cancelled(reason)] += count
    return Progress(
        left,
        sent,
        cancelled,
        _messages(con, run),
        [
            Recipient(Msisdn(msisdn or ""), number or "", carrier, SCRIPTS[script])
            for msisdn, number, carrier, script in con.execute(
                "SELECT msisdn, customer_number, carrier, script FROM notice"
                f" WHERE run = ? AND {_PLANNED} ORDER BY id LIMIT ?",
                (run, shown),
            )
        ],
        [mt_id for (mt_id,) in con.execute(_HELD, (run, shown))],
        lately(con, [run], now)[run],
    )


def _messages(con: sqlite3.Connection, run: int) -> dict[str, int]:
    found: Counter[str] = Counter()
    for place, held, count in con.execute(_LIVE_STATES, (run,)):
        state = DECIDING[place]
        found[HELD if held and state is MtState.UNKNOWN else state.value] += count
    for state, count in con.execute(_MOVED_STATES, (run,)):
        found[state] += count
    return dict(sorted(found.items()))

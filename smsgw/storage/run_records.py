"""Runs of notices, for those who look at them."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

from smsgw.service.message import SCRIPTS, Msisdn, MtState, Script
from smsgw.service.message_state import DECIDING
from smsgw.service.money import amount
from smsgw.service.money import day as written_day
from smsgw.service.notices import (
    Cancelled,
    Due,
    NoticeKind,
    NoticeRules,
    NoticeState,
    Recipient,
    RunState,
    text,
)
from smsgw.service.record import HELD

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
    rates: Mapping[str, float]  # notices sent a second of the last minute, by carrier


def find(con: sqlite3.Connection, limit: int) -> list[RunRecord]:
    """The last `limit` runs, the last first."""
    rows = con.execute(f"{_RUN} ORDER BY id DESC LIMIT ?", (limit,)).fetchall()
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
        _rates(con, run, now),
    )


MINUTE: Final = 60.0
ENOUGH: Final = 5.0  # seconds of it, that tell something


def _rates(con: sqlite3.Connection, run: int, now: float) -> dict[str, float]:
    return {
        carrier: count / (now - since)
        for carrier, count, since in con.execute(
            "SELECT carrier, count(*), min(changed_at) FROM notice"
            f" WHERE run = ? AND state = '{NoticeState.SENT}' AND changed_at > ? GROUP BY carrier",
            (run, now - MINUTE),
        )
        if now - since >= ENOUGH
    }


def _messages(con: sqlite3.Connection, run: int) -> dict[str, int]:
    found: Counter[str] = Counter()
    for place, held, count in con.execute(_LIVE_STATES, (run,)):
        state = DECIDING[place]
        found[HELD if held and state is MtState.UNKNOWN else state.value] += count
    for state, count in con.execute(_MOVED_STATES, (run,)):
        found[state] += count
    return dict(sorted(found.items()))


# What fills the texts whose parts are counted before anybody knows what will: as long as usual.
_USUAL: Final = {
    "number": "300012345678",
    "amount": amount(12345, "EUR"),
    "due": written_day(date(2026, 12, 31)),
    "cut_off": written_day(date(2026, 12, 31)),
}


def parts(run: RunRecord, carrier: str, script: Script, rules: NoticeRules) -> int:
    """How many parts one of the run's notices takes over a carrier, as a rule."""
    says = run.text
    if says is None:
        says = text(run.kind, Due(("",), _USUAL), script, rules)
    return rules.encodings[carrier].count_parts(says) if carrier in rules.encodings else 0


def parts_left(
    run: RunRecord, left: Mapping[tuple[str, Script], int], rules: NoticeRules
) -> dict[str, int]:
    """About how many parts are left to be sent, by carrier."""
    found: Counter[str] = Counter()
    for (carrier, script), count in left.items():
        found[carrier] += count * parts(run, carrier, script, rules)
    return {carrier: count for carrier, count in found.items() if count}


def rates(
    run: RunRecord,
    seen: Mapping[str, float],
    throughput: Mapping[str, float],
    rules: NoticeRules,
) -> dict[str, float]:
    """Parts a second by carrier: as notices were seen to go out, else what it is held to."""
    return {
        **throughput,
        **{
            carrier: rate * parts(run, carrier, Script.LATIN, rules)
            for carrier, rate in seen.items()
        },
    }

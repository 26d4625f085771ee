"""Runs of notices: made in short transactions, held, confirmed, paused, resumed and cancelled.

One process at a time makes a run, by a lock that ends with it: a run that was being made when its
process died is dropped by the next who makes one. Until it is whole, nothing of a run goes out.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from json import dumps
from pathlib import Path
from typing import Final, NamedTuple

from smsgw.service.keyed import Keyed
from smsgw.service.notices import (
    RUN_TRANSITIONS,
    Cancelled,
    NoticeState,
    Planned,
    RunState,
)
from smsgw.storage import lock
from smsgw.storage.database import StorageError, transaction
from smsgw.storage.messages import last_id
from smsgw.storage.notice_keys import digests
from smsgw.storage.pace import Pace
from smsgw.storage.planning import Plan

LOCK: Final = "notices"  # held by the process that makes a run
DAEMON: Final = "daemon"  # who makes the daily runs

# The states stand in the SQL as literals: only then are the partial indexes used.
ALIVE: Final = "state IN ('making', 'held', 'running', 'paused')"
RUNNING: Final = f"{ALIVE} AND state = '{RunState.RUNNING}'"
PLANNED: Final = f"state = '{NoticeState.PLANNED}'"

_INSERT_NOTICE: Final = (
    "INSERT INTO notice (id, run, msisdn, customer_number, bills, carrier, script, state,"
    f" changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, '{NoticeState.PLANNED}', ?)"
)


class RunRefusedError(Exception):
    """What is asked for is not done; it says why, and what to do."""


class Order(NamedTuple):
    """Who wants a run, and how."""

    who: str
    reason: str = ""
    automatic: bool = False  # the daily one: there is one of a kind a day, be it empty
    force: bool = False  # without the hold


class Made(NamedTuple):
    """What became of a plan."""

    run: int | None  # None: it is empty, and there is none
    state: RunState
    plan: Plan


def make(
    con: sqlite3.Connection,
    planned: Callable[[], Plan],
    keyed: Keyed,
    order: Order,
    now: float,
    pace: Pace,
    progress: Callable[[int], None] = lambda _: None,
) -> Made:
    """Make a run of what `planned` gives, once no other process makes one.

    `progress` hears how many of its notices are written. Raises RunRefusedError.
    """
    with _alone(con):
        _drop(con, pace)
        plan = planned()
        if plan.refusal:
            raise RunRefusedError(plan.refusal)
        if order.automatic:
            _refuse_second(con, plan)
        elif not plan.notices:
            return Made(None, RunState.DONE, plan)
        held = "" if order.force else plan.hold
        with transaction(con):
            run = _begin(con, plan, order, held, now)
        _write(con, run, plan, keyed, now, pace, progress)
        state = RunState.HELD if held else RunState.RUNNING if plan.notices else RunState.DONE
        with transaction(con):
            con.execute("UPDATE notice_run SET notices = ? WHERE id = ?", (len(plan.notices), run))
            change(con, run, state, order.who, order.reason or held, now)
        return Made(run, state, plan)


@contextmanager
def _alone(con: sqlite3.Connection) -> Iterator[None]:
    folder = _folder(con)
    if (process := lock.holder(folder, LOCK)) is not None:
        raise RunRefusedError(f"process {process} is making a run: wait until it is done")
    with lock.hold(folder, LOCK):
        yield


def _folder(con: sqlite3.Connection) -> Path:
    """Where the database of a connection lies."""
    return next(
        Path(file).parent for _, name, file in con.execute("PRAGMA database_list") if name == "main"
    )


def _refuse_second(con: sqlite3.Connection, plan: Plan) -> None:
    there = con.execute(
        "SELECT id FROM notice_run WHERE automatic = 1 AND kind = ? AND day = ?",
        (plan.kind.value, plan.day.isoformat()),
    ).fetchone()
    if there is not None:
        raise RunRefusedError(
            f"the daily run of {plan.kind} notices for {plan.day} is there already: run {there[0]}"
        )


def _begin(con: sqlite3.Connection, plan: Plan, order: Order, held: str, now: float) -> int:
    (run,) = con.execute(
        "INSERT INTO notice_run (kind, day, state, automatic, made_at, hold, text)"
        f" VALUES (?, ?, '{RunState.MAKING}', ?, ?, ?, ?) RETURNING id",
        (plan.kind.value, plan.day.isoformat(), order.automatic, now, held, plan.text),
    ).fetchone()
    _note(con, run, RunState.MAKING, order.who, order.reason, now)
    return int(run)


def _write(
    con: sqlite3.Connection,
    run: int,
    plan: Plan,
    keyed: Keyed,
    now: float,
    pace: Pace,
    progress: Callable[[int], None],
) -> None:
    start = 0
    while start < len(plan.notices):
        batch = plan.notices[start : start + pace.size]
        values = [_values(one, run, now) for one in batch]
        keys = [digests(keyed, plan.kind, one) for one in batch]
        with pace.turn(), transaction(con):
            first = last_id(con, "notice") + 1
            con.executemany(
                _INSERT_NOTICE, [(first + place, *rest) for place, rest in enumerate(values)]
            )
            con.executemany(
                "INSERT INTO notice_key (digest, notice) VALUES (?, ?)",
                [(digest, first + place) for place, some in enumerate(keys) for digest in some],
            )
        start += len(batch)
        progress(start)


def _values(one: Planned, run: int, now: float) -> tuple[object, ...]:
    msisdn, number, carrier, script = one.recipient
    bills = list(zip(one.due.bills, one.attempts, strict=True))
    return run, msisdn.digits, number, dumps(bills), carrier, script.value, now


def change(
    con: sqlite3.Connection, run: int, to: RunState, who: str, reason: str, now: float
) -> None:
    """Bring a run into another state, inside the caller's transaction. Raises RunRefusedError
    where there is no way from the one it is in."""
    row = con.execute("SELECT state FROM notice_run WHERE id = ?", (run,)).fetchone()
    if row is None:
        raise RunRefusedError(f"there is no run {run}")
    state = RunState(row[0])
    if to not in RUN_TRANSITIONS[state]:
        raise RunRefusedError(f"run {run} is {state}")
    con.execute("UPDATE notice_run SET state = ? WHERE id = ?", (to.value, run))
    _note(con, run, to, who, reason, now)


def _note(
    con: sqlite3.Connection, run: int, state: RunState, who: str, reason: str, now: float
) -> None:
    con.execute(
        "INSERT INTO notice_run_change (run, at, state, who, reason) VALUES (?, ?, ?, ?, ?)",
        (run, now, state.value, who, reason),
    )


def confirm(con: sqlite3.Connection, run: int, who: str, reason: str, now: float) -> None:
    """Let a held run go. Raises RunRefusedError."""
    _only(con, run, RunState.HELD, RunState.RUNNING, who, reason, now)


def pause(con: sqlite3.Connection, run: int, who: str, reason: str, now: float) -> None:
    """Send nothing more of a run, until it is resumed. Raises RunRefusedError."""
    _only(con, run, RunState.RUNNING, RunState.PAUSED, who, reason, now)


def resume(con: sqlite3.Connection, run: int, who: str, reason: str, now: float) -> None:
    """Go on with a paused run. Raises RunRefusedError."""
    _only(con, run, RunState.PAUSED, RunState.RUNNING, who, reason, now)


def _only(
    con: sqlite3.Connection,
    run: int,
    of: RunState,
    to: RunState,
    who: str,
    reason: str,
    now: float,
) -> None:
    with transaction(con):
        row = con.execute("SELECT state FROM notice_run WHERE id = ?", (run,)).fetchone()
        if row is not None and row[0] != of:
            raise RunRefusedError(f"run {run} is {row[0]}, not {of}")
        change(con, run, to, who, reason, now)


def cancel(con: sqlite3.Connection, run: int, who: str, reason: str, now: float, pace: Pace) -> int:
    """Send nothing more of a run, ever; how many notices that are. Their bills may be noticed by
    another run then. Done again, it finishes what was cut off. Raises RunRefusedError."""
    with transaction(con):
        row = con.execute("SELECT state FROM notice_run WHERE id = ?", (run,)).fetchone()
        if row is None or row[0] != RunState.CANCELLED or not _planned(con, run, 1):
            change(con, run, RunState.CANCELLED, who, reason, now)
    return _cancel_planned(con, run, now, pace)


def _cancel_planned(con: sqlite3.Connection, run: int, now: float, pace: Pace) -> int:
    count = 0
    while ids := _planned(con, run, pace.size):
        with pace.turn(), transaction(con):
            cancelled(con, ids, Cancelled.RUN, now)
        count += len(ids)
    return count


def _planned(con: sqlite3.Connection, run: int, limit: int) -> list[int]:
    rows = con.execute(f"SELECT id FROM notice WHERE run = ? AND {PLANNED} LIMIT ?", (run, limit))
    return [notice for (notice,) in rows]


def _all(con: sqlite3.Connection, run: int, limit: int) -> list[int]:
    """Of a run that nothing was sent of; one that was erased meanwhile is cancelled."""
    rows = con.execute("SELECT id FROM notice WHERE run = ? LIMIT ?", (run, limit))
    return [notice for (notice,) in rows]


def cancelled(
    con: sqlite3.Connection, notices: Sequence[int], reason: Cancelled, now: float
) -> None:
    """Cancel planned notices and give back their keys, inside the caller's transaction."""
    con.executemany(
        f"UPDATE notice SET state = '{NoticeState.CANCELLED}', reason = ?, changed_at = ?"
        f" WHERE id = ? AND {PLANNED}",
        [(reason.value, now, notice) for notice in notices],
    )
    _give_back(con, notices)


def _give_back(con: sqlite3.Connection, notices: Sequence[int]) -> None:
    con.executemany("DELETE FROM notice_key WHERE notice = ?", [(one,) for one in notices])


def finish(con: sqlite3.Connection, now: float) -> list[int]:
    """Make those runs done of which nothing is left to be sent, inside the caller's transaction;
    which they are."""
    rows = con.execute(
        f"SELECT id FROM notice_run WHERE {RUNNING}"
        f" AND NOT EXISTS (SELECT 1 FROM notice WHERE run = notice_run.id AND {PLANNED})"
    ).fetchall()
    done = [run for (run,) in rows]
    for run in done:
        change(con, run, RunState.DONE, DAEMON, "", now)
    return done


def drop_unfinished(con: sqlite3.Connection, now: float, pace: Pace) -> list[int]:
    """Drop the runs whose making was cut off, and finish cancelling where that was; which these
    are. Nothing is done while a process makes a run."""
    try:
        with _alone(con):
            dropped = _drop(con, pace)
            rows = con.execute(
                f"SELECT DISTINCT run FROM notice WHERE {PLANNED} AND run IN"
                f" (SELECT id FROM notice_run WHERE state = '{RunState.CANCELLED}')"
            ).fetchall()
            for (run,) in rows:
                _cancel_planned(con, run, now, pace)
    except (RunRefusedError, StorageError):
        return []
    return dropped + [run for (run,) in rows]


def _drop(con: sqlite3.Connection, pace: Pace) -> list[int]:
    """Drop the runs that nobody makes any more: nothing of them was sent."""
    runs = [
        run
        for (run,) in con.execute(
            f"SELECT id FROM notice_run WHERE {ALIVE} AND state = '{RunState.MAKING}'"
        )
    ]
    for run in runs:
        while ids := _all(con, run, pace.size):
            with pace.turn(), transaction(con):
                _give_back(con, ids)
                con.executemany("DELETE FROM notice WHERE id = ?", [(one,) for one in ids])
        with transaction(con):
            con.execute("DELETE FROM notice_run_change WHERE run = ?", (run,))
            con.execute("DELETE FROM notice_run WHERE id = ?", (run,))
    return runs

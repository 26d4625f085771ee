"""Runs of notices as they stand. Phones are masked."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final

from smsgw.service.forecast import Forecast, forecast
from smsgw.service.notices import NoticeKind, NoticeRules, RunState
from smsgw.service.run_parts import Sending, parts_left, rates
from smsgw.settings import derive
from smsgw.settings.model import Settings
from smsgw.storage import planning, run_records
from smsgw.storage.database import one_moment
from smsgw.storage.lock import DAEMON_LOCK, holder
from smsgw.storage.planning import begins, cache_refusal
from smsgw.storage.run_records import Progress, RunChange, RunRecord

Row = dict[str, Any]
Written = Callable[[float], str]  # a moment in the configuration's zone

WAITS: Final = "waits: "  # begins to tell why a run does not go on, where that has no time
SHOWN: Final = 10  # of those who are left, and of messages that are held


def line(run: RunRecord, written: Written) -> Row:
    """A run in the list."""
    return {
        "run": run.id,
        "kind": run.kind,
        "day": run.day.isoformat(),
        "state": run.state,
        "automatic": run.automatic,
        "made_at": written(run.made_at),
        "notices": run.notices,
        "left": run.left,
        "hold": run.hold or None,
    }


def look(
    con: sqlite3.Connection, settings: Settings, run: int, now: float, written: Written
) -> Row | None:
    """All of a run as it is now: how far it is, what became of its messages, when it will be done,
    who is left; None: there is none. The billing cache is attached to `con`, if there is one.
    """
    rules = derive.notice_rules(settings)
    throughput = {one.id: float(one.throughput) for one in settings.carriers.values()}
    with one_moment(con):
        found = run_records.one(con, run)
        if found is None:
            return None
        changes = run_records.changes(con, run)
        progress = run_records.progress(con, run, now, SHOWN)
        waits = _waits(con, settings, found, rules, now, written)
    sending = Sending(found.kind, found.text or "", progress.left, progress.lately)
    ahead = forecast(
        parts_left(sending, rules),
        rates([sending], throughput, rules, now),
        rules.calendar,
        planning.begins(rules, found.day, now),
    )
    return _whole(found, changes, progress, ahead, waits, written)


def _waits(
    con: sqlite3.Connection,
    settings: Settings,
    run: RunRecord,
    rules: NoticeRules,
    now: float,
    written: Written,
) -> str:
    """Why nothing of a running run goes out now; empty: it does, or it is not running."""
    if run.state is not RunState.RUNNING or not run.left:
        return ""
    if holder(settings.data_dir, DAEMON_LOCK) is None:
        return f"{WAITS}no daemon runs, smsgw run starts it"
    if run.kind is not NoticeKind.ANNOUNCEMENT and (old := cache_refusal(con, rules, now)):
        return f"{WAITS}{old}"
    window = rules.calendar.next_window(begins(rules, run.day, now))
    if window is not None and now < window.opens:
        return f"goes on {written(window.opens)}"
    return f"{WAITS}no day of the next year is open" if window is None else ""


def _whole(
    run: RunRecord,
    changes: Sequence[RunChange],
    progress: Progress,
    forecast: Forecast,
    waits: str,
    written: Written,
) -> Row:
    """All of a run. `waits`: why nothing goes out now, though it is under way."""
    going_on = run.state in (RunState.RUNNING, RunState.PAUSED, RunState.HELD)
    carriers = {carrier for carrier, _ in progress.left}
    return {
        **line(run, written),
        "text": run.text,
        "sent": progress.sent,
        "cancelled": {reason: progress.cancelled[reason] for reason in sorted(progress.cancelled)},
        "messages": dict(progress.messages),
        "left_by_carrier": {
            carrier: sum(count for (its, _), count in progress.left.items() if its == carrier)
            for carrier in sorted(carriers)
        },
        "waits": waits or None,
        "forecast": {
            "done_at": None if forecast.done_at is None else written(forecast.done_at),
            "this_window": forecast.this_window,
            "carriers": {
                carrier: None if at is None else written(at)
                for carrier, at in sorted(forecast.carriers.items())
            },
        }
        if going_on and run.left
        else None,
        "unsettled": progress.held,
        "waiting": [
            {
                "msisdn": str(one.msisdn),
                "customer_number": one.customer_number,
                "carrier": one.carrier,
            }
            for one in progress.waiting
        ],
        "changes": [
            {"at": written(one.at), "state": one.state, "who": one.who, "reason": one.reason}
            for one in changes
        ],
    }

"""What takes more than a little of a processor, as jobs for a process of its own (storage.aside).

Each opens the databases itself, and reports what it can't do.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from typing import Any, NamedTuple

from smsgw.doors.shown import plans
from smsgw.doors.shown.report import whole
from smsgw.doors.shown.times import iso
from smsgw.service.keyed import Keyed
from smsgw.service.notices import NoticeKind, RunState
from smsgw.service.report import tables
from smsgw.settings import derive
from smsgw.settings.model import Settings
from smsgw.storage import announcing, planning, reports, runs
from smsgw.storage.database import CacheReader, StorageError, open_gateway
from smsgw.storage.keys import keyed
from smsgw.storage.pace import Pace
from smsgw.storage.planning import Plan
from smsgw.storage.runs import Order


class Done(NamedTuple):
    """What came of a job: `shown`, as JSON; or why it was refused, or could not be done now."""

    shown: dict[str, Any]
    refusal: str = ""
    failure: str = ""


class ReportTask(NamedTuple):
    """The figures of a period are wanted."""

    settings: Settings
    now: float
    first: date
    last: date


class NoticeTask(NamedTuple):
    """A run of notices is to be planned, and made where there is an order."""

    settings: Settings
    now: float
    kind: NoticeKind
    day: date
    order: Order | None = None


class AnnouncementTask(NamedTuple):
    """An announcement is to be planned, and made where there is an order."""

    settings: Settings
    now: float
    text: str
    numbers: tuple[str, ...]
    order: Order | None = None


class CancelTask(NamedTuple):
    """A run is to be cancelled."""

    settings: Settings
    now: float
    run: int
    who: str
    reason: str


def report(task: ReportTask) -> Done:
    """The figures that the company publishes."""
    settings, now, first, last = task

    def read(con: sqlite3.Connection, key: Keyed) -> Done:
        counts = reports.read(con, first, last, derive.books(settings, key), now)
        return Done(whole(tables(counts), first, last, iso(now, settings.timezone)))

    return _on_stores(settings, read)


def notices(task: NoticeTask) -> Done:
    """A run that is planned or made."""
    settings, now, kind, day, order = task
    rules = derive.notice_rules(settings)

    def work(con: sqlite3.Connection, key: Keyed) -> Done:
        return _planned_or_made(
            con, lambda: planning.plan(con, kind, day, rules, key, now), key, order, now
        )

    return _on_stores(settings, work)


def announcement(task: AnnouncementTask) -> Done:
    """One text to the phones of some customer numbers, planned or made."""
    settings, now, text, numbers, order = task
    rules = derive.notice_rules(settings)

    def work(con: sqlite3.Connection, key: Keyed) -> Done:
        def planned() -> Plan:
            day, most = rules.calendar.day(now), settings.replies.max_parts
            return announcing.plan(con, numbers, text, day, rules, key, now, most)

        return _planned_or_made(con, planned, key, order, now)

    return _on_stores(settings, work)


def cancel(task: CancelTask) -> Done:
    """Send nothing more of a run, ever."""

    def work(con: sqlite3.Connection, _: Keyed) -> Done:
        count = runs.cancel(con, task.run, task.who, task.reason, task.now, Pace())
        return Done({"not_sent": count})

    return _on_stores(task.settings, work)


def _planned_or_made(
    con: sqlite3.Connection,
    planned: Callable[[], Plan],
    key: Keyed,
    order: Order | None,
    now: float,
) -> Done:
    if order is None:
        return Done(plans.whole(planned()))
    made = runs.make(con, planned, key, order, now, Pace())
    state = RunState.DONE if made.run is None else made.state
    return Done({"run": made.run, "state": state, **plans.whole(made.plan)})


def _on_stores(settings: Settings, work: Callable[[sqlite3.Connection, Keyed], Done]) -> Done:
    try:
        with _stores(settings) as con:
            return work(con, keyed(settings.data_dir, derive.secret(settings)))
    except runs.RunRefusedError as error:
        return Done({}, refusal=str(error))
    except (StorageError, sqlite3.Error, OSError) as error:
        return Done({}, failure=str(error))


@contextmanager
def _stores(settings: Settings) -> Iterator[sqlite3.Connection]:
    with closing(open_gateway(settings.data_dir)) as con:
        CacheReader(con, settings.data_dir).follow()
        yield con

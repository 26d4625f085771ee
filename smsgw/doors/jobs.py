"""What takes more than a little of a processor, as jobs for a process of its own (storage.aside).

Each opens the databases itself, and reports what it can't do.
"""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from smsgw.doors.shown import plans
from smsgw.doors.shown.report import whole
from smsgw.doors.shown.times import iso
from smsgw.service.keyed import Keyed
from smsgw.service.lines import FileError
from smsgw.service.message import Msisdn
from smsgw.service.notices import NoticeKind, RunState
from smsgw.service.report import tables
from smsgw.settings import derive
from smsgw.settings.model import Settings
from smsgw.storage import announcing, erasing, feed_worker, planning, reports, runs
from smsgw.storage.audit import Author, Origin
from smsgw.storage.database import CacheReader, StorageError, open_gateway
from smsgw.storage.feed import LOCK, Feed, take_delta, take_snapshot
from smsgw.storage.feed_report import counts, wrong_lines
from smsgw.storage.keys import keyed
from smsgw.storage.lock import holder
from smsgw.storage.pace import Pace
from smsgw.storage.planning import Plan
from smsgw.storage.runs import Order
from smsgw.storage.snapshot import FeedRefusedError


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


class EraseTask(NamedTuple):
    """A person is to be erased."""

    settings: Settings
    now: float
    msisdn: Msisdn
    origin: Origin  # who wants it


def erase(task: EraseTask) -> Done:
    """What was removed of a person."""

    def work(con: sqlite3.Connection, key: Keyed) -> Done:
        books = derive.books(task.settings, key)
        author = Author(key, task.origin, task.now)
        erased = erasing.erase(con, task.msisdn, books, author, Pace(), time.sleep)
        return Done(erased._asdict())

    return _on_stores(task.settings, work, cached=False)


class FeedTask(NamedTuple):
    """A file is to be taken as a billing feed."""

    settings: Settings
    now: float
    path: Path
    delta: bool
    as_of: float
    force: bool


def feed(task: FeedTask) -> Done:
    """What became of a feed: `verdict` is taken or refused."""
    settings, now, path = task.settings, task.now, task.path
    feed_worker.bound_memory()
    stated = {
        "kind": "delta" if task.delta else "snapshot",
        "as_of": iso(task.as_of, settings.timezone),
    }

    def take(con: sqlite3.Connection, key: Keyed) -> Done:
        wanted = Feed(path, task.as_of, task.force, key)
        try:
            if task.delta:
                taken = take_delta(con, settings.data_dir, wanted, now=now, progress=_nobody)
            else:
                taken = take_snapshot(
                    con,
                    settings.data_dir,
                    wanted,
                    max_shrink=settings.billing.max_shrink,
                    now=now,
                    progress=_nobody,
                )
        except FeedRefusedError as error:
            reason = str(error).removeprefix(f"{path}: ").replace("--force", "force=true")
            return Done({"verdict": "refused", **stated, "reason": reason})
        except FileError as error:
            return Done({"verdict": "refused", **stated, **wrong_lines(error)})
        return Done({"verdict": "taken", **stated, **counts(taken)})

    if holder(settings.data_dir, LOCK) is not None:
        return Done({}, refusal="another import is under way: try again when it has ended")
    return _on_stores(settings, take, cached=False)


def _nobody(_octets: int, _rows: int) -> None:
    """Is told how far an import has come."""


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


def _on_stores(
    settings: Settings, work: Callable[[sqlite3.Connection, Keyed], Done], cached: bool = True
) -> Done:
    try:
        with closing(open_gateway(settings.data_dir)) as con:
            if cached:
                CacheReader(con, settings.data_dir).follow()
            return work(con, keyed(settings.data_dir, derive.secret(settings)))
    except runs.RunRefusedError as error:
        return Done({}, refusal=str(error))
    except (StorageError, sqlite3.Error, OSError) as error:
        return Done({}, failure=str(error))

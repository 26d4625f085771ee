"""The daily runs of notices: when they are made, by whom, and what is said where they can't be."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from smsgw.service.calendar import Calendar
from smsgw.service.decision import Rules
from smsgw.service.hours import Hours
from smsgw.service.keyed import Keyed
from smsgw.service.message import Encoding
from smsgw.service.notices import NoticeKind, NoticeRules
from smsgw.service.replies import Company, Replies
from smsgw.storage.aside import AsideError, Job, aside
from smsgw.storage.daily import DailyRuns
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.feed import Feed, take_snapshot
from smsgw.storage.notice_worker import Report, Task, make
from smsgw.storage.policy import Policy
from smsgw.storage.sqlite import Database

WEDNESDAY = date(2026, 11, 25)
HOURS = Hours(time(9), time(20))
REPLIES = Replies({}, Company(None, None, None, None))
NOTICES = NoticeRules(
    calendar=Calendar(UTC, HOURS, "working", min_validity=7200.0),
    replies=REPLIES,
    max_age=36 * 3600.0,
    encodings={"mtel": Encoding()},
)
POLICY = Policy(
    Rules(REPLIES, 0, 0, True, 0.0, 4, UTC), {"mtel": Encoding()}, Keyed(b"k"), notices=NOTICES
)
FEED = """\
customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status
300012345678,1,2026-11-01,2026-11-15,,45.20,EUR,open
"""


def at(day: int, hour: int, minute: int = 0) -> float:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp()


class Clock:
    def __init__(self, now: float) -> None:
        self.at = now

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class Maker:
    """Makes runs as it is told, and remembers what it was asked for."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.tasks: list[Task] = []
        self.refusal = ""

    async def __call__(self, task: Task) -> Report:
        self.tasks.append(task)
        if self.refusal:
            return Report(self.refusal)
        await self.database.run(
            lambda con: con.execute(
                "INSERT INTO notice_run (kind, day, state, automatic, made_at)"
                " VALUES (?, ?, 'done', 1, 0)",
                (task.kind, task.day.isoformat()),
            )
        )
        return Report("", len(self.tasks), "running", 5)

    @property
    def made(self) -> list[tuple[str, str]]:
        return [(task.kind.value, task.day.isoformat()) for task in self.tasks]


@asynccontextmanager
async def daily(
    folder: Path, clock: Clock, *kinds: NoticeKind
) -> AsyncIterator[tuple[DailyRuns, Maker]]:
    async with Database(folder, POLICY) as database:
        maker = Maker(database)
        yield DailyRuns(database, folder, "secret", kinds, NOTICES, clock, maker), maker


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> list[Any]:
    """Run a scenario; what it logged, at whatever level."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(0))
    try:
        with capture_logs() as logs:
            asyncio.run(scenario())
    finally:
        structlog.configure(**before)
    return logs


@pytest.mark.parametrize(
    ("now", "day"),
    [
        pytest.param(at(25, 8, 59), None, id="before opening"),
        pytest.param(at(25, 9), "2026-11-25", id="at opening"),
        pytest.param(at(25, 17), "2026-11-25", id="the daemon was started late"),
        pytest.param(at(25, 18, 1), None, id="too late to submit"),
        pytest.param(at(28, 10), None, id="a Saturday"),
    ],
)
def test_when(tmp_path: Path, now: float, day: str | None) -> None:
    async def scenario() -> None:
        async with daily(tmp_path, Clock(now), NoticeKind.OVERDUE) as (runs, maker):
            await runs.step()
            assert maker.made == ([("overdue", day)] if day else [])

    play(scenario)


def test_once_a_day_and_kind_also_after_a_restart(tmp_path: Path) -> None:
    kinds = (NoticeKind.DISCONNECTION, NoticeKind.OVERDUE)
    clock = Clock(at(25, 9))

    async def scenario() -> None:
        async with daily(tmp_path, clock, *kinds) as (runs, maker):
            await runs.step()
            await runs.step()
            assert maker.made == [("disconnection", "2026-11-25"), ("overdue", "2026-11-25")]
            clock.at = at(26, 9)
            await runs.step()
            assert len(maker.made) == 4
        async with daily(tmp_path, clock, *kinds) as (runs, maker):
            await runs.step()
            assert maker.made == []
            clock.at = at(25, 12)  # the clock is set back
            await runs.step()
            assert maker.made == []

    logs = play(scenario)
    assert [line["event"] for line in logs] == ["notices.run_made"] * 4


def test_one_that_is_refused_is_tried_each_minute_and_said_once(tmp_path: Path) -> None:
    clock = Clock(at(25, 9))

    async def scenario() -> None:
        async with daily(tmp_path, clock, NoticeKind.OVERDUE) as (runs, maker):
            maker.refusal = "the billing data are too old"
            for _ in range(30):
                await runs.step()
                clock.at += 5
            assert len(maker.tasks) == 3
            maker.refusal = "the billing data are gone"
            clock.at += 60
            await runs.step()
            maker.refusal = ""
            clock.at += 60
            await runs.step()
            await runs.step()
            assert len(maker.tasks) == 5

    logs = play(scenario)
    assert [(line["event"], line.get("reason", "")) for line in logs] == [
        ("notices.run_refused", "the billing data are too old"),
        ("notices.run_refused", "the billing data are gone"),
        ("notices.run_made", ""),
    ]
    assert logs[0]["log_level"] == "warning"


def test_a_process_that_can_not_be_started_is_no_reason_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: Job[Task, Report]) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(Job, "start", start)

    async def scenario() -> None:
        async with Database(tmp_path, POLICY) as database:
            kinds, clock = (NoticeKind.OVERDUE,), Clock(at(25, 9))
            await DailyRuns(database, tmp_path, "secret", kinds, NOTICES, clock).step()

    logs = play(scenario)
    assert [(line["event"], line["reason"]) for line in logs] == [
        ("notices.run_refused", "its process can't be started: Cannot allocate memory")
    ]


def task(folder: Path, now: float = at(25, 9)) -> Task:
    return Task(folder, NoticeKind.OVERDUE, WEDNESDAY, NOTICES, "secret", now)


def fed(folder: Path) -> None:
    """A customer with a bill that is overdue, and a phone registered for the number."""
    path = folder / "feed.csv"
    path.write_text(FEED, encoding="utf-8")
    con = open_gateway(folder)
    take_snapshot(
        con, folder, Feed(path, at(25, 8), forced=True, keyed=POLICY.keyed), max_shrink=1.0,
        now=at(25, 8), progress=lambda *_: None,
    )  # fmt: skip
    with transaction(con):
        con.execute(
            "INSERT INTO subscription (msisdn, customer_number, state, carrier, script, channel,"
            " notify, requested_at) VALUES ('359888123456', '300012345678', 'active', 'mtel',"
            " 'latin', 'centre', 1, 0)"
        )
    con.close()


def work(one: Task) -> Report:
    return asyncio.run(aside(make, one))


def test_a_process_of_its_own_makes_it(tmp_path: Path) -> None:
    fed(tmp_path)
    report = work(task(tmp_path))
    assert report == Report("", 1, "running", 1)
    con = open_gateway(tmp_path)
    assert con.execute(
        "SELECT kind, day, automatic, state, notices FROM notice_run"
    ).fetchall() == [("overdue", "2026-11-25", 1, "running", 1)]
    assert con.execute("SELECT who FROM notice_run_change").fetchall() == [("daemon",)] * 2
    con.close()
    assert "is there already" in work(task(tmp_path)).refusal


def test_it_says_why_it_makes_none(tmp_path: Path) -> None:
    assert "there are no billing data" in work(task(tmp_path)).refusal
    fed(tmp_path)
    old = task(tmp_path, at(29, 9))._replace(rules=replace(NOTICES, max_age=3600.0))
    assert "older than billing.max_age" in work(old).refusal


def test_one_that_is_killed_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    fed(tmp_path)
    con = open_gateway(tmp_path)
    con.execute("BEGIN IMMEDIATE")  # it waits for this
    job = Job(make, task(tmp_path))
    job.start()
    job.kill()
    with pytest.raises(AsideError, match=r"ended by itself \(-9\)"):
        job.result()
    con.execute("ROLLBACK")
    assert con.execute("SELECT count(*) FROM notice_run").fetchone() == (0,)
    con.close()

"""What is said of runs that go on: in the log, in the metrics, with a forecast."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from smsgw import metrics
from smsgw.service.calendar import Calendar
from smsgw.service.hours import Hours
from smsgw.service.message import Encoding, Script
from smsgw.service.notices import NoticeKind, NoticeRules, NoticeState, RunState
from smsgw.service.replies import Company, Replies
from smsgw.service.run_parts import Lately
from smsgw.storage.database import open_gateway
from smsgw.storage.notice_watch import NoticeWatch
from smsgw.storage.progress import Progress, RunProgress, observe

RULES = NoticeRules(
    calendar=Calendar(UTC, Hours(time(9), time(20)), "working", min_validity=7200.0),
    replies=Replies({}, Company("CEZ", "0700 10 010", None, None)),
    max_age=36 * 3600.0,
    encodings={"mtel": Encoding(), "vivacom": Encoding()},
)


def at(hour: int, minute: int = 0, day: int = 25) -> float:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp()


class Clock:
    def __init__(self) -> None:
        self.at = at(12)

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class Bench:
    """A watch that is told what there is."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.paces = {"mtel": 10.0, "vivacom": 10.0}
        self.watch = NoticeWatch(folder, RULES, self.clock, lambda: self.paces)

    def tell(self, *runs: RunProgress, as_of: float | None = at(8)) -> None:
        self.watch.tell(Progress(runs, len(runs), as_of))


def run(
    planned: int,
    sent: int = 0,
    cancelled: int = 0,
    *,
    number: int = 1,
    kind: NoticeKind = NoticeKind.OVERDUE,
    state: RunState = RunState.RUNNING,
    carrier: str = "mtel",
    script: Script = Script.LATIN,
    day: date = date(2026, 11, 25),
    lately: Lately | None = None,
) -> RunProgress:
    counts = {
        (carrier, script, NoticeState.PLANNED): planned,
        (carrier, script, NoticeState.SENT): sent,
        (carrier, script, NoticeState.CANCELLED): cancelled,
    }
    hold = "too many" if state is RunState.HELD else ""
    made = planned + sent + cancelled
    seen = {} if lately is None else {(carrier, script): lately}
    return RunProgress(number, kind, state, made, hold, "Spirane", counts, day, seen)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(0))
    try:
        with capture_logs() as lines:
            yield lines
    finally:
        structlog.configure(**before)


def value(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(f"smsgw_{name}", labels)


def test_a_run_s_life_in_the_log(bench: Bench, logs: list[Any]) -> None:
    bench.tell(run(1200))
    for minute in range(3):
        bench.clock.at = at(12, minute) + 30
        bench.tell(run(1200 - 300 * minute, 290 * minute, 10 * minute))
    bench.tell(run(300, 880, 20, state=RunState.PAUSED))
    bench.tell(run(300, 880, 20))
    bench.tell(run(0, 1180, 20, state=RunState.DONE))
    bench.tell()
    assert [(line["event"], line.get("left")) for line in logs] == [
        ("notices.run_started", 1200),
        ("notices.progress", 900),
        ("notices.progress", 600),
        ("notices.run_paused", 300),
        ("notices.run_started", 300),
        ("notices.run_done", 0),
    ]
    assert logs[0]["done_by"] == "2026-11-25 12:02"
    assert (logs[1]["sent"], logs[1]["cancelled"]) == (290, 10)
    assert (logs[-1]["run"], logs[-1]["kind"], logs[-1]["sent"]) == (1, "overdue", 1180)


def test_a_run_that_is_held_is_said_once(bench: Bench, logs: list[Any]) -> None:
    bench.tell(run(5, state=RunState.HELD))
    bench.tell(run(5, state=RunState.HELD))
    bench.tell(run(5, state=RunState.CANCELLED))
    events = [(line["event"], line["log_level"], line.get("reason")) for line in logs]
    assert events == [
        ("notices.run_held", "warning", "too many"),
        ("notices.run_cancelled", "info", None),
    ]


@pytest.mark.parametrize(
    ("runs", "paces", "seconds", "late"),
    [
        pytest.param([run(600)], {"mtel": 10.0}, 60.0, 0, id="at the carrier's throughput"),
        pytest.param([run(600, state=RunState.PAUSED)], {"mtel": 10.0}, 0.0, 0, id="paused"),
        pytest.param([run(600)], {"mtel": 0.0}, None, 0, id="no limit, and nothing seen yet"),
        pytest.param([run(600)], {"vivacom": 9.0}, None, 0, id="the carrier is not bound"),
        pytest.param([run(0, 5)], {}, 0.0, 0, id="nothing is left"),
        pytest.param(
            [run(300), run(300, number=2)], {"mtel": 10.0}, 60.0, 0, id="two runs after another"
        ),
        pytest.param(
            [run(300), run(500, number=2, carrier="vivacom")], {"mtel": 10.0, "vivacom": 10.0},
            50.0, 0, id="two carriers at once",
        ),
        pytest.param(
            [run(600, script=Script.CYRILLIC)], {"mtel": 10.0}, 120.0, 0, id="two parts each"
        ),
        pytest.param([run(216_600)], {"mtel": 10.0}, 15 * 3600.0 + 6 * 3600 + 60, 1,
                     id="a minute more than there is today"),
    ],
)  # fmt: skip
def test_the_forecast(
    bench: Bench,
    runs: list[RunProgress],
    paces: dict[str, float],
    seconds: float | None,
    late: int,
) -> None:
    bench.paces = paces
    bench.tell(*runs)
    found = value("notices_seconds_left")
    assert found is not None
    assert math.isnan(found) if seconds is None else found == pytest.approx(seconds)
    assert value("notices_late") == late


def test_what_was_seen_of_late_counts_more_than_what_was_agreed(bench: Bench) -> None:
    bench.tell(run(760, 240, lately=Lately(120, at(12) - 60)))
    assert value("notices_seconds_left") == pytest.approx(760 / 2)


def test_a_run_of_another_day_is_told_from_then_on(bench: Bench) -> None:
    tomorrow = run(100, kind=NoticeKind.DISCONNECTION, day=date(2026, 11, 26))
    bench.tell(tomorrow, run(600, number=2))
    assert value("notices_seconds_left") == 21 * 3600 + 10
    assert value("notices_late") == 0


def test_that_it_will_not_be_done_is_said_once_a_day(bench: Bench, logs: list[Any]) -> None:
    for day in (25, 25, 26):
        bench.clock.at = at(12, day=day)
        bench.tell(run(1_000_000), as_of=bench.clock.at)
        bench.clock.at += 10
        bench.tell(run(1_000_000), as_of=bench.clock.at)
    late = [line for line in logs if line["event"] == "notices.not_done_in_time"]
    assert len(late) == 2
    assert late[0]["log_level"] == "warning"


@pytest.mark.parametrize(
    ("as_of", "kind", "stale"),
    [
        pytest.param(at(8), NoticeKind.OVERDUE, 0, id="young"),
        pytest.param(at(8, day=23), NoticeKind.OVERDUE, 1, id="old"),
        pytest.param(None, NoticeKind.OVERDUE, 1, id="none"),
        pytest.param(None, NoticeKind.ANNOUNCEMENT, 0, id="needs none"),
    ],
)
def test_waiting_for_billing_data(
    bench: Bench, logs: list[Any], as_of: float | None, kind: NoticeKind, stale: int
) -> None:
    bench.tell(run(5, kind=kind), as_of=as_of)
    bench.tell(run(5, kind=kind), as_of=as_of)
    assert value("notices_stale") == stale
    assert len([line for line in logs if line["event"] == "notices.held"]) == stale


def test_the_counts(bench: Bench) -> None:
    bench.tell(
        run(5), run(7, number=2, state=RunState.PAUSED), run(9, number=3, state=RunState.HELD),
        run(2, number=4, kind=NoticeKind.DISCONNECTION, carrier="vivacom"),
        run(4, number=5, state=RunState.CANCELLED),
    )  # fmt: skip
    assert value("notices_planned", carrier="mtel", kind="overdue") == 21
    assert value("notices_planned", carrier="vivacom", kind="disconnection") == 2
    assert value("notices_planned", carrier="vivacom", kind="overdue") == 0
    assert [value("notice_runs", state=state) for state in ("held", "running", "paused")] == [
        1,
        2,
        1,
    ]


@pytest.fixture
def stored(tmp_path: Path) -> Callable[..., None]:
    """Writes a run with notices in these states."""

    def write(kind: str, state: str, *notices: str) -> None:
        with closing(open_gateway(tmp_path)) as con:
            made = con.execute(
                "INSERT INTO notice_run (kind, day, state, automatic, made_at, notices)"
                " VALUES (?, '2026-11-25', ?, 0, 0, ?)",
                (kind, state, len(notices)),
            ).lastrowid
            con.executemany(
                "INSERT INTO notice (run, msisdn, customer_number, bills, carrier, script, state,"
                " changed_at) VALUES (?, '359888123456', '300012345678', ?, 'mtel', 'latin', ?, 0)",
                [(made, json.dumps([["1", 1]]), notice) for notice in notices],
            )

    return write


def test_what_is_read(tmp_path: Path, stored: Callable[..., None]) -> None:
    assert observe(tmp_path, at(12)) == Progress()
    stored("overdue", "done", "sent")
    stored("overdue", "running", "planned", "planned", "sent")
    stored("disconnection", "held", "planned")
    stored("announcement", "cancelled", "cancelled")

    def found(*also: int, after: int | None = None) -> list[tuple[int, str]]:
        return [(run.id, run.state.value) for run in observe(tmp_path, at(12), also, after).runs]

    assert found() == [(3, "held"), (2, "running")]
    assert found(1) == [(3, "held"), (1, "done"), (2, "running")]
    assert found(after=3) == [(3, "held"), (2, "running"), (4, "cancelled")]
    reading = observe(tmp_path, at(12))
    assert (reading.last, reading.cache_as_of) == (4, None)
    assert reading.runs[1].count(NoticeState.PLANNED) == 2
    assert reading.runs[1].count(NoticeState.SENT) == 1

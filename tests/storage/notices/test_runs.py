"""Runs: made whole or not at all, once, and what may follow on what."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsgw.service.message import Msisdn
from smsgw.service.notices import NoticeKind, RunState
from smsgw.storage import lock, runs
from smsgw.storage.notice_keys import Claim, digest
from smsgw.storage.pace import Pace
from smsgw.storage.runs import Order, RunRefusedError

NUMBER, PHONE = "300012345678", "359888123456"


def unhurried() -> Pace:
    return Pace(sleep=lambda _: None)


def changes(world: Any, run: int = 1) -> list[tuple[str, str, str]]:
    return world.rows(  # type: ignore[no-any-return]
        f"SELECT state, who, reason FROM notice_run_change WHERE run = {run} ORDER BY rowid"
    )


def states(world: Any) -> list[tuple[int, str]]:
    return world.rows("SELECT id, state FROM notice_run ORDER BY id")  # type: ignore[no-any-return]


def test_a_run_is_made(world: Any) -> None:
    world.bill()
    world.bill("B2", amount=100)
    world.phone()
    made = world.make(Order("ana", "as every day"))
    assert (made.run, made.state) == (1, RunState.RUNNING)
    assert world.rows(
        "SELECT kind, day, state, automatic, notices, hold, text FROM notice_run"
    ) == [("overdue", "2026-12-15", "running", 0, 1, "", None)]
    assert world.rows(
        "SELECT run, msisdn, customer_number, carrier, script, state, reason, mt_id, parameters"
        " FROM notice"
    ) == [(1, PHONE, NUMBER, "mtel", "latin", "planned", "", None, None)]
    assert json.loads(world.one("SELECT bills FROM notice")) == [["B1", 1], ["B2", 1]]
    keys = {digest(world.keyed, NoticeKind.OVERDUE, Claim(NUMBER, bill, Msisdn(PHONE)), 1)
            for bill in ("B1", "B2")}  # fmt: skip
    assert {key for (key,) in world.rows("SELECT digest FROM notice_key")} == keys
    assert changes(world) == [
        ("making", "ana", "as every day"),
        ("running", "ana", "as every day"),
    ]


def test_a_second_run_holds_what_the_first_has_not(world: Any) -> None:
    world.bill()
    world.phone()
    world.make()
    assert world.make()[:2] == (None, RunState.DONE)
    world.phone("359888123457")
    assert world.make()[:2] == (2, RunState.RUNNING)
    assert world.rows("SELECT run, msisdn FROM notice") == [(1, PHONE), (2, "359888123457")]


def test_an_empty_run_is_none(world: Any) -> None:
    assert world.make()[:2] == (None, RunState.DONE)
    assert states(world) == []


def test_a_refused_run_leaves_nothing(empty: Any) -> None:
    with pytest.raises(RunRefusedError, match="there are no billing data"):
        empty.make()
    assert states(empty) == []
    assert lock.holder(empty.folder, runs.LOCK) is None


def test_a_run_that_is_too_large_is_held(world: Any) -> None:
    world.customers(3)
    world.limited(max_per_run=2)
    made = world.make()
    hold = "3 notices are more than notices.max_per_run, which is 2"
    assert (made.state, world.one("SELECT hold FROM notice_run")) == (RunState.HELD, hold)
    assert changes(world)[1:] == [("held", "ana", hold)]
    runs.confirm(world.con, 1, "boss", "it is winter", world.now)
    assert states(world) == [(1, "running")]
    assert changes(world)[2:] == [("running", "boss", "it is winter")]


def test_by_force_it_is_not_held(world: Any) -> None:
    world.customers(3)
    world.limited(max_per_run=2)
    assert world.make(Order("boss", "it is winter", force=True)).state is RunState.RUNNING
    assert changes(world)[1:] == [("running", "boss", "it is winter")]
    assert world.one("SELECT hold FROM notice_run") == ""


def test_the_daily_run_is_made_once_even_if_empty(world: Any) -> None:
    daily = Order(runs.DAEMON, automatic=True)
    assert world.make(daily)[:2] == (1, RunState.DONE)
    world.bill(cut_off="2026-12-17")
    world.phone()
    with pytest.raises(RunRefusedError, match="for 2026-12-15 is there already: run 1"):
        world.make(daily)
    assert world.make(daily, NoticeKind.DISCONNECTION)[:2] == (2, RunState.RUNNING)
    assert world.make()[:2] == (3, RunState.RUNNING)  # by hand there may be any number


def test_one_process_at_a_time_makes_a_run(world: Any) -> None:
    world.bill()
    world.phone()
    with (
        lock.hold(world.folder, runs.LOCK),
        pytest.raises(RunRefusedError, match=r"process \d+ is making a run: wait"),
    ):
        world.make()
    assert world.make().run == 1


PLACES = ("confirm", "pause", "resume", "cancel")
ORDERS: dict[str, Callable[..., object]] = {
    "confirm": runs.confirm,
    "pause": runs.pause,
    "resume": runs.resume,
    "cancel": lambda *given: runs.cancel(*given, unhurried()),
}


@pytest.mark.parametrize(
    ("state", "order", "after"),
    [
        ("held", "confirm", "running"),
        ("held", "pause", "run 1 is held, not running"),
        ("held", "resume", "run 1 is held, not paused"),
        ("held", "cancel", "cancelled"),
        ("running", "confirm", "run 1 is running, not held"),
        ("running", "pause", "paused"),
        ("running", "resume", "run 1 is running, not paused"),
        ("running", "cancel", "cancelled"),
        ("paused", "confirm", "run 1 is paused, not held"),
        ("paused", "pause", "run 1 is paused, not running"),
        ("paused", "resume", "running"),
        ("paused", "cancel", "cancelled"),
        *[(state, order, f"run 1 is {state}") for state in ("done", "making") for order in PLACES],
        *[("cancelled", order, "run 1 is cancelled") for order in PLACES],
    ],
)
def test_orders(world: Any, state: str, order: str, after: str) -> None:
    world.bill()
    world.phone()
    world.make()
    world.con.execute("UPDATE notice_run SET state = ?", (state,))
    if state == "cancelled":
        world.con.execute("UPDATE notice SET state = 'cancelled'")
    if after.startswith("run 1"):
        with pytest.raises(RunRefusedError, match=after):
            ORDERS[order](world.con, 1, "ana", "because", world.now)
        assert states(world) == [(1, state)]
        assert len(changes(world)) == 2
    else:
        ORDERS[order](world.con, 1, "ana", "because", world.now)
        assert states(world) == [(1, after)]
        assert changes(world)[2:] == [(after, "ana", "because")]


@pytest.mark.parametrize("order", PLACES)
def test_there_is_no_such_run(world: Any, order: str) -> None:
    with pytest.raises(RunRefusedError, match="there is no run 7"):
        ORDERS[order](world.con, 7, "ana", "", world.now)


def test_what_was_cancelled_another_run_may_have(world: Any) -> None:
    world.customers(3)
    world.make()
    world.send(2)
    assert runs.cancel(world.con, 1, "ana", "", world.now, unhurried()) == 2
    assert world.rows("SELECT state, reason FROM notice ORDER BY id") == [
        ("cancelled", "run"), ("sent", ""), ("cancelled", "run")
    ]  # fmt: skip
    assert world.rows("SELECT notice FROM notice_key") == [(2,)]
    assert [one.recipient.msisdn.digits for one in world.make().plan.notices] == [
        "359880000000", "359880000002"
    ]  # fmt: skip


class DeadError(Exception):
    """The process was killed."""


def dies_after(turns: int) -> Pace:
    """A pace whose process is killed after so many transactions."""
    left = iter(range(turns))

    def rest(_: float) -> None:
        if next(left, None) is None:
            raise DeadError

    pace = Pace(monotonic=lambda: 0.0, sleep=rest)
    pace.size = 2
    return pace


@pytest.mark.parametrize("turns", range(3))
def test_cancelling_that_was_cut_off_is_finished(world: Any, turns: int) -> None:
    world.customers(200)
    world.limited(max_per_run=0)
    world.make()
    with pytest.raises(DeadError):
        runs.cancel(world.con, 1, "ana", "", world.now, dies_after(turns))
    assert states(world) == [(1, "cancelled")]
    if turns:
        assert runs.cancel(world.con, 1, "ana", "", world.now, unhurried()) > 0
    else:
        assert runs.drop_unfinished(world.con, world.now, unhurried()) == [1]
    assert world.one("SELECT count(*) FROM notice WHERE state = 'planned'") == 0
    assert world.one("SELECT count(*) FROM notice_key") == 0
    assert runs.drop_unfinished(world.con, world.now, unhurried()) == []


@pytest.mark.parametrize("by", ["the next run", "the daemon"])
def test_a_run_that_was_being_made_is_dropped(world: Any, by: str) -> None:
    world.customers(200)
    world.limited(max_per_run=0)
    with pytest.raises(DeadError):
        world.make(pace=dies_after(1))
    assert states(world) == [(1, "making")]
    assert 0 < world.one("SELECT count(*) FROM notice") < 200
    if by == "the daemon":
        with lock.hold(world.folder, runs.LOCK):  # while somebody makes it, it is no business
            assert runs.drop_unfinished(world.con, world.now, unhurried()) == []
        assert runs.drop_unfinished(world.con, world.now, unhurried()) == [1]
        assert states(world) == []
        assert world.one("SELECT count(*) FROM notice_key") == 0
    assert world.make().run == 2
    assert states(world) == [(2, "running")]
    assert changes(world, 1) == []
    assert world.rows("SELECT run, count(*) FROM notice GROUP BY run") == [(2, 200)]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 6), max_size=4))
def test_each_is_noticed_once_however_often_the_making_is_killed(
    world: Any, kills: list[int]
) -> None:
    world.con.execute("DELETE FROM subscription")
    for table in ("notice_key", "notice", "notice_run_change", "notice_run"):
        world.con.execute(f"DELETE FROM {table}")
    world.limited(max_per_run=0)
    world.customers(150)
    for turns in kills:
        try:
            world.make(pace=dies_after(turns))
        except DeadError:
            continue
    world.make()
    planned = world.rows(
        "SELECT msisdn FROM notice JOIN notice_run ON notice_run.id = run"
        " WHERE notice_run.state = 'running' ORDER BY msisdn"
    )
    assert planned == [(f"35988{each:07}",) for each in range(150)]
    assert world.one("SELECT count(*) FROM notice") == 150
    assert world.one("SELECT count(*) FROM notice_key") == 150


def test_making_tells_how_far_it_is(world: Any) -> None:
    world.customers(3)
    told: list[int] = []
    runs.make(world.con, world.plan, world.keyed, Order("ana"), world.now, unhurried(), told.append)
    assert told == [3]


def test_the_lock_is_held_in_short_turns(world: Any) -> None:
    """Whoever waits for the database gets it between two transactions of a long run."""
    world.customers(300)
    world.limited(max_per_run=0)
    seen = []
    a_second_a_turn = (looks // 3 for looks in range(1, 10**6))  # looked at before, and around it
    pace = Pace(monotonic=a_second_a_turn.__next__, sleep=lambda _: seen.append(1))
    pace.size = 50
    world.make(pace=pace)
    assert len(seen) == 5  # between six of FEWEST notices each, as each took a second


def test_runs_of_which_nothing_is_left_are_done(world: Any) -> None:
    world.customers(2)
    world.make()
    world.phone("359888123457", "300000000000")
    world.make()
    world.phone("359888123458", "300000000000")
    world.make()
    world.con.execute("UPDATE notice_run SET state = 'paused' WHERE id = 2")
    for notice in (1, 3, 4):
        world.send(notice)
    assert runs.finish(world.con, world.now) == [3]
    world.send(2)
    assert runs.finish(world.con, world.now) == [1]
    assert states(world) == [(1, "done"), (2, "paused"), (3, "done")]
    assert changes(world, 1)[2:] == [("done", "daemon", "")]


def test_of_a_run_that_is_dropped_nothing_stays(world: Any) -> None:
    world.customers(2)
    world.make()
    world.con.execute("UPDATE notice_run SET state = 'making'")  # its process has died
    world.con.execute("UPDATE notice SET state = 'cancelled', msisdn = NULL WHERE id = 1")
    assert runs.drop_unfinished(world.con, world.now, unhurried()) == [1]
    for table in ("notice", "notice_key", "notice_run", "notice_run_change"):
        assert world.one(f"SELECT count(*) FROM {table}") == 0

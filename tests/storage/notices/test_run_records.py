"""Runs as those see them who look at them."""

from typing import Any

from smsgw.service.message import Script
from smsgw.service.notices import Cancelled, NoticeKind, RunState
from smsgw.service.run_parts import LATELY, Lately
from smsgw.storage import run_records, runs
from smsgw.storage.pace import Pace


def test_there_are_none(world: Any) -> None:
    assert run_records.find(world.con, 10) == []
    assert run_records.one(world.con, 1) is None


def test_the_last_first(world: Any) -> None:
    world.bill(cut_off="2026-12-17")
    world.phone()
    world.make()
    world.make(kind=NoticeKind.DISCONNECTION)
    assert [(one.id, one.kind) for one in run_records.find(world.con, 10)] == [
        (2, "disconnection"), (1, "overdue")
    ]  # fmt: skip
    assert [one.id for one in run_records.find(world.con, 1)] == [2]
    one = run_records.one(world.con, 1)
    assert one == run_records.RunRecord(
        1, NoticeKind.OVERDUE, world.day, RunState.RUNNING, False, world.now, 1, "", None, 1
    )


def test_what_became_of_it(world: Any) -> None:
    world.customers(9)
    world.phone("359898123456", "300000000000", carrier="telenor", script="cyrillic")
    world.make()
    for notice, (state, receipt) in enumerate(
        [("delivered", "delivered"), ("claimed", None), ("unknown", None), ("delivered", None)], 1
    ):
        world.ended(world.send(notice), state, receipt, world.now)
    world.con.execute("UPDATE segment SET changed_at = 0 WHERE mt_id = 1")
    world.con.execute("UPDATE mt SET created_at = 0 WHERE id = 1")
    world.con.execute("UPDATE notice SET changed_at = ? WHERE id = 1", (world.now - LATELY,))
    runs.cancelled(world.con, [5, 6], Cancelled.PAID, world.now)
    runs.cancelled(world.con, [7], Cancelled.ENDED, world.now)
    for _ in range(2):  # where a message lies makes no difference
        found = run_records.progress(world.con, 1, world.now, shown=2)
        assert found.left == {("mtel", Script.LATIN): 3}
        assert (found.sent, found.cancelled) == (4, {Cancelled.PAID: 2, Cancelled.ENDED: 1})
        assert found.messages == {"claimed": 1, "delivered": 2, "held": 1}
        assert [str(one.msisdn) for one in found.waiting] == ["35988****006", "35988****007"]
        assert found.held == [3]
        world.move_to_history()


def test_the_rate_of_the_last_minute(world: Any) -> None:
    world.customers(5)
    world.make()
    ages = {1: 61.0, 2: 50.0, 3: 40.0, 4: 1.0}
    for notice, age in ages.items():
        world.send(notice)
        world.con.execute(
            "UPDATE notice SET changed_at = ? WHERE id = ?", (world.now - age, notice)
        )
    found = run_records.progress(world.con, 1, world.now, shown=2)
    assert found.lately == {("mtel", Script.LATIN): Lately(3, world.now - 50)}


def test_its_states_and_by_whom(world: Any) -> None:
    world.bill()
    world.phone()
    world.make()
    runs.pause(world.con, 1, "ana", "a storm", world.now + 5)
    runs.cancel(world.con, 1, "bo", "", world.now + 9, Pace(sleep=lambda _: None))
    assert [tuple(one) for one in run_records.changes(world.con, 1)] == [
        (world.now, "making", "ana", ""),
        (world.now, "running", "ana", ""),
        (world.now + 5, "paused", "ana", "a storm"),
        (world.now + 9, "cancelled", "bo", ""),
    ]

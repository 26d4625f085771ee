"""Refusals that are our settings' fault: counted, logged once a bind, an alarm until it is over."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from smsgw.carrier.alarm import SOURCE_RUN, SettingsAlarm
from smsgw.carrier.meter import Meter
from smsgw.log import get_logger
from smsgw.metrics import REGISTRY
from smsgw.smpp.status import Reaction
from smsgw.smpp.tables import Status

Play = Callable[..., list[Any]]


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"carrier": "mtel", **labels}) or 0.0


def gauge() -> float:
    return metric("smsgw_link_settings_alarm")


def alarm(statuses: dict[int, Reaction] | None = None) -> SettingsAlarm:
    return SettingsAlarm(statuses or {}, get_logger(), Meter("mtel"))


SOURCE = [Status.RINVSRCADR]
RAISING = [
    *[0x01, 0x02, 0x03],
    *[0x15, 0x48, 0x49, 0x50, 0x51],
    *[0x04, 0x05, 0x0D, 0x0E, 0x0F, 0x53],
]


@pytest.mark.parametrize("status", RAISING, ids=hex)
def test_what_raises_it(status: int) -> None:
    one = alarm()
    with capture_logs() as logs:
        one.answered([status, status])
        one.answered([status])
    assert [(each["event"], each["log_level"]) for each in logs] == [
        ("link.settings_alarm", "error")
    ]
    assert logs[0]["reason"].startswith(f"0x{status:08x} ESME_R")
    assert gauge() == 1
    one.answered([0])
    assert gauge() == 0


@pytest.mark.parametrize("status", [0x08, 0x0B, 0x14, 0x45, 0x58, 0x65, 0xC1, 0x400], ids=hex)
def test_what_does_not(status: int) -> None:
    with capture_logs() as logs:
        alarm().answered([status] * 100)
    assert logs == []
    assert gauge() == 0


@pytest.mark.parametrize(
    ("batches", "raised"),
    [
        ([SOURCE * SOURCE_RUN], True),
        ([SOURCE * (SOURCE_RUN - 1)], False),
        ([SOURCE] * SOURCE_RUN, True),
        ([SOURCE * (SOURCE_RUN - 1), [0], SOURCE * (SOURCE_RUN - 1)], False),
        ([SOURCE * (SOURCE_RUN - 1), [0x14], SOURCE], False),
    ],
    ids=["so many", "one less", "one by one", "one accepted", "another refusal"],
)
def test_a_source_address_that_every_message_is_refused_for(
    batches: Sequence[Sequence[int]], raised: bool
) -> None:
    one = alarm()
    with capture_logs() as logs:
        for batch in batches:
            one.answered(batch)
    assert bool(logs) is raised
    assert gauge() == raised
    one.answered([0])


def test_the_last_word_of_a_batch_counts() -> None:
    one = alarm()
    one.answered([0x15, 0])
    assert gauge() == 0
    one.answered([0, 0x15])
    assert gauge() == 1
    one.answered([0x14])
    assert gauge() == 1, "another refusal ends nothing"
    one.answered([])
    assert gauge() == 1
    one.answered([0])
    assert gauge() == 0


def test_each_status_is_said_once_a_bind() -> None:
    one = alarm()
    with capture_logs() as logs:
        one.answered([0x15, 0x48, 0x15, 0, 0x15])
        one.bound()
        one.answered([0x15])
    assert [each["reason"][:10] for each in logs] == ["0x00000015", "0x00000048", "0x00000015"]
    one.answered([0])


def test_what_the_settings_give_a_meaning_is_no_alarm_but_where_it_is_the_links_fault() -> None:
    one = alarm({0x15: Reaction.TEMPORARY, 0x405: Reaction.LINK})
    with capture_logs() as logs:
        one.answered([0x15])
        assert gauge() == 0
        one.answered([0x405])
        assert gauge() == 1
    assert [each["reason"] for each in logs] == ["0x00000405"]
    one.answered([0])


def test_refusals_are_counted_by_status() -> None:
    names = ["ESME_RINVSERTYP", "ESME_RMSGQFUL", "other", "ESME_ROK"]
    before = [metric("smsgw_submit_refusals_total", status=name) for name in names]
    one = alarm()
    one.answered([0x15, 0x14, 0x14, 0x400, 0x401, 0])
    after = [metric("smsgw_submit_refusals_total", status=name) for name in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 2, 2, 0]


def test_on_a_link(world: Any, play: Play) -> None:
    world.smsc.submit_status = Status.RINVSERTYP

    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1, 2, 3)
        await bench.until(lambda: len(world.diary.outcomes) == 3)
        assert bench.acceptances() == ["PERMANENT"] * 3
        assert gauge() == 1
        bench.smsc.peer.transport.abort()
        await bench.bound(sessions=2)
        bench.submit(4)
        await bench.until(lambda: len(world.diary.outcomes) == 4)
        world.smsc.submit_status = 0
        bench.submit(5)
        await bench.until(lambda: len(world.diary.outcomes) == 5)
        assert gauge() == 0

    logs = play(scenario)
    said = [each["reason"] for each in logs if each["event"] == "link.settings_alarm"]
    assert said == ["0x00000015 ESME_RINVSERTYP"] * 2


def test_statuses_mean_what_the_settings_say(world: Any, play: Play) -> None:
    world.smsc.submit_status = 0x405

    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1)
        await bench.until(lambda: world.diary.outcomes)
        world.smsc.submit_status = Status.RSUBMITFAIL
        bench.submit(2)
        await bench.until(lambda: len(world.diary.outcomes) == 2)
        assert bench.acceptances() == ["QUEUE_FULL", "PERMANENT"]

    play(scenario, statuses={"0x0405": "queue_full", "ESME_RSUBMITFAIL": "permanent"})

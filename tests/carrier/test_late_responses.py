"""Responses that come after they were given up, and what they change: the outcome, nothing else."""

import asyncio
from collections.abc import Callable
from typing import Any

from smsgw.carrier.counted import counted
from smsgw.carrier.pace import Answers
from smsgw.service.message import Acceptance, Outcome
from smsgw.smpp.tables import Status

Play = Callable[..., list[Any]]


async def one_given_up(bench: Any) -> Any:
    """Two submits, one answered in time, the other given up. The latter as the peer has it."""
    bench.smsc.submit_status = None
    await bench.bound()
    bench.submit(1, 2)
    await bench.until(lambda: len(bench.smsc.peer.submits) == 2)
    await asyncio.sleep(30)
    bench.smsc.peer.respond(bench.smsc.peer.submits[1])
    await bench.until(lambda: len(bench.diary.outcomes) == 2)
    assert bench.acceptances() == ["ACCEPTED", "LOST"]
    return bench.smsc.peer.submits[0]


def test_a_late_acceptance_is_told_as_late(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        submitted = await one_given_up(bench)
        assert not any(each.late for each in world.diary.outcomes)
        bench.smsc.peer.respond(submitted)
        await bench.until(lambda: len(world.diary.outcomes) == 3)
        late = world.diary.outcomes[-1]
        assert late.late
        assert late.acceptance is Acceptance.ACCEPTED
        assert (late.message_id, late.response_id) == ("late", "late")
        assert late.segment == world.segment(1)
        assert bench.link.capacity() == 50
        assert bench.link.state().in_flight == 0

    logs = play(scenario)
    assert "link.violation" not in [each["event"] for each in logs]


def test_a_late_refusal_is_told_with_what_it_means(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        submitted = await one_given_up(bench)
        bench.smsc.peer.respond(submitted, Status.RINVDSTADR)
        await bench.until(lambda: len(world.diary.outcomes) == 3)
        late = world.diary.outcomes[-1]
        assert (late.late, late.acceptance) == (True, Acceptance.PERMANENT)
        assert late.error == "0x0000000b ESME_RINVDSTADR"

    play(scenario)


def test_a_late_throttling_slows_nothing_down(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        submitted = await one_given_up(bench)
        bench.smsc.peer.respond(submitted, Status.RTHROTTLED)
        await bench.until(lambda: len(world.diary.outcomes) == 3)
        assert world.diary.outcomes[-1].late
        assert (bench.link.capacity(), bench.link.state().pace) == (50, 0)

    play(scenario)


def test_late_responses_show_that_the_session_moves(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        submitted = await one_given_up(bench)
        bench.submit(3)
        await asyncio.sleep(40)
        bench.smsc.peer.respond(submitted)
        await bench.until(lambda: len(world.diary.outcomes) == 4)
        assert bench.acceptances() == ["ACCEPTED", "LOST", "ACCEPTED", "LOST"]
        await asyncio.sleep(10)
        assert len(bench.smsc.dials) == 1

    play(scenario)


def test_the_pace_counts_each_submit_once(world: Any) -> None:
    one = world.segment(1)
    outcomes = [
        Outcome(one, acceptance, 0.0, late=late)
        for late in (False, True)
        for acceptance in Acceptance
    ]
    others = len(Acceptance) - 3
    assert counted(outcomes) == Answers(accepted=1, throttled=1, full=1, others=others)

"""How sessions come to be by dialling: pairs, several sessions, several hosts."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from smsgw.carrier.dialling import BACK_SECONDS
from smsgw.metrics import REGISTRY
from smsgw.service.ports import LinkStatus
from smsgw.smpp.tables import Command, Status

Play = Callable[..., list[Any]]

PAIR = "transmitter+receiver"
RX, TX, TRX = Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER


def said(logs: list[Any]) -> list[str]:
    return [each["event"] for each in logs if each["log_level"] != "debug"]


def alarm() -> float:
    return REGISTRY.get_sample_value("smsgw_link_alarm", {"carrier": "mtel"}) or 0.0


def commands(smsc: Any) -> list[int]:
    return [bind.command for bind in smsc.binds]


async def until_bound(bench: Any) -> None:
    await bench.until(lambda: bench.status is LinkStatus.BOUND)


def half(smsc: Any, command: int) -> Any:
    """The latest connection that was bound with `command`."""
    latest = max(number for number, bind in enumerate(smsc.binds) if bind.command == command)
    return smsc.peers[latest]


# -- a pair ------------------------------------------------------------------------------------


def test_a_pair_receives_on_the_one_and_sends_on_the_other(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        bench.smsc.refusals[TX] = Status.RSYSERR
        await bench.until(lambda: bench.status is LinkStatus.WAITING)
        assert commands(bench.smsc) == [RX, TX]
        assert (bench.link.capacity(), bench.link.state().sessions) == (0, 0)
        bench.smsc.refusals.clear()
        await until_bound(bench)
        assert commands(bench.smsc) == [RX, TX, RX, TX]
        assert (bench.link.capacity(), bench.link.state().sessions) == (7, 2)
        bench.submit(1)
        half(bench.smsc, RX).deliver([world.mo()])
        await bench.until(lambda: world.diary.outcomes and half(bench.smsc, RX).answers)
        assert len(half(bench.smsc, TX).submits) == 1

    logs = play(scenario, bind=PAIR, window=7)
    assert [each["bind"] for each in logs if each["event"] == "link.bound"] == [
        "receiver",
        "receiver",
        "transmitter",
    ]


@pytest.mark.parametrize("lost", [RX, TX], ids=["receiver", "transmitter"])
def test_the_half_that_is_left_works_on_while_the_lost_one_is_bound_again(
    world: Any, play: Play, lost: Command
) -> None:
    async def scenario(bench: Any) -> None:
        await until_bound(bench)
        half(bench.smsc, lost).transport.abort()
        await bench.until(lambda: bench.status is LinkStatus.WAITING)
        if lost is TX:
            half(bench.smsc, RX).deliver([world.mo()])
            await bench.until(lambda: half(bench.smsc, RX).answers)
            assert bench.link.capacity() == 0
        else:
            bench.submit(1)
            await bench.until(lambda: world.diary.outcomes)
            assert bench.acceptances() == ["ACCEPTED"]
        assert bench.status is LinkStatus.WAITING
        await until_bound(bench)
        assert commands(bench.smsc) == [RX, TX, lost]

    assert said(play(scenario, bind=PAIR)).count("link.lost") == 1


def test_a_lost_half_that_is_refused_is_tried_again_by_the_reason(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await until_bound(bench)
        bench.smsc.refusals[TX] = Status.RALYBND
        half(bench.smsc, TX).transport.abort()
        await bench.until(lambda: len(bench.smsc.dials) == 5)
        assert bench.smsc.dials == pytest.approx([0, 0, 1, 6, 16], abs=0.5)
        assert half(bench.smsc, RX).closed_at is None
        bench.smsc.refusals.clear()
        await until_bound(bench)

    play(scenario, bind=PAIR)


def test_a_pair_that_loses_both_halves_begins_anew(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await until_bound(bench)
        for peer in bench.smsc.peers:
            peer.transport.abort()
        await bench.until(lambda: len(bench.smsc.binds) == 4)
        assert commands(bench.smsc) == [RX, TX, RX, TX]
        await until_bound(bench)

    play(scenario, bind=PAIR)


def test_a_pair_that_loses_its_second_half_in_the_pause_begins_anew(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await until_bound(bench)
        bench.smsc.refusals[TX] = Status.RSYSERR
        half(bench.smsc, TX).transport.abort()
        await bench.until(lambda: len(bench.smsc.dials) == 3)
        await asyncio.sleep(1)
        begun = bench.now
        bench.smsc.refusals.clear()
        half(bench.smsc, RX).transport.abort()
        await bench.until(lambda: len(bench.smsc.binds) == 5)
        assert commands(bench.smsc) == [RX, TX, TX, RX, TX]
        assert bench.now - begun < 61, "the pause of the last trouble, and no more"

    play(scenario, bind=PAIR)


def test_an_smsc_that_knows_no_transceiver_gets_a_pair(world: Any, play: Play) -> None:
    world.smsc.nacks.add(TRX)

    async def scenario(bench: Any) -> None:
        await until_bound(bench)
        assert (commands(bench.smsc), bench.now) == ([TRX, RX, TX], 0)
        bench.smsc.nacks.clear()
        for peer in bench.smsc.peers:
            peer.transport.abort()
        await bench.until(lambda: len(bench.smsc.binds) == 4)
        assert commands(bench.smsc)[3] == TRX, "it may know better now"

    play(scenario)


def test_an_smsc_that_knows_no_bind_at_all_is_tried_slowly(world: Any, play: Play) -> None:
    world.smsc.nacks |= {TRX, RX}

    async def scenario(bench: Any) -> None:
        await bench.until(lambda: len(bench.smsc.binds) == 4)
        assert commands(bench.smsc) == [TRX, RX, TRX, RX]
        assert bench.smsc.dials == pytest.approx([0, 0, 120, 120], abs=0.5)
        assert bench.link.state().last_error == "0x00000003 ESME_RINVCMDID"

    play(scenario)


# -- several sessions --------------------------------------------------------------------------


def test_segments_are_spread_evenly_over_the_sessions(world: Any, play: Play) -> None:
    world.smsc.submit_status = None

    async def scenario(bench: Any) -> None:
        await bench.until(lambda: bench.link.state().sessions == 3)
        assert bench.link.capacity() == bench.link.state().window == 30
        bench.submit(*range(12))
        await bench.until(lambda: sum(len(peer.submits) for peer in bench.smsc.peers) == 12)
        assert [len(peer.submits) for peer in bench.smsc.peers] == [4, 4, 4]
        for pdu in bench.smsc.peers[1].submits[:3]:
            bench.smsc.peers[1].respond(pdu)
        await bench.until(lambda: len(world.diary.outcomes) == 3)
        bench.submit(20, 21)
        await bench.until(lambda: sum(len(peer.submits) for peer in bench.smsc.peers) == 14)
        assert [len(peer.submits) for peer in bench.smsc.peers] == [4, 6, 4], "the freest first"
        bench.submit(*range(30, 60))
        await bench.until(lambda: sum(len(peer.submits) for peer in bench.smsc.peers) == 33)
        assert bench.acceptances().count("NOT_SENT") == 11
        assert bench.link.state().in_flight == 30

    play(scenario, sessions=3, window=10)


def test_a_session_that_is_lost_leaves_the_others_at_work(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.until(lambda: bench.link.state().sessions == 3)
        bench.smsc.peers[1].transport.abort()
        await bench.until(lambda: bench.link.state().sessions == 2)
        assert bench.status is LinkStatus.BOUND
        assert bench.link.capacity() == 100
        await bench.until(lambda: bench.link.state().sessions == 3)
        assert len(bench.smsc.dials) == 4
        assert bench.smsc.peers[0].closed_at is bench.smsc.peers[2].closed_at is None

    play(scenario, sessions=3)


def test_a_carrier_that_grants_fewer_sessions_is_asked_for_the_last_now_and_then(
    world: Any, play: Play
) -> None:
    async def scenario(bench: Any) -> None:
        await bench.until(lambda: bench.link.state().sessions == 1)
        bench.smsc.refusal = Status.RALYBND
        await asyncio.sleep(100)
        assert bench.status is LinkStatus.BOUND
        assert bench.smsc.dials == pytest.approx([0, 0, 5, 15, 35, 75], abs=1)

    play(scenario, sessions=2)


def test_wrong_credentials_are_tried_by_one_session_for_all_and_raise_an_alarm(
    world: Any, play: Play
) -> None:
    world.smsc.refusal = Status.RINVPASWD

    async def scenario(bench: Any) -> None:
        await bench.until(lambda: len(bench.smsc.dials) == 4)
        assert bench.smsc.dials == pytest.approx([0, 120, 360, 840], abs=1)
        assert alarm() == 1
        bench.smsc.refusal = None
        await bench.until(lambda: bench.link.state().sessions == 3)
        assert alarm() == 0

    logs = play(scenario, sessions=3)
    refused = [each for each in logs if each["event"] == "link.bind_refused"]
    assert [each["log_level"] for each in refused].count("error") == 1


def test_posts_that_wait_for_credentials_never_put_each_other_off(world: Any, play: Play) -> None:
    world.smsc.refusal = Status.RINVSYSID

    async def scenario(bench: Any) -> None:
        await asyncio.sleep(20_000)
        gaps = [b - a for a, b in pairwise(bench.smsc.dials)]
        assert 60 <= min(gaps) <= max(gaps) <= 600
        bench.smsc.refusal = None
        await bench.until(lambda: bench.link.state().sessions == 5)

    play(scenario, sessions=5, chance=True)


# -- several hosts -----------------------------------------------------------------------------


def test_the_second_host_takes_over_at_once(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.smsc.close()
        await until_bound(bench)
        assert bench.now < 1
        assert (len(bench.smsc.binds), len(bench.second.binds)) == (0, 1)

    logs = play(scenario, two_hosts=True)
    assert said(logs)[:2] == ["link.unreachable", "link.bound"]
    assert (logs[0]["port"], logs[0]["next_host"]) == (
        world.smsc.port,
        f"127.0.0.1:{world.second.port}",
    )
    assert logs[1]["port"] == world.second.port


def test_with_no_host_at_all_both_are_tried_again_and_again(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.smsc.close()
        await bench.second.close()
        await asyncio.sleep(100)
        await bench.second.open(bench.second.port)
        await until_bound(bench)

    logs = play(scenario, two_hosts=True)
    assert said(logs)[:3] == ["link.unreachable", "link.unreachable", "link.bound"]


def test_a_session_moves_back_to_the_first_host_when_that_lets_it(world: Any, play: Play) -> None:
    world.second.submit_status = None

    async def scenario(bench: Any) -> None:
        await bench.smsc.close()
        await until_bound(bench)
        await asyncio.sleep(BACK_SECONDS + 1)
        assert bench.second.peer.closed_at is None, "the first is still away"
        await bench.smsc.open(bench.smsc.port)
        await asyncio.sleep(BACK_SECONDS - 10)
        bench.submit(1)
        await bench.until(lambda: bench.link.state().sessions == 2)
        assert bench.status is LinkStatus.BOUND
        await bench.until(lambda: bench.link.capacity() == 50)  # the old one gets no more
        bench.submit(2)
        await bench.until(lambda: bench.smsc.peer.submits)
        bench.second.peer.respond(bench.second.peer.submits[0])
        await bench.until(lambda: bench.second.peer.closed_at is not None)
        assert bench.acceptances() == ["ACCEPTED", "ACCEPTED"]
        assert bench.link.state().sessions == 1
        await asyncio.sleep(3 * BACK_SECONDS)
        assert len(bench.smsc.dials) == 1, "it is at home"

    logs = play(scenario, two_hosts=True)
    assert "link.lost" not in said(logs)


def test_a_first_host_that_refuses_costs_no_session(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.smsc.close()
        await until_bound(bench)
        await bench.smsc.open(bench.smsc.port)
        bench.smsc.refusal = Status.RALYBND
        await bench.until(lambda: len(bench.smsc.binds) == 3)
        assert bench.smsc.dials == pytest.approx([600, 1200, 1800], abs=1)
        assert bench.second.peer.closed_at is None
        assert bench.status is LinkStatus.BOUND

    play(scenario, two_hosts=True)


def test_every_search_begins_with_the_first_host(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.smsc.close()
        await until_bound(bench)
        await bench.smsc.open(bench.smsc.port)
        bench.second.peer.transport.abort()
        await bench.until(lambda: bench.smsc.binds)
        await until_bound(bench)
        assert len(bench.second.binds) == 1

    play(scenario, two_hosts=True)


@pytest.mark.parametrize(
    ("status", "elsewhere"),
    [
        (Status.RSYSERR, True),
        (Status.RTHROTTLED, True),
        (Status.RBINDFAIL, True),
        (Status.RINVPASWD, False),
        (Status.RALYBND, False),
    ],
    ids=lambda value: value.name if isinstance(value, Status) else "",
)
def test_a_refusal_sends_to_the_next_host_or_not(
    world: Any, play: Play, status: int, elsewhere: bool
) -> None:
    world.smsc.refusal = status

    async def scenario(bench: Any) -> None:
        await bench.until(lambda: bench.status in (LinkStatus.BOUND, LinkStatus.WAITING))
        assert len(bench.second.binds) == elsewhere
        assert len(bench.smsc.binds) == 1

    play(scenario, two_hosts=True)


def test_a_pair_stands_at_one_host(world: Any, play: Play) -> None:
    world.smsc.refusals[TX] = Status.RSYSERR

    async def scenario(bench: Any) -> None:
        await until_bound(bench)
        assert commands(bench.smsc) == commands(bench.second) == [RX, TX]
        assert bench.link.state().sessions == 2
        await bench.until(lambda: all(each.closed_at is not None for each in bench.smsc.peers))

    play(scenario, two_hosts=True, bind=PAIR)


def test_a_half_that_finds_its_host_gone_takes_the_pair_elsewhere(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await until_bound(bench)
        bench.smsc._server.close()  # what is connected stays
        half(bench.smsc, TX).transport.abort()
        await bench.until(lambda: len(bench.second.binds) == 2)
        await until_bound(bench)
        assert half(bench.smsc, RX).session.state.value == "closed", "unbound"
        assert bench.now < 10

    play(scenario, two_hosts=True, bind=PAIR)

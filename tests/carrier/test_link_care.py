"""A link in hard times: drained and resumed, frozen peers, old peers, floods, full buffers."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from smsgw.service.message import Ack, Verdict
from smsgw.service.ports import LinkStatus
from smsgw.smpp.tables import Status

Play = Callable[..., list[Any]]


def said(logs: list[Any]) -> list[str]:
    return [each["event"] for each in logs if each["log_level"] != "debug"]


# -- drain and resume --------------------------------------------------------------------------


def test_a_drained_link_lets_its_window_empty_unbinds_and_stays_away(
    world: Any, play: Play
) -> None:
    world.smsc.submit_status = None

    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1)
        await bench.until(lambda: bench.smsc.peer.submits)
        draining = asyncio.ensure_future(bench.link.drain())
        await asyncio.sleep(5)
        assert (bench.status, bench.link.capacity()) == (LinkStatus.DRAINED, 0)
        bench.submit(2)
        assert bench.acceptances() == ["NOT_SENT"]
        bench.smsc.peer.deliver([world.mo()])
        await bench.until(lambda: bench.smsc.peer.answers)
        assert not draining.done()
        bench.smsc.peer.respond(bench.smsc.peer.submits[0])
        await draining
        assert bench.acceptances() == ["NOT_SENT", "ACCEPTED"]
        assert bench.smsc.peer.session.state.value == "closed"
        await asyncio.sleep(10_000)
        assert (bench.status, len(bench.smsc.dials)) == (LinkStatus.DRAINED, 1)
        assert bench.link.state().sessions == 0
        bench.link.resume()
        resumed = bench.now
        await bench.until(lambda: bench.status is LinkStatus.BOUND)
        assert bench.now - resumed < 1

    logs = play(scenario)
    assert said(logs) == [
        "link.bound",
        "link.draining",
        "link.resumed",
        "link.bound",
        "link.stopped",
    ]


@pytest.mark.parametrize("when", ["dialling", "binding", "waiting"])
def test_a_link_that_is_not_bound_is_drained_at_once(world: Any, play: Play, when: str) -> None:
    async def scenario(bench: Any) -> None:
        if when == "binding":
            bench.smsc.mute = True
            await bench.until(lambda: bench.smsc.peers)
        elif when == "waiting":
            bench.smsc.refusal = Status.RINVPASWD
            await bench.until(lambda: bench.status is LinkStatus.WAITING)
        await bench.link.drain()
        assert bench.now < 1
        await asyncio.sleep(1000)
        assert bench.status is LinkStatus.DRAINED
        assert bench.link.state().sessions == 0
        assert len(bench.smsc.dials) <= 1
        bench.smsc.mute, bench.smsc.refusal = False, None
        bench.link.resume()
        resumed = bench.now
        await bench.until(lambda: bench.status is LinkStatus.BOUND)
        assert bench.now - resumed < 1

    play(scenario)


def test_a_session_that_comes_while_the_link_is_drained_is_given_up(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        bench.smsc.mute = True
        await bench.until(lambda: bench.smsc.binds)
        await bench.link.drain()
        bench.smsc.mute = False
        peer = bench.smsc.peer
        peer.transport.write(bytes.fromhex("00000015 80000009 00000000 00000001 736d736300"))
        await bench.until(lambda: peer.closed_at is not None)
        assert bench.status is LinkStatus.DRAINED
        assert bench.now < 5

    play(scenario)


def test_resuming_keeps_a_session_that_is_not_unbound_yet(world: Any, play: Play) -> None:
    world.smsc.submit_status = None

    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1)
        await bench.until(lambda: bench.smsc.peer.submits)
        draining = asyncio.ensure_future(bench.link.drain())
        await asyncio.sleep(5)
        bench.link.resume()
        await draining
        assert (bench.status, bench.link.capacity()) == (LinkStatus.BOUND, 49)
        bench.smsc.peer.respond(bench.smsc.peer.submits[0])
        await asyncio.sleep(100)
        assert len(bench.smsc.dials) == 1

    play(scenario)


def test_resuming_completes_a_pair_of_which_half_is_gone(world: Any, play: Play) -> None:
    world.smsc.submit_status = None

    async def scenario(bench: Any) -> None:
        await bench.until(lambda: bench.status is LinkStatus.BOUND)
        receiver, transmitter = bench.smsc.peers
        bench.submit(1)
        await bench.until(lambda: transmitter.submits)
        draining = asyncio.ensure_future(bench.link.drain())
        await bench.until(lambda: receiver.closed_at is not None)
        await asyncio.sleep(20)
        bench.link.resume()
        await draining
        assert bench.status is not LinkStatus.BOUND
        await bench.until(lambda: bench.status is LinkStatus.BOUND)
        assert bench.now < 25
        assert transmitter.closed_at is None

    play(scenario, bind="transmitter+receiver")


def test_draining_waits_no_longer_than_a_response_may_take(world: Any, play: Play) -> None:
    world.smsc.submit_status = None

    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1)
        await bench.until(lambda: bench.smsc.peer.submits)
        await asyncio.gather(bench.link.drain(), bench.link.drain())
        assert bench.now == pytest.approx(60, abs=2)
        assert bench.acceptances() == ["LOST"]

    play(scenario)


def test_resuming_what_is_not_drained_changes_nothing(play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.link.resume()
        assert bench.status is LinkStatus.BOUND

    assert "link.resumed" not in said(play(scenario))


def test_a_drained_link_can_be_stopped(play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        await bench.link.drain()
        await bench.link.stop(10)
        await bench.running
        assert bench.status is LinkStatus.STOPPED
        bench.link.resume()
        assert bench.status is LinkStatus.STOPPED

    play(scenario)


# -- life is progress --------------------------------------------------------------------------


def test_a_session_that_answers_no_submit_is_given_up(world: Any, play: Play) -> None:
    world.smsc.submit_status = None

    async def scenario(bench: Any) -> None:
        await bench.bound()
        await asyncio.sleep(500)
        bench.submit(*range(50))
        submitted = bench.now
        await bench.until(lambda: len(bench.smsc.peer.submits) == 50)
        await bench.bound(sessions=2)
        assert bench.now - submitted == pytest.approx(61, abs=1.5)
        assert bench.smsc.peers[0].enquiries >= 2, "and they were answered"
        assert bench.acceptances() == ["LOST"] * 50
        assert bench.smsc.peers[0].session.state.value == "closed"

    logs = play(scenario)
    assert [each["reason"] for each in logs if each["event"] == "link.lost"] == [
        "submits are not answered"
    ]


def test_a_frozen_peer_that_answers_no_unbind_either_is_cut(world: Any, play: Play) -> None:
    world.smsc.submit_status = None

    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1)
        await bench.until(lambda: bench.smsc.peer.submits)
        await asyncio.sleep(55)
        bench.smsc.mute = True
        await bench.until(lambda: bench.smsc.peer.closed_at is not None)
        assert bench.now == pytest.approx(61, abs=1.5)
        bench.smsc.mute = False
        await bench.bound(sessions=2)

    play(scenario)


def test_a_session_that_answers_some_submits_is_kept(world: Any, play: Play) -> None:
    world.smsc.submit_status = None

    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1, 2)
        await bench.until(lambda: len(bench.smsc.peer.submits) == 2)
        await asyncio.sleep(30)
        bench.smsc.peer.respond(bench.smsc.peer.submits[1])
        await asyncio.sleep(1000)
        assert sorted(bench.acceptances()) == ["ACCEPTED", "LOST"]
        assert len(bench.smsc.dials) == 1

    play(scenario)


def test_a_link_without_messages_is_unbound_where_that_is_asked(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        await asyncio.sleep(250)
        bench.submit(1)
        await bench.bound(sessions=2)
        assert bench.now == pytest.approx(551, abs=2)
        assert bench.smsc.peers[0].session.state.value == "closed", "unbound"

    play(scenario, inactivity="5m")


# -- what the peer speaks ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "tlvs"),
    [(None, True), (0x34, True), (0x50, True), (0x33, False), (0x00, False)],
    ids=["says 3.4 itself", "3.4", "5.0", "3.3", "older"],
)
def test_tlvs_go_only_to_a_peer_that_knows_them(
    world: Any, play: Play, version: int | None, tlvs: bool
) -> None:
    world.smsc.version = version

    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1)
        await bench.until(lambda: world.diary.outcomes)
        assert bench.acceptances() == ["ACCEPTED"]
        assert bool(bench.smsc.peer.submits[0].tlvs) is tlvs

    play(scenario, tlvs={"0x1401": "01"})


# -- pressure ----------------------------------------------------------------------------------


def test_a_queue_that_is_full_for_all_slows_the_link(world: Any, play: Play) -> None:
    world.smsc.submit_status = Status.RMSGQFUL

    async def scenario(bench: Any) -> None:
        await bench.bound()
        one = [world.segment(number) for number in range(5)]
        bench.link.submit(one)
        await bench.until(lambda: len(world.diary.outcomes) == 5)
        assert bench.acceptances() == ["QUEUE_FULL"] * 5
        assert bench.link.state().pace == 0, "one recipient's, as far as is known"
        several = [
            each._replace(destination=type(each.destination)(f"35988812345{number}"))
            for number, each in enumerate(one)
        ]
        bench.link.submit(several)
        await bench.until(lambda: len(world.diary.outcomes) == 10)
        assert bench.link.state().pace > 0
        assert bench.link.capacity() == 0

    play(scenario)


def test_an_smsc_that_never_reads_gets_no_more_than_a_window(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.smsc.peer.transport.pause_reading()
        (connection,) = bench.link._bound
        taken, most = 0, 0
        while bench.link.state().sessions:
            room = min(bench.link.capacity(), 1000)
            bench.link.submit([world.segment(number, octets=b"x" * 140) for number in range(room)])
            taken += room
            await asyncio.sleep(0.5)
            if bench.link.state().sessions:
                most = max(most, connection._transport.get_write_buffer_size())
        assert 0 < taken <= 20_000, "the window's worth"
        assert most <= 64 * 1024 + 1000 * 250, "what asyncio holds, and one batch"
        assert bench.now < 95, "it is found silent"
        await bench.until(lambda: len(world.diary.outcomes) == taken)
        assert set(bench.acceptances()) == {"LOST"}

    play(scenario, window=20_000)


def test_a_flood_of_messages_stays_in_the_socket_while_none_is_decided(
    world: Any, play: Play
) -> None:
    world.diary.ack = None

    async def scenario(bench: Any) -> None:
        await bench.bound()
        peer = bench.smsc.peer
        (connection,) = bench.link._bound
        for _ in range(60):
            peer.deliver([world.mo("x" * 150)] * 1000)
            await asyncio.sleep(1)
        waiting = len(connection._unanswered)
        assert 1000 < waiting < 4000, "the bound, and what one read brings over it"
        assert peer.transport.get_write_buffer_size() > 1_000_000, "the rest waits at the peer"
        world.diary.ack = Ack.DONE
        answered: list[int] = []
        while len(peer.answers) < 60_000:
            tokens = [token for token, _ in world.diary.items]
            connection._answer([Verdict.done(token) for token in tokens[len(answered) :]])
            answered = tokens
            await asyncio.sleep(0.01)
        assert all(pdu.status == 0 for pdu in peer.answers)

    play(scenario)

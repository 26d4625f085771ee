"""The link to one carrier: binding, losing, waiting, throttling, stopping."""

import asyncio
import socket
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from smsgw.carrier.ids import SessionIds
from smsgw.metrics import REGISTRY
from smsgw.service.message import Acceptance, Ack
from smsgw.service.ports import Carrier, LinkStatus
from smsgw.smpp.session import State
from smsgw.smpp.tables import Command, Status

EPOCH = 1_800_000_000.0
Play = Callable[..., list[Any]]


def events(logs: list[Any], *levels: str) -> list[str]:
    return [each["event"] for each in logs if each["log_level"] in (levels or ALL)]


ALL = ("debug", "info", "warning", "error", "critical")
SAID = ALL[1:]


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"carrier": "mtel", **labels}) or 0.0


# -- binding ---------------------------------------------------------------------------------


def test_it_binds_as_transceiver_and_says_so(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        carrier: Carrier = bench.link
        assert (carrier.id, carrier.capacity()) == ("mtel", 0)
        await bench.bound()
        (bind,) = bench.smsc.binds
        assert bind.command == Command.BIND_TRANSCEIVER
        assert (bind.text("system_id"), bind.text("password")) == ("cez", "secret")
        assert bind.text("system_type") == "SMS"
        assert carrier.capacity() == 7
        assert world.diary.named("ready") == [("ready", "mtel", bench.now)]
        state = carrier.state()
        assert state.status is LinkStatus.BOUND
        assert state.since == EPOCH + bench.now
        assert (state.carrier, state.name, state.sessions) == ("mtel", "M-Tel", 1)
        assert (state.in_flight, state.window, state.last_error) == (0, 7, "")
        assert metric("smsgw_link_up") == metric("smsgw_link_sessions") == 1
        assert metric("smsgw_window_limit") == 7

    logs = play(scenario, name="M-Tel", system_type="SMS", window=7)
    assert events(logs, *SAID) == ["link.bound", "link.stopped"]
    assert logs[0]["carrier"] == "mtel"
    assert logs[0]["host"] == "127.0.0.1"
    assert logs[0]["port"] == world.smsc.port
    assert metric("smsgw_link_up") == metric("smsgw_link_sessions") == 0


def test_messages_come_with_the_session_s_id(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.smsc.peer.deliver([world.mo()])
        await bench.until(lambda: bench.smsc.peer.answers)
        assert world.diary.items[0][1].session == EPOCH * 1_000_000

    play(scenario)


def test_a_message_may_come_right_behind_the_bind(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.until(lambda: bench.smsc.peers)
        peer = bench.smsc.peer
        act = peer.act

        def act_and_deliver(found: Any, now: float) -> None:
            act(found, now)
            if len(bench.smsc.binds) == 1 and not peer.session.outstanding:
                peer.session.request(Command.DELIVER_SM, world.mo(), (), now, None)

        peer.act = act_and_deliver
        await bench.until(lambda: peer.answers)
        assert [entry[0] for entry in world.diary.entries] == ["ready", "received"]

    play(scenario)


def test_session_ids_never_come_twice() -> None:
    ids = SessionIds()
    assert [ids.next(at) for at in (5.0, 5.0, 4.0, 5.000001, 6.0)] == [
        5_000_000,
        5_000_001,
        5_000_002,
        5_000_003,
        6_000_000,
    ]


# -- submitting ------------------------------------------------------------------------------


def test_a_segment_goes_and_comes_back(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1, 2)
        assert bench.link.capacity() == 48
        assert bench.link.state().in_flight == metric("smsgw_window_in_use") == 2
        await bench.until(lambda: len(world.diary.outcomes) == 2)
        assert bench.acceptances() == ["ACCEPTED", "ACCEPTED"]
        assert bench.link.capacity() == 50
        assert bench.smsc.peer.submits[0].text("destination_addr") == "359888123456"

    play(scenario)


def test_without_a_session_nothing_is_sent(world: Any, play: Play) -> None:
    world.smsc.mute = True

    async def scenario(bench: Any) -> None:
        bench.submit(1, 2)
        assert bench.acceptances() == ["NOT_SENT", "NOT_SENT"]
        assert bench.link.capacity() == 0

    play(scenario)


def test_what_has_no_place_is_not_sent(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1, 2, 3)
        await bench.until(lambda: len(world.diary.outcomes) == 3)
        assert bench.acceptances() == ["NOT_SENT", "ACCEPTED", "ACCEPTED"]
        assert world.diary.outcomes[0].segment.key.mt == 3

    play(scenario, window=2)


# -- losing ----------------------------------------------------------------------------------


def test_a_lost_session_ends_settles_and_is_bound_again(world: Any, play: Play) -> None:
    world.smsc.submit_status = None

    async def scenario(bench: Any) -> None:
        await bench.bound()
        drops = metric("smsgw_link_drops_total", reason="connection")
        bench.submit(1, 2)
        await bench.until(lambda: len(bench.smsc.peer.submits) == 2)
        await asyncio.sleep(50)
        bench.smsc.peer.transport.abort()
        await bench.until(lambda: bench.status is LinkStatus.WAITING)
        first = int(EPOCH * 1_000_000)
        ended = ("ended", "mtel", first, EPOCH + 50)
        assert world.diary.entries[1:] == [ended, ("settled", ["LOST", "LOST"])]
        assert bench.link.capacity() == 0
        state = bench.link.state()
        assert (state.sessions, state.in_flight) == (0, 0)
        assert state.last_error in ("Connection reset by peer", "connection closed by the peer")
        assert metric("smsgw_link_drops_total", reason="connection") == drops + 1
        await bench.bound(sessions=2)
        assert bench.smsc.dials[1] == 51
        bench.smsc.peer.deliver([world.mo()])
        await bench.until(lambda: world.diary.items)
        assert world.diary.items[0][1].session > first

    logs = play(scenario)
    assert events(logs, *SAID) == ["link.bound", "link.lost", "link.bound", "link.stopped"]
    assert logs[1]["retry_in"] == 1.0
    assert logs[1]["reason"]


def test_an_unbind_of_the_peer_s_is_answered_and_followed_by_a_bind(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.smsc.peer.unbind()
        await bench.bound(sessions=2)
        assert bench.smsc.happened == ["connected", "closed", "connected"]
        assert bench.link.state().last_error == "unbound by the peer"

    play(scenario)


def test_a_flapping_session_is_tried_less_and_less(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        for number in range(1, 8):
            await bench.bound(sessions=number)
            bench.smsc.peer.transport.abort()
            await bench.until(lambda: bench.status is LinkStatus.WAITING)
        gaps = [b - a for a, b in pairwise(bench.smsc.dials)]
        assert gaps == pytest.approx([1, 2, 4, 8, 16, 30], abs=0.5)
        await bench.bound(sessions=8)
        await asyncio.sleep(61)
        bench.smsc.peer.transport.abort()
        before = bench.now
        await bench.bound(sessions=9)
        assert bench.now - before == pytest.approx(1, abs=0.5), "a steady session clears the past"

    play(scenario)


def test_the_old_socket_is_closed_before_the_next_is_opened(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.smsc.mute = True  # the link finds it silent; its side is still open
        await bench.until(lambda: "closed" in bench.smsc.happened)
        bench.smsc.mute = False
        await bench.bound(sessions=2)
        assert bench.smsc.happened[:3] == ["connected", "closed", "connected"]

    play(scenario, enquire_link="10s", response_timeout="20s")


# -- not binding -----------------------------------------------------------------------------


def test_an_unreachable_carrier_is_said_once_and_tried_for_ever(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.smsc.close()
        await bench.until(lambda: bench.status is LinkStatus.WAITING)
        await asyncio.sleep(1000)
        assert bench.status in (LinkStatus.WAITING, LinkStatus.CONNECTING)
        await bench.smsc.open(bench.smsc.port)
        await bench.bound()

    logs = play(scenario)
    assert events(logs, *SAID) == ["link.unreachable", "link.bound", "link.stopped"]
    first = logs[0]
    assert (first["log_level"], first["retry_in"]) == ("warning", 1.0)
    assert "refused" in first["reason"]
    tries = [each["retry_in"] for each in logs if each["event"] == "link.unreachable"]
    assert tries[:6] == [1, 2, 4, 8, 16, 30]
    assert len(tries) > 30


@pytest.mark.parametrize(
    ("status", "pauses", "level"),
    [
        (Status.RINVPASWD, [120, 240, 480, 600], "error"),
        (Status.RINVSYSID, [120, 240, 480, 600], "error"),
        (Status.RALYBND, [5, 10, 20, 40], "warning"),
        (Status.RBINDFAIL, [30, 60, 120, 240], "warning"),
        (Status.RSYSERR, [30, 60, 120, 240], "warning"),
        (Status.RTHROTTLED, [30, 60, 120, 240], "warning"),
        (0x400, [30, 60, 120, 240], "warning"),
    ],
    ids=lambda value: value.name if isinstance(value, Status) else "",
)
def test_a_refused_bind_is_tried_again_by_its_reason(
    world: Any, play: Play, status: int, pauses: list[float], level: str
) -> None:
    world.smsc.refusal = status

    async def scenario(bench: Any) -> None:
        await bench.until(lambda: len(bench.smsc.dials) == 5)
        gaps = [b - a for a, b in pairwise(bench.smsc.dials)]
        assert gaps == pytest.approx(pauses, abs=0.5)
        assert bench.link.capacity() == 0
        assert bench.link.state().last_error.startswith(f"0x{status:08x}")
        assert world.diary.entries == []
        bench.smsc.refusal = None
        await bench.bound()

    logs = play(scenario)
    assert events(logs, *SAID) == ["link.bind_refused", "link.bound", "link.stopped"]
    assert logs[0]["log_level"] == level


def test_a_carrier_that_never_answers_the_bind_is_left(world: Any, play: Play) -> None:
    world.smsc.mute = True

    async def scenario(bench: Any) -> None:
        await bench.until(lambda: bench.status is LinkStatus.WAITING)
        assert bench.now == pytest.approx(30, abs=1.5)
        assert bench.link.state().last_error == "no bind in time"
        world.smsc.mute = False
        await bench.bound()

    logs = play(scenario)
    assert events(logs, *SAID) == ["link.unreachable", "link.bound", "link.stopped"]


def test_a_dial_without_end_is_given_up(
    world: Any, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(bench: Any) -> None:
        async def for_ever(*_: object) -> None:
            await asyncio.sleep(10_000)

        monkeypatch.setattr(bench.link._way, "_dial", for_ever)
        await bench.until(lambda: bench.status is LinkStatus.WAITING)
        assert bench.now == pytest.approx(10, abs=1.5)
        assert bench.link.state().last_error == "no connection in time"

    play(scenario)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (ConnectionRefusedError(111, "Connect call failed (…)"), "Connection refused"),
        (OSError("Multiple exceptions: …"), "Multiple exceptions: …"),
    ],
    ids=["no address", "refused", "several"],
)
def test_why_a_dial_failed_is_said_in_words(
    world: Any, play: Play, monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str
) -> None:
    async def scenario(bench: Any) -> None:
        async def failing(*_: object) -> None:
            raise error

        monkeypatch.setattr(bench.link._way, "_dial", failing)
        await bench.until(lambda: bench.status is LinkStatus.WAITING)
        assert reason in bench.link.state().last_error

    assert reason in play(scenario)[0]["reason"]


# -- pace ------------------------------------------------------------------------------------


def test_a_throttled_link_rests_a_second(world: Any, play: Play) -> None:
    world.smsc.submit_status = Status.RTHROTTLED

    async def scenario(bench: Any) -> None:
        await bench.bound()
        before = metric("smsgw_throttled_total")
        assert bench.link.state().pace == metric("smsgw_throughput_pace_segments_per_second") == 0
        bench.submit(1, 2)
        await bench.until(lambda: len(world.diary.outcomes) == 2)
        at = bench.now
        assert bench.acceptances() == ["THROTTLED", "THROTTLED"]
        assert bench.link.capacity() == 0
        bench.submit(3)
        assert bench.acceptances()[2] == "NOT_SENT"
        await bench.until(lambda: len(world.diary.named("ready")) == 2)
        assert world.diary.named("ready")[1][2] == pytest.approx(at + 1, abs=0.1)
        assert bench.link.capacity() == 1, "one, to see whether it is taken"
        assert bench.link.state().pace == metric("smsgw_throughput_pace_segments_per_second") > 0
        assert metric("smsgw_throttled_total") == before + 2

    play(scenario)


def test_the_pace_is_kept_and_the_exchange_woken(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        for number in range(1, 6):
            assert bench.link.capacity() == metric("smsgw_throughput_tokens") == 1
            bench.submit(number)
            assert bench.link.capacity() == 0
            submitted = bench.now
            await asyncio.sleep(0.2)
            assert len(world.diary.named("ready")) == 1 + number, "woken once"
            assert world.diary.named("ready")[-1][2] == pytest.approx(submitted + 0.1)
        assert metric("smsgw_throughput_limit_segments_per_second") == 10

    play(scenario, throughput=10)


def test_a_rest_outlasts_the_wait_for_a_token(world: Any, play: Play) -> None:
    world.smsc.submit_status = Status.RTHROTTLED

    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1)
        await bench.until(lambda: len(world.diary.named("ready")) == 2)
        assert world.diary.named("ready")[1][2] == pytest.approx(1)
        assert bench.link.capacity() == 1

    play(scenario, throughput=10)


def test_a_rest_that_outlasts_its_session_is_ended_by_the_next(world: Any, play: Play) -> None:
    world.smsc.submit_status = Status.RTHROTTLED

    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1)
        await bench.until(lambda: world.diary.outcomes)
        bench.smsc.peer.transport.abort()
        bench.link._throttle._pace.resting_until = 5.0
        await bench.until(lambda: len(world.diary.named("ready")) == 2)
        assert bench.smsc.dials == [0, 1]
        assert bench.now == pytest.approx(5)

    play(scenario)


def test_a_full_window_that_empties_finds_its_tokens_later(world: Any, play: Play) -> None:
    world.smsc.submit_status = None

    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1)
        assert bench.link.capacity() == 0
        await bench.until(lambda: bench.smsc.peer.submits)
        bench.smsc.peer.respond(bench.smsc.peer.submits[0])
        await bench.until(lambda: world.diary.outcomes)
        assert bench.link.capacity() == 0, "a place, and no token"
        await bench.until(lambda: len(world.diary.named("ready")) == 2)
        assert bench.link.capacity() == 1
        assert bench.now == pytest.approx(100, abs=1.5)

    play(scenario, throughput=0.01, window=1)


def test_a_link_that_is_not_fit_to_send_is_bound_anew(world: Any, play: Play) -> None:
    world.smsc.submit_status = Status.RINVBNDSTS

    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1, 2)
        await bench.until(lambda: len(world.diary.outcomes) == 2)
        assert bench.acceptances() == ["LINK", "LINK"]
        assert bench.link.capacity() == 0
        bench.smsc.submit_status = 0
        await bench.bound(sessions=2)
        assert bench.smsc.happened == ["connected", "closed", "connected"]

    reasons = {each["event"]: each.get("reason") for each in play(scenario)}
    assert reasons["link.lost"] == "submits refused with 0x00000004 ESME_RINVBNDSTS"


def test_one_unfit_submit_loses_none_of_the_others(world: Any, play: Play) -> None:
    world.smsc.submit_status = None

    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1, 2, 3)
        await bench.until(lambda: len(bench.smsc.peer.submits) == 3)
        first, *others = bench.smsc.peer.submits
        bench.smsc.peer.respond(first, Status.RINVBNDSTS)
        await bench.until(lambda: world.diary.outcomes)
        assert bench.link.capacity() == 0
        await asyncio.sleep(1)
        assert bench.smsc.peer.session.state is State.BOUND_TRX, (
            "no unbind before they are answered"
        )
        for other in others:
            bench.smsc.peer.respond(other)
        await bench.bound(sessions=2)
        assert bench.acceptances() == ["LINK", "ACCEPTED", "ACCEPTED"]

    play(scenario)


def test_a_peer_that_reads_again_is_said_to_be_ready(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        (connection,) = bench.link._bound
        connection.pause_writing()
        assert bench.link.capacity() == 0
        connection.resume_writing()
        assert len(world.diary.named("ready")) == 2

    play(scenario)


# -- stopping --------------------------------------------------------------------------------


def test_stopping_waits_for_responses_and_unbinds(world: Any, play: Play) -> None:
    world.smsc.submit_status = None
    world.diary.ack = Ack.DONE

    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1)
        await bench.until(lambda: bench.smsc.peer.submits)
        stopping = asyncio.ensure_future(bench.link.stop(10))
        await asyncio.sleep(0)
        assert bench.link.capacity() == 0
        bench.submit(2)
        assert bench.acceptances() == ["NOT_SENT"]
        await asyncio.sleep(1)
        bench.smsc.peer.deliver([world.mo()])
        await bench.until(lambda: bench.smsc.peer.answers)
        assert not stopping.done()
        bench.smsc.peer.respond(bench.smsc.peer.submits[0])
        await stopping
        await bench.running
        assert bench.acceptances() == ["NOT_SENT", "ACCEPTED"]
        assert bench.now < 5
        assert bench.smsc.peer.session.state.value == "closed"
        assert [entry[0] for entry in world.diary.entries][-1] == "ended"
        assert bench.status is LinkStatus.STOPPED

    before = metric("smsgw_link_drops_total", reason="connection")
    assert events(play(scenario), *SAID) == ["link.bound", "link.stopped"]
    assert metric("smsgw_link_drops_total", reason="connection") == before


def test_stopping_takes_no_longer_than_it_may(world: Any, play: Play) -> None:
    world.smsc.submit_status = None

    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.submit(1)
        await bench.until(lambda: bench.smsc.peer.submits)
        bench.smsc.deaf = True
        begun = bench.now
        await bench.link.stop(10)
        await bench.running
        assert bench.now - begun == pytest.approx(11, abs=0.5)
        assert world.diary.outcomes[0].acceptance is Acceptance.LOST
        assert [entry[0] for entry in world.diary.entries][-2:] == ["ended", "settled"]

    logs = play(scenario)
    assert events(logs, *SAID) == ["link.bound", "link.not_drained", "link.stopped"]


@pytest.mark.parametrize("when", ["dialling", "binding", "waiting"])
def test_stopping_what_is_not_bound_is_quick(world: Any, play: Play, when: str) -> None:
    async def scenario(bench: Any) -> None:
        if when == "binding":
            bench.smsc.mute = True
            await bench.until(lambda: bench.smsc.peers)
        elif when == "waiting":
            bench.smsc.refusal = Status.RINVPASWD
            await bench.until(lambda: bench.status is LinkStatus.WAITING)
        begun = bench.now
        await bench.link.stop(10)
        await bench.running
        assert bench.now - begun < 1
        assert bench.status is LinkStatus.STOPPED

    play(scenario)


def test_a_link_can_be_stopped_twice(play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        await asyncio.gather(bench.link.stop(1), bench.link.stop(1))

    play(scenario)


def test_a_link_that_is_cancelled_leaves_no_socket_behind(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await bench.running
        await bench.until(lambda: bench.smsc.happened == ["connected", "closed"])
        assert bench.status is LinkStatus.STOPPED
        bench.running = asyncio.ensure_future(asyncio.sleep(0))

    play(scenario)

"""One connection: batches, answers, pressure, faults and the end."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from smsgw.carrier.connection import CLOSE_SECONDS, Connection
from smsgw.carrier.meter import Meter
from smsgw.carrier.questions import Reply
from smsgw.carrier.translate import Translator
from smsgw.log import get_logger
from smsgw.metrics import REGISTRY
from smsgw.service.message import Acceptance, Ack, Mo, Outcome, Receipt, Verdict
from smsgw.smpp.codec import Pdu, encode
from smsgw.smpp.session import Limits, Role, Session
from smsgw.smpp.tables import Command, Status


class Owner:
    """A keeper that passes outcomes on and remembers the rest."""

    def __init__(self, diary: Any) -> None:
        self.diary = diary
        self.seen: list[str] = []
        self.statuses: list[int] = []
        self.replies: list[Reply] = []

    def bound(self, connection: Connection) -> int:
        self.seen.append("bound")
        return 42

    def answered(self, connection: Connection, statuses: Sequence[int]) -> None:
        self.statuses += statuses

    def settled(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        self.diary.settled(outcomes)

    def replied(self, connection: Connection, replies: Sequence[Reply]) -> None:
        self.replies += replies

    def ended(self, connection: Connection) -> None:
        self.seen.append("ended")
        self.diary.entries.append(("ended",))

    def writable(self, connection: Connection) -> None:
        self.seen.append("writable")


class Bench:
    """A connection that is bound, and what stands around it."""

    def __init__(self, world: Any, limits: Limits, inbound_window: int) -> None:
        self.world = world
        self.diary = world.diary
        self.owner = Owner(world.diary)
        settings = world.settings()
        self.connection = Connection(
            Session(Role.ESME, limits, world.clock.monotonic()),
            Translator(settings, "170077"),
            world.diary,
            self.owner,
            clock=world.clock,
            meter=Meter(settings.id),
            log=get_logger().bind(carrier=settings.id),
            inbound_window=inbound_window,
        )

    async def dial(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self.connection, "127.0.0.1", self.world.smsc.port)
        self.connection.bind(Command.BIND_TRANSCEIVER, "cez", "secret", "")

    async def until(self, condition: Callable[[], object]) -> None:
        await self.world.until(condition)

    @property
    def peer(self) -> Any:
        return self.world.smsc.peer

    @property
    def transport(self) -> Any:
        return self.connection._transport

    def submit(self, count: int) -> None:
        self.connection.submit([self.world.segment(number) for number in range(count)])

    async def fill(self) -> None:
        """Submit until the connection takes no more."""
        long = self.world.segment(octets=b"x" * 250)
        while self.connection.free:
            self.connection.submit([long] * 100)
            await asyncio.sleep(0)


Play = Callable[..., None]
PATIENT = Limits(enquire_link=0)


@pytest.fixture
def play(world: Any) -> Play:
    """Runs a scenario on a bound connection and cuts it afterwards."""

    def run(
        scenario: Callable[[Bench], Awaitable[None]],
        limits: Limits = PATIENT,
        inbound_window: int = 1000,
        bound: bool = True,
    ) -> None:
        async def whole() -> None:
            bench = Bench(world, limits, inbound_window)
            await bench.dial()
            if bound:
                await bench.until(lambda: bench.owner.seen == ["bound"])
            try:
                await scenario(bench)
            finally:
                bench.connection.abort()
                await bench.connection.closed

        world.run(whole)

    return run


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"carrier": "mtel", **labels}) or 0.0


# -- messages that come ----------------------------------------------------------------------


def test_what_one_read_brings_goes_on_and_is_answered_together(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        reads = len(bench.peer.reads)
        bench.peer.deliver([world.mo(f"{number}") for number in range(50)])
        await bench.until(lambda: len(bench.peer.answers) == 50)
        assert world.diary.named("received") == [("received", 50)]
        texts = [what.text for _, what in world.diary.items if isinstance(what, Mo)]
        assert texts == [str(number) for number in range(50)]
        assert {what.session for _, what in world.diary.items} == {42}
        assert bench.peer.reads[reads:] == [50 * 17], "one write"
        assert {answer.status for answer in bench.peer.answers} == {Status.ROK}

    play(scenario)


@pytest.mark.parametrize(
    ("ack", "status"),
    [
        (Ack.DONE, Status.ROK),
        (Ack.RETRY, Status.RX_T_APPN),
        (Ack.REFUSE, Status.RX_R_APPN),
    ],
    ids=lambda value: value.name,
)
def test_a_verdict_is_a_status(world: Any, play: Play, ack: Ack, status: Status) -> None:
    world.diary.ack = ack

    async def scenario(bench: Bench) -> None:
        bench.peer.deliver([world.mo()])
        await bench.until(lambda: bench.peer.answers)
        assert bench.peer.answers[0].status == status

    play(scenario)


def test_verdicts_come_in_any_order_and_each_counts_once(world: Any, play: Play) -> None:
    world.diary.ack = None

    async def scenario(bench: Bench) -> None:
        bench.peer.deliver([world.mo(str(number)) for number in range(3)])
        await bench.until(lambda: len(world.diary.items) == 3)
        first, second, third = (token for token, _ in world.diary.items)
        world.diary.answer([Verdict(third, Ack.DONE), Verdict(third, Ack.RETRY)])
        world.diary.answer([Verdict(first, Ack.RETRY), Verdict(999, Ack.DONE)])
        world.diary.answer([Verdict.done(second)])
        await bench.until(lambda: len(bench.peer.answers) == 3)
        assert [(each.sequence, each.status) for each in bench.peer.answers] == [
            (3, Status.ROK),
            (1, Status.RX_T_APPN),
            (2, Status.ROK),
        ]

    play(scenario)


def test_what_is_not_ours_is_answered_and_goes_no_further(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        before = metric("smsgw_mos_not_ours_total", reason="destination")
        bench.peer.deliver(
            [world.mo(destination_addr="1"), world.mo(), world.mo(source_addr="Vivacom")]
        )
        await bench.until(lambda: len(bench.peer.answers) == 3)
        by_sequence = {each.sequence: each.status for each in bench.peer.answers}
        assert by_sequence == {1: Status.RX_R_APPN, 2: Status.ROK, 3: Status.ROK}
        assert len(world.diary.items) == 1
        assert metric("smsgw_mos_not_ours_total", reason="destination") == before + 1

    play(scenario)


def test_receipts_go_on_with_messages_in_their_order(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        receipt = world.mo("id:7 stat:DELIVRD err:000", esm_class=4)
        bench.peer.deliver([world.mo(), receipt, world.mo()])
        await bench.until(lambda: len(bench.peer.answers) == 3)
        kinds = [type(what) for _, what in world.diary.items]
        assert kinds == [Mo, Receipt, Mo]

    play(scenario)


def test_a_message_by_data_sm_is_one_too(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        fields = {"source_addr": "359888123456", "destination_addr": "170077"}
        bench.peer.say(Command.DATA_SM, fields, [(0x0424, b"smetka")])
        await bench.until(lambda: bench.peer.answers)
        assert bench.peer.answers[0].command == Command.DATA_SM_RESP
        assert world.diary.items[0][1].text == "smetka"

    play(scenario)


def test_an_alert_is_nobody_s(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.peer.say(Command.ALERT_NOTIFICATION, {"source_addr": "359888123456"})
        bench.peer.deliver([world.mo()])
        await bench.until(lambda: bench.peer.answers)
        assert len(world.diary.items) == 1

    play(scenario)


# -- messages that go ------------------------------------------------------------------------


def test_answers_and_submits_of_one_turn_leave_in_one_write(world: Any, play: Play) -> None:
    world.diary.ack = None

    async def scenario(bench: Bench) -> None:
        bench.peer.deliver([world.mo(), world.mo()])
        await bench.until(lambda: len(world.diary.items) == 2)
        reads = len(bench.peer.reads)
        world.diary.answer([Verdict.done(token) for token, _ in world.diary.items])
        bench.submit(3)
        await bench.until(lambda: len(world.diary.outcomes) == 3)
        assert len(bench.peer.answers) == 2
        assert len(bench.peer.submits) == 3
        assert len(bench.peer.reads) == reads + 1

    play(scenario)


def test_responses_of_one_read_are_settled_together(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        before = metric("smsgw_submit_response_seconds_count")
        bench.submit(5)
        assert (bench.connection.in_flight, bench.connection.free) == (5, 45)
        await bench.until(lambda: world.diary.outcomes)
        assert world.diary.named("settled") == [("settled", ["ACCEPTED"] * 5)]
        assert [each.message_id for each in world.diary.outcomes] == [
            f"id-{number}" for number in range(1, 6)
        ]
        assert [each.segment.key.mt for each in world.diary.outcomes] == [0, 1, 2, 3, 4]
        assert metric("smsgw_submit_response_seconds_count") == before + 5
        assert (bench.connection.in_flight, bench.connection.free) == (0, 50)

    play(scenario)


def test_a_segment_that_does_not_fit_is_refused_and_the_others_go(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        long = world.segment(1, octets=b"x" * 255)
        with capture_logs() as logs:
            bench.connection.submit([long, world.segment(2)])
        await bench.until(lambda: len(world.diary.outcomes) == 2)
        refused, accepted = world.diary.outcomes
        assert (refused.segment, refused.acceptance) == (long, Acceptance.PERMANENT)
        assert "short_message" in refused.error
        assert accepted.acceptance is Acceptance.ACCEPTED
        assert [each["event"] for each in logs] == ["link.segment_unfit"]

    play(scenario)


def test_more_than_the_window_is_not_sent(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.submit(4)
        await bench.until(lambda: len(world.diary.outcomes) == 4)
        assert sorted(each.acceptance.name for each in world.diary.outcomes) == [
            "ACCEPTED",
            "ACCEPTED",
            "ACCEPTED",
            "NOT_SENT",
        ]

    play(scenario, Limits(window=3, enquire_link=0))


def test_a_response_that_does_not_come_is_lost_and_the_session_goes_on(
    world: Any, play: Play
) -> None:
    world.smsc.submit_status = None

    async def scenario(bench: Bench) -> None:
        bench.submit(2)
        await bench.until(lambda: world.diary.outcomes)
        assert {each.acceptance for each in world.diary.outcomes} == {Acceptance.LOST}
        assert bench.connection.free == 50
        assert world.clock.monotonic() >= 60

    play(scenario, Limits(enquire_link=0, response_timeout=60))


# -- pressure --------------------------------------------------------------------------------


def test_too_many_messages_without_a_verdict_stop_the_reading(world: Any, play: Play) -> None:
    world.diary.ack = None

    async def scenario(bench: Bench) -> None:
        bench.peer.deliver([world.mo()] * 10)
        await bench.until(lambda: len(world.diary.items) == 10)
        assert bench.transport.is_reading(), "ten may wait"
        bench.peer.deliver([world.mo()])
        await bench.until(lambda: len(world.diary.items) == 11)
        assert not bench.transport.is_reading()
        bench.peer.deliver([world.mo()])
        await asyncio.sleep(500)
        assert len(world.diary.items) == 11
        tokens = [token for token, _ in world.diary.items]
        world.diary.answer([Verdict.done(token) for token in tokens[:5]])
        assert not bench.transport.is_reading(), "half must be gone"
        world.diary.answer([Verdict.done(tokens[5])])
        assert bench.transport.is_reading()
        await bench.until(lambda: len(world.diary.items) == 12)
        await bench.until(lambda: len(bench.peer.answers) == 6)
        assert bench.owner.seen == ["bound"]

    play(scenario, Limits(enquire_link=30, response_timeout=60), inbound_window=10)


def test_what_stands_unread_is_not_late(world: Any, play: Play) -> None:
    world.diary.ack = None

    async def scenario(bench: Bench) -> None:
        bench.peer.deliver([world.mo()] * 2)
        await bench.until(lambda: not bench.transport.is_reading())
        bench.submit(1)
        await bench.until(lambda: bench.peer.submits)
        await asyncio.sleep(500)
        assert world.diary.outcomes == []
        world.diary.answer([Verdict.done(token) for token, _ in world.diary.items])
        await bench.until(lambda: world.diary.outcomes)
        assert world.diary.outcomes[0].acceptance is Acceptance.ACCEPTED
        await asyncio.sleep(31)
        assert bench.peer.enquiries == 1, "time counts again"

    play(scenario, Limits(enquire_link=30, response_timeout=60), inbound_window=1)


def test_a_peer_that_does_not_read_is_given_no_more(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.peer.transport.pause_reading()
        await bench.fill()
        assert bench.connection.in_flight < 100_000, "it is not the window"
        assert not bench.transport.is_reading()
        bench.peer.transport.resume_reading()
        await bench.until(lambda: bench.connection.in_flight == 0)
        assert bench.owner.seen == ["bound", "writable"]
        assert bench.transport.is_reading()
        assert bench.connection.free == 100_000
        assert {each.acceptance for each in world.diary.outcomes} == {Acceptance.ACCEPTED}

    play(scenario, Limits(window=100_000, enquire_link=0, response_timeout=1e9))


# -- time ------------------------------------------------------------------------------------


def test_a_silent_peer_is_asked_and_left(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        world.smsc.mute = True
        bench.submit(1)
        await bench.connection.closed
        assert bench.peer.enquiries == 1
        assert bench.connection.reason == "nothing heard since an enquire_link"
        assert world.clock.monotonic() == pytest.approx(90, abs=1)
        assert [each.acceptance for each in world.diary.outcomes] == [Acceptance.LOST]

    play(scenario, Limits(enquire_link=30, response_timeout=60))


def test_an_idle_peer_is_asked_again_and_again(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await asyncio.sleep(3601)
        assert bench.peer.enquiries == 120
        assert bench.owner.seen == ["bound"]

    play(scenario, Limits(enquire_link=30))


# -- the end ---------------------------------------------------------------------------------


def test_a_lost_connection_ends_the_session_first_and_its_segments_next(
    world: Any, play: Play
) -> None:
    world.smsc.submit_status = None
    world.diary.ack = None

    async def scenario(bench: Bench) -> None:
        bench.submit(3)
        bench.peer.deliver([world.mo()])
        await bench.until(lambda: len(bench.peer.submits) == 3 and world.diary.items)
        bench.peer.transport.abort()
        await bench.connection.closed
        assert world.diary.entries[-2:] == [("ended",), ("settled", ["LOST"] * 3)]
        assert bench.connection.free == bench.connection.in_flight == 0
        world.diary.answer([Verdict.done(token) for token, _ in world.diary.items])
        bench.submit(2)
        assert world.diary.entries[-1] == ("settled", ["NOT_SENT"] * 2)
        bench.connection.unbind()
        bench.connection.abort()
        assert bench.owner.seen == ["bound", "ended"]

    play(scenario)


def test_the_last_messages_of_a_session_are_handed_on(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        session = bench.peer.session
        session.request(Command.DELIVER_SM, world.mo(), (), 0.0, None)
        bench.peer.unbind()
        await bench.connection.closed
        assert world.diary.entries == [("received", 1), ("ended",)]
        assert bench.peer.session.state.value == "closed", "its unbind was answered"
        assert bench.connection.reason == "unbound by the peer"

    play(scenario)


def test_we_unbind(world: Any, play: Play) -> None:
    world.smsc.submit_status = None

    async def scenario(bench: Bench) -> None:
        bench.submit(2)
        await bench.until(lambda: len(bench.peer.submits) == 2)
        bench.connection.unbind()
        bench.connection.unbind()
        assert bench.connection.free == 0
        await bench.connection.closed
        assert bench.connection.reason == "unbound"
        assert world.diary.entries == [("ended",), ("settled", ["LOST", "LOST"])]

    play(scenario)


@pytest.mark.parametrize("status", [Status.RINVPASWD, Status.RALYBND], ids=lambda s: s.name)
def test_a_refused_bind_closes(world: Any, play: Play, status: Status) -> None:
    world.smsc.refusal = status

    async def scenario(bench: Bench) -> None:
        await bench.connection.closed
        assert bench.connection.refusal == status
        assert bench.connection.id is None
        assert bench.owner.seen == ["ended"]
        await bench.until(lambda: world.smsc.peer.closed_at is not None)

    play(scenario, bound=False)


def test_unbinding_what_is_not_bound_closes(world: Any, play: Play) -> None:
    world.smsc.mute = True

    async def scenario(bench: Bench) -> None:
        bench.connection.unbind()
        await bench.connection.closed
        assert bench.connection.reason == "closed"

    play(scenario, bound=False)


def test_a_lost_stream_is_nacked_and_closed(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        heard: list[bytes] = []
        bench.peer.data_received = heard.append
        bench.peer.transport.write(bytes.fromhex("00000005 00000005 00000000 00000009"))
        await bench.connection.closed
        await bench.until(lambda: bench.peer.closed_at is not None)
        assert b"".join(heard).hex(" ", 4) == "00000010 80000000 00000002 00000009"

    play(scenario)


def test_a_peer_that_takes_nothing_at_the_end_is_cut(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.peer.transport.pause_reading()
        await bench.fill()
        before = world.clock.monotonic()
        bench.connection.unbind()
        await bench.until(lambda: bench.owner.seen == ["bound", "ended"])
        ended = world.clock.monotonic()
        assert ended >= before + 60
        await bench.connection.closed
        assert world.clock.monotonic() == pytest.approx(ended + CLOSE_SECONDS, abs=5)

    play(scenario, Limits(window=100_000, enquire_link=0))


# -- waiting for quiet -----------------------------------------------------------------------


def test_draining_waits_for_responses_and_for_verdicts(world: Any, play: Play) -> None:
    world.smsc.submit_status = None
    world.diary.ack = None

    async def scenario(bench: Bench) -> None:
        bench.submit(1)
        bench.peer.deliver([world.mo()])
        await bench.until(lambda: bench.peer.submits and world.diary.items)
        drained = asyncio.gather(bench.connection.drained(), bench.connection.drained())
        await asyncio.sleep(1)
        bench.peer.deliver([world.mo()])
        await bench.until(lambda: len(world.diary.items) == 2)
        world.diary.answer([Verdict.done(world.diary.items[0][0])])
        await asyncio.sleep(1)
        assert not drained.done()
        bench.peer.respond(bench.peer.submits[0])
        await drained  # what came later is not waited for

    play(scenario, Limits(enquire_link=0))


def test_draining_of_a_quiet_connection_is_over_at_once(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.connection.drained()

    play(scenario)


def test_draining_ends_with_the_session(world: Any, play: Play) -> None:
    world.smsc.submit_status = None

    async def scenario(bench: Bench) -> None:
        bench.submit(1)
        drained = asyncio.ensure_future(bench.connection.drained())
        await bench.until(lambda: bench.peer.submits)
        bench.peer.transport.abort()
        await drained

    play(scenario)


# -- faults ----------------------------------------------------------------------------------


def test_what_the_peer_does_wrong_is_logged_once_a_sort(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        before = metric("smsgw_malformed_pdus_total")
        unknown = bytes.fromhex("00000010 00000099 00000000 00000009")
        misplaced = encode(Pdu(Command.SUBMIT_SM, 0, 9, world.mo()))
        with capture_logs() as logs:
            for _ in range(5):
                bench.peer.transport.write(unknown + misplaced)
                await asyncio.sleep(1)
            bench.peer.deliver([world.mo()])
            await bench.until(lambda: world.diary.items)
        assert [each["event"] for each in logs] == ["link.violation"] * 2
        assert all(len(each["header"]) == 32 for each in logs), "without what a customer wrote"
        assert metric("smsgw_malformed_pdus_total") == before + 10

    play(scenario)


@pytest.mark.parametrize("culprit", ["exchange", "translator", "tick"])
def test_a_fault_of_ours_ends_the_connection_with_one_line(
    world: Any, play: Play, monkeypatch: pytest.MonkeyPatch, culprit: str
) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("a bug")

    world.smsc.submit_status = None

    async def scenario(bench: Bench) -> None:
        bench.submit(2)
        await bench.until(lambda: len(bench.peer.submits) == 2)
        if culprit == "exchange":
            monkeypatch.setattr(world.diary, "received", broken)
        elif culprit == "translator":
            monkeypatch.setattr(bench.connection._translator, "incoming", broken)
        else:
            monkeypatch.setattr(Session, "tick", broken)
        with capture_logs() as logs:
            bench.peer.deliver([world.mo()] * 3)
            await bench.connection.closed
        assert [(each["event"], each["log_level"]) for each in logs] == [
            ("link.connection_failed", "error")
        ]
        assert world.diary.entries[-2:] == [("ended",), ("settled", ["LOST", "LOST"])]
        assert bench.connection.reason == "internal error"

    play(scenario, Limits(enquire_link=30, response_timeout=100))


def test_a_response_that_we_fail_to_understand_is_not_lost_sight_of(
    world: Any, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(bench: Bench) -> None:
        end = bench.connection._end

        def broken(translator: Any, segment: Any, *rest: Any) -> Outcome:
            if segment.key.mt == 1:
                raise ZeroDivisionError("a bug")
            return end.outcome(translator, segment, *rest)

        monkeypatch.setattr(bench.connection, "_end", end._replace(outcome=broken))
        with capture_logs() as logs:
            bench.submit(3)
            await bench.connection.closed
        assert len(logs) == 1
        assert [each.acceptance.name for each in world.diary.outcomes] == [
            "ACCEPTED",
            "LOST",
            "ACCEPTED",
        ]

    play(scenario)


def test_a_fault_at_the_end_leaves_nothing_open(
    world: Any, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("a bug")

    async def scenario(bench: Bench) -> None:
        monkeypatch.setattr(bench.owner, "ended", broken)
        with capture_logs() as logs:
            bench.peer.transport.abort()
            await bench.connection.closed
        assert [each["event"] for each in logs] == ["link.connection_failed"]

    play(scenario)


def test_small_packets_are_not_held_back(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        connected = bench.transport.get_extra_info("socket")
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    play(scenario)


def test_traffic_is_counted(world: Any, play: Play) -> None:
    def count(command: str, direction: str, status: str = "") -> float:
        return metric("smsgw_pdus_total", command=command, direction=direction, status=status)

    rows = [
        ("deliver_sm", "in", ""),
        ("deliver_sm_resp", "out", "ESME_ROK"),
        ("submit_sm", "out", ""),
        ("submit_sm_resp", "in", "ESME_ROK"),
        ("other", "in", ""),
        ("generic_nack", "out", "ESME_RINVCMDID"),
    ]

    async def scenario(bench: Bench) -> None:
        before = [count(*row) for row in rows]
        bench.peer.deliver([world.mo()] * 2)
        bench.submit(3)
        bench.peer.transport.write(bytes.fromhex("00000010 00000099 00000000 00000009"))
        await bench.until(lambda: len(world.diary.outcomes) == 3 and len(bench.peer.answers) == 2)
        await asyncio.sleep(1)
        after = [count(*row) for row in rows]
        assert [b - a for a, b in zip(before, after, strict=True)] == [2, 2, 3, 3, 1, 1]

    play(scenario)

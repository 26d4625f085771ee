"""A carrier that dials us: it binds to us, or sends outbind and we bind."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from smsgw.carrier.ids import SessionIds
from smsgw.carrier.link import Link
from smsgw.metrics import REGISTRY
from smsgw.service.message import Acceptance, Ack, Layout, Mo, Receipt, ReceiptState, Verdict
from smsgw.service.ports import LinkStatus
from smsgw.smpp.codec import Pdu
from smsgw.smpp.session import (
    Answered,
    BindRefused,
    BindRequested,
    Bound,
    Ended,
    Event,
    Limits,
    Received,
    Role,
    Session,
    State,
)
from smsgw.smpp.tables import Command, Status, Tlv

EPOCH = 1_800_000_000.0
RECEIPT = (
    b"id:%s sub:001 dlvrd:001 submit date:2601011200 done date:2601011201 stat:DELIVRD err:000"
)


class Still(Random):
    """Chance that is none: pauses are as long as they can be."""

    def random(self) -> float:
        return 1.0


class Caller(asyncio.Protocol):
    """One connection of the carrier's, in either role; it takes what comes with `status`."""

    def __init__(self, role: Role) -> None:
        self.session = Session(role, Limits(window=1000, enquire_link=0), self.now)
        self.statuses: list[int] = []  # of bind responses
        self.binds: list[Pdu] = []  # that we asked for, after an outbind
        self.requests: list[Pdu] = []
        self.answers: list[Pdu] = []
        self.status: int | None = 0  # None: no answer
        self.octets = b""  # all that came
        self.transport: Any = None
        self.closed_at: float | None = None

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.octets += data
        for event in self.session.receive(data, self.now):
            self.act(event)
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed_at = self.now
        self.session.lost(self.now)

    def act(self, event: Event) -> None:
        if isinstance(event, Bound | BindRefused):
            self.statuses.append(event.pdu.status)
        elif isinstance(event, BindRequested):
            self.binds.append(event.pdu)
            if self.status:
                self.session.refuse_bind(event.pdu, self.status, self.now)
            else:
                self.session.accept_bind(event.pdu, "smsc", self.now)
        elif isinstance(event, Received):
            self.requests.append(event.pdu)
            if self.status is not None:
                fields = {"message_id": "carriers"} if self.session.role is Role.SMSC else {}
                self.session.respond(event.pdu, self.status, self.now, fields)
        elif isinstance(event, Answered):
            self.answers.append(event.pdu)
        elif isinstance(event, Ended):
            self.transport.close()

    def bind(
        self,
        command: int = Command.BIND_TRANSCEIVER,
        system_id: str = "mtel",
        password: str = "hush",
    ) -> None:
        self.session.bind(command, self.now, system_id=system_id, password=password)
        self.flush()

    def say(self, command: int, **fields: Any) -> None:
        tlvs = fields.pop("tlvs", ())
        self.session.request(command, fields, tlvs, self.now, None)
        self.flush()

    def submit(self, text: bytes = b"smetka", **fields: Any) -> None:
        self.say(
            Command.SUBMIT_SM,
            **{
                "source_addr_ton": 1,
                "source_addr": "359888123456",
                "destination_addr": "170077",
                "short_message": text,
                **fields,
            },
        )

    def outbind(self, system_id: str = "mtel", password: str = "hush") -> None:
        self.say(Command.OUTBIND, system_id=system_id, password=password)

    def flush(self) -> None:
        output = self.session.take_output()
        if output and not self.transport.is_closing():
            self.transport.write(output)

    @property
    def over(self) -> bool:
        return self.closed_at is not None


class Bench:
    """A link that listens, and the carrier's side of it."""

    def __init__(self, world: Any, way: str, **keys: Any) -> None:
        listener = {"listen": "127.0.0.1:0", "system_id": "mtel", "password": "hush"}
        listener.update(keys.pop("listener", {}))
        self.world = world
        self.diary = world.diary
        self.way = way
        self.callers: list[Caller] = []
        self.link = Link(
            world.settings(**{way: listener}).model_copy(update=keys),
            "170077",
            world.diary,
            world.clock,
            ids=SessionIds(),
            random=Still(),
        )
        self.running = asyncio.ensure_future(self.link.run())

    async def until(self, condition: Callable[[], object]) -> None:
        await self.world.until(condition)

    async def call(self, role: Role = Role.ESME, source: str = "127.0.0.1") -> Caller:
        loop = asyncio.get_running_loop()
        await self.until(lambda: self.link.listens_on)
        host, port = self.link.listens_on[0]
        _, caller = await loop.create_connection(
            lambda: Caller(role), host, port, local_addr=(source, 0)
        )
        self.callers.append(caller)
        return caller

    async def bound(self, command: int = Command.BIND_TRANSCEIVER) -> Caller:
        caller = await self.call()
        caller.bind(command)
        await self.until(lambda: caller.statuses)
        assert caller.statuses == [0]
        return caller

    async def stopped(self) -> None:
        await self.link.stop(0)
        await self.running
        for caller in self.callers:
            caller.transport.abort()
        await self.until(lambda: all(caller.over for caller in self.callers))

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def acceptances(self) -> list[Acceptance]:
        return [each.acceptance for each in self.diary.outcomes]


Play = Callable[..., list[Any]]


@pytest.fixture
def play(world: Any) -> Play:
    """Runs a scenario on a link that listens, stops it, and gives the lines it logged."""

    def run(
        scenario: Callable[[Bench], Awaitable[None]], way: str = "accept", **keys: Any
    ) -> list[Any]:
        async def whole() -> None:
            bench = Bench(world, way, **keys)
            try:
                await scenario(bench)
            finally:
                await bench.stopped()

        before = structlog.get_config()
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(20))
        try:
            with capture_logs() as logs:
                world.run(whole)
        finally:
            structlog.configure(**before)
        return logs

    return run


def turned_away(logs: list[Any]) -> list[str]:
    return [each["why"] for each in logs if each["event"] == "link.turned_away"]


def metric(reason: str) -> float:
    labels = {"carrier": "mtel", "reason": reason}
    return REGISTRY.get_sample_value("smsgw_turned_away_total", labels) or 0.0


# -- a carrier that binds to us --------------------------------------------------------------


def test_it_takes_submits_and_gives_delivers_over_one_transceiver(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.until(lambda: bench.link.listens_on)
        assert bench.link.state().status is LinkStatus.WAITING
        caller = await bench.bound()
        assert bench.link.state().status is LinkStatus.BOUND
        assert (bench.link.state().sessions, bench.link.capacity()) == (1, 50)
        caller.submit()
        await bench.until(lambda: caller.answers)
        bench.link.submit([world.segment(7, data_coding=8, octets=b"\x04\x11", layout=Layout.UDH)])
        await bench.until(lambda: bench.diary.outcomes)
        (resp,), (deliver,) = caller.answers, caller.requests
        ((_, mo),) = bench.diary.items
        assert isinstance(mo, Mo)
        assert (mo.source.digits, mo.text, mo.session) == (
            "359888123456",
            "smetka",
            int((EPOCH + bench.now) * 1e6),
        )
        assert (resp.command, resp.status) == (Command.SUBMIT_SM_RESP, 0)
        assert deliver.command == Command.DELIVER_SM
        assert deliver.text("source_addr") == "170077"
        assert deliver.text("destination_addr") == "359888123456"
        assert (deliver.number("esm_class"), deliver.number("data_coding")) == (0x40, 8)
        assert deliver.octets("short_message") == b"\x04\x11"
        assert deliver.tlv(Tlv.RECEIPTED_MESSAGE_ID) == b"7-1-0\0"
        (outcome,) = bench.diary.outcomes
        assert (outcome.acceptance, outcome.message_id) == (Acceptance.ACCEPTED, "7-1-0")

    logs = play(scenario)
    assert [each["event"] for each in logs] == ["link.listening", "link.bound", "link.stopped"]


def test_the_bind_is_answered_with_our_name(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await bench.bound()
        assert caller.octets[16:20] == b"cez\0"

    play(scenario)


def test_ids_of_answers_differ_within_a_session_and_between_sessions(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callers = [await bench.bound(), await bench.bound()]
        for caller in callers:
            caller.submit()
            caller.submit(destination_addr="1234")  # refused: it has no id
            caller.submit(source_addr="CEZ", source_addr_ton=5)  # taken, and set aside
        await bench.until(lambda: all(len(caller.answers) == 3 for caller in callers))
        answers = [each for caller in callers for each in caller.answers]
        ids = [each.text("message_id") for each in answers if each.status == 0]
        assert len(ids) == len(set(ids)) == 4
        assert all(ids)
        refused = [each.status for each in answers if each.status]
        assert refused == [Status.RINVDSTADR, Status.RINVDSTADR]

    play(scenario, sessions=2)


def test_a_submit_is_answered_only_with_its_verdict(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        bench.diary.ack = None
        caller = await bench.bound()
        caller.submit(b"one")
        caller.submit(b"two")
        await bench.until(lambda: len(bench.diary.items) == 2)
        await asyncio.sleep(5)
        assert caller.answers == []
        tokens = [token for token, _ in bench.diary.items]
        bench.diary.answer([Verdict(tokens[0], Ack.RETRY), Verdict.done(tokens[1])])
        await bench.until(lambda: len(caller.answers) == 2)
        assert [each.status for each in caller.answers] == [Status.RSYSERR, Status.ROK]

    play(scenario)


def test_data_sm_is_a_message_too(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await bench.bound()
        caller.say(
            Command.DATA_SM,
            source_addr_ton=1,
            source_addr="359888123456",
            destination_addr="170077",
            tlvs=[(int(Tlv.MESSAGE_PAYLOAD), b"smetka")],
        )
        await bench.until(lambda: caller.answers)
        (answer,) = caller.answers
        assert (answer.command, answer.status) == (Command.DATA_SM_RESP, 0)
        assert answer.text("message_id")
        assert [item.text for _, item in bench.diary.items] == ["smetka"]

    play(scenario)


@pytest.mark.parametrize(
    ("short_message", "tlvs"),
    [
        pytest.param(RECEIPT % b"7-1-0", [], id="in the text"),
        pytest.param(b"", [(0x001E, b"7-1-0\0"), (0x0427, b"\x02")], id="in TLVs"),
    ],
)
def test_a_receipt_comes_as_submit_sm_and_names_our_id(
    world: Any, play: Play, short_message: bytes, tlvs: list[tuple[int, bytes]]
) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await bench.bound()
        bench.link.submit([world.segment(7)])
        await bench.until(lambda: bench.diary.outcomes)
        assert caller.requests[0].number("registered_delivery") == 1
        caller.submit(short_message, esm_class=0x04, tlvs=tlvs)
        await bench.until(lambda: caller.answers)
        ((_, receipt),) = bench.diary.items
        assert isinstance(receipt, Receipt)
        assert receipt.state is ReceiptState.DELIVERED
        assert receipt.message_id == bench.diary.outcomes[0].message_id == "7-1-0"
        assert caller.answers[0].status == 0

    play(scenario)


def test_without_receipts_no_id_goes_along(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await bench.bound()
        bench.link.submit([world.segment(7)])
        await bench.until(lambda: bench.diary.outcomes)
        assert caller.requests[0].tlvs == []
        assert caller.requests[0].number("registered_delivery") == 0

    play(scenario, receipts=False)


@pytest.mark.parametrize(
    ("status", "acceptance"),
    [
        (Status.RX_T_APPN, Acceptance.TEMPORARY),
        (Status.RX_P_APPN, Acceptance.PERMANENT),
        (Status.RX_R_APPN, Acceptance.PERMANENT),
        (Status.RMSGQFUL, Acceptance.QUEUE_FULL),
        (Status.RTHROTTLED, Acceptance.THROTTLED),
    ],
)
def test_the_status_of_its_response_is_the_outcome(
    world: Any, play: Play, status: int, acceptance: Acceptance
) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await bench.bound()
        caller.status = status
        bench.link.submit([world.segment()])
        await bench.until(lambda: bench.diary.outcomes)
        assert bench.acceptances() == [acceptance]

    play(scenario)


@pytest.mark.parametrize(
    ("command", "fields", "status"),
    [
        (Command.QUERY_SM, {"message_id": "1"}, Status.RQUERYFAIL),
        (Command.CANCEL_SM, {"message_id": "1"}, Status.RCANCELFAIL),
        (Command.REPLACE_SM, {"message_id": "1"}, Status.RREPLACEFAIL),
        (Command.SUBMIT_MULTI, {}, Status.RINVCMDID),
    ],
)
def test_what_we_do_not_serve_is_refused(
    play: Play, command: int, fields: dict[str, str], status: int
) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await bench.bound()
        caller.say(command, **fields)
        await bench.until(lambda: caller.answers)
        assert [each.status for each in caller.answers] == [status]
        assert bench.diary.items == []

    play(scenario)


def test_a_transmitter_brings_and_a_receiver_takes(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        sending = await bench.bound(Command.BIND_TRANSMITTER)
        assert bench.link.state().status is not LinkStatus.BOUND
        assert bench.link.capacity() == 0
        receiving = await bench.bound(Command.BIND_RECEIVER)
        assert bench.link.state().status is LinkStatus.BOUND
        assert bench.link.capacity() == 50
        sending.submit()
        bench.link.submit([world.segment()])
        await bench.until(lambda: sending.answers and bench.diary.outcomes)
        assert bench.acceptances() == [Acceptance.ACCEPTED]
        assert (len(sending.requests), len(receiving.requests)) == (0, 1)

    play(scenario)


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("BIND_TRANSCEIVER", "BIND_TRANSCEIVER", Status.RALYBND),
        ("BIND_TRANSCEIVER", "BIND_TRANSMITTER", Status.RALYBND),
        ("BIND_TRANSMITTER", "BIND_TRANSCEIVER", Status.RALYBND),
        ("BIND_RECEIVER", "BIND_RECEIVER", Status.RALYBND),
        ("BIND_RECEIVER", "BIND_TRANSMITTER", Status.ROK),
    ],
)
def test_how_many_may_bind(play: Play, first: str, second: str, status: int) -> None:
    async def scenario(bench: Bench) -> None:
        holding = await bench.bound(Command[first])
        caller = await bench.call()
        caller.bind(Command[second])
        await bench.until(lambda: caller.statuses)
        assert caller.statuses == [status]
        if status:
            await bench.until(lambda: caller.over)
        assert not holding.over

    assert turned_away(play(scenario)) == (["held"] if status else [])


def test_a_place_is_free_again_after_an_unbind(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        first = await bench.bound()
        first.session.unbind(bench.now)
        first.flush()
        await bench.until(lambda: first.over)
        await bench.bound()
        assert [entry[0] for entry in bench.diary.entries] == ["ready", "ended", "ready"]

    play(scenario)


def test_what_was_outstanding_at_the_end_is_lost(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await bench.bound()
        caller.status = None
        bench.link.submit([world.segment(1), world.segment(2)])
        await bench.until(lambda: len(caller.requests) == 2)
        caller.transport.abort()
        await bench.until(lambda: bench.diary.outcomes)
        assert bench.acceptances() == [Acceptance.LOST, Acceptance.LOST]
        assert [each.message_id for each in bench.diary.outcomes] == ["1-1-0", "2-1-0"]
        assert [entry[:2] for entry in bench.diary.named("ended")] == [("ended", "mtel")]
        assert bench.link.state().status is LinkStatus.WAITING

    play(scenario)


def test_stopping_unbinds(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await bench.bound()
        stopping = asyncio.ensure_future(bench.link.stop(5))
        await bench.until(lambda: caller.over)
        await stopping
        assert caller.session.state is State.CLOSED
        assert bench.now < 1

    play(scenario)


def test_nobody_is_let_in_while_the_link_is_drained(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        waiting = await bench.call()
        await asyncio.sleep(0.1)
        await bench.link.drain()
        assert bench.link.state().status is LinkStatus.DRAINED
        waiting.bind()
        await bench.until(lambda: waiting.over)
        assert waiting.statuses == [Status.RBINDFAIL]
        late = await bench.call()
        await bench.until(lambda: late.over)
        assert late.octets == b""
        bench.link.resume()
        await bench.bound()

    assert turned_away(play(scenario)) == ["drained"]


# -- a carrier that sends outbind --------------------------------------------------------------


async def outbound(bench: Bench) -> Caller:
    caller = await bench.call(Role.SMSC)
    caller.outbind()
    return caller


def test_outbind_is_answered_by_our_bind(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await outbound(bench)
        await bench.until(bench.link.capacity)
        (bind,) = caller.binds
        assert bind.command == Command.BIND_TRANSCEIVER
        assert (bind.text("system_id"), bind.text("password")) == ("cez", "secret")
        caller.say(Command.DELIVER_SM, **world.mo())
        bench.link.submit([world.segment()])
        await bench.until(lambda: caller.answers and bench.diary.outcomes)
        assert caller.answers[0].command == Command.DELIVER_SM_RESP
        assert caller.requests[0].command == Command.SUBMIT_SM
        assert bench.diary.outcomes[0].message_id == "carriers"
        assert bench.link.state().status is LinkStatus.BOUND

    play(scenario, "outbind")


def test_a_pair_takes_two_outbinds_and_the_receiver_comes_first(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        callers = [await outbound(bench), await outbound(bench)]
        await bench.until(lambda: bench.link.state().status is LinkStatus.BOUND)
        assert [caller.binds[0].command for caller in callers] == [
            Command.BIND_RECEIVER,
            Command.BIND_TRANSMITTER,
        ]
        third = await outbound(bench)
        await bench.until(lambda: third.over)
        assert third.binds == []

    assert turned_away(play(scenario, "outbind", bind="transmitter+receiver")) == ["held"]


def test_an_smsc_that_knows_no_transceiver_is_bound_as_a_pair(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await bench.call(Role.SMSC)
        caller.status = Status.RINVCMDID
        caller.outbind()
        await bench.until(lambda: caller.over)
        callers = [await outbound(bench), await outbound(bench)]
        await bench.until(lambda: bench.link.state().status is LinkStatus.BOUND)
        assert callers[0].binds[0].command == Command.BIND_RECEIVER
        assert bench.link.state().last_error == "0x00000003 ESME_RINVCMDID"

    play(scenario, "outbind")


def test_an_outbind_said_twice_is_answered_once(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await bench.call(Role.SMSC)
        fields = {"system_id": "mtel", "password": "hush"}
        for _ in range(2):
            caller.session.request(Command.OUTBIND, fields, (), bench.now, None)
        caller.flush()
        await bench.until(bench.link.capacity)
        assert len(caller.binds) == 1

    play(scenario, "outbind")


# -- who is let in ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [
        ("mtel", "wrong", Status.RINVPASWD),
        ("mtel", "", Status.RINVPASWD),
        ("other", "hush", Status.RINVSYSID),
        ("", "", Status.RINVSYSID),
        ("mt\xe9l", "h\xfcsh", Status.RINVSYSID),
    ],
)
def test_wrong_credentials(play: Play, system_id: str, password: str, status: int) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await bench.call()
        caller.bind(system_id=system_id, password=password)
        await bench.until(lambda: caller.over)
        assert caller.statuses == [status]
        assert bench.link.state().sessions == 0

    logs = play(scenario)
    assert turned_away(logs) == ["credentials"]
    assert "hush" not in str(logs)


def test_an_outbind_with_wrong_credentials_is_not_answered(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await bench.call(Role.SMSC)
        caller.outbind(password="wrong")
        await bench.until(lambda: caller.over)
        assert caller.octets == b""

    assert turned_away(play(scenario, "outbind")) == ["credentials"]


def test_failures_slow_their_address_down_and_no_other(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        pauses = []
        for _ in range(8):
            caller = await bench.call()
            caller.bind(password="wrong")
            await bench.until(lambda caller=caller: caller.over)
            assert caller.statuses == [Status.RINVPASWD]
            failed_at = bench.now
            assert await let_in(bench, source="127.0.0.2")
            for _ in range(1000):
                if await let_in(bench):
                    break
            pauses.append(round(bench.now - failed_at))
        assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]

    play(scenario, listener={"connections": 1000, "connections_per_address": 1000})


async def let_in(bench: Bench, source: str = "127.0.0.1") -> bool:
    """Whether another connection is let in; it doesn't stay."""
    caller = await bench.call(source=source)
    await asyncio.sleep(0.1)
    was_in = not caller.over
    caller.transport.abort()
    return was_in


@pytest.mark.parametrize(
    ("listener", "sources", "expected"),
    [
        ({"connections": 2}, ["127.0.0.1", "127.0.0.2", "127.0.0.3"], "full"),
        ({"connections_per_address": 2}, ["127.0.0.1"] * 3, "crowded"),
        (
            {"networks": ["127.0.0.1", "10.0.0.0/8"]},
            ["127.0.0.1", "127.0.0.1", "127.0.0.2"],
            "network",
        ),
    ],
)
def test_bounds(play: Play, listener: dict[str, Any], sources: list[str], expected: str) -> None:
    async def scenario(bench: Bench) -> None:
        before = metric(expected)
        *inside, outside = [await bench.call(source=source) for source in sources]
        await bench.until(lambda: outside.over)
        assert [each.over for each in inside] == [False, False]
        assert metric(expected) == before + 1
        inside[0].transport.abort()
        await asyncio.sleep(0.1)
        assert await let_in(bench)

    assert turned_away(play(scenario, listener=listener)) == [expected]


def test_a_flood_of_connections_is_one_line(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        holding = await bench.bound()
        for _ in range(100):
            await bench.call()
        await bench.until(lambda: sum(each.over for each in bench.callers) == 99)
        holding.submit()
        await bench.until(lambda: holding.answers)

    assert turned_away(play(scenario, listener={"connections": 2})) == ["full"]


def test_who_does_not_bind_in_time_is_cut_and_not_held_against_its_address(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await bench.call()
        began = bench.now
        await asyncio.sleep(4)
        caller.transport.write(b"\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x01")  # enquire_link is no bind
        await bench.until(lambda: caller.over)
        assert round(bench.now - began) == 10

    assert turned_away(play(scenario)) == []


@pytest.mark.parametrize("way", ["accept", "outbind"])
@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 0x80000000, id="HTTP"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01", None, id="TLS, a piece"),
        pytest.param(b"\0\0\0\x0f" + bytes(12), 0x80000000, id="too short"),
        pytest.param(b"\xff" * 16, 0x80000000, id="too long"),
        pytest.param(b"\0\0\0\x10\0\0\x77\x77" + bytes(8), 0x80000000, id="unknown command"),
        pytest.param(b"\0\0\0\x10\0\0\0\x04" + bytes(8), 0x80000004, id="submit before the bind"),
        pytest.param(b"\0\0\0\x10\0\0\0\x06" + bytes(8), 0x80000006, id="unbind before the bind"),
        pytest.param(b"\0\0\0\x10\0\0\0\x09" + bytes(8), 0x80000009, id="a bind without a body"),
        pytest.param(b"\0\0\0\x10\0\0\0\x0b" + bytes(8), None, id="an outbind without a body"),
        pytest.param(b"\0\0\0\x12\0\0\0\x0b" + bytes(10), None, id="an empty outbind"),
        pytest.param(b"\0\0\0\x10\x80\0\0\x09" + bytes(8), None, id="a response to nothing"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_hostile_first_octets(play: Play, way: str, octets: bytes, answer: int | None) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await bench.call()
        caller.transport.write(octets)
        await bench.until(lambda: caller.over)
        assert bench.now <= 10.1
        assert caller.session.state is State.CLOSED
        seen = [int.from_bytes(caller.octets[4:8])] if caller.octets else []
        assert seen == ([] if answer is None else [answer])
        other = await bench.call(Role.ESME if way == "accept" else Role.SMSC, source="127.0.0.2")
        other.bind() if way == "accept" else other.outbind()
        await bench.until(bench.link.capacity)

    logs = play(scenario, way)
    assert not [each for each in logs if each["log_level"] in ("error", "critical")]


def test_a_fault_of_ours_ends_its_connection_only(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(bench: Bench) -> None:
        holding = await bench.bound()
        with monkeypatch.context() as patch:
            patch.setattr(Session, "accept_bind", lambda *_: 1 // 0)
            broken = await bench.call()
            broken.bind()
            await bench.until(lambda: broken.over)
        with monkeypatch.context() as patch:
            patch.setattr(Link, "connection", lambda *_: 1 // 0)
            broken = await bench.call()
            await bench.until(lambda: broken.over)
        assert not holding.over
        await bench.bound()

    logs = play(scenario, sessions=2)
    errors = [each["event"] for each in logs if each["log_level"] == "error"]
    assert errors == ["link.connection_failed"] * 2


def test_an_address_that_is_taken_is_tried_again(world: Any, play: Play) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        async def scenario(bench: Bench) -> None:
            await asyncio.sleep(2)
            assert bench.link.listens_on == ()
            assert bench.link.state().last_error == "Address already in use"
            taken.close()
            await bench.bound()

        logs = play(scenario, listener={"listen": f"127.0.0.1:{port}"})
    assert logs[0]["event"] == "link.not_listening"

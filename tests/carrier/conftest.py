"""A loop whose time jumps, an exchange that remembers, and an SMSC that does as it is told.

Sockets are real and on loopback. Time is not: when nothing is left to do until the next timer,
the clock is put forward to it, so that minutes of silence take no time and nothing depends on
how fast the machine is.
"""

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from ssl import SSLContext
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from smsgw.carrier.ids import SessionIds
from smsgw.carrier.link import Link
from smsgw.service.message import (
    Ack,
    Layout,
    MessageKind,
    Msisdn,
    Outcome,
    Receipt,
    Segment,
    SegmentKey,
    Verdict,
)
from smsgw.service.ports import Incoming, LinkStatus
from smsgw.settings.carrier import CarrierSettings
from smsgw.smpp.codec import Pdu
from smsgw.smpp.session import (
    Answered,
    BindRequested,
    Ended,
    Event,
    Fields,
    Limits,
    Received,
    Role,
    Session,
    State,
    Tlvs,
)
from smsgw.smpp.tables import Command, Status, Tlv

EPOCH = 1_800_000_000.0
# Real seconds that loopback gets to bring what was just written, before time jumps.
SETTLE = 0.002
LONGEST = 100_000.0  # virtual seconds of one test


class JumpingSelector(selectors.DefaultSelector):
    """Never waits for a timer: what it would have waited is added to `now`."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.awaited: dict[asyncio.Future[None], Callable[[], object]] = {}

    def select(self, timeout: float | None = None) -> Any:
        for future in [each for each, condition in self.awaited.items() if condition()]:
            del self.awaited[future]
            future.set_result(None)
            timeout = 0
        found = super().select(0)
        if found or timeout == 0:
            return found
        found = super().select(5.0 if timeout is None else SETTLE)
        if not found and timeout is None:
            raise AssertionError("nothing will ever happen again")
        if not found and timeout is not None:
            self.now += timeout
        return found


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.selector = JumpingSelector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.now


class LoopClock:
    """The time of a loop, also after its end: the metrics of its links are still there then."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None

    def now(self) -> float:
        return EPOCH + self.monotonic()

    def monotonic(self) -> float:
        return self.loop.time() if self.loop else 0.0


async def until(condition: Callable[[], object]) -> None:
    """Let things happen until `condition` holds; it is looked at after every turn of the loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    future: asyncio.Future[None] = loop.create_future()
    loop.selector.awaited[future] = condition
    try:
        await future
    finally:
        loop.selector.awaited.pop(future, None)


class Diary:
    """An exchange that writes down what it is given, in order; `ack` answers at once."""

    def __init__(self) -> None:
        self.entries: list[tuple[Any, ...]] = []
        self.ack: Ack | None = Ack.DONE
        self.items: list[Incoming] = []
        self.outcomes: list[Outcome] = []
        self.receipts: list[Receipt] = []  # learned by asking
        self.answer: Callable[[Sequence[Verdict]], None] = lambda _: None

    def received(
        self, items: Sequence[Incoming], answer: Callable[[Sequence[Verdict]], None]
    ) -> None:
        self.entries.append(("received", len(items)))
        self.items += items
        self.answer = answer
        if self.ack is not None:
            answer([Verdict(token, self.ack) for token, _ in items])

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        self.entries.append(("settled", [each.acceptance.name for each in outcomes]))
        self.outcomes += outcomes

    def learned(self, receipts: Sequence[Receipt]) -> None:
        self.entries.append(("learned", [each.state.value for each in receipts]))
        self.receipts += receipts

    def session_ended(self, carrier: str, session: int, at: float) -> None:
        self.entries.append(("ended", carrier, session, at))

    def ready(self, carrier: str) -> None:
        self.entries.append(("ready", carrier, asyncio.get_running_loop().time()))

    def named(self, name: str) -> list[tuple[Any, ...]]:
        return [entry for entry in self.entries if entry[0] == name]


class Peer(asyncio.Protocol):
    """One connection of the SMSC's."""

    def __init__(self, smsc: "Smsc") -> None:
        loop = asyncio.get_running_loop()
        self.smsc = smsc
        self.session = Session(Role.SMSC, Limits(window=100_000, enquire_link=0), loop.time())
        self.reads: list[int] = []  # octets of each read
        self.answers: list[Pdu] = []  # to what we delivered
        self.submits: list[Pdu] = []
        self.enquiries = 0
        self.transport: Any = None
        self.closed_at: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.smsc.peers.append(self)
        self.smsc.dials.append(asyncio.get_running_loop().time())
        self.smsc.happened.append("connected")

    def data_received(self, data: bytes) -> None:
        self.reads.append(len(data))
        now = asyncio.get_running_loop().time()
        if self.smsc.deaf:
            return
        self.act(self.session.receive(data, now), now)
        if self.session.state is State.UNBOUND:  # what this SMSC didn't answer it never will
            self.act(self.session.tick(self.session.deadline), now)
        for (command, _), count in self.session.take_traffic().read.items():
            if command == Command.ENQUIRE_LINK:
                self.enquiries += count
        if self.smsc.mute:
            self.session.take_output()
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed_at = asyncio.get_running_loop().time()
        self.smsc.happened.append("closed")
        self.session.lost(0.0)

    def act(self, events: Sequence[Event], now: float) -> None:
        for event in events:
            if isinstance(event, BindRequested):
                self.smsc.binds.append(event.pdu)
                if event.pdu.command in self.smsc.nacks:
                    unknown = Pdu(0, sequence=event.pdu.sequence)
                    self.session.respond(unknown, Status.RINVCMDID, now)
                elif self.smsc.version is not None:
                    self._accept_as(self.smsc.version, event.pdu, now)
                elif refusal := self.smsc.refusals.get(event.pdu.command, self.smsc.refusal):
                    self.session.refuse_bind(event.pdu, refusal, now)
                else:
                    self.session.accept_bind(event.pdu, "smsc", now)
            elif isinstance(event, Received):
                self.submits.append(event.pdu)
                status = self.smsc.submit_status
                if status == 0:
                    fields: Fields = {"message_id": f"id-{len(self.submits)}"}
                    self.session.respond(event.pdu, 0, now, fields)
                elif status is not None:
                    self.session.respond(event.pdu, status, now)
            elif isinstance(event, Answered):
                self.answers.append(event.pdu)
            elif isinstance(event, Ended):
                self.flush()
                self.transport.close()

    def _accept_as(self, version: int, bind: Pdu, now: float) -> None:
        """Accept a transceiver's bind, with an interface_version."""
        tlvs = [(int(Tlv.SC_INTERFACE_VERSION), bytes([version]))]
        self.session.respond(bind, 0, now, {"system_id": "smsc"}, tlvs)
        self.session._enter(State.BOUND_TRX)

    def deliver(self, fields: Sequence[Fields], command: int = Command.DELIVER_SM) -> None:
        """Send messages, all in one write."""
        now = asyncio.get_running_loop().time()
        for number, each in enumerate(fields):
            self.session.request(command, each, (), now, number)
        self.flush()

    def say(self, command: int, fields: Fields, tlvs: Tlvs = ()) -> None:
        self.session.request(command, fields, tlvs, asyncio.get_running_loop().time(), None)
        self.flush()

    def respond(self, pdu: Pdu, status: int = 0) -> None:
        fields: Fields = {} if status else {"message_id": "late"}
        self.session.respond(pdu, status, asyncio.get_running_loop().time(), fields)
        self.flush()

    def unbind(self) -> None:
        self.session.unbind(asyncio.get_running_loop().time())
        self.flush()

    def flush(self) -> None:
        output = self.session.take_output()
        if output and not self.transport.is_closing():
            self.transport.write(output)

    @property
    def bound(self) -> bool:
        return self.session.state in (State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX)


class Smsc:
    """Listens on a free port; what its connections do stands here."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []
        self.binds: list[Pdu] = []
        self.dials: list[float] = []
        self.happened: list[str] = []
        self.refusal: int | None = None
        self.refusals: dict[int, int] = {}  # of one bind command only
        self.nacks: set[int] = set()  # commands that it doesn't know
        self.version: int | None = None  # what it says that it speaks, if not 3.4
        self.submit_status: int | None = 0  # None: no response
        self.deaf = False
        self.mute = False  # reads, and says nothing
        self.port = 0
        self._server: asyncio.Server | None = None

    async def open(self, port: int = 0, ssl: SSLContext | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Peer(self), "127.0.0.1", port, ssl=ssl)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for peer in self.peers:
            if peer.closed_at is None:
                peer.transport.abort()
        await until(lambda: all(peer.closed_at is not None for peer in self.peers))

    @property
    def peer(self) -> Peer:
        return self.peers[-1]


class World:
    """What a test of links needs."""

    until = staticmethod(until)

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.diary = Diary()
        self.smsc = Smsc()
        self.second = Smsc()  # at another host

    def run(self, scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def played() -> None:
            await self.smsc.open()
            await self.second.open()
            try:
                async with asyncio.timeout(LONGEST):
                    await scenario()
            finally:
                await self.smsc.close()
                await self.second.close()

        with asyncio.Runner(loop_factory=JumpingLoop) as runner:
            self.clock.loop = runner.get_loop()
            runner.run(played())

    def settings(self, *, two_hosts: bool = False, **keys: Any) -> CarrierSettings:
        if two_hosts:
            at = [f"127.0.0.1:{smsc.port}" for smsc in (self.smsc, self.second)]
            keys |= {"host": None, "hosts": at}
        return CarrierSettings.model_validate(
            {
                "id": "mtel",
                "host": "127.0.0.1",
                "port": self.smsc.port or 1,
                "system_id": "cez",
                "password": "secret",
                **keys,
            }
        )

    def segment(self, number: int = 1, **changes: Any) -> Segment:
        segment = Segment(
            key=SegmentKey(number, 1),
            carrier="mtel",
            kind=MessageKind.ANSWER,
            destination=Msisdn("359888123456"),
            octets=b"45,20 EUR",
            data_coding=0,
            layout=Layout.PLAIN,
            attempts=0,
            created_at=EPOCH,
        )
        return segment._replace(**changes)

    def mo(self, text: str = "smetka", **fields: Any) -> Fields:
        return {
            "source_addr_ton": 1,
            "source_addr": "359888123456",
            "destination_addr": "170077",
            "short_message": text.encode("ascii"),
            **fields,
        }


@pytest.fixture
def world() -> World:
    return World()


class Still(Random):
    """Chance that is none: pauses are as long as they can be."""

    def random(self) -> float:
        return 1.0


class Bench:
    """A link that runs, its SMSC, and what the exchange was told."""

    def __init__(self, world: World, *, chance: bool = False, **keys: Any) -> None:
        self.world = world
        self.smsc = world.smsc
        self.second = world.second
        self.diary = world.diary
        self.link = Link(
            world.settings(**keys),
            "170077",
            world.diary,
            world.clock,
            ids=SessionIds(),
            random=Random(7) if chance else Still(),
        )
        self.running = asyncio.ensure_future(self.link.run())

    async def until(self, condition: Callable[[], object]) -> None:
        await self.world.until(condition)

    async def bound(self, sessions: int = 1) -> None:
        await self.until(lambda: len(self.smsc.binds) >= sessions and self.link.capacity())

    async def stopped(self) -> None:
        await self.link.stop(0)
        await self.running

    def submit(self, *numbers: int) -> None:
        self.link.submit([self.world.segment(number) for number in numbers])

    @property
    def status(self) -> LinkStatus:
        return self.link.state().status

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def acceptances(self) -> list[str]:
        return [each.acceptance.name for each in self.diary.outcomes]


@contextmanager
def everything_logged() -> Iterator[list[Any]]:
    """What is logged at whatever level."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(0))
    try:
        with capture_logs() as logs:
            yield logs
    finally:
        structlog.configure(**before)


@pytest.fixture
def play(world: World) -> Callable[..., list[Any]]:
    """Runs a scenario on a link, stops it, and gives the lines it logged."""

    def run(scenario: Callable[[Bench], Awaitable[None]], **keys: Any) -> list[Any]:
        async def whole() -> None:
            bench = Bench(world, **keys)
            try:
                await scenario(bench)
            finally:
                await bench.stopped()

        with everything_logged() as logs:
            world.run(whole)
        return logs

    return run

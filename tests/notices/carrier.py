"""A carrier that writes down all that it is given, and does with it what it is told to.

It knows nothing of the gateway: what it took is what the judge goes by.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, NamedTuple

from virtual.loop import End, VirtualLoop, Wire

from smsgw.clock import Clock
from smsgw.smpp import times
from smsgw.smpp.codec import Pdu
from smsgw.smpp.names import Command, MessageState, Status
from smsgw.smpp.session import (
    Answered,
    BindRequested,
    Ended,
    Event,
    Fields,
    Limits,
    Lost,
    Received,
    Role,
    Session,
    State,
)

SHORTCODE: Final = "170077"
LIMITS: Final = Limits(window=200, enquire_link=4000.0, response_timeout=3600.0)
UDH: Final = 0x40  # the flag in esm_class
UCS2: Final = 8
WORDS: Final = {
    MessageState.DELIVERED: b"DELIVRD",
    MessageState.UNDELIVERABLE: b"UNDELIV",
    MessageState.EXPIRED: b"EXPIRED",
    MessageState.REJECTED: b"REJECTD",
    MessageState.DELETED: b"DELETED",
}


class Other(Enum):
    """What becomes of a message that no receipt tells of."""

    REFUSED = "refused"  # for good
    BUSY = "busy"  # the phone's queue is full all day long
    SILENT = "silent"  # accepted, and no receipt ever


Fate = MessageState | Other


class Plan(NamedTuple):
    """What a carrier does with a message."""

    fate: Fate = MessageState.DELIVERED
    receipt_after: float = 2.0  # seconds
    respond_after: float = 0.0


class Taken(NamedTuple):
    """One submit_sm. Times are of the wall clock."""

    at: float
    carrier: str
    kind: str  # its service_type
    phone: str
    text: str  # of the part
    reference: int  # of a long message; of another 0
    part: int
    total: int
    until: float  # by its validity_period; nan: it has none that can be read
    fate: Fate
    told: list[float]  # when its receipt was acknowledged


@dataclass(eq=False)
class Delivery:
    """A deliver_sm to be, until it is acknowledged."""

    fields: Fields
    done: Callable[[float], None]
    sent: bool = field(default=False)


class Smsc:
    """One carrier. `plan` says what becomes of a new message to a phone."""

    def __init__(
        self, name: str, loop: VirtualLoop, clock: Clock, plan: Callable[[str, str], Plan]
    ) -> None:
        self.name = name
        self.loop = loop
        self.clock = clock
        self.taken: list[Taken] = []
        self.problems: list[str] = []
        self.down = False
        self._plan = plan
        self._long: dict[tuple[str, int, int], Plan] = {}
        self._peers: list[Peer] = []
        self._waiting: deque[Delivery] = deque()

    async def accept(self) -> asyncio.Protocol:
        if self.down:
            raise ConnectionRefusedError("connection refused")
        return Peer(self)

    @property
    def busy(self) -> bool:
        """Whether something is still to be told to the gateway."""
        return bool(self._waiting)

    def go_down(self) -> None:
        """Cut all connections, and take none."""
        self.down = True
        for peer in list(self._peers):
            peer.wire.cut()

    def write(self, phone: str, text: str, done: Callable[[float], None] = lambda at: None) -> None:
        """A customer's message to the gateway; `done` hears when it is acknowledged."""
        self._waiting.append(Delivery(_deliver(phone, text.encode("ascii"), 0), done))
        self.pump()

    def take(self, pdu: Pdu) -> tuple[str, Plan]:
        """Write down a message; its id, and what becomes of it."""
        fields, octets = pdu.fields, pdu.octets("short_message")
        phone, kind = str(fields["destination_addr"]), str(fields["service_type"])
        reference, total, part = 0, 1, 1
        if pdu.number("esm_class") & UDH:
            reference, total, part = octets[3:6]
            octets = octets[octets[0] + 1 :]
        text = octets.decode("utf-16-be" if pdu.number("data_coding") == UCS2 else "latin-1")
        key = phone, reference, total
        if total > 1 and key in self._long:
            plan = self._long[key]
        else:
            plan = self._long[key] = self._plan(phone, kind)
        if part == total:
            del self._long[key]
        now = self.clock.now()
        self.taken.append(
            Taken(
                now, self.name, kind, phone, text, reference, part, total,
                _until(pdu.text("validity_period"), now), plan.fate, [],
            )
        )  # fmt: skip
        return f"{len(self.taken):x}", plan

    def receipt(self, name: str, taken: Taken) -> None:
        """Say what became of a message."""
        assert isinstance(taken.fate, MessageState)
        done = b"001" if taken.fate is MessageState.DELIVERED else b"000"
        text = b"id:%b sub:001 dlvrd:%b submit date:2603010900 done date:2603010900 stat:%b"
        text = text % (name.encode(), done, WORDS[taken.fate]) + b" err:000 text:"
        self._waiting.append(Delivery(_deliver(taken.phone, text, 0x04), taken.told.append))
        self.pump()

    def pump(self) -> None:
        """Send what waits, as far as there is room."""
        for peer in self._peers:
            for delivery in self._waiting:
                if not delivery.sent and peer.room:
                    delivery.sent = True
                    peer.deliver(delivery)

    def acknowledged(self, delivery: Delivery, status: int) -> None:
        if status != Status.ROK:
            self.again(delivery)
            return
        if delivery in self._waiting:
            self._waiting.remove(delivery)
            delivery.done(self.clock.now())

    def again(self, delivery: Delivery) -> None:
        delivery.sent = False
        self.loop.call_later(1.0, self.pump)

    def came(self, peer: "Peer") -> None:
        self._peers.append(peer)

    def left(self, peer: "Peer") -> None:
        if peer in self._peers:
            self._peers.remove(peer)


class Peer(asyncio.Protocol):
    """One connection of the carrier's."""

    def __init__(self, smsc: Smsc) -> None:
        self.wire: Wire
        self._smsc = smsc
        self._end: End
        self._session = Session(Role.SMSC, LIMITS, smsc.loop.time())
        self._timer: asyncio.TimerHandle | None = None

    @property
    def room(self) -> bool:
        return self._session.state is State.BOUND_TRX and self._session.window_free > 0

    def connection_made(self, transport: Any) -> None:
        self._end, self.wire = transport, transport.wire
        self._smsc.came(self)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._handle(self._session.receive(data, self._smsc.loop.time()))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._smsc.left(self)
        self._handle(self._session.lost(self._smsc.loop.time()))

    def deliver(self, delivery: Delivery) -> None:
        now = self._smsc.loop.time()
        self._session.request(Command.DELIVER_SM, delivery.fields, (), now, delivery)
        self._flush()

    def _handle(self, events: list[Event]) -> None:
        smsc = self._smsc
        for event in events:
            if isinstance(event, Received):
                self._take(event.pdu)
            elif isinstance(event, Answered):
                assert isinstance(event.context, Delivery)
                smsc.acknowledged(event.context, event.pdu.status)
            elif isinstance(event, Lost):
                assert isinstance(event.context, Delivery)
                smsc.again(event.context)
            elif isinstance(event, BindRequested):
                self._session.accept_bind(event.pdu, smsc.name, smsc.loop.time())
            elif isinstance(event, Ended):
                self._flush()
                self._end.close()
                smsc.left(self)
        self._flush()
        smsc.pump()

    def _take(self, pdu: Pdu) -> None:
        smsc = self._smsc
        if pdu.command == Command.QUERY_SM:
            self._session.respond(pdu, Status.RQUERYFAIL, smsc.loop.time())
            return
        if pdu.command != Command.SUBMIT_SM:
            smsc.problems.append(f"{smsc.name} got command {pdu.command:#x}")
            return
        name, plan = smsc.take(pdu)
        smsc.loop.call_later(plan.respond_after, self._respond, pdu, name, plan, smsc.taken[-1])

    def _respond(self, pdu: Pdu, name: str, plan: Plan, taken: Taken) -> None:
        smsc, now = self._smsc, self._smsc.loop.time()
        if plan.fate is Other.REFUSED:
            self._session.respond(pdu, Status.RX_P_APPN, now)
        elif plan.fate is Other.BUSY:
            self._session.respond(pdu, Status.RMSGQFUL, now)
        else:
            self._session.respond(pdu, Status.ROK, now, {"message_id": name})
            if isinstance(plan.fate, MessageState):
                smsc.loop.call_later(plan.receipt_after, smsc.receipt, name, taken)
        self._flush()

    def _flush(self) -> None:
        output = self._session.take_output()
        self._session.take_traffic()
        if output:
            self._end.write(output)
        deadline = self._session.deadline
        if deadline < (math.inf if self._timer is None else self._timer.when()):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._smsc.loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._handle(self._session.tick(self._smsc.loop.time()))


def _deliver(phone: str, octets: bytes, esm_class: int) -> Fields:
    return {
        "source_addr_ton": 1,
        "source_addr_npi": 1,
        "source_addr": phone,
        "destination_addr": SHORTCODE,
        "esm_class": esm_class,
        "short_message": octets,
    }


def _until(validity: str, now: float) -> float:
    """The moment that a validity_period names: a relative one, as the gateway writes them."""
    parsed = times.parse(validity)
    return math.nan if parsed is None or not hasattr(parsed, "total_seconds") else (
        now + parsed.total_seconds()
    )  # fmt: skip

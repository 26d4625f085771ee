"""A carrier that behaves, over a real SMPP session, and counts by itself all that it takes.

It counts what it sees on the wire and nothing else: the kind of a message by its service_type, the
customer number by its text. A long message is counted with its first part.
"""

import asyncio
import math
import re
from collections import Counter, deque
from random import Random
from typing import Any, Final, NamedTuple

from virtual.loop import End, VirtualLoop

from smsgw.smpp.codec import Pdu
from smsgw.smpp.names import Command, MessageState, Status
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
)

SHORTCODE: Final = "170077"
LIMITS: Final = Limits(window=500, enquire_link=600.0, response_timeout=60.0)
RECEIPT_AFTER: Final = 3.0  # seconds
# What becomes of messages: the rest is delivered.
REFUSED: Final = 0.001
UNDELIVERABLE: Final = 0.012
EXPIRED: Final = 0.008
WORDS: Final = {
    MessageState.DELIVERED: b"DELIVRD",
    MessageState.UNDELIVERABLE: b"UNDELIV",
    MessageState.EXPIRED: b"EXPIRED",
}
RECEIPT: Final = 0x04  # in esm_class, as is the next
UDH: Final = 0x40
UCS2: Final = 8
_NUMBER: Final = re.compile(r"(?<!\d)\d{12}(?!\d)")

Fate = MessageState | None  # None: refused


class Took(NamedTuple):
    """A message that the carrier was given, as it reads it."""

    kind: str  # its service_type
    phone: str
    number: str  # the first customer number in its text, if there is one
    fate: Fate


class Counts(NamedTuple):
    """What a carrier counted, by month and more."""

    messages: Counter[tuple[str, str, Fate]]  # by (month, kind, fate)
    parts: Counter[tuple[str, str]]  # by (month, kind): that it took, and charges for
    incoming: Counter[tuple[str, str]]  # by (month, text): acknowledged, from customers


class Delivery(NamedTuple):
    """What is to be told to the gateway."""

    fields: Fields
    text: str | None = None  # a customer's; None: a receipt


class Smsc:
    """One carrier's SMSC. `month` is told by the world; `took` is emptied by it."""

    def __init__(self, name: str, loop: VirtualLoop, random: Random) -> None:
        self.name = name
        self.loop = loop
        self.month = ""
        self.took: list[Took] = []
        self.counts = Counts(Counter(), Counter(), Counter())
        self.problems: list[str] = []
        self.peers: list[Peer] = []
        self._random = random
        self._serial = 0
        self._parts: dict[tuple[str, int], tuple[str, Fate]] = {}  # of long messages
        self._waiting: deque[Delivery] = deque()

    async def accept(self) -> asyncio.Protocol:
        return Peer(self)

    @property
    def bound(self) -> bool:
        return any(each.bound for each in self.peers)

    @property
    def busy(self) -> bool:
        """Whether something is still to be told to the gateway, or to be acknowledged by it."""
        return bool(self._waiting) or any(each.busy for each in self.peers)

    def write(self, phone: str, text: str) -> None:
        """A customer's message to the gateway."""
        ascii_ = text.isascii()
        octets = text.encode("ascii" if ascii_ else "utf-16-be")
        fields = _deliver_sm(phone, octets, 0, 0 if ascii_ else UCS2)
        self._waiting.append(Delivery(fields, text))
        self.pump()

    def take(self, pdu: Pdu) -> tuple[str, Fate]:
        """The id of a message that is given to the carrier, and what becomes of it."""
        self._serial += 1
        fields = pdu.fields
        phone, kind = str(fields["destination_addr"]), str(fields["service_type"])
        octets = pdu.octets("short_message")
        part = total = 1
        fate: Fate = None
        if pdu.number("esm_class") & UDH:
            reference, total, part = octets[3:6]
            octets = octets[octets[0] + 1 :]
            if part > 1:
                kind, fate = self._parts[phone, reference]
                if part == total:
                    del self._parts[phone, reference]
        if part == 1:
            fate = self._fate()
            if total > 1:
                self._parts[phone, reference] = kind, fate
            text = octets.decode("utf-16-be" if pdu.number("data_coding") == UCS2 else "latin-1")
            named = _NUMBER.search(text)
            self.took.append(Took(kind, phone, named[0] if named else "", fate))
            self.counts.messages[self.month, kind, fate] += 1
        if fate is not None:
            self.counts.parts[self.month, kind] += 1
        return f"{self._serial:x}", fate

    def _fate(self) -> Fate:
        drawn = self._random.random()
        if drawn < REFUSED:
            return None
        if drawn < REFUSED + UNDELIVERABLE:
            return MessageState.UNDELIVERABLE
        if drawn < REFUSED + UNDELIVERABLE + EXPIRED:
            return MessageState.EXPIRED
        return MessageState.DELIVERED

    def receipts(self, taken: list[tuple[str, str, MessageState]]) -> None:
        """Say what became of messages: id, phone, state."""
        for name, phone, state in taken:
            delivered = b"001" if state is MessageState.DELIVERED else b"000"
            text = b"id:%b sub:001 dlvrd:%b submit date:1701010900 done date:1701010900 stat:%b"
            text = text % (name.encode(), delivered, WORDS[state]) + b" err:000 text:"
            self._waiting.append(Delivery(_deliver_sm(phone, text, RECEIPT, 0)))
        self.pump()

    def pump(self) -> None:
        """Send what waits, as far as there is room."""
        for peer in self.peers:
            if self._waiting:
                peer.deliver(self._waiting)


def _deliver_sm(phone: str, octets: bytes, esm_class: int, data_coding: int) -> Fields:
    return {
        "source_addr_ton": 1,
        "source_addr_npi": 1,
        "source_addr": phone,
        "destination_addr": SHORTCODE,
        "esm_class": esm_class,
        "data_coding": data_coding,
        "short_message": octets,
    }


class Peer(asyncio.Protocol):
    """One connection of the carrier's."""

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc
        self._end: End
        self._session = Session(Role.SMSC, LIMITS, smsc.loop.time())
        self._timer: asyncio.TimerHandle | None = None

    @property
    def bound(self) -> bool:
        return self._session.state is State.BOUND_TRX

    @property
    def busy(self) -> bool:
        return self._session.outstanding > 0

    def connection_made(self, transport: Any) -> None:
        self._end = transport
        self._smsc.peers.append(self)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._handle(self._session.receive(data, self._smsc.loop.time()))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._session.lost(self._smsc.loop.time())
        if self in self._smsc.peers:
            self._smsc.peers.remove(self)

    def deliver(self, waiting: deque[Delivery]) -> None:
        """Send messages to the gateway, as many as the window takes."""
        if not self.bound:
            return
        now = self._smsc.loop.time()
        while waiting and self._session.window_free:
            delivery = waiting.popleft()
            self._session.request(Command.DELIVER_SM, delivery.fields, (), now, delivery)
        self._flush()

    def _handle(self, events: list[Event]) -> None:
        smsc, now = self._smsc, self._smsc.loop.time()
        told: list[tuple[str, str, MessageState]] = []
        for event in events:
            if isinstance(event, Received):
                self._take(event.pdu, now, told)
            elif isinstance(event, Answered):
                self._answered(event)
            elif isinstance(event, BindRequested):
                self._session.accept_bind(event.pdu, smsc.name, now)
            elif isinstance(event, Ended):
                self._flush()
                self._end.close()
                smsc.peers.remove(self)
                return
            else:
                smsc.problems.append(f"{smsc.name}: {type(event).__name__}")
        if told:
            smsc.loop.call_later(RECEIPT_AFTER, smsc.receipts, told)
        self._flush()
        smsc.pump()

    def _take(self, pdu: Pdu, now: float, told: list[tuple[str, str, MessageState]]) -> None:
        if pdu.command != Command.SUBMIT_SM:
            self._smsc.problems.append(f"{self._smsc.name}: got command {pdu.command:#x}")
            self._session.respond(pdu, Status.RINVCMDID, now)
            return
        name, fate = self._smsc.take(pdu)
        if fate is None:
            self._session.respond(pdu, Status.RX_P_APPN, now)
            return
        self._session.respond(pdu, Status.ROK, now, {"message_id": name})
        told.append((name, pdu.text("destination_addr"), fate))

    def _answered(self, event: Answered) -> None:
        delivery, smsc = event.context, self._smsc
        assert isinstance(delivery, Delivery)
        if event.pdu.status != Status.ROK:
            smsc.problems.append(f"{smsc.name}: answered {event.pdu.status:#x}")
        elif delivery.text is not None:
            smsc.counts.incoming[smsc.month, delivery.text] += 1

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

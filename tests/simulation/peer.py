"""One connection of an SMSC's: octets and timers into its session, and what comes of them."""

import asyncio
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from plan import Fault
from record import Delivery, Taken
from virtual.loop import End, Wire

from smsgw.smpp.codec import Pdu
from smsgw.smpp.names import Command, Status
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

if TYPE_CHECKING:
    from smsc import Smsc

LIMITS: Final = Limits(window=20, enquire_link=40.0, response_timeout=30.0)
RECEIVING: Final = (State.BOUND_RX, State.BOUND_TRX)
# What happens to the connection while a message to the gateway is under way.
UNDER_WAY: Final = ((Fault.DROP, 0.005), (Fault.SILENCE, 0.003))


class Peer(asyncio.Protocol):
    """One connection of an SMSC's."""

    count = 0

    def __init__(self, smsc: "Smsc") -> None:
        self.smsc = smsc
        self.end: End
        self.wire: Wire
        self.number = 0
        self._session = Session(Role.SMSC, LIMITS, smsc.loop.time())
        self._timer: asyncio.TimerHandle | None = None

    @property
    def receives(self) -> bool:
        return self._session.state in RECEIVING and self._session.window_free > 0

    # -- what the loop calls ---------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self.end = transport
        self.wire = transport.wire
        self.smsc.connections += 1
        self.number = self.smsc.connections
        self.smsc.peers.append(self)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._handle(self._session.receive(data, self.smsc.loop.time()))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._handle(self._session.lost(self.smsc.loop.time()))
        if self in self.smsc.peers:
            self.smsc.peers.remove(self)

    # -- what the SMSC does ----------------------------------------------------------------

    def deliver(self, delivery: Delivery) -> None:
        delivery.sent += 1
        now, smsc = self.smsc.loop.time(), self.smsc
        if delivery.sent > 1:
            smsc.watch.fault(Fault.REDELIVERED)
        smsc.log(f"delivers {delivery.name} for the {delivery.sent}. time on {self.number}")
        self._session.request(Command.DELIVER_SM, delivery.fields, delivery.tlvs, now, delivery)
        self._flush()
        fate = smsc.pick(UNDER_WAY)
        if fate is not None:
            smsc.watch.fault(fate)
            smsc.log(f"{fate} on {self.number}")
            call = self.wire.cut if fate is Fault.DROP else self.wire.fall_silent
            smsc.later(smsc.random.uniform(0.0, 0.2), call)

    def respond(self, pdu: Pdu, status: int, said: Fields, taken: Taken | None) -> None:
        self._flush()
        self._session.respond(pdu, status, self.smsc.loop.time(), said)
        self._flush(None if taken is None else lambda: self._heard(taken))

    def _heard(self, taken: Taken) -> None:
        taken.heard_at, taken.heard_by = self.smsc.loop.time(), self.smsc.watch.process()

    def _handle(self, events: list[Event]) -> None:
        smsc, random = self.smsc, self.smsc.random
        for event in events:
            if isinstance(event, BindRequested):
                self._bind(event.pdu)
            elif isinstance(event, Received):
                if event.pdu.command == Command.QUERY_SM:
                    smsc.query(self, event.pdu)
                else:
                    smsc.take(self, event.pdu)
            elif isinstance(event, Answered):
                assert isinstance(event.context, Delivery)
                smsc.answered(event.context, event.pdu.status, self.end.sent_at)
            elif isinstance(event, Lost):
                assert isinstance(event.context, Delivery)
                if self.wire.silent and event.context.part is not None:
                    smsc.lost_in_silence.append(event.context.part)
                smsc.later(random.uniform(0.2, 5.0), smsc.again, event.context)
            elif isinstance(event, Ended):
                smsc.log(f"{self.number} ended: {event.reason}")
                self._flush()
                self.end.close()
                if self in smsc.peers:
                    smsc.peers.remove(self)
        self._flush()
        smsc.pump()

    def _bind(self, pdu: Pdu) -> None:
        smsc, now = self.smsc, self.smsc.loop.time()
        if not smsc.calm and smsc.random.random() < 0.1:
            smsc.watch.fault(Fault.BIND_REFUSED)
            smsc.log(f"{self.number} is refused its bind")
            self._session.refuse_bind(pdu, Status.RALYBND, now)
        else:
            self._session.accept_bind(pdu, smsc.carrier.id, now)
            smsc.log(f"{self.number} is {self._session.state.value}")

    def _flush(self, arrived: Callable[[], None] | None = None) -> None:
        output = self._session.take_output()
        self._session.take_traffic()
        if output:
            self.end.send(output, arrived)
        deadline = self._session.deadline
        if deadline < (math.inf if self._timer is None else self._timer.when()):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.smsc.loop.call_at(deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._handle(self._session.tick(self.smsc.loop.time()))

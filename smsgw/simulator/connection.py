"""A TCP connection with the gateway: drives a Session with what asyncio brings, decides nothing."""

import asyncio
import math
import socket
import struct
from collections.abc import Mapping
from typing import Final, Protocol, cast

from smsgw.clock import Clock
from smsgw.simulator.tampering import MESSAGE, Tampering
from smsgw.smpp.codec import Pdu
from smsgw.smpp.names import Command
from smsgw.smpp.session import Event, Limits, Role, Session, SessionError, State, Tlvs

# SO_LINGER on, for zero seconds: closing sends RST.
_RESET = struct.pack("ii", 1, 0)


# In which states a message can be sent, by the end that a session is.
SENDING: Final = {
    Role.SMSC: (State.BOUND_RX, State.BOUND_TRX),
    Role.ESME: (State.BOUND_TX, State.BOUND_TRX),
}


class Listener(Protocol):
    """Who is told what a connection brings. Every connection ends with an `Ended`."""

    def connected(self, connection: "Connection") -> None: ...

    def heard(self, connection: "Connection", event: Event) -> None: ...


class Connection(asyncio.Protocol):
    """A connection with its session; `number` tells it from all others of its SMSC."""

    def __init__(
        self,
        number: int,
        role: Role,
        limits: Limits,
        clock: Clock,
        listener: Listener,
        tampering: Tampering,
    ) -> None:
        self.number = number
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.peer = ""
        self.read = 0  # PDUs that concern the listener
        self.submits = 0  # of these, messages
        self.bound_as = ""  # where we asked for it
        self.dropped = False
        self._muted = False
        self._reads = True
        self._clock = clock
        self._listener = listener
        self._tampering = tampering
        self._session = Session(role, limits, clock.monotonic())
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._flushing = False

    @property
    def state(self) -> State:
        return self._session.state

    @property
    def message(self) -> Command:
        """What messages to the gateway go by."""
        return MESSAGE[self._session.role]

    @property
    def receives(self) -> bool:
        """Whether the gateway takes messages here."""
        return self.state in SENDING[self._session.role] and not self._deaf

    @property
    def bound(self) -> bool:
        return self.state in (State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX)

    @property
    def window_free(self) -> int:
        return self._session.window_free

    @property
    def _deaf(self) -> bool:
        return self.dropped or self._muted

    # -- what asyncio calls ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has other parents
        peer = transport.get_extra_info("peername")
        self.peer = "{}:{}".format(*peer) if peer else "?"
        self._listener.connected(self)
        self._arm()

    def data_received(self, data: bytes) -> None:
        if not self._deaf:
            octets = self._tampering.incoming(data)
            self._tell(self._session.receive(octets, self._clock.monotonic()))

    def eof_received(self) -> bool:
        return False  # close: a peer that won't send any more won't answer either

    def connection_lost(self, exc: Exception | None) -> None:
        reason = "connection cut" if self.dropped else str(exc or "connection closed by the peer")
        self._tell(self._session.lost(self._clock.monotonic(), reason))
        if self._timer is not None:
            self._timer.cancel()
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None and self._reads:
            self._transport.resume_reading()

    # -- what the SMSC asks for ------------------------------------------------------------

    def bind(self, system_id: str, password: str) -> None:
        """Ask the gateway to bind us as a transceiver."""
        self.bound_as = system_id
        now = self._clock.monotonic()
        self._session.bind(Command.BIND_TRANSCEIVER, now, system_id=system_id, password=password)
        self._flush_soon()

    def accept_bind(self, request: Pdu, name: str) -> None:
        self._session.accept_bind(request, name, self._clock.monotonic())
        self._flush_soon()

    def refuse_bind(self, request: Pdu, status: int) -> None:
        self._session.refuse_bind(request, status, self._clock.monotonic())
        self._flush_soon()

    def request(
        self, command: int, fields: Mapping[str, int | str | bytes], tlvs: Tlvs, context: object
    ) -> None:
        """Send a request; `context` comes back in its Answered or Lost. Raises as Session does."""
        self._session.request(command, fields, tlvs, self._clock.monotonic(), context)
        self._flush_soon()

    def respond(
        self, request: Pdu, status: int, fields: Mapping[str, int | str | bytes] | None = None
    ) -> None:
        self._session.respond(request, status, self._clock.monotonic(), fields)
        self._flush_soon()

    def mute(self) -> None:
        """Read and say nothing from now on."""
        self._muted = True

    def stop_reading(self) -> None:
        """Read nothing from now on; what is said still goes out."""
        self._reads = False
        if self._transport is not None:
            self._transport.pause_reading()

    def drop(self, *, reset: bool) -> None:
        """Cut the connection without a word: by RST or by FIN. What was said before still goes."""
        if self._transport is None or (self.dropped and not reset):
            return
        self._flush()
        self.dropped = True
        if not reset:
            self._transport.close()
            return
        sock: socket.socket = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def unbind(self) -> None:
        """End it in order, if it can be."""
        try:
            self._session.unbind(self._clock.monotonic())
        except SessionError:
            self.drop(reset=False)
        else:
            self._flush_soon()

    # -- within ----------------------------------------------------------------------------

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            self._listener.heard(self, event)
        self._flush()

    def _flush_soon(self) -> None:
        """Write once for all that is said before the event loop comes round."""
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        output = self._tampering.outgoing(self._session.take_output())
        if self._transport is None or self._deaf:
            return
        if output:
            self._transport.write(output)
        if self.state is State.CLOSED:
            self._transport.close()
        self._arm()

    def _arm(self) -> None:
        """Have the timers looked at when the next one is due; one that is too early is no harm."""
        deadline = self._session.deadline
        loop = asyncio.get_running_loop()
        if deadline == math.inf or self._deaf:
            return
        delay = deadline - self._clock.monotonic()
        if (
            self._timer is None
            or self._timer.cancelled()
            or self._timer.when() > loop.time() + delay
        ):
            if self._timer is not None:
                self._timer.cancel()
            self._timer = loop.call_later(delay, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if not self._deaf:
            self._tell(self._session.tick(self._clock.monotonic()))

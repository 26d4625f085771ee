"""One SMPP session, from connect to close, without input or output of its own.

Octets and the moment go in, events and octets come out; both roles run the same code over the
one table in `machine.py`. What the protocol lets a session answer by itself (enquire_link,
unbind, unknown commands, bad bodies, wrong states) never reaches the application. Whatever the
peer sends ends at worst in an `Ended` event: errors are events, so the result doesn't depend on
how TCP cut the stream. Only the application's own mistakes raise.
"""

from typing import Final

from smsgw.smpp.answers import UNANSWERED, empty, refusal
from smsgw.smpp.codec import Fields, Pdu, PduError, Tlvs, decode, encode
from smsgw.smpp.events import (
    Answered,
    BindRefused,
    BindRequested,
    Bound,
    Ended,
    Event,
    Lost,
    Received,
    Violation,
)
from smsgw.smpp.framing import Framer, FramingError
from smsgw.smpp.machine import RECEIVABLE, REFUSED, SENDABLE, Role, State
from smsgw.smpp.tables import RESPONSE, Command, Status, Tlv, command_name
from smsgw.smpp.timers import Alarm, Limits, Timers
from smsgw.smpp.traffic import Tally, Traffic
from smsgw.smpp.window import Window

__all__ = [
    "Answered",
    "BindRefused",
    "BindRequested",
    "Bound",
    "Ended",
    "Event",
    "Fields",
    "Limits",
    "Lost",
    "Received",
    "Role",
    "Session",
    "SessionError",
    "State",
    "Tlvs",
    "Violation",
]

INTERFACE_VERSION: Final = 0x34

_BINDS: Final = frozenset(
    {Command.BIND_TRANSMITTER, Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER}
)
_OWN: Final = _BINDS | {Command.UNBIND, Command.ENQUIRE_LINK}  # not for `request`


class SessionError(Exception):
    """The application asked for something that is not legal in this state."""


class Session:
    """One end of one SMPP session; times are seconds of any clock that never goes back.

    After each call write what `take_output` gives, and call `tick` at `deadline`. The events of
    a call are in the order of what they tell of; `Ended` is the last of all.
    """

    __slots__ = (
        "_framer",
        "_output",
        "_owed",
        "_receivable",
        "_sendable",
        "_state",
        "_tally",
        "_timers",
        "_unbind",
        "_window",
        "peer_version",
        "role",
    )

    def __init__(self, role: Role, limits: Limits, now: float) -> None:
        self.role = role
        self.peer_version: int | None = None  # its interface_version, once it has said
        self._framer = Framer(limits.pdu_limit)
        self._timers = Timers(limits, now)
        self._window = Window(limits.window, limits.response_timeout)
        self._output: list[bytes] = []
        self._owed = 0  # requests that the application has and did not answer yet
        self._unbind = Pdu(Command.UNBIND)  # the peer's, once it came
        self._tally = Tally()
        self._enter(State.OPEN)

    def _enter(self, state: State) -> None:
        self._state = state
        self._sendable = SENDABLE[self.role, state]
        self._receivable = RECEIVABLE[self.role, state]

    @property
    def state(self) -> State:
        return self._state

    @property
    def window_free(self) -> int:
        """How many more requests may be sent now, as far as the window goes."""
        return self._window.free

    @property
    def outstanding(self) -> int:
        return len(self._window)

    @property
    def takes_tlvs(self) -> bool:
        """Whether TLVs may be sent: not to a peer that says it is older than version 3.4.

        A peer that says nothing is formally of version 3.3, but many 3.4 SMSCs leave it out.
        """
        return self.peer_version is None or self.peer_version >= INTERFACE_VERSION

    @property
    def deadline(self) -> float:
        """When `tick` has something to do next; infinity if never."""
        return min(self._timers.deadline, self._window.deadline)

    def take_output(self) -> bytes:
        """All octets to be written since the last call."""
        output = self._output
        self._output = []
        self._tally.wrote(output)
        return b"".join(output)

    def take_traffic(self) -> Traffic:
        """What went through since the last call."""
        return self._tally.take()

    # -- what comes in ---------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take octets from the peer, cut anywhere."""
        events: list[Event] = []
        found = self._framer.feed(data)
        self._timers.heard(now)
        self._tally.read(frame for frame in found if isinstance(frame, bytes))
        frames = iter(found)
        while self._state is not State.CLOSED and (frame := next(frames, None)) is not None:
            if isinstance(frame, FramingError):
                # SMPP 3.4 section 4.3.1: without a length nothing after it can be read.
                self._output.append(empty(Command.GENERIC_NACK, Status.RINVCMDLEN, frame.sequence))
                events.append(Violation(f"command_length {frame.command_length}", b""))
                self._end("stream lost", events)
            else:
                self._take(frame, now, events)
        return events

    def tick(self, now: float) -> list[Event]:
        """Do what the timers ask for at `now`."""
        events: list[Event] = [
            Lost(pending.context, "no response in time") for pending in self._window.overdue(now)
        ]
        self._look_whether_parted(now)
        while (alarm := self._timers.due(now)) is not None:
            if alarm is Alarm.ENQUIRE:
                self._ask(Command.ENQUIRE_LINK, {})
                self._timers.asked(now)
            elif alarm is Alarm.INACTIVE and (self._window or self._owed > 0):
                self._timers.worked(now)  # somebody still works on an answer
            elif alarm is Alarm.INACTIVE:
                self.unbind(now)
            elif alarm is Alarm.UNBOUND:
                self._part(now, events)
            else:
                self._end(str(alarm), events)
        return events

    def lost(self, now: float, reason: str = "connection lost") -> list[Event]:
        """The transport is gone, or is about to be closed without more ado."""
        events: list[Event] = []
        if self._state is not State.CLOSED:
            self._end(reason, events)
        self._output.clear()
        return events

    def _take(self, frame: bytes, now: float, events: list[Event]) -> None:
        try:
            pdu = decode(frame)
        except PduError as error:
            self._take_unreadable(error, frame, now, events)
            return
        command = pdu.command
        if command & RESPONSE:
            self._take_response(pdu, frame, now, events)
        elif command not in self._receivable:
            events.append(self._misplaced(command, frame))
            self._refuse(command, Status.RINVBNDSTS, pdu.sequence)
        elif command in _OWN:
            self._take_own(pdu, now, events)
        else:
            self._timers.worked(now)
            self._owed += command not in UNANSWERED
            events.append(Received(pdu))

    def _take_unreadable(
        self, error: PduError, frame: bytes, now: float, events: list[Event]
    ) -> None:
        events.append(Violation(error.reason, frame))
        legal = error.command in self._receivable or error.status == Status.RINVCMDID
        self._refuse(error.command, error.status if legal else Status.RINVBNDSTS, error.sequence)
        if error.command & RESPONSE and error.command in self._receivable:
            # What could be read, or the header alone, says what became of the request.
            header = Pdu(error.command, int.from_bytes(frame[8:12]), error.sequence)
            self._take_response(error.read or header, frame, now, events)

    def _take_own(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        after = self._receivable[pdu.command]
        if pdu.command == Command.ENQUIRE_LINK:
            self.respond(pdu, Status.ROK, now)
        elif pdu.command == Command.UNBIND:
            self._unbind = pdu
            if after is State.UNBOUND and (self._window or self._owed > 0):
                self._enter(after)
                self._timers.unbound(now)
            else:
                self._part(now, events)
        else:
            self.peer_version = pdu.number("interface_version")
            self._enter(after)
            events.append(BindRequested(pdu))

    def _take_response(self, pdu: Pdu, frame: bytes, now: float, events: list[Event]) -> None:
        command, sequence = pdu.command, pdu.sequence
        if command not in self._receivable:
            events.append(self._misplaced(command, frame))
        elif (pending := self._window.settle(sequence, command)) is not None:
            self._timers.worked(now)
            events.append(Answered(pending.context, pdu, now - pending.sent_at))
            self._look_whether_parted(now)
        elif (expected := self._window.settle_own(sequence, command)) is None:
            reason = f"{command_name(command)} to no request of ours"
            events.append(Violation(reason, frame))
        elif expected == Command.UNBIND_RESP:
            self._end("unbound", events)
        elif expected != Command.ENQUIRE_LINK_RESP:
            self._take_bind_response(pdu, expected, now, events)

    def _take_bind_response(self, pdu: Pdu, expected: int, now: float, events: list[Event]) -> None:
        if pdu.command != expected or pdu.status:
            self._enter(REFUSED[self._state])
            events.append(BindRefused(pdu.status, pdu))
            return
        version = pdu.tlv(Tlv.SC_INTERFACE_VERSION)
        self.peer_version = version[0] if version else None
        self._enter(self._receivable[expected])
        self._timers.bound(now)
        events.append(Bound(pdu))

    def _look_whether_parted(self, now: float) -> None:
        """After the peer's unbind: if nothing is under way any more, the next tick answers it."""
        if self._state is State.UNBOUND and not self._window and self._owed <= 0:
            self._timers.parted(now)

    def _part(self, now: float, events: list[Event]) -> None:
        self.respond(self._unbind, Status.ROK, now)
        self._end(str(Alarm.UNBOUND), events)

    def _misplaced(self, command: int, frame: bytes) -> Violation:
        return Violation(f"{command_name(command)} in state {self._state.value}", frame)

    def _end(self, reason: str, events: list[Event]) -> None:
        events.extend(Lost(pending.context, reason) for pending in self._window.clear())
        events.append(Ended(reason))
        self._timers.closed()
        self._enter(State.CLOSED)

    # -- what goes out ---------------------------------------------------------------------

    def bind(
        self,
        command: int,
        now: float,
        *,
        system_id: str,
        password: str,
        system_type: str = "",
        address_range: str = "",
    ) -> None:
        """ESME: ask to bind with `command`, one of the three bind commands.

        Raises SessionError if the session is not open, EncodeError if a field doesn't fit.
        """
        if command not in _BINDS or command not in self._sendable:
            raise self._illegal(command)
        after = self._sendable[command]
        fields: Fields = {
            "system_id": system_id,
            "password": password,
            "system_type": system_type,
            "interface_version": INTERFACE_VERSION,
            "address_range": address_range,
        }
        self._ask(command, fields)
        self._enter(after)

    def accept_bind(self, request: Pdu, system_id: str, now: float) -> None:
        """SMSC: take the bind that `request` asks for. Too late, it does nothing."""
        command = request.command | RESPONSE
        if command not in self._sendable:
            return
        version = [(int(Tlv.SC_INTERFACE_VERSION), bytes([INTERFACE_VERSION]))]
        after = self._sendable[command]
        self.respond(request, Status.ROK, now, {"system_id": system_id}, version)
        self._enter(after)
        self._timers.bound(now)

    def refuse_bind(self, request: Pdu, status: int, now: float) -> None:
        """SMSC: refuse it; the ESME may try again until the time to bind is over."""
        if request.command | RESPONSE in self._sendable:
            self.respond(request, status, now)
            self._enter(REFUSED[self._state])

    def request(
        self,
        command: int,
        fields: Fields,
        tlvs: Tlvs,
        now: float,
        context: object,
    ) -> int:
        """Send a request, which takes one place of the window, and return its sequence number.

        `context` comes back once, in `Answered` or `Lost`; outbind and alert_notification have
        no response and take no place. TLVs are left out where the peer takes none. Raises
        SessionError if `command` is not legal in this state or the window is full, EncodeError
        if a field doesn't fit; nothing has been sent then.
        """
        if command & RESPONSE or command in _OWN or command not in self._sendable:
            raise self._illegal(command)
        answered = command not in UNANSWERED
        if answered and self._window.full:
            raise SessionError("the window is full")
        sequence = self._window.next_sequence()
        allowed = tlvs if tlvs and self.takes_tlvs else ()
        self._output.append(encode(Pdu(command, 0, sequence, fields, allowed)))
        if answered:
            self._window.add(sequence, command, context, now)
        self._timers.worked(now)
        return sequence

    def respond(
        self,
        request: Pdu,
        status: int,
        now: float,
        fields: Fields | None = None,
        tlvs: Tlvs = (),
    ) -> None:
        """Answer `request`; nothing happens if the session can't send that any more.

        An error response has no body (SMPP 3.4 section 4): `fields` and `tlvs` are for status
        0. Raises EncodeError if a field doesn't fit.
        """
        command = request.command | RESPONSE
        if command not in self._sendable:
            return
        self._timers.worked(now)
        if status or not (fields or tlvs):
            self._output.append(empty(command, status, request.sequence))
        else:
            allowed = tlvs if self.takes_tlvs else ()
            pdu = Pdu(command, status, request.sequence, fields or {}, allowed)
            self._output.append(encode(pdu))
        if request.command not in _OWN:
            self._owed -= 1
            self._look_whether_parted(now)

    def unbind(self, now: float) -> None:
        """Ask to end the session; it ends with the response, or when that is late.

        Until then the peer's requests still come and can be answered. Raises SessionError
        unless the session is bound.
        """
        if Command.UNBIND not in self._sendable:
            raise self._illegal(Command.UNBIND)
        after = self._sendable[Command.UNBIND]
        self._ask(Command.UNBIND, {})
        self._enter(after)
        self._timers.unbinding(now)

    def _ask(self, command: int, fields: Fields) -> None:
        sequence = self._window.next_sequence()
        self._output.append(encode(Pdu(command, 0, sequence, fields)))
        self._window.add_own(sequence, command)

    def _refuse(self, command: int, status: int, sequence: int) -> None:
        answer = refusal(command, status, sequence)
        if answer is not None:
            self._output.append(empty(answer.command, answer.status, answer.sequence))

    def _illegal(self, command: int) -> SessionError:
        return SessionError(f"{command_name(command)} can't be sent in state {self._state.value}")

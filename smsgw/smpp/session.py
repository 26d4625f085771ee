"""One SMPP session, from connect to close, without input or output of its own.

Octets and the moment go in, events and octets come out; both roles run the same code over the
one table in `machine.py`. What the protocol lets a session answer by itself (enquire_link,
unbind, unknown commands, bad bodies, wrong states) never reaches the application. Whatever the
peer sends ends at worst in an `Ended` event: errors are events, so the result doesn't depend on
how TCP cut the stream. Only the application's own mistakes raise.
"""

from smsgw.smpp.answers import UNANSWERED, empty
from smsgw.smpp.codec import Fields, Pdu, PduError, Tlvs, decode
from smsgw.smpp.events import (
    Answered,
    AnsweredLate,
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
from smsgw.smpp.machine import REFUSED, Role, State
from smsgw.smpp.speaking import OWN, SessionError, Speaking
from smsgw.smpp.tables import RESPONSE, Command, Status, Tlv, command_name
from smsgw.smpp.timers import Alarm, Limits

__all__ = [
    "Answered",
    "AnsweredLate",
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


class Session(Speaking):
    """One end of one SMPP session; times are seconds of any clock that never goes back.

    After each call write what `take_output` gives, and call `tick` at `deadline`. The events of
    a call are in the order of what they tell of; `Ended` is the last of all.
    """

    __slots__ = ("_framer", "_unbind")

    def __init__(self, role: Role, limits: Limits, now: float) -> None:
        super().__init__(role, limits, now)
        self._framer = Framer(limits.pdu_limit)
        self._unbind = Pdu(Command.UNBIND)  # the peer's, once it came

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
        elif command in OWN:
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
        elif (given_up := self._window.settle_late(sequence, command)) is not None:
            self._timers.worked(now)
            events.append(AnsweredLate(given_up.context, pdu, now - given_up.sent_at))
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

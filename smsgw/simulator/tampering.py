"""Spoils what a session says on its way out, as some SMSCs do, and undoes that on the way in.

The session itself keeps to the protocol; between it and the socket its PDUs are changed one by one.
"""

import struct
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from itertools import count, cycle
from typing import Final, NamedTuple

from smsgw.clock import Clock
from smsgw.simulator.faults import Bodies, Mischief, Sequences
from smsgw.simulator.happenings import Happening, MalformedAnswered, MalformedSent
from smsgw.simulator.settings import Version
from smsgw.smpp.codec import HEADER, Pdu, encode
from smsgw.smpp.framing import Framer, FramingError
from smsgw.smpp.names import Command, Status, Tlv, command_name, status_name
from smsgw.smpp.session import Role

_HEADER: Final = struct.Struct(">4I")
_RESPONSE: Final = 0x8000_0000
_MESSAGES: Final = frozenset({Command.SUBMIT_SM, Command.DELIVER_SM, Command.DATA_SM})
_BINDS: Final = frozenset(
    {Command.BIND_TRANSMITTER, Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER}
)
_OWN: Final = 0x7000_0001  # sequence numbers of malformed PDUs: a session doesn't come so far

_REMEMBERED: Final = 1000  # requests under one strange number; an older one's answer is lost


# What a message goes by, by the end that a session is.
MESSAGE: Final = {Role.SMSC: Command.DELIVER_SM, Role.ESME: Command.SUBMIT_SM}


class Malformed(NamedTuple):
    """A PDU that a session survives."""

    what: str
    command: int
    body: bytes


def malformed(message: int) -> tuple[Malformed, ...]:
    """One of each sort, where `message` is the command that messages go by."""
    whole = encode(Pdu(message, 0, 1, {"source_addr": "1", "short_message": b"ok"}))[HEADER:]
    past_the_end = struct.pack(">HH", Tlv.USER_MESSAGE_REFERENCE, 2)
    return (
        Malformed("a PDU of an unknown command", 0x55, b""),
        Malformed("a message that breaks off", message, whole[:9]),
        Malformed("a message with a TLV past its end", message, whole + past_the_end),
        Malformed("a message with an address that never ends", message, b"\0\1\1" + b"3" * 80),
        Malformed("an enquire_link with a body", Command.ENQUIRE_LINK, b"\0"),
        Malformed("a response to nothing", message | _RESPONSE, b"0\0"),
    )


class Tampering:
    """What is done to the PDUs of one connection; `mischief` is asked at each of them."""

    def __init__(
        self,
        number: int,
        role: Role,
        version: Version,
        mischief: Callable[[], Mischief],
        clock: Clock,
        tell: Callable[[Happening], None],
    ) -> None:
        self._number = number
        self._version = version
        self._mischief = mischief
        self._clock = clock
        self._tell = tell
        self._malformed = cycle(malformed(MESSAGE[role]))
        self._own = count(_OWN)
        self._strange: dict[int, str] = {}  # sequence of a malformed PDU -> what it was
        # By the number that went out: response and true number of the requests, oldest first.
        self._true: defaultdict[int, deque[tuple[int, int]]] = defaultdict(
            lambda: deque(maxlen=_REMEMBERED)
        )
        self._framer = Framer()

    # -- what goes out ---------------------------------------------------------------------

    def outgoing(self, octets: bytes) -> bytes:
        """Whole PDUs of the session's, as they are to go out."""
        return b"".join(self._spoiled(octets))

    def _spoiled(self, octets: bytes) -> Iterator[bytes]:
        mischief = self._mischief()
        at = 0
        while at < len(octets):
            length, command, _, _ = _HEADER.unpack_from(octets, at)
            frame = octets[at : at + length]
            at += length
            if command in _MESSAGES and mischief.malforms():
                yield self._next_malformed()
            if not command & _RESPONSE:
                yield self._renumbered(frame, mischief.faults.sequences)
            elif command != Command.ENQUIRE_LINK_RESP:
                yield self._response(frame, mischief.faults.bodies)
            elif not mischief.faults.no_enquire_link_resp:
                yield frame

    def _next_malformed(self) -> bytes:
        what, command, body = next(self._malformed)
        sequence = next(self._own)
        octets = _pdu(command, 0, sequence, body)
        if not command & _RESPONSE:
            self._strange[sequence] = what
        self._tell(MalformedSent(self._clock.now(), self._number, what, octets.hex()))
        return octets

    def _renumbered(self, frame: bytes, sequences: Sequences) -> bytes:
        _, command, status, sequence = _HEADER.unpack_from(frame)
        match sequences:
            case Sequences.PLAIN:
                return frame
            case Sequences.ZERO:
                shown = 0
            case Sequences.SAME:
                shown = 1
            case Sequences.LARGE:
                shown = sequence | 0x8000_0000
        if command != Command.OUTBIND:
            self._true[shown].append((command | _RESPONSE, sequence))
        return _pdu(command, status, shown, frame[HEADER:])

    def _response(self, frame: bytes, bodies: Bodies) -> bytes:
        _, command, status, sequence = _HEADER.unpack_from(frame)
        request = command & ~_RESPONSE
        if request in _BINDS and self._version is Version.V3_3:
            if status == Status.RINVCMDID:
                return _pdu(Command.GENERIC_NACK, status, sequence, b"")
            system_id, end, _ = frame[HEADER:].partition(b"\0")  # and no sc_interface_version
            return _pdu(command, status, sequence, system_id + end)
        if request not in _MESSAGES:
            return frame
        match bodies:
            case Bodies.PLAIN:
                return frame
            case Bodies.NONE:
                body = b""
            case Bodies.NUL:
                body = b"\0"
            case Bodies.ALWAYS:
                body = frame[HEADER:] or b"0\0"
        return _pdu(command, status, sequence, body)

    # -- what comes in ---------------------------------------------------------------------

    def incoming(self, data: bytes) -> bytes:
        """Octets from the peer, cut anywhere, as the session is to see them."""
        return b"".join(self._restored(frame) for frame in self._framer.feed(data))

    def _restored(self, frame: bytes | FramingError) -> bytes:
        if isinstance(frame, FramingError):  # the session says so to the peer
            return _HEADER.pack(frame.command_length, frame.command, 0, frame.sequence)
        _, command, status, sequence = _HEADER.unpack_from(frame)
        if not command & _RESPONSE:
            return frame
        if (what := self._strange.pop(sequence, None)) is not None:
            at, name = self._clock.now(), command_name(command)
            told = MalformedAnswered(at, self._number, what, name, status, status_name(status))
            self._tell(told)
            return b""
        waiting = self._true.get(sequence, ())
        for known in waiting:
            if command in (known[0], Command.GENERIC_NACK):
                self._true[sequence].remove(known)
                return _pdu(command, status, known[1], frame[HEADER:])
        return frame


def _pdu(command: int, status: int, sequence: int, body: bytes) -> bytes:
    return _HEADER.pack(HEADER + len(body), command, status, sequence) + body

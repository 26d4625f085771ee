"""The half of a session that speaks: what the application asks for, put on the wire.

The half that listens, and the session as a whole, is `session.py`.
"""

from typing import Final

from smsgw.smpp.answers import UNANSWERED, empty, refusal
from smsgw.smpp.codec import Fields, Pdu, Tlvs, encode
from smsgw.smpp.machine import RECEIVABLE, REFUSED, SENDABLE, Role, State
from smsgw.smpp.tables import RESPONSE, Command, Status, Tlv, command_name
from smsgw.smpp.timers import Limits, Timers
from smsgw.smpp.traffic import Tally, Traffic
from smsgw.smpp.window import Window

INTERFACE_VERSION: Final = 0x34

_BINDS: Final = frozenset(
    {Command.BIND_TRANSMITTER, Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER}
)
OWN: Final = _BINDS | {Command.UNBIND, Command.ENQUIRE_LINK}  # not for `request`


class SessionError(Exception):
    """The application asked for something that is not legal in this state."""


class Speaking:
    """What both halves of a session share, and all that goes out."""

    __slots__ = (
        "_output",
        "_owed",
        "_receivable",
        "_sendable",
        "_state",
        "_tally",
        "_timers",
        "_window",
        "peer_version",
        "role",
    )

    def __init__(self, role: Role, limits: Limits, now: float) -> None:
        self.role = role
        self.peer_version: int | None = None  # its interface_version, once it has said
        self._timers = Timers(limits, now)
        self._window = Window(limits.window, limits.response_timeout)
        self._output: list[bytes] = []
        self._owed = 0  # requests that the application has and did not answer yet
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
        if command & RESPONSE or command in OWN or command not in self._sendable:
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
        if request.command not in OWN:
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

    def _look_whether_parted(self, now: float) -> None:
        """After the peer's unbind: if nothing is under way any more, the next tick answers it."""
        if self._state is State.UNBOUND and not self._window and self._owed <= 0:
            self._timers.parted(now)

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

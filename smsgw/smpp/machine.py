"""The states of an SMPP session and the one table of what may be sent in which of them.

SMPP 3.4 section 2.3, SMPP 5.0 section 2.4. Both roles live by the same rows: what one side
may send, the other may receive. The two halves of a row differ where PDUs cross on the wire:
after our unbind we send no request any more, yet those of the peer that were on their way are
still received and answered.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from smsgw.smpp.tables import Command


class Role(Enum):
    """Which end of a session this is."""

    ESME = "esme"
    SMSC = "smsc"

    @property
    def peer(self) -> "Role":
        return Role.SMSC if self is Role.ESME else Role.ESME


class State(Enum):
    """Where a session stands. TX and RX are the ESME's view, in both roles."""

    OPEN = "open"
    BINDING = "binding"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBINDING = "unbinding"  # our unbind was sent and not answered yet
    UNBOUND = "unbound"  # the peer's unbind came; what is under way is finished before its answer
    CLOSED = "closed"


_OPEN, _BINDING, _UNBINDING = State.OPEN, State.BINDING, State.UNBINDING
_UNBOUND = State.UNBOUND
_TX, _RX, _TRX, _CLOSED = State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX, State.CLOSED

Steps = Mapping[State, State]  # a state in which the PDU is legal -> the state after it


def _stay(*states: State) -> Steps:
    return {state: state for state in states}


class Row(NamedTuple):
    """One command from one side."""

    sender: Role
    command: Command
    sent: Steps
    received: Steps


_C, _S = Role.ESME, Role.SMSC
_BOUND = _stay(_TX, _RX, _TRX)
_BOUND_LAST = _stay(_TX, _RX, _TRX, _UNBINDING, _UNBOUND)
_OUT = _stay(_TX, _TRX)  # messages from the ESME
_OUT_LATE = _stay(_TX, _TRX, _UNBINDING)
_OUT_LAST = _stay(_TX, _TRX, _UNBINDING, _UNBOUND)  # responses to them
_IN = _stay(_RX, _TRX)  # messages to the ESME
_IN_LATE = _stay(_RX, _TRX, _UNBINDING)
_IN_LAST = _stay(_RX, _TRX, _UNBINDING, _UNBOUND)
_ALIVE = _stay(_OPEN, _BINDING, _TX, _RX, _TRX, _UNBINDING, _UNBOUND)
_LEAVE: Steps = {_TX: _UNBINDING, _RX: _UNBINDING, _TRX: _UNBINDING}
# An unbind that crosses ours, or one that comes again, is answered without waiting.
_LEFT: Steps = {
    _TX: _UNBOUND,
    _RX: _UNBOUND,
    _TRX: _UNBOUND,
    _UNBINDING: _CLOSED,
    _UNBOUND: _CLOSED,
}
_PARTED: Steps = dict.fromkeys((_TX, _RX, _TRX, _UNBINDING, _UNBOUND), _CLOSED)

MACHINE: Final[tuple[Row, ...]] = (
    Row(_C, Command.BIND_TRANSMITTER, {_OPEN: _BINDING}, {_OPEN: _BINDING}),
    Row(_C, Command.BIND_RECEIVER, {_OPEN: _BINDING}, {_OPEN: _BINDING}),
    Row(_C, Command.BIND_TRANSCEIVER, {_OPEN: _BINDING}, {_OPEN: _BINDING}),
    Row(_S, Command.BIND_TRANSMITTER_RESP, {_BINDING: _TX}, {_BINDING: _TX}),
    Row(_S, Command.BIND_RECEIVER_RESP, {_BINDING: _RX}, {_BINDING: _RX}),
    Row(_S, Command.BIND_TRANSCEIVER_RESP, {_BINDING: _TRX}, {_BINDING: _TRX}),
    Row(_S, Command.OUTBIND, _stay(_OPEN), _stay(_OPEN)),
    Row(_C, Command.SUBMIT_SM, _OUT, _OUT_LATE),
    Row(_S, Command.SUBMIT_SM_RESP, _OUT_LAST, _OUT_LAST),
    Row(_C, Command.SUBMIT_MULTI, _OUT, _OUT_LATE),
    Row(_S, Command.SUBMIT_MULTI_RESP, _OUT_LAST, _OUT_LAST),
    Row(_C, Command.DATA_SM, _OUT, _OUT_LATE),
    Row(_S, Command.DATA_SM_RESP, _OUT_LAST, _OUT_LAST),
    Row(_C, Command.QUERY_SM, _OUT, _OUT_LATE),
    Row(_S, Command.QUERY_SM_RESP, _OUT_LAST, _OUT_LAST),
    Row(_C, Command.CANCEL_SM, _OUT, _OUT_LATE),
    Row(_S, Command.CANCEL_SM_RESP, _OUT_LAST, _OUT_LAST),
    Row(_C, Command.REPLACE_SM, _OUT, _OUT_LATE),
    Row(_S, Command.REPLACE_SM_RESP, _OUT_LAST, _OUT_LAST),
    Row(_S, Command.DELIVER_SM, _IN, _IN_LATE),
    Row(_C, Command.DELIVER_SM_RESP, _IN_LAST, _IN_LAST),
    Row(_S, Command.DATA_SM, _IN, _IN_LATE),
    Row(_C, Command.DATA_SM_RESP, _IN_LAST, _IN_LAST),
    Row(_S, Command.ALERT_NOTIFICATION, _IN, _IN_LATE),
    # SMPP 5.0 lets an enquire_link come in any state; we ask only when bound.
    Row(_C, Command.ENQUIRE_LINK, _BOUND, _ALIVE),
    Row(_S, Command.ENQUIRE_LINK, _BOUND, _ALIVE),
    Row(_C, Command.ENQUIRE_LINK_RESP, _ALIVE, _BOUND_LAST),
    Row(_S, Command.ENQUIRE_LINK_RESP, _ALIVE, _BOUND_LAST),
    Row(_C, Command.UNBIND, _LEAVE, _LEFT),
    Row(_S, Command.UNBIND, _LEAVE, _LEFT),
    Row(_C, Command.UNBIND_RESP, _PARTED, {_UNBINDING: _CLOSED}),
    Row(_S, Command.UNBIND_RESP, _PARTED, {_UNBINDING: _CLOSED}),
    Row(_C, Command.GENERIC_NACK, _ALIVE, _ALIVE),
    Row(_S, Command.GENERIC_NACK, _ALIVE, _ALIVE),
)

# Where an error response, or a generic_nack, to the request that made this state leads.
REFUSED: Final[Steps] = {_BINDING: _OPEN, _UNBINDING: _CLOSED}

Legal = Mapping[int, State]  # command -> the state after it; what is not there is not legal


def _column(role: Role, state: State, *, sending: bool) -> Legal:
    sender = role if sending else role.peer
    steps = (
        (row.command, row.sent if sending else row.received)
        for row in MACHINE
        if row.sender is sender
    )
    return {command: step[state] for command, step in steps if state in step}


SENDABLE: Final[Mapping[tuple[Role, State], Legal]] = {
    (role, state): _column(role, state, sending=True) for role in Role for state in State
}
RECEIVABLE: Final[Mapping[tuple[Role, State], Legal]] = {
    (role, state): _column(role, state, sending=False) for role in Role for state in State
}

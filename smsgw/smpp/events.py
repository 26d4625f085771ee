"""What a session tells its driver: one small tuple an event, errors included."""

from typing import NamedTuple

from smsgw.smpp.codec import Pdu


class BindRequested(NamedTuple):
    """SMSC: an ESME asks to bind. Answer with `accept_bind` or `refuse_bind`."""

    pdu: Pdu


class Bound(NamedTuple):
    """ESME: the SMSC took the bind."""

    pdu: Pdu


class BindRefused(NamedTuple):
    """ESME: the SMSC did not take the bind. The session is open for another try."""

    status: int
    pdu: Pdu


class Received(NamedTuple):
    """A request for the application, to be answered with `respond` if it has a response."""

    pdu: Pdu


class Answered(NamedTuple):
    """The response or generic_nack to a request of ours, `elapsed` seconds after it."""

    context: object
    pdu: Pdu
    elapsed: float


class Lost(NamedTuple):
    """A request of ours had no response in time, or its session ended: whether it was taken is
    unknown. In the first case `AnsweredLate` may follow."""

    context: object
    reason: str


class AnsweredLate(NamedTuple):
    """As Answered, of a request that was given up as Lost before."""

    context: object
    pdu: Pdu
    elapsed: float


class Violation(NamedTuple):
    """Something against the protocol that the session answered or ignored by itself."""

    reason: str
    octets: bytes  # the PDU; empty if there was none to show


class Ended(NamedTuple):
    """The session is over. Write the remaining output and close; no event comes after it."""

    reason: str


Event = (
    BindRequested
    | Bound
    | BindRefused
    | Received
    | Answered
    | AnsweredLate
    | Lost
    | Violation
    | Ended
)

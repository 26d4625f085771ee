"""What happens at the simulator, told as it happens: one small flat tuple each."""

from typing import Final, NamedTuple


class Connected(NamedTuple):
    at: float
    session: int
    peer: str


class BindTaken(NamedTuple):
    at: float
    session: int
    command: str
    system_id: str


class BindRefused(NamedTuple):
    at: float
    session: int
    command: str
    system_id: str
    status: int
    status_name: str


class NotConnected(NamedTuple):
    """The gateway could not be dialled; it will be tried again."""

    at: float
    host: str
    port: int
    reason: str


class OutbindSent(NamedTuple):
    at: float
    session: int
    system_id: str


class SessionEnded(NamedTuple):
    at: float
    session: int
    reason: str


class MoSent(NamedTuple):
    """One deliver_sm of a customer's message left, for the `attempt`th time."""

    at: float
    session: int
    mo: int
    part: int
    parts: int
    attempt: int
    source: str
    destination: str
    text: str


class MoAnswered(NamedTuple):
    """It was answered; `state` is that of the whole message after that."""

    at: float
    mo: int
    part: int
    parts: int
    source: str
    text: str
    status: int
    status_name: str
    state: str


class MoUnanswered(NamedTuple):
    """No answer to it will come any more; it will be sent again."""

    at: float
    mo: int
    part: int
    source: str
    reason: str


class SubmitRefused(NamedTuple):
    at: float
    session: int
    source: str
    destination: str
    status: int
    status_name: str


class ResponseLost(NamedTuple):
    """A submit_sm was taken and is not answered, as was asked for."""

    at: float
    session: int
    destination: str
    message_id: str


class SubmitFrozen(NamedTuple):
    """A submit_sm was neither taken nor answered, as was asked for."""

    at: float
    session: int
    destination: str


class MtReceived(NamedTuple):
    """A message to a customer is here with all its parts."""

    at: float
    session: int
    source: str
    destination: str
    text: str
    parts: int
    message_ids: tuple[str, ...]


class ReceiptSent(NamedTuple):
    at: float
    session: int
    message_id: str
    destination: str
    stat: str


class ReceiptAnswered(NamedTuple):
    at: float
    message_id: str
    status: int
    status_name: str


class QueryAnswered(NamedTuple):
    """A query_sm was answered with a state, or refused."""

    at: float
    session: int
    message_id: str
    stat: str | None


class MalformedSent(NamedTuple):
    """A PDU went out that the peer has to refuse or to bear with, as was asked for."""

    at: float
    session: int
    what: str
    octets: str  # in hex


class MalformedAnswered(NamedTuple):
    at: float
    session: int
    what: str
    command: str
    status: int
    status_name: str


class Oddity(NamedTuple):
    """The peer did something against the protocol."""

    at: float
    session: int
    reason: str
    octets: str  # in hex


Happening = (
    Connected
    | BindTaken
    | BindRefused
    | NotConnected
    | OutbindSent
    | SessionEnded
    | MoSent
    | MoAnswered
    | MoUnanswered
    | SubmitRefused
    | ResponseLost
    | SubmitFrozen
    | MtReceived
    | ReceiptSent
    | ReceiptAnswered
    | QueryAnswered
    | MalformedSent
    | MalformedAnswered
    | Oddity
)

# What each is called where it is written down.
NAMES: Final[dict[type[Happening], str]] = {
    Connected: "connected",
    BindTaken: "bound",
    BindRefused: "bind_refused",
    NotConnected: "not_connected",
    OutbindSent: "outbind_sent",
    SessionEnded: "session_ended",
    MoSent: "mo_sent",
    MoAnswered: "mo_answered",
    MoUnanswered: "mo_unanswered",
    SubmitRefused: "submit_refused",
    ResponseLost: "response_lost",
    SubmitFrozen: "submit_frozen",
    MtReceived: "mt",
    ReceiptSent: "receipt_sent",
    ReceiptAnswered: "receipt_answered",
    QueryAnswered: "query_answered",
    MalformedSent: "malformed_sent",
    MalformedAnswered: "malformed_answered",
    Oddity: "oddity",
}

"""Messages and what becomes of them: the values that every other room passes around."""

from enum import IntEnum, StrEnum
from typing import Final, NamedTuple, Self

from smsgw.text.alphabets import DefaultAlphabet


class Msisdn(str):
    """A phone number: digits with country code, no `+` (`359888123456`).

    It prints masked (`35988****456`), so that no log line, traceback or f-string shows a
    customer's number by accident. Where the digits are meant to be seen, say `.digits`.
    """

    __slots__ = ()

    @property
    def digits(self) -> str:
        return str.__str__(self)

    def __str__(self) -> str:
        digits = str.__str__(self)
        return f"{digits[:5]}****{digits[-3:]}" if len(digits) > 8 else "****"

    def __repr__(self) -> str:
        return f"Msisdn({self})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


class MessageKind(IntEnum):
    """Why a message goes out. The value is its priority: the lowest goes first."""

    CODE = 0
    ANSWER = 1
    CONFIRMATION = 2
    MANUAL = 3
    NOTICE = 4
    ANNOUNCEMENT = 5


class Script(StrEnum):
    """The alphabet a customer writes in, and so is answered in."""

    LATIN = "latin"
    CYRILLIC = "cyrillic"


class Channel(StrEnum):
    """Where a registration came from."""

    SMS = "sms"
    WEB = "web"
    CENTRE = "centre"
    EASYPAY = "easypay"
    API = "api"
    IMPORT = "import"


# By their written forms, for whoever reads many.
SCRIPTS: Final = {script.value: script for script in Script}
CHANNELS: Final = {channel.value: channel for channel in Channel}


class Part(NamedTuple):
    """The place of one part in a long message: `number` of `total`, numbered from 1."""

    reference: int
    total: int
    number: int


class Mo(NamedTuple):
    """One message from a customer as it came in on a carrier's link."""

    carrier: str
    session: int  # id of the SMPP session it came on: unique, also over restarts
    received_at: float
    source: Msisdn
    destination: str
    esm_class: int
    data_coding: int
    octets: bytes
    text: str  # what the octets say; of a part, what this part says
    part: Part | None = None


class ReceiptState(StrEnum):
    """What a delivery receipt says, by the names of SMPP's message_state."""

    ENROUTE = "enroute"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    DELETED = "deleted"
    UNDELIVERABLE = "undeliverable"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    REJECTED = "rejected"

    @property
    def final(self) -> bool:
        return self not in (ReceiptState.ENROUTE, ReceiptState.ACCEPTED)


class Receipt(NamedTuple):
    """A carrier's word on a message it had accepted, known by the carrier's own id."""

    carrier: str
    received_at: float
    message_id: str
    state: ReceiptState
    error: str  # the carrier's own code, empty if it gave none
    source: Msisdn | None = None  # the handset


class MtState(StrEnum):
    """How far a segment of an outgoing message has come."""

    QUEUED = "queued"  # never sent, or certainly refused: may be sent at any time
    WAITING = "waiting"  # queued again, but not before its time
    CLAIMED = "claimed"  # about to be sent or sent, no response yet
    ACCEPTED = "accepted"  # the carrier has it and gave it an id
    UNKNOWN = "unknown"  # sent, and the response was lost
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"  # the carrier gave up: expired, deleted, undeliverable, rejected
    REFUSED = "refused"  # the carrier did not take it and will not
    EXPIRED = "expired"  # its time passed before a carrier took it
    CANCELLED = "cancelled"


# Which state may follow which. Everything else is an error; a final state is followed by nothing.
TRANSITIONS: Final[dict[MtState, frozenset[MtState]]] = {
    MtState.QUEUED: frozenset({MtState.CLAIMED, MtState.EXPIRED, MtState.CANCELLED}),
    MtState.WAITING: frozenset({MtState.QUEUED, MtState.EXPIRED, MtState.CANCELLED}),
    MtState.CLAIMED: frozenset(
        {
            MtState.QUEUED,  # certainly not sent, or an answer whose response was lost
            MtState.WAITING,  # refused for now
            MtState.ACCEPTED,
            MtState.UNKNOWN,
            MtState.REFUSED,
            MtState.EXPIRED,
            MtState.DELIVERED,  # response and receipt in one transaction
            MtState.UNDELIVERED,
        }
    ),
    MtState.ACCEPTED: frozenset({MtState.DELIVERED, MtState.UNDELIVERED}),
    MtState.UNKNOWN: frozenset(
        {MtState.QUEUED, MtState.DELIVERED, MtState.UNDELIVERED, MtState.CANCELLED}
    ),
    MtState.DELIVERED: frozenset(),
    MtState.UNDELIVERED: frozenset(),
    MtState.REFUSED: frozenset(),
    MtState.EXPIRED: frozenset(),
    MtState.CANCELLED: frozenset(),
}

FINAL: Final = frozenset(state for state, after in TRANSITIONS.items() if not after)


class Encoding(NamedTuple):
    """How a carrier's links write text, for cutting a message into its segments."""

    default_alphabet: DefaultAlphabet = "gsm7"  # what data_coding 0 means there


class Mt(NamedTuple):
    """One message to a phone, not yet cut into segments."""

    carrier: str
    kind: MessageKind
    destination: Msisdn
    text: str
    created_at: float  # of an answer: when its MO came in
    mo: int | None = None  # id of the MO that it answers


class SegmentKey(NamedTuple):
    """Names one segment: the message's id and the part's number, from 1."""

    mt: int
    part: int


class Segment(NamedTuple):
    """One submit_sm to be: everything a carrier needs that is not in its settings."""

    key: SegmentKey
    carrier: str
    kind: MessageKind
    destination: Msisdn
    octets: bytes  # the short_message, user data header included
    data_coding: int
    udhi: bool
    attempts: int  # submits before this one, whatever became of them
    created_at: float  # of the message
    lost: int = 0  # of the attempts, how many had no response


class Acceptance(IntEnum):
    """What a carrier's answer to a submit means for the segment, whatever its protocol."""

    ACCEPTED = 0  # it has it
    NOT_SENT = 1  # no octet of it left this machine
    TEMPORARY = 2  # refused for now: try later
    FEW_TRIES = 3  # refused; trying again may help, but not often
    THROTTLED = 4  # refused for the link's pace, not for itself
    LINK = 5  # refused because the link is not fit to send: only a new bind helps
    PERMANENT = 6  # refused for good
    LOST = 7  # sent, and no response came
    QUEUE_FULL = 8  # refused for now: too much waits already, for the recipient or for everybody


class Outcome(NamedTuple):
    """What became of one submit."""

    segment: Segment
    acceptance: Acceptance
    at: float
    message_id: str = ""  # the carrier's id, where it accepted and gave one
    error: str = ""  # the carrier's own word on a refusal: "0x00000045 ESME_RSUBMITFAIL"


class Ack(IntEnum):
    """What a carrier is told about an MO or a receipt it sent."""

    DONE = 0  # its effect is on disk
    RETRY = 1  # not stored: send it again
    REFUSE = 2  # it will never be taken


class Verdict(NamedTuple):
    """An answer for one incoming PDU, named by the token its connection gave it."""

    token: int
    ack: Ack

    @classmethod
    def done(cls, token: int) -> Self:
        return cls(token, Ack.DONE)

"""Messages and what becomes of them: the values that every other room passes around."""

import math
from enum import IntEnum, StrEnum
from typing import Final, Literal, NamedTuple, Self

from smsgw.text.alphabets import DefaultAlphabet
from smsgw.text.segmentation import count_parts
from smsgw.text.userdata import Part


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


# What nobody waits for, and comes in thousands: it goes out inside the calendar's hours, and leaves
# room for all that is more urgent. The last kinds: `kind >= NOTICE` says the same in SQL.
BULK: Final = frozenset({MessageKind.NOTICE, MessageKind.ANNOUNCEMENT})


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
    read_as: str = ""  # what the octets were taken for where data_coding can't be true: "utf-8"


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
    done_date: str = ""  # when it came to that, as sent: of the carrier's clock, without zone
    not_ours: bool = False  # the error says that the number is not the carrier's own


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
    UNCONFIRMED = "unconfirmed"  # accepted or lost, and nothing more will be learned


# Which state may follow which. Everything else is an error; a final state is followed by nothing.
TRANSITIONS: Final[dict[MtState, frozenset[MtState]]] = {
    MtState.QUEUED: frozenset(
        {
            MtState.CLAIMED,
            MtState.EXPIRED,
            MtState.CANCELLED,
            MtState.WAITING,  # nobody waits for it, and the hours for such are over
            # Where a submit before lost its response: that came after all, or a receipt did, before
            # it was sent once more; or its time passed, and whether it was delivered is not known.
            MtState.ACCEPTED,
            MtState.REFUSED,
            MtState.DELIVERED,
            MtState.UNDELIVERED,
            MtState.UNCONFIRMED,
        }
    ),
    MtState.WAITING: frozenset(
        {
            MtState.QUEUED,
            MtState.EXPIRED,
            MtState.CANCELLED,
            MtState.ACCEPTED,  # by a late response to the submit before the one that was refused
            MtState.DELIVERED,
            MtState.UNDELIVERED,
            MtState.UNCONFIRMED,
        }
    ),
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
            MtState.UNCONFIRMED,  # accepted, where no receipts are asked for; or too late to retry
        }
    ),
    MtState.ACCEPTED: frozenset({MtState.DELIVERED, MtState.UNDELIVERED, MtState.UNCONFIRMED}),
    MtState.UNKNOWN: frozenset(
        {
            MtState.QUEUED,
            MtState.WAITING,  # the response came after all, and refused it for now
            MtState.EXPIRED,  # the same, when its time had passed
            MtState.ACCEPTED,
            MtState.REFUSED,
            MtState.DELIVERED,
            MtState.UNDELIVERED,
            MtState.CANCELLED,
            MtState.UNCONFIRMED,
        }
    ),
    MtState.DELIVERED: frozenset(),
    MtState.UNDELIVERED: frozenset(),
    MtState.REFUSED: frozenset(),
    MtState.EXPIRED: frozenset(),
    MtState.CANCELLED: frozenset(),
    MtState.UNCONFIRMED: frozenset(),
}

FINAL: Final = frozenset(state for state, after in TRANSITIONS.items() if not after)


LongMessages = Literal["udh", "udh16", "sar", "payload"]
"""How a text that one short message can't hold goes out: in parts with a user data header and a
reference of 8 or 16 bits, in parts with SAR TLVs, or as one message_payload."""

# A sar_msg_ref_num has 16 bits, which the SMSC may put in a header of that width. What it cuts by
# itself most likely has headers of 8.
REF_BITS: Final[dict[LongMessages, int]] = {"udh": 8, "udh16": 16, "sar": 16, "payload": 8}


class Encoding(NamedTuple):
    """How a carrier's links write text, for cutting a message into its segments."""

    default_alphabet: DefaultAlphabet = "gsm7"  # what data_coding 0 means there
    long_messages: LongMessages = "udh"
    receipts: bool = True  # whether the carrier is asked for them

    @property
    def ref_bits(self) -> int:
        """The width of the reference that parts leave room for."""
        return REF_BITS[self.long_messages]

    def count_parts(self, text: str) -> int:
        """How many parts the carrier delivers `text` in, and counts."""
        return count_parts(text, self.ref_bits, self.default_alphabet)


class Layout(StrEnum):
    """Where a segment's text and its place among the others stand in its submit_sm."""

    PLAIN = "plain"  # short_message, and there are no others
    UDH = "udh"  # short_message, after a user data header
    SAR = "sar"  # short_message, with SAR TLVs
    PAYLOAD = "payload"  # all of the text in message_payload


class Mt(NamedTuple):
    """One message to a phone, not yet cut into segments."""

    carrier: str
    kind: MessageKind
    destination: Msisdn
    text: str
    created_at: float  # of an answer: when its MO came in
    mo: int | None = None  # id of the MO that it answers
    valid_until: float | None = None  # past it, not worth sending; None: as its kind has it
    not_before: float | None = None  # not to be sent earlier
    found_from: int | None = None  # id of the message that this one repeats over another carrier


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
    octets: bytes  # the short_message or payload, user data header included
    data_coding: int
    layout: Layout
    attempts: int  # submits before this one, whatever became of them
    created_at: float  # of the message
    lost: int = 0  # of the attempts, how many had no response
    reference: int = 0  # of a long message
    total: int = 1  # how many segments the message has
    valid_until: float = math.inf  # past it, not worth delivering
    bare: bool = False  # the carrier refused the vendor TLVs: it goes without them


class Inquiry(NamedTuple):
    """A question to the carrier: what became of a segment that it accepted?"""

    key: SegmentKey
    carrier: str
    kind: MessageKind
    destination: Msisdn
    message_id: str  # as receipts are matched by it
    response_id: str  # as the carrier wrote it


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
    TLVS = 9  # refused for a TLV: it may be taken without those of the vendor


class Outcome(NamedTuple):
    """What became of one submit."""

    segment: Segment
    acceptance: Acceptance
    at: float
    message_id: str = ""  # the carrier's id, where it accepted and gave one
    error: str = ""  # the carrier's own word on a refusal: "0x00000045 ESME_RSUBMITFAIL"
    response_id: str = ""  # the id as the response wrote it
    late: bool = False  # it was given up as LOST before: the response came after all
    not_ours: bool = False  # refused, for the number is not the carrier's own


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

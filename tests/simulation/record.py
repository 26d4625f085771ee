"""What an SMSC writes down of each message, and whom it tells of what it sees."""

import math
from dataclasses import dataclass, field
from typing import Protocol

from plan import Fault, MoPart

from smsgw.smpp.codec import Pdu
from smsgw.smpp.names import MessageState, Tlv
from smsgw.smpp.session import Fields, Tlvs

Signature = tuple[str, str, int, bytes, tuple[int, int, int] | None]


def signature(carrier: str, pdu: Pdu) -> Signature:
    """What tells a segment from all others."""
    payload = pdu.tlv(Tlv.MESSAGE_PAYLOAD)
    octets = pdu.octets("short_message") if payload is None else payload
    sar = [
        pdu.tlv(tag)
        for tag in (Tlv.SAR_MSG_REF_NUM, Tlv.SAR_TOTAL_SEGMENTS, Tlv.SAR_SEGMENT_SEQNUM)
    ]
    place = [int.from_bytes(value) for value in sar if value is not None]
    return (
        carrier,
        pdu.text("destination_addr"),
        pdu.number("data_coding"),
        octets,
        (place[0], place[1], place[2]) if len(place) == 3 else None,
    )


class Watch(Protocol):
    """Who writes down what an SMSC sees."""

    def log(self, who: str, what: str) -> None: ...

    def fault(self, fault: Fault) -> None: ...

    def violation(self, what: str) -> None: ...

    def process(self) -> int | None:
        """The number of the daemon that lives; None: none does."""

    def fill_storage(self, seconds: float) -> None:
        """Let the disk be full just now, as outcomes come in."""

    def acknowledged(self, part: MoPart, acknowledged_at: float) -> None:
        """An MO was answered with ROK, which left the daemon at that moment."""


@dataclass(slots=True, eq=False)
class Taken:
    """A submit_sm that came, and what the gateway was told of it."""

    number: int
    signature: Signature
    sent_at: float  # left the daemon
    by: int | None  # the daemon that sent it
    status: int
    message_id: str  # as the gateway shall know it
    heard_at: float = math.inf  # the response reached a daemon,
    heard_by: int | None = None  # this one,
    session: int = 0
    state: MessageState | None = None  # what became of it at last; of one that was taken
    told: list[MessageState] = field(default_factory=list)  # states of receipts that were sent
    known: list[MessageState] = field(default_factory=list)  # and of those that were acknowledged


@dataclass(slots=True, eq=False)
class Delivery:
    """A deliver_sm to be sent until it is acknowledged."""

    name: str
    fields: Fields
    tlvs: Tlvs
    part: MoPart | None = None
    taken: Taken | None = None  # with `says`: a receipt
    says: MessageState | None = None
    sent: int = 0
    acknowledged: bool = False

"""Reads delivery receipts: the TLVs of SMPP 3.4, and the text that most SMSCs send instead.

The text is only an example in the specification (appendix B), and each vendor writes its own:
`id:7 sub:001 dlvrd:001 submit date:2401011200 done date:2401011201 stat:DELIVRD err:000 text:…`
"""

import re
from typing import Final, NamedTuple

from smsgw.smpp.names import MessageState, Tlv
from smsgw.smpp.pdu import Pdu


class DeliveryReceipt(NamedTuple):
    """What a receipt says. `message_id` and `error` are the SMSC's own words, empty if missing.

    `state` is `delivered`, `undeliverable`, … after SMPP's message_state, or None where the
    receipt says nothing that is known. `done_date` is as sent: of the SMSC's clock, without zone.
    """

    message_id: str
    state: str | None
    error: str
    done_date: str


# message_state (5.2.28), and those of 5.0 by what they mean for the message.
STATES: Final[dict[int, str]] = {
    MessageState.SCHEDULED: "enroute",
    MessageState.ENROUTE: "enroute",
    MessageState.DELIVERED: "delivered",
    MessageState.EXPIRED: "expired",
    MessageState.DELETED: "deleted",
    MessageState.UNDELIVERABLE: "undeliverable",
    MessageState.ACCEPTED: "accepted",
    MessageState.UNKNOWN: "unknown",
    MessageState.REJECTED: "rejected",
    MessageState.SKIPPED: "undeliverable",
}

# The words after `stat:`: those of appendix B, the same unabridged, and what vendors say instead.
WORDS: Final = {
    "ENROUTE": "enroute",
    "DELIVRD": "delivered",
    "EXPIRED": "expired",
    "DELETED": "deleted",
    "UNDELIV": "undeliverable",
    "ACCEPTD": "accepted",
    "UNKNOWN": "unknown",
    "REJECTD": "rejected",
    "DELIVERED": "delivered",
    "UNDELIVERABLE": "undeliverable",
    "UNDELIVERED": "undeliverable",
    "ACCEPTED": "accepted",
    "REJECTED": "rejected",
    "FAILED": "undeliverable",
    "SCHEDULED": "enroute",
    "BUFFERED": "enroute",
    "SKIPPED": "undeliverable",
    "PENDING": "enroute",
    "QUEUED": "enroute",
    "CANCELED": "deleted",
    "CANCELLED": "deleted",
    "REJECT": "rejected",
    "UNDELIVRD": "undeliverable",
    "UNDELIVERD": "undeliverable",
}


LONGEST: Final = 64  # characters: section 5.2.23 lets a message_id have so many

# The keys, and those that are read by name. What stands before one doesn't matter, if it is no part
# of a word: some vendors part the fields by commas or line ends.
_KEY: Final = re.compile(
    r"(?<![a-z0-9])"
    r"(?:(?P<id>id)|(?P<done>done[\s_-]*date)|(?P<stat>stat(?:us)?)|(?P<err>err(?:or)?)"
    r"|(?P<text>text)|sub|dlvrd|submit[\s_-]*date)\s*:",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\s,;|]+")


def is_receipt(esm_class: int) -> bool:
    """Whether a deliver_sm or data_sm is an SMSC delivery receipt (5.2.12), UDHI or not."""
    return esm_class & 0x3C == 0x04


def parse(pdu: Pdu) -> DeliveryReceipt:
    """What the receipt in a deliver_sm or data_sm says; of two tellings the TLVs' wins.

    Never raises. The error is the text's `err`, else the code of network_error_code.
    """
    octets = pdu.octets("short_message") or pdu.tlv(Tlv.MESSAGE_PAYLOAD) or b""
    fields: dict[str, str] = {}
    if octets and pdu.number("esm_class") & 0x40:
        fields = _fields(octets[1 + octets[0] :])  # after a user data header and its length
    if not fields.get("id"):  # some set the bit and send no header, or one that lies
        fields = _fields(octets)
    message_id, state, error = fields.get("id", ""), None, fields.get("err", "")
    for tag, value in pdu.tlvs:
        if tag == Tlv.RECEIPTED_MESSAGE_ID:
            # Some leave out the NUL.
            message_id = value.partition(b"\0")[0].decode("latin-1") or message_id
        elif tag == Tlv.MESSAGE_STATE:
            state = STATES.get(int.from_bytes(value))
        elif tag == Tlv.NETWORK_ERROR_CODE and not error and len(value) == 3:
            error = str(int.from_bytes(value[1:]))  # after the octet of the network's type
    if state is None:
        state = WORDS.get(fields.get("stat", "").upper())
    return DeliveryReceipt(message_id, state, error, fields.get("done", ""))


def _fields(octets: bytes) -> dict[str, str]:
    """The fields before `text:`, which is the customer's; of a key that comes twice the first.

    A value may stand off its colon, or be missing; one that can't be a word of an SMSC's counts as
    missing. The text is ASCII in any alphabet that comes; in UCS-2 that is so once its NULs are
    gone.
    """
    text = octets.replace(b"\0", b"").decode("latin-1")
    keys = list(_KEY.finditer(text))
    fields: dict[str, str] = {}
    for key, end in zip(keys, [*(key.start() for key in keys[1:]), len(text)], strict=False):
        if key.lastgroup == "text":
            break
        if key.lastgroup:
            word = _WORD.search(text, key.end(), end)
            fields.setdefault(key.lastgroup, word[0] if word and _sound(word[0]) else "")
    return fields


def _sound(word: str) -> bool:
    return len(word) <= LONGEST and word.isascii() and word.isprintable()

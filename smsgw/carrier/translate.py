"""The only translator between SMPP and the service: no other module knows both.

What carriers send is read with tolerance and never raises. What goes to them is put together
from a form that is made once for each kind of message.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import Final, NamedTuple

from smsgw.carrier import questions
from smsgw.carrier.addresses import alphanumeric, msisdn
from smsgw.carrier.questions import Fields, Reply
from smsgw.service.message import (
    Acceptance,
    Ack,
    Inquiry,
    Layout,
    MessageKind,
    Mo,
    Outcome,
    Receipt,
    ReceiptState,
    Segment,
)
from smsgw.settings.carrier import CarrierSettings
from smsgw.smpp import receipts, times
from smsgw.smpp.codec import EncodeError, Pdu
from smsgw.smpp.status import Reaction, submit_reaction
from smsgw.smpp.tables import Command, Tlv, status_name
from smsgw.text import userdata
from smsgw.text.alphabets import read_mo
from smsgw.text.userdata import UDHI, Joining, Part

# esm_class, SMPP 3.4 section 5.2.12: bits 5-2 say what kind of message it is.
KIND_BITS: Final = 0x3C
RECEIPT: Final = 0x04
INTERMEDIATE: Final = 0x20

Tlvs = tuple[tuple[int, bytes], ...]


class Reason(StrEnum):
    """Why something that came in is not for the service."""

    DESTINATION = "destination"  # not to our shortcode
    ALPHANUMERIC = "alphanumeric"  # from a name
    FOREIGN = "foreign"  # from no number of this country
    BINARY = "binary"  # no text
    ACKNOWLEDGEMENT = "acknowledgement"  # of a handset or its user, or the end of a conversation
    RECEIPT = "receipt"  # that names no message, or says nothing of it
    RESERVED = "reserved"  # of a kind that SMPP doesn't define


class NotOurs(NamedTuple):
    """An incoming PDU that is answered at once, counted, and goes no further."""

    reason: Reason
    ack: Ack


_SME_MESSAGES: Final = {0x08, 0x10, 0x18}
_NOT_FINAL: Final = {state for state in ReceiptState if not state.final}

_SOURCE: Final = ("source_addr_ton", "source_addr_npi", "source_addr")
_ACCEPTANCE: Final = {reaction: Acceptance[reaction.name] for reaction in Reaction}

# -- message ids -----------------------------------------------------------------------------

_DECIMAL: Final = re.compile(r"[0-9]{1,64}")
_HEX: Final = re.compile(r"[0-9A-Fa-f]{1,64}")


def _as_is(message_id: str) -> str:
    return message_id


def _decimal(message_id: str) -> str:
    return str(int(message_id)) if _DECIMAL.fullmatch(message_id) else message_id


def _hex(message_id: str) -> str:
    return str(int(message_id, 16)) if _HEX.fullmatch(message_id) else message_id


class IdForms(NamedTuple):
    """What makes the ids of responses and of receipts the same strings."""

    response: Callable[[str], str]
    receipt: Callable[[str], str]


ID_FORMS: Final = {
    "as_is": IdForms(_as_is, _as_is),
    "hex_in_response": IdForms(_hex, _decimal),
    "hex_in_receipt": IdForms(_decimal, _hex),
}

# -- validity periods ------------------------------------------------------------------------

# Seconds: what is worth sending at all is worth as much; an SMSC may refuse less, or never try.
LEAST_VALIDITY: Final = 60.0


def _relative(until: float, at: float, zone: tzinfo) -> str:
    return times.relative(until - at)


def _absolute(until: float, at: float, zone: tzinfo) -> str:
    return times.absolute(until, zone)


def _none(until: float, at: float, zone: tzinfo) -> str:
    """SMPP 3.4 section 5.2.16: the SMSC's own."""
    return ""


VALIDITY_FORMS: Final = {"relative": _relative, "absolute": _absolute, "none": _none}

# -- the translator --------------------------------------------------------------------------


class Form(NamedTuple):
    """What is particular in a submit_sm or deliver_sm: of one kind, or of one segment."""

    fields: Fields
    tlvs: Tlvs


class Translator:
    """One carrier's ways, the shortcode, and the zone in which it is given moments."""

    def __init__(self, settings: CarrierSettings, shortcode: str, zone: tzinfo = UTC) -> None:
        self._carrier = settings.id
        self._shortcode = shortcode
        self._alphabet = settings.default_alphabet
        self._ids = ID_FORMS[settings.message_id]
        self._receipts = settings.receipts
        self._validity = VALIDITY_FORMS[settings.validity]
        self._zone = zone
        self._statuses = settings.statuses
        self._foreign_statuses = frozenset(settings.not_ours.statuses)
        self._foreign_errors = frozenset(map(_plain, settings.not_ours.errors))
        self._forms = {kind: _form(settings, shortcode, kind) for kind in MessageKind}

    # What comes in.

    def incoming(self, pdu: Pdu, session: int, at: float) -> Mo | Receipt | NotOurs:
        """What a deliver_sm, submit_sm or data_sm is that came at `at` on `session`."""
        esm_class = pdu.number("esm_class")
        kind = esm_class & KIND_BITS
        if kind == 0:
            return self._mo(pdu, esm_class, session, at)
        if kind in (RECEIPT, RECEIPT | INTERMEDIATE):  # of the latter its state says which it is
            return self._receipt(pdu, at, intermediate=False)
        if kind == INTERMEDIATE:
            return self._receipt(pdu, at, intermediate=True)
        if kind in _SME_MESSAGES:
            return NotOurs(Reason.ACKNOWLEDGEMENT, Ack.DONE)
        return NotOurs(Reason.RESERVED, Ack.DONE)

    def _mo(self, pdu: Pdu, esm_class: int, session: int, at: float) -> Mo | NotOurs:
        destination = pdu.text("destination_addr")
        if destination != self._shortcode:
            return NotOurs(Reason.DESTINATION, Ack.REFUSE)
        address, ton = pdu.text("source_addr"), pdu.number("source_addr_ton")
        source = msisdn(address, ton)
        if source is None:
            reason = Reason.ALPHANUMERIC if alphanumeric(address, ton) else Reason.FOREIGN
            return NotOurs(reason, Ack.DONE)
        octets, part, body = content(pdu)
        data_coding = pdu.number("data_coding")
        text, read_as = read_mo(body, data_coding, self._alphabet)
        if text is None:
            return NotOurs(Reason.BINARY, Ack.DONE)
        return Mo(
            self._carrier,
            session,
            at,
            source,
            destination,
            esm_class,
            data_coding,
            octets,
            text,
            part,
            read_as,
        )

    def _receipt(self, pdu: Pdu, at: float, *, intermediate: bool) -> Receipt | NotOurs:
        read = receipts.parse(pdu)
        state = receipt_state(read, intermediate=intermediate)
        if not read.message_id or state is None:
            return NotOurs(Reason.RECEIPT, Ack.DONE)
        return Receipt(
            self._carrier,
            at,
            self._ids.receipt(read.message_id),
            state,
            read.error,
            msisdn(pdu.text("source_addr"), pdu.number("source_addr_ton")),
            read.done_date,
            self._not_ours(read.error),
        )

    def _not_ours(self, error: str) -> bool:
        return _plain(error) in self._foreign_errors

    # What goes out, and what becomes of it.

    def submit(self, segment: Segment, at: float, takes_tlvs: bool) -> Form:
        """The fields and TLVs of the submit_sm for a segment that goes at `at`.

        Raises EncodeError where the segment takes TLVs that the peer does not.
        """
        form = self._form(segment, takes_tlvs)
        if segment.valid_until == math.inf:
            return form
        until = max(segment.valid_until, at + LEAST_VALIDITY)
        validity = self._validity(until, at, self._zone)
        return Form({**form.fields, "validity_period": validity}, form.tlvs)

    def _form(self, segment: Segment, takes_tlvs: bool) -> Form:
        kind = self._forms[segment.kind]
        fields = {
            **kind.fields,
            "destination_addr": segment.destination.digits,
            "esm_class": UDHI if segment.layout is Layout.UDH else 0,
            "data_coding": segment.data_coding,
        }
        tlvs = () if segment.bare else kind.tlvs
        if segment.layout is Layout.PAYLOAD:
            own: Tlvs = ((Tlv.MESSAGE_PAYLOAD, segment.octets),)
        else:
            fields["short_message"] = segment.octets
            own = _sar_tlvs(segment) if segment.layout is Layout.SAR else ()
        if own and not takes_tlvs:
            # Without them it would be a part of nothing, or empty.
            raise EncodeError("long message", "needs TLVs, which the peer's version has not")
        return Form(fields, (*tlvs, *own) if own else tlvs)

    def outcome(self, segment: Segment, response: Pdu, at: float) -> Outcome:
        """What a submit_sm_resp or generic_nack means for its segment."""
        status = response.status
        if status == 0 and response.command == Command.SUBMIT_SM_RESP:
            given = response.text("message_id")
            return Outcome(
                segment, Acceptance.ACCEPTED, at, self._ids.response(given), response_id=given
            )
        return self._refused(segment, status, at)

    def deliver(self, segment: Segment, takes_tlvs: bool) -> Form:
        """The fields and TLVs of the deliver_sm for a segment, to a carrier that binds to us.

        Its response gives no id, so a receipt can only name one of ours: it goes along. How long
        the message is valid a deliver_sm can't say (SMPP 3.4 section 4.6.1). Raises EncodeError as
        `submit` does.
        """
        form = self._form(segment, takes_tlvs)
        if not self._receipts:
            return form
        named = (int(Tlv.RECEIPTED_MESSAGE_ID), delivery_id(segment).encode("ascii") + b"\0")
        return Form(form.fields, (*form.tlvs, named))

    def delivered(self, segment: Segment, response: Pdu, at: float) -> Outcome:
        """What a deliver_sm_resp or generic_nack means for its segment."""
        status = response.status
        if status == 0 and response.command == Command.DELIVER_SM_RESP:
            return Outcome(segment, Acceptance.ACCEPTED, at, delivery_id(segment))
        return self._refused(segment, status, at)

    def named(self, segment: Segment) -> str:
        """The id that a receipt for this deliver_sm names, also when its response is lost."""
        return delivery_id(segment) if self._receipts else ""

    def _refused(self, segment: Segment, status: int, at: float) -> Outcome:
        reaction = self._reaction(status)
        if reaction is Reaction.TLVS and (segment.bare or not self._forms[segment.kind].tlvs):
            reaction = Reaction.PERMANENT  # there is nothing to leave out
        return Outcome(
            segment,
            _ACCEPTANCE[reaction],
            at,
            error=refusal(status),
            not_ours=status in self._foreign_statuses,
        )

    def _reaction(self, status: int) -> Reaction:
        # A generic_nack of status 0 accepts nothing and refuses nothing.
        if not status:
            return Reaction.FEW_TRIES
        return self._statuses.get(status) or submit_reaction(status)

    # What became of it, where that is asked.

    def query(self, inquiry: Inquiry) -> Fields:
        """The fields of the query_sm for a segment, from the address that it was sent from."""
        form = self._forms[inquiry.kind].fields
        return questions.query(inquiry, {name: form[name] for name in _SOURCE})

    def reply(self, inquiry: Inquiry, response: Pdu, at: float) -> Reply:
        """What the response to a query_sm says."""
        reply = questions.read(inquiry, response, self._reaction(response.status), at)
        if (receipt := reply.receipt) is None:
            return reply
        return reply._replace(receipt=receipt._replace(not_ours=self._not_ours(receipt.error)))


def _plain(error: str) -> str:
    """A receipt's error such that it is the same string however many digits it is written with."""
    return str(int(error)) if error.isdecimal() else error.upper()


class Content(NamedTuple):
    """The octets of a message, the place that they or TLVs give it, and those after a header."""

    octets: bytes
    part: Part | None
    body: bytes


def content(pdu: Pdu) -> Content:
    """What a message carries, in short_message or message_payload."""
    octets = pdu.octets("short_message")
    if not octets:
        octets = pdu.tlv(Tlv.MESSAGE_PAYLOAD) or b""
    headed = pdu.number("esm_class") & UDHI
    part, body = userdata.split(octets) if headed else (None, octets)
    if part is None and pdu.tlvs:
        part = _sar(pdu)
    return Content(octets, part, body)


def receipt_state(read: receipts.DeliveryReceipt, *, intermediate: bool) -> ReceiptState | None:
    """What a receipt says of its message; None if nothing that is known."""
    if read.state is None:
        return None
    state = ReceiptState(read.state)
    if intermediate and state not in _NOT_FINAL:
        return ReceiptState.ENROUTE  # SMPP 3.4 section 5.2.12: the SMSC still tries
    return state


def delivery_id(segment: Segment) -> str:
    """Our own id of one attempt; it looks like no number, so that no form of ids changes it."""
    return f"{segment.key.mt}-{segment.key.part}-{segment.attempts}"


def refusal(status: int) -> str:
    """A command_status for people: its number, and its name where it has one."""
    number, name = f"0x{status:08x}", status_name(status)
    return number if name == number else f"{number} {name}"


def _form(settings: CarrierSettings, shortcode: str, kind: MessageKind) -> Form:
    marking = settings.marking(kind)
    source = marking.source
    fields: Fields = {
        "service_type": marking.service_type,
        "source_addr_ton": source.ton,
        "source_addr_npi": source.npi,
        "source_addr": shortcode if source.address is None else source.address,
        "dest_addr_ton": settings.destination.ton,
        "dest_addr_npi": settings.destination.npi,
        "registered_delivery": 1 if settings.receipts else 0,
    }
    return Form(fields, tuple(marking.tlvs.items()))


def _sar_tlvs(segment: Segment) -> Tlvs:
    """The place in a long message, SMPP 3.4 sections 5.3.2.22 to 24."""
    return (
        (Tlv.SAR_MSG_REF_NUM, segment.reference.to_bytes(2)),
        (Tlv.SAR_TOTAL_SEGMENTS, bytes((segment.total,))),
        (Tlv.SAR_SEGMENT_SEQNUM, bytes((segment.key.part,))),
    )


def _sar(pdu: Pdu) -> Part | None:
    """The place in a long message, as `_sar_tlvs` writes it."""
    reference = pdu.tlv(Tlv.SAR_MSG_REF_NUM)
    total = pdu.tlv(Tlv.SAR_TOTAL_SEGMENTS)
    number = pdu.tlv(Tlv.SAR_SEGMENT_SEQNUM)
    if reference is None or total is None or number is None:
        return None
    return userdata.part(
        int.from_bytes(reference), int.from_bytes(total), int.from_bytes(number), Joining.SAR
    )

"""What a PDU says and, of one that can't be read, what is wrong and what a session answers.

For people and scripts: plain values under the names of SMPP, ready for JSON.
"""

from collections.abc import Sequence
from typing import Any, Final

from smsgw.smpp.answers import refusal
from smsgw.smpp.codec import (
    HEADER,
    DistributionList,
    FieldValue,
    Pdu,
    PduError,
    SmeAddress,
    Unsuccessful,
    decode,
    encode,
)
from smsgw.smpp.framing import Framer, FramingError
from smsgw.smpp.tables import Command, Status, command_name, tlv_name
from smsgw.smpp.timers import Limits

PDU_LIMIT: Final = Limits().pdu_limit

Description = dict[str, Any]

# esm_class, SMPP 3.4 section 5.2.12: bits 5-2 say what sort of message it is.
_SORT: Final = 0x3C
_SORTS: Final = {
    0x04: "receipt",
    0x08: "delivery_acknowledgement",
    0x10: "user_acknowledgement",
    0x18: "conversation_abort",
    0x20: "intermediate_notification",
    0x24: "receipt",  # or a notification: its state says which it is
}
# A message of the default sort, by the command that carries it. A data_sm may go either way; the
# one that a gateway is asked about came from the carrier.
_MESSAGES: Final = {
    Command.DELIVER_SM: "mo",
    Command.DATA_SM: "mo",
    Command.SUBMIT_SM: "mt",
    Command.SUBMIT_MULTI: "mt",
}


def describe(octets: bytes) -> Description:
    """What `octets`, meant to be one PDU, say. Never raises.

    Keys: `command`, `command_status`, `sequence_number`, each mandatory field (octet strings in
    hex), `tlvs` and `kind`, as far as they could be read. Where that is not all, `error` says why,
    and `answer` is what a session sends back: None if that is nothing.
    """
    try:
        pdu = decode(octets)
    except PduError as error:
        return {**_read_of(error, octets), "error": error.reason, "answer": _answer(octets)}
    if len(octets) > PDU_LIMIT:
        reason = f"command_length is {len(octets)}, above the limit of {PDU_LIMIT}"
        return {**_header(pdu), "error": reason, "answer": _answer(octets)}
    return _whole(pdu)


def kind(pdu: Pdu) -> str | None:
    """What sort of message a PDU carries; None if it carries none."""
    default = _MESSAGES.get(Command(pdu.command))
    sort = pdu.number("esm_class") & _SORT
    if default is None or sort == 0:
        return default
    return _SORTS.get(sort, "reserved")


def _header(pdu: Pdu) -> Description:
    return {
        "command": command_name(pdu.command),
        "command_status": pdu.status,
        "sequence_number": pdu.sequence,
    }


def _whole(pdu: Pdu) -> Description:
    fields = {name: _plain(value) for name, value in pdu.fields.items()}
    return {**_header(pdu), **fields, "tlvs": _tlvs(pdu.tlvs), "kind": kind(pdu)}


def _read_of(error: PduError, octets: bytes) -> Description:
    """What could be read in spite of the error: the mandatory part, the header, or nothing."""
    if error.read is not None:
        return _whole(error.read)
    if len(octets) < HEADER:
        return {}
    return _header(Pdu(error.command, int.from_bytes(octets[8:12]), error.sequence))


def _plain(value: FieldValue) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [_destination(one) for one in value]
    return value


def _destination(one: SmeAddress | DistributionList | Unsuccessful) -> Description:
    if isinstance(one, DistributionList):
        return {"dl_name": one.name}
    address = {
        "dest_addr_ton": one.ton,
        "dest_addr_npi": one.npi,
        "destination_addr": one.address,
    }
    if isinstance(one, Unsuccessful):
        return {**address, "error_status_code": one.status}
    return address


def _tlvs(tlvs: Sequence[tuple[int, bytes]]) -> list[Description]:
    return [
        {"tag": f"0x{tag:04x}", "name": tlv_name(tag), "value": value.hex()} for tag, value in tlvs
    ]


def _answer(octets: bytes) -> Description | None:
    """What a session sends back to the first PDU that it makes of the octets.

    Of octets that break off it makes none: it waits for the rest.
    """
    answer = None
    for frame in Framer(PDU_LIMIT).feed(octets)[:1]:
        if isinstance(frame, FramingError):
            answer = Pdu(Command.GENERIC_NACK, Status.RINVCMDLEN, frame.sequence)
        else:
            answer = _answer_to(frame)
    return {**_header(answer), "hex": encode(answer).hex()} if answer else None


def _answer_to(frame: bytes) -> Pdu | None:
    try:
        decode(frame)
    except PduError as error:
        return refusal(error.command, error.status, error.sequence)
    return None

"""The strict SMPP codec: octets to Pdu and back.

What is well formed goes through the functions compiled from the tables. What is wrong with the
rest, and what can still be read of a response, is found out here by walking the same tables.
"""

import struct
from typing import Final, NamedTuple

from smsgw.smpp.compiler import HEADER, READERS, WRITERS, Reader, UnreadableError, Writer
from smsgw.smpp.pdu import (
    DistributionList,
    EncodeError,
    Fields,
    FieldValue,
    Pdu,
    PduError,
    SmeAddress,
    Tlvs,
    Unsuccessful,
)
from smsgw.smpp.tables import (
    COMMANDS,
    RESPONSE,
    CommandTable,
    Kind,
    Status,
    Tlv,
    command_name,
    tlv_name,
)

__all__ = [
    "HEADER",
    "DistributionList",
    "EncodeError",
    "FieldValue",
    "Fields",
    "Pdu",
    "PduError",
    "SmeAddress",
    "Tlvs",
    "Unsuccessful",
    "decode",
    "encode",
]

_HEADER = struct.Struct(">IIII")
_TLV_HEADER = struct.Struct(">HH")


class _Coder(NamedTuple):
    table: CommandTable
    read: Reader
    write: Writer


_CODERS: Final = {
    command: _Coder(table, READERS[command], WRITERS[command])
    for command, table in COMMANDS.items()
}


def decode(octets: bytes) -> Pdu:
    """The PDU that `octets` are, whole and by itself; PduError if they are none.

    A request is read strictly. A response is read as far as it goes, and fields it does not reach
    are absent, since what it answers has happened: with a non-zero status it may have a body,
    none or a single NUL, and a message_id may be missing, unterminated or too long. What follows
    the header of a PDU that has no body is ignored.
    """
    size = len(octets)
    if size < HEADER:
        raise PduError(Status.RINVCMDLEN, 0, 0, "shorter than a header")
    length, command, status, sequence = _HEADER.unpack_from(octets)
    if length != size:
        reason = f"command_length is {length}, but there are {size} octets"
        raise PduError(Status.RINVCMDLEN, command, sequence, reason)
    coder = _CODERS.get(command)
    if coder is None:
        raise PduError(Status.RINVCMDID, command, sequence, "unknown command_id")
    try:
        fields, at = coder.read(octets)
    except (UnreadableError, IndexError) as fault:
        if command < RESPONSE:
            answer, name = fault.args if isinstance(fault, UnreadableError) else _BROKEN_OFF
            reason = f"{name} is too long or breaks off"
            raise PduError(answer, command, sequence, reason) from None
        fields, at = _read_leniently(coder.table, octets)
    pdu = Pdu(command, status, sequence, fields, [])
    if at < size and coder.table.fields:
        _read_tlvs(pdu, octets, at, coder.table)
    return pdu


_BROKEN_OFF: Final = Status.RSYSERR, "an integer"  # what an IndexError means


def _read_leniently(table: CommandTable, octets: bytes) -> tuple[dict[str, FieldValue], int]:
    """What is there of the mandatory part of a response, and where its TLVs would begin.

    A C-octet string may be of any length, and ends with the PDU if not by a NUL.
    """
    fields: dict[str, FieldValue] = {}
    at = HEADER
    for field in table.fields:
        if at >= len(octets) or field.kind is Kind.LIST:
            return fields, len(octets)
        if field.kind in (Kind.TEXT, Kind.TIME):
            end = octets.find(0, at)
            if end < 0:
                end = len(octets)
            fields[field.name] = octets[at:end].decode("latin-1")
            at = end + 1
        else:
            fields[field.name] = octets[at]
            at += 1
    return fields, at


def _read_tlvs(pdu: Pdu, octets: bytes, at: int, table: CommandTable) -> None:
    """Gives `pdu` the TLVs from `at` to the end. Those of other PDUs are kept unexamined."""
    tlvs: list[tuple[int, bytes]] = []
    pdu.tlvs = tlvs
    size = len(octets)
    while at < size:
        start = at + 4
        if start > size:
            raise _tlv_error(pdu, Status.RINVOPTPARSTREAM, "a TLV breaks off")
        tag, length = _TLV_HEADER.unpack_from(octets, at)
        at = start + length
        if at > size:
            raise _tlv_error(pdu, Status.RINVOPTPARSTREAM, f"{tlv_name(tag)} breaks off")
        shape = table.tlvs.get(tag)
        if shape is not None and length not in shape.lengths:
            raise _tlv_error(pdu, Status.RINVPARLEN, f"{tlv_name(tag)} has {length} octets")
        tlvs.append((tag, octets[start:at]))


def _tlv_error(pdu: Pdu, status: Status, reason: str) -> PduError:
    return PduError(status, pdu.command, pdu.sequence, reason, pdu)


def encode(pdu: Pdu) -> bytes:
    """The octets of `pdu`, or EncodeError: nothing is ever cut to fit.

    An error response without fields and TLVs is its header alone. `status` and `sequence` go out
    as they are. TLVs go out in their order; one that belongs to this PDU must have a legal length
    and, if it is a C-octet string, its NUL; others are not looked into.
    """
    coder = _CODERS.get(pdu.command)
    if coder is None:
        raise EncodeError("command_id", f"{command_name(pdu.command)} is unknown")
    if pdu.status and pdu.command >= RESPONSE and not pdu.fields and not pdu.tlvs:
        body = b""
    else:
        try:
            body = coder.write(pdu.fields)
        except _UNFIT:
            raise _objection(coder, pdu.fields) from None
        if pdu.tlvs:
            body += _tlv_octets(pdu, coder.table)
    try:
        return _HEADER.pack(HEADER + len(body), pdu.command, pdu.status, pdu.sequence) + body
    except struct.error:
        raise EncodeError("header", "has a number that is not an unsigned 32-bit one") from None


# What a compiled writer raises at a value that does not fit.
_UNFIT: Final = (ValueError, TypeError, AttributeError, OverflowError)

_EXPECTED: Final = {
    Kind.INTEGER: "an integer from 0 to 255",
    Kind.TEXT: "Latin-1 text of at most {} characters without NUL",
    Kind.TIME: "a time of {} characters, or empty",
    Kind.OCTETS: "an octet string of at most {} octets",
    Kind.LIST: "a tuple of at most {} destinations",
}


def _objection(coder: _Coder, fields: Fields) -> EncodeError:
    """Names the first of `fields` that cannot be written, found by writing each by itself."""
    culprit = next(name for name, value in fields.items() if not _fits(coder, name, value))
    for field in coder.table.fields:
        if field.name == culprit:
            return EncodeError(culprit, f"is not {_EXPECTED[field.kind].format(field.maximum)}")
    return EncodeError(culprit, f"is not a field of {coder.table.name}")


def _fits(coder: _Coder, name: str, value: FieldValue) -> bool:
    try:
        coder.write({name: value})
    except _UNFIT:
        return False
    return True


def _tlv_octets(pdu: Pdu, table: CommandTable) -> bytes:
    if not table.fields:
        raise EncodeError("tlvs", f"cannot follow {table.name}, which has no body")
    if pdu.fields.get("short_message") and pdu.tlv(Tlv.MESSAGE_PAYLOAD) is not None:
        raise EncodeError("message_payload", "excludes short_message")
    octets = b""
    for tag, value in pdu.tlvs:
        shape = table.tlvs.get(tag)
        if shape is not None and len(value) not in shape.lengths:
            raise EncodeError(tlv_name(tag), f"cannot have {len(value)} octets")
        if shape is not None and shape.text and value.find(0) != len(value) - 1:
            raise EncodeError(tlv_name(tag), "does not end in its only NUL")
        try:
            octets += _TLV_HEADER.pack(tag, len(value)) + value
        except struct.error:
            raise EncodeError(tlv_name(tag), "has a tag or a length above 65535") from None
    return octets

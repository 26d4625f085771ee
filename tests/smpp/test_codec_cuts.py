"""Every cut of a PDU of each kind, its command_length adjusted."""

import struct

import pytest

from smsgw.smpp.codec import (
    DistributionList,
    FieldValue,
    Pdu,
    PduError,
    SmeAddress,
    Unsuccessful,
    decode,
    encode,
)
from smsgw.smpp.tables import COMMANDS, RESPONSE, Command, Kind, Status, Tlv, command_name

FULL: dict[Kind, FieldValue] = {
    Kind.INTEGER: 3,
    Kind.LENGTH: 0,  # computed
    Kind.TEXT: "12345",
    Kind.TIME: "000001000000000R",
    Kind.OCTETS: b"\0octets",
}
LISTS: dict[str, FieldValue] = {
    "dest_address": (SmeAddress(1, 1, "359888"), DistributionList("team")),
    "unsuccess_sme": (Unsuccessful(1, 1, "359888", 11), Unsuccessful(0, 1, "359899", 20)),
}


def full(command: Command) -> Pdu:
    """A PDU with all its mandatory fields, and all its TLVs but the one that is a second text."""
    table = COMMANDS[command]
    fields = {field.name: LISTS.get(field.name) or FULL[field.kind] for field in table.fields}
    tlvs = [
        (tag, b"x" * (shape.lengths[0] - shape.text) + b"\0" * shape.text)
        for tag, shape in table.tlvs.items()
        if tag != Tlv.MESSAGE_PAYLOAD
    ]
    return Pdu(command, 0, 5, fields, [*tlvs, (0x1400, b"vendor")] if fields else [])


def cut(octets: bytes, size: int) -> bytes:
    return struct.pack(">I", size) + octets[4:size]


def boundaries(pdu: Pdu) -> tuple[int, set[int]]:
    """Where the mandatory part ends, and where each TLV does."""
    end = len(encode(Pdu(pdu.command, 0, 5, pdu.fields)))
    ends = set()
    at = end
    for _, value in pdu.tlvs:
        at += 4 + len(value)
        ends.add(at)
    return end, ends


@pytest.mark.parametrize("command", [c for c in Command if c < RESPONSE], ids=command_name)
def test_each_cut_of_a_request_is_refused(command: Command) -> None:
    pdu = full(command)
    octets = encode(pdu)
    end, whole = boundaries(pdu)
    for size in range(16, len(octets)):
        if size == end or size in whole:
            assert encode(decode(cut(octets, size))) == cut(octets, size)
            continue
        with pytest.raises(PduError) as caught:
            decode(cut(octets, size))
        assert (caught.value.command, caught.value.sequence) == (command, 5)


@pytest.mark.parametrize("status", [Status.ROK, Status.RSYSERR], ids=["accepted", "refused"])
@pytest.mark.parametrize("command", [c for c in Command if c >= RESPONSE], ids=command_name)
def test_a_response_is_cut_only_inside_a_tlv(command: Command, status: Status) -> None:
    pdu = full(command)
    pdu.status = status
    octets = encode(pdu)
    end, whole = boundaries(pdu)
    for size in range(16, len(octets)):
        if size <= end or size in whole:
            read = decode(cut(octets, size))
            assert (read.command, read.status, read.sequence) == (command, status, 5)
            assert set(read.fields) <= set(pdu.fields)
            continue
        with pytest.raises(PduError) as caught:
            decode(cut(octets, size))
        assert caught.value.read is not None
        assert {**caught.value.read.fields, **pdu.fields} == pdu.fields

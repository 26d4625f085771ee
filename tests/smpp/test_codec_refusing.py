"""What is refused and with which status, and the short forms of responses that are not."""

import struct

import pytest

from smsgw.smpp.codec import FieldValue, Pdu, PduError, decode
from smsgw.smpp.tables import Command, Status, Tlv, command_name


def raw(command: int, body: bytes = b"", status: int = 0, sequence: int = 1) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


def tlv(tag: int, value: bytes) -> bytes:
    return struct.pack(">HH", tag, len(value)) + value


def deliver(**changes: bytes) -> bytes:
    """A deliver_sm with some fields replaced by octets as they stand on the wire."""
    fields = {
        "service_type": b"\0",
        "source": b"\1\x01359888123456\0",
        "destination": b"\0\x01170077\0",
        "flags": b"\0\0\0",
        "schedule_delivery_time": b"\0",
        "validity_period": b"\0",
        "coding": b"\0\0\0\0",
        "short_message": b"\6smetka",
        "tlvs": b"",
    }
    return raw(Command.DELIVER_SM, b"".join((fields | changes).values()), sequence=9)


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        pytest.param(b"", Status.RINVCMDLEN, id="nothing"),
        pytest.param(deliver()[:15], Status.RINVCMDLEN, id="half a header"),
        pytest.param(deliver()[:-1], Status.RINVCMDLEN, id="fewer octets than command_length"),
        pytest.param(deliver() + b"\0", Status.RINVCMDLEN, id="more octets than command_length"),
        pytest.param(raw(0x0A, sequence=9), Status.RINVCMDID, id="unknown command"),
        pytest.param(raw(0x8000000A, sequence=9), Status.RINVCMDID, id="unknown response"),
        pytest.param(raw(Command.DELIVER_SM, sequence=9), Status.RSYSERR, id="no body"),
        pytest.param(deliver(service_type=b"sixsix\0"), Status.RSYSERR, id="service_type too long"),
        pytest.param(
            deliver(source=b"\1\1" + b"3" * 21 + b"\0"), Status.RINVSRCADR, id="source too long"
        ),
        pytest.param(
            raw(Command.DELIVER_SM, b"\0\1\x0135", sequence=9),
            Status.RINVSRCADR,
            id="source without end",
        ),
        pytest.param(
            deliver(destination=b"\1\1" + b"3" * 21 + b"\0"),
            Status.RINVDSTADR,
            id="destination too long",
        ),
        pytest.param(
            raw(Command.DELIVER_SM, b"\0\1\x0135\0\0\x0117", sequence=9),
            Status.RINVDSTADR,
            id="destination without end",
        ),
        pytest.param(
            raw(Command.ALERT_NOTIFICATION, b"\1\x0135\0\0\x0117", sequence=9),
            Status.RINVDSTADR,
            id="esme_addr without end",
        ),
        pytest.param(
            deliver(validity_period=b"0" * 17 + b"\0"), Status.RSYSERR, id="time too long"
        ),
        pytest.param(
            deliver(short_message=b"\7smetka"), Status.RINVMSGLEN, id="sm_length beyond the end"
        ),
        pytest.param(
            deliver(short_message=b"\xff" + bytes(255)), Status.RINVMSGLEN, id="sm_length of 255"
        ),
        pytest.param(deliver(short_message=b""), Status.RSYSERR, id="no sm_length"),
        pytest.param(deliver(tlvs=b"\0"), Status.RINVOPTPARSTREAM, id="one octet of a TLV"),
        pytest.param(deliver(tlvs=b"\4\x24\0"), Status.RINVOPTPARSTREAM, id="half a TLV header"),
        pytest.param(
            deliver(tlvs=b"\4\x24\0\5four"), Status.RINVOPTPARSTREAM, id="TLV beyond the end"
        ),
        pytest.param(
            deliver(tlvs=tlv(Tlv.MESSAGE_STATE, b"")), Status.RINVPARLEN, id="TLV too short"
        ),
        pytest.param(
            deliver(tlvs=tlv(Tlv.MESSAGE_STATE, b"\2\2")), Status.RINVPARLEN, id="TLV too long"
        ),
        pytest.param(
            deliver(tlvs=tlv(Tlv.RECEIPTED_MESSAGE_ID, b"7" * 66)),
            Status.RINVPARLEN,
            id="text TLV too long",
        ),
        pytest.param(
            raw(Command.SUBMIT_MULTI, b"\0\0\0\0\1\3", sequence=9),
            Status.RINVDSTADR,
            id="unknown dest_flag",
        ),
        pytest.param(
            raw(Command.SUBMIT_MULTI, b"\0\0\0\0\1\1\1\1" + b"3" * 21 + b"\0", sequence=9),
            Status.RINVDSTADR,
            id="a destination too long",
        ),
        pytest.param(
            raw(Command.SUBMIT_MULTI, b"\0\0\0\0\2\2a\0", sequence=9),
            Status.RSYSERR,
            id="too few destinations",
        ),
    ],
)
def test_refusals(octets: bytes, status: Status) -> None:
    with pytest.raises(PduError) as caught:
        decode(octets)
    header = struct.unpack(">IIII", octets[:16]) if len(octets) >= 16 else (0, 0, 0, 0)
    assert (caught.value.status, caught.value.command, caught.value.sequence) == (
        status,
        header[1],
        header[3],
    )
    assert str(caught.value) == f"{command_name(header[1])}: {caught.value.reason}"


@pytest.mark.parametrize(
    ("octets", "fields"),
    [
        pytest.param(raw(Command.SUBMIT_SM_RESP, status=0x58), {}, id="error without a body"),
        pytest.param(
            raw(Command.SUBMIT_SM_RESP, b"\0", status=0x58),
            {"message_id": ""},
            id="error with a NUL",
        ),
        pytest.param(
            raw(Command.SUBMIT_SM_RESP, b"7\0", status=0x58),
            {"message_id": "7"},
            id="error with a body",
        ),
        pytest.param(raw(Command.SUBMIT_SM_RESP), {}, id="accepted without an id"),
        pytest.param(
            raw(Command.SUBMIT_SM_RESP, b"abc"), {"message_id": "abc"}, id="id without its NUL"
        ),
        pytest.param(
            raw(Command.SUBMIT_SM_RESP, b"a" * 65 + b"\0"),
            {"message_id": "a" * 65},
            id="id too long",
        ),
        pytest.param(
            raw(Command.SUBMIT_SM_RESP, b"a" * 65),
            {"message_id": "a" * 65},
            id="id too long without its NUL",
        ),
        pytest.param(raw(Command.DELIVER_SM_RESP), {}, id="deliver_sm_resp without its NUL"),
        pytest.param(
            raw(Command.DELIVER_SM_RESP, b"\0"), {"message_id": ""}, id="deliver_sm_resp with it"
        ),
        pytest.param(raw(Command.BIND_TRANSCEIVER_RESP, status=0x0E), {}, id="refused bind"),
        pytest.param(
            raw(Command.BIND_TRANSCEIVER_RESP, b"smsc\0"),
            {"system_id": "smsc"},
            id="bind_resp without a version",
        ),
        pytest.param(
            raw(Command.QUERY_SM_RESP, b"\0", status=0x67),
            {"message_id": ""},
            id="query error with a NUL",
        ),
        pytest.param(
            raw(Command.QUERY_SM_RESP, b"7\0\0\2"),
            {"message_id": "7", "final_date": "", "message_state": 2},
            id="query_sm_resp without error_code",
        ),
        pytest.param(
            raw(Command.SUBMIT_MULTI_RESP, b"7\0\1\1"),
            {"message_id": "7", "no_unsuccess": 1},
            id="submit_multi_resp with half a list",
        ),
        pytest.param(raw(Command.UNBIND), {}, id="unbind"),
        pytest.param(raw(Command.ENQUIRE_LINK, b"\0\0"), {}, id="enquire_link with octets"),
        pytest.param(raw(Command.ENQUIRE_LINK_RESP, b"x"), {}, id="enquire_link_resp with octets"),
        pytest.param(
            raw(Command.GENERIC_NACK, b"why", status=3), {}, id="generic_nack with octets"
        ),
    ],
)
def test_short_forms(octets: bytes, fields: dict[str, FieldValue]) -> None:
    pdu = decode(octets)
    assert pdu.fields == fields
    assert pdu.tlvs == []
    assert (pdu.status, pdu.sequence) == struct.unpack(">II", octets[8:16])


def test_tlvs_after_an_id_that_is_too_long_are_read() -> None:
    body = b"a" * 70 + b"\0" + tlv(Tlv.DPF_RESULT, b"\1")
    assert decode(raw(Command.DATA_SM_RESP, body)).tlvs == [(Tlv.DPF_RESULT, b"\1")]


def test_a_broken_tlv_of_a_response_does_not_hide_what_was_read() -> None:
    body = b"7\0" + tlv(0x1400, b"x") + b"\x14\0\0"
    with pytest.raises(PduError) as caught:
        decode(raw(Command.SUBMIT_SM_RESP, body, sequence=9))
    expected = Pdu(Command.SUBMIT_SM_RESP, 0, 9, {"message_id": "7"}, [(0x1400, b"x")])
    assert caught.value.read == expected

"""What well-formed PDUs say, as literal octets, both ways."""

import struct

import pytest

from smsgw.smpp.codec import DistributionList, Pdu, SmeAddress, Unsuccessful, decode, encode
from smsgw.smpp.tables import Command, Status, Tlv


def raw(command: int, body: bytes = b"", status: int = 0, sequence: int = 1) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


def tlv(tag: int, value: bytes) -> bytes:
    return struct.pack(">HH", tag, len(value)) + value


# The example of SMPP 3.4, section 3.2.
BIND = bytes.fromhex(
    "0000002F 00000002 00000000 00000001"
    "534D5050335445535400 736563726574303800 5355424D49543100 00 01 01 00"
)

DELIVER = bytes.fromhex(
    "00000045 00000005 00000000 0000002A"
    "00 0101 333539383838313233343536 00 0001 313730303737 00"  # 359888123456 to 170077
    "00 00 00 00 00 00 00 08 00 0C 0421043C04350442043A0430"
    "020A 0002 1388"
)


def test_a_bind_of_the_specification() -> None:
    pdu = decode(BIND)
    assert (pdu.command, pdu.status, pdu.sequence) == (Command.BIND_TRANSMITTER, 0, 1)
    assert pdu.fields == {
        "system_id": "SMPP3TEST",
        "password": "secret08",
        "system_type": "SUBMIT1",
        "interface_version": 0,
        "addr_ton": 1,
        "addr_npi": 1,
        "address_range": "",
    }
    assert encode(pdu) == BIND


def test_a_deliver_sm() -> None:
    pdu = decode(DELIVER)
    assert (pdu.command, pdu.status, pdu.sequence) == (Command.DELIVER_SM, 0, 42)
    assert pdu.fields == {
        "service_type": "",
        "source_addr_ton": 1,
        "source_addr_npi": 1,
        "source_addr": "359888123456",
        "dest_addr_ton": 0,
        "dest_addr_npi": 1,
        "destination_addr": "170077",
        "esm_class": 0,
        "protocol_id": 0,
        "priority_flag": 0,
        "schedule_delivery_time": "",
        "validity_period": "",
        "registered_delivery": 0,
        "replace_if_present_flag": 0,
        "data_coding": 8,
        "sm_default_msg_id": 0,
        "sm_length": 12,
        "short_message": "Сметка".encode("utf-16-be"),
    }
    assert pdu.tlvs == [(Tlv.SOURCE_PORT, b"\x13\x88")]
    assert encode(pdu) == DELIVER


def test_a_submit_sm_from_a_few_fields() -> None:
    pdu = Pdu(
        Command.SUBMIT_SM,
        sequence=7,
        fields={
            "source_addr": "170077",
            "dest_addr_ton": 1,
            "dest_addr_npi": 1,
            "destination_addr": "359888123456",
            "validity_period": "000001000000000R",
            "registered_delivery": 1,
            "short_message": b"\0 is @",
        },
    )
    assert encode(pdu) == bytes.fromhex(
        "00000049 00000004 00000000 00000007"
        "00 0000 31373030373700 0101 33353938383831323334353600"
        "00 00 00 00 30303030303130303030303030303052 00 01 00 00 00 06 00206973 2040"
    )


def test_a_submit_multi_and_its_response() -> None:
    submit = raw(
        Command.SUBMIT_MULTI,
        b"\0" + b"\0\0007\0" + b"\2" + b"\1\1\x01359888\0" + b"\2team\0" + bytes(9) + b"\2hi",
    )
    destinations = (SmeAddress(1, 1, "359888"), DistributionList("team"))
    assert decode(submit).fields["number_of_dests"] == 2
    assert decode(submit).fields["dest_address"] == destinations
    assert decode(submit).fields["short_message"] == b"hi"
    assert encode(decode(submit)) == submit
    response = raw(
        Command.SUBMIT_MULTI_RESP, b"id\0\1" + b"\1\1" + b"359888\0" + b"\0\0\0\x0b", sequence=2
    )
    assert decode(response).fields == {
        "message_id": "id",
        "no_unsuccess": 1,
        "unsuccess_sme": (Unsuccessful(1, 1, "359888", Status.RINVDSTADR),),
    }
    assert encode(decode(response)) == response


def test_tlvs_keep_their_order_and_their_doubles_and_the_unknown_stay_raw() -> None:
    body = DELIVER[16:] + tlv(0x1400, b"vendor") + tlv(0x020A, b"\0\1") + tlv(0x1400, b"")
    pdu = decode(raw(Command.DELIVER_SM, body))
    assert pdu.tlvs == [
        (0x020A, b"\x13\x88"),
        (0x1400, b"vendor"),
        (0x020A, b"\0\1"),
        (0x1400, b""),
    ]
    assert pdu.tlv(Tlv.SOURCE_PORT) == b"\x13\x88"
    assert pdu.tlv(0x1400) == b"vendor"
    assert pdu.tlv(Tlv.MESSAGE_STATE) is None
    assert encode(pdu) == raw(Command.DELIVER_SM, body)


def test_a_tlv_of_other_pdus_is_kept_whatever_its_length() -> None:
    body = DELIVER[16:] + tlv(Tlv.DPF_RESULT, b"four")
    assert decode(raw(Command.DELIVER_SM, body)).tlv(Tlv.DPF_RESULT) == b"four"


def test_a_receipted_message_id_may_lack_its_nul() -> None:
    body = DELIVER[16:] + tlv(Tlv.RECEIPTED_MESSAGE_ID, b"abc")
    assert decode(raw(Command.DELIVER_SM, body)).tlv(Tlv.RECEIPTED_MESSAGE_ID) == b"abc"


def test_text_and_payload_together_are_for_the_reader_to_judge() -> None:
    pdu = decode(raw(Command.DELIVER_SM, DELIVER[16:] + tlv(Tlv.MESSAGE_PAYLOAD, b"more")))
    assert pdu.octets("short_message")
    assert pdu.tlv(Tlv.MESSAGE_PAYLOAD) == b"more"


def test_high_octets_of_c_octet_strings_survive() -> None:
    pdu = decode(raw(Command.SUBMIT_SM_RESP, b"\xff\x80\0"))
    assert pdu.text("message_id") == "\xff\x80"
    assert encode(pdu) == raw(Command.SUBMIT_SM_RESP, b"\xff\x80\0")


def test_a_pdu_prints_without_what_it_says() -> None:
    assert repr(decode(BIND)) == "Pdu(bind_transmitter, status=0, sequence=1)"


def test_typed_access() -> None:
    pdu = decode(DELIVER)
    assert pdu.text("source_addr") == "359888123456"
    assert pdu.number("data_coding") == 8
    assert pdu.octets("short_message").decode("utf-16-be") == "Сметка"
    assert (pdu.text("message_id"), pdu.number("x"), pdu.octets("y")) == ("", 0, b"")
    for access, name in [
        (pdu.text, "data_coding"),
        (pdu.number, "source_addr"),
        (pdu.octets, "source_addr"),
    ]:
        with pytest.raises(TypeError, match=name):
            access(name)

"""What goes out, and what is refused before it could."""

import struct

import pytest

from smsgw.smpp.codec import (
    DistributionList,
    EncodeError,
    FieldValue,
    Pdu,
    SmeAddress,
    Unsuccessful,
    decode,
    encode,
)
from smsgw.smpp.tables import Command, Tlv


def raw(command: int, body: bytes = b"", status: int = 0, sequence: int = 1) -> bytes:
    return struct.pack(">IIII", 16 + len(body), command, status, sequence) + body


@pytest.mark.parametrize(
    ("pdu", "octets"),
    [
        pytest.param(
            Pdu(Command.SUBMIT_SM_RESP, 0x58, 9), raw(0x80000004, b"", 0x58, 9), id="error response"
        ),
        pytest.param(
            Pdu(Command.SUBMIT_SM_RESP, 0x58, 9, {"message_id": ""}),
            raw(0x80000004, b"\0", 0x58, 9),
            id="error response with a body",
        ),
        pytest.param(
            Pdu(Command.DATA_SM_RESP, 0xFE, 9, {}, [(Tlv.DELIVERY_FAILURE_REASON, b"\1")]),
            raw(0x80000103, b"\0\4\x25\0\1\1", 0xFE, 9),
            id="error response with a TLV",
        ),
        pytest.param(
            Pdu(Command.DELIVER_SM_RESP, 0, 9), raw(0x80000005, b"\0", 0, 9), id="deliver_sm_resp"
        ),
        pytest.param(
            Pdu(Command.GENERIC_NACK, 3, 0xFFFFFFFF),
            raw(0x80000000, b"", 3, 0xFFFFFFFF),
            id="generic_nack",
        ),
        pytest.param(
            Pdu(Command.BIND_TRANSCEIVER, 0, 1, {"system_id": "a", "interface_version": 0x50}),
            raw(9, b"a\0\0\0\x50\0\0\0"),
            id="a version of one's own",
        ),
        pytest.param(
            Pdu(Command.BIND_TRANSCEIVER, 0, 1, {"password": "p" * 64}),
            raw(9, b"\0" + b"p" * 64 + b"\0\0\0\0\0\0"),
            id="a long password",
        ),
        pytest.param(
            Pdu(Command.REPLACE_SM, 0, 1, {"short_message": b"hi", "sm_length": 200}),
            raw(7, b"\0\0\0\0\0\0\0\0\2hi"),
            id="a length that is computed",
        ),
    ],
)
def test_sent(pdu: Pdu, octets: bytes) -> None:
    assert encode(pdu) == octets


def test_a_str_that_prints_as_something_else_is_sent_as_it_is() -> None:
    class Masked(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "****"

        def __format__(self, spec: str) -> str:
            return "****"

    pdu = Pdu(Command.SUBMIT_SM, 0, 1, {"destination_addr": Masked("359888123456")})
    assert decode(encode(pdu)).text("destination_addr") == "359888123456"


@pytest.mark.parametrize(
    ("command", "fields", "culprit"),
    [
        (0x0A, {}, "command_id"),
        (Command.SUBMIT_SM, {"message_id": "7"}, "message_id"),
        (Command.ENQUIRE_LINK, {"message_id": "7"}, "message_id"),
        (Command.SUBMIT_SM, {"source_addr": "1" * 21}, "source_addr"),
        (Command.SUBMIT_SM, {"source_addr": "17\x000077"}, "source_addr"),
        (Command.SUBMIT_SM, {"source_addr": "Сметка"}, "source_addr"),
        (Command.SUBMIT_SM, {"source_addr": b"170077"}, "source_addr"),
        (Command.SUBMIT_SM, {"source_addr": 170077}, "source_addr"),
        (Command.SUBMIT_SM, {"validity_period": "00000100000000R"}, "validity_period"),
        (Command.SUBMIT_SM, {"validity_period": "0000010000000\x0000R"}, "validity_period"),
        (Command.SUBMIT_SM, {"esm_class": 256}, "esm_class"),
        (Command.SUBMIT_SM, {"esm_class": -1}, "esm_class"),
        (Command.SUBMIT_SM, {"esm_class": "1"}, "esm_class"),
        (Command.SUBMIT_SM, {"short_message": bytes(255)}, "short_message"),
        (Command.SUBMIT_SM, {"short_message": "text"}, "short_message"),
        (Command.SUBMIT_SM, {"esm_class": 0, "source_addr": None}, "source_addr"),
        (Command.BIND_RECEIVER, {"system_id": "sixteen letters!"}, "system_id"),
        (Command.BIND_RECEIVER, {"password": "p" * 65}, "password"),
        (Command.BIND_RECEIVER_RESP, {"system_id": "sixteen letters!"}, "system_id"),
        (Command.SUBMIT_SM_RESP, {"message_id": "7" * 65}, "message_id"),
        (Command.SUBMIT_MULTI, {"dest_address": (SmeAddress(0, 0, "1" * 21),)}, "dest_address"),
        (Command.SUBMIT_MULTI, {"dest_address": (DistributionList("\0"),)}, "dest_address"),
        (Command.SUBMIT_MULTI, {"dest_address": (DistributionList("a"),) * 255}, "dest_address"),
        (
            Command.SUBMIT_MULTI_RESP,
            {"unsuccess_sme": (Unsuccessful(0, 0, "1", 1 << 32),)},
            "unsuccess_sme",
        ),
    ],
)
def test_fields_that_do_not_fit(command: int, fields: dict[str, FieldValue], culprit: str) -> None:
    with pytest.raises(EncodeError, match=culprit) as caught:
        encode(Pdu(command, 0, 1, fields))
    assert caught.value.field == culprit
    assert str(caught.value) == f"{culprit} {caught.value.reason}"


@pytest.mark.parametrize(
    ("command", "tag", "value", "culprit"),
    [
        (Command.SUBMIT_SM, Tlv.SAR_MSG_REF_NUM, b"\1", "sar_msg_ref_num"),
        (Command.SUBMIT_SM, Tlv.MESSAGE_PAYLOAD, bytes(65_536), "message_payload"),
        (Command.DELIVER_SM, Tlv.RECEIPTED_MESSAGE_ID, b"7", "receipted_message_id"),
        (Command.DELIVER_SM, Tlv.RECEIPTED_MESSAGE_ID, b"7\x007\0", "receipted_message_id"),
        (Command.SUBMIT_SM, 0x1400, bytes(65_536), "0x1400"),
        (Command.SUBMIT_SM, 0x10000, b"", "0x10000"),
        (Command.ENQUIRE_LINK, 0x1400, b"", "tlvs"),
    ],
)
def test_tlvs_that_do_not_fit(command: Command, tag: int, value: bytes, culprit: str) -> None:
    with pytest.raises(EncodeError, match=culprit) as caught:
        encode(Pdu(command, 0, 1, {}, [(tag, value)]))
    assert caught.value.field == culprit


def test_text_and_payload_are_not_sent_together() -> None:
    payload = [(Tlv.MESSAGE_PAYLOAD, b"")]
    assert encode(Pdu(Command.SUBMIT_SM, 0, 1, {"short_message": b""}, payload))
    with pytest.raises(EncodeError, match="message_payload"):
        encode(Pdu(Command.SUBMIT_SM, 0, 1, {"short_message": b"hi"}, payload))


@pytest.mark.parametrize(("status", "sequence"), [(-1, 1), (0, -1), (0, 1 << 32)])
def test_headers_that_do_not_fit(status: int, sequence: int) -> None:
    with pytest.raises(EncodeError, match="header"):
        encode(Pdu(Command.ENQUIRE_LINK, status, sequence))

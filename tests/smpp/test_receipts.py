"""Receipts as they are met: the specification's example, its dialects, and the TLVs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.smpp.names import Command, Tlv
from smsgw.smpp.pdu import Pdu
from smsgw.smpp.receipts import DeliveryReceipt, is_receipt, parse

EXAMPLE = (
    "id:0123456789 sub:001 dlvrd:001 submit date:0809011130 done date:0809021131 "
    "stat:DELIVRD err:000 text:Hello"
)


def receipt(
    text: str = "", tlvs: list[tuple[int, bytes]] | None = None, encoding: str = "latin-1"
) -> Pdu:
    fields: dict[str, int | bytes] = {"esm_class": 4, "short_message": text.encode(encoding)}
    return Pdu(Command.DELIVER_SM, 0, 1, fields, tlvs or [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(EXAMPLE, ("0123456789", "delivered", "000", "0809021131"), id="the example"),
        pytest.param(
            EXAMPLE.upper(), ("0123456789", "delivered", "000", "0809021131"), id="upper case"
        ),
        pytest.param(
            "id:7 done date:0809021131 stat:EXPIRED err:001",
            ("7", "expired", "001", "0809021131"),
            id="no sub, dlvrd, text",
        ),
        pytest.param("id:7 stat:DELETED err:1 Text:x", ("7", "deleted", "1", ""), id="err of one"),
        pytest.param(
            "id:7 stat:REJECTD err:A4B text:", ("7", "rejected", "A4B", ""), id="err of letters"
        ),
        pytest.param("id:7 err:12 stat:UNDELIV", ("7", "undeliverable", "12", ""), id="err first"),
        pytest.param("id:7 stat:UNDELIV err:1234", ("7", "undeliverable", "1234", ""), id="err 4"),
        pytest.param(
            "id: 7 sub: 001 done date: 0809021131 stat: DELIVRD err: 000 text: x",
            ("7", "delivered", "000", "0809021131"),
            id="space after the colon",
        ),
        pytest.param(
            "id:7 done date:080902113159 stat:DELIVRD",
            ("7", "delivered", "", "080902113159"),
            id="date of 12 digits",
        ),
        pytest.param(
            "id:7 done date:20080902113159 stat:DELIVRD",
            ("7", "delivered", "", "20080902113159"),
            id="date of 14 digits",
        ),
        pytest.param(
            "id:7 submit date:080902113159008+ done date:080902113200008+ stat:DELIVRD",
            ("7", "delivered", "", "080902113200008+"),
            id="absolute time",
        ),
        pytest.param(
            "id:7 sub:001 dlvrd:001 done date:0809021131 err:000 text:x",
            ("7", None, "000", "0809021131"),
            id="no stat",
        ),
        pytest.param("id:7 stat: err:000", ("7", None, "000", ""), id="stat without a value"),
        pytest.param(
            "id:7 err: submit date:1 stat:DELIVRD", ("7", "delivered", "", ""), id="no err"
        ),
        pytest.param("id:7 stat:FAILED err:5", ("7", "undeliverable", "5", ""), id="FAILED"),
        pytest.param("id:7 stat:ZORK err:5", ("7", None, "5", ""), id="an unknown word"),
        pytest.param("id:7 stat:ENROUTE", ("7", "enroute", "", ""), id="on its way"),
        pytest.param("id:7 stat:ACCEPTD", ("7", "accepted", "", ""), id="accepted"),
        pytest.param("id:7 stat:UNKNOWN", ("7", "unknown", "", ""), id="unknown"),
        pytest.param("id:0A1bFF stat:DELIVRD", ("0A1bFF", "delivered", "", ""), id="hex id"),
        pytest.param(
            "id:d41d8cd98f00b204e9800998ecf8427e stat:DELIVRD",
            ("d41d8cd98f00b204e9800998ecf8427e", "delivered", "", ""),
            id="MD5 id",
        ),
        pytest.param(
            "id:6ba7b810-9dad-11d1-80b4-00c04fd430c8 stat:DELIVRD",
            ("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "delivered", "", ""),
            id="UUID id",
        ),
        pytest.param(
            "id:12345678901234567890 stat:DELIVRD",
            ("12345678901234567890", "delivered", "", ""),
            id="id of 20 digits",
        ),
        pytest.param("id:0000000042 stat:DELIVRD", ("0000000042", "delivered", "", ""), id="zeros"),
        pytest.param(
            "id:7 stat:DELIVRD Text:id:8 stat:EXPIRED err:9 done date:1",
            ("7", "delivered", "", ""),
            id="fields in the customer's text",
        ),
        pytest.param("id:7 stat:DELIVRD id:8", ("7", "delivered", "", ""), id="a key twice"),
        pytest.param("id:7 stat:DELIVRD\0", ("7", "delivered", "", ""), id="NUL at the end"),
        pytest.param("id:7\nstat:DELIVRD\r\n", ("7", "delivered", "", ""), id="lines"),
        pytest.param("Hello there", ("", None, "", ""), id="no receipt at all"),
        pytest.param("", ("", None, "", ""), id="empty"),
    ],
)
def test_text(text: str, expected: DeliveryReceipt) -> None:
    assert parse(receipt(text)) == expected


ID, STATE, ERROR = Tlv.RECEIPTED_MESSAGE_ID, Tlv.MESSAGE_STATE, Tlv.NETWORK_ERROR_CODE


@pytest.mark.parametrize(
    ("text", "tlvs", "expected"),
    [
        pytest.param("", [(ID, b"9\0"), (STATE, b"\2")], ("9", "delivered", "", ""), id="alone"),
        pytest.param("", [(ID, b"9"), (STATE, b"\5")], ("9", "undeliverable", "", ""), id="no NUL"),
        pytest.param(
            EXAMPLE,
            [(STATE, b"\3"), (ID, b"9\0")],
            ("9", "expired", "000", "0809021131"),
            id="win over text",
        ),
        pytest.param(
            EXAMPLE,
            [(ID, b"\0"), (STATE, b"\x2a")],
            ("0123456789", "delivered", "000", "0809021131"),
            id="that say nothing do not win",
        ),
        pytest.param("id:7", [(ERROR, b"\3\1\2")], ("7", None, "258", ""), id="error code"),
        pytest.param(
            "id:7 err:4", [(ERROR, b"\3\0\5")], ("7", None, "4", ""), id="err in the text"
        ),
        pytest.param("id:7", [(0x1400, b"x")], ("7", None, "", ""), id="a vendor's"),
    ],
)
def test_tlvs(text: str, tlvs: list[tuple[int, bytes]], expected: DeliveryReceipt) -> None:
    assert parse(receipt(text, tlvs)) == expected


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (0, "enroute"),
        (1, "enroute"),
        (2, "delivered"),
        (3, "expired"),
        (4, "deleted"),
        (5, "undeliverable"),
        (6, "accepted"),
        (7, "unknown"),
        (8, "rejected"),
        (9, "undeliverable"),
        (10, None),
    ],
)
def test_message_state(number: int, state: str | None) -> None:
    assert parse(receipt(tlvs=[(STATE, bytes([number]))])).state == state


def test_the_text_may_be_the_payload() -> None:
    pdu = receipt(tlvs=[(Tlv.MESSAGE_PAYLOAD, EXAMPLE.encode())])
    assert parse(pdu) == parse(receipt(EXAMPLE))


def test_the_text_may_be_in_ucs_2() -> None:
    assert parse(receipt(EXAMPLE, encoding="utf-16-be")) == parse(receipt(EXAMPLE))


def test_a_user_data_header_is_no_text() -> None:
    pdu = receipt(EXAMPLE)
    header = b"\x05\x00\x03\x2a\x01\x01"
    octets = header + pdu.octets("short_message")
    split = Pdu(pdu.command, 0, 1, {"esm_class": 0x44, "short_message": octets})
    assert parse(split) == parse(pdu)


def test_a_bit_that_promises_a_header_may_lie() -> None:
    pdu = receipt(EXAMPLE)
    bare = Pdu(pdu.command, 0, 1, {**pdu.fields, "esm_class": 0x44})
    assert parse(bare) == parse(pdu)
    long = f"{EXAMPLE} {EXAMPLE}"  # what stands after so many octets as `i` says names no message
    assert len(long) > ord("i")
    pdu = receipt(long)
    assert parse(Pdu(pdu.command, 0, 1, {**pdu.fields, "esm_class": 0x44})) == parse(pdu)


@pytest.mark.parametrize(
    ("esm_class", "expected"),
    [
        (0x00, False),
        (0x04, True),
        (0x44, True),
        (0xC7, True),
        (0x08, False),
        (0x10, False),
        (0x18, False),
        (0x20, False),
        (0x40, False),
    ],
    ids=hex,
)
def test_is_receipt(esm_class: int, expected: bool) -> None:
    assert is_receipt(esm_class) is expected


@given(
    st.binary(max_size=254),
    st.integers(0, 255),
    st.lists(st.tuples(st.sampled_from([ID, STATE, ERROR]), st.binary(max_size=70)), max_size=4),
)
def test_nothing_raises(octets: bytes, esm_class: int, tlvs: list[tuple[int, bytes]]) -> None:
    parse(Pdu(Command.DELIVER_SM, 0, 1, {"esm_class": esm_class, "short_message": octets}, tlvs))

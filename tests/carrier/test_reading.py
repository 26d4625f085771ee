"""What we make of the message in a PDU, as `smsgw pdu` prints it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.carrier.reading import Ways, read, ways
from smsgw.carrier.translate import ID_FORMS
from smsgw.settings.carrier import CarrierSettings
from smsgw.smpp.codec import FieldValue, Pdu, encode
from smsgw.smpp.tables import Command, Tlv

NOTHING = {"text": None, "read_as": None, "concat": None, "receipt": None}
PLAIN = Ways()


def octets(
    command: Command = Command.DELIVER_SM,
    tlvs: list[tuple[int, bytes]] | None = None,
    **fields: FieldValue,
) -> bytes:
    return encode(Pdu(command, 0, 7, {"source_addr": "359888123456", **fields}, tlvs or []))


def meaning(wire: bytes, how: Ways = PLAIN) -> dict[str, Any]:
    told = read(wire, how)
    return {name: told[name] for name in NOTHING}


def receipt(text: bytes, how: Ways = PLAIN, esm_class: int = 4, **fields: FieldValue) -> Any:
    return meaning(octets(short_message=text, esm_class=esm_class, **fields), how)["receipt"]


def test_it_stands_behind_the_kind() -> None:
    told = read(octets(short_message=b"smetka"), PLAIN)
    assert [*told][-5:] == ["kind", *NOTHING]
    assert (told["kind"], told["text"]) == ("mo", "smetka")


@pytest.mark.parametrize(
    "command", [Command.DELIVER_SM, Command.SUBMIT_SM, Command.SUBMIT_MULTI], ids=str
)
def test_the_text_of_messages_either_way(command: Command) -> None:
    wire = octets(command, short_message="сметка".encode("utf-16-be"), data_coding=8)
    assert meaning(wire) == {**NOTHING, "text": "сметка"}


SAR = {Tlv.SAR_MSG_REF_NUM: "0102", Tlv.SAR_TOTAL_SEGMENTS: "03", Tlv.SAR_SEGMENT_SEQNUM: "02"}
TLVS = [(int(tag), bytes.fromhex(value)) for tag, value in SAR.items()]

MESSAGES: dict[str, tuple[bytes, dict[str, Any]]] = {
    "nothing": (octets(), {"text": ""}),
    "binary": (octets(short_message=b"\1\2", data_coding=4), {}),
    "a wrong data_coding": (
        octets(short_message="сметка".encode()),
        {"text": "сметка", "read_as": "utf-8"},
    ),
    "message_payload": (octets(tlvs=[(Tlv.MESSAGE_PAYLOAD, b"smetka")]), {"text": "smetka"}),
    "data_sm": (
        encode(Pdu(Command.DATA_SM, 0, 7, {}, [(Tlv.MESSAGE_PAYLOAD, b"smetka")])),
        {"text": "smetka"},
    ),
    "8-bit reference": (
        octets(short_message=b"\5\0\3\x2a\2\1smet", esm_class=0x40),
        {"text": "smet", "concat": {"ref": 42, "total": 2, "part": 1}},
    ),
    "16-bit reference, in message_payload": (
        octets(tlvs=[(Tlv.MESSAGE_PAYLOAD, b"\6\x08\4\1\2\3\2ka")], esm_class=0x40),
        {"text": "ka", "concat": {"ref": 258, "total": 3, "part": 2}},
    ),
    "SAR": (
        octets(short_message=b"ka", tlvs=TLVS),
        {"text": "ka", "concat": {"ref": 258, "total": 3, "part": 2}},
    ),
    "a part above the total": (
        octets(short_message=b"\5\0\3\x2a\2\3smet", esm_class=0x40),
        {"text": "smet"},
    ),
    "a header longer than its message": (
        octets(short_message=b"\x30smetka", esm_class=0x40),
        {"text": "0smetka"},
    ),
    "a binary part": (
        octets(short_message=b"\5\0\3\x2a\2\1\xff", esm_class=0x40, data_coding=4),
        {"concat": {"ref": 42, "total": 2, "part": 1}},
    ),
    "a user's acknowledgement": (octets(short_message=b"da", esm_class=0x10), {"text": "da"}),
    "no message": (encode(Pdu(Command.ENQUIRE_LINK, 0, 9)), {}),
    "a response": (encode(Pdu(Command.SUBMIT_SM_RESP, 0, 9, {"message_id": "1"})), {}),
}


@pytest.mark.parametrize(("wire", "expected"), MESSAGES.values(), ids=MESSAGES)
def test_messages(wire: bytes, expected: dict[str, Any]) -> None:
    assert meaning(wire) == {**NOTHING, **expected}


def test_of_a_pdu_with_a_broken_tlv_the_message_is_read() -> None:
    wire = octets(short_message=b"smetka")
    broken = (len(wire) + 4).to_bytes(4) + wire[4:] + b"\x14\x00\x00\x09"
    told = read(broken, PLAIN)
    assert (told["text"], [*told][-2:]) == ("smetka", ["error", "answer"])


def test_of_what_is_no_pdu_nothing_is_made() -> None:
    told = read(b"\0\0\0\x10\0\0\0\x99\0\0\0\0\0\0\0\1", PLAIN)
    assert not NOTHING.keys() & told.keys()
    assert told["error"] == "unknown command_id"


WHOLE = (
    b"id:0A1f sub:001 dlvrd:001 submit date:2611221412 done date:2611221413 stat:DELIVRD err:000"
)


def said(**fields: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(("message_id", "state", "final", "error", "done_date"))
    return {**nothing, **fields}


DELIVERED = said(
    message_id="0A1f", state="delivered", final=True, error="000", done_date="2611221413"
)


def test_a_receipt() -> None:
    assert receipt(WHOLE) == DELIVERED
    assert receipt(WHOLE, esm_class=0x44) == DELIVERED
    assert receipt(WHOLE, esm_class=0x24) == DELIVERED
    assert receipt(WHOLE, esm_class=0x20) == {**DELIVERED, "state": "enroute", "final": False}
    assert meaning(octets(short_message=WHOLE, esm_class=4))["text"] == WHOLE.decode()


def test_a_receipt_in_tlvs() -> None:
    tlvs = [(0x1E, b"a1\0"), (0x0427, b"\5"), (0x0423, b"\3\0\x1b")]
    wire = octets(tlvs=tlvs, esm_class=4)
    expected = said(message_id="a1", state="undeliverable", final=True, error="27")
    assert meaning(wire) == {**NOTHING, "text": "", "receipt": expected}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"", said()),
        (b"\xff\0\x80 :: : id", said()),
        (b"id: stat: err: done date:", said()),
        (b"id:17 stat:WHATEVER", said(message_id="17")),
        (b"id:\x9b7 stat:ACCEPTD", said(state="accepted", final=False)),
        (b"stat:EXPIRED err:xyzzy", said(state="expired", final=True, error="xyzzy")),
        (b"done date:junk", said(done_date="junk")),
    ],
    ids=["nothing", "noise", "no values", "a word of nobody", "an odd id", "no id", "a date"],
)
def test_of_garbage_what_can_be_read(text: bytes, expected: dict[str, Any]) -> None:
    assert receipt(text) == expected
    assert receipt(text, data_coding=4) == expected


def test_as_a_carrier_writes() -> None:
    settings = CarrierSettings.model_validate(
        {
            "host": "h",
            "port": 1,
            "system_id": "s",
            "password": "p",
            "default_alphabet": "latin1",
            "message_id": "hex_in_receipt",
        }
    )
    how = ways(settings)
    assert how == Ways("latin1", ID_FORMS["hex_in_receipt"])
    assert receipt(WHOLE, how)["message_id"] == str(0x0A1F)
    assert meaning(octets(short_message=b"[caf\xe9]"), how)["text"] == "[café]"


@given(
    st.binary(max_size=120),
    st.sampled_from([0, 4, 0x20, 0x40, 0x44, 0xFF]),
    st.integers(0, 255),
    st.sampled_from(sorted(ID_FORMS)),
)
def test_never_raises(text: bytes, esm_class: int, data_coding: int, form: str) -> None:
    wire = octets(short_message=text, esm_class=esm_class, data_coding=data_coding)
    assert NOTHING.keys() <= read(wire, Ways(ids=ID_FORMS[form])).keys()
    assert isinstance(read(text, PLAIN), dict)

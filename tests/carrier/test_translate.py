"""Between SMPP and the service, both ways."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from smsgw.carrier.translate import ID_FORMS, NotOurs, Reason, Translator, refusal
from smsgw.service.message import (
    Acceptance,
    Ack,
    Layout,
    MessageKind,
    Mo,
    Msisdn,
    Receipt,
    ReceiptState,
    Segment,
    SegmentKey,
)
from smsgw.settings.carrier import CarrierSettings
from smsgw.smpp.codec import FieldValue, Pdu, decode, encode
from smsgw.smpp.status import SUBMIT
from smsgw.smpp.tables import Command, Status, Tlv
from smsgw.text.userdata import Joining, Part

AT = 1_800_000_000.0
PHONE = Msisdn("359888123456")


def carrier(**keys: Any) -> CarrierSettings:
    return CarrierSettings.model_validate(
        {
            "id": "mtel",
            "host": "127.0.0.1",
            "port": 2775,
            "system_id": "cez",
            "password": "secret",
            **keys,
        }
    )


def translator(**keys: Any) -> Translator:
    return Translator(carrier(**keys), "170077")


def deliver(
    octets: bytes = b"smetka", tlvs: list[tuple[int, bytes]] | None = None, **fields: FieldValue
) -> Pdu:
    """A deliver_sm as it comes off the wire."""
    whole: dict[str, FieldValue] = {
        "source_addr_ton": 1,
        "source_addr_npi": 1,
        "source_addr": PHONE.digits,
        "dest_addr_ton": 3,
        "destination_addr": "170077",
        "short_message": octets,
        **fields,
    }
    return decode(encode(Pdu(Command.DELIVER_SM, 0, 7, whole, tlvs or [])))


def taken(pdu: Pdu, **keys: Any) -> Mo | Receipt | NotOurs:
    return translator(**keys).incoming(pdu, 42, AT)


def an_mo(pdu: Pdu, **keys: Any) -> Mo:
    mo = taken(pdu, **keys)
    assert isinstance(mo, Mo)
    return mo


# -- messages from customers -----------------------------------------------------------------


def test_a_message() -> None:
    assert an_mo(deliver()) == Mo(
        carrier="mtel",
        session=42,
        received_at=AT,
        source=PHONE,
        destination="170077",
        esm_class=0,
        data_coding=0,
        octets=b"smetka",
        text="smetka",
        part=None,
    )


def test_a_message_by_data_sm() -> None:
    fields = {"source_addr": PHONE.digits, "destination_addr": "170077"}
    pdu = Pdu(Command.DATA_SM, 0, 7, fields, [(int(Tlv.MESSAGE_PAYLOAD), b"smetka")])
    assert an_mo(decode(encode(pdu))).text == "smetka"


@pytest.mark.parametrize(
    ("octets", "data_coding", "alphabet", "text"),
    [
        (b"\x00\x11smetka", 0, "gsm7", "@_smetka"),
        (b"\xe9t\xe9", 0, "latin1", "été"),
        ("сметка".encode("utf-16-be"), 8, "gsm7", "сметка"),
        ("сметка".encode("iso8859-5"), 6, "gsm7", "сметка"),
        (b"", 0, "gsm7", ""),
    ],
    ids=["gsm7", "latin1", "ucs2", "cyrillic", "empty"],
)
def test_text(octets: bytes, data_coding: int, alphabet: str, text: str) -> None:
    mo = an_mo(deliver(octets, data_coding=data_coding), default_alphabet=alphabet)
    assert (mo.text, mo.octets, mo.data_coding) == (text, octets, data_coding)


def test_text_under_a_wrong_data_coding() -> None:
    mo = an_mo(deliver("сметка".encode(), data_coding=0))
    assert (mo.text, mo.read_as, mo.octets) == ("сметка", "utf-8", "сметка".encode())
    assert an_mo(deliver()).read_as == ""


def test_text_in_the_payload() -> None:
    pdu = deliver(b"", [(int(Tlv.MESSAGE_PAYLOAD), b"smetka " * 100)])
    assert an_mo(pdu).text == "smetka " * 100


@pytest.mark.parametrize(
    ("address", "ton"),
    [("+359888123456", 1), ("00359888123456", 1), ("0888123456", 2), ("888123456", 2)],
    ids=str,
)
def test_the_sender_is_normalised(address: str, ton: int) -> None:
    assert an_mo(deliver(source_addr=address, source_addr_ton=ton)).source.digits == PHONE.digits


def sar(reference: str, total: str, number: str = "") -> list[tuple[int, bytes]]:
    values = {
        Tlv.SAR_MSG_REF_NUM: reference,
        Tlv.SAR_TOTAL_SEGMENTS: total,
        Tlv.SAR_SEGMENT_SEQNUM: number,
    }
    return [(int(tag), bytes.fromhex(value)) for tag, value in values.items() if value]


@pytest.mark.parametrize(
    ("octets", "esm_class", "text", "part"),
    [
        (b"\x05\x00\x03\x2a\x02\x01smet", 0x40, "smet", Part(0x2A, 2, 1)),
        (b"\x06\x08\x04\x01\x2a\x02\x02ka", 0x40, "ka", Part(0x12A, 2, 2, Joining.UDH16)),
        (b"\x05\x00\x03\x2a\x02\x03smet", 0x40, "smet", None),
        (b"Wsmet", 0x40, "Wsmet", None),
        (b"\x05\x00\x03ABCsmet", 0x00, "é@¥ABCsmet", None),
    ],
    ids=[
        "8-bit reference",
        "16-bit reference",
        "a lying header",
        "a header longer than the message",
        "a header that is not declared",
    ],
)
def test_parts_by_header(octets: bytes, esm_class: int, text: str, part: Part | None) -> None:
    mo = an_mo(deliver(octets, esm_class=esm_class))
    assert (mo.octets, mo.text, mo.part) == (octets, text, part)


@pytest.mark.parametrize(
    ("tlvs", "part"),
    [
        (sar("0102", "02", "01"), Part(0x102, 2, 1, Joining.SAR)),
        (sar("0102", "02", "03"), None),
        (sar("0102", "02"), None),
    ],
    ids=["true", "lying", "half"],
)
def test_parts_by_tlvs(tlvs: list[tuple[int, bytes]], part: Part | None) -> None:
    assert an_mo(deliver(tlvs=tlvs)).part == part


@pytest.mark.parametrize(
    ("pdu", "reason", "ack"),
    [
        (deliver(destination_addr="170078"), Reason.DESTINATION, Ack.REFUSE),
        (deliver(destination_addr=""), Reason.DESTINATION, Ack.REFUSE),
        (deliver(source_addr="Vivacom", source_addr_ton=5), Reason.ALPHANUMERIC, Ack.DONE),
        (deliver(source_addr="4915112345678"), Reason.FOREIGN, Ack.DONE),
        (deliver(source_addr="1700", source_addr_ton=3), Reason.FOREIGN, Ack.DONE),
        (deliver(source_addr=""), Reason.FOREIGN, Ack.DONE),
        (deliver(data_coding=4), Reason.BINARY, Ack.DONE),
        (deliver(data_coding=0xF5), Reason.BINARY, Ack.DONE),
        (deliver(esm_class=0x08), Reason.ACKNOWLEDGEMENT, Ack.DONE),
        (deliver(esm_class=0x10), Reason.ACKNOWLEDGEMENT, Ack.DONE),
        (deliver(esm_class=0x18), Reason.ACKNOWLEDGEMENT, Ack.DONE),
        (deliver(esm_class=0x3C), Reason.RESERVED, Ack.DONE),
        (deliver(esm_class=0x04), Reason.RECEIPT, Ack.DONE),
        (deliver(b"id:17 err:000", esm_class=0x04), Reason.RECEIPT, Ack.DONE),
        (deliver(b"stat:DELIVRD err:000", esm_class=0x04), Reason.RECEIPT, Ack.DONE),
    ],
    ids=[
        "another shortcode",
        "no destination",
        "a name",
        "foreign",
        "a shortcode",
        "nobody",
        "binary",
        "binary with a class",
        "delivery acknowledgement",
        "user acknowledgement",
        "conversation abort",
        "reserved",
        "a receipt that is none",
        "a receipt without a state",
        "a receipt without an id",
    ],
)
def test_what_is_not_ours(pdu: Pdu, reason: Reason, ack: Ack) -> None:
    assert taken(pdu) == NotOurs(reason, ack)


# -- receipts --------------------------------------------------------------------------------

RECEIPT = (
    b"id:17 sub:001 dlvrd:001 submit date:2611221412 done date:2611221413 "
    b"stat:DELIVRD err:000 text:smetka"
)


@pytest.mark.parametrize("esm_class", [0x04, 0x44, 0x84, 0x07, 0x24, 0x64, 0xE7], ids=hex)
def test_a_receipt(esm_class: int) -> None:
    octets = b"\x03\x24\x01\x01" + RECEIPT if esm_class & 0x40 else RECEIPT
    assert taken(deliver(octets, esm_class=esm_class, destination_addr="1")) == Receipt(
        "mtel", AT, "17", ReceiptState.DELIVERED, "000", PHONE, "2611221413"
    )


def test_a_receipt_in_tlvs() -> None:
    tlvs = [(int(Tlv.RECEIPTED_MESSAGE_ID), b"a1\0"), (int(Tlv.MESSAGE_STATE), b"\x05")]
    receipt = taken(deliver(b"", tlvs, esm_class=0x04, source_addr="Vivacom"))
    assert receipt == Receipt("mtel", AT, "a1", ReceiptState.UNDELIVERABLE, "", None)


@pytest.mark.parametrize(
    ("stat", "state"),
    [
        (b"DELIVRD", ReceiptState.ENROUTE),
        (b"UNDELIV", ReceiptState.ENROUTE),
        (b"ENROUTE", ReceiptState.ENROUTE),
        (b"ACCEPTD", ReceiptState.ACCEPTED),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) else "",
)
def test_an_intermediate_notification_is_never_final(stat: bytes, state: ReceiptState) -> None:
    for esm_class, header in ((0x20, b""), (0x60, b"\x03\x24\x01\x01"), (0xA3, b"")):
        octets = header + RECEIPT.replace(b"DELIVRD", stat)
        receipt = taken(deliver(octets, esm_class=esm_class))
        assert isinstance(receipt, Receipt)
        assert receipt.state is state
        assert not receipt.state.final


@pytest.mark.parametrize(
    ("form", "response", "receipt"),
    [
        ("as_is", "00a1B2", "00a1B2"),
        ("hex_in_response", "0000A1b2", "41394"),
        ("hex_in_response", "a1b2", "0000041394"),
        ("hex_in_receipt", "41394", "A1B2"),
        ("hex_in_receipt", "0000041394", "0000a1b2"),
        ("hex_in_response", "ffffffffffffffffffff", "1208925819614629174706175"),
        ("hex_in_response", "5f1c-uuid", "5f1c-uuid"),
        ("hex_in_receipt", "", ""),
        ("hex_in_receipt", "²", "²"),
        ("hex_in_receipt", "1_0", "1_0"),
    ],
    ids=repr,
)
def test_ids_of_responses_and_receipts_come_together(
    form: str, response: str, receipt: str
) -> None:
    forms = ID_FORMS[form]
    assert forms.response(response) == forms.receipt(receipt)


@given(st.sampled_from(sorted(ID_FORMS)), st.text(max_size=80))
def test_no_id_raises(form: str, message_id: str) -> None:
    assert isinstance(ID_FORMS[form].response(message_id), str)
    assert isinstance(ID_FORMS[form].receipt(message_id), str)


def test_the_form_applies_to_both_ends() -> None:
    speaks = translator(message_id="hex_in_response")
    response = Pdu(Command.SUBMIT_SM_RESP, 0, 1, {"message_id": "1F"})
    receipt = speaks.incoming(deliver(RECEIPT.replace(b"17", b"31"), esm_class=4), 42, AT)
    assert isinstance(receipt, Receipt)
    assert speaks.outcome(SEGMENT, response, AT).message_id == receipt.message_id == "31"


@given(
    octets=st.binary(max_size=254),
    esm_class=st.integers(0, 255),
    data_coding=st.integers(0, 255),
    tlvs=st.lists(
        st.tuples(
            st.sampled_from([0x1400, 0x001E, 0x0427, 0x0423]),
            st.binary(min_size=1, max_size=3),
        ),
        max_size=4,
    ),
    source=st.text(alphabet="+0359888123456 aé", max_size=20),
    ton=st.integers(0, 255),
)
def test_whatever_comes_is_something(
    octets: bytes,
    esm_class: int,
    data_coding: int,
    tlvs: list[tuple[int, bytes]],
    source: str,
    ton: int,
) -> None:
    fields: dict[str, FieldValue] = {
        "esm_class": esm_class,
        "data_coding": data_coding,
        "source_addr": source,
        "source_addr_ton": ton,
        "destination_addr": "170077",
        "short_message": octets,
    }
    what = taken(Pdu(Command.DELIVER_SM, 0, 1, fields, tlvs))
    assert isinstance(what, Mo | Receipt | NotOurs)


# -- messages to customers -------------------------------------------------------------------

SEGMENT = Segment(
    key=SegmentKey(1, 1),
    carrier="mtel",
    kind=MessageKind.ANSWER,
    destination=PHONE,
    octets=b"45,20 EUR",
    data_coding=0,
    layout=Layout.PLAIN,
    attempts=0,
    created_at=AT,
)


def submitted(segment: Segment, **keys: Any) -> Pdu:
    """What a carrier reads."""
    form = translator(**keys).submit(segment, AT, True)
    return decode(encode(Pdu(Command.SUBMIT_SM, 0, 1, form.fields, form.tlvs)))


def test_a_submit_by_default() -> None:
    pdu = submitted(SEGMENT)
    assert {name: value for name, value in pdu.fields.items() if value} == {
        "source_addr_ton": 3,
        "source_addr": "170077",
        "dest_addr_ton": 1,
        "dest_addr_npi": 1,
        "destination_addr": "359888123456",
        "registered_delivery": 1,
        "sm_length": 9,
        "short_message": b"45,20 EUR",
    }
    assert pdu.tlvs == []


def test_a_submit_of_a_part_in_ucs2() -> None:
    pdu = submitted(
        SEGMENT._replace(octets=b"\x05\0\x03\1\2\1\x04\x41", data_coding=8, layout=Layout.UDH)
    )
    assert (pdu.fields["esm_class"], pdu.fields["data_coding"]) == (0x40, 8)


@pytest.mark.parametrize("receipts", [True, False], ids=["receipts", "no receipts"])
def test_receipts_are_asked_for_where_they_are_wanted(receipts: bool) -> None:
    assert submitted(SEGMENT, receipts=receipts).fields["registered_delivery"] == receipts


OWN_WAYS = {
    "source": {"address": "CEZ", "ton": 5, "npi": 0},
    "destination": {"ton": 2, "npi": 8},
    "service_type": "PAID",
    "tlvs": {"0x1401": "01", "0x1402": "aa"},
    "kinds": {
        "notice": {"service_type": "FREE", "source": {"address": "170078"}},
        "manual": {"tlvs": {"0x1401": "02"}},
    },
}


@pytest.mark.parametrize(
    ("kind", "source", "service_type", "tlvs"),
    [
        (MessageKind.ANSWER, "CEZ", "PAID", [(0x1401, b"\1"), (0x1402, b"\xaa")]),
        (MessageKind.NOTICE, "170078", "FREE", [(0x1401, b"\1"), (0x1402, b"\xaa")]),
        (MessageKind.MANUAL, "CEZ", "PAID", [(0x1401, b"\2"), (0x1402, b"\xaa")]),
    ],
    ids=["as the carrier's", "notice", "manual"],
)
def test_a_carrier_s_own_ways_and_a_kind_s(
    kind: MessageKind, source: str, service_type: str, tlvs: list[tuple[int, bytes]]
) -> None:
    pdu = submitted(SEGMENT._replace(kind=kind), **OWN_WAYS)
    assert pdu.fields["source_addr"] == source
    assert (pdu.fields["source_addr_ton"], pdu.fields["source_addr_npi"]) == (5, 0)
    assert (pdu.fields["dest_addr_ton"], pdu.fields["dest_addr_npi"]) == (2, 8)
    assert pdu.fields["service_type"] == service_type
    assert pdu.tlvs == tlvs


@given(
    tags=st.dictionaries(
        st.one_of(st.sampled_from([tlv.value for tlv in Tlv]), st.integers(0, 0xFFFF)),
        st.one_of(st.binary(max_size=5), st.binary(max_size=4).map(lambda octets: octets + b"\0")),
        max_size=3,
    ),
    ton=st.integers(0, 6),
    name=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=21),
    payload=st.binary(max_size=140),
)
def test_whatever_loads_can_be_sent(
    tags: dict[int, bytes], ton: int, name: str, payload: bytes
) -> None:
    marking = {"tlvs": tags, "source": {"address": name, "ton": ton}}
    try:
        ways = translator(**marking, kinds={"notice": marking}, service_type=name[:6])
    except ValidationError:
        return
    for kind in MessageKind:
        form = ways.submit(SEGMENT._replace(kind=kind, octets=payload), AT, True)
        for command in (Command.SUBMIT_SM, Command.DELIVER_SM):
            pdu = decode(encode(Pdu(command, 0, 1, dict(form.fields), list(form.tlvs))))
            assert dict(pdu.tlvs) == tags


# -- what became of them ---------------------------------------------------------------------


@pytest.mark.parametrize("status", sorted(SUBMIT), ids=hex)
def test_every_status_becomes_an_outcome(status: int) -> None:
    response = Pdu(Command.SUBMIT_SM_RESP, status, 1, {"message_id": "a1"} if not status else {})
    outcome = translator().outcome(SEGMENT, response, AT)
    assert outcome.segment is SEGMENT
    reaction = SUBMIT[status]  # but here are no TLVs that could be left out
    assert outcome.acceptance.name == reaction.name.replace("TLVS", "PERMANENT")
    assert outcome.at == AT
    assert outcome.message_id == ("" if status else "a1")
    assert bool(outcome.error) == bool(status)


@pytest.mark.parametrize(
    ("response", "acceptance", "error"),
    [
        (Pdu(Command.SUBMIT_SM_RESP, 0, 1), Acceptance.ACCEPTED, ""),
        (
            Pdu(Command.SUBMIT_SM_RESP, Status.RSUBMITFAIL, 1),
            Acceptance.FEW_TRIES,
            "0x00000045 ESME_RSUBMITFAIL",
        ),
        (Pdu(Command.SUBMIT_SM_RESP, 0x400, 1), Acceptance.FEW_TRIES, "0x00000400"),
        (
            Pdu(Command.GENERIC_NACK, Status.RTHROTTLED, 1),
            Acceptance.THROTTLED,
            "0x00000058 ESME_RTHROTTLED",
        ),
        (Pdu(Command.GENERIC_NACK, 0, 1), Acceptance.FEW_TRIES, "0x00000000 ESME_ROK"),
    ],
    ids=["accepted without id", "refused", "vendor", "nack", "a nack that says nothing"],
)
def test_outcomes(response: Pdu, acceptance: Acceptance, error: str) -> None:
    outcome = translator().outcome(SEGMENT, response, AT)
    assert (outcome.acceptance, outcome.message_id, outcome.error) == (acceptance, "", error)


def test_a_refusal_for_people() -> None:
    assert refusal(0x0E) == "0x0000000e ESME_RINVPASWD"
    assert refusal(0x4FF) == "0x000004ff"

"""What a PDU is said to say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from smsgw.smpp.describe import PDU_LIMIT, describe
from smsgw.smpp.session import BindRequested, Limits, Role, Session
from smsgw.smpp.tables import RESPONSE, Command, Status

MO: dict[str, FieldValue] = {
    "source_addr_ton": 1,
    "source_addr_npi": 1,
    "source_addr": "359888123456",
    "destination_addr": "170077",
    "short_message": b"smetka",
}


def octets(command: int, status: int = 0, **fields: FieldValue) -> bytes:
    return encode(Pdu(command, status, 7, fields))


def deliver(**fields: FieldValue) -> bytes:
    return octets(Command.DELIVER_SM, **{**MO, **fields})


def test_a_message_is_told_field_by_field() -> None:
    tlvs = [(0x0204, b"\1\2"), (0x1401, b"")]
    assert describe(encode(Pdu(Command.DELIVER_SM, 0, 7, MO, tlvs))) == {
        "command": "deliver_sm",
        "command_status": 0,
        "sequence_number": 7,
        "service_type": "",
        "source_addr_ton": 1,
        "source_addr_npi": 1,
        "source_addr": "359888123456",
        "dest_addr_ton": 0,
        "dest_addr_npi": 0,
        "destination_addr": "170077",
        "esm_class": 0,
        "protocol_id": 0,
        "priority_flag": 0,
        "schedule_delivery_time": "",
        "validity_period": "",
        "registered_delivery": 0,
        "replace_if_present_flag": 0,
        "data_coding": 0,
        "sm_default_msg_id": 0,
        "sm_length": 6,
        "short_message": "736d65746b61",
        "tlvs": [
            {"tag": "0x0204", "name": "user_message_reference", "value": "0102"},
            {"tag": "0x1401", "name": "0x1401", "value": ""},
        ],
        "kind": "mo",
    }


def test_lists_are_told_by_the_names_of_their_items() -> None:
    people = (SmeAddress(1, 2, "359888123456"), DistributionList("debtors"))
    assert describe(octets(Command.SUBMIT_MULTI, dest_address=people))["dest_address"] == [
        {"dest_addr_ton": 1, "dest_addr_npi": 2, "destination_addr": "359888123456"},
        {"dl_name": "debtors"},
    ]
    failed = (Unsuccessful(1, 2, "359888123456", 11),)
    assert describe(octets(Command.SUBMIT_MULTI_RESP, unsuccess_sme=failed))["unsuccess_sme"] == [
        {
            "dest_addr_ton": 1,
            "dest_addr_npi": 2,
            "destination_addr": "359888123456",
            "error_status_code": 11,
        }
    ]


@pytest.mark.parametrize(
    ("pdu", "kind"),
    [
        (deliver(), "mo"),
        (deliver(esm_class=0xC3), "mo"),
        (deliver(esm_class=0x04), "receipt"),
        (deliver(esm_class=0x44), "receipt"),
        (deliver(esm_class=0x08), "delivery_acknowledgement"),
        (deliver(esm_class=0x10), "user_acknowledgement"),
        (deliver(esm_class=0x18), "conversation_abort"),
        (deliver(esm_class=0x20), "intermediate_notification"),
        (deliver(esm_class=0x24), "receipt"),
        (deliver(esm_class=0x3C), "reserved"),
        (octets(Command.DATA_SM), "mo"),
        (octets(Command.DATA_SM, esm_class=4), "receipt"),
        (octets(Command.SUBMIT_SM), "mt"),
        (octets(Command.SUBMIT_SM, esm_class=4), "receipt"),
        (octets(Command.SUBMIT_MULTI), "mt"),
        (octets(Command.BIND_RECEIVER), None),
        (octets(Command.DELIVER_SM_RESP), None),
        (octets(Command.ENQUIRE_LINK), None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_kind_is_read_from_command_and_esm_class(pdu: bytes, kind: str | None) -> None:
    assert describe(pdu)["kind"] == kind


BAD = {
    "unknown command": ("00000010 00000099 00000000 00000009", "generic_nack", 3, 9),
    "length below 16": ("0000000f 00000005 00000000 00000009", "generic_nack", 2, 9),
    "length above the limit": ("7fffffff 00000005 00000000 00000009", "generic_nack", 2, 9),
    "no body": ("00000010 00000005 00000000 00000009", "deliver_sm_resp", 8, 9),
    "sm_length": (deliver().hex().replace("06736d", "07736d"), "deliver_sm_resp", 1, 7),
    "source address": (
        "00000026 00000005 00000000 00000009 000101 " + "31" * 19,
        "deliver_sm_resp",
        0x0A,
        9,
    ),
    "TLV breaks off": (
        octets(Command.BIND_RECEIVER).hex().replace("00000017", "0000001a", 1) + "042400",
        "bind_receiver_resp",
        0xC0,
        7,
    ),
    "enough for one and more": (
        "00000010 00000005 00000000 00000009 00000010",
        "deliver_sm_resp",
        8,
        9,
    ),
}


@pytest.mark.parametrize(("text", "command", "status", "sequence"), BAD.values(), ids=list(BAD))
def test_what_can_t_be_read_has_an_error_and_an_answer(
    text: str, command: str, status: int, sequence: int
) -> None:
    told = describe(bytes.fromhex(text))
    answer = told["answer"]
    assert told["error"]
    assert told["sequence_number"] == sequence
    assert answer["command"] == command
    assert answer["command_status"] == status
    assert answer["sequence_number"] == sequence
    assert decode(bytes.fromhex(answer["hex"])).status == status


NOTHING = {
    "no octet": "",
    "half a header": "00000010 0000",
    "half a message": deliver().hex()[:-2],
    "unknown response": "00000010 80000099 00000000 00000009",
    "response with a broken TLV": "00000014 80000004 00000000 00000009 00042400",
    "outbind, which has no answer": "00000010 0000000b 00000000 00000009",
    "one that is whole, and more": "00000010 00000015 00000000 00000009 00",
}


@pytest.mark.parametrize("text", NOTHING.values(), ids=list(NOTHING))
def test_where_a_session_sends_nothing_back_the_answer_is_none(text: str) -> None:
    told = describe(bytes.fromhex(text))
    assert told["error"]
    assert told["answer"] is None


def test_of_a_header_what_is_there_is_told() -> None:
    told = describe(bytes.fromhex("00000010 00000099 00000007 00000009"))
    assert (told["command"], told["command_status"]) == ("0x00000099", 7)
    assert "command" not in describe(b"\0\0\0\x10")


def test_before_a_broken_tlv_the_mandatory_part_is_told() -> None:
    broken = deliver() + bytes.fromhex("0204 0001 ff")
    told = describe(len(broken).to_bytes(4) + broken[4:])
    assert told["short_message"] == "736d65746b61"
    assert told["kind"] == "mo"
    assert told["answer"]["command_status"] == Status.RINVPARLEN


def test_a_pdu_above_the_limit_is_refused_as_a_session_does() -> None:
    payload = [(0x0424, bytes(0xFFFF)), (0x1401, bytes(PDU_LIMIT))]
    told = describe(encode(Pdu(Command.DATA_SM, 0, 7, {}, payload[:1])))
    assert "error" not in told
    for tlvs in (payload[:1] * 2, [(0x1401, bytes(60_000))] * 2):
        told = describe(encode(Pdu(Command.DATA_SM, 0, 7, {}, tlvs)))
        assert "above the limit" in told["error"]
        assert told["answer"]["command"] == "generic_nack"
        assert told["answer"]["command_status"] == Status.RINVCMDLEN
        assert told["command"] == "data_sm"


def session_for(command: int) -> Session:
    """A session, bound as transceiver if need be, that `command` may come to."""
    binds = (Command.BIND_RECEIVER, Command.BIND_TRANSMITTER, Command.BIND_TRANSCEIVER)
    smsc = command in (*range(1, 10), Command.SUBMIT_MULTI) and command != Command.DELIVER_SM
    session = Session(Role.SMSC if smsc else Role.ESME, Limits(), 0.0)
    if session.role is Role.ESME:
        session.bind(Command.BIND_TRANSCEIVER, 0.0, system_id="cez", password="secret")
        session.receive(encode(Pdu(Command.BIND_TRANSCEIVER_RESP, 0, 1)), 0.0)
    elif command not in binds:
        (event,) = session.receive(encode(Pdu(Command.BIND_TRANSCEIVER, 0, 1)), 0.0)
        assert isinstance(event, BindRequested)
        session.accept_bind(event.pdu, "smsc", 0.0)
    session.take_output()
    return session


mutated: Any = st.builds(
    lambda pdu, at, octet: pdu[: at % len(pdu)] + bytes([octet]) + pdu[at % len(pdu) + 1 :],
    st.sampled_from([octets(command) for command in Command] + [deliver()]),
    st.integers(0, 200),
    st.integers(0, 255),
)


@given(mutated | st.binary(max_size=60))
def test_the_answer_is_what_a_session_sends_back(data: bytes) -> None:
    told = describe(data)
    assert json.loads(json.dumps(told)) == told
    try:
        decode(data)
    except PduError as error:
        session = session_for(error.command)
        session.receive(data, 1.0)
        sent = session.take_output()
        answer = told["answer"]
        assert (answer["hex"] if answer else "") == sent[:16].hex()
    else:
        assert "error" not in told
        assert told["kind"] is None or not told["command"].endswith("_resp")
        assert decode(data).command & RESPONSE == told["command"].endswith("_resp") * RESPONSE or (
            told["command"] == "generic_nack"
        )

"""What a session makes of peers that deviate: it takes what can be taken, and answers the rest."""

import pytest

from smsgw.smpp.codec import Fields, Pdu, decode, encode
from smsgw.smpp.session import (
    Answered,
    BindRequested,
    Bound,
    Limits,
    Received,
    Role,
    Session,
    State,
    Violation,
)
from smsgw.smpp.tables import Command, Status, Tlv

MO: Fields = {
    "source_addr": "359888123456",
    "destination_addr": "170077",
    "short_message": b"smetka",
}
SEQUENCES = (0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@pytest.fixture
def open_esme() -> Session:
    return Session(Role.ESME, Limits(), 0.0)


@pytest.fixture
def esme(open_esme: Session) -> Session:
    """Bound as transceiver, with request number 2 out."""
    open_esme.bind(Command.BIND_TRANSCEIVER, 0.0, system_id="cez", password="secret")
    open_esme.receive(encode(Pdu(Command.BIND_TRANSCEIVER_RESP, 0, 1)), 0.0)
    open_esme.request(Command.SUBMIT_SM, MO, (), 0.0, "context")
    open_esme.take_output()
    return open_esme


# -- headers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [1, 0x58, 0xFFFFFFFF], ids=hex)
def test_the_status_of_a_request_is_ignored(esme: Session, status: int) -> None:
    (event,) = esme.receive(encode(Pdu(Command.DELIVER_SM, status, 5, MO)), 1.0)
    assert isinstance(event, Received)
    assert esme.receive(encode(Pdu(Command.ENQUIRE_LINK, status, 6)), 1.0) == []
    assert decode(esme.take_output()).status == 0


def test_the_status_of_a_bind_is_ignored() -> None:
    smsc = Session(Role.SMSC, Limits(), 0.0)
    (event,) = smsc.receive(encode(Pdu(Command.BIND_RECEIVER, 0x58, 5)), 1.0)
    assert isinstance(event, BindRequested)


def raw(command: int, sequence: int, body: str) -> bytes:
    octets = bytes.fromhex(body)
    header = (16 + len(octets), command, 0, sequence)
    return b"".join(number.to_bytes(4) for number in header) + octets


ANSWERED_ALONE = {
    "enquire_link": (Command.ENQUIRE_LINK, "", Command.ENQUIRE_LINK_RESP, 0),
    "unbind": (Command.UNBIND, "", Command.UNBIND_RESP, 0),
    "unknown": (0x99, "", Command.GENERIC_NACK, Status.RINVCMDID),
    "unknown, of SMPP 5.0": (0x111, "00", Command.GENERIC_NACK, Status.RINVCMDID),
    "wrong side": (Command.CANCEL_SM, "", Command.CANCEL_SM_RESP, Status.RINVBNDSTS),
    "no body": (Command.DELIVER_SM, "", Command.DELIVER_SM_RESP, Status.RSYSERR),
}


@pytest.mark.parametrize("sequence", SEQUENCES, ids=hex)
@pytest.mark.parametrize(
    ("command", "body", "answer", "status"), ANSWERED_ALONE.values(), ids=ANSWERED_ALONE
)
def test_any_sequence_number_comes_back(
    command: int, body: str, answer: int, status: int, sequence: int
) -> None:
    session = Session(Role.ESME, Limits(), 0.0)
    session.bind(Command.BIND_RECEIVER, 0.0, system_id="cez", password="secret")
    session.receive(encode(Pdu(Command.BIND_RECEIVER_RESP, 0, 1)), 0.0)
    session.take_output()
    session.receive(raw(command, sequence, body), 1.0)
    said = decode(session.take_output())
    assert (said.command, said.status, said.sequence) == (answer, status, sequence)


def test_two_requests_of_one_number_are_two(esme: Session) -> None:
    one = encode(Pdu(Command.DELIVER_SM, 0, 7, MO))
    events = esme.receive(one + one, 1.0)
    requests = [event.pdu for event in events if isinstance(event, Received)]
    assert len(requests) == 2
    for request in requests:
        esme.respond(request, 0, 1.0)
    assert esme.take_output() == encode(Pdu(Command.DELIVER_SM_RESP, 0, 7)) * 2


def test_numbers_of_the_two_directions_do_not_meet(esme: Session) -> None:
    """The peer's request number 2 while ours is out."""
    (event,) = esme.receive(encode(Pdu(Command.DELIVER_SM, 0, 2, MO)), 1.0)
    assert isinstance(event, Received)
    assert esme.outstanding == 1


def test_a_deliver_sm_resp_is_its_header_and_one_nul(esme: Session) -> None:
    (event,) = esme.receive(encode(Pdu(Command.DELIVER_SM, 0, 7, MO)), 1.0)
    assert isinstance(event, Received)
    esme.respond(event.pdu, 0, 1.0)
    assert esme.take_output() == bytes.fromhex("00000011 80000005 00000000 00000007 00")


# -- bodies ----------------------------------------------------------------------------------

WHOLE = encode(Pdu(Command.DELIVER_SM, 0, 0, MO))[16:].hex()
FAULTS = {
    "sm_length": (WHOLE.replace("06736d", "07736d"), Status.RINVMSGLEN),
    "source_addr": ("00 0101 " + "33" * 21 + "00", Status.RINVSRCADR),
    "destination_addr": ("00 0101 3300 0101 " + "33" * 21 + "00", Status.RINVDSTADR),
    "a TLV beyond the end": (WHOLE + "0424 0005 31", Status.RINVOPTPARSTREAM),
    "half a TLV": (WHOLE + "0424 00", Status.RINVOPTPARSTREAM),
    "a TLV's length": (WHOLE + "0427 0002 0202", Status.RINVPARLEN),
    "service_type": ("31" * 7 + "00", Status.RSYSERR),
    "nothing": ("", Status.RSYSERR),
}


@pytest.mark.parametrize(("body", "status"), FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_with_a_body_is_said(esme: Session, body: str, status: int) -> None:
    (event,) = esme.receive(raw(Command.DELIVER_SM, 9, body), 1.0)
    assert isinstance(event, Violation)
    assert esme.take_output() == raw(Command.DELIVER_SM_RESP, 9, "")[:8] + bytes.fromhex(
        f"{status:08x} 00000009"
    )
    (event,) = esme.receive(encode(Pdu(Command.DELIVER_SM, 0, 1, MO)), 1.0)
    assert isinstance(event, Received), "the session goes on"


@pytest.mark.parametrize("body", [body for body, _ in FAULTS.values()], ids=FAULTS)
def test_in_the_wrong_state_the_state_is_what_is_wrong(open_esme: Session, body: str) -> None:
    (event,) = open_esme.receive(raw(Command.DELIVER_SM, 9, body), 1.0)
    assert isinstance(event, Violation)
    assert decode(open_esme.take_output()).status == Status.RINVBNDSTS
    assert open_esme.state is State.OPEN


def test_tlvs_in_any_order_and_unknown_ones_come_as_they_are(esme: Session) -> None:
    tlvs = [(0x3FFF, b"\0"), (int(Tlv.MESSAGE_STATE), b"\2"), (0x1400, b""), (0x0001, b"x")]
    (event,) = esme.receive(encode(Pdu(Command.DELIVER_SM, 0, 9, MO, tlvs)), 1.0)
    assert isinstance(event, Received)
    assert event.pdu.tlvs == tlvs


# -- responses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message_id"),
    [("", ""), ("00", ""), ("6131", "a1"), ("61" * 70 + "00", "a" * 70), ("6131 00 04", "a1")],
    ids=["none", "empty", "without its NUL", "too long", "before a broken TLV"],
)
def test_a_message_is_accepted_whatever_its_id_looks_like(
    esme: Session, body: str, message_id: str
) -> None:
    events = esme.receive(raw(Command.SUBMIT_SM_RESP, 2, body), 1.0)
    (answer,) = (event for event in events if isinstance(event, Answered))
    assert (answer.context, answer.pdu.status) == ("context", 0)
    assert answer.pdu.text("message_id") == message_id


@pytest.mark.parametrize(
    "body",
    ["", "00", "736d7363", "736d736300 0210 0001 34", "736d736300 0210 0000", "736d736300 0210"],
    ids=["none", "no name", "no NUL", "with its version", "an empty version", "a broken TLV"],
)
def test_a_bind_is_taken_whatever_the_rest_of_its_response(open_esme: Session, body: str) -> None:
    open_esme.bind(Command.BIND_TRANSCEIVER, 0.0, system_id="cez", password="secret")
    events = open_esme.receive(raw(Command.BIND_TRANSCEIVER_RESP, 1, body), 1.0)
    assert isinstance(events[-1], Bound)
    assert open_esme.state is State.BOUND_TRX
    assert open_esme.peer_version == (0x34 if body.endswith("34") else None)


def test_tlvs_of_a_peer_that_is_too_old_for_them_are_read(open_esme: Session) -> None:
    open_esme.bind(Command.BIND_TRANSCEIVER, 0.0, system_id="cez", password="secret")
    open_esme.receive(raw(Command.BIND_TRANSCEIVER_RESP, 1, "00 0210 0001 33"), 1.0)
    assert not open_esme.takes_tlvs
    tlvs = [(int(Tlv.RECEIPTED_MESSAGE_ID), b"a1\0")]
    (event,) = open_esme.receive(encode(Pdu(Command.DELIVER_SM, 0, 9, MO, tlvs)), 1.0)
    assert isinstance(event, Received)
    assert event.pdu.tlvs == tlvs

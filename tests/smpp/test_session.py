"""What a session does, told as scenarios with a clock of their own."""

import math
from collections.abc import Callable

import pytest

from smsgw.smpp.codec import EncodeError, Fields, FieldValue, Pdu, decode, encode
from smsgw.smpp.session import (
    Answered,
    AnsweredLate,
    BindRefused,
    BindRequested,
    Bound,
    Ended,
    Event,
    Limits,
    Lost,
    Received,
    Role,
    Session,
    SessionError,
    State,
    Violation,
)
from smsgw.smpp.tables import Command, Status, Tlv
from smsgw.smpp.traffic import Tally

MO: Fields = {
    "source_addr": "359888123456",
    "destination_addr": "170077",
    "short_message": b"smetka",
}
MT: Fields = {
    "source_addr": "170077",
    "destination_addr": "359888123456",
    "short_message": b"45,20 EUR",
}
LIMITS = Limits(window=3, enquire_link=30, response_timeout=60, bind_timeout=10)


def pdu(command: int, status: int = 0, sequence: int = 1, **fields: FieldValue) -> bytes:
    return encode(Pdu(command, status, sequence, fields))


def sent(session: Session) -> list[Pdu]:
    """What the session has written, PDU by PDU."""
    octets = session.take_output()
    found = []
    while octets:
        size = int.from_bytes(octets[:4])
        found.append(decode(octets[:size]))
        octets = octets[size:]
    return found


def kinds(events: list[Event]) -> list[type]:
    return [type(event) for event in events]


def bound_esme(limits: Limits = LIMITS, now: float = 0.0) -> Session:
    session = Session(Role.ESME, limits, now)
    session.bind(Command.BIND_TRANSCEIVER, now, system_id="cez", password="secret")
    (request,) = sent(session)
    octets = pdu(Command.BIND_TRANSCEIVER_RESP, 0, request.sequence, system_id="smsc")
    assert kinds(session.receive(octets, now)) == [Bound]
    return session


def bound_smsc(limits: Limits = LIMITS, now: float = 0.0) -> Session:
    session = Session(Role.SMSC, limits, now)
    (event,) = session.receive(pdu(Command.BIND_TRANSCEIVER, interface_version=0x34), now)
    assert isinstance(event, BindRequested)
    session.accept_bind(event.pdu, "smsc", now)
    session.take_output()
    return session


# -- bind ------------------------------------------------------------------------------------


def test_a_bind_says_who_we_are() -> None:
    session = Session(Role.ESME, LIMITS, 0.0)
    session.bind(
        Command.BIND_TRANSCEIVER,
        0.0,
        system_id="cez",
        password="secret",
        system_type="SMS",
        address_range="170077",
    )
    (request,) = sent(session)
    assert request.command == Command.BIND_TRANSCEIVER
    assert request.sequence == 1
    assert request.fields["system_id"] == "cez"
    assert request.fields["password"] == "secret"
    assert request.fields["system_type"] == "SMS"
    assert request.fields["interface_version"] == 0x34
    assert request.fields["address_range"] == "170077"
    assert session.state is State.BINDING


@pytest.mark.parametrize(
    ("command", "state"),
    [
        (Command.BIND_TRANSMITTER, State.BOUND_TX),
        (Command.BIND_RECEIVER, State.BOUND_RX),
        (Command.BIND_TRANSCEIVER, State.BOUND_TRX),
    ],
    ids=lambda value: value.name.lower() if isinstance(value, Command) else "",
)
def test_both_ends_come_to_the_same_state(command: Command, state: State) -> None:
    esme, smsc = Session(Role.ESME, LIMITS, 0.0), Session(Role.SMSC, LIMITS, 0.0)
    esme.bind(command, 0.0, system_id="cez", password="secret")
    (asked,) = smsc.receive(esme.take_output(), 0.1)
    assert isinstance(asked, BindRequested)
    assert asked.pdu.text("password") == "secret"
    smsc.accept_bind(asked.pdu, "smsc", 0.1)
    (taken,) = esme.receive(smsc.take_output(), 0.2)
    assert isinstance(taken, Bound)
    assert taken.pdu.text("system_id") == "smsc"
    assert esme.state is smsc.state is state
    assert esme.peer_version == smsc.peer_version == 0x34


@pytest.mark.parametrize(
    "answer",
    [
        pdu(Command.BIND_TRANSCEIVER_RESP, Status.RINVPASWD),
        pdu(Command.GENERIC_NACK, Status.RINVCMDID),
        pdu(Command.GENERIC_NACK, 0),
    ],
    ids=["refused", "version 3.3", "a nack that says nothing"],
)
def test_a_refused_bind_leaves_the_session_open(answer: bytes) -> None:
    session = Session(Role.ESME, LIMITS, 0.0)
    session.bind(Command.BIND_TRANSCEIVER, 0.0, system_id="cez", password="secret")
    (event,) = session.receive(answer, 1.0)
    assert isinstance(event, BindRefused)
    assert event.status == decode(answer).status
    assert session.state is State.OPEN
    session.bind(Command.BIND_TRANSMITTER, 1.0, system_id="cez", password="secret")
    assert sent(session)[-1].sequence == 2


def test_a_refusal_of_the_smsc_leaves_it_open() -> None:
    session = Session(Role.SMSC, LIMITS, 0.0)
    (event,) = session.receive(pdu(Command.BIND_RECEIVER, sequence=7), 0.0)
    assert isinstance(event, BindRequested)
    session.refuse_bind(event.pdu, Status.RALYBND, 0.0)
    (answer,) = sent(session)
    assert answer.command == Command.BIND_RECEIVER_RESP
    assert (answer.status, answer.sequence) == (Status.RALYBND, 7)
    assert session.state is State.OPEN
    assert kinds(session.receive(pdu(Command.BIND_RECEIVER), 0.0)) == [BindRequested]


def test_the_answer_to_another_bind_is_none() -> None:
    session = Session(Role.ESME, LIMITS, 0.0)
    session.bind(Command.BIND_TRANSCEIVER, 0.0, system_id="cez", password="secret")
    assert kinds(session.receive(pdu(Command.BIND_RECEIVER_RESP), 1.0)) == [Violation]
    assert session.state is State.BINDING


def test_a_name_that_does_not_fit_binds_nothing() -> None:
    session = Session(Role.ESME, LIMITS, 0.0)
    with pytest.raises(EncodeError):
        session.bind(Command.BIND_TRANSCEIVER, 0.0, system_id="c" * 16, password="secret")
    assert session.state is State.OPEN
    assert session.take_output() == b""


@pytest.mark.parametrize("begun", [False, True], ids=["nobody asked", "nobody answered"])
@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
def test_who_does_not_bind_in_time_is_left(role: Role, begun: bool) -> None:
    session = Session(role, LIMITS, 5.0)
    if begun and role is Role.ESME:
        session.bind(Command.BIND_TRANSCEIVER, 6.0, system_id="cez", password="secret")
    elif begun:
        session.receive(pdu(Command.BIND_TRANSCEIVER), 6.0)
    assert session.deadline == 15.0
    assert session.tick(14.9) == []
    assert session.tick(15.0) == [Ended("no bind in time")]
    assert session.state is State.CLOSED
    assert session.deadline == math.inf


def test_outbind_comes_before_the_bind() -> None:
    smsc, esme = Session(Role.SMSC, LIMITS, 0.0), Session(Role.ESME, LIMITS, 0.0)
    smsc.request(Command.OUTBIND, {"system_id": "smsc", "password": "secret"}, (), 0.0, None)
    assert smsc.outstanding == 0
    (event,) = esme.receive(smsc.take_output(), 0.0)
    assert isinstance(event, Received)
    assert event.pdu.text("system_id") == "smsc"
    esme.bind(Command.BIND_RECEIVER, 0.0, system_id="cez", password="secret")
    assert kinds(smsc.receive(esme.take_output(), 0.0)) == [BindRequested]


# -- requests and responses ------------------------------------------------------------------


def test_a_submit_is_answered() -> None:
    session = bound_esme()
    sequence = session.request(Command.SUBMIT_SM, MT, (), 10.0, "context")
    (request,) = sent(session)
    assert request.sequence == sequence == 2
    assert request.octets("short_message") == b"45,20 EUR"
    (event,) = session.receive(pdu(Command.SUBMIT_SM_RESP, 0, 2, message_id="a1"), 10.5)
    assert isinstance(event, Answered)
    assert (event.context, event.elapsed) == ("context", 0.5)
    assert event.pdu.text("message_id") == "a1"
    assert session.outstanding == 0


def test_a_nack_is_an_answer() -> None:
    session = bound_esme()
    session.request(Command.SUBMIT_SM, MT, (), 10.0, "context")
    (event,) = session.receive(pdu(Command.GENERIC_NACK, Status.RTHROTTLED, 2), 11.0)
    assert isinstance(event, Answered)
    assert (event.context, event.pdu.status) == ("context", Status.RTHROTTLED)


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        ("00000010 80000004 00000000 00000002", 0),
        ("00000011 80000004 00000000 00000002 00", 0),
        ("00000011 80000004 00000058 00000002 00", 0x58),
        ("00000012 80000004 00000000 00000002 6131", 0),
        ("00000016 80000004 00000000 00000002 613100 0424 00", 0),
        ("00000017 80000004 00000000 00000002 613100 04240005", 0),
    ],
    ids=["no body", "empty id", "error with a body", "no NUL", "TLV breaks off", "TLV too long"],
)
def test_a_sloppy_response_is_an_answer(octets: str, status: int) -> None:
    session = bound_esme()
    session.request(Command.SUBMIT_SM, MT, (), 10.0, "context")
    events = session.receive(bytes.fromhex(octets), 11.0)
    answers = [event for event in events if isinstance(event, Answered)]
    assert [(event.context, event.pdu.status) for event in answers] == [("context", status)]
    assert kinds(session.receive(pdu(Command.ENQUIRE_LINK), 11.0)) == []


@pytest.mark.parametrize(
    "octets",
    [
        pdu(Command.SUBMIT_SM_RESP, 0, 3, message_id="a1"),
        pdu(Command.QUERY_SM_RESP, 0, 2),
        pdu(Command.DELIVER_SM_RESP, 0, 2),
        pdu(Command.GENERIC_NACK, Status.RSYSERR, 0),
        bytes.fromhex("00000010 80000099 00000000 00000002"),
    ],
    ids=["unknown sequence", "of another command", "of the other side", "nack", "unknown id"],
)
def test_a_response_to_nothing_is_logged_and_never_answered(octets: bytes) -> None:
    session = bound_esme()
    session.request(Command.SUBMIT_SM, MT, (), 10.0, "context")
    session.take_output()
    (event,) = session.receive(octets, 11.0)
    assert isinstance(event, Violation)
    assert event.octets == octets
    assert session.take_output() == b""
    assert session.outstanding == 1


def test_a_response_comes_once() -> None:
    session = bound_esme()
    session.request(Command.SUBMIT_SM, MT, (), 10.0, "context")
    answer = pdu(Command.SUBMIT_SM_RESP, 0, 2, message_id="a1")
    assert kinds(session.receive(answer + answer, 11.0)) == [Answered, Violation]


@pytest.mark.parametrize("sequence", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF], ids=hex)
def test_the_peer_s_sequence_comes_back_as_it_is(sequence: int) -> None:
    session = bound_esme()
    (event,) = session.receive(encode(Pdu(Command.DELIVER_SM, 0, sequence, MO)), 1.0)
    assert isinstance(event, Received)
    session.respond(event.pdu, 0, 1.0)
    assert session.take_output() == pdu(Command.DELIVER_SM_RESP, 0, sequence)


def test_an_error_response_is_its_header() -> None:
    session = bound_esme()
    (event,) = session.receive(encode(Pdu(Command.DELIVER_SM, 0, 5, MO)), 1.0)
    assert isinstance(event, Received)
    session.respond(event.pdu, Status.RX_T_APPN, 1.0, {"message_id": "x"}, [(0x1401, b"1")])
    assert session.take_output().hex(" ", 4) == "00000010 80000005 00000064 00000005"


def test_a_response_of_the_smsc_carries_the_id() -> None:
    session = bound_smsc()
    (event,) = session.receive(encode(Pdu(Command.SUBMIT_SM, 0, 5, MT)), 1.0)
    assert isinstance(event, Received)
    session.respond(event.pdu, 0, 1.0, {"message_id": "a1"}, [(0x1401, b"1")])
    (answer,) = sent(session)
    assert answer.text("message_id") == "a1"
    assert answer.tlvs == [(0x1401, b"1")]


def test_an_alert_asks_for_nothing() -> None:
    smsc, esme = bound_smsc(), bound_esme()
    smsc.request(Command.ALERT_NOTIFICATION, {"source_addr": "359888123456"}, (), 1.0, None)
    assert smsc.outstanding == 0
    (event,) = esme.receive(smsc.take_output(), 1.0)
    assert isinstance(event, Received)
    esme.respond(event.pdu, 0, 1.0)
    assert esme.take_output() == b""


def test_the_window_bounds_requests_and_nothing_else() -> None:
    session = bound_esme()
    for number in range(3):
        assert session.window_free == 3 - number
        session.request(Command.SUBMIT_SM, MT, (), 1.0, number)
    with pytest.raises(SessionError):
        session.request(Command.SUBMIT_SM, MT, (), 1.0, 3)
    session.take_output()
    session.tick(31.0)
    assert [each.command for each in sent(session)] == [Command.ENQUIRE_LINK]
    session.receive(pdu(Command.SUBMIT_SM_RESP, 0, 3, message_id="x"), 31.5)
    assert (session.window_free, session.outstanding) == (1, 2)
    session.unbind(32.0)
    assert [each.command for each in sent(session)] == [Command.UNBIND]


def test_a_message_that_does_not_fit_takes_no_place() -> None:
    session = bound_esme()
    with pytest.raises(EncodeError):
        session.request(Command.SUBMIT_SM, {**MT, "short_message": b"x" * 255}, (), 1.0, "context")
    assert session.outstanding == 0
    assert session.take_output() == b""


def test_a_late_response_is_lost_by_its_own_time() -> None:
    session = bound_esme()
    session.request(Command.SUBMIT_SM, MT, (), 1.0, "first")
    session.request(Command.SUBMIT_SM, MT, (), 5.0, "second")
    session.receive(pdu(Command.ENQUIRE_LINK), 59.0)
    assert session.deadline == 61.0
    assert session.tick(60.9) == []
    assert session.tick(61.0) == [Lost("first", "no response in time")]
    assert session.deadline == 65.0
    assert session.outstanding == 1
    events = session.receive(
        pdu(Command.SUBMIT_SM_RESP, 0, 2, message_id="x")
        + pdu(Command.SUBMIT_SM_RESP, 0, 3, message_id="y"),
        64.0,
    )
    assert kinds(events) == [AnsweredLate, Answered]


@pytest.mark.parametrize("version", [0, 0x33, 0x34, 0x50, None], ids=str)
def test_an_old_peer_gets_no_tlvs(version: int | None) -> None:
    session = Session(Role.ESME, LIMITS, 0.0)
    session.bind(Command.BIND_TRANSCEIVER, 0.0, system_id="cez", password="secret")
    tlvs = [] if version is None else [(int(Tlv.SC_INTERFACE_VERSION), bytes([version]))]
    session.receive(encode(Pdu(Command.BIND_TRANSCEIVER_RESP, 0, 1, {}, tlvs)), 0.0)
    session.take_output()
    session.request(Command.SUBMIT_SM, MT, [(0x1401, b"1")], 1.0, None)
    takes = version is None or version >= 0x34
    assert session.peer_version == version
    assert sent(session)[0].tlvs == ([(0x1401, b"1")] if takes else [])


def test_an_old_esme_gets_no_tlvs() -> None:
    session = Session(Role.SMSC, LIMITS, 0.0)
    (event,) = session.receive(pdu(Command.BIND_RECEIVER, interface_version=0x33), 0.0)
    assert isinstance(event, BindRequested)
    session.accept_bind(event.pdu, "smsc", 0.0)
    assert sent(session)[0].tlvs == []
    assert session.peer_version == 0x33


# -- what the session answers by itself ------------------------------------------------------

BAD_LENGTH = encode(Pdu(Command.DELIVER_SM, 0, 9, MO)).replace(b"\x06smetka", b"\x07smetka")


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        ("00000010 00000099 00000000 00000009", "00000010 80000000 00000003 00000009"),
        (BAD_LENGTH.hex(), "00000010 80000005 00000001 00000009"),
        ("00000011 00000005 00000000 00000009 00", "00000010 80000005 00000008 00000009"),
        ("00000010 0000000b 00000000 00000009", ""),
    ],
    ids=["unknown id", "sm_length", "breaks off", "one that has no response"],
)
def test_a_bad_request_is_refused_and_the_session_goes_on(octets: str, answer: str) -> None:
    session = bound_esme()
    (event,) = session.receive(bytes.fromhex(octets), 1.0)
    assert isinstance(event, Violation)
    assert event.octets == bytes.fromhex(octets)
    assert session.take_output() == bytes.fromhex(answer)
    assert kinds(session.receive(encode(Pdu(Command.DELIVER_SM, 0, 1, MO)), 1.0)) == [Received]


@pytest.mark.parametrize(
    "length", [0, 1, 15, LIMITS.pdu_limit + 1, 0x7FFFFFFF, 0xFFFFFFFF], ids=hex
)
def test_an_impossible_length_ends_the_session(length: int) -> None:
    session = bound_esme()
    session.request(Command.SUBMIT_SM, MT, (), 1.0, "context")
    session.take_output()
    header = length.to_bytes(4) + bytes.fromhex("00000005 00000000 00000009")
    good = encode(Pdu(Command.DELIVER_SM, 0, 1, MO))
    events = session.receive(good + header + good, 1.0)
    assert kinds(events) == [Received, Violation, Lost, Ended]
    assert session.take_output().hex(" ", 4) == "00000010 80000000 00000002 00000009"
    assert session.state is State.CLOSED
    assert session.receive(good, 2.0) == []


# -- the peer unbinds ------------------------------------------------------------------------


def test_the_peer_s_unbind_ends_an_idle_session_at_once() -> None:
    session = bound_esme()
    (event,) = session.receive(encode(Pdu(Command.DELIVER_SM, 0, 4, MO)), 1.0)
    assert isinstance(event, Received)
    session.respond(event.pdu, 0, 1.0)
    session.take_output()
    late = encode(Pdu(Command.DELIVER_SM, 0, 6, MO))
    assert session.receive(pdu(Command.UNBIND, 0, 5) + late, 2.0) == [Ended("unbound by the peer")]
    assert session.take_output() == pdu(Command.UNBIND_RESP, 0, 5)


def test_what_is_under_way_is_finished_before_the_peer_s_unbind_is_answered() -> None:
    session = bound_esme()
    session.request(Command.SUBMIT_SM, MT, (), 1.0, "context")
    (asked,) = session.receive(encode(Pdu(Command.DELIVER_SM, 0, 4, MO)), 1.0)
    assert isinstance(asked, Received)
    session.take_output()
    late = encode(Pdu(Command.DELIVER_SM, 0, 6, MO))
    assert kinds(session.receive(pdu(Command.UNBIND, 0, 5) + late, 2.0)) == [Violation]
    assert sent(session)[0].status == Status.RINVBNDSTS, "it said that it would send no more"
    assert session.state is State.UNBOUND
    with pytest.raises(SessionError):
        session.request(Command.SUBMIT_SM, MT, (), 2.0, "too late")
    answer = pdu(Command.SUBMIT_SM_RESP, 0, 2, message_id="x")
    assert kinds(session.receive(answer + pdu(Command.ENQUIRE_LINK, 0, 7), 2.5)) == [Answered]
    assert session.tick(2.9) == []
    session.respond(asked.pdu, 0, 3.0)
    assert session.deadline == 3.0
    assert session.tick(3.0) == [Ended("unbound by the peer")]
    assert [each.command for each in sent(session)] == [
        Command.ENQUIRE_LINK_RESP,
        Command.DELIVER_SM_RESP,
        Command.UNBIND_RESP,
    ]


@pytest.mark.parametrize("last", ["the response", "its time"])
def test_the_last_of_our_requests_lets_the_unbind_be_answered(last: str) -> None:
    session = bound_esme(Limits(response_timeout=3))
    session.request(Command.SUBMIT_SM, MT, (), 0.0, "context")
    session.receive(pdu(Command.UNBIND, 0, 5), 2.0)
    if last == "the response":
        session.receive(pdu(Command.SUBMIT_SM_RESP, 0, 2, message_id="x"), 3.0)
        events = session.tick(session.deadline)
    else:
        events = session.tick(3.0)
        assert events.pop(0) == Lost("context", "no response in time")
    assert events == [Ended("unbound by the peer")]
    assert sent(session)[-1].command == Command.UNBIND_RESP


def test_the_answer_to_an_unbind_waits_for_a_bounded_time() -> None:
    session = bound_esme()
    session.request(Command.SUBMIT_SM, MT, (), 1.0, "context")
    session.receive(encode(Pdu(Command.DELIVER_SM, 0, 4, MO)) + pdu(Command.UNBIND, 0, 5), 2.0)
    session.take_output()
    assert session.deadline == 61.0
    assert kinds(session.tick(61.0)) == [Lost]  # the response to the submit is late
    assert session.tick(61.9) == []
    assert session.tick(62.0) == [Ended("unbound by the peer")]  # and our own never came
    assert session.take_output() == pdu(Command.UNBIND_RESP, 0, 5)


def test_an_unbind_that_comes_again_is_answered_at_once() -> None:
    session = bound_smsc()
    session.request(Command.DELIVER_SM, MO, (), 1.0, "context")
    session.receive(pdu(Command.UNBIND, 0, 5), 2.0)
    session.take_output()
    assert kinds(session.receive(pdu(Command.UNBIND, 0, 6), 2.1)) == [Lost, Ended]
    assert session.take_output() == pdu(Command.UNBIND_RESP, 0, 6)


def test_an_alert_leaves_nothing_to_finish() -> None:
    session = bound_esme()
    session.receive(encode(Pdu(Command.ALERT_NOTIFICATION, 0, 4)), 1.0)
    assert kinds(session.receive(pdu(Command.UNBIND, 0, 5), 2.0)) == [Ended]


# -- the end ---------------------------------------------------------------------------------


def test_we_unbind_and_serve_what_is_on_its_way() -> None:
    session = bound_esme()
    session.request(Command.SUBMIT_SM, MT, (), 1.0, "answered")
    session.request(Command.SUBMIT_SM, MT, (), 1.0, "not answered")
    session.take_output()
    session.unbind(2.0)
    (unbind,) = sent(session)
    with pytest.raises(SessionError):
        session.request(Command.SUBMIT_SM, MT, (), 2.0, "too late")
    events = session.receive(
        encode(Pdu(Command.DELIVER_SM, 0, 4, MO))
        + pdu(Command.SUBMIT_SM_RESP, 0, 2, message_id="x")
        + pdu(Command.ENQUIRE_LINK, 0, 5),
        3.0,
    )
    assert kinds(events) == [Received, Answered]
    assert isinstance(events[0], Received)
    session.respond(events[0].pdu, 0, 3.0)
    assert [each.command for each in sent(session)] == [
        Command.ENQUIRE_LINK_RESP,
        Command.DELIVER_SM_RESP,
    ]
    events = session.receive(pdu(Command.UNBIND_RESP, 0, unbind.sequence), 4.0)
    assert events == [Lost("not answered", "unbound"), Ended("unbound")]


@pytest.mark.parametrize(
    "answer",
    [
        pdu(Command.UNBIND_RESP, 0, 2),
        pdu(Command.UNBIND_RESP, Status.RSYSERR, 2),
        pdu(Command.GENERIC_NACK, Status.RINVCMDID, 2),
    ],
    ids=["taken", "refused", "not known"],
)
def test_an_unbind_ends_the_session_whatever_the_answer(answer: bytes) -> None:
    session = bound_esme()
    session.unbind(1.0)
    assert session.receive(answer, 2.0) == [Ended("unbound")]


def test_two_unbinds_cross() -> None:
    session = bound_esme()
    session.unbind(1.0)
    session.take_output()
    assert session.receive(pdu(Command.UNBIND, 0, 9), 1.0) == [Ended("unbound by the peer")]
    assert session.take_output() == pdu(Command.UNBIND_RESP, 0, 9)


def test_an_unbind_is_not_waited_for_without_end() -> None:
    session = bound_esme()
    session.request(Command.SUBMIT_SM, MT, (), 0.5, "context")
    session.unbind(1.0)
    assert session.deadline == 60.5
    assert session.tick(60.5) == [Lost("context", "no response in time")]
    assert session.tick(61.0) == [Ended("no unbind_resp in time")]


@pytest.mark.parametrize(
    "begin",
    [
        lambda: Session(Role.ESME, LIMITS, 0.0),
        lambda: Session(Role.SMSC, LIMITS, 0.0),
        bound_esme,
        bound_smsc,
    ],
    ids=["open esme", "open smsc", "bound esme", "bound smsc"],
)
def test_a_lost_connection_is_lost_once(begin: Callable[[], Session]) -> None:
    session = begin()
    if session.state is State.BOUND_TRX:
        command = Command.SUBMIT_SM if session.role is Role.ESME else Command.DELIVER_SM
        session.request(command, MO, (), 1.0, "first")
        session.request(command, MO, (), 1.0, "second")
        expected: list[Event] = [Lost("first", "cut"), Lost("second", "cut"), Ended("cut")]
    else:
        expected = [Ended("cut")]
    assert session.lost(2.0, "cut") == expected
    assert session.take_output() == b""
    assert session.deadline == math.inf
    assert session.lost(3.0) == session.tick(1e9) == session.receive(b"\0" * 99, 3.0) == []


# -- idle sessions ---------------------------------------------------------------------------


def test_a_silent_peer_is_asked_and_then_left() -> None:
    session = bound_esme()
    assert session.deadline == 30.0
    assert session.tick(29.9) == []
    assert session.take_output() == b""
    assert session.tick(30.0) == []
    assert [each.command for each in sent(session)] == [Command.ENQUIRE_LINK]
    assert session.deadline == 90.0
    assert session.tick(89.9) == []
    assert session.take_output() == b"", "asked once"
    assert session.tick(90.0) == [Ended("nothing heard since an enquire_link")]


def test_an_answered_enquire_link_begins_anew() -> None:
    session = bound_esme()
    session.tick(30.0)
    (asked,) = sent(session)
    assert session.receive(pdu(Command.ENQUIRE_LINK_RESP, 0, asked.sequence), 31.0) == []
    assert session.deadline == 61.0


@pytest.mark.parametrize(
    "octets",
    [
        encode(Pdu(Command.DELIVER_SM, 0, 1, MO)),
        pdu(Command.ENQUIRE_LINK),
        pdu(Command.GENERIC_NACK, Status.RSYSERR, 2),
        b"\0\0\0\x10",
    ],
    ids=["a message", "a question", "a nack", "half a PDU"],
)
def test_any_traffic_since_counts_as_life(octets: bytes) -> None:
    session = bound_esme()
    session.tick(30.0)
    session.receive(octets, 89.0)
    session.take_output()
    assert session.tick(118.9) == []
    assert session.take_output() == b""
    session.tick(119.0)
    assert [each.command for each in sent(session)] == [Command.ENQUIRE_LINK]


def test_traffic_keeps_the_question_away() -> None:
    session = bound_esme()
    for now in range(10, 400, 10):
        session.receive(encode(Pdu(Command.DELIVER_SM, 0, now, MO)), float(now))
        assert session.tick(float(now)) == []
    assert session.take_output() == b""


def test_answers_to_earlier_questions_are_no_fault() -> None:
    session = bound_esme()
    for number in range(12):
        session.tick(30.0 + 31 * number)
        session.receive(encode(Pdu(Command.DELIVER_SM, 0, 1, MO)), 31.0 + 31 * number)
    asked = sent(session)
    assert len(asked) == 12
    answers = [pdu(Command.ENQUIRE_LINK_RESP, 0, each.sequence) for each in asked]
    events = [kinds(session.receive(answer, 400.0)) for answer in answers]
    assert events == [[Violation]] * 4 + [[]] * 8, "as many as are kept"


def test_a_session_that_owes_an_answer_is_not_idle() -> None:
    session = bound_esme(Limits(enquire_link=0, inactivity=30))
    session.receive(encode(Pdu(Command.DELIVER_SM, 0, 4, MO)), 10.0)
    assert session.tick(40.0) == []
    assert session.state is State.BOUND_TRX
    assert session.deadline == 70.0


def test_an_idle_session_unbinds() -> None:
    session = bound_esme(Limits(enquire_link=30, inactivity=100))
    session.request(Command.SUBMIT_SM, MT, (), 10.0, "context")
    session.receive(pdu(Command.SUBMIT_SM_RESP, 0, 2, message_id="x"), 20.0)
    session.take_output()
    for now in (50.0, 80.0, 110.0):
        session.tick(now)
        (asked,) = sent(session)
        session.receive(pdu(Command.ENQUIRE_LINK_RESP, 0, asked.sequence), now)
    assert session.deadline == 120.0
    assert session.tick(120.0) == []
    assert [each.command for each in sent(session)] == [Command.UNBIND]
    assert session.state is State.UNBINDING


def test_a_session_without_timers_waits_for_ever() -> None:
    session = bound_esme(Limits(enquire_link=0))
    assert session.deadline == math.inf
    assert session.tick(1e9) == []
    session.receive(pdu(Command.ENQUIRE_LINK), 1e9)
    assert session.deadline == math.inf


# -- sequence numbers ------------------------------------------------------------------------


def test_sequence_numbers_wrap_and_skip_what_is_outstanding() -> None:
    session = bound_esme(Limits(window=10))
    session._window._sequence = 0x7FFFFFFD
    held = session.request(Command.SUBMIT_SM, MT, (), 1.0, "held")
    assert held == 0x7FFFFFFE
    session._window._sequence = 0x7FFFFFFD
    numbers = [session.request(Command.SUBMIT_SM, MT, (), 1.0, n) for n in range(3)]
    assert numbers == [0x7FFFFFFF, 1, 2]


def test_sequence_numbers_skip_a_question_too() -> None:
    session = bound_esme()
    session.tick(30.0)
    asked = sent(session)[0].sequence
    session._window._sequence = asked - 1
    assert session.request(Command.SUBMIT_SM, MT, (), 30.0, None) == asked + 1


# -- counting --------------------------------------------------------------------------------


def test_traffic_is_counted_both_ways() -> None:
    session = bound_esme()
    session.take_traffic()
    session.receive(
        encode(Pdu(Command.DELIVER_SM, 0, 1, MO)) * 2
        + pdu(Command.ENQUIRE_LINK)
        + bytes.fromhex("00000010 00000099 00000007 00000009"),
        1.0,
    )
    session.request(Command.SUBMIT_SM, MT, (), 1.0, None)
    session.take_output()
    traffic = session.take_traffic()
    assert traffic.read == {
        (Command.DELIVER_SM, 0): 2,
        (Command.ENQUIRE_LINK, 0): 1,
        (0x99, 7): 1,
    }
    assert traffic.written == {
        (Command.ENQUIRE_LINK_RESP, 0): 1,
        (Command.GENERIC_NACK, 3): 1,
        (Command.SUBMIT_SM, 0): 1,
    }
    assert session.take_traffic() == ({}, {})


def test_counting_is_bounded() -> None:
    tally = Tally()
    for number in range(3000):
        header = bytes.fromhex("00000010 80000099") + number.to_bytes(4) + bytes(4)
        tally.read([header])
        tally.wrote([header])
    traffic = tally.take()
    assert len(traffic.read) == len(traffic.written) == 1000
    tally.read([header])
    assert tally.take().read == {(0x80000099, 2999): 1}

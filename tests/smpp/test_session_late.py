"""Responses that come after their request was given up: told apart from those to nothing."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.smpp.codec import Fields, Pdu, encode
from smsgw.smpp.session import (
    Answered,
    AnsweredLate,
    Bound,
    Ended,
    Event,
    Limits,
    Lost,
    Role,
    Session,
    State,
    Violation,
)
from smsgw.smpp.tables import Command, Status
from smsgw.smpp.window import LATE_WINDOWS, MAX_SEQUENCE

MT: Fields = {"destination_addr": "359888123456", "short_message": b"45,20 EUR"}
LIMITS = Limits(window=3, enquire_link=0, response_timeout=60)


def bound() -> Session:
    session = Session(Role.ESME, LIMITS, 0.0)
    session.bind(Command.BIND_TRANSCEIVER, 0.0, system_id="cez", password="secret")
    (event,) = session.receive(encode(Pdu(Command.BIND_TRANSCEIVER_RESP, 0, 1)), 0.0)
    assert isinstance(event, Bound)
    return session


def submit(session: Session, now: float, context: object = "context") -> int:
    return session.request(Command.SUBMIT_SM, MT, (), now, context)


def response(sequence: int, status: int = 0, command: int = Command.SUBMIT_SM_RESP) -> bytes:
    fields = {} if status or command != Command.SUBMIT_SM_RESP else {"message_id": "a1"}
    return encode(Pdu(command, status, sequence, fields))


def kinds(events: Sequence[Event]) -> list[type]:
    return [type(event) for event in events]


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (response(2), 0),
        (response(2, Status.RMSGQFUL), Status.RMSGQFUL),
        (response(2, Status.RTHROTTLED, Command.GENERIC_NACK), Status.RTHROTTLED),
        (bytes.fromhex("00000010 80000004 00000000 00000002"), 0),
        (bytes.fromhex("00000016 80000004 00000000 00000002 613100 0424 00"), 0),
    ],
    ids=["accepted", "refused", "nack", "no body", "TLV breaks off"],
)
def test_a_late_response_is_told_as_such(octets: bytes, status: int) -> None:
    session = bound()
    submit(session, 10.0)
    assert session.tick(70.0) == [Lost("context", "no response in time")]
    late = [event for event in session.receive(octets, 95.0) if not isinstance(event, Violation)]
    (event,) = late
    assert isinstance(event, AnsweredLate)
    assert (event.context, event.pdu.status, event.elapsed) == ("context", status, 85.0)


def test_it_comes_once() -> None:
    session = bound()
    submit(session, 10.0)
    session.tick(70.0)
    events = session.receive(response(2) + response(2), 80.0)
    assert kinds(events) == [AnsweredLate, Violation]


@pytest.mark.parametrize(
    "octets",
    [response(2, 0, Command.QUERY_SM_RESP), response(2, 0, Command.DELIVER_SM_RESP), response(3)],
    ids=["of another command", "of the other side", "of another number"],
)
def test_another_response_is_none_to_it(octets: bytes) -> None:
    session = bound()
    submit(session, 10.0)
    session.tick(70.0)
    assert kinds(session.receive(octets, 80.0)) == [Violation]
    assert kinds(session.receive(response(2), 81.0)) == [AnsweredLate]


def test_what_was_given_up_takes_no_place_and_holds_nothing_up() -> None:
    session = bound()
    for number in range(3):
        submit(session, 10.0, number)
    session.tick(70.0)
    assert (session.outstanding, session.window_free) == (0, 3)
    assert session.deadline == float("inf")
    session.take_output()
    events = session.receive(encode(Pdu(Command.UNBIND, 0, 9)), 71.0)
    assert events == [Ended("unbound by the peer")], "nothing is under way"


def test_a_late_response_is_a_message_for_the_inactivity_timer() -> None:
    limits = Limits(window=3, enquire_link=0, response_timeout=60, inactivity=100)
    session = Session(Role.ESME, limits, 0.0)
    session.bind(Command.BIND_TRANSCEIVER, 0.0, system_id="cez", password="secret")
    session.receive(response(1, 0, Command.BIND_TRANSCEIVER_RESP), 0.0)
    submit(session, 10.0)
    session.tick(70.0)
    session.receive(response(2), 90.0)
    assert session.deadline == 190.0


def test_only_the_latest_are_kept() -> None:
    session = bound()
    kept = LATE_WINDOWS * LIMITS.window
    sequences = []
    for number in range(kept + 2):
        sequences.append(submit(session, 100.0 * number))
        session.tick(100.0 * number + 60.0)
    events = session.receive(b"".join(map(response, sequences)), 1e6)
    assert kinds(events) == [Violation] * 2 + [AnsweredLate] * kept


def test_its_number_is_given_to_no_other_request() -> None:
    session = bound()
    first, second = submit(session, 0.0), submit(session, 0.0)
    session.receive(response(second), 1.0)
    session.tick(60.0)
    session._window._sequence = MAX_SEQUENCE
    assert [submit(session, 61.0) for _ in range(3)] == [1, 3, 4]
    assert first == 2
    session.receive(response(1) + response(2), 62.0)
    session._window._sequence = MAX_SEQUENCE
    assert [submit(session, 63.0)] == [1]
    session.receive(response(1), 64.0)
    assert submit(session, 65.0) == 2, "answered, and free again"


@pytest.mark.parametrize("end", ["lost", "stream", "unbound"])
def test_nothing_is_kept_beyond_the_end(end: str) -> None:
    session = bound()
    submit(session, 0.0)
    session.tick(60.0)
    if end == "lost":
        events = session.lost(61.0)
    elif end == "stream":
        events = session.receive(bytes(16), 61.0)[1:]
    else:
        session.unbind(61.0)
        events = session.receive(response(3, 0, Command.UNBIND_RESP), 61.0)
    assert kinds(events) == [Ended], "given up once"
    assert session.state is State.CLOSED
    assert session.receive(response(2), 62.0) == []


def test_a_late_response_is_heard_while_we_unbind() -> None:
    session = bound()
    submit(session, 0.0)
    session.tick(60.0)
    session.unbind(61.0)
    assert kinds(session.receive(response(2), 61.5)) == [AnsweredLate]


@given(
    st.lists(
        st.one_of(st.just("submit"), st.floats(0.1, 40.0), st.integers(0, 30)),
        max_size=60,
    )
)
def test_each_request_comes_back_once_or_is_lost_and_answered_late_once(
    steps: list[str | float | int],
) -> None:
    session = bound()
    now = 0.0
    sequences: list[int] = []
    told: list[Event] = []
    for step in steps:
        if step == "submit":
            if session.window_free:
                sequences.append(submit(session, now, len(sequences)))
        elif isinstance(step, float):
            now += step
            told += session.tick(now)
        elif sequences:
            told += session.receive(response(sequences[int(step) % len(sequences)]), now)
    assert len(set(sequences)) == len(sequences)
    told += session.lost(now)
    answered = [event.context for event in told if isinstance(event, Answered)]
    lost = [event.context for event in told if isinstance(event, Lost)]
    late = [event.context for event in told if isinstance(event, AnsweredLate)]
    assert sorted(map(str, [*answered, *lost])) == sorted(map(str, range(len(sequences))))
    assert len(set(late)) == len(late)
    assert set(late) <= set(lost)

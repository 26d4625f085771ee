"""What holds of sessions whatever comes, and however TCP cuts it."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsgw.smpp.codec import Pdu, encode
from smsgw.smpp.session import (
    Answered,
    BindRequested,
    Bound,
    Ended,
    Event,
    Fields,
    Limits,
    Lost,
    Received,
    Role,
    Session,
    State,
)
from smsgw.smpp.tables import RESPONSE, Command

MO: Fields = {"source_addr": "359888123456", "destination_addr": "170077", "short_message": b"s"}
LIMITS = Limits(window=8, pdu_limit=2000)
BOUND = {State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX}


def session_in(role: Role, state: State) -> Session:
    """A fresh session, bound as transceiver if that is asked for, with two requests out."""
    session = Session(role, LIMITS, 0.0)
    if state is State.BOUND_TRX:
        if role is Role.ESME:
            session.bind(Command.BIND_TRANSCEIVER, 0.0, system_id="cez", password="secret")
            session.receive(encode(Pdu(Command.BIND_TRANSCEIVER_RESP, 0, 1)), 0.0)
        else:
            (event,) = session.receive(encode(Pdu(Command.BIND_TRANSCEIVER, 0, 1)), 0.0)
            assert isinstance(event, BindRequested)
            session.accept_bind(event.pdu, "smsc", 0.0)
        command = Command.SUBMIT_SM if role is Role.ESME else Command.DELIVER_SM
        for context in ("first", "second"):
            session.request(command, MO, (), 0.0, context)
        session.take_output()
        session.take_traffic()
    return session


numbers = st.sampled_from([0, 1, 2, 3, 0x7FFFFFFF, 0xFFFFFFFF]) | st.integers(0, 0xFFFFFFFF)
commands = st.sampled_from([*(int(command) for command in Command), 0x99, 0x80000099])
headers = st.builds(
    lambda length, command, status, sequence: b"".join(
        number.to_bytes(4) for number in (length, command, status, sequence)
    ),
    st.sampled_from([0, 15, 16, 17, 33, 2000, 2001, 0xFFFFFFFF]),
    commands,
    numbers,
    numbers,
)
whole = st.builds(
    lambda command, status, sequence: encode(Pdu(command, status, sequence)),
    st.sampled_from([int(command) for command in Command]),
    numbers,
    numbers,
)
bodies = st.builds(
    lambda command, status, sequence, body: (
        b"".join(number.to_bytes(4) for number in (16 + len(body), command, status, sequence))
        + body
    ),
    commands,
    numbers,
    numbers,
    st.binary(max_size=60),
)
streams = st.lists(whole | whole | bodies | headers | st.binary(max_size=30), max_size=12).map(
    b"".join
)
sessions = st.tuples(st.sampled_from(Role), st.sampled_from([State.OPEN, State.BOUND_TRX]))


def cut(octets: bytes, places: Sequence[int]) -> list[bytes]:
    at = sorted({place % (len(octets) + 1) for place in places} | {0, len(octets)})
    return [octets[a:b] for a, b in pairwise(at)] or [octets]


@given(sessions, streams, st.lists(st.integers(0, 2000), max_size=30))
def test_any_cut_gives_the_same_events_and_the_same_answers(
    kind: tuple[Role, State], stream: bytes, places: list[int]
) -> None:
    whole_one, cut_one = session_in(*kind), session_in(*kind)
    expected = whole_one.receive(stream, 1.0)
    events: list[Event] = []
    output = b""
    for piece in cut(stream, places):
        events += cut_one.receive(piece, 1.0)
        output += cut_one.take_output()
    assert events == expected
    assert output == whole_one.take_output()
    assert cut_one.state is whole_one.state
    assert cut_one.deadline == whole_one.deadline
    assert cut_one.take_traffic() == whole_one.take_traffic()


@given(sessions, streams)
def test_one_octet_at_a_time_gives_the_same_events(kind: tuple[Role, State], stream: bytes) -> None:
    whole_one, cut_one = session_in(*kind), session_in(*kind)
    events = [event for octet in stream for event in cut_one.receive(bytes([octet]), 1.0)]
    assert events == whole_one.receive(stream, 1.0)
    assert cut_one.take_output() == whole_one.take_output()


@given(sessions, st.binary(max_size=400) | streams)
def test_whatever_comes_is_survived(kind: tuple[Role, State], stream: bytes) -> None:
    session = session_in(*kind)
    events = session.receive(stream, 1.0)
    events += session.lost(2.0)
    assert [type(event) for event in events].count(Ended) == 1
    assert isinstance(events[-1], Ended)
    back = [event.context for event in events if isinstance(event, Answered | Lost)]
    asked = ["first", "second"] if kind[1] is State.BOUND_TRX else []
    assert sorted(map(str, back)) == asked, "each request comes back once"
    assert session.state is State.CLOSED
    assert session.tick(1e9) == session.receive(stream, 3.0) == []


@given(sessions, streams)
def test_what_is_written_is_well_formed_and_never_answers_a_response(
    kind: tuple[Role, State], stream: bytes
) -> None:
    session = session_in(*kind)
    session.receive(stream, 1.0)
    reader = Session(kind[0].peer, LIMITS, 0.0)
    written = session.take_output()
    reader.receive(written, 1.0)
    assert sum(reader.take_traffic().read.values()) == sum(session.take_traffic().written.values())
    at = 0
    while at < len(written):
        assert int.from_bytes(written[at + 4 : at + 8]) & RESPONSE
        at += int.from_bytes(written[at : at + 4])
    assert at == len(written)


@given(st.lists(st.floats(0, 200), max_size=30), st.sampled_from(Role))
def test_ticks_alone_end_a_session_with_a_dead_peer(steps: list[float], role: Role) -> None:
    session = session_in(role, State.BOUND_TRX)
    now = 0.0
    events: list[Event] = []
    for step in steps:
        now += step
        events += session.tick(now)
        assert session.deadline > now
    while session.state is not State.CLOSED:
        now = session.deadline
        events += session.tick(now)
        assert session.deadline > now
    assert [event.context for event in events if isinstance(event, Lost)] == ["first", "second"]
    assert isinstance(events[-1], Ended)


# -- two sessions ----------------------------------------------------------------------------


class Wire:
    """Octets on their way from one session to the other, cut and held back at random."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._held = b""

    def carry(self, source: Session, target: Session, now: float) -> list[Event]:
        self._held += source.take_output()
        size = self._random.choice([0, 1, 7, 40, 200, len(self._held)])
        piece, self._held = self._held[:size], self._held[size:]
        return target.receive(piece, now)

    def __bool__(self) -> bool:
        return bool(self._held)


@pytest.mark.parametrize("window", [1, 7, 50])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_two_sessions_carry_everything_once_and_in_order(window: int, seed: int) -> None:
    random = Random(seed)
    limits = Limits(window, enquire_link=5.0, response_timeout=1e6, bind_timeout=1e6)
    now = 0.0
    esme, smsc = Session(Role.ESME, limits, now), Session(Role.SMSC, limits, now)
    to_smsc, to_esme = Wire(random), Wire(random)
    total = 120
    sending = {esme: list(range(total)), smsc: list(range(total))}
    command = {esme: Command.SUBMIT_SM, smsc: Command.DELIVER_SM}
    heard: dict[Session, list[int]] = {esme: [], smsc: []}
    answered: dict[Session, list[object]] = {esme: [], smsc: []}
    owed: dict[Session, list[Pdu]] = {esme: [], smsc: []}

    def take(session: Session, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Received):
                heard[session].append(int(event.pdu.octets("short_message")))
                owed[session].append(event.pdu)
            elif isinstance(event, Answered):
                answered[session].append(event.context)
            elif isinstance(event, BindRequested):
                session.accept_bind(event.pdu, "smsc", now)
            else:
                assert isinstance(event, Bound), event

    esme.bind(Command.BIND_TRANSCEIVER, now, system_id="cez", password="secret")
    while any(len(found) < total for found in answered.values()):
        now += random.choice([0.001, 0.1, 1.0])
        for session in (esme, smsc):
            take(session, session.tick(now))
            while session.state in BOUND and session.window_free and sending[session]:
                number = sending[session].pop(0)
                text = str(number).encode()
                session.request(command[session], {"short_message": text}, (), now, number)
            random.shuffle(owed[session])
            for _ in range(random.randint(0, len(owed[session]))):
                session.respond(owed[session].pop(), 0, now)
        take(smsc, to_smsc.carry(esme, smsc, now))
        take(esme, to_esme.carry(smsc, esme, now))
    assert heard[smsc] == heard[esme] == list(range(total))
    assert sorted(map(str, answered[esme])) == sorted(map(str, range(total)))
    assert sorted(map(str, answered[smsc])) == sorted(map(str, range(total)))
    esme.unbind(now)
    events: list[Event] = []
    while esme.state is not State.CLOSED:
        take(smsc, [e for e in to_smsc.carry(esme, smsc, now) if not isinstance(e, Ended)])
        events += to_esme.carry(smsc, esme, now)
    assert events == [Ended("unbound")]
    assert smsc.state is State.CLOSED

"""The state machine, each command in each state and role, sent and received."""

from typing import Any

import pytest

from smsgw.smpp.codec import Pdu, decode, encode
from smsgw.smpp.machine import MACHINE, RECEIVABLE, REFUSED, SENDABLE, Role, State
from smsgw.smpp.session import (
    BindRequested,
    Ended,
    Limits,
    Lost,
    Received,
    Session,
    SessionError,
    Violation,
)
from smsgw.smpp.tables import COMMANDS, RESPONSE, Command, Status

BINDS = {
    State.BOUND_TX: Command.BIND_TRANSMITTER,
    State.BOUND_RX: Command.BIND_RECEIVER,
    State.BOUND_TRX: Command.BIND_TRANSCEIVER,
}
BOUND = tuple(BINDS)
UNANSWERED = {Command.OUTBIND, Command.ALERT_NOTIFICATION}

# Written after section 2.3 of SMPP 3.4, apart from the machine: which requests the application
# of each side may send in which states.
FROM_ESME = {
    Command.SUBMIT_SM: "tx trx",
    Command.SUBMIT_MULTI: "tx trx",
    Command.DATA_SM: "tx trx",
    Command.QUERY_SM: "tx trx",
    Command.CANCEL_SM: "tx trx",
    Command.REPLACE_SM: "tx trx",
}
FROM_SMSC = {
    Command.DELIVER_SM: "rx trx",
    Command.DATA_SM: "rx trx",
    Command.ALERT_NOTIFICATION: "rx trx",
    Command.OUTBIND: "open",
}
REQUESTS = {Role.ESME: FROM_ESME, Role.SMSC: FROM_SMSC}
# Beside the above, while our unbind is on its way the peer's requests may still come.
LATE = {
    Role.ESME: set(FROM_SMSC) - {Command.OUTBIND},
    Role.SMSC: set(FROM_ESME),
}

EVERY_STATE = [pytest.param(r, s, id=f"{r.value}-{s.value}") for r in Role for s in State]


def everywhere(responses: bool) -> list[Any]:
    return [
        pytest.param(role, state, command, id=f"{role.value}-{state.value}-{command.name.lower()}")
        for role in Role
        for state in State
        for command in Command
        if bool(command & RESPONSE) is responses
    ]


EVERY_REQUEST = everywhere(responses=False)
EVERY_RESPONSE = everywhere(responses=True)


def in_state(role: Role, state: State) -> Session:
    """A session that has come to `state` by what may lead there."""
    session = Session(role, Limits(), 0.0)
    if state is State.OPEN:
        return session
    if state is State.CLOSED:
        session.lost(0.0)
        return session
    command = BINDS.get(state, Command.BIND_TRANSCEIVER)
    if role is Role.ESME:
        session.bind(command, 0.0, system_id="cez", password="secret")
        if state is not State.BINDING:
            session.receive(encode(Pdu(command | RESPONSE, 0, 1)), 0.0)
    else:
        (event,) = session.receive(encode(Pdu(command, 0, 1)), 0.0)
        assert isinstance(event, BindRequested)
        if state is not State.BINDING:
            session.accept_bind(event.pdu, "smsc", 0.0)
    if state is State.UNBINDING:
        session.unbind(0.0)
    if state is State.UNBOUND:
        message = Command.SUBMIT_SM if role is Role.ESME else Command.DELIVER_SM
        session.request(message, {}, (), 0.0, "under way")
        session.receive(encode(Pdu(Command.UNBIND, 0, 2)), 0.0)
    session.take_output()
    assert session.state is state
    return session


def named(states: str) -> set[State]:
    names = {"open": State.OPEN, "tx": State.BOUND_TX, "rx": State.BOUND_RX, "trx": State.BOUND_TRX}
    return {names[name] for name in states.split()}


def may_come(role: Role, state: State, command: Command) -> bool:
    """Whether a request may be received, by the tables above."""
    if state is State.CLOSED:
        return False
    if command == Command.ENQUIRE_LINK:
        return True
    if command == Command.UNBIND:
        return state in (*BOUND, State.UNBINDING, State.UNBOUND)
    if command in BINDS.values():
        return role is Role.SMSC and state is State.OPEN
    if state is State.UNBINDING:
        return command in LATE[role]  # and none after the peer's own unbind
    return state in named(REQUESTS[role.peer].get(command, ""))


@pytest.mark.parametrize(("role", "state", "command"), EVERY_REQUEST)
def test_a_request_that_comes(role: Role, state: State, command: Command) -> None:
    session = in_state(role, state)
    events = session.receive(encode(Pdu(command, 0, 77)), 1.0)
    output = session.take_output()
    if state is State.CLOSED:
        assert (events, output) == ([], b"")
    elif not may_come(role, state, command):
        assert [type(event) for event in events] == [Violation]
        if command in UNANSWERED:
            assert output == b""
        else:
            answer = decode(output)
            assert answer.command == command | RESPONSE
            assert answer.status == Status.RINVBNDSTS
            assert answer.sequence == 77
            assert len(output) == 16
        assert session.state is state
    elif command == Command.ENQUIRE_LINK:
        assert events == []
        assert output == encode(Pdu(Command.ENQUIRE_LINK_RESP, 0, 77))
        assert session.state is state
    elif command == Command.UNBIND:
        assert [type(event) for event in events] == [Lost] * (state is State.UNBOUND) + [Ended]
        assert output == encode(Pdu(Command.UNBIND_RESP, 0, 77))
        assert session.state is State.CLOSED
    elif command in BINDS.values():
        assert [type(event) for event in events] == [BindRequested]
        assert output == b""
        assert session.state is State.BINDING
    else:
        assert [type(event) for event in events] == [Received]
        assert output == b""
        assert session.state is state


@pytest.mark.parametrize(("role", "state", "command"), EVERY_RESPONSE)
def test_a_response_to_nothing(role: Role, state: State, command: Command) -> None:
    session = in_state(role, state)
    events = session.receive(encode(Pdu(command, 0, 77)), 1.0)
    assert [type(event) for event in events] == ([] if state is State.CLOSED else [Violation])
    assert session.take_output() == b"", "a response is never answered"
    assert session.state is state


@pytest.mark.parametrize(("role", "state", "command"), EVERY_REQUEST + EVERY_RESPONSE)
def test_a_request_of_the_application(role: Role, state: State, command: Command) -> None:
    session = in_state(role, state)
    if state in named(REQUESTS[role].get(command, "")):
        sequence = session.request(command, {}, (), 1.0, "context")
        sent = decode(session.take_output())
        assert (sent.command, sent.sequence) == (command, sequence)
        assert session.outstanding == (0 if command in UNANSWERED else 1)
    else:
        with pytest.raises(SessionError):
            session.request(command, {}, (), 1.0, "context")
        assert session.take_output() == b""
    assert session.state is state


@pytest.mark.parametrize(("role", "state"), EVERY_STATE)
def test_bind_is_the_esme_s_and_begins_a_session(role: Role, state: State) -> None:
    session = in_state(role, state)
    for command in Command:
        if command in BINDS.values() and role is Role.ESME and state is State.OPEN:
            continue
        with pytest.raises(SessionError):
            session.bind(command, 1.0, system_id="cez", password="secret")
        assert session.take_output() == b""


@pytest.mark.parametrize(("role", "state"), EVERY_STATE)
def test_unbind_leaves_bound_states_only(role: Role, state: State) -> None:
    session = in_state(role, state)
    if state in BOUND:
        session.unbind(1.0)
        assert decode(session.take_output()).command == Command.UNBIND
        assert session.state is State.UNBINDING
    else:
        with pytest.raises(SessionError):
            session.unbind(1.0)
        assert session.take_output() == b""


@pytest.mark.parametrize(("role", "state"), EVERY_STATE)
def test_an_answer_that_comes_too_late_is_not_sent(role: Role, state: State) -> None:
    session = in_state(role, state)
    request = Pdu(Command.DELIVER_SM if role is Role.ESME else Command.SUBMIT_SM, 0, 9)
    session.respond(request, 0, 1.0)
    session.respond(request, Status.RX_T_APPN, 1.0)
    receives = State.BOUND_RX if role is Role.ESME else State.BOUND_TX
    can = state in (receives, State.BOUND_TRX, State.UNBINDING, State.UNBOUND)
    assert bool(session.take_output()) == can


@pytest.mark.parametrize("state", [s for s in State if s is not State.BINDING])
def test_a_bind_is_answered_once(state: State) -> None:
    session = in_state(Role.SMSC, state)
    session.accept_bind(Pdu(Command.BIND_TRANSCEIVER, 0, 1), "smsc", 1.0)
    session.refuse_bind(Pdu(Command.BIND_TRANSCEIVER, 0, 1), Status.RBINDFAIL, 1.0)
    assert session.take_output() == b""
    assert session.state is state


# -- the table itself ------------------------------------------------------------------------


def test_every_command_has_its_rows() -> None:
    both = {
        Command.DATA_SM,
        Command.DATA_SM_RESP,
        Command.ENQUIRE_LINK,
        Command.ENQUIRE_LINK_RESP,
        Command.UNBIND,
        Command.UNBIND_RESP,
        Command.GENERIC_NACK,
    }
    rows = [(row.sender, row.command) for row in MACHINE]
    assert len(rows) == len(set(rows))
    assert {command for _, command in rows} == set(COMMANDS)
    assert {command for role, command in rows if (role.peer, command) in rows} == both


def test_what_one_side_may_send_the_other_may_receive() -> None:
    asked_first = {Command.ENQUIRE_LINK_RESP, Command.UNBIND_RESP}  # received where it was asked
    for row in MACHINE:
        if row.command not in asked_first:
            assert set(row.sent) <= set(row.received), row


def test_a_closed_session_neither_sends_nor_receives() -> None:
    for role in Role:
        assert not SENDABLE[role, State.CLOSED]
        assert not RECEIVABLE[role, State.CLOSED]


def test_every_state_but_open_can_be_reached_and_all_but_closed_be_left() -> None:
    steps = [steps for row in MACHINE for steps in (row.sent, row.received)]
    reached = {after for step in steps for after in step.values()}
    left = {before for step in steps for before, after in step.items() if before is not after}
    assert reached == set(State)
    assert left == set(State) - {State.CLOSED}
    assert set(REFUSED) == {State.BINDING, State.UNBINDING}

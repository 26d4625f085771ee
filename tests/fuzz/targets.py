"""What `scripts/fuzz` feeds octets to, and what has to hold of each whatever they are.

A target takes octets and raises if something doesn't hold. None draws by chance or reads a clock,
so that what a fuzzer found is found again by the same octets.
"""

import json
from collections.abc import Callable, Iterator
from typing import Final

from smsgw.carrier import userdata
from smsgw.carrier.translate import Translator
from smsgw.service import keywords
from smsgw.settings.carrier import CarrierSettings
from smsgw.smpp import receipts
from smsgw.smpp.codec import EncodeError, Pdu, PduError, decode, encode
from smsgw.smpp.describe import describe
from smsgw.smpp.session import (
    Answered,
    BindRequested,
    Ended,
    Event,
    Limits,
    Lost,
    Received,
    Role,
    Session,
    State,
)
from smsgw.smpp.tables import COMMANDS, RESPONSE, Command
from smsgw.text.alphabets import decode_mo

LIMITS: Final = Limits(window=4, pdu_limit=3000, inactivity=500)
BINDS: Final = {
    State.BOUND_TX: Command.BIND_TRANSMITTER,
    State.BOUND_RX: Command.BIND_RECEIVER,
    State.BOUND_TRX: Command.BIND_TRANSCEIVER,
    State.UNBINDING: Command.BIND_TRANSCEIVER,
    State.UNBOUND: Command.BIND_TRANSCEIVER,
    State.BINDING: Command.BIND_TRANSCEIVER,
}
PLACES: Final = [(role, state) for role in Role for state in State if state is not State.CLOSED]


def session_in(role: Role, state: State) -> Session:
    """A session in that state; where it may send messages, two are out."""
    session = Session(role, LIMITS, 0.0)
    if state is State.OPEN:
        return session
    command = BINDS[state]
    if role is Role.ESME:
        session.bind(command, 0.0, system_id="cez", password="secret")
        if state is not State.BINDING:
            session.receive(encode(Pdu(command | RESPONSE, 0, 1)), 0.0)
    else:
        (event,) = session.receive(encode(Pdu(command, 0, 1)), 0.0)
        if state is not State.BINDING and isinstance(event, BindRequested):
            session.accept_bind(event.pdu, "smsc", 0.0)
    message = Command.SUBMIT_SM if role is Role.ESME else Command.DELIVER_SM
    sending = State.BOUND_TX if role is Role.ESME else State.BOUND_RX
    if session.state in (sending, State.BOUND_TRX):
        for context in ("first", "second"):
            session.request(message, {"short_message": b"m"}, (), 0.0, context)
    if state is State.UNBINDING:
        session.unbind(0.0)
    if state is State.UNBOUND:
        session.receive(encode(Pdu(Command.UNBIND, 0, 9)), 0.0)
    session.take_output()
    assert session.state is state
    return session


def _act(session: Session, events: list[Event]) -> None:
    """What an application does about events: it answers most requests, each in its own way."""
    for event in events:
        if isinstance(event, BindRequested):
            if event.pdu.text("system_id"):
                session.accept_bind(event.pdu, "smsc", 1.0)
            else:
                session.refuse_bind(event.pdu, 0x0D, 1.0)
        elif isinstance(event, Received) and event.pdu.sequence % 4:
            session.respond(event.pdu, event.pdu.sequence % 2 * 0x64, 1.0)


def _frames(octets: bytes) -> Iterator[bytes]:
    """The PDUs that a session wrote, none left over."""
    while octets:
        size = int.from_bytes(octets[:4])
        assert size <= len(octets)
        yield octets[:size]
        octets = octets[size:]


def sessions(data: bytes) -> None:
    """One octet for the place, one for the cut, the rest from the peer."""
    if len(data) > 2:
        _session(*PLACES[data[0] % len(PLACES)], data[2:], data[1] + 1)


COMMAND_IDS: Final = (*map(int, Command), 0x99, 0x80000099)
NUMBERS: Final = (0, 1, 2, 3, 4, 0x64, 0x7FFFFFFF, 0xFFFFFFFF)


def framed_sessions(data: bytes) -> None:
    """As `sessions`, but the rest is told as PDUs: command, status, sequence, length and body."""
    if len(data) < 3:
        return
    stream = b""
    at = 2
    while at + 4 <= len(data):
        command, status, sequence, size = data[at : at + 4]
        body = data[at + 4 : at + 4 + size]
        header = (
            16 + len(body),
            COMMAND_IDS[command % len(COMMAND_IDS)],
            NUMBERS[status % len(NUMBERS)],
            NUMBERS[sequence % len(NUMBERS)],
        )
        stream += b"".join(number.to_bytes(4) for number in header) + body
        at += 4 + size
    _session(*PLACES[data[0] % len(PLACES)], stream, data[1] + 1)


def _session(role: Role, state: State, stream: bytes, step: int) -> None:
    _any_cut_is_the_same(role, state, stream, step)
    subject = session_in(role, state)
    asked = subject.outstanding
    events: list[Event] = []
    for piece in _pieces(stream, step):
        new = subject.receive(piece, 1.0)
        events += new
        _act(subject, new)
        for pdu in map(decode, _frames(subject.take_output())):
            assert pdu.command & RESPONSE, "a session that is only spoken to only answers"
    for now in (2.0, 40.0, 120.0, 700.0):
        events += subject.tick(now)
        assert subject.deadline > now
    events += subject.lost(800.0)
    back = [each.context for each in events if isinstance(each, Answered | Lost)]
    assert sorted(map(str, back)) == ["first", "second"][:asked]
    assert [type(each) for each in events].count(Ended) == 1
    assert isinstance(events[-1], Ended)
    assert subject.outstanding == 0
    assert subject.receive(stream, 900.0) == []


def _any_cut_is_the_same(role: Role, state: State, stream: bytes, step: int) -> None:
    """Where the application says nothing, that is: else it matters when it does."""
    whole, cut = session_in(role, state), session_in(role, state)
    events = [event for piece in _pieces(stream, step) for event in cut.receive(piece, 1.0)]
    assert whole.receive(stream, 1.0) == events
    assert whole.take_output() == cut.take_output()
    assert whole.state is cut.state
    assert whole.deadline == cut.deadline


def _pieces(stream: bytes, step: int) -> list[bytes]:
    return [stream[at : at + step] for at in range(0, len(stream), step)] or [b""]


def codec(data: bytes) -> None:
    description = describe(data)
    assert json.loads(json.dumps(description)) == description
    try:
        pdu = decode(data)
    except PduError as error:
        if error.status > 0xFF or error.command not in (0, int.from_bytes(data[4:8])):
            raise AssertionError(error) from error
        return
    table = COMMANDS[pdu.command]
    assert set(pdu.fields) <= {field.name for field in table.fields}
    try:
        again = encode(pdu)
    except EncodeError:
        return  # read with tolerance, written strictly
    # What is not repeated: octets after a header that has no body, sloppy responses, and what
    # an empty body of a response leaves out.
    if pdu.command < RESPONSE and table.fields:
        assert again == data
    else:
        assert decode(again).tlvs == pdu.tlvs


def receipt(data: bytes) -> None:
    """One octet for esm_class, one for the form, the rest a text or TLVs."""
    if len(data) < 2:
        return
    pdu = Pdu(Command.DELIVER_SM, 0, 1, {"esm_class": data[0], "short_message": data[2:]})
    if data[1] & 1:
        size = len(data) // 2
        pdu.tlvs = [(0x001E, data[2:size]), (0x0427, data[size : size + 1]), (0x0423, data[size:])]
    read = receipts.parse(pdu)
    assert read.state is None or read.state in receipts.STATES.values()
    assert isinstance(receipts.is_receipt(data[0]), bool)


def user_data(data: bytes) -> None:
    part, body = userdata.split(data)
    assert data.endswith(body)
    assert part is None or 1 <= part.number <= part.total
    if data:
        text = decode_mo(body, data[0], "gsm7")
        assert text is None or len(text) <= len(body)


def text(data: bytes) -> None:
    for alphabet in ("gsm7", "latin1", "ascii"):
        read = keywords.read(decode_mo(data, 0, alphabet) or "")
        assert all(len(number) == 12 for number in read.customer_numbers)
    keywords.read(decode_mo(data, 8, "gsm7") or "")
    keywords.read(data.decode("utf-8", "replace"))


_TRANSLATOR: Final = Translator(
    CarrierSettings.model_validate(
        {"id": "mtel", "host": "127.0.0.1", "port": 2775, "system_id": "cez", "password": "secret"}
    ),
    "170077",
)


def translate(data: bytes) -> None:
    try:
        pdu = decode(data)
    except PduError:
        return
    if pdu.command in (Command.DELIVER_SM, Command.DATA_SM):
        _TRANSLATOR.incoming(pdu, 1, 1.0)


TARGETS: Final[tuple[Callable[[bytes], None], ...]] = (
    sessions,
    framed_sessions,
    codec,
    receipt,
    user_data,
    text,
    translate,
)


def one(data: bytes) -> None:
    """The first octet names the target."""
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])

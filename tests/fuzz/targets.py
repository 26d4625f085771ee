"""What `scripts/fuzz` feeds octets to, and what has to hold of each whatever they are.

A target takes octets and raises if something doesn't hold. None draws by chance or reads a clock,
so that what a fuzzer found is found again by the same octets.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

from smsgw.carrier import userdata
from smsgw.carrier.translate import Translator
from smsgw.service import keywords
from smsgw.settings.model import CarrierSettings
from smsgw.smpp import receipts
from smsgw.smpp.codec import EncodeError, Pdu, PduError, decode, encode
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
    session.take_output()
    assert session.state is state
    return session


def _act(session: Session, events: list[Event]) -> None:
    """What an application does about events: it answers each request, each in its own way."""
    for event in events:
        if isinstance(event, BindRequested):
            if event.pdu.text("system_id"):
                session.accept_bind(event.pdu, "smsc", 1.0)
            else:
                session.refuse_bind(event.pdu, 0x0D, 1.0)
        elif isinstance(event, Received):
            session.respond(event.pdu, event.pdu.sequence % 2 * 0x64, 1.0)


def _run(session: Session, pieces: list[bytes]) -> tuple[list[Event], bytes]:
    events: list[Event] = []
    output = b""
    for piece in pieces:
        new = session.receive(piece, 1.0)
        events += new
        _act(session, new)
        output += session.take_output()
    return events, output


def _frames(octets: bytes) -> Iterator[bytes]:
    """The PDUs that a session wrote, none left over."""
    while octets:
        size = int.from_bytes(octets[:4])
        assert size <= len(octets)
        yield octets[:size]
        octets = octets[size:]


def _pdus(octets: bytes) -> Iterator[Pdu]:
    return map(decode, _frames(octets))


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
    whole, cut = session_in(role, state), session_in(role, state)
    asked = whole.outstanding
    events, output = _run(whole, [stream])
    edges = [*range(0, len(stream), step), len(stream)]
    cut_events, cut_output = _run(cut, [stream[a:b] for a, b in pairwise(edges)])
    written, cut_written = Counter(_frames(output)), Counter(_frames(cut_output))
    for pdu in _pdus(output):
        assert pdu.command & RESPONSE, "a session that is only spoken to only answers"
    if not any(isinstance(each, BindRequested) for each in events):
        # The application answers after each read, so the order of answers may differ, and what
        # it answers may come too late.
        ended = any(isinstance(each, Ended) for each in events)
        assert cut_events == events
        assert written <= cut_written if ended else written == cut_written
    for now in (40.0, 120.0, 700.0):
        events += whole.tick(now)
        assert whole.deadline > now
    events += whole.lost(800.0)
    back = [each.context for each in events if isinstance(each, Answered | Lost)]
    assert sorted(map(str, back)) == ["first", "second"][:asked]
    assert [type(each) for each in events].count(Ended) == 1
    assert isinstance(events[-1], Ended)
    assert whole.outstanding == 0
    assert whole.receive(stream, 900.0) == []


def codec(data: bytes) -> None:
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

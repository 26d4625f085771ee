"""What is done to PDUs between a session and its socket, octet by octet."""

from random import Random
from typing import Any

import pytest

from smsgw.clock import SystemClock
from smsgw.simulator import Bodies, Faults, Pick, Sequences, Version
from smsgw.simulator.faults import Mischief
from smsgw.simulator.happenings import Happening, MalformedAnswered, MalformedSent
from smsgw.simulator.tampering import Tampering
from smsgw.smpp.codec import Pdu, PduError, decode, encode
from smsgw.smpp.names import Command, Status, Tlv
from smsgw.smpp.session import Role

VERSION = [(Tlv.SC_INTERFACE_VERSION, b"\x34")]


class Bench:
    """A tampering with certain faults, and what it told."""

    def __init__(
        self, version: Version = Version.V3_4, role: Role = Role.SMSC, **faults: Any
    ) -> None:
        mischief = Mischief(Faults(**faults), Random(0))
        self.told: list[Happening] = []
        self._tampering = Tampering(
            1, role, version, lambda: mischief, SystemClock(), self.told.append
        )
        self.outgoing = self._tampering.outgoing
        self.incoming = self._tampering.incoming

    def out(self, pdu: Pdu) -> bytes:
        return self.outgoing(encode(pdu))


def deliver(sequence: int) -> Pdu:
    return Pdu(Command.DELIVER_SM, 0, sequence, {"short_message": b"ok"})


def response(status: int = 0) -> Pdu:
    return Pdu(Command.SUBMIT_SM_RESP, status, 5, {} if status else {"message_id": "77"})


PLAIN = [
    deliver(1),
    response(),
    Pdu(Command.BIND_TRANSCEIVER_RESP, 0, 1, {"system_id": "smsc"}, VERSION),
    Pdu(Command.ENQUIRE_LINK_RESP, 0, 3),
    Pdu(Command.UNBIND, 0, 4),
]


def test_without_faults_nothing_is_changed() -> None:
    bench = Bench()
    octets = b"".join(map(encode, PLAIN))
    assert bench.outgoing(octets) == octets
    assert b"".join(bench.incoming(octets[n : n + 7]) for n in range(0, len(octets), 7)) == octets


def test_a_lost_stream_is_the_sessions_to_find() -> None:
    lost = bytes.fromhex("00000008 80000004 00000000 00000009")
    assert Bench().incoming(lost + b"more") == lost


def test_enquire_links_are_left_unanswered() -> None:
    kept = [pdu for pdu in PLAIN if pdu.command != Command.ENQUIRE_LINK_RESP]
    sent = Bench(no_enquire_link_resp=True).outgoing(b"".join(map(encode, PLAIN)))
    assert sent == b"".join(map(encode, kept))


# -- responses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bodies", "status", "body"),
    [
        (Bodies.PLAIN, 0, b"77\0"),
        (Bodies.NONE, 0, b""),
        (Bodies.NUL, 0, b"\0"),
        (Bodies.ALWAYS, 0, b"77\0"),
        (Bodies.PLAIN, Status.RSYSERR, b""),
        (Bodies.NUL, Status.RSYSERR, b"\0"),
        (Bodies.ALWAYS, Status.RSYSERR, b"0\0"),
    ],
    ids=lambda value: repr(value) if isinstance(value, bytes) else str(value),
)
def test_bodies(bodies: Bodies, status: int, body: bytes) -> None:
    octets = Bench(bodies=bodies).out(response(status))
    assert octets[16:] == body
    assert int.from_bytes(octets[:4]) == len(octets)
    assert octets[4:16] == encode(response(status))[4:16]


def test_bodies_of_other_responses_are_left_alone() -> None:
    for pdu in (PLAIN[2], Pdu(Command.UNBIND_RESP, 0, 1)):
        assert Bench(bodies=Bodies.NUL).out(pdu) == encode(pdu)


@pytest.mark.parametrize(
    ("pdu", "hex_out"),
    [
        (PLAIN[2], "00000015 80000009 00000000 00000001 736d736300"),
        (
            Pdu(Command.BIND_TRANSCEIVER_RESP, Status.RINVCMDID, 2),
            "00000010 80000000 00000003 00000002",
        ),
        (
            Pdu(Command.BIND_RECEIVER_RESP, Status.RINVPASWD, 2),
            "00000010 80000001 0000000e 00000002",
        ),
    ],
    ids=["no version", "no transceiver", "refused"],
)
def test_version_3_3(pdu: Pdu, hex_out: str) -> None:
    assert Bench(Version.V3_3).out(pdu) == bytes.fromhex(hex_out)


# -- sequence numbers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sequences", "shown"),
    [
        (Sequences.PLAIN, [1, 2]),
        (Sequences.ZERO, [0, 0]),
        (Sequences.SAME, [1, 1]),
        (Sequences.LARGE, [0x8000_0001, 0x8000_0002]),
    ],
    ids=str,
)
def test_requests_have_strange_numbers_and_their_answers_the_true_ones(
    sequences: Sequences, shown: list[int]
) -> None:
    bench = Bench(sequences=sequences)
    out = bench.outgoing(encode(deliver(1)) + encode(deliver(2)))
    half = len(out) // 2
    assert [int.from_bytes(octets[12:16]) for octets in (out[:half], out[half:])] == shown
    for number, true in zip(shown, (1, 2), strict=True):
        answer = Pdu(Command.DELIVER_SM_RESP, Status.RX_T_APPN, number)
        back = decode(bench.incoming(encode(answer)))
        assert (back.sequence, back.status) == (true, Status.RX_T_APPN)


def test_answers_under_one_number_are_told_apart_by_their_command() -> None:
    bench = Bench(sequences=Sequences.ZERO)
    bench.outgoing(encode(deliver(1)) + encode(Pdu(Command.ENQUIRE_LINK, 0, 2)))
    back = [
        decode(bench.incoming(encode(Pdu(command, 0, 0)))).sequence
        for command in (Command.ENQUIRE_LINK_RESP, Command.GENERIC_NACK, Command.DELIVER_SM_RESP)
    ]
    assert back == [2, 1, 0]  # the last answers nothing any more


def test_the_peers_requests_keep_their_numbers() -> None:
    bench = Bench(sequences=Sequences.ZERO)
    bench.out(deliver(1))
    request = encode(Pdu(Command.ENQUIRE_LINK, 0, 0))
    assert bench.incoming(request) == request


# -- malformed PDUs --------------------------------------------------------------------------


def refusal(octets: bytes) -> int:
    """The status that a strict codec answers with; 0: it takes them."""
    try:
        decode(octets)
    except PduError as error:
        return error.status
    return Status.ROK


@pytest.mark.parametrize(
    ("role", "message"),
    [(Role.SMSC, Command.DELIVER_SM), (Role.ESME, Command.SUBMIT_SM)],
    ids=["smsc", "esme"],
)
def test_each_sort_goes_out_in_turn(role: Role, message: Command) -> None:
    bench = Bench(role=role, malform=Pick(each=1))
    whole = Pdu(message, 0, 1, {"short_message": b"ok"})
    seen = []
    for _ in range(7):
        out = bench.out(whole)
        assert out.endswith(encode(whole))
        bad = out[: -len(encode(whole))]
        sent = bench.told[-1]
        assert isinstance(sent, MalformedSent)
        assert sent.octets == bad.hex()
        seen.append((sent.what, refusal(bad)))
    assert seen[:6] == [
        ("a PDU of an unknown command", Status.RINVCMDID),
        ("a message that breaks off", Status.RSYSERR),
        ("a message with a TLV past its end", Status.RINVOPTPARSTREAM),
        ("a message with an address that never ends", Status.RINVSRCADR),
        ("an enquire_link with a body", Status.ROK),
        ("a response to nothing", Status.ROK),
    ]
    assert seen[6] == seen[0]


def test_the_answer_to_a_malformed_one_is_told_and_kept_from_the_session() -> None:
    bench = Bench(malform=Pick(first=1))
    sequence = int.from_bytes(bench.out(deliver(1))[12:16])
    nack = encode(Pdu(Command.GENERIC_NACK, Status.RINVCMDID, sequence))
    assert bench.incoming(nack) == b""
    told = bench.told[-1]
    assert isinstance(told, MalformedAnswered)
    assert (told.what, told.command, told.status_name) == (
        "a PDU of an unknown command",
        "generic_nack",
        "ESME_RINVCMDID",
    )
    assert bench.incoming(nack) == nack  # a second one is none of ours


def test_only_the_messages_picked_are_preceded() -> None:
    bench = Bench(malform=Pick(each=2))
    lengths = [len(bench.out(pdu)) - len(encode(pdu)) for pdu in [deliver(1)] * 4]
    assert [length > 0 for length in lengths] == [False, True, False, True]

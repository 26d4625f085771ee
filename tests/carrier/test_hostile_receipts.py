"""Bad receipts of every sort over a real connection: each is answered, and the session lives."""

import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.carrier.translate import NotOurs, Translator
from smsgw.service.message import Receipt, ReceiptState
from smsgw.settings.carrier import CarrierSettings
from smsgw.smpp.codec import Fields, Pdu, encode
from smsgw.smpp.tables import Command, Status, Tlv

Play = Callable[..., list[Any]]

GOOD = b"id:17 stat:DELIVRD err:000 text:x"


def tlv(tag: int, value: bytes) -> bytes:
    return struct.pack(">HH", tag, len(value)) + value


def body(text: bytes, esm_class: int = 0x04, after: bytes = b"") -> bytes:
    """Of a deliver_sm with `text`, and octets after its mandatory part."""
    fields = {
        "source_addr_ton": 1,
        "source_addr": "359888123456",
        "destination_addr": "170077",
        "esm_class": esm_class,
        "short_message": text,
    }
    return encode(Pdu(Command.DELIVER_SM, 0, 1, fields))[16:] + after


Said = tuple[str, str, str]  # id, state, error


def delivered(message_id: str, state: str = "delivered", error: str = "000") -> Said:
    return message_id, state, error


HOSTILE: list[tuple[str, bytes, int, Said | None]] = [
    ("empty", body(b""), Status.ROK, None),
    ("noise", body(bytes(range(256))[:254]), Status.ROK, None),
    ("all ones", body(b"\xff" * 254), Status.ROK, None),
    ("NULs", body(bytes(254)), Status.ROK, None),
    ("no id", body(b"stat:DELIVRD err:000"), Status.ROK, None),
    ("no stat", body(b"id:17 err:000"), Status.ROK, None),
    ("a word of theirs", body(b"id:17 stat:ZORK err:000"), Status.ROK, None),
    ("garbage in all", body(b"id:\xff stat:\xff err:\xff done date:\xff"), Status.ROK, None),
    ("an endless id", body(b"id:" + b"7" * 200 + b" stat:DELIVRD"), Status.ROK, None),
    (
        "an endless err",
        body(b"id:17 stat:DELIVRD err:" + b"9" * 200),
        Status.ROK,
        delivered("17", error=""),
    ),
    ("text only", body(b"text:id:17 stat:DELIVRD"), Status.ROK, None),
    ("a header longer than all", body(b"\xff" + GOOD, 0x44), Status.ROK, delivered("17")),
    ("no header in spite of the bit", body(GOOD, 0x44), Status.ROK, delivered("17")),
    ("a header and nothing", body(b"\x05\x00\x03", 0x44), Status.ROK, None),
    ("a header of nothing", body(b"\x00" + GOOD, 0x44), Status.ROK, delivered("17")),
    ("intermediate, and empty", body(b"", 0x20), Status.ROK, None),
    ("both sorts at once", body(GOOD, 0x24), Status.ROK, delivered("17")),
    ("reserved", body(GOOD, 0x3C), Status.ROK, None),
    ("an acknowledgement", body(GOOD, 0x08), Status.ROK, None),
    (
        "TLVs that say another thing",
        body(GOOD, after=tlv(Tlv.RECEIPTED_MESSAGE_ID, b"18") + tlv(Tlv.MESSAGE_STATE, b"\5")),
        Status.ROK,
        delivered("18", "undeliverable"),
    ),
    (
        "an odd state",
        body(GOOD, after=tlv(Tlv.MESSAGE_STATE, b"\xff")),
        Status.ROK,
        delivered("17"),
    ),
    (
        "the same TLV twice",
        body(b"", after=tlv(Tlv.MESSAGE_STATE, b"\2") * 2 + tlv(Tlv.RECEIPTED_MESSAGE_ID, b"17\0")),
        Status.ROK,
        delivered("17", error=""),
    ),
    (
        "an id of noise",
        body(GOOD, after=tlv(Tlv.RECEIPTED_MESSAGE_ID, b"\xff\xfe\x01")),
        Status.ROK,
        delivered("\xff\xfe\x01"),
    ),
    ("an id of 65 octets", body(GOOD, after=tlv(0x1E, b"7" * 65)), Status.ROK, delivered("7" * 65)),
    ("an id of 66 octets", body(GOOD, after=tlv(0x1E, b"7" * 66)), Status.RINVPARLEN, None),
    ("a state of no octet", body(GOOD, after=tlv(0x0427, b"")), Status.RINVPARLEN, None),
    ("a state of two", body(GOOD, after=tlv(0x0427, b"\2\2")), Status.RINVPARLEN, None),
    ("a network error of two", body(GOOD, after=tlv(0x0423, b"\3\1")), Status.RINVPARLEN, None),
    ("a TLV past the end", body(GOOD, after=b"\x04\x27\0\5\2"), Status.RINVOPTPARSTREAM, None),
    ("half a TLV", body(GOOD, after=b"\x04"), Status.RINVOPTPARSTREAM, None),
    ("a TLV nobody knows", body(GOOD, after=tlv(0x1FFF, b"?" * 900)), Status.ROK, delivered("17")),
    (
        "64 KiB of payload",
        body(b"", after=tlv(Tlv.MESSAGE_PAYLOAD, b"id:17 stat:DELIVRD " + b"id: " * 16_000)),
        Status.ROK,
        delivered("17", error=""),
    ),
    (
        "64 KiB of blanks",
        body(b"", after=tlv(Tlv.MESSAGE_PAYLOAD, b"done" + b" " * 65_000 + b"id:17 stat:DELIVRD")),
        Status.ROK,
        delivered("17", error=""),
    ),
    ("a text too long", body(GOOD).replace(b"\x21id:", b"\xffid:"), Status.RINVMSGLEN, None),
    ("a text cut off", body(GOOD)[:-9], Status.RINVMSGLEN, None),
    ("no body", b"", Status.RSYSERR, None),
]


def sent(peer: Any, whole: bytes) -> None:
    """Write a deliver_sm with this body, past the peer's own session."""
    session = peer.session
    sequence = session.request(Command.DELIVER_SM, {}, (), 0.0, None)
    session.take_output()
    header = struct.pack(">4I", 16 + len(whole), Command.DELIVER_SM, 0, sequence)
    peer.transport.write(header + whole)


@pytest.mark.parametrize(
    ("whole", "status", "taken"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE]
)
def test_it_is_answered_and_the_next_is_taken(
    world: Any, play: Play, whole: bytes, status: int, taken: Said | None
) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        peer = bench.smsc.peer
        sent(peer, whole)
        await bench.until(lambda: peer.answers)
        assert [answer.status for answer in peer.answers] == [status]
        found = [what for _, what in world.diary.items]
        assert all(isinstance(what, Receipt) for what in found)
        assert [(what.message_id, what.state.value, what.error) for what in found] == (
            [taken] if taken else []
        )
        sent(peer, body(GOOD))
        await bench.until(lambda: len(peer.answers) == 2)
        assert peer.answers[1].status == Status.ROK
        assert world.diary.items[-1][1].state is ReceiptState.DELIVERED
        assert peer.bound
        assert len(bench.smsc.dials) == 1

    logs = play(scenario)
    assert "link.connection_failed" not in [each["event"] for each in logs]


def test_all_at_once(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        peer = bench.smsc.peer
        for _, whole, *_ in HOSTILE * 3:
            sent(peer, whole)
        await bench.until(lambda: len(peer.answers) == 3 * len(HOSTILE))
        assert sorted(answer.status for answer in peer.answers) == sorted(
            [status for _, _, status, _ in HOSTILE] * 3
        )
        assert peer.bound

    play(scenario)


texts = st.one_of(
    st.binary(max_size=254),
    st.lists(
        st.sampled_from([b"id:", b"17", b"stat:", b"DELIVRD", b"err:", b" ", b",", b"\0"])
    ).map(lambda words: b"".join(words)[:254]),
)


@given(
    texts,
    st.integers(0, 255).map(lambda octet: octet & 0xC3 | 0x04),
    st.sampled_from([0x1E, 0x423, 0x427, 0x424, 0x1400]),
    st.binary(max_size=90),
)
def test_the_translator_never_raises(text: bytes, esm_class: int, tag: int, value: bytes) -> None:
    login = {"id": "mtel", "host": "h", "port": 1, "system_id": "cez", "password": "secret"}
    translator = Translator(CarrierSettings.model_validate(login), "170077")
    fields: Fields = {"esm_class": esm_class, "short_message": text, "source_addr": "\xff"}
    what = translator.incoming(Pdu(Command.DELIVER_SM, 0, 1, fields, [(tag, value)]), 1, 0.0)
    assert isinstance(what, Receipt | NotOurs)

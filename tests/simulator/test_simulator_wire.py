import pytest

from smsgw.clock import utc
from smsgw.simulator import LongMessages, Mt, Submit
from smsgw.simulator.wire import (
    Body,
    Part,
    Reassembly,
    bodies,
    from_customer,
    part_of,
    receipt,
    submitted,
)
from smsgw.smpp.codec import Pdu, decode, encode
from smsgw.smpp.names import Command, Tlv

LATIN = "x" * 200
CYRILLIC = "ж" * 100


def submit(
    octets: bytes,
    esm_class: int = 0,
    data_coding: int = 0,
    tlvs: tuple[tuple[int, bytes], ...] = (),
    at: float = 0.0,
) -> Submit:
    return Submit(at, 1, 0, "7", "170077", "359888123456", esm_class, data_coding, 1, octets, tlvs)


UDH_1_OF_2 = Part(("udh00", 1), 2, 1)
SAR = ((0x020C, b"\x00\x2a"), (0x020E, b"\x03"), (0x020F, b"\x02"))


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("smetka", LongMessages.UDH, [Body(b"smetka", 0, 0)]),
        ("ж", LongMessages.UDH, [Body(b"\x04\x36", 8, 0)]),
        (
            LATIN,
            LongMessages.UDH,
            [
                Body(b"\x05\x00\x03\x2a\x02\x01" + b"x" * 153, 0, 0x40),
                Body(b"\x05\x00\x03\x2a\x02\x02" + b"x" * 47, 0, 0x40),
            ],
        ),
        (
            LATIN,
            LongMessages.UDH16,
            [
                Body(b"\x06\x08\x04\x00\x2a\x02\x01" + b"x" * 152, 0, 0x40),
                Body(b"\x06\x08\x04\x00\x2a\x02\x02" + b"x" * 48, 0, 0x40),
            ],
        ),
        (
            "ж" * 135,
            LongMessages.SAR,
            [
                Body(b"\x04\x36" * size, 8, 0, (*SAR[:2], (0x020F, bytes([number]))))
                for number, size in ((1, 67), (2, 67), (3, 1))
            ],
        ),
        ("ж", LongMessages.SAR, [Body(b"\x04\x36", 8)]),
        (LATIN, LongMessages.PAYLOAD, [Body(b"x" * 200, 0, 0)]),
        (CYRILLIC, LongMessages.PAYLOAD, [Body(b"\x04\x36" * 100, 8, 0)]),
    ],
    ids=[
        *("latin", "cyrillic", "two parts", "16 bits", "SAR", "SAR not needed"),
        *("latin payload", "cyrillic payload"),
    ],
)
def test_a_text_becomes_octets(text: str, form: LongMessages, expected: list[Body]) -> None:
    assert bodies(text, 0x2A, "gsm7", form) == expected


@pytest.mark.parametrize(
    ("octets", "in_payload"), [(b"x" * 254, False), (b"x" * 255, True)], ids=["254", "255"]
)
def test_what_short_message_cannot_hold_goes_in_the_payload(
    octets: bytes, in_payload: bool
) -> None:
    fields, tlvs = from_customer("359888123456", "170077", Body(octets, 4))
    pdu = decode(encode(Pdu(Command.DELIVER_SM, 0, 1, fields, tlvs)))
    assert pdu.tlv(Tlv.MESSAGE_PAYLOAD) == (octets if in_payload else None)
    assert pdu.octets("short_message") == (b"" if in_payload else octets)


def test_sar_tlvs_go_with_the_text() -> None:
    fields, tlvs = from_customer("359888123456", "170077", Body(b"x", 0, 0, SAR))
    pdu = decode(encode(Pdu(Command.DELIVER_SM, 0, 1, fields, tlvs)))
    assert (pdu.octets("short_message"), tuple(pdu.tlvs)) == (b"x", SAR)


def test_a_receipt_reads_as_in_the_specification() -> None:
    taken = submit(b"Nyamate zadalzhenia")._replace(at=1_766_000_000.0)  # 2025-12-17 19:33:20
    fields, tlvs = receipt(taken, "4d2", "UNDELIV", "011", utc(1_766_000_100.0))
    pdu = decode(encode(Pdu(Command.DELIVER_SM, 0, 1, fields, tlvs)))
    assert pdu.octets("short_message") == (
        b"id:4d2 sub:001 dlvrd:000 submit date:2512171933 done date:2512171935"
        b" stat:UNDELIV err:011 text:Nyamate zadalzhenia"
    )
    assert pdu.number("esm_class") == 0x04
    assert pdu.text("source_addr") == "359888123456"
    assert pdu.text("destination_addr") == "170077"
    assert list(pdu.tlvs) == [(0x001E, b"4d2\0"), (0x0427, b"\x05")]


@pytest.mark.parametrize(
    ("taken", "part", "octets"),
    [
        (submit(b"abc"), None, b"abc"),
        (submit(b"\x05\x00\x03\x01\x02\x01abc"), None, b"\x05\x00\x03\x01\x02\x01abc"),
        (submit(b"\x05\x00\x03\x01\x02\x01abc", 0x40), UDH_1_OF_2, b"abc"),
        (submit(b"\x06\x08\x04\x01\x00\x02\x02abc", 0x40), Part(("udh08", 256), 2, 2), b"abc"),
        (
            submit(b"\x08\x24\x01\x00\x00\x03\x01\x02\x01abc", 0x43),
            Part(("udh00", 1), 2, 1),
            b"abc",
        ),
        (submit(b"\x05\x00\x03\x01\x02\x03abc", 0x40), None, b"abc"),
        (submit(b"\x05\x00\x03\x01\x02\x00abc", 0x40), None, b"abc"),
        (submit(b"\x05\x00\x03\x01\x00\x00abc", 0x40), None, b"abc"),
        (submit(b"\x05\x00\x04\x01\x02\x01abc", 0x40), None, b"abc"),
        (submit(b"\x09abc", 0x40), None, b"\x09abc"),
        (submit(b"", 0x40), None, b""),
        (submit(b"abc", tlvs=SAR), Part(("sar", 42), 3, 2), b"abc"),
        (submit(b"abc", tlvs=SAR[:2]), None, b"abc"),
    ],
    ids=[
        "no header",
        "not said to have one",
        "8-bit reference",
        "16-bit reference",
        "another element before",
        "part beyond the total",
        "part 0",
        "total 0",
        "element beyond the header",
        "header beyond the message",
        "empty",
        "SAR",
        "SAR without its number",
    ],
)
def test_parts_are_known(taken: Submit, part: Part | None, octets: bytes) -> None:
    assert part_of(taken) == (part, octets)


def _put_together(*submits: Submit) -> list[Mt]:
    reassembly = Reassembly("gsm7")
    return [mt for each in submits if (mt := reassembly.add(each)) is not None]


def part(number: int, octets: bytes, at: float = 0.0, reference: int = 9) -> Submit:
    return submit(bytes([5, 0, 3, reference, 2, number]) + octets, 0x40, at=at)


@pytest.mark.parametrize(
    ("submits", "texts"),
    [
        ([submit(b"a\x00b")], ["a@b"]),
        ([submit("жаба".encode("utf-16-be"), data_coding=8)], ["жаба"]),
        ([submit(b"\x01\x02", data_coding=4)], ["0102"]),
        ([part(1, b"one "), part(2, b"two")], ["one two"]),
        ([part(2, b"two"), part(1, b"one ")], ["one two"]),
        ([part(1, b"one "), part(1, b"One "), part(2, b"two")], ["One two"]),
        ([part(1, b"a"), part(1, b"b", reference=8), part(2, b"c")], ["ac"]),
        ([part(1, b"old ", at=0.0), part(2, b"new", at=301.0)], []),
        ([part(1, b"a"), part(2, b"b"), part(1, b"c"), part(2, b"d")], ["ab", "cd"]),
    ],
    ids=[
        "GSM",
        "UCS-2",
        "binary in hex",
        "two parts",
        "the second first",
        "a part twice",
        "another reference",
        "never whole",
        "a reference again",
    ],
)
def test_long_messages_are_put_together(submits: list[Submit], texts: list[str]) -> None:
    assert [mt.text for mt in _put_together(*submits)] == texts


def test_a_surrogate_pair_cut_between_parts_is_whole_again() -> None:
    octets = "😀".encode("utf-16-be")
    halves = [part(1, octets[:2]), part(2, octets[2:])]
    (mt,) = _put_together(*(half._replace(data_coding=8) for half in halves))
    assert (mt.text, mt.parts, mt.message_ids) == ("😀", 2, ("7", "7"))


def test_a_submit_is_recorded_as_it_came() -> None:
    pdu = Pdu(
        Command.SUBMIT_SM,
        0,
        1,
        {
            "service_type": "FREE",
            "source_addr": "170077",
            "destination_addr": "359888123456",
            "validity_period": "000001000000000R",
            "registered_delivery": 1,
        },
        [(Tlv.MESSAGE_PAYLOAD, b"a" * 300), (0x1401, b"\x01")],
    )
    taken = submitted(decode(encode(pdu)), 5.0, 3, 0, "17")
    assert taken == Submit(
        5.0,
        3,
        0,
        "17",
        "170077",
        "359888123456",
        0,
        0,
        1,
        b"a" * 300,
        ((Tlv.MESSAGE_PAYLOAD, b"a" * 300), (0x1401, b"\x01")),
        "FREE",
        "000001000000000R",
    )


@pytest.mark.parametrize(
    ("validity_period", "until"),
    [
        ("000001000000000R", 86_405.0),
        ("700101020000008+", 3_155_760_000.0),
        ("", None),
        ("tomorrow", None),
    ],
)
def test_how_long_a_submit_is_valid(validity_period: str, until: float | None) -> None:
    assert submit(b"", at=5.0)._replace(validity_period=validity_period).valid_until == until

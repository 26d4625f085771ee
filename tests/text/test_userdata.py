"""The user data header of long messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.text.userdata import Joining, Part, part, split

TEXT = b"smetka"

TRUE = [
    ("05 00 03 2a 02 01", Part(0x2A, 2, 1), "8-bit reference"),
    ("06 08 04 012a 03 03", Part(0x012A, 3, 3, Joining.UDH16), "16-bit reference"),
    ("08 24 01 01 00 03 2a 02 02", Part(0x2A, 2, 2), "after a language"),
    ("0b 05 04 0b84 0000 00 03 2a 02 02", Part(0x2A, 2, 2), "after ports"),
    ("08 00 03 2a 02 02 24 01 01", Part(0x2A, 2, 2), "before a language"),
]
LYING = [
    ("05 00 03 2a 02 00", "part 0"),
    ("05 00 03 2a 02 03", "part after the last"),
    ("05 00 03 2a 00 00", "no parts"),
    ("05 00 03 2a 01 01", "the only part"),
    ("04 00 02 2a 02", "too short for a reference"),
    ("06 00 04 2a 02 01 00", "too long for an 8-bit reference"),
    ("05 08 03 2a 02 01", "too short for a 16-bit reference"),
    ("05 00 09 2a 02 01", "an element longer than the header"),
    ("02 24 00", "nothing of a part"),
    ("01 00", "half an element"),
    ("00", "an empty header"),
]


@pytest.mark.parametrize(
    ("header", "expected"), [(h, p) for h, p, _ in TRUE], ids=[name for *_, name in TRUE]
)
def test_a_part_is_found(header: str, expected: Part) -> None:
    assert split(bytes.fromhex(header) + TEXT) == (expected, TEXT)


@pytest.mark.parametrize("header", [h for h, _ in LYING], ids=[name for _, name in LYING])
def test_what_can_not_be_says_nothing(header: str) -> None:
    assert split(bytes.fromhex(header) + TEXT) == (None, TEXT)


@pytest.mark.parametrize("octets", [b"", b"\x07smetka", b"\x05\x00\x03\x2a\x02", b"\xff"], ids=repr)
def test_a_header_longer_than_the_message_is_none(octets: bytes) -> None:
    assert split(octets) == (None, octets)


def test_a_header_may_be_all_there_is() -> None:
    assert split(bytes.fromhex("050003 2a0201")) == (Part(0x2A, 2, 1), b"")


@given(st.binary(max_size=40))
def test_nothing_raises_and_nothing_is_made_up(octets: bytes) -> None:
    found, body = split(octets)
    assert octets.endswith(body)
    assert found is None or 1 <= found.number <= found.total


@given(st.integers(0, 70000), st.integers(-1, 300), st.integers(-1, 300), st.sampled_from(Joining))
def test_a_part_is_one_of_several(
    reference: int, total: int, number: int, joining: Joining
) -> None:
    expected = (
        Part(reference, total, number, joining) if total > 1 and 0 < number <= total else None
    )
    assert part(reference, total, number, joining) == expected

"""UCS-2 as UTF-16BE, with whatever phones and SMSCs make of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.text import ucs2

VECTORS = {
    "latin": ("a", "0061"),
    "cyrillic": ("сметка", "0441043c04350442043a0430"),
    "quotes": ("„“", "201e201c"),
    "a pair": ("😀", "d83dde00"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("text", "octets"), VECTORS.values(), ids=VECTORS)
def test_vectors_both_ways(text: str, octets: str) -> None:
    assert ucs2.encode(text).hex() == octets
    assert ucs2.decode(bytes.fromhex(octets)) == text


TOLERATED = {
    "byte order mark": ("feff0061", "a"),
    "the other byte order, marked": ("fffe610062004204", "abт"),
    "only a byte order mark": ("feff", ""),
    "a no-break space of no width later on": ("0061feff0062", "a\ufeffb"),
    "odd last octet": ("006104", "a\ufffd"),
    "one octet": ("04", "\ufffd"),
    "high surrogate alone": ("0061d83d0062", "a\ufffdb"),
    "high surrogate at the end": ("0061d83d", "a\ufffd"),
    "low surrogate alone": ("de000061", "\ufffda"),
    "odd octet in the other byte order": ("fffe610062", "a\ufffd"),
}


@pytest.mark.parametrize(("octets", "text"), TOLERATED.values(), ids=TOLERATED)
def test_reads_what_it_should_not_be_sent(octets: str, text: str) -> None:
    assert ucs2.decode(bytes.fromhex(octets)) == text


def test_half_a_pair_is_not_sent() -> None:
    with pytest.raises(UnicodeEncodeError):
        ucs2.encode("a\ud83d")


@given(st.text())
def test_round_trip(text: str) -> None:
    assert ucs2.decode(ucs2.encode("." + text)) == "." + text


@given(st.binary())
def test_decodes_any_octets(octets: bytes) -> None:
    ucs2.decode(octets).encode()

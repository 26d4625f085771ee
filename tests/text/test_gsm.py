"""GSM 03.38 against codes copied from the standard's tables, and against itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib.gsm import gsm_encode

from smsgw.text import gsm

CHARACTERS = gsm.BASIC.replace("\x1b", "") + "".join(gsm.EXTENSION.values())

VECTORS = {
    "at sign is zero": ("@", "00"),
    "pound": ("£", "01"),
    "dollar": ("$", "02"),
    "e grave": ("è", "04"),
    "e acute": ("é", "05"),
    "capital c cedilla": ("Ç", "09"),
    "line feed": ("\n", "0a"),
    "o with stroke": ("Ø", "0b"),
    "carriage return": ("\r", "0d"),
    "delta": ("Δ", "10"),
    "underscore": ("_", "11"),
    "xi": ("Ξ", "1a"),
    "ae": ("Æ", "1c"),
    "capital e acute": ("É", "1f"),
    "blank": (" ", "20"),
    "currency sign": ("¤", "24"),
    "zero": ("0", "30"),
    "inverted exclamation mark": ("¡", "40"),
    "section sign": ("§", "5f"),
    "inverted question mark": ("¿", "60"),
    "a umlaut": ("ä", "7b"),
    "a grave is the last": ("à", "7f"),
    "form feed": ("\f", "1b0a"),
    "caret": ("^", "1b14"),
    "braces": ("{}", "1b281b29"),
    "backslash": ("\\", "1b2f"),
    "brackets and tilde": ("[~]", "1b3c1b3d1b3e"),
    "bar": ("|", "1b40"),
    "euro": ("€", "1b65"),
    "a keyword": ("smetka", "736d65746b61"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("text", "octets"), VECTORS.values(), ids=VECTORS)
def test_vectors_both_ways(text: str, octets: str) -> None:
    assert gsm.encode(text).hex() == octets
    assert gsm.decode(bytes.fromhex(octets)) == text


STRAY = {
    "escape before a plain code gives that code's character": ("611b62", "ab"),
    "escape before an escape is a blank": ("611b1b62", "a b"),
    "escape at the end is a blank": ("611b", "a "),
    "only escapes": ("1b1b1b", "  "),
    "the second escape does not begin a pair": ("1b1b65", " e"),
    "escape before carriage return": ("1b0d", "\r"),
    "an octet of eight bits": ("61ff80", "a\ufffd\ufffd"),
    "escape before an octet of eight bits": ("1be562", "\ufffdb"),
}


@pytest.mark.parametrize(("octets", "text"), STRAY.values(), ids=STRAY)
def test_what_the_tables_lack(octets: str, text: str) -> None:
    assert gsm.decode(bytes.fromhex(octets)) == text


def test_the_alphabet_is_whole() -> None:
    assert len(gsm.BASIC) == 128
    assert len(set(CHARACTERS)) == 127 + 10


def test_another_encoder_agrees() -> None:
    others = CHARACTERS.replace("§", "").replace("\f", "")  # it lacks these two
    assert gsm.encode(others) == gsm_encode(others)


@pytest.mark.parametrize("foreign", ["ж", "„", "“", "№", "–", "…", "\xa0", "`", "ç", "😀", "\x1b"])
def test_characters_outside(foreign: str) -> None:
    text = f"smetka {foreign}"
    assert not gsm.fits(text)
    with pytest.raises(ValueError, match="charmap"):
        gsm.encode(text)
    with pytest.raises(ValueError, match="charmap"):
        gsm.septets(text)


@given(st.text(CHARACTERS))
def test_round_trip(text: str) -> None:
    octets = gsm.encode(text)
    assert gsm.fits(text)
    assert gsm.decode(octets) == text
    assert gsm.septets(text) == len(octets) == sum(1 + (c in "\f^{}\\[~]|€") for c in text)
    assert max(octets, default=0) < 0x80


@given(st.binary())
def test_decodes_any_octets(octets: bytes) -> None:
    text = gsm.decode(octets)
    pairs = 0
    at = octets.find(gsm.ESCAPE)
    while 0 <= at < len(octets) - 1:
        pairs += 1
        at = octets.find(gsm.ESCAPE, at + 2)
    assert len(text) == len(octets) - pairs


@given(st.text())
def test_fits_says_what_encode_does(text: str) -> None:
    try:
        gsm.encode(text)
    except UnicodeEncodeError:
        assert not gsm.fits(text)
    else:
        assert gsm.fits(text)

"""data_coding, value by value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.text.alphabets import DefaultAlphabet, decode, decode_mo, encode_default, read_mo

GSM = ("1b65 00", "€@")
UCS2 = ("0441 0442", "ст")
CASES: dict[str, tuple[int, tuple[str, str]]] = {
    "0: the carrier's default": (0x00, GSM),
    "1: IA5": (0x01, ("407b 80", "@{\ufffd")),
    "3: Latin-1": (0x03, ("40e9 a7", "@é§")),
    "6: ISO-8859-5": (0x06, ("e1dc d5e2 dad0", "сметка")),
    "8: UCS-2": (0x08, UCS2),
    "8: with a byte order mark": (0x08, ("feff 0441", "с")),
    **{f"{coding:#x}: GSM with a class": (coding, GSM) for coding in range(0x10, 0x14)},
    **{f"{coding:#x}: UCS-2 with a class": (coding, UCS2) for coding in range(0x18, 0x1C)},
    "0xc0: message waiting, discard": (0xC0, GSM),
    "0xcf: message waiting, discard": (0xCF, GSM),
    "0xd0: message waiting, store": (0xD0, GSM),
    "0xdf: message waiting, store": (0xDF, GSM),
    "0xe0: message waiting, UCS-2": (0xE0, UCS2),
    "0xef: message waiting, UCS-2": (0xEF, UCS2),
    **{f"{coding:#x}: GSM with a class": (coding, GSM) for coding in range(0xF0, 0xF4)},
}
NO_TEXT = [
    2,
    4,
    5,
    7,
    9,
    10,
    13,
    14,
    15,
    *range(0x14, 0x18),
    *range(0x1C, 0xC0),
    *range(0xF4, 0x100),
]


@pytest.mark.parametrize(("coding", "case"), CASES.values(), ids=CASES)
def test_text(coding: int, case: tuple[str, str]) -> None:
    octets, text = case
    assert decode_mo(bytes.fromhex(octets), coding, "gsm7") == text


@pytest.mark.parametrize("coding", NO_TEXT, ids=hex)
def test_binary(coding: int) -> None:
    assert decode_mo(b"smetka", coding, "gsm7") is None


DEFAULTS: dict[str, tuple[DefaultAlphabet, str, str]] = {
    "GSM": ("gsm7", "00 24 5b 7f", "@¤Äà"),
    "ASCII": ("ascii", "40 24 5b 7b", "@$[{"),
    "Latin-1": ("latin1", "40 24 5b e0 a7", "@$[à§"),
}


@pytest.mark.parametrize(("alphabet", "octets", "text"), DEFAULTS.values(), ids=DEFAULTS)
def test_the_carriers_default_both_ways(alphabet: DefaultAlphabet, octets: str, text: str) -> None:
    assert decode_mo(bytes.fromhex(octets), 0, alphabet) == text
    assert encode_default(text, alphabet) == bytes.fromhex(octets)


LACKING: dict[str, tuple[DefaultAlphabet, str]] = {
    "GSM has no c cedilla": ("gsm7", "ç"),
    "ASCII has no e acute": ("ascii", "é"),
    "Latin-1 has no euro": ("latin1", "€"),
}


@pytest.mark.parametrize(("alphabet", "text"), LACKING.values(), ids=LACKING)
def test_never_replaces(alphabet: DefaultAlphabet, text: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        encode_default(text, alphabet)


STRANGE: dict[str, tuple[int, DefaultAlphabet, str, str]] = {
    "GSM has no octet above 0x7f": (0, "gsm7", "61 80 81", "a\ufffd\ufffd"),
    "ASCII has none either": (1, "gsm7", "61 80 81", "a\ufffd\ufffd"),
    "Latin-1 has all of them": (3, "gsm7", "61 80 81", "a\x80\x81"),
    "ISO-8859-5 has all of them": (6, "gsm7", "61 80 81", "a\x80\x81"),
    "UCS-2: an odd last octet": (8, "gsm7", "0441 04", "с\ufffd"),
    "UCS-2: one octet": (8, "gsm7", "04", "\ufffd"),
    "UCS-2: half a pair": (8, "gsm7", "0441 d83d 0442", "с\ufffdт"),
    "UCS-2: the other half": (8, "gsm7", "de00 0441", "\ufffdс"),
    "UCS-2: the other byte order, marked": (8, "gsm7", "fffe 4104", "с"),
    "NUL is the first character of GSM": (0, "gsm7", "61 00 62", "a@b"),
    "an escape that begins no pair": (0, "gsm7", "61 1b", "a "),
}


@pytest.mark.parametrize(("coding", "alphabet", "octets", "text"), STRANGE.values(), ids=STRANGE)
def test_what_should_not_be_sent(
    coding: int, alphabet: DefaultAlphabet, octets: str, text: str
) -> None:
    assert read_mo(bytes.fromhex(octets), coding, alphabet) == (text, "")


@given(
    st.binary(),
    st.integers(0, 255),
    st.sampled_from(("gsm7", "latin1", "ascii")),
)
def test_never_raises(octets: bytes, coding: int, alphabet: DefaultAlphabet) -> None:
    text = decode_mo(octets, coding, alphabet)
    assert text is None or "\ud800" not in text


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [
        pytest.param("сметка".encode(), 3, "Ñ\x81Ð¼ÐµÑ\x82ÐºÐ°", id="UTF-8 as Latin-1"),
        pytest.param(b"\x1f", 0, "\x1f", id="a control character"),
        pytest.param(b"\x1f", 4, None, id="no text"),
    ],
)
def test_who_only_believes_what_is_declared(octets: bytes, coding: int, text: str | None) -> None:
    assert decode(octets, coding, "latin1") == text

"""Texts sent under a data_coding that can't be true, and those that only look like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.text import gsm
from smsgw.text.alphabets import DefaultAlphabet, read_mo

GSM: DefaultAlphabet = "gsm7"
DEFAULTS: tuple[DefaultAlphabet, ...] = ("gsm7", "latin1", "ascii")

# What customers write, in words that real ones use.
CYRILLIC = (
    "сметка", "СТОП", "Помощ", "инфо", "Сметка 300012345678!", "колко дължа за ток?",
    "Здравейте, спрете SMS-ите", "ЧЕЗ ток", "по ДДС не, утре ще платя", "300012345678, сметка",
)  # fmt: skip
LATIN = ("smetka", "STOP", "Smetka, molya!", "300012345678", "info@cez.bg", "1.\n2.\r\n3.")
ENCODINGS = {
    "utf-8": "utf-8",
    "utf-8-sig": "utf-8",
    "utf-16-be": "utf-16",
    "utf-16-le": "utf-16-le",
    "windows-1251": "windows-1251",
    "iso8859-5": "iso-8859-5",
}

DECLARED = [*[(0, alphabet) for alphabet in DEFAULTS], (1, GSM), (3, GSM), (6, GSM), (8, GSM)]


@pytest.mark.parametrize(
    ("coding", "alphabet"),
    [*DECLARED, (0x11, GSM), (0xC8, GSM), (0xF0, GSM), (0x18, GSM), (0xE0, GSM)],
)
@pytest.mark.parametrize(("codec", "read_as"), ENCODINGS.items())
def test_cyrillic_under_a_wrong_coding(
    codec: str, read_as: str, coding: int, alphabet: DefaultAlphabet
) -> None:
    declared = {6: "iso8859-5", 8: "utf-16-be", 0x18: "utf-16-be", 0xE0: "utf-16-be"}
    if declared.get(coding) == codec:
        read_as = ""
    for text in CYRILLIC:
        assert read_mo(text.encode(codec), coding, alphabet) == (text, read_as), text


@pytest.mark.parametrize("text", LATIN)
def test_latin_under_a_wrong_coding(text: str) -> None:
    assert read_mo(text.encode("ascii"), 8, GSM) == (text, "ascii")
    for coding, alphabet in DECLARED[:-1]:
        assert read_mo(text.encode("utf-16-be"), coding, alphabet) == (text, "utf-16")
        assert read_mo(text.encode("utf-16-le"), coding, alphabet) == (text, "utf-16-le")
    assert read_mo(text.encode("utf-16-le"), 8, GSM) == (text, "utf-16-le")


# octets, data_coding, the default alphabet there, text, read as
TAKEN: dict[str, tuple[bytes, int, DefaultAlphabet, str, str]] = {
    "UTF-8 with accents as Latin-1": ("résumé".encode(), 3, GSM, "résumé", "utf-8"),
    "UTF-8 with emoji as GSM": ("ток 😀".encode(), 0, GSM, "ток 😀", "utf-8"),
    "UTF-8 with emoji as Latin-1": ("ok 😀".encode(), 3, GSM, "ok 😀", "utf-8"),
    "UTF-8 in Latin-1 without a control": ("помни".encode(), 3, GSM, "помни", "utf-8"),
    "UTF-8 cut at its end": ("сметка".encode()[:-1], 0, GSM, "сметк\ufffd", "utf-8"),
    "UTF-8 cut at its beginning": ("сметка".encode()[1:], 1, GSM, "\ufffdметка", "utf-8"),
    "an emoji cut at its end": ("сметка😀".encode()[:-1], 0, GSM, "сметка\ufffd", "utf-8"),
    "UTF-16 with a mark": (b"\xfe\xff\x04\x41\x04\x42", 0, GSM, "ст", "utf-16"),
    "UTF-16 with the other mark": (b"\xff\xfe\x41\x04\x42\x04", 3, GSM, "ст", "utf-16-le"),
    "UTF-16 with a mark, of one letter": (b"\xfe\xff\x04\x41", 1, GSM, "с", "utf-16"),
    "UTF-16 with emoji": ("Сметка 😀".encode("utf-16-be"), 0, GSM, "Сметка 😀", "utf-16"),
    "UTF-16 with low quotes": ("„ток“".encode("utf-16-be"), 0, GSM, "„ток“", "utf-16"),
    "ASCII as UCS-2, odd": (b"smetka1", 8, GSM, "smetka1", "ascii"),
    "one ASCII octet as UCS-2": (b"?", 8, GSM, "?", "ascii"),
    "GSM as UCS-2": (b"caf\x05 smetka", 8, GSM, "café smetka", "gsm7"),
    "Latin-1 as UCS-2": (b"caf\xe9 smetka", 8, GSM, "café smetka", "latin-1"),
    "Latin-1 as GSM": (b"caf\xe9", 0, GSM, "café", "latin-1"),
    "Latin-1 as ASCII": (b"caf\xe9", 0, "ascii", "café", "latin-1"),
    "Latin-1 as IA5": (b"caf\xe9", 1, GSM, "café", "latin-1"),
    "windows-1252 as Latin-1": (b"\x84smetka\x93", 3, GSM, "„smetka“", "windows-1252"),
    "GSM as ASCII": (b"info\x00cez.bg", 0, "ascii", "info@cez.bg", "gsm7"),
    "GSM as Latin-1": (b"info\x00cez.bg", 3, GSM, "info@cez.bg", "gsm7"),
}


@pytest.mark.parametrize(
    ("octets", "coding", "alphabet", "text", "read_as"), TAKEN.values(), ids=TAKEN
)
def test_taken_for_what_it_must_be(
    octets: bytes, coding: int, alphabet: DefaultAlphabet, text: str, read_as: str
) -> None:
    assert read_mo(octets, coding, alphabet) == (text, read_as)


def latin1(text: str) -> bytes:
    return text.encode("latin-1")


def ucs2(text: str) -> bytes:
    return text.encode("utf-16-be")


# octets, data_coding, text
KEPT: dict[str, tuple[bytes, int, str]] = {
    "GSM with an at sign": (b"\x00cez \x00", 0, "@cez @"),
    "GSM with e grave": (b"perch\x04 \x04", 0, "perchè è"),
    "GSM, two octets that are a letter of UTF-16": (b"\x04A", 0, "èA"),
    "GSM, only blanks and at signs": (b"\x00 \x00 ", 0, "@ @ "),
    "GSM, signs like dashes of UTF-16": (b" \x11 \x11", 0, " _ _"),
    "GSM, at sign and e grave by turns": (b"\x00\x04\x00\x04", 0, "@è@è"),
    "GSM and noise": (b"\x80\x81\x82\xff", 0, "\ufffd" * 4),
    "GSM and a mark with half a pair": (b"\xfe\xff\xd8\x3d", 0, "\ufffd" * 3 + "="),
    "GSM and a mark with a noncharacter": (b"\xfe\xff\xff\xff", 0, "\ufffd" * 4),
    "GSM and one Cyrillic letter, cut": (b"\xd1\x81\xd1", 0, "\ufffd" * 3),
    "GSM and a control of UTF-8": (b"\xc2\x85", 0, "\ufffd" * 2),
    "GSM and a short word of windows-1251": (b"\xe4\xe0", 0, "\ufffd" * 2),
    "Latin-1 in French": (latin1("Où est l'été à Besançon?"), 3, "Où est l'été à Besançon?"),
    "Latin-1 in capitals": (latin1("CAFÉ»"), 3, "CAFÉ»"),
    "Latin-1 with letters of its own": (latin1("ÄÖÜ äöü ß"), 3, "ÄÖÜ äöü ß"),
    "Latin-1, a short word of windows-1251": (latin1("äà"), 3, "äà"),
    "Latin-1, three letters of windows-1251": ("ЧЕЗ".encode("cp1251"), 3, "×ÅÇ"),
    "Latin-1, a short word and much more": (latin1("ñìå je smetka"), 3, "ñìå je smetka"),
    "Latin-1 with a control": (b"\x01\x02", 3, "\x01\x02"),
    "ISO-8859-5 with words of two capitals": ("ТА КА".encode("iso8859-5"), 6, "ТА КА"),
    "ISO-8859-5 in Serbian": ("љубав".encode("iso8859-5"), 6, "љубав"),
    "ISO-8859-5 in Russian": ("объём".encode("iso8859-5"), 6, "объём"),
    "UCS-2 in Greek": (ucs2("Καλημέρα"), 8, "Καλημέρα"),
    "UCS-2 in Vietnamese": (ucs2("Xin chào"), 8, "Xin chào"),
    "UCS-2 in Arabic": (ucs2("مرحبا"), 8, "مرحبا"),
    "UCS-2 in Korean": (ucs2("안녕하세요"), 8, "안녕하세요"),
    "UCS-2 in Chinese": (ucs2("我想查询电费"), 8, "我想查询电费"),
    "UCS-2, emoji": (ucs2("👍"), 8, "👍"),
    "UCS-2, a sign of two printable octets": (ucs2("♥"), 8, "♥"),
    "UCS-2 cut within a letter": (ucs2("сметка")[:-1], 8, "сметк\ufffd"),
    "UCS-2 of nothing": (b"", 8, ""),
    "UCS-2 with a private character": (b"\xe0\x00", 8, "\ue000"),
}


@pytest.mark.parametrize(("octets", "coding", "text"), KEPT.values(), ids=KEPT)
def test_kept_as_declared(octets: bytes, coding: int, text: str) -> None:
    assert read_mo(octets, coding, GSM) == (text, "")


BINARY = [2, 4, 0xF5, 0x80]


@pytest.mark.parametrize("coding", BINARY)
def test_what_is_declared_to_be_no_text_is_none(coding: int) -> None:
    assert read_mo("сметка".encode(), coding, GSM) == (None, "")


# -- never: plain texts, rightly encoded -----------------------------------------------------

PUNCTUATION = st.sampled_from([" ", ", ", ". ", "! ", "? ", "\n", " 12 ", "-", ": "])
LETTERS = "абвгдежзийклмнопрстуфхцчшщъьюя"


def texts(word: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    cased = st.builds(lambda case, one: case(one), st.sampled_from(CASES), word)
    pieces = st.lists(st.tuples(cased, PUNCTUATION), min_size=1, max_size=12)
    return pieces.map(lambda pairs: "".join([one for pair in pairs for one in pair]).strip())


CASES = (str.lower, str.upper, str.capitalize)
BULGARIAN = texts(st.text(LETTERS, min_size=1, max_size=12))
ASCII = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=9)
PLAIN = texts(st.builds(str.__add__, ASCII, st.sampled_from(["", "", "é", "è", "à", "ü", "ö"])))
NUMBERS = st.from_regex(r"\A[0-9][0-9 ,./-]{0,30}\Z")


@given(st.one_of(BULGARIAN, NUMBERS))
def test_bulgarian_is_never_read_otherwise(text: str) -> None:
    assert read_mo(text.encode("utf-16-be"), 8, GSM) == (text, "")
    assert read_mo(text.encode("iso8859-5"), 6, GSM) == (text, "")


@given(st.one_of(PLAIN, NUMBERS))
def test_latin_is_never_read_otherwise(text: str) -> None:
    text = "".join([one for one in text if gsm.fits(one)])  # some capitals of those are not in it
    assert read_mo(gsm.encode(text), 0, GSM) == (text, "")
    assert read_mo(text.encode("latin-1"), 3, GSM) == (text, "")
    assert read_mo(text.encode("latin-1"), 0, "latin1") == (text, "")
    assert read_mo(text.encode("utf-16-be"), 8, GSM) == (text, "")
    if text.isascii():
        assert read_mo(text.encode("ascii"), 1, GSM) == (text, "")


@given(st.text(max_size=80))
def test_any_text_of_ucs2_that_has_a_letter_of_ours_is_kept(text: str) -> None:
    text = "ток " + text
    assert read_mo(text.encode("utf-16-be"), 8, GSM) == (text, "")


@given(st.binary(max_size=200), st.integers(0, 255), st.sampled_from(DEFAULTS))
def test_a_reading_names_what_it_took_the_octets_for(
    octets: bytes, coding: int, alphabet: DefaultAlphabet
) -> None:
    text, read_as = read_mo(octets, coding, alphabet)
    names = {*ENCODINGS.values(), "ascii", "gsm7", "latin-1", "windows-1252", ""}
    assert read_as in names
    assert text is not None or not read_as

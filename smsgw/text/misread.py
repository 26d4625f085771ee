"""What octets must have been whose data_coding can't be true: texts sent under a wrong one.

A text that is valid and sensible as declared is never read as anything else. One that is not is
tried in other encodings, and taken for the first in which it is a text as they are written here;
where there is none, it stays what it was declared to be.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

from smsgw.text import gsm

Declared = Literal["gsm7", "ascii", "latin1", "cyrillic", "ucs2"]


class Reading(NamedTuple):
    """What octets say, None where they are no text, and the encoding that they were taken for.

    `read_as` is empty where they were read as declared.
    """

    text: str | None
    read_as: str = ""


def reread(octets: bytes, text: str, declared: Declared) -> Reading | None:
    """What `octets`, which are `text` as declared, must have been instead; None if nothing.

    `text` has U+FFFD for what is no character of the declared alphabet.
    """
    readings = (encoding(octets) for encoding in _others(octets, text, declared))
    return next((reading for reading in readings if reading is not None), None)


def _others(octets: bytes, text: str, declared: Declared) -> "_Encodings":
    """The encodings to try, in their order; none where the text is sensible as declared."""
    if declared == "ucs2":
        return _FOR_UCS2 if _strange(text) else ()
    if not _SUSPECT[declared].search(octets):
        return ()
    if declared == "gsm7":
        return _FOR_GSM7
    controlled = _CONTROL.search(text)
    if declared == "cyrillic":
        return _FOR_CYRILLIC if controlled or _cyrillic_words(text) is None else ()
    return _FOR_EIGHT_BITS if controlled or declared == "ascii" else _FOR_VALID_LATIN1


# -- what a text looks like ------------------------------------------------------------------

# Latin-1 and Cyrillic with the signs that stand beside them, and emoji: all that a UTF-16 text
# without a mark may have, as almost any octets are some text in UTF-16.
_HERE: Final = re.compile(
    "[\t\n\f\r -~\xa0-\xac\xae-\xff\u0401-\u045f\u0490\u0491\u2010-\u2015\u2018-\u201e\u2022\u2026"
    "\u20ac\u2116\u2122\u2600-\u27bf\ufe0f\U0001f300-\U0001faff]+"
)
_UNSEEN: Final = dict.fromkeys(map(ord, "\t\n\f\r\xa0\xad\u200b\u200c\u200d\u200e\u200f"))
_CONTROL: Final = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_WORD: Final = re.compile(r"[^\W\d_]+")
_ASCII: Final = re.compile(rb"[\n\r -~]+")
_PLAIN: Final = re.compile(rb"[A-Za-z0-9 ]")

# Octets without which a text is as declared. In GSM 03.38 all below 0x80 are characters, but 0x00
# and 0x04 stand in every other place of a Latin or Cyrillic text in UTF-16.
_SUSPECT: Final[dict[Declared, re.Pattern[bytes]]] = {
    "gsm7": re.compile(rb"[\x00\x04\x80-\xff]"),
    "ascii": re.compile(rb"[^\t\n\f\r -~]"),
    "latin1": re.compile(rb"[^\t\n\f\r -~]"),
    "cyrillic": re.compile(rb"[^\t\n\f\r -~]"),
}

# Any of these in a text of UCS-2, and its octets are no text of eight bits a character, which has
# none below 0x09. In UTF-16 of the other byte order ASCII and Cyrillic are all above U+1000.
_WRITTEN_HERE: Final = re.compile("[ -~\xa0-\u052f]")

# How often a letter is used in Bulgarian, per mille; the others in none of its words.
_FREQUENCY: Final = {
    "а": 119, "и": 89, "о": 87, "е": 84, "т": 77, "н": 72, "р": 47, "с": 47, "в": 43, "д": 35,
    "л": 32, "к": 31, "п": 28, "м": 24, "з": 22, "я": 17, "г": 17, "ъ": 16, "у": 14, "ч": 14,
    "б": 13, "й": 7, "ж": 7, "ц": 6, "щ": 6, "х": 5, "ш": 5, "ф": 3, "ю": 2, "ь": 1,
}  # fmt: skip
# Words read in another encoding consist of rare letters. A letter of a Bulgarian text has 60 on
# the average, and of none of the words for which people write to us below 36.
_LEAST_FREQUENCY: Final = 30


def _strange(text: str) -> bool:
    """Whether a text of UCS-2 has nothing that is written here, and not only signs."""
    return not _WRITTEN_HERE.search(text) and not all(map(_sign, text.replace("\ufffd", "x")))


def _sign(character: str) -> bool:
    return unicodedata.category(character)[0] in "SPZM"


def _printable(text: str) -> bool:
    return text.translate(_UNSEEN).isprintable()


def _well_cased(word: str) -> bool:
    return word.islower() or word.isupper() or word.istitle()


def _cyrillic_words(text: str) -> list[str] | None:
    """The words of a text that are not ASCII; None if it can't be Bulgarian.

    In Bulgarian no word mixes alphabets or cases.
    """
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    if not _HERE.fullmatch(text) or not _FREQUENCY.keys() >= set("".join(words).lower()):
        return None
    return words if all(map(_well_cased, words)) else None


def _frequency(words: list[str]) -> float:
    """How frequent the letters of Cyrillic words are on the average; 0 where all are short."""
    letters = "".join(words).lower()
    if max(map(len, words), default=0) < 3:
        return 0.0
    return sum(_FREQUENCY[letter] for letter in letters) / len(letters)


# -- the encodings: what the octets say in them, or None if that is no text -------------------

_UTF8_MANY: Final = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_UTF8_ENDED: Final = re.compile(rb"\A[\x80-\xbf]{1,3}")
_UTF8_BEGUN: Final = re.compile(
    rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z"
)


def _utf8(octets: bytes) -> Reading | None:
    """A part may begin and end within a character, which gives U+FFFD."""
    if not _UTF8_MANY.search(octets):
        return None
    body, ended = _UTF8_ENDED.subn(b"", octets)
    body, begun = _UTF8_BEGUN.subn(b"", body)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    # Some octets of other encodings are characters by chance: where there are stray ones, two.
    if not _printable(text) or ((ended or begun) and len(_UTF8_MANY.findall(body)) < 2):
        return None
    return Reading("\ufffd" * ended + text + "\ufffd" * begun, "utf-8")


def _utf8_of_here(octets: bytes) -> Reading | None:
    reading = _utf8(octets)
    return reading if reading and _HERE.fullmatch(reading.text or "") else None


def _utf16(octets: bytes, codec: str, mark: bytes, name: str) -> Reading | None:
    try:
        text = octets.removeprefix(mark).decode(codec)
    except UnicodeDecodeError:
        return None
    if octets.startswith(mark):
        return Reading(text, name) if _printable(text) else None
    # Letters and digits of Latin and Cyrillic outnumber signs above them, and one is no text:
    # two octets that make one make two signs of another encoding just as well.
    plain = sum(character < "\u0500" for character in text)
    if not _HERE.fullmatch(text) or len(text) < 2 or 2 * plain < len(text):
        return None
    return Reading(text, name) if re.search(r"\w", text) else None


def _utf16_be(octets: bytes) -> Reading | None:
    return _utf16(octets, "utf-16-be", b"\xfe\xff", "utf-16")


def _utf16_le(octets: bytes) -> Reading | None:
    return _utf16(octets, "utf-16-le", b"\xff\xfe", "utf-16-le")


def _ascii(octets: bytes) -> Reading | None:
    return Reading(octets.decode("ascii"), "ascii") if _ASCII.fullmatch(octets) else None


def _latin(octets: bytes) -> Reading | None:
    """A third or more of its letters have no accent."""
    try:
        text = octets.decode("windows-1252")
    except UnicodeDecodeError:
        return None
    letters = "".join(_WORD.findall(text))
    if not letters or _CONTROL.search(text):
        return None
    if 3 * sum(map(str.isascii, letters)) < len(letters):
        return None
    return Reading(text, "latin-1" if octets.decode("latin-1") == text else "windows-1252")


def _gsm7(octets: bytes) -> Reading | None:
    """At least half of it is letters and digits."""
    text = gsm.decode(octets)
    if not octets.isascii() or 2 * sum(map(str.isalnum, text)) < len(text):
        return None
    return Reading(text, "gsm7")


def _cyrillic(octets: bytes) -> Reading | None:
    """Of the Cyrillic encodings of eight bits the one in which the octets are Bulgarian."""
    found = None
    most = float(_LEAST_FREQUENCY)
    for codec, name in (("windows-1251", "windows-1251"), ("iso8859-5", "iso-8859-5")):
        text = octets.decode(codec, "replace")
        frequency = _frequency(_cyrillic_words(text) or [])
        if frequency > most:
            found, most = Reading(text, name), frequency
    return found


def _mostly_cyrillic(octets: bytes) -> Reading | None:
    """The same where there are four Cyrillic letters, and no more Latin ones than these."""
    reading = _cyrillic(octets)
    letters = "".join(_WORD.findall(reading.text or "")) if reading else ""
    latin = sum(map(str.isascii, letters))
    return reading if latin <= len(letters) - latin >= 4 else None


def _mostly_plain(octets: bytes) -> Reading | None:
    """GSM 03.38 or Latin-1, where nearly all of several octets are plain letters, digits, blanks.

    So are those of many Chinese characters, but seldom of three in a row.
    """
    if len(octets) < 5 or 4 * len(_PLAIN.findall(octets)) < 3 * len(octets):
        return None
    return _gsm7(octets) or _latin(octets)


_Encodings = tuple[Callable[[bytes], Reading | None], ...]

_FOR_GSM7: Final[_Encodings] = (_utf8, _utf16_be, _utf16_le, _cyrillic, _latin)
_FOR_EIGHT_BITS: Final[_Encodings] = (*_FOR_GSM7, _gsm7)
_FOR_VALID_LATIN1: Final[_Encodings] = (_utf8_of_here, _mostly_cyrillic)
_FOR_CYRILLIC: Final[_Encodings] = (_utf8_of_here, _utf16_be, _utf16_le, _cyrillic)
_FOR_UCS2: Final[_Encodings] = (_ascii, _utf8_of_here, _utf16_le, _cyrillic, _mostly_plain)

"""Latin and Cyrillic letters that stand for one another, and texts folded so far that it shows.

People write the words of one alphabet in the letters of the other, by sound (`сметка`, `smetka`)
and by look (`CMETKA`), and mix the two in one word.
"""

import re
import unicodedata
from typing import Final

# Capitals look alike where small letters don't, and both are folded to small ones: b is В.
CYRILLIC_BY_LOOK: Final = dict(zip("abcehkmoptxy", "авсенкмортху", strict=True))
LATIN_BY_LOOK: Final = {cyrillic: latin for latin, cyrillic in CYRILLIC_BY_LOOK.items()}
_TO_LATIN: Final = str.maketrans(LATIN_BY_LOOK)

# Cyrillic letters that Bulgarian doesn't have, and that are Latin ones to the eye.
_LATIN_TWINS: Final = dict(zip("ѕіјһӏԁԛԝ", "sijhldqw", strict=True))

# For each sound, the letters that write it: the Latin one, the Cyrillic one, and those of either
# alphabet that look like one of these two.
_WRITTEN: Final = {
    "sht": "(?:щ|[шw][tт]|[sсc][hнхx][tт])",
    "a": "[aа]",
    "e": "[eе]",
    "f": "[fф]",
    "h": "[hнхx]",
    "i": "[iи]",
    "k": "[kк]",
    "l": "[lл]",
    "m": "[mм]",
    "n": "[nнh]",
    "o": "[oо]",
    "p": "[pрп]",
    "s": "[sсc]",
    "t": "[tт]",
}

_LINE_ENDS: Final = frozenset("\n\r\v\f\x85\u2028\u2029")
_DROPPED: Final = frozenset({"Cc", "Cf", "Mn", "Me"})
_ODD_SIGNS: Final = {"\t": " ", "−": "-", "⁄": "/", "∕": "/", **_LATIN_TWINS}


def fold(text: str) -> str:
    """`text` without what makes no difference to a reader.

    Compatibility forms and case are folded; control and format characters are dropped, and the
    marks above and around letters and digits; every blank is a space, every line end `\\n`, every
    dash `-`, every decimal digit one of `0-9`, and `№` is `#`, so that it is no word "No".
    """
    if text.isascii() and text.isprintable():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text.replace("№", "#")).casefold()
    return folded.translate({ord(sign): _fold_sign(sign) for sign in set(folded)})


def _fold_sign(sign: str) -> str:
    if sign in _LINE_ENDS:
        return "\n"
    if sign in _ODD_SIGNS:
        return _ODD_SIGNS[sign]
    match unicodedata.category(sign):
        case "Zs":
            return " "
        case "Pd":
            return "-"
        case "Nd":
            return str(unicodedata.decimal(sign))
        case category:
            return "" if category in _DROPPED else sign


def spellings(word: str) -> str:
    """A regular expression for `word`, of the letters a-z, in either alphabet or a mixture.

    Raises KeyError at a sound that no letters are listed for.
    """
    return "".join(_WRITTEN[sound] for sound in re.findall("sht|.", word))


def looks_cyrillic(word: str) -> bool:
    """Whether every letter of a folded word is Cyrillic or looks so."""
    return all(letter in CYRILLIC_BY_LOOK or _is_cyrillic_letter(letter) for letter in word)


def is_cyrillic(word: str) -> bool:
    """Whether a folded word with letters of both alphabets, or of one, is a Cyrillic one.

    It is if it has a letter that can only be Cyrillic; or one that may be either, and none that
    can only be Latin.
    """
    cyrillic = [letter for letter in word if _is_cyrillic_letter(letter)]
    if not cyrillic:
        return False
    return looks_cyrillic(word) or not all(letter in LATIN_BY_LOOK for letter in cyrillic)


def latin_by_look(word: str) -> str:
    """A folded word with the Cyrillic letters that look Latin made Latin."""
    return word.translate(_TO_LATIN)


def _is_cyrillic_letter(letter: str) -> bool:
    return "\u0400" <= letter <= "\u052f"

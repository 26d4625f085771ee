"""Texts in Latin letters and GSM 03.38: the official transliteration, and signs in plain ones.

The letters are those of the Transliteration Act (State Gazette 19/2009), articles 4 to 6. Other
Cyrillic letters, which names from abroad have, are written as in passports (ICAO Doc 9303-3,
section 6.B).
"""

import re
import unicodedata
from typing import Final

from smsgw.text import gsm

_BULGARIAN: Final = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i",
    "й": "y", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s",
    "т": "t", "у": "u", "ф": "f", "х": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sht", "ъ": "a",
    "ь": "y", "ю": "yu", "я": "ya",
}  # fmt: skip
_FOREIGN: Final = {
    "ё": "e", "ы": "y", "э": "e", "і": "i", "ї": "i", "є": "ie", "ґ": "g", "ў": "u", "ѓ": "g",
    "ѝ": "i", "ѐ": "e", "ђ": "d", "ѕ": "dz", "ј": "j", "ќ": "k", "љ": "lj", "њ": "nj", "ћ": "c",
    "џ": "dz",
}  # fmt: skip
_LETTERS: Final = _BULGARIAN | _FOREIGN

# What has no compatibility decomposition, or one that is no plain sign.
_SIGNS: Final = {
    **dict.fromkeys("“”„‟«»″", '"'),
    **dict.fromkeys("‘’‚‛‹›′`´", "'"),
    **dict.fromkeys("‐‑‒–—―−•", "-"),
    **dict.fromkeys("\xad\u200b\u200c\u2060\ufeff", ""),
    "⁄": "/",
    "\t": " ",
    "×": "x",
}

_WORD: Final = re.compile("[\u0400-\u04ff]+")
_STRESS: Final = re.compile("(?<=[\u0400-\u04ff])[\u0300\u0301]")


def transliterate(text: str) -> str:
    """`text` in GSM 03.38, as far as there is a rule for what is not in it; else unchanged.

    Cyrillic words are transliterated. Other letters lose their accents, and signs become plain
    ones: quotation marks, dashes, dots, blanks, `№`. A character without a rule (an emoji, a
    letter of another script) stays, and what GSM 03.38 has is never touched.
    """
    if gsm.fits(text):
        return text
    cyrillic = _STRESS.sub("", unicodedata.normalize("NFC", text))
    return "".join([_plain(sign) for sign in _WORD.sub(_in_latin, cyrillic)])


def _in_latin(found: re.Match[str]) -> str:
    word = found[0]
    lower = word.lower()
    latin = [_LETTERS.get(letter, letter) for letter in lower]
    if lower == "българия":
        latin[1] = "u"  # article 6
    if lower.endswith("ия"):
        latin[-1] = "a"  # article 5
    return "".join(
        [
            _capital(word, place, each) if word[place].isupper() else each
            for place, each in enumerate(latin)
        ]
    )


def _capital(word: str, place: int, latin: str) -> str:
    """All of a capital's letters are capitals among capitals, as in ЧЕЗ; else the first is."""
    neighbour = word[place + 1 : place + 2] or word[place - 1 : place]
    return latin.upper() if neighbour.isupper() else latin.capitalize()


def _plain(sign: str) -> str:
    if gsm.fits(sign) or sign in _SIGNS:
        return _SIGNS.get(sign, sign)
    letters = unicodedata.normalize("NFKD", sign)
    plain = "".join([_SIGNS.get(each, each) for each in letters if not unicodedata.combining(each)])
    return plain if gsm.fits(plain) else sign

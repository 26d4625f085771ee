"""What a customer's text asks for: one table of keywords, and the grammar of customer numbers.

The rules are those of "What a customer may send" and "Reading" in the service's description. A
reading depends on the text alone; what the billing cache or the subscriptions say of it is the
conversation's business.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from smsgw.service.message import Script
from smsgw.service.numbers import MOBILE
from smsgw.text.scripts import fold, is_cyrillic, latin_by_look, looks_cyrillic, spellings


class Intent(StrEnum):
    """What the customer wants."""

    BILL_CHECK = "bill_check"
    BILL_CHECK_FOR = "bill_check_for"
    REGISTER = "register"
    STOP = "stop"
    HELP = "help"
    UNKNOWN = "unknown"


class Hint(StrEnum):
    """What was wrong with a text that is unknown, where that can be said."""

    WRONG_LENGTH = "wrong_length"  # one number, of `Reading.digits` digits instead of 12
    IN_PIECES = "in_pieces"  # digits here and there, none of which are 12 together
    PHONE_NUMBER = "phone_number"  # that number is a mobile one: 0888123456, 00359888123456
    ACCOUNT_NUMBER = "account_number"  # the digits are part of something else, an IBAN say
    UNSEPARATED = "unseparated"  # numbers run into each other
    TOO_MANY_NUMBERS = "too_many_numbers"  # more than five
    MIXED_DIGITS = "mixed_digits"  # customer numbers and other digits
    LONG_LABEL = "long_label"  # more than five words before a number
    MORE_THAN_WORD = "more_than_word"  # a keyword and digits that are no try: a month, a year
    KEYWORD_NOT_FIRST = "keyword_not_first"  # there is one, behind other words


class Reading(NamedTuple):
    """What a text says, whoever sent it."""

    intent: Intent
    customer_numbers: tuple[str, ...] = ()  # those the intent is about, each once, in order
    code: str | None = None  # the invoice's code, in capitals
    hint: Hint | None = None  # with UNKNOWN only
    script: Script | None = None  # None: the text has no words
    digits: int = 0  # with WRONG_LENGTH only: how many there are
    keyword: Intent | None = None  # with UNKNOWN only: the one that the text begins with


KEYWORDS: Final = {
    "smetka": Intent.BILL_CHECK,
    "stop": Intent.STOP,
    "help": Intent.HELP,
    "pomosht": Intent.HELP,
    "info": Intent.HELP,
}

CUSTOMER_NUMBER_DIGITS: Final = 12
MAX_NUMBERS: Final = 5
MAX_LABEL_WORDS: Final = 5
FEWEST_DIGITS_OF_A_TRY: Final = 5  # fewer were hardly meant as a number: a day, a floor, a year

# Latin words that may touch a number as a keyword may, HOMEP by look. Cyrillic ones always may.
_LABEL: Final = re.compile(
    "n|no|nr|nom|nomer|nomera|number|homep|id|kl|kn|klient|klienten|client|customer|"
    "abonat|abonaten|partida"
)
_KEYWORD: Final = re.compile("|".join(f"(?P<{word}>{spellings(word)})" for word in KEYWORDS))
# A run: groups of digits with what may stand inside a number between them.
_TOKEN: Final = re.compile(r"(?P<run>\d+(?:(?: +| *[-.] *)\d+)*)|(?P<word>[^\W\d_]+)")
_GROUP: Final = re.compile(r"\d+")
_LETTER: Final = re.compile(r"[^\W\d_]")
_GOES_ON: Final = re.compile(r"[-'’@_]+[^\W\d_]")
_CODED: Final = re.compile(
    r"(?<!\d)(?P<number>\d{12})"
    r"(?=\W*[\s,;:/])(?P<gap>\W+)(?:(?:kod|код|code)\W+)?"
    r"(?=\w{0,5}\d)(?P<code>[a-z0-9авсенкмортху]{6})(?![-@]?\w)"
)
_ACCOUNT_SIGNS: Final = frozenset("_*@\\$€£%")
# National (0…), international (00359…) or bare. 359 alone makes twelve digits, a number to try.
_PHONE: Final = re.compile(rf"(?:00359|0)?{MOBILE}")


class _Run(NamedTuple):
    """Groups of digits that may be one customer number or several."""

    digits: str
    numbers: tuple[str, ...]  # none where it can't be cut, or is part of something else
    foreign: bool  # it touches Latin letters, or a sign that numbers of accounts have
    label_words: int  # before it


def read(text: str) -> Reading:
    """The intent of a text, and all it names. Never raises; the time is linear in the text."""
    return _COMMON.get(text) or _read(text)


def _read(text: str) -> Reading:
    folded = fold(text)
    coded = _CODED.search(folded)
    return (coded and _read_coded(folded, coded)) or _read_plain(folded)


def _read_coded(text: str, coded: re.Match[str]) -> Reading | None:
    """The reading with the code, unless what stands there is no code of a single number."""
    code = coded["code"]
    if code.isdigit() and not {"-", "."}.isdisjoint(coded["gap"]):
        return None  # it is a group of the same run
    reading = _read_plain(text[: coded.start("code")] + "\n" + text[coded.end("code") :])
    if reading.customer_numbers != (coded["number"],):
        return None
    script = reading.script if code.isascii() else Script.CYRILLIC
    return reading._replace(code=latin_by_look(code).upper(), script=script)


def _read_plain(text: str) -> Reading:
    tokens = list(_TOKEN.finditer(text))
    words = [token.group() for token in tokens if token.lastgroup == "word"]
    runs = _find_runs(text, tokens)
    keyword = _keyword_at_start(text, tokens, runs)
    if keyword:
        reading = _read_keyword(keyword, runs)
    elif runs:
        reading = _read_numbers(runs)
    elif not words and "?" in text:
        reading = Reading(Intent.HELP)
    else:
        reading = Reading(Intent.UNKNOWN)
    if reading.intent is Intent.UNKNOWN and not reading.hint:
        later = any(_keyword(token.group()) for token in tokens[1:])
        reading = reading._replace(hint=Hint.KEYWORD_NOT_FIRST if later else None)
    return reading._replace(script=_script(words))


def _keyword_at_start(
    text: str, tokens: Sequence[re.Match[str]], runs: Sequence[_Run]
) -> Intent | None:
    """The keyword that the text begins with.

    A word that goes on behind a hyphen, an apostrophe, `@` or `_` is a longer one, and so is one
    that touches digits other than a customer number.
    """
    if not tokens or tokens[0].lastgroup != "word":
        return None
    end = tokens[0].end()
    if _GOES_ON.match(text, end) or (text[end : end + 1].isdecimal() and not runs[0].numbers):
        return None
    return _keyword(tokens[0].group())


def _keyword(word: str) -> Intent | None:
    match = _KEYWORD.fullmatch(word)
    return KEYWORDS[match.lastgroup] if match and match.lastgroup else None


def _read_keyword(keyword: Intent, runs: Sequence[_Run]) -> Reading:
    if keyword is Intent.HELP:
        return Reading(keyword)
    numbers = _numbers(runs)
    wrong = _what_is_wrong(runs, numbers)
    if wrong:
        return wrong._replace(hint=wrong.hint or Hint.MORE_THAN_WORD, keyword=keyword)
    if keyword is Intent.BILL_CHECK and numbers:
        return Reading(Intent.BILL_CHECK_FOR, numbers)
    return Reading(keyword, numbers)


def _read_numbers(runs: Sequence[_Run]) -> Reading:
    numbers = _numbers(runs)
    wrong = _what_is_wrong(runs, numbers)
    if wrong:
        return wrong
    if any(run.label_words > MAX_LABEL_WORDS for run in runs):
        return Reading(Intent.UNKNOWN, hint=Hint.LONG_LABEL)
    return Reading(Intent.REGISTER, numbers)


def _numbers(runs: Sequence[_Run]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(number for run in runs for number in run.numbers))


def _what_is_wrong(runs: Sequence[_Run], numbers: Sequence[str]) -> Reading | None:
    """Why the digits can't be taken as customer numbers, or None if they can."""
    wrong = [run for run in runs if not run.numbers]
    if not wrong:
        too_many = len(numbers) > MAX_NUMBERS
        return Reading(Intent.UNKNOWN, hint=Hint.TOO_MANY_NUMBERS) if too_many else None
    longest = max((run.digits for run in wrong), key=len)
    if any(run.foreign and len(run.digits) >= CUSTOMER_NUMBER_DIGITS for run in wrong):
        hint = Hint.ACCOUNT_NUMBER
    elif numbers:
        hint = Hint.MIXED_DIGITS
    elif _PHONE.fullmatch(longest):
        hint = Hint.PHONE_NUMBER
    elif len(longest) >= 2 * CUSTOMER_NUMBER_DIGITS:
        hint = Hint.UNSEPARATED
    elif len(runs) > 1 and _is_a_try(runs, longest):
        hint = Hint.IN_PIECES
    elif len(longest) >= FEWEST_DIGITS_OF_A_TRY:
        return Reading(Intent.UNKNOWN, hint=Hint.WRONG_LENGTH, digits=len(longest))
    else:
        return Reading(Intent.UNKNOWN)
    return Reading(Intent.UNKNOWN, hint=hint)


def _is_a_try(runs: Sequence[_Run], longest: str) -> bool:
    """Whether runs too short each were meant as a number: one is nearly it, or all are it."""
    digits = sum(len(run.digits) for run in runs)
    return len(longest) >= FEWEST_DIGITS_OF_A_TRY or digits == CUSTOMER_NUMBER_DIGITS


def _find_runs(text: str, tokens: Sequence[re.Match[str]]) -> list[_Run]:
    runs = []
    end = 0
    for index, token in enumerate(tokens):
        if token.lastgroup == "word":
            continue
        groups = _GROUP.findall(token.group())
        foreign = _is_foreign(text, tokens, index)
        label = text[end : token.start()]
        runs.append(
            _Run("".join(groups), () if foreign else _cut(groups), foreign, _count_words(label))
        )
        end = token.end()
    return runs


def _cut(groups: Sequence[str]) -> tuple[str, ...]:
    """The numbers of a run; none unless a group ends on each twelfth digit."""
    numbers = []
    number = ""
    for group in groups:
        number += group
        if len(number) > CUSTOMER_NUMBER_DIGITS:
            return ()
        if len(number) == CUSTOMER_NUMBER_DIGITS:
            numbers.append(number)
            number = ""
    return () if number else tuple(numbers)


def _is_foreign(text: str, tokens: Sequence[re.Match[str]], index: int) -> bool:
    """Whether the run `tokens[index]` is part of something else, an account number say."""
    start, end = tokens[index].span()
    signs = text[max(start - 1, 0) : start] + text[end : end + 1]
    if not _ACCOUNT_SIGNS.isdisjoint(signs):
        return True
    neighbours = [*tokens[max(index - 1, 0) : index], *tokens[index + 1 : index + 2]]
    touching = [word.group() for word in neighbours if start == word.end() or end == word.start()]
    return not all(is_cyrillic(word) or _is_known(word) for word in touching)


def _is_known(word: str) -> bool:
    return bool(_LABEL.fullmatch(word) or _KEYWORD.fullmatch(word))


def _count_words(text: str) -> int:
    return sum(1 for piece in text.split() if _LETTER.search(piece))


def _script(words: Sequence[str]) -> Script | None:
    """None without words. A known word of look-alikes is Cyrillic: none is Latin as it stands."""
    if not words:
        return None
    if any(is_cyrillic(word) or (looks_cyrillic(word) and _is_known(word)) for word in words):
        return Script.CYRILLIC
    return Script.LATIN


# What nearly every message is, read beforehand.
_COMMON: Final = {
    text: _read(text)
    for word in ("smetka", "сметка", "stop", "стоп", "help", "помощ", "info", "инфо", "?")
    for text in (word, word.upper(), word.capitalize())
}

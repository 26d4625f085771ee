"""What texts are read as: the rules of the service's description, a sentence a table."""

import time
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.service.keywords import Hint, Intent, Reading, read
from smsgw.service.message import Script

A, B, C, D, E, F = (f"30001234567{last}" for last in range(6))

KEYWORDS = {
    Intent.BILL_CHECK: [
        "smetka", "SMETKA", "Smetka", "sMeTkA", "сметка", "СМЕТКА", "Сметка",
        "смеtka", "CМЕТКА", "CMETKA", "cmetka", "смeткa", "СMЕTKА", "smеtkа", "ѕmetka", "сmеtkа",
        "ｓｍｅｔｋａ", "ＳＭＥＴＫＡ", "𝐬𝐦𝐞𝐭𝐤𝐚", "ⓈⓂⒺⓉⓀⒶ",
        "„сметка“", "“smetka”", '"smetka"', "'smetka'", "«сметка»", "’smetka’", "‚smetka‘",
        "(smetka)", "[smetka]", "<smetka>", "*smetka*", "_smetka_", "`smetka`",
        "#smetka", "- smetka", "smetka.", "smetka...", "smetka…", "сметка?", "smetka???",
        "сметка!!!", "smetka,", "smetka:", "...smetka", "? smetka",
        " smetka ", "\tsmetka\r\n", "\n\nсметка\n", "\xa0smetka\u3000",
        "sme\u200btka", "\ufeffsmetka", "smet\u00adka", "\u202asmetka\u202c", "s\0metka\x07",
        "сме́тка", "smétka", "smetka 👍", "👋smetka", "smetka\ufffd",
        "smetka molya", "сметка, моля!", "smetka molya vi se blagodarya mnogo predvaritelno",
        "smetka.blagodarya", "smetka stop", "smetka help", "SMETKA?\nИван", "smetka smetka",
        "сметка моля", "smetka моля",
    ],
    Intent.STOP: [
        "stop", "STOP", "Stop.", "стоп", "СТОП", "„стоп“", "CTOП", "STОР", "ЅТОР", "стоp", "CTОП!",
        "stop molya", "стоп сметка", "stop smetka", "stop, ne iskam poveche da poluchavam nishto",
    ],
    Intent.HELP: [
        "help", "HELP", "Help!", "хелп", "НЕLР", "hеlр", "xелп",
        "pomosht", "Pomosht", "помощ", "ПОМОЩ", "ПOMOЩ", "pomoщ", "помошт", "роmоsht", "помоsht",
        "info", "INFO", "инфо", "ИНФО", "іnfо", "ИHФO", "info, molya", "инфо за сметка",
        "?", "???", " ? ", "„?“", "？", "?!", "?.", "? ? ?", "\n?\n",
        "help 123", "help 12345678901", f"help {A}", f"info{A}", "помощ 2026",
    ],
    Intent.UNKNOWN: [
        "", " ", "\n", "...", "!", "👍", "\0", "-", "„“",
        "smetkata", "сметката", "smetki", "smetkaa", "stopp", "стопирай", "стопи", "stopwatch",
        "helpdesk", "помощта", "pomoshtta", "information", "информация", "инфото", "infofo",
        "smetka-ta", "stop-signal", "info@example.com", "help's", "help’s", "smetka_bg",
        "smetk", "metka", "sto", "stor", "nelp", "emetka", "5metka", "st0p", "e-smetka",
        "zdravejte", "здравейте", "molya smetka", "kakva e moyata smetka?", "моля, стоп",
        "smetka1", "help1", "info24", "stop2", "λόγος", "账单", "сметк а", "s m e t k a",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("intent", "text"), [(intent, text) for intent, texts in KEYWORDS.items() for text in texts]
)
def test_keywords(intent: Intent, text: str) -> None:
    reading = read(text)
    assert reading.intent is intent
    assert reading.customer_numbers == ()
    assert reading.code is None


REGISTERED: dict[str, tuple[str, tuple[str, ...]]] = {
    "twelve digits": (A, (A,)),
    "blanks": ("3000 1234 5670", (A,)),
    "a blank a digit": (" ".join(A), (A,)),
    "several blanks": ("300012   345670", (A,)),
    "dashes": ("3000-1234-5670", (A,)),
    "one dash": ("300012-345670", (A,)),
    "dots": ("3000.1234.5670", (A,)),
    "a dash with blanks": ("3000 - 1234- 5670", (A,)),
    "a dot with blanks": ("3000. 1234 .5670", (A,)),
    "long dashes": ("3000–1234—5670", (A,)),
    "a dash that does not break": ("3000‑1234‑5670", (A,)),
    "a minus": ("3000−1234−5670", (A,)),
    "no-break spaces": ("3000\xa01234\u202f5670", (A,)),
    "tabs": ("3000\t1234\t5670", (A,)),
    "format characters inside": ("3000\u200b1234\u20605670\u200e", (A,)),
    "full-width digits": ("３０００１２３４５６７０", (A,)),
    "Arabic digits": ("٣٠٠٠١٢٣٤٥٦٧٠", (A,)),
    "keycaps": ("".join(f"{digit}\ufe0f\u20e3" for digit in A), (A,)),
    "quoted": (f"„{A}“", (A,)),
    "in brackets": (f"({A})", (A,)),
    "full stop": (f"{A}.", (A,)),
    "question": (f"{A}?", (A,)),
    "a dash before": (f"- {A}", (A,)),
    "a plus before": (f"+{A}", (A,)),
    "blank lines around": (f"\r\n {A} \r\n", (A,)),
    "emoji": (f"{A}👍", (A,)),
    "label": (f"nomer {A}", (A,)),
    "label with a colon": (f"номер:{A}", (A,)),
    "numero sign": (f"№{A}", (A,)),
    "numero sign and a blank": (f"кл.№ {A}", (A,)),
    "number sign": (f"#{A}", (A,)),
    "No": (f"No{A}", (A,)),
    "No.": (f"No.{A}", (A,)),
    "nº": (f"nº{A}", (A,)),
    "N": (f"N{A}", (A,)),
    "Latin label touching": (f"Nomer{A}", (A,)),
    "Cyrillic label touching": (f"номер{A}", (A,)),
    "Bulgarian label touching": (f"Abonaten{A}", (A,)),
    "look-alike label touching": (f"HOMEP{A}", (A,)),
    "Cyrillic word touching behind": (f"{A}моля", (A,)),
    "known word touching behind": (f"{A}nomer", (A,)),
    "label of five words": (f"abonat Ivan Petrov ot Sofia {A}", (A,)),
    "label of five words with signs": (f"Моят кл. № е, моля, следният: {A}", (A,)),
    "label that ends in a keyword": (f"moyata smetka {A}", (A,)),
    "words behind": (f"{A} molya, blagodarya", (A,)),
    "more than five words behind": (f"{A} a b c d e f g", (A,)),
    "a keyword behind": (f"{A} smetka", (A,)),
    "a longer word is a label": (f"smetkata {A}", (A,)),
    "looks like a phone number": ("359888123456", ("359888123456",)),
    "looks like a phone number, grouped": ("+359 888 123 456", ("359888123456",)),
    "comma": (f"{A},{B}", (A, B)),
    "semicolon": (f"{A};{B}", (A, B)),
    "slash": (f"{A}/{B}", (A, B)),
    "line end": (f"{A}\n{B}", (A, B)),
    "carriage return": (f"{A}\r{B}", (A, B)),
    "line separator": (f"{A}\u2028{B}", (A, B)),
    "and": (f"{A} и {B}", (A, B)),
    "ampersand": (f"{A} & {B}", (A, B)),
    "plus": (f"{A}+{B}", (A, B)),
    "brackets": (f"({A})({B})", (A, B)),
    "two dashes": (f"{A} -- {B}", (A, B)),
    "blank: cut on the twelfth": (f"{A} {B}", (A, B)),
    "dash: cut on the twelfth": (f"{A}-{B}", (A, B)),
    "dot: cut on the twelfth": (f"{A}. {B}", (A, B)),
    "groups: cut on the twelfth": (f"3000 1234 5670 {B} 30001234 5672", (A, B, C)),
    "a label each": (f"dom {A}\nvila {B}\nv grada {C}", (A, B, C)),
    "a label of five words each": (f"a b c d e {A} f g h i j {B}", (A, B)),
    "five": (f"{A} {B} {C}, {D}; {E}", (A, B, C, D, E)),
    "twice counts once": (f"{B} {A} {B}", (B, A)),
    "five and one of them again": (f"{A} {B} {C} {D} {E} {A}", (A, B, C, D, E)),
    "spelt with letters of its own": ("абонатен номер 3000-1234-5670", (A,)),
}  # fmt: skip


@pytest.mark.parametrize(("text", "numbers"), REGISTERED.values(), ids=REGISTERED)
def test_registrations(text: str, numbers: tuple[str, ...]) -> None:
    reading = read(text)
    assert reading[:4] == (Intent.REGISTER, numbers, None, None)


ASKED: dict[str, tuple[str, Intent, tuple[str, ...]]] = {
    "bill check for one": (f"smetka {A}", Intent.BILL_CHECK_FOR, (A,)),
    "in Cyrillic": (f"сметка {A}", Intent.BILL_CHECK_FOR, (A,)),
    "by look": (f"CMETKA {A}", Intent.BILL_CHECK_FOR, (A,)),
    "touching": (f"smetka{A}", Intent.BILL_CHECK_FOR, (A,)),
    "touching groups": ("SMETKA3000 1234 5670", Intent.BILL_CHECK_FOR, (A,)),
    "touching by look": (f"CMETKA{A}", Intent.BILL_CHECK_FOR, (A,)),
    "colon": (f"smetka:{A}", Intent.BILL_CHECK_FOR, (A,)),
    "dash": (f"smetka-{A}", Intent.BILL_CHECK_FOR, (A,)),
    "slash": (f"smetka/{A}", Intent.BILL_CHECK_FOR, (A,)),
    "line end": (f"smetka\n{A}", Intent.BILL_CHECK_FOR, (A,)),
    "words between": (f"Сметка за номер {A}, моля", Intent.BILL_CHECK_FOR, (A,)),
    "many words between": (f"smetka a b c d e f g {A}", Intent.BILL_CHECK_FOR, (A,)),
    "bill check for several": (f"smetka {A} {B}, {C}", Intent.BILL_CHECK_FOR, (A, B, C)),
    "bill check for one, twice": (f"smetka {A} {A}", Intent.BILL_CHECK_FOR, (A,)),
    "stop one": (f"stop {A}", Intent.STOP, (A,)),
    "stop one in Cyrillic": ("Стоп за 3000 1234 5670!", Intent.STOP, (A,)),
    "stop one, touching": (f"stop{A}", Intent.STOP, (A,)),
    "stop two": (f"stop {A}, {B}", Intent.STOP, (A, B)),
    "the first word decides": (f"stop smetka {A}", Intent.STOP, (A,)),
}  # fmt: skip


@pytest.mark.parametrize(("text", "intent", "numbers"), ASKED.values(), ids=ASKED)
def test_keywords_with_numbers(text: str, intent: Intent, numbers: tuple[str, ...]) -> None:
    assert read(text)[:4] == (intent, numbers, None, None)


REFUSED: dict[str, tuple[str, Hint | None, int]] = {
    "11 digits": ("30001234567", Hint.WRONG_LENGTH, 11),
    "13 digits": ("3000123456789", Hint.WRONG_LENGTH, 13),
    "11 digits in groups": ("3000 1234 567", Hint.WRONG_LENGTH, 11),
    "a sixth digit too few": ("12345", Hint.WRONG_LENGTH, 5),
    "hardly meant as a number": ("1234", None, 0),
    "smetka with 11 digits": ("smetka 30001234567", Hint.WRONG_LENGTH, 11),
    "stop with 13 digits": ("stop 3000123456789", Hint.WRONG_LENGTH, 13),
    "stop touching 11 digits": ("stop30001234567", Hint.WRONG_LENGTH, 11),
    "help touching 11 digits": ("help30001234567", Hint.WRONG_LENGTH, 11),
    "a number in two pieces": ("3000--12345678", Hint.IN_PIECES, 0),
    "a number on two lines": ("3000 1234\n5678", Hint.IN_PIECES, 0),
    "smetka with a number in three pieces": ("smetka 3000--1234--5678", Hint.IN_PIECES, 0),
    "11 digits and a floor": ("30001234567 etaj 3", Hint.IN_PIECES, 0),
    "a day and a floor": ("dobar den, 1 maj, etaj 3", None, 0),
    "smetka for a month": ("smetka za 11", Hint.MORE_THAN_WORD, 0),
    "smetka and a digit": ("smetka 1", Hint.MORE_THAN_WORD, 0),
    "smetka and a year": ("smetka za noemvri 2026", Hint.MORE_THAN_WORD, 0),
    "smetka and a day": ("сметка за 5 ноември 2026", Hint.MORE_THAN_WORD, 0),
    "stop and a digit": ("stop 1", Hint.MORE_THAN_WORD, 0),
    "stop, a digit and another keyword": ("stop 1 smetka", Hint.MORE_THAN_WORD, 0),
    "24 digits unbroken": (A + B, Hint.UNSEPARATED, 0),
    "no group ends on the twelfth": ("3000 1234 56703 00012345671", Hint.UNSEPARATED, 0),
    "the second one is short": (f"{A} 3000 1234", Hint.WRONG_LENGTH, 20),
    "two dashes in a number": ("300012--345670", Hint.IN_PIECES, 0),
    "a dash and a dot in a number": ("300012.-345670", Hint.IN_PIECES, 0),
    "comma in a number": ("300012,345670", Hint.IN_PIECES, 0),
    "semicolon in a number": ("300012;345670", Hint.IN_PIECES, 0),
    "slash in a number": ("300012/345670", Hint.IN_PIECES, 0),
    "line end in a number": ("300012\n345670", Hint.IN_PIECES, 0),
    "line separator in a number": ("300012\u2029345670", Hint.IN_PIECES, 0),
    "colon in a number": ("300012:345670", Hint.IN_PIECES, 0),
    "ellipsis in a number": ("300012…345670", Hint.IN_PIECES, 0),
    "letter in a number": ("300012х345670", Hint.IN_PIECES, 0),
    "fraction slash": ("300012⁄345670", Hint.IN_PIECES, 0),
    "raised digit": (f"{A}²", Hint.WRONG_LENGTH, 13),
    "six": (f"{A} {B} {C} {D} {E} {F}", Hint.TOO_MANY_NUMBERS, 0),
    "smetka for six": (f"smetka {A} {B} {C} {D} {E} {F}", Hint.TOO_MANY_NUMBERS, 0),
    "stop for six": (f"stop {A},{B},{C},{D},{E},{F}", Hint.TOO_MANY_NUMBERS, 0),
    "a number and another": (f"{A}, 30001234567", Hint.MIXED_DIGITS, 0),
    "a number and a floor": (f"{A} etaj 3", Hint.MIXED_DIGITS, 0),
    "a number in a list": (f"1) {A}", Hint.MIXED_DIGITS, 0),
    "a number and half a slash": (f"{A}/1", Hint.MIXED_DIGITS, 0),
    "a digit in the label": (f"moq 4islo {A}", Hint.MIXED_DIGITS, 0),
    "smetka for a number and a year": (f"smetka {A} za 2026", Hint.MIXED_DIGITS, 0),
    "label of six words": (f"a b c d e f {A}", Hint.LONG_LABEL, 0),
    "label of six words before the second": (f"{A} a b c d e f {B}", Hint.LONG_LABEL, 0),
    "IBAN": ("BG80BNBG96611020345678", Hint.ACCOUNT_NUMBER, 0),
    "IBAN in groups": ("BG80 BNBG 9661 1020 3456 78", Hint.IN_PIECES, 0),
    "IBAN whose groups make twelve": ("BG80 BNBG 3000 1234 5670", Hint.MIXED_DIGITS, 0),
    "Latin letters before": (f"BNBG{A}", Hint.ACCOUNT_NUMBER, 0),
    "Latin letters behind": (f"{A}BG", Hint.ACCOUNT_NUMBER, 0),
    "a Latin letter before a group": ("X3000 1234 5670", Hint.ACCOUNT_NUMBER, 0),
    "a Latin letter behind a group": ("3000 1234 5670x", Hint.ACCOUNT_NUMBER, 0),
    "a longer word touching": (f"smetkata{A}", Hint.ACCOUNT_NUMBER, 0),
    "smetka with letters behind": (f"smetka{A}abc", Hint.ACCOUNT_NUMBER, 0),
    "underscore": (f"_{A}", Hint.ACCOUNT_NUMBER, 0),
    "stars": (f"**{A}", Hint.ACCOUNT_NUMBER, 0),
    "at sign": (f"{A}@example.com", Hint.ACCOUNT_NUMBER, 0),
    "money": (f"€{A}", Hint.ACCOUNT_NUMBER, 0),
    "a code that touches": (f"{A}AB12CD", Hint.ACCOUNT_NUMBER, 0),
    "mobile number": ("0888123456", Hint.PHONE_NUMBER, 0),
    "mobile number in groups": ("0888 123 456", Hint.PHONE_NUMBER, 0),
    "mobile number with 00": ("00359888123456", Hint.PHONE_NUMBER, 0),
    "bare mobile number": ("888123456", Hint.PHONE_NUMBER, 0),
    "number of a machine": ("043012345", Hint.PHONE_NUMBER, 0),
    "a landline": ("029876543", Hint.WRONG_LENGTH, 9),
    "keyword behind": ("molya smetka", Hint.KEYWORD_NOT_FIRST, 0),
    "keyword behind, in Cyrillic": ("моля, СТОП!", Hint.KEYWORD_NOT_FIRST, 0),
    "keyword behind a floor": ("5 smetka", Hint.KEYWORD_NOT_FIRST, 0),
    "greeting": ("zdravejte", None, 0),
    "longer word": ("smetkata", None, 0),
    "nothing": ("", None, 0),
}  # fmt: skip


@pytest.mark.parametrize(("text", "hint", "digits"), REFUSED.values(), ids=REFUSED)
def test_hints(text: str, hint: Hint | None, digits: int) -> None:
    reading = read(text)
    assert reading._replace(script=None, keyword=None) == Reading(
        Intent.UNKNOWN, hint=hint, digits=digits
    )


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("smetka 30001234567", Intent.BILL_CHECK),
        ("stop 1", Intent.STOP),
        ("30001234567 smetka", None),
        ("smetka30001234567", None),
        ("stop", None),
    ],
)
def test_the_keyword_of_what_is_not_understood(text: str, keyword: Intent | None) -> None:
    assert read(text).keyword is keyword


CODED = {
    "letters and digits": (f"{A} AB12CD", "AB12CD"),
    "small letters": (f"{A} ab12cd", "AB12CD"),
    "digits only": (f"{A} 123456", "123456"),
    "one digit": (f"{A} abcde1", "ABCDE1"),
    "full-width": (f"{A} ａｂ１２ｃｄ", "AB12CD"),
    "on the next line": (f"{A}\nAB12CD", "AB12CD"),
    "digits on the next line": (f"{A}\n123456", "123456"),
    "behind a comma": (f"{A}, AB12CD", "AB12CD"),
    "digits behind a comma": (f"{A},123456", "123456"),
    "behind a full stop": (f"{A}. AB12CD", "AB12CD"),
    "behind a dash": (f"{A} - AB12CD", "AB12CD"),
    "quoted": (f"{A} „AB12CD“", "AB12CD"),
    "named": (f"{A} kod: AB12CD", "AB12CD"),
    "named in Cyrillic": (f"{A}, код 123456", "123456"),
    "in Cyrillic letters that look Latin": (f"{A} АВ12СЕ", "AB12CE"),
    "with a label before": (f"klienten nomer {A} AB12CD", "AB12CD"),
    "with a label that touches": (f"№{A} AB12CD", "AB12CD"),
    "with words behind": (f"{A} AB12CD blagodarya", "AB12CD"),
    "which looks like a label and a number": (f"{A} kl1234", "KL1234"),
    "the number twice": (f"{A}, {A} AB12CD", "AB12CD"),
}


@pytest.mark.parametrize(("text", "code"), CODED.values(), ids=CODED)
def test_codes(text: str, code: str) -> None:
    assert read(text)[:4] == (Intent.REGISTER, (A,), code, None)


@pytest.mark.parametrize(
    ("keyword", "intent"), [("smetka", Intent.BILL_CHECK_FOR), ("stop", Intent.STOP)]
)
def test_a_code_behind_a_keyword_changes_nothing(keyword: str, intent: Intent) -> None:
    assert read(f"{keyword} {A} AB12CD")[:4] == (intent, (A,), "AB12CD", None)


NO_CODE: dict[str, tuple[str, Intent, tuple[str, ...]]] = {
    "no digit": (f"{A} abcdef", Intent.REGISTER, (A,)),
    "five": (f"{A} AB12C", Intent.UNKNOWN, ()),
    "seven": (f"{A} AB12CDE", Intent.UNKNOWN, ()),
    "five digits": (f"{A} 12345", Intent.UNKNOWN, ()),
    "two words": (f"{A} AB1 2CD", Intent.UNKNOWN, ()),
    "hyphenated": (f"{A} AB12CD-EF", Intent.UNKNOWN, ()),
    "Cyrillic letters that don't look Latin": (f"{A} ЖБ12ЮЯ", Intent.UNKNOWN, ()),
    "before the number": (f"AB12CD {A}", Intent.UNKNOWN, ()),
    "number in groups": ("3000 1234 5670 AB12CD", Intent.UNKNOWN, ()),
    "number in groups, digits": ("300012 345670 123456", Intent.UNKNOWN, ()),
    "behind two numbers": (f"{A} {B} AB12CD", Intent.UNKNOWN, ()),
    "digits behind two numbers": (f"{A}, {B} 123456", Intent.UNKNOWN, ()),
    "between two numbers": (f"{A} AB12CD {B}", Intent.UNKNOWN, ()),
    "two codes": (f"{A} AB12CD EF34GH", Intent.UNKNOWN, ()),
    "digits behind a dash": (f"{A}-123456", Intent.UNKNOWN, ()),
    "digits behind a dash with blanks": (f"{A} - 123456", Intent.UNKNOWN, ()),
    "groups that make a second number": (f"{A} 300012 345671", Intent.REGISTER, (A, B)),
    "behind other words": (f"{A} za bl AB12CD", Intent.UNKNOWN, ()),
    "number that touches letters": (f"BG{A} AB12CD", Intent.UNKNOWN, ()),
    "behind 11 digits": ("30001234567 AB12CD", Intent.UNKNOWN, ()),
    "with help": (f"help {A} AB12CD", Intent.HELP, ()),
}


@pytest.mark.parametrize(("text", "intent", "numbers"), NO_CODE.values(), ids=NO_CODE)
def test_what_is_no_code(text: str, intent: Intent, numbers: tuple[str, ...]) -> None:
    reading = read(text)
    assert reading[:3] == (intent, numbers, None)


SCRIPTS: dict[Script | None, list[str]] = {
    Script.CYRILLIC: [
        "сметка", "СМЕТКА", "смеtka", "CМЕТКА", "CMETKA", "cmetka", "„CMETKA“", "CTOП", "хелп",
        "pomoщ", "smetka моля", "zdravejte, аз съм", f"номер {A}", f"HOMEP {A}", f"CMETKA {A}",
        f"{A} моля", f"{A} код 123456", f"{A} АВ12СЕ", "ИHФO", "Ж", "сме́тка", f"stop {A} (вила)",
    ],
    Script.LATIN: [
        "smetka", "SMETKA", "stop", "help", "info", "pomosht", "smеtka", "STОР", "hеlр", "ѕmetka",
        f"nomer {A}", f"{A} molya", "zdravejte", "TEMA", "koma", "λόγος", f"{A} kod 123456",
        "BG80BNBG96611020345678", "hello smetka", "smétka",
    ],
    None: ["", "?", "...", A, "3000 1234 5670", f"№ {A}", f"#{A}", "👍", "11", f"{A} AB12CD",
           f"{A} 123456", f"{A}\n{B}"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("script", "text"), [(script, text) for script, texts in SCRIPTS.items() for text in texts]
)
def test_scripts(script: Script | None, text: str) -> None:
    assert read(text).script is script


NASTY = {
    "digits": "1",
    "numbers": A + " ",
    "digits and blanks": "1 ",
    "digits and dashes": "1 - ",
    "blanks": " ",
    "numbers far apart": A + " " * 500,
    "a number and signs": "".join((A, ".,;" * 50)),
    "words": "s ",
    "one word": "s",
    "letters and digits": "a1",
    "marks": "é\u0301",
    "question marks": "?",
    "escapes": "\x1b",
    "codes": "AB12CD ",
    "underscores": "_",
}


@pytest.mark.parametrize("piece", NASTY.values(), ids=NASTY)
def test_time_is_linear(piece: str) -> None:
    """50,000 characters take some 0.1 s; what is quadratic in them takes minutes."""
    text = A + (piece * 50_000)[:50_000] + "."
    began = time.perf_counter()
    read(text)
    assert time.perf_counter() - began < 10


def check(reading: Reading) -> None:
    numbers = reading.customer_numbers
    assert all(len(number) == 12 and set(number) <= set("0123456789") for number in numbers)
    assert len(set(numbers)) == len(numbers) <= 5
    assert bool(numbers) or reading.intent not in (Intent.REGISTER, Intent.BILL_CHECK_FOR)
    assert not numbers or reading.intent in (Intent.REGISTER, Intent.BILL_CHECK_FOR, Intent.STOP)
    assert reading.hint is None or reading.intent is Intent.UNKNOWN
    assert (reading.digits > 0) == (reading.hint is Hint.WRONG_LENGTH)
    assert reading.code is None or len(numbers) == 1


@given(st.text(st.characters()))
def test_reads_any_text(text: str) -> None:
    check(read(text))


PIECES = ["smetka", "стоп", "help", "?", A, B, "3000", "12", "345670", "AB12CD", "№", "код", "bg",
          "a", " ", " ", "-", ".", ",", "/", "\n", "_", "\u200b", "“", "３", "é"]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_reads_any_text_of_its_own_pieces(text: str) -> None:
    check(read(text))


LOOK_ALIKES = {
    "сметка": ("сcCС", "мmMМ", "еeEЕ", "тtTТ", "кkKК", "аaAА"),
    "smetka": ("sSЅѕ", "mMМм", "eEЕе", "tTТт", "kKКк", "aAАа"),
    "stop": ("sSЅѕ", "tTТт", "oOОо", "pPРр"),
    "стоп": ("сcCС", "тtTТ", "оoOО", "пП"),
    "help": ("hHНн", "eEЕе", "lL", "pPРр"),
    "pomosht": ("pPРр", "oOОо", "mMМм", "oOОо", "sSЅѕ", "hHНн", "tTТт"),
    "помощ": ("пП", "оoOО", "мmMМ", "оoOО", "щЩ"),
    "info": ("iIІі", "nN", "fF", "oOОо"),
    "инфо": ("иИ", "нНH", "фФ", "оoOО"),
}


@given(st.data())
def test_any_mixture_of_look_alikes(data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(sorted(LOOK_ALIKES)))
    written = "".join(data.draw(st.sampled_from(letters)) for letters in LOOK_ALIKES[word])
    opening = data.draw(st.text("„“\"'«(.,!? \n\t\xa0\u200b-*", max_size=3))
    closing = data.draw(st.text("“”\"'»).,!?; \n\t\xa0\u200b*", max_size=3))
    reading = read(opening + written + closing)
    assert reading.intent is read(word).intent
    if not word.isascii():
        assert reading.script is Script.CYRILLIC


SEPARATORS = st.sampled_from([" ", "  ", "-", " - ", ". ", ".", " -", "\t", "–", "\xa0"])


@given(st.lists(st.text("0123456789", min_size=1, max_size=14), min_size=1, max_size=8), st.data())
def test_runs_are_cut_on_each_twelfth_digit(groups: list[str], data: st.DataObject) -> None:
    text = groups[0] + "".join(data.draw(SEPARATORS) + group for group in groups[1:])
    digits = "".join(groups)
    ends = set(accumulate(map(len, groups)))
    wanted = {*range(12, len(digits) + 1, 12)}
    reading = read(text)
    if reading.code:
        assert (len(groups), len(groups[0]), len(groups[-1])) == (2, 12, 6)
    elif wanted and wanted <= ends and len(digits) % 12 == 0:
        numbers = dict.fromkeys(digits[end - 12 : end] for end in sorted(wanted))
        assert reading.intent is Intent.REGISTER or len(numbers) > 5
        assert reading.customer_numbers == tuple(numbers) or len(numbers) > 5
    else:
        assert reading.intent is Intent.UNKNOWN


@given(
    st.permutations((A, B, C)), st.sampled_from([",", ";", "/", "\n", " , ", "\r\n", "/ ", " и "])
)
def test_separated_numbers_keep_their_order(numbers: list[str], separator: str) -> None:
    assert read(separator.join(numbers)).customer_numbers == tuple(numbers)

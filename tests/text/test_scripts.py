"""Folding, and letters of the two alphabets that stand for one another."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.text.scripts import (
    CYRILLIC_BY_LOOK,
    fold,
    is_cyrillic,
    latin_by_look,
    looks_cyrillic,
    spellings,
)

FOLDS = {
    "case": ("SMETKA Сметка", "smetka сметка"),
    "full-width letters, digits and signs": ("ｓＭ１２：？", "sm12:?"),
    "no-break and thin spaces": ("1\xa02\u20093\u202f4\u30005", "1 2 3 4 5"),
    "tab": ("a\tb", "a b"),
    "line ends": ("a\nb\rc\u2028d\u2029e\x85f\vg\fh", "a\nb\nc\nd\ne\nf\ng\nh"),
    "control characters": ("s\0me\x07tka\x1b", "smetka"),
    "format characters": ("\ufeffsme\u200btka\u200e\u00ad\u2060", "smetka"),
    "dashes": ("1‐2‑3‒4–5—6−7－8", "1-2-3-4-5-6-7-8"),
    "slashes": ("1⁄2∕3／4", "1/2/3/4"),
    "numero sign is no word": ("№3", "#3"),
    "stress and accents": ("сме́тка smétka ѝ", "сметка smetka и"),
    "keycaps": ("1\ufe0f\u20e32\ufe0f\u20e3", "12"),
    "digits of other scripts": ("٣۴५", "345"),
    "circled and raised digits": ("①²", "12"),
    "dots": ("…․", "...."),
    "Latin twins that Bulgarian has not": ("ѕ іnfо ЈӀ", "s infо jl"),
    "Cyrillic stays": ("щюя", "щюя"),
    "quotes stay": ("„a“ «b»", "„a“ «b»"),
    "replacement character stays": ("a\ufffd", "a\ufffd"),
}


@pytest.mark.parametrize(("text", "folded"), FOLDS.values(), ids=FOLDS)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(st.characters()))
def test_fold_takes_any_text(text: str) -> None:
    folded = fold(text)
    assert not re.search(r"[\0-\x09\x0b-\x1f\x7f-\x9f\u200b\ufeff\xa0]", folded)
    assert all(digit in "0123456789" for digit in re.findall(r"\d", folded))


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_plain_ascii_folds_as_the_rest_does(text: str) -> None:
    assert fold(text) == fold(text + "ж")[:-1]


SPELLINGS = {
    "Latin": ("stop", "stop"),
    "by sound": ("stop", "стоп"),
    "by look": ("stop", "sтор"),
    "either in one word": ("stop", "cтoп"),
    "one letter for three": ("pomosht", "помощ"),
    "two letters for three": ("pomosht", "помошт"),
    "w looks like ш": ("pomosht", "pomowt"),
    "х sounds like h": ("help", "хелп"),
    "н looks like H": ("help", "неlр"),
}


@pytest.mark.parametrize(("word", "written"), SPELLINGS.values(), ids=SPELLINGS)
def test_spellings(word: str, written: str) -> None:
    assert re.fullmatch(spellings(word), written)


@pytest.mark.parametrize(
    ("word", "written"),
    [("stop", "stor"), ("stop", "stopp"), ("stop", "sto"), ("help", "nelp"), ("smetka", "smetкo")],
)
def test_other_words(word: str, written: str) -> None:
    assert not re.fullmatch(spellings(word), written)


def test_a_sound_without_letters() -> None:
    with pytest.raises(KeyError):
        spellings("smqtka")


WORDS = {
    "Cyrillic": ("сметка", True, True),
    "Latin": ("smetka", False, False),
    "Latin letters that all look Cyrillic": ("cmetka", False, True),
    "Latin letters among Cyrillic ones": ("смеtka", True, True),
    "a Cyrillic letter in a Latin word": ("smеtka", False, False),
    "a letter only Cyrillic has decides": ("pomoщs", True, False),
    "letters only one or the other has": ("smetщ", True, False),
    "all letters have a Latin look, and are Cyrillic": ("сор", True, True),
    "Greek": ("λόγος", False, False),
}


@pytest.mark.parametrize(("word", "cyrillic", "looks"), WORDS.values(), ids=WORDS)
def test_scripts_of_words(word: str, cyrillic: bool, looks: bool) -> None:
    assert is_cyrillic(word) is cyrillic
    assert looks_cyrillic(word) is looks


def test_latin_by_look() -> None:
    assert latin_by_look("ав12сещ") == "ab12ceщ"


@given(st.text("".join(CYRILLIC_BY_LOOK), min_size=1))
def test_look_goes_both_ways(word: str) -> None:
    cyrillic = "".join(CYRILLIC_BY_LOOK[letter] for letter in word)
    assert is_cyrillic(cyrillic)
    assert latin_by_look(cyrillic) == word

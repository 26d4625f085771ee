"""Texts of which only the length is left."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.text.alphabets import DefaultAlphabet
from smsgw.text.blanking import blanked
from smsgw.text.segmentation import count_parts

ALPHABETS = get_args(DefaultAlphabet)
TEXTS = st.text(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("aZ09[^€éêΔ`ж№ ")),
    max_size=400,
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Dalg 45,20 EUR!", "xxxxxxxxxxxxxxx"),
        ("[€]", "[€["),
        ("Иван №7", "жжжжxжx"),
        ("è Ê `", "éxêx`"),
        ("\U0001f600", "\U0001f000"),
        ("", ""),
    ],
)
def test_signs_of_the_same_room(text: str, left: str) -> None:
    assert blanked(text) == left


@given(TEXTS)
def test_it_takes_as_many_parts(text: str) -> None:
    for alphabet in ALPHABETS:
        for bits in (8, 16):
            assert count_parts(blanked(text), bits, alphabet) == count_parts(text, bits, alphabet)
    assert blanked(blanked(text)) == blanked(text)

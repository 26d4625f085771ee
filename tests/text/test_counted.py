"""Counted things in English."""

import pytest

from smsgw.text.counted import counted


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 bills"), (1, "1 bill"), (2, "2 bills"), (21, "21 bills")]
)
def test_one_thing_has_no_s(count: int, words: str) -> None:
    assert counted(count, "bill") == words

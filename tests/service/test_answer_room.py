"""An answer takes no more parts than it may, as the carrier that it goes over counts them."""

import pytest

from smsgw.service.answer import SURE, Room, fitting
from smsgw.service.message import Encoding, LongMessages
from smsgw.text.alphabets import DefaultAlphabet


@pytest.mark.parametrize(
    ("alphabet", "form", "sign", "longest"),
    [
        ("gsm7", "udh", "x", 306),
        ("gsm7", "udh16", "x", 304),
        ("gsm7", "sar", "x", 304),
        ("gsm7", "payload", "x", 306),
        ("gsm7", "udh", "ж", 134),
        ("gsm7", "udh16", "ж", 132),
        ("gsm7", "udh", "[", 152),
        ("ascii", "udh", "[", 306),
        ("latin1", "udh", "é", 306),
        ("ascii", "udh", "é", 134),
    ],
)
def test_what_two_parts_hold(
    alphabet: DefaultAlphabet, form: LongMessages, sign: str, longest: int
) -> None:
    room = Room(2, Encoding(alphabet, form))
    assert room.holds(sign * longest)
    assert not room.holds(sign * (longest + 1))
    assert fitting(lambda count: sign * count, 1000, room) == sign * longest
    assert fitting(lambda _: sign * 1000, 0, room) == sign * longest


@pytest.mark.parametrize("form", ["udh", "udh16", "sar", "payload"])
@pytest.mark.parametrize("parts", [1, 2, 255])
@pytest.mark.parametrize("sign", ["a", "€", "я", "😀"])
def test_what_is_surely_short_enough_is(form: LongMessages, sign: str, parts: int) -> None:
    assert Encoding("gsm7", form).count_parts(sign * SURE * parts) <= parts


@pytest.mark.parametrize("form", ["udh", "udh16"])
def test_without_a_bound_a_message_s_own_counts(form: LongMessages) -> None:
    encoding = Encoding("gsm7", form)
    text = fitting(lambda count: "x" * count, 50_000, Room(0, encoding))
    assert encoding.count_parts(text) == 255

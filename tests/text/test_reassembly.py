"""Where parts of long messages belong, and what they say together."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smsgw.text import gsm, ucs2
from smsgw.text.reassembly import Piece, Place, join, place
from smsgw.text.segmentation import segment
from smsgw.text.userdata import split


def piece(number: int, octets: bytes = b"one", data_coding: int = 0, headed: bool = False) -> Piece:
    return Piece(number, data_coding, octets, headed)


ONE, TWO, OTHER = piece(1), piece(2, b"two"), piece(1, b"other")


@pytest.mark.parametrize(
    ("new", "waiting", "closed", "expected"),
    [
        pytest.param(ONE, None, [], Place.NEXT, id="first of a message"),
        pytest.param(TWO, None, [], Place.NEXT, id="first of a message, whatever its number"),
        pytest.param(TWO, [ONE], [], Place.NEXT, id="next"),
        pytest.param(ONE, [TWO], [], Place.NEXT, id="next, out of order"),
        pytest.param(ONE, [ONE], [], Place.REPEAT, id="again"),
        pytest.param(ONE, [TWO, ONE], [], Place.REPEAT, id="again, later"),
        pytest.param(ONE, None, [ONE, TWO], Place.REPEAT, id="again, when all is closed"),
        pytest.param(OTHER, [ONE], [], Place.CONTRADICTION, id="other octets"),
        pytest.param(
            piece(1, data_coding=8), [ONE], [], Place.CONTRADICTION, id="other data_coding"
        ),
        pytest.param(
            piece(1, headed=True), [ONE], [], Place.CONTRADICTION, id="with a header, without"
        ),
        pytest.param(OTHER, None, [ONE, TWO], Place.NEXT, id="reference used again"),
        pytest.param(ONE, [OTHER], [ONE], Place.REPEAT, id="of the message before, again"),
        pytest.param(TWO, [OTHER], [ONE, TWO], Place.NEXT, id="the same end, of a corrected text"),
        pytest.param(OTHER, [ONE], [TWO], Place.CONTRADICTION, id="of neither"),
    ],
)
def test_where_a_part_belongs(
    new: Piece, waiting: Sequence[Piece] | None, closed: Sequence[Piece], expected: Place
) -> None:
    assert place(new, waiting, closed) is expected


def decode(octets: bytes, data_coding: int) -> str:
    return ucs2.decode(octets) if data_coding == 8 else gsm.decode(octets)


SMILE = "😀".encode("utf-16-be")


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        pytest.param([ONE, TWO], "onetwo", id="in order"),
        pytest.param([TWO, ONE], "onetwo", id="out of order"),
        pytest.param([ONE, piece(3, b"three")], "one\nthree", id="one is missing"),
        pytest.param([piece(1), piece(4), piece(5)], "one\noneone", id="two are missing"),
        pytest.param([piece(1), piece(3), piece(5)], "one\none\none", id="every other is missing"),
        pytest.param([TWO], "two", id="the first is missing"),
        pytest.param([piece(n, b"x") for n in range(255, 0, -1)], "x" * 255, id="255, backwards"),
        pytest.param(
            [piece(1, SMILE[:2], 8), piece(2, SMILE[2:], 8)], "😀", id="surrogate pair cut"
        ),
        pytest.param([piece(1, b"5\x1b"), piece(2, b"e")], "5€", id="escape pair cut"),
        pytest.param(
            [piece(1, SMILE[:2], 8), piece(3, SMILE[2:], 8)], "�\n�", id="half a pair is missing"
        ),
        pytest.param(
            [piece(1, b"abc"), piece(2, "где".encode("utf-16-be"), 8)], "abcгде", id="two alphabets"
        ),
        pytest.param(
            [piece(1, b"a"), piece(2, "б".encode("utf-16-be"), 8), piece(3, b"c"), piece(5, b"e")],
            "aбc\ne",
            id="two alphabets in turn, and a gap",
        ),
        pytest.param(
            [piece(1, b"\0\1\0", 8), piece(2, b"\x61", 8)], "\x01a", id="cut inside of a unit"
        ),
        pytest.param(
            [
                piece(1, b"\x05\x00\x03\x2a\x02\x01sme", headed=True),
                piece(2, b"\x06\x08\x04\x01\x2a\x02\x02tka", headed=True),
            ],
            "smetka",
            id="headers are no text",
        ),
        pytest.param(
            [piece(1, b"\x05\x00\x03ab"), piece(2, b"c")],
            gsm.decode(b"\x05\x00\x03abc"),
            id="what only looks like a header is",
        ),
        pytest.param([piece(1, b""), piece(2, b"", headed=True)], "", id="nothing"),
        pytest.param([], "", id="no parts"),
    ],
)
def test_what_parts_say(pieces: Sequence[Piece], expected: str) -> None:
    assert join(pieces, decode) == expected


@pytest.mark.parametrize("gap", [False, True])
def test_digits_before_and_after_what_is_missing_make_no_number(gap: bool) -> None:
    pieces = [piece(1, b"3000 1234"), piece(3 if gap else 2, b"5678")]
    assert join(pieces, decode) == ("3000 1234\n5678" if gap else "3000 12345678")


def handed_in(pieces: Sequence[Piece], total: int) -> list[str]:
    """What comes of `pieces`, each placed among those before it."""
    waiting: list[Piece] | None = None
    closed: list[Piece] = []
    whole = []
    for one in pieces:
        match place(one, waiting, closed):
            case Place.NEXT:
                waiting = [*(waiting or ()), one]
            case Place.CONTRADICTION:
                closed, waiting = [*closed, *(waiting or ())], [one]
            case Place.REPEAT:
                continue
        if len(waiting) == total:
            whole.append(join(waiting, decode))
            closed, waiting = [*closed, *waiting], None
    return whole


def pieces_of(text: str, reference: int, ref_bits: int) -> list[Piece]:
    cut = segment(text, reference, ref_bits)
    return [
        Piece(number, cut.data_coding, octets, True) for number, octets in enumerate(cut.parts, 1)
    ]


NO_MARKS = st.characters(exclude_categories=("Cs",), exclude_characters="\ufeff\ufffe")
# What people write, what is there to be written, what GSM 03.38 has. Byte order marks are no text.
TEXTS = st.one_of(
    st.text(st.sampled_from("сметка 300012345678\n€[]^😀"), min_size=161, max_size=600),
    st.text(NO_MARKS, min_size=161, max_size=600),
    st.text(st.sampled_from(gsm.BASIC.replace("\x1b", "") + "€[]"), min_size=161, max_size=900),
)


@given(TEXTS, st.sampled_from([8, 16]), st.integers(0, 65535), st.data())
@example("😀" * 80, 8, 255, None)
@example("€" * 160, 16, 256, None)
def test_in_any_order_and_as_often_as_they_come_parts_make_the_text_once(
    text: str, ref_bits: int, reference: int, data: st.DataObject | None
) -> None:
    pieces = pieces_of(text, reference, ref_bits)
    again = data.draw(st.lists(st.sampled_from(pieces), max_size=8)) if data else pieces
    order = data.draw(st.permutations([*pieces, *again])) if data else [*pieces[::-1], *again]

    assert handed_in(order, len(pieces)) == [text]


@given(TEXTS, st.data())
def test_what_is_missing_takes_nothing_else_with_it(text: str, data: st.DataObject) -> None:
    pieces = pieces_of(text, 1, 8)
    came = data.draw(st.lists(st.sampled_from(pieces), unique=True))

    said = join(data.draw(st.permutations(came)), decode)

    assert len(said.replace("\n", "")) == sum(
        len(decode(split(one.octets)[1], one.data_coding).replace("\n", "")) for one in came
    )


@given(
    st.lists(
        st.builds(Piece, st.integers(1, 4), st.sampled_from([0, 8]), st.binary(), st.booleans())
    )
)
def test_whatever_comes_each_part_counts_once_or_not_at_all(pieces: list[Piece]) -> None:
    whole = handed_in(pieces, 4)
    assert len(whole) <= len(pieces) // 4

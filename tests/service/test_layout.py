"""How a long text is laid out for each carrier: what goes in one segment, and in several."""

from itertools import count

import pytest

from smsgw.service.layout import LaidOut, lay_out
from smsgw.service.message import Encoding, Layout, LongMessages
from smsgw.text.alphabets import DefaultAlphabet

PLAIN, UDH, SAR, PAYLOAD = Layout


def laid_out(
    text: str, long_messages: LongMessages, alphabet: DefaultAlphabet = "gsm7", reference: int = 7
) -> LaidOut:
    return lay_out(text, Encoding(alphabet, long_messages), lambda: reference)


# Where a text begins to take another segment: by alphabet, a character of it; then by layout how
# many of them, and how many octets each segment has then.
ALPHABETS: dict[str, tuple[DefaultAlphabet, str]] = {
    "septets": ("gsm7", "x"),
    "septets of latin1": ("latin1", "é"),
    "septets of ascii": ("ascii", "["),
}
LIMITS: dict[LongMessages, list[tuple[int, Layout, list[int]]]] = {
    "udh": [
        (160, PLAIN, [160]),
        (161, UDH, [159, 14]),
        (306, UDH, [159, 159]),
        (307, UDH, [159, 159, 7]),
    ],
    "udh16": [
        (160, PLAIN, [160]),
        (161, UDH, [159, 16]),
        (304, UDH, [159, 159]),
        (305, UDH, [159, 159, 8]),
    ],
    "sar": [
        (160, PLAIN, [160]),
        (161, SAR, [152, 9]),
        (304, SAR, [152, 152]),
        (305, SAR, [152, 152, 1]),
    ],
    "payload": [(160, PLAIN, [160]), (161, PAYLOAD, [161]), (39_015, PAYLOAD, [39_015])],
}
UNITS: dict[LongMessages, list[tuple[int, Layout, list[int]]]] = {
    "udh": [
        (70, PLAIN, [140]),
        (71, UDH, [140, 14]),
        (134, UDH, [140, 140]),
        (135, UDH, [140, 140, 8]),
    ],
    "udh16": [
        (70, PLAIN, [140]),
        (71, UDH, [139, 17]),
        (132, UDH, [139, 139]),
        (133, UDH, [139, 139, 9]),
    ],
    "sar": [
        (70, PLAIN, [140]),
        (71, SAR, [132, 10]),
        (132, SAR, [132, 132]),
        (133, SAR, [132, 132, 2]),
    ],
    "payload": [(70, PLAIN, [140]), (71, PAYLOAD, [142]), (17_085, PAYLOAD, [34_170])],
}
ROWS = [
    pytest.param(alphabet, sign, form, size, layout, octets, id=f"{name}, {form}, {size}")
    for name, (alphabet, sign) in ALPHABETS.items()
    for form, rows in LIMITS.items()
    for size, layout, octets in rows
] + [
    pytest.param(
        alphabet, "ж", form, size, layout, octets, id=f"units at {alphabet}, {form}, {size}"
    )
    for alphabet, _ in ALPHABETS.values()
    for form, rows in UNITS.items()
    for size, layout, octets in rows
]


@pytest.mark.parametrize(("alphabet", "sign", "form", "size", "layout", "octets"), ROWS)
def test_limits(
    alphabet: DefaultAlphabet,
    sign: str,
    form: LongMessages,
    size: int,
    layout: Layout,
    octets: list[int],
) -> None:
    out = laid_out(sign * size, form, alphabet)
    assert out.layout is layout
    assert out.data_coding == (8 if sign == "ж" else 0)
    assert [len(segment) for segment in out.segments] == octets
    assert Encoding(alphabet, form).count_parts(sign * size) == (
        len(octets) if form != "payload" else {160: 1, 161: 2, 70: 1, 71: 2}.get(size, 255)
    )


@pytest.mark.parametrize(
    ("form", "reference", "written", "first"),
    [
        ("udh", 0x1FE, 0xFE, "050003fe0201"),
        ("udh16", 0x1ABCD, 0xABCD, "060804abcd0201"),
        ("sar", 0x1ABCD, 0xABCD, ""),
        ("payload", 0x1ABCD, 0, ""),
    ],
)
def test_the_reference(form: LongMessages, reference: int, written: int, first: str) -> None:
    out = laid_out("a" * 161, form, reference=reference)
    assert out.reference == written
    assert out.segments[0].startswith(bytes.fromhex(first) + b"aa")


@pytest.mark.parametrize(
    ("text", "form", "references"),
    [
        ("a", "udh", 0),
        ("a", "sar", 0),
        ("a" * 500, "udh", 1),
        ("a" * 500, "udh16", 1),
        ("a" * 500, "sar", 1),
        ("a" * 500, "payload", 0),
    ],
)
def test_only_what_has_several_parts_takes_a_reference(
    text: str, form: LongMessages, references: int
) -> None:
    counted = count()
    lay_out(text, Encoding("gsm7", form), lambda: next(counted))
    assert next(counted) == references


@pytest.mark.parametrize(
    ("form", "most"), [("udh", 153), ("udh16", 152), ("sar", 152), ("payload", 153)]
)
def test_more_than_255_parts_are_refused(form: LongMessages, most: int) -> None:
    laid_out("x" * most * 255, form)
    with pytest.raises(ValueError, match="256 parts"):
        laid_out("x" * (most * 255 + 1), form)

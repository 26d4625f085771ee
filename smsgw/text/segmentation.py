"""Cuts a text into short messages (3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8).

Of a text of more than one part each says a reference that the parts share, how many they are, and
which one it is: in a user data header, or beside the text. No escape pair and no surrogate pair
is cut.
"""

from collections.abc import Container
from typing import Final, Literal, NamedTuple

from smsgw.text import gsm, ucs2
from smsgw.text.alphabets import DefaultAlphabet, encode_default

MAX_PARTS: Final = 255  # the header counts parts in one octet


class Encoded(NamedTuple):
    """A text in octets, one string a part."""

    encoding: Literal["gsm7", "ucs2"]  # gsm7 stands for whatever data_coding 0 means there
    data_coding: int
    parts: tuple[bytes, ...]
    units: tuple[int, ...]  # septets (at a latin1 or ascii carrier characters) or UTF-16 units


class _Form(NamedTuple):
    encoding: Literal["gsm7", "ucs2"]
    data_coding: int
    width: int  # octets a unit
    openers: Container[int]  # first octets of units that the next one belongs to
    capacity: dict[int, int]  # units in a part, by the bits of its reference; 0: no header


# The user data of a short message is 140 octets: 160 septets or 70 units of UTF-16. A header
# takes 6 octets (8-bit reference) or 7 (16-bit). Of septets (140 - 6) * 8 // 7 = 153 are left, or
# (140 - 7) * 8 // 7 = 152; of units (140 - 6) // 2 = 67, or (140 - 7) // 2 = 66. A carrier whose
# default alphabet is another one takes a character for a septet.
_SEPTETS: Final = {0: 160, 8: 153, 16: 152}
_GSM7: Final = _Form("gsm7", 0, 1, (gsm.ESCAPE,), _SEPTETS)
_CHARACTERS: Final = _Form("gsm7", 0, 1, (), _SEPTETS)
_UCS2: Final = _Form("ucs2", 8, 2, range(0xD8, 0xDC), {0: 70, 8: 67, 16: 66})


def segment(
    text: str, reference: int, ref_bits: int = 8, default_alphabet: DefaultAlphabet = "gsm7"
) -> Encoded:
    """The parts of `text`, with user data headers where there is more than one.

    Raises ValueError as `pieces` does.
    """
    return headed(pieces(text, ref_bits, default_alphabet), reference, ref_bits)


def pieces(text: str, ref_bits: int = 8, default_alphabet: DefaultAlphabet = "gsm7") -> Encoded:
    """`text` cut into parts that leave room for a header with a reference of `ref_bits`.

    It is in the carrier's default alphabet if the whole fits it, else in UCS-2. Raises ValueError
    where there would be over 255 parts, or where the text has half a surrogate pair, which no
    encoding carries.
    """
    form, octets = _encode(text, default_alphabet)
    parts = _cut(octets, form, ref_bits)
    if len(parts) > MAX_PARTS:
        raise ValueError(
            f"the text takes {len(parts)} parts, and a message has {MAX_PARTS} at most"
        )
    units = tuple(len(part) // form.width for part in parts)
    return Encoded(form.encoding, form.data_coding, tuple(parts), units)


def headed(cut: Encoded, reference: int, ref_bits: int) -> Encoded:
    """What `pieces` gave for `ref_bits`, each after a user data header if there are several.

    `reference` is taken modulo its width of 8 or 16 bits.
    """
    total = len(cut.parts)
    if total == 1:
        return cut
    parts = (
        _header(reference, ref_bits, total, number) + part
        for number, part in enumerate(cut.parts, 1)
    )
    return cut._replace(parts=tuple(parts))


def count_parts(text: str, ref_bits: int = 8, default_alphabet: DefaultAlphabet = "gsm7") -> int:
    """How many parts the text takes, be it more than a message can have."""
    form, octets = _encode(text, default_alphabet)
    return len(_cut(octets, form, ref_bits))


def _encode(text: str, default_alphabet: DefaultAlphabet) -> tuple[_Form, bytes]:
    try:
        octets = encode_default(text, default_alphabet)
    except UnicodeEncodeError:
        return _UCS2, ucs2.encode(text)
    return _GSM7 if default_alphabet == "gsm7" else _CHARACTERS, octets


def _cut(octets: bytes, form: _Form, ref_bits: int) -> list[bytes]:
    if len(octets) <= form.capacity[0] * form.width:
        return [octets]
    size = form.capacity[ref_bits] * form.width
    parts = []
    start = 0
    while len(octets) - start > size:
        end = start + size
        if octets[end - form.width] in form.openers:
            end -= form.width
        parts.append(octets[start:end])
        start = end
    parts.append(octets[start:])
    return parts


def _header(reference: int, ref_bits: int, total: int, number: int) -> bytes:
    if ref_bits == 8:
        return bytes((5, 0x00, 3, reference & 0xFF, total, number))
    return bytes((6, 0x08, 4, reference >> 8 & 0xFF, reference & 0xFF, total, number))

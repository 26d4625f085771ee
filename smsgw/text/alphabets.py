"""Which alphabet a message's octets are in: SMPP's data_coding and a carrier's default alphabet.

The values up to 0x0F are SMPP's own (SMPP 3.4, 5.2.19); the groups with a message class and the
message waiting groups are those of 3GPP TS 23.038, section 4. A mask is good inside its group
only, so each value has its own row.
"""

from collections.abc import Callable
from typing import Final, Literal

from smsgw.text import gsm, ucs2

DefaultAlphabet = Literal["gsm7", "latin1", "ascii"]
"""What data_coding 0 means at a carrier."""

Decoder = Callable[[bytes], str]


def _ascii(octets: bytes) -> str:
    return octets.decode("ascii", "replace")


def _latin1(octets: bytes) -> str:
    return octets.decode("latin-1")


def _cyrillic(octets: bytes) -> str:
    return octets.decode("iso8859-5")


_DEFAULT: Final[dict[DefaultAlphabet, Decoder]] = {
    "gsm7": gsm.decode,
    "latin1": _latin1,
    "ascii": _ascii,
}

_CODINGS: Final[dict[int, Decoder]] = {
    0x01: _ascii,  # IA5
    0x03: _latin1,
    0x06: _cyrillic,
    0x08: ucs2.decode,
    **dict.fromkeys(range(0x10, 0x14), gsm.decode),  # with a message class
    **dict.fromkeys(range(0x18, 0x1C), ucs2.decode),
    **dict.fromkeys(range(0xC0, 0xE0), gsm.decode),  # a message waits; discard it, or store it
    **dict.fromkeys(range(0xE0, 0xF0), ucs2.decode),
    **dict.fromkeys(range(0xF0, 0xF4), gsm.decode),  # with a message class
}


def decode_mo(octets: bytes, data_coding: int, default_alphabet: DefaultAlphabet) -> str | None:
    """What a customer's octets say (after the user data header), or None where they are no text.

    Never raises: what is no character of its alphabet gives U+FFFD. Binary codings, and those
    that nothing in this country sends, are no text.
    """
    if data_coding == 0:
        return _DEFAULT[default_alphabet](octets)
    decode = _CODINGS.get(data_coding)
    return decode(octets) if decode else None


def encode_default(text: str, default_alphabet: DefaultAlphabet) -> bytes:
    """`text` in what data_coding 0 means at the carrier.

    Raises UnicodeEncodeError at a character that this alphabet lacks.
    """
    if default_alphabet == "gsm7":
        return gsm.encode(text)
    return text.encode("latin-1" if default_alphabet == "latin1" else "ascii")

"""Which alphabet a message's octets are in: SMPP's data_coding and a carrier's default alphabet.

The values up to 0x0F are SMPP's own (SMPP 3.4, 5.2.19); the groups with a message class and the
message waiting groups are those of 3GPP TS 23.038, section 4. A mask is good inside its group
only, so each value has its own row.
"""

from collections.abc import Callable
from typing import Final, Literal

from smsgw.text import gsm, misread, ucs2
from smsgw.text.misread import Declared, Reading

DefaultAlphabet = Literal["gsm7", "latin1", "ascii"]
"""What data_coding 0 means at a carrier."""

Decoder = Callable[[bytes], str]


def _ascii(octets: bytes) -> str:
    return octets.decode("ascii", "replace")


def _latin1(octets: bytes) -> str:
    return octets.decode("latin-1")


def _cyrillic(octets: bytes) -> str:
    return octets.decode("iso8859-5")


_DECODERS: Final[dict[Declared, Decoder]] = {
    "gsm7": gsm.decode,
    "ascii": _ascii,
    "latin1": _latin1,
    "cyrillic": _cyrillic,
    "ucs2": ucs2.decode,
}

_CODINGS: Final[dict[int, Declared]] = {
    0x01: "ascii",  # IA5
    0x03: "latin1",
    0x06: "cyrillic",
    0x08: "ucs2",
    **dict.fromkeys(range(0x10, 0x14), "gsm7"),  # with a message class
    **dict.fromkeys(range(0x18, 0x1C), "ucs2"),
    **dict.fromkeys(range(0xC0, 0xE0), "gsm7"),  # a message waits; discard it, or store it
    **dict.fromkeys(range(0xE0, 0xF0), "ucs2"),
    **dict.fromkeys(range(0xF0, 0xF4), "gsm7"),  # with a message class
}


def _declared(data_coding: int, default_alphabet: DefaultAlphabet) -> Declared | None:
    return _CODINGS.get(data_coding) if data_coding else default_alphabet


def read_mo(octets: bytes, data_coding: int, default_alphabet: DefaultAlphabet) -> Reading:
    """What a customer's octets say (after the user data header), be data_coding wrong.

    Never raises: what is no character of its alphabet gives U+FFFD. Binary codings, and those
    that nothing in this country sends, are no text.
    """
    declared = _declared(data_coding, default_alphabet)
    if declared is None:
        return Reading(None)
    text = _DECODERS[declared](octets)
    return misread.reread(octets, text, declared) or Reading(text)


def decode(octets: bytes, data_coding: int, default_alphabet: DefaultAlphabet) -> str | None:
    """What the octets say in the coding that is declared, and in no other: as a handset reads."""
    declared = _declared(data_coding, default_alphabet)
    return None if declared is None else _DECODERS[declared](octets)


def decode_mo(octets: bytes, data_coding: int, default_alphabet: DefaultAlphabet) -> str | None:
    """The text of `read_mo` alone."""
    return read_mo(octets, data_coding, default_alphabet).text


def encode_default(text: str, default_alphabet: DefaultAlphabet) -> bytes:
    """`text` in what data_coding 0 means at the carrier.

    Raises UnicodeEncodeError at a character that this alphabet lacks.
    """
    if default_alphabet == "gsm7":
        return gsm.encode(text)
    return text.encode("latin-1" if default_alphabet == "latin1" else "ascii")

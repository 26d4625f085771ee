"""The GSM 7-bit default alphabet with its extension table (3GPP TS 23.038, 6.2.1).

One septet is one octet, unpacked, as SMPP carries them. An extension character is two septets:
an escape and the character's code in the extension table.
"""

import re
from codecs import charmap_decode, charmap_encode
from typing import Final

ESCAPE: Final = 0x1B

# Sixteen characters a line, so that the line is the code's high digit. The escape stands at 0x1B.
BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

_OCTETS: Final[dict[int, bytes]] = {
    **{ord(sign): bytes([code]) for code, sign in enumerate(BASIC) if code != ESCAPE},
    **{ord(sign): bytes([ESCAPE, code]) for code, sign in EXTENSION.items()},
}
_CHARACTERS: Final = frozenset(map(chr, _OCTETS))
_AFTER_ESCAPE: Final = "".join(
    EXTENSION.get(code, " " if code == ESCAPE else sign) for code, sign in enumerate(BASIC)
)

_ESCAPED: Final = re.compile(b"\x1b(.?)", re.DOTALL)


def encode(text: str) -> bytes:
    """One octet a septet. Raises UnicodeEncodeError at a character outside the alphabet."""
    return charmap_encode(text, "strict", _OCTETS)[0]


def fits(text: str) -> bool:
    """Whether every character of `text` is in the alphabet or its extension table."""
    return _CHARACTERS.issuperset(text)


def septets(text: str) -> int:
    """How many septets `text` takes. Raises UnicodeEncodeError as `encode` does."""
    return len(encode(text))


def decode(octets: bytes) -> str:
    """What the octets say, whatever they are.

    An escape before a code without a meaning there gives the basic table's character, a second
    escape or one at the end a space (6.2.1.1); an octet above 0x7F gives U+FFFD.
    """
    plain, *escaped = _ESCAPED.split(octets)
    text = charmap_decode(plain, "replace", BASIC)[0]
    for code, after in zip(escaped[::2], escaped[1::2], strict=True):
        text += charmap_decode(code, "replace", _AFTER_ESCAPE)[0] or " "
        text += charmap_decode(after, "replace", BASIC)[0]
    return text

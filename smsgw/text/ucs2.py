"""UCS-2 as phones use it: UTF-16, big-endian, two units for a character beyond U+FFFF."""

from typing import Final

_LITTLE_ENDIAN_MARK: Final = b"\xff\xfe"


def encode(text: str) -> bytes:
    """Two octets a unit, no byte order mark. Raises UnicodeEncodeError at a lone surrogate."""
    return text.encode("utf-16-be")


def decode(octets: bytes) -> str:
    """What the octets say, whatever they are.

    A byte order mark is dropped, and obeyed: big-endian octets cannot begin with the other one,
    which would be U+FFFE, no character. Half a surrogate pair and an odd last octet give U+FFFD.
    """
    if octets.startswith(_LITTLE_ENDIAN_MARK):
        return octets[2:].decode("utf-16-le", "replace")
    return octets.decode("utf-16-be", "replace").removeprefix("\ufeff")

"""The user data header of a short message: 3GPP TS 23.040 section 9.2.3.24.

Read with tolerance: a header that can't be true says nothing about the parts of the message.
"""

from enum import StrEnum
from typing import Final, NamedTuple

# The bit of esm_class which says that octets begin with a header (SMPP 3.4 section 5.2.12).
UDHI: Final = 0x40

CONCATENATED_8BIT: Final = 0x00  # reference, total, number
CONCATENATED_16BIT: Final = 0x08  # reference of two octets, total, number


class Joining(StrEnum):
    """How a part says where it belongs. The same number in two of these names two messages."""

    UDH8 = "udh8"  # in the user data header, by a reference of 8 bits
    UDH16 = "udh16"  # or of 16 bits
    SAR = "sar"  # in TLVs of SMPP


class Part(NamedTuple):
    """The place of one part in a long message: `number` of `total`, numbered from 1."""

    reference: int
    total: int
    number: int
    joining: Joining = Joining.UDH8


def split(octets: bytes) -> tuple[Part | None, bytes]:
    """The part that `octets`, which begin with a header, say they are, and what is after it.

    A header longer than the message is no header: all octets are text then.
    """
    end = octets[0] + 1 if octets else 0
    if not 0 < end <= len(octets):
        return None, octets
    found: Part | None = None
    at = 1
    while at + 2 <= end:
        element, size = octets[at], octets[at + 1]
        value = octets[at + 2 : min(at + 2 + size, end)]
        if element == CONCATENATED_8BIT and size == len(value) == 3:
            found = part(value[0], value[1], value[2], Joining.UDH8)
        elif element == CONCATENATED_16BIT and size == len(value) == 4:
            found = part(value[0] << 8 | value[1], value[2], value[3], Joining.UDH16)
        at += 2 + size
    return found, octets[end:]


def part(reference: int, total: int, number: int, joining: Joining) -> Part | None:
    """A part as it was declared; None if that is impossible, or the message has no other part."""
    if total > 1 and 1 <= number <= total:
        return Part(reference, total, number, joining)
    return None

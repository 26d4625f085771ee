"""Sender's addresses as carriers write them, and the numbers they mean."""

import re
from typing import Final

from smsgw.service.message import Msisdn

# Types of number, SMPP 3.4 section 5.2.5.
UNKNOWN: Final = 0
NATIONAL: Final = 2
ALPHANUMERIC: Final = 5

COUNTRY: Final = "359"
# 8 or 9 digits follow the country code; in the country they are written with a 0 before them.
_WRITTEN: Final = re.compile(r"(?:\+|00)?359([0-9]{8,9})|0([1-9][0-9]{7,8})")
_BARE: Final = re.compile(r"[1-9][0-9]{7,8}")
_NUMBER: Final = re.compile(r"\+?[0-9]*")


def msisdn(address: str, ton: int) -> Msisdn | None:
    """The Bulgarian number that `address` means: `+359…`, `00359…`, `359…`, `0888…`.

    A bare national number (`888…`) is one only where the type of number doesn't say that it is
    international. None for everything else.
    """
    if ton == ALPHANUMERIC:
        return None
    if written := _WRITTEN.fullmatch(address):
        return Msisdn(COUNTRY + (written[1] or written[2]))
    if ton in (UNKNOWN, NATIONAL) and _BARE.fullmatch(address):
        return Msisdn(COUNTRY + address)
    return None


def alphanumeric(address: str, ton: int) -> bool:
    """Whether the sender is a name and not a number."""
    return ton == ALPHANUMERIC or not _NUMBER.fullmatch(address)

"""Hiding the phone numbers that a text names."""

import re
from typing import Final

from smsgw.service.message import Msisdn

_GAP: Final = r"[\s./()-]{0,2}"


def _spaced(*digits: str) -> str:
    """These digits, with or without something between them."""
    return _GAP.join(digits)


_ANY: Final = r"\d"
_MOBILE: Final = "|".join(
    [
        _spaced("8", "[7-9]", *[_ANY] * 7),
        _spaced("9", "8", *[_ANY] * 7),
        _spaced("4", "3", "[07-9]", *[_ANY] * 5),
        _spaced("9", "9", "[69]", *[_ANY] * 6),
    ]
)  # as numbers.MOBILE
_OURS: Final = rf"(?:(?:\+|00)?{_spaced('3', '5', '9')}{_GAP}(?:\(0\))?|0){_GAP}(?:{_MOBILE})"
_FOREIGN: Final = rf"(?:\+|00){_GAP}[1-9](?:{_GAP}\d){{8,13}}"
_PHONE: Final = re.compile(rf"(?<!\d)(?:{_OURS}|{_FOREIGN})(?!\d)", re.ASCII)


def masked(text: str) -> str:
    """`text` with the phone numbers in it as a phone number prints: `35988****456`.

    Twelve digits that can be a phone are taken for one, also where a customer's number is meant.
    """
    return _PHONE.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    digits = re.sub(r"\(0\)|\D", "", found[0])
    if digits.startswith("00"):
        digits = digits[2:]
    elif digits.startswith("0"):
        digits = f"359{digits[1:]}"
    return str(Msisdn(digits))

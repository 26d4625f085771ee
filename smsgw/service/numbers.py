"""Phone numbers and customer numbers as people type them."""

import re
from typing import Final

import phonenumbers

from smsgw.service.message import Msisdn

COUNTRY: Final = "BG"
COUNTRY_CODE: Final = 359

# The national part of a mobile number. What people type or import for a phone has to have one;
# only what carriers write as a sender is read more loosely (carrier.addresses).
MOBILE: Final = r"(?:(?:43[07-9]|99[69][0-9])[0-9]{5}|(?:8[7-9]|98)[0-9]{7})"
MSISDN: Final = re.compile(rf"{COUNTRY_CODE}{MOBILE}")


class ForeignNumberError(ValueError):
    """A phone number, but none of this country's: messages from it are never answered."""


def msisdn(text: str) -> Msisdn:
    """The mobile number that `text` means: `0888 123 456`, `+359…`, `00359…` or bare.

    Raises ValueError if it is none, and ForeignNumberError if it is another country's.
    """
    if MSISDN.fullmatch(text):
        return Msisdn(text)
    number = _parsed(text)
    if number is None or not phonenumbers.is_valid_number(number):
        abroad = _parsed(f"+{text.strip()}")
        if abroad is None or not phonenumbers.is_valid_number(abroad):
            raise ValueError(f"{text!r} is not a phone number, as 0888 123 456 is one")
        number = abroad
    if number.country_code != COUNTRY_CODE:
        raise ForeignNumberError(f"{text!r} is not a Bulgarian phone number")
    digits = f"{number.country_code}{number.national_number}"
    if not MSISDN.fullmatch(digits):
        raise ValueError(f"{text!r} is not a mobile number, as 0888 123 456 is one")
    return Msisdn(digits)


def _parsed(text: str) -> phonenumbers.PhoneNumber | None:
    """The number that `text` may mean; without extensions, which no message comes from."""
    try:
        number = phonenumbers.parse(text, COUNTRY)
    except phonenumbers.NumberParseException:
        return None
    return None if number.extension else number


def customer_number(text: str) -> str:
    """The customer number that `text` means: 12 digits, blanks, dashes and dots among them.

    Raises ValueError.
    """
    digits = re.sub(r"[\s.-]", "", text)
    if not re.fullmatch(r"\d{12}", digits, re.ASCII):
        raise ValueError(f"{text!r} is not a customer number: these have 12 digits")
    return digits

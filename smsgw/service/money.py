"""Sums and dates as customers read them: `45,20 EUR` and `20.12.2026`.

Thousands are not grouped: the no-break space that Bulgarian puts there is not in GSM 03.38 and
would force a message into UCS-2.
"""

from collections.abc import Mapping
from datetime import date


def amount(cents: int, currency: str) -> str:
    whole, hundredths = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole},{hundredths:02} {currency}"


def sums(cents_by_currency: Mapping[str, int]) -> str:
    """Sums in different currencies: `45,20 EUR + 88,40 BGN`, the same in both scripts."""
    return " + ".join([amount(cents, currency) for currency, cents in cents_by_currency.items()])


def day(when: date) -> str:
    return f"{when.day:02}.{when.month:02}.{when.year:04}"

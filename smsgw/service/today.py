"""What phones have had on this day: the counts that the daily bounds are held against.

They live in memory and are rebuilt from the messages of the day at start: a table of them would
have a random key, and a page to write for each message.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, tzinfo
from enum import StrEnum
from typing import Final, NamedTuple

# Phones, or customer numbers whose code was tried, that are counted at once: some 100 MB. Past
# it the one that wrote first is forgotten, and begins its day anew.
MOST: Final = 500_000

CODE_TRIES: Final = 5  # wrong codes for one customer number a day


class Silence(StrEnum):
    """Why a message has no answer."""

    ANSWERS = "answers"  # the phone had its answers for today
    HINTS = "hints"  # the phone had its hints for today
    UNKNOWN_NUMBERS = "unknown_numbers"  # too many were asked for, and that was said


class Used(NamedTuple):
    """What one message takes of the day, or what a phone has had of it."""

    answers: int = 0  # in all
    hints: int = 0  # of these, to texts that were not understood
    refusals: int = 0  # of these, for too many unknown customer numbers
    stops: int = 0  # of these, to a stop
    unknown_numbers: int = 0  # customer numbers asked for that the billing cache didn't know

    def plus(self, other: "Used") -> "Used":
        return Used(*[mine + theirs for mine, theirs in zip(self, other, strict=True)])


NOTHING: Final = Used()


def day_of(now: float, timezone: tzinfo) -> int:
    """The calendar day of a moment, as a number."""
    return datetime.fromtimestamp(now, timezone).toordinal()


def midnight(now: float, timezone: tzinfo) -> float:
    """When the calendar day of a moment began."""
    today = datetime.fromtimestamp(now, timezone).date()
    return datetime.combine(today, time.min, timezone).timestamp()


class Day:
    """The counts of one day; another day begins with none.

    A transaction takes what it counts through a `Page`, and only one that is on disk is kept.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._day = 0
        self._phones: dict[str, Used] = {}
        self._tries: dict[str, int] = {}  # wrong codes, by customer number

    def page(self, day: int) -> "Page":
        """The counts of `day` (any number that differs from day to day), to read and to add to."""
        if day != self._day:
            self._day = day
            self._phones.clear()
            self._tries.clear()
        return Page(self._phones, self._tries)

    def keep(self, page: "Page") -> None:
        """Take over what a page has counted: its transaction is on disk."""
        self._phones.update(page.phones)
        self._tries.update(page.tries)
        _bound(self._phones, self._most)
        _bound(self._tries, self._most)


class Page:
    """The counts as one transaction sees them: what is kept, and over it what it has added."""

    __slots__ = ("_kept_phones", "_kept_tries", "phones", "tries")

    def __init__(self, phones: Mapping[str, Used], tries: Mapping[str, int]) -> None:
        self._kept_phones = phones
        self._kept_tries = tries
        self.phones: dict[str, Used] = {}
        self.tries: dict[str, int] = {}

    def used(self, phone: str) -> Used:
        found = self.phones.get(phone)
        return found if found is not None else self._kept_phones.get(phone, NOTHING)

    def tried(self, customer_number: str) -> int:
        found = self.tries.get(customer_number)
        return found if found is not None else self._kept_tries.get(customer_number, 0)

    def add(self, phone: str, used: Used, tried: Iterable[str] = ()) -> None:
        if used != NOTHING:
            self.phones[phone] = self.used(phone).plus(used)
        for number in tried:
            self.tries[number] = self.tried(number) + 1


def _bound(counts: dict[str, Used] | dict[str, int], most: int) -> None:
    while len(counts) > most:
        del counts[next(iter(counts))]

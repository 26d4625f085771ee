"""What notices say, read as a customer would."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

from notices.carrier import Taken

OVERDUE: Final = re.compile(
    r"(?:Prosrocheno zadalzhenie po|Просрочено задължение по) (?P<number>\d{12}):"
    r" (?P<euro>\d+),(?P<cents>\d\d) EUR, (?:srok|срок) (?P<date>\d\d\.\d\d\.\d{4})\."
)
DISCONNECTION: Final = re.compile(
    r"(?:Dalzhite|Дължите) (?P<euro>\d+),(?P<cents>\d\d) EUR (?:po|по) (?P<number>\d{12})\. "
    r"(?:Pri neplashtane tokat spira sled|При неплащане токът спира след)"
    r" (?P<date>\d\d\.\d\d\.\d{4})\."
)


class Said(NamedTuple):
    """What a notice tells its reader."""

    kind: str  # overdue, disconnection; else announcement
    number: str = ""
    cents: int = 0
    named: date | None = None  # the day that it names


def read(text: str) -> Said:
    for kind, pattern in (("overdue", OVERDUE), ("disconnection", DISCONNECTION)):
        if found := pattern.match(text):
            day, month, year = map(int, found["date"].split("."))
            cents = 100 * int(found["euro"]) + int(found["cents"])
            return Said(kind, found["number"], cents, date(year, month, day))
    return Said("announcement")


class Message(NamedTuple):
    """A message as a carrier took it: each of its parts, be it once or more often."""

    text: str
    parts: tuple[tuple[Taken, ...], ...]

    @property
    def first(self) -> Taken:
        return self.parts[0][0]

    @property
    def whole(self) -> bool:
        return len(self.parts) == self.first.total


def messages(taken: Iterable[Taken]) -> Iterator[Message]:
    """The messages that a carrier was given, where long ones of a phone have different references:
    so there are less than 256. Of one that was not given whole, only what there is."""
    long: dict[tuple[str, int, int], dict[int, list[Taken]]] = {}
    for one in taken:
        if one.total == 1:
            yield Message(one.text, ((one,),))
        else:
            parts = long.setdefault((one.phone, one.reference, one.total), {})
            parts.setdefault(one.part, []).append(one)
    for parts in long.values():
        placed = [tuple(parts[part]) for part in sorted(parts)]
        yield Message("".join(same[0].text for same in placed), tuple(placed))

"""A town for a month: who owes what since when, who pays, stops, or changes the carrier, and what
the carriers make of it. All of it is drawn beforehand, and knows nothing of the gateway.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Final, NamedTuple

from notices.carrier import Fate, Other, Plan
from notices.office import Bill, Pair
from notices.world import at

from smsgw.smpp.names import MessageState

PROMPT, SLOW, FRAIL = "mtel", "telenor", "vivacom"
DAY: Final = timedelta(days=1)

# The year's days off besides Saturdays and Sundays, as the calendar on the wall has them.
HOLIDAYS: Final = {
    date(2026, month, day)
    for month, day in (
        (1, 1), (1, 2), (3, 3), (4, 10), (4, 13), (5, 1), (5, 6), (5, 25), (9, 7), (9, 22),
        (12, 24), (12, 25), (12, 28),
    )
}  # fmt: skip


def rests(day: date) -> bool:
    return day.isoweekday() > 5 or day in HOLIDAYS


def first_open(day: date) -> date:
    while rests(day):
        day += DAY
    return day


class Span(NamedTuple):
    """The days that are played."""

    first: date
    last: date
    stale: date  # an open day after an open one: no feed comes between the one before and 13:00


# One with a holiday and a change of clock, one with Easter, one with the other change of clock.
SPANS: Final = (
    Span(date(2026, 3, 1), date(2026, 4, 2), date(2026, 3, 13)),
    Span(date(2026, 4, 1), date(2026, 4, 30), date(2026, 4, 23)),
    Span(date(2026, 10, 1), date(2026, 11, 2), date(2026, 10, 16)),
)

CUSTOMERS: Final = 70
SECOND_PHONE: Final = 0.25
SECOND_BILL: Final = 0.3
FATES: Final[Mapping[Fate, float]] = {
    MessageState.DELIVERED: 0.72,
    MessageState.UNDELIVERABLE: 0.08,
    MessageState.EXPIRED: 0.08,
    MessageState.REJECTED: 0.03,
    MessageState.DELETED: 0.02,
    Other.SILENT: 0.03,
    Other.REFUSED: 0.02,
    Other.BUSY: 0.02,
}
LATEST: Final = 25 * 3600.0  # seconds after which a receipt comes: it is still waited for then
SLOWLY: Final = 60 * 60.0  # seconds for one message


@dataclass
class Owed:
    """A bill, and between which moments the gateway's data have it open."""

    bill: Bill
    since: float  # to be known then
    until: float | None = None  # to be paid then
    known: float = 0.0
    paid: float | None = None

    def open(self, moment: float) -> bool:
        return self.known <= moment and (self.paid is None or moment < self.paid)


@dataclass
class Phone:
    number: str
    customers: list[str]
    script: str
    carriers: list[tuple[float, str]]  # since when it is whose
    stops: float | None = None  # to be written then
    moves: tuple[float, str] | None = None
    ended: float | None = None


@dataclass
class Town:
    span: Span
    random: Random
    bills: list[Owed] = field(default_factory=list)
    phones: dict[str, Phone] = field(default_factory=dict)
    outages: dict[date, int] = field(default_factory=dict)  # days, and the hour of their end
    busy: set[tuple[str, date]] = field(default_factory=set)

    def __post_init__(self) -> None:
        for place in range(CUSTOMERS):
            self._customer(place)
        for day in self.random.sample(self.open_days, 3):
            self.outages[day] = self.random.choice((11, 16, 19))

    @property
    def days(self) -> list[date]:
        count = (self.span.last - self.span.first).days + 1
        return [self.span.first + place * DAY for place in range(count)]

    @property
    def open_days(self) -> list[date]:
        return [day for day in self.days if not rests(day)]

    @property
    def pairs(self) -> Sequence[Pair]:
        return [
            Pair(one.number, customer, one.carriers[0][1], one.script)
            for one in self.phones.values()
            for customer in one.customers
        ]

    def _customer(self, place: int) -> None:
        random, number = self.random, str(300_000_000_000 + place)
        due = self._bill(number, f"b{place}-0", self._due_on())
        if random.random() < SECOND_BILL:
            # Often the next day: the notice of the first may wait still, and then speaks of both.
            again = due + DAY if random.random() < 0.6 else self._due_on()
            self._bill(number, f"b{place}-1", again)
        phone = self._phone(f"35988{place:07}")
        phone.customers.append(number)
        if random.random() < SECOND_PHONE:
            self._phone(f"35989{place:07}").customers.append(number)
        if random.random() < 0.1 and place:
            neighbour = str(300_000_000_000 + place - 1)
            phone.customers.append(neighbour)

    def _phone(self, number: str) -> Phone:
        random, days = self.random, self.days
        carrier = random.choice((PROMPT, SLOW, FRAIL))
        # What takes two parts takes too long where one takes so long.
        script = "latin" if carrier == SLOW or random.random() < 0.6 else "cyrillic"
        phone = Phone(number, [], script, [(0.0, carrier)])
        if random.random() < 0.2:
            # On the day on which somebody is noticed, more often than not.
            due = [one.bill.due for one in self.bills if one.bill.due in days]
            phone.stops = self._moment([*days, *[first_open(one + DAY) for one in due[-2:] * 40]])
        elif random.random() < 0.2 and carrier != SLOW:
            phone.moves = self._moment(days), FRAIL if carrier == PROMPT else PROMPT
        self.phones[number] = phone
        return phone

    def _due_on(self) -> date:
        """Many are due at once in some week: the slow carrier takes days for these."""
        random, (first, last, _) = self.random, self.span
        spread = random.random() < 0.5
        return first + (random.randint(-6, (last - first).days - 3) if spread else 7) * DAY

    def _bill(self, customer: str, number: str, due: date) -> date:
        random, first = self.random, self.span.first
        cut_off = due + random.randint(2, 14) * DAY if random.random() < 0.7 else None
        bill = Bill(customer, number, due - 20 * DAY, due, cut_off, random.randint(100, 20_000))
        one = Owed(bill, at(max(first, due - random.randint(-2, 12) * DAY), 6))
        if random.random() < 0.6:
            one.until = self._moment([max(first, due + random.randint(-3, 9) * DAY)])
            one.until = max(one.until, one.since + 3600.0)
        self.bills.append(one)
        return due

    def _moment(self, days: Sequence[date]) -> float:
        """In the first minutes of a run more often than at any other time."""
        day = self.random.choice(days)
        if self.random.random() < 0.4:
            return at(day, 9) + self.random.uniform(0.0, 600.0)
        return at(day, 7) + self.random.uniform(0.0, 13 * 3600.0)

    def plan(self, phone: str, day: date) -> Plan:
        """What becomes of a notice."""
        random = self.random
        slow = SLOWLY if self.phones[phone].carriers[-1][1] == SLOW else 0.0
        if (phone, day) in self.busy:
            return Plan(Other.BUSY)
        (fate,) = random.choices(list(FATES), list(FATES.values()))
        if self.phones[phone].script == "cyrillic" and fate in (Other.BUSY, Other.REFUSED):
            fate = MessageState.DELIVERED
        if fate is Other.BUSY:
            self.busy.add((phone, day))
            return Plan(Other.BUSY)
        after = random.uniform(1.0, 90.0)
        if random.random() < 0.3:
            after = random.uniform(600.0, LATEST)
        return Plan(fate, after, slow)

"""The year that is played: who is registered at first, who registers when and how, who pays late.

All of it comes from one seed and one share of the company's size, and knows nothing of the gateway.
"""

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import Final, NamedTuple

from smsgw.service.calendar import Calendar
from smsgw.service.message import Channel

YEAR: Final = 2017
PUBLISHED_UNTIL: Final = date(YEAR, 11, 30)  # what was published tells of January to November
LAST: Final = date(YEAR, 12, 31)

# At full size.
ACTIVE: Final = 140_500  # at the end of what was published
NEW_AS_PUBLISHED: Final = 26_000
NEW_IN_DECEMBER: Final = 2_200
STOPS: Final = 3_000
STRANGERS: Final = 10_000  # customers who never register
LATE: Final = (20_500, 21_700)  # customers a month who don't pay in time
IN_TIME: Final = 20_000  # whose bill is open as the month begins, and paid in time
CHECKS: Final = (1_020, 1_120)  # messages a month

# Shares.
AT_THE_LAST_MINUTE: Final = 0.01  # of the late: paid when the day's run is made already
SECOND_PHONE: Final = 0.02  # of the customers
SEVERAL_NUMBERS: Final = ((0.06, 2), (0.015, 3), (0.005, 5))  # of the phones, how many
FURTHER_PHONE: Final = 0.01  # of the registrations: of a number that has a phone
MOVED_IN: Final = 0.02  # of the registrations: of a number that the cache learns the next day
PORTED: Final = 0.01  # of the bill checks: over another carrier than the last time
CHANNELS: Final = {
    Channel.SMS: 0.45, Channel.CENTRE: 0.2, Channel.WEB: 0.2, Channel.EASYPAY: 0.15,
}  # fmt: skip
AT_WEEKENDS: Final = 0.3  # of what is registered on a working day
CARRIERS: Final = {"mtel": ("35988", 0.42), "telenor": ("35989", 0.33), "vivacom": ("35987", 0.25)}
UP_TO: Final = [*accumulate(part for _, part in CARRIERS.values())]

FIRST_NUMBER: Final = 300_000_000_000


class Bill(NamedTuple):
    customer: str
    number: str
    issued: date
    due: date
    amount: str

    def line(self, status: str) -> str:
        cut_off = self.due + timedelta(days=20)
        return (
            f"{self.customer},{self.number},{self.issued},{self.due},{cut_off},"
            f"{self.amount},BGN,{status}\n"
        )


class Registration(NamedTuple):
    """One phone for one customer number, or by message for up to five of them."""

    phone: str
    carrier: str
    numbers: tuple[str, ...]
    channel: Channel
    known: bool  # by the billing cache as it is asked for


class Pair(NamedTuple):
    phone: str
    carrier: str
    number: str


class Year:
    """What is drawn before the first day."""

    def __init__(self, seed: int, share: float) -> None:
        self._random = Random(seed)
        self.share = share
        self._phones = 0
        self._customers = 0
        self.scaled_new = round(NEW_AS_PUBLISHED * share)
        self.at_first = [*self._first(self._size(_AT_FIRST))]
        self.strangers = [self._number() for _ in range(self._size(STRANGERS))]
        self.registrations = self._registrations([one.number for one in self.at_first])
        self.stops = self._spread(self._size(STOPS), days(date(YEAR, 1, 1), LAST))

    def _size(self, full: float) -> int:
        return round(full * self.share)

    def _number(self) -> str:
        self._customers += 1
        return str(FIRST_NUMBER + self._customers)

    def _phone(self) -> tuple[str, str]:
        """A new phone, and its carrier."""
        self._phones += 1
        carrier = [*CARRIERS][min(bisect(UP_TO, self._random.random()), len(CARRIERS) - 1)]
        return f"{CARRIERS[carrier][0]}{self._phones:07}", carrier

    def _several(self) -> int:
        drawn = self._random.random()
        for part, count in SEVERAL_NUMBERS:
            if drawn < part:
                return count
            drawn -= part
        return 1

    def _first(self, customers: int) -> Iterator[Pair]:
        left = customers
        while left:
            phone, carrier = self._phone()
            for number in [self._number() for _ in range(min(self._several(), left))]:
                left -= 1
                yield Pair(phone, carrier, number)
                if self._random.random() < SECOND_PHONE:
                    yield Pair(*self._phone(), number)

    def _registrations(self, before: Sequence[str]) -> Mapping[date, list[Registration]]:
        """Those of each day: exactly so many pairs of a phone and a number in all."""
        until = self._spread(self.scaled_new, days(date(YEAR, 1, 1), PUBLISHED_UNTIL))
        after = self._spread(self._size(NEW_IN_DECEMBER), days(date(YEAR, 12, 1), LAST))
        return {day: [*self._of_day(day, count, before)] for day, count in (until | after).items()}

    def _of_day(self, day: date, count: int, before: Sequence[str]) -> Iterator[Registration]:
        random = self._random
        channels, weights = list(CHANNELS), list(CHANNELS.values())
        while count:
            phone, carrier = self._phone()
            (channel,) = random.choices(channels, weights)
            # What the cache learns tomorrow belongs to the same month then.
            moved_in = random.random() < MOVED_IN and (day + timedelta(days=1)).month == day.month
            numbers: tuple[str, ...]
            if random.random() < FURTHER_PHONE:
                numbers, moved_in = (random.choice(before),), False
            elif channel is Channel.SMS:
                numbers = tuple([self._number() for _ in range(min(self._several(), count))])
            else:
                numbers = (self._number(),)
            count -= len(numbers)
            yield Registration(phone, carrier, numbers, channel, not moved_in)

    def _spread(self, count: int, over: Sequence[date]) -> dict[date, int]:
        """So many, by chance over days, fewer on weekends."""
        weights = [AT_WEEKENDS if day.weekday() >= 5 else 1.0 for day in over]
        found = dict.fromkeys(over, 0)
        for day in self._random.choices(over, cum_weights=list(accumulate(weights)), k=count):
            found[day] += 1
        return found

    # -- month by month --------------------------------------------------------------------

    def month(self, first: date, numbers: Sequence[str], calendar: Calendar) -> "Month":
        """The bills of a month of those who are registered as it begins."""
        random = self._random
        late = self._size(random.randint(*LATE))
        chosen = random.sample(numbers, min(late + self._size(IN_TIME), len(numbers)))
        end = _next_month(first)
        open_days = [day for day in days(first, end - _DAY) if calendar.is_open(day)]
        month = Month({}, defaultdict(list), defaultdict(list))
        for place, number in enumerate(chosen):
            payments = month.payments
            if place < late:
                at = random.randrange(1, len(open_days) - 4)
                # The day before was the last on which it could be paid in time.
                due = random.choice(days(open_days[at - 1], open_days[at] - _DAY))
                paid = min(open_days[at] + random.randint(1, 7) * _DAY, end - _DAY)
                if random.random() < AT_THE_LAST_MINUTE:
                    paid, payments = open_days[at], month.last_minute
            else:
                due = first + random.randint(3, 24) * _DAY
                paid = first + random.randint(1, (due - first).days) * _DAY
            cents = random.randint(800, 18_000)
            amount = f"{cents // 100}.{cents % 100:02}"
            bill = Bill(number, f"{first:%y%m}{place:06}", due - timedelta(days=20), due, amount)
            month.bills[number] = bill
            payments[paid].append(bill)
        return month

    def checks(self, first: date) -> dict[date, int]:
        """How many bill checks there are on each day of a month."""
        return self._spread(
            self._size(self._random.randint(*CHECKS)), days(first, _next_month(first) - _DAY)
        )


class Month(NamedTuple):
    """The bills that are open as a month begins, by customer number, and when each is paid."""

    bills: dict[str, Bill]
    payments: Mapping[date, list[Bill]]  # known as the day begins
    last_minute: Mapping[date, list[Bill]]  # known between the making of a run and its beginning


_DAY: Final = timedelta(days=1)
_AT_FIRST: Final = (
    ACTIVE
    + STOPS * 11 / 12 * 1.11  # a phone that stops has so many numbers
    - NEW_AS_PUBLISHED * (1 - FURTHER_PHONE)
)


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=count) for count in range((last - first).days + 1)]


def days_of(months: int) -> list[date]:
    """Those of the first months of the year."""
    return [day for day in days(date(YEAR, 1, 1), LAST) if day.month <= months]


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)

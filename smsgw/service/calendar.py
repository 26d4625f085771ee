"""Working days and opening hours: when messages go out that nobody is waiting for, and on which
days supply may be cut."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final, Literal, NamedTuple

from smsgw.service.hours import ALL_DAY, Hours

OpenDays = Literal["working", "all"]

# How far is looked ahead for a day that is open. Where none is, none is expected.
LOOK_AHEAD: Final = timedelta(days=366)

_SATURDAY: Final = 5


class Window(NamedTuple):
    """The opening hours of one day, in seconds since 1970."""

    opens: float
    last_submit: float  # nothing is submitted after it
    closes: float

    def takes(self, now: float) -> bool:
        return self.opens <= now <= self.last_submit


def _no_holiday(_: date) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days and hours of one company."""

    timezone: tzinfo = UTC
    hours: Hours = ALL_DAY
    days: OpenDays = "all"
    is_holiday: Callable[[date], bool] = _no_holiday
    min_validity: float = 0.0  # seconds

    def is_rest(self, day: date) -> bool:
        """Whether it is a Saturday, a Sunday or a public holiday."""
        return day.weekday() >= _SATURDAY or self.is_holiday(day)

    def is_open(self, day: date) -> bool:
        """Whether messages go out on it."""
        return self.days == "all" or not self.is_rest(day)

    def day(self, now: float) -> date:
        """The local date of a moment."""
        return datetime.fromtimestamp(now, self.timezone).date()

    def on(self, day: date) -> Window | None:
        """The hours of a day; None: it is closed, or so short that nothing is submitted."""
        if not self.is_open(day):
            return None
        opens, closes = (
            datetime.combine(day, at, self.timezone).timestamp()
            for at in (self.hours.opens, self.hours.closes)
        )
        last = closes - self.min_validity
        return Window(opens, last, closes) if opens <= last else None

    def windows(self, now: float) -> Iterator[Window]:
        """The hours in which something can be submitted from `now` on, the one that lasts first."""
        day = self.day(now)
        end = day + LOOK_AHEAD
        while day < end:
            window = self.on(day)
            if window is not None and now <= window.last_submit:
                yield window
            day += timedelta(days=1)

    def window(self, now: float) -> Window | None:
        """Today's, if something can be submitted now."""
        window = self.on(self.day(now))
        return window if window is not None and window.takes(now) else None

    def next_window(self, now: float) -> Window | None:
        """The one that lasts, or the next; None: no day of the next year is open."""
        return next(self.windows(now), None)

    def cut_off(self, day: date) -> date | None:
        """The first day from `day` on at which supply may be cut: no rest day, and none the day
        after. None: there is no such day within a year."""
        end = day + LOOK_AHEAD
        while day < end:
            if not self.is_rest(day) and not self.is_rest(day + timedelta(days=1)):
                return day
            day += timedelta(days=1)
        return None

    def last_open(self, day: date) -> date | None:
        """The last open day at or before `day`; None: there is none within a year."""
        end = day - LOOK_AHEAD
        while day > end:
            if self.on(day) is not None:
                return day
            day -= timedelta(days=1)
        return None

"""Working days and opening hours: when messages go out that nobody is waiting for, and on which
days supply may be cut."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
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
        """The hours of a day; None: it is closed, or so short that nothing is submitted.

        An opening or closing time that the clock shows twice on the day, or leaves out, makes them
        shorter, not longer.
        """
        if not self.is_open(day):
            return None
        opens = max(self._moments(day, self.hours.opens))
        closes = min(self._moments(day, self.hours.closes))
        last = closes - self.min_validity
        return Window(opens, last, closes) if opens < last else None

    def _moments(self, day: date, at: time) -> tuple[float, float]:
        """When the clock shows `at`, as it goes before a change on the day and after it."""
        shown = datetime.combine(day, at, self.timezone)
        return shown.timestamp(), shown.replace(fold=1).timestamp()

    def windows(self, now: float) -> Iterator[Window]:
        """The hours in which something can be submitted from `now` on, the one that lasts first."""
        for day in _days(self.day(now)):
            window = self.on(day)
            if window is not None and now <= window.last_submit:
                yield window

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
        for one in _days(day):
            if not self.is_rest(one) and not self.is_rest(one + timedelta(days=1)):
                return one
        return None

    def last_open(self, day: date) -> date | None:
        """The last open day at or before `day`; None: there is none within a year."""
        return next((one for one in _days(day, -1) if self.on(one) is not None), None)


def _days(start: date, step: Literal[1, -1] = 1) -> Iterator[date]:
    """The days of a year from `start` on, or back from it, but for the very last there is."""
    first = start.toordinal()
    for ordinal in range(first, first + step * LOOK_AHEAD.days, step):
        if date.min.toordinal() <= ordinal < date.max.toordinal():
            yield date.fromordinal(ordinal)

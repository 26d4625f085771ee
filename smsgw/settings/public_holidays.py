"""Bulgaria's public holidays, with the corrections of the configuration."""

from collections.abc import Callable, Collection, Iterable
from datetime import date
from typing import Final

from smsgw.service.calendar import Calendar

# The present law's. A date outside them is a mistake somewhere, and no holiday.
FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2099

FEWEST_WORKING_DAYS: Final = 200  # no year has fewer


class PublicHolidays:
    """Says of a day whether it is a public holiday: `is_holiday(day)`.

    A day that `add` names is one whatever else is said of it.
    """

    def __init__(self, add: Collection[date] = (), remove: Collection[date] = ()) -> None:
        # It takes a quarter of a second to import: only who has a calendar pays for it.
        from holidays.countries.bulgaria import Bulgaria

        self._library: Callable[..., Iterable[date]] = Bulgaria
        self._add = frozenset(add)
        self._remove = frozenset(remove)
        self._years: dict[int, frozenset[date]] = {}

    def __call__(self, day: date) -> bool:
        return day in self._add or (day not in self._remove and self.by_law(day))

    def by_law(self, day: date) -> bool:
        """Whether it is one without the corrections; also one that stands for it on a weekday."""
        year = day.year
        if not FIRST_YEAR <= year <= LAST_YEAR:
            return False
        days = self._years.get(year)
        if days is None:
            days = self._years[year] = frozenset(self._library(years=year))
        return day in days


def closed_for_a_year(add: Collection[date], remove: Collection[date]) -> date | None:
    """A day up to which `add` leaves no working day for a year; None: there is none."""
    if len(add) < FEWEST_WORKING_DAYS:
        return None
    calendar = Calendar(days="working", is_holiday=PublicHolidays(add, remove))
    return next((day for day in sorted(add) if calendar.last_open(day) is None), None)

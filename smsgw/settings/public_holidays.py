"""Bulgaria's public holidays, with the corrections of the configuration."""

from collections.abc import Callable, Collection, Iterable
from datetime import date
from typing import Final

# The present law's. A date outside them is a mistake somewhere, and no holiday.
FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2099


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

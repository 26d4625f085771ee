"""Bulgaria's public holidays, and a list of them that closes every day."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from smsgw import settings
from smsgw.settings import derive
from smsgw.settings.public_holidays import PublicHolidays, closed_for_a_year

# By month: the law's days, the Orthodox Easter's, and the working days that stand for one at a
# weekend. 2 January 2026 was free by decision of the government.
HOLIDAYS = {
    2026: "1: 1 2; 3: 3; 4: 10 11 12 13; 5: 1 6 24 25; 9: 6 7 22; 12: 24 25 26 28",
    2027: "1: 1; 3: 3; 4: 30; 5: 1 2 3 4 6 24; 9: 6 22; 12: 24 25 26 27 28",
    2028: "1: 1 3; 3: 3; 4: 14 15 16 17; 5: 1 6 8 24; 9: 6 22; 12: 24 25 26 27",
}


def of_year(holidays: Callable[[date], bool], year: int) -> list[date]:
    days = (date(year, 1, 1) + timedelta(days=at) for at in range(366))
    return [day for day in days if day.year == year and holidays(day)]


@pytest.mark.parametrize("year", HOLIDAYS)
def test_holidays(year: int) -> None:
    expected = []
    for line in HOLIDAYS[year].split(";"):
        month, days = line.split(":")
        expected += [date(year, int(month), int(day)) for day in days.split()]
    assert of_year(PublicHolidays(), year) == expected


def test_corrections() -> None:
    eve, between, law = date(2026, 12, 23), date(2026, 12, 24), date(2026, 12, 25)
    holidays = PublicHolidays(add=[eve, law], remove=[between, law])
    assert [holidays(day) for day in (eve, between, law)] == [True, False, True]
    assert [holidays.by_law(day) for day in (eve, between, law)] == [False, True, True]


@pytest.mark.parametrize("day", [date.min, date(1926, 3, 3), date(2126, 3, 3), date.max])
def test_a_year_that_is_not_ours_has_none(day: date) -> None:
    assert not PublicHolidays()(day)
    assert PublicHolidays(add=[day])(day)


def weekdays(first: date, days: int) -> list[date]:
    found = (first + timedelta(days=at) for at in range(days))
    return [day for day in found if day.weekday() < 5]


@pytest.mark.parametrize(
    ("add", "remove", "closed"),
    [
        pytest.param([], [], None, id="nothing"),
        pytest.param(weekdays(date(2027, 1, 1), 365), [], None, id="all but a year"),
        pytest.param(weekdays(date(2027, 1, 1), 370), [], date(2028, 1, 3), id="a year"),
        pytest.param(
            [day for day in weekdays(date(2027, 1, 1), 370) if not PublicHolidays().by_law(day)],
            [],
            date(2028, 1, 4),
            id="a year, together with the law's",
        ),
        pytest.param(
            [day for day in weekdays(date(2027, 1, 1), 370) if not PublicHolidays().by_law(day)],
            [date(2027, 3, 3)],
            None,
            id="one of the law's is open",
        ),
        pytest.param(
            [day for day in weekdays(date(2027, 1, 1), 370) if day.day != 13],
            [],
            None,
            id="one in a while is open",
        ),
    ],
)
def test_closed_for_a_year(add: list[date], remove: list[date], closed: date | None) -> None:
    assert closed_for_a_year(add, remove) == closed


def test_a_list_that_closes_every_day_is_an_error(shortest: Callable[[str], Path]) -> None:
    days = ", ".join(map(str, weekdays(date(2027, 1, 1), 400)))
    path = shortest(f"notices:\n  days: working\n  holidays: {{add: [{days}]}}\n")
    with pytest.raises(settings.ConfigError) as caught:
        settings.load(path)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column, problem.path) == (11, 13, "notices.holidays")
    assert problem.message == "add closes every day of the year up to 2028-01-03"


def test_the_calendar_has_them(shortest: Callable[[str], Path]) -> None:
    path = shortest("notices: {holidays: {add: [2027-05-05]}}\n")
    calendar = derive.calendar(settings.load(path))
    assert calendar.last_open(date(2027, 5, 9)) == date(2027, 5, 7)
    assert calendar.last_open(date(2027, 5, 6)) == date(2027, 4, 29)
    assert calendar.cut_off(date(2027, 4, 29)) == date(2027, 5, 10)

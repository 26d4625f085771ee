"""When the rest of a run will have gone out."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.service.calendar import Calendar
from smsgw.service.forecast import Forecast, forecast
from smsgw.service.hours import Hours

SOFIA = ZoneInfo("Europe/Sofia")
HOUR = 3600
CHRISTMAS = {date(2026, 12, day) for day in (24, 25, 26, 28)}
# Nine hours a day in which something is submitted.
CALENDAR = Calendar(SOFIA, Hours(time(9), time(20)), "working", CHRISTMAS.__contains__, 2.0 * HOUR)


def at(local: str) -> float:
    return datetime.fromisoformat(local).replace(tzinfo=SOFIA).timestamp()


# (parts left, parts a second, now) -> (when the last goes out, whether in this window)
FORECASTS = {
    "at opening": (36_000, 10, "2026-12-18 09:00", "2026-12-18 10:00", True),
    "in the middle": (36_000, 10, "2026-12-18 15:40", "2026-12-18 16:40", True),
    "before opening": (36_000, 10, "2026-12-18 07:00", "2026-12-18 10:00", True),
    "up to the last submit": (36_000, 10, "2026-12-18 17:00", "2026-12-18 18:00", True),
    "a little more": (36_010, 10, "2026-12-18 17:00", "2026-12-21 09:00:01", False),
    "in the last two hours": (36_000, 10, "2026-12-18 18:30", "2026-12-21 10:00", True),
    "over a weekend": (36_000, 10, "2026-12-18 17:30", "2026-12-21 09:30", False),
    "over Christmas": (36_000, 10, "2026-12-23 17:30", "2026-12-29 09:30", False),
    "over three windows": (20 * HOUR, 1, "2026-12-17 17:00", "2026-12-22 10:00", False),
    "slower than one a second": (HOUR, 0.5, "2026-12-18 09:00", "2026-12-18 11:00", True),
    "over the end of summer time": (2 * HOUR, 1, "2026-10-23 17:00", "2026-10-26 10:00", False),
    "over its beginning": (2 * HOUR, 1, "2027-03-26 17:00", "2027-03-29 10:00", False),
}


@pytest.mark.parametrize(
    ("parts", "rate", "now", "done", "in_this"), FORECASTS.values(), ids=FORECASTS
)
def test_forecast(parts: int, rate: float, now: str, done: str, in_this: bool) -> None:
    expected = Forecast({"mtel": at(done)}, at(done), in_this)
    assert forecast({"mtel": parts}, {"mtel": rate}, CALENDAR, at(now)) == expected


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-10-25", 6), ("2027-03-28", 4), ("2027-03-27", 5)]
)
def test_a_day_on_which_the_clock_changes(day: str, hours: int) -> None:
    """It is longer or shorter, and so many more or fewer go out."""
    calendar = Calendar(SOFIA, Hours(time(1), time(6)))
    left, now = {"mtel": hours * HOUR}, at(f"{day} 01:00")
    assert forecast(left, {"mtel": 1.0}, calendar, now).done_at == at(f"{day} 06:00")
    assert forecast(left, {"mtel": 1.0}, calendar, now).this_window
    assert not forecast({"mtel": hours * HOUR + 1}, {"mtel": 1.0}, calendar, now).this_window


NOW = at("2026-12-18 09:00")


def test_the_slowest_carrier_decides() -> None:
    found = forecast({"a": 60, "b": 1200, "c": 0}, {"a": 1.0, "b": 10.0}, CALENDAR, NOW)
    assert found == Forecast({"a": NOW + 60, "b": NOW + 120}, NOW + 120, True)


@pytest.mark.parametrize("rates", [{"a": 1.0}, {"a": 1.0, "b": 0.0}])
def test_a_rate_that_is_not_known(rates: dict[str, float]) -> None:
    found = forecast({"a": 60, "b": 60}, rates, CALENDAR, NOW)
    assert found == Forecast({"a": NOW + 60, "b": None}, None, False)


@pytest.mark.parametrize("left", [{}, {"a": 0}])
def test_nothing_left(left: dict[str, int]) -> None:
    assert forecast(left, {}, CALENDAR, NOW) == Forecast({}, NOW, True)


@pytest.mark.parametrize(
    ("calendar", "left"),
    [
        pytest.param(Calendar(SOFIA, is_holiday=lambda _: True, days="working"), 1, id="closed"),
        pytest.param(CALENDAR, 366 * 9 * HOUR, id="more than a year"),
    ],
)
def test_what_is_never_done(calendar: Calendar, left: int) -> None:
    assert forecast({"a": left}, {"a": 1.0}, calendar, NOW) == Forecast({"a": None}, None, False)


PARTS = st.integers(1, 2_000_000)
RATES = st.floats(0.5, 500)
MOMENTS = st.floats(at("2026-09-01 00:00"), at("2027-04-30 00:00"))


@given(PARTS, RATES, MOMENTS)
def test_the_open_time_until_then_is_what_the_parts_take(
    parts: int, rate: float, now: float
) -> None:
    done = forecast({"a": parts}, {"a": rate}, CALENDAR, now).done_at
    assert done is not None
    open_for = sum(
        max(0.0, min(done, window.last_submit) - max(now, window.opens))
        for window in CALENDAR.windows(now)
    )
    assert open_for == pytest.approx(parts / rate, rel=1e-6, abs=1e-3)
    assert CALENDAR.window(done) is not None


@given(PARTS, RATES, MOMENTS)
def test_what_is_left_halfway_is_done_at_the_same_time(parts: int, rate: float, now: float) -> None:
    """A forecast does not change by being made later, if all goes as it said."""
    halfway = forecast({"a": parts}, {"a": rate}, CALENDAR, now).done_at
    after = forecast({"a": 2 * parts}, {"a": rate}, CALENDAR, now).done_at
    assert halfway is not None
    assert after is not None
    assert forecast({"a": parts}, {"a": rate}, CALENDAR, halfway).done_at == pytest.approx(
        after, abs=0.1
    )


@given(PARTS, st.integers(0, 10_000), RATES, MOMENTS, st.floats(0, 86400))
def test_more_parts_or_a_later_start_are_never_done_sooner(
    parts: int, more: int, rate: float, now: float, later: float
) -> None:
    done = forecast({"a": parts}, {"a": rate}, CALENDAR, now).done_at
    with_more = forecast({"a": parts + more}, {"a": rate}, CALENDAR, now).done_at
    started_later = forecast({"a": parts}, {"a": rate}, CALENDAR, now + later).done_at
    assert done is not None
    assert with_more is not None
    assert started_later is not None
    assert done <= with_more + 1e-3
    assert done <= started_later + 1e-3

"""Working days, opening hours, and the days on which supply may be cut."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.service.calendar import LOOK_AHEAD, Calendar, Window
from smsgw.service.hours import ALL_DAY, Hours

SOFIA = ZoneInfo("Europe/Sofia")
HOUR = 3600.0
NINE_TO_EIGHT = Hours(time(9), time(20))

# Those of December 2026, and the Easter of 2027 with the day that stands for the 1st of May.
HOLIDAYS = {
    *(date(2026, 12, day) for day in (24, 25, 26, 28)),
    date(2027, 1, 1),
    date(2027, 4, 30),
    *(date(2027, 5, day) for day in (1, 2, 3, 4, 6)),
}
WORKING = Calendar(SOFIA, NINE_TO_EIGHT, "working", HOLIDAYS.__contains__, 2 * HOUR)
ALWAYS = Calendar(SOFIA, NINE_TO_EIGHT, "all", HOLIDAYS.__contains__, 2 * HOUR)
NEVER = Calendar(SOFIA, NINE_TO_EIGHT, "working", lambda _: True)


def at(local: str) -> float:
    """Sofia's time as seconds; with an offset, that one's."""
    moment = datetime.fromisoformat(local)
    return (moment if moment.tzinfo else moment.replace(tzinfo=SOFIA)).timestamp()


def on(day: str) -> date:
    return date.fromisoformat(day)


@pytest.mark.parametrize(
    ("day", "is_rest"),
    [
        pytest.param("2026-12-18", False, id="a Friday"),
        pytest.param("2026-12-19", True, id="a Saturday"),
        pytest.param("2026-12-20", True, id="a Sunday"),
        pytest.param("2026-12-24", True, id="a holiday"),
        pytest.param("2026-12-26", True, id="a holiday on a Saturday"),
        pytest.param("2026-12-28", True, id="the Monday that stands for it"),
        pytest.param("2026-12-29", False, id="after all of them"),
    ],
)
def test_days_of_rest(day: str, is_rest: bool) -> None:
    assert WORKING.is_rest(on(day)) is is_rest
    assert WORKING.is_open(on(day)) is not is_rest
    assert (WORKING.on(on(day)) is None) is is_rest
    assert ALWAYS.is_rest(on(day)) is is_rest
    assert ALWAYS.is_open(on(day))


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-12-18 00:00", "2026-12-18"),
        ("2026-12-18 23:59:59", "2026-12-18"),
        ("2026-12-18 22:30+00:00", "2026-12-19"),
        ("2026-06-18 21:30+00:00", "2026-06-19"),
    ],
)
def test_the_local_day(now: str, day: str) -> None:
    assert WORKING.day(at(now)) == on(day)


# (now, opens, closes) of the next window; and whether it lasts.
WINDOWS = {
    "at opening": ("2026-12-18 09:00", "2026-12-18 09:00", "2026-12-18 20:00", True),
    "before opening": ("2026-12-18 08:59:59", "2026-12-18 09:00", "2026-12-18 20:00", False),
    "before the last submit": ("2026-12-18 18:00", "2026-12-18 09:00", "2026-12-18 20:00", True),
    "in the last two hours": ("2026-12-18 18:00:01", "2026-12-21 09:00", "2026-12-21 20:00", False),
    "at closing": ("2026-12-18 20:00", "2026-12-21 09:00", "2026-12-21 20:00", False),
    "on a Sunday": ("2026-12-20 12:00", "2026-12-21 09:00", "2026-12-21 20:00", False),
    "over Christmas": ("2026-12-23 19:00", "2026-12-29 09:00", "2026-12-29 20:00", False),
    "over the new year": ("2026-12-31 21:00", "2027-01-04 09:00", "2027-01-04 20:00", False),
    "over Easter": ("2027-04-29 19:00", "2027-05-05 09:00", "2027-05-05 20:00", False),
    "over the end of summer time": (
        "2026-10-23 20:00",
        "2026-10-26 09:00+02:00",
        "2026-10-26 20:00+02:00",
        False,
    ),
    "over its beginning": (
        "2027-03-26 20:00",
        "2027-03-29 09:00+03:00",
        "2027-03-29 20:00+03:00",
        False,
    ),
}


@pytest.mark.parametrize(("now", "opens", "closes", "lasts"), WINDOWS.values(), ids=WINDOWS)
def test_windows(now: str, opens: str, closes: str, lasts: bool) -> None:
    window = Window(at(opens), at(closes) - 2 * HOUR, at(closes))
    assert WORKING.next_window(at(now)) == window
    assert WORKING.window(at(now)) == (window if lasts else None)


# (hours, day, opens, closes): the clock goes from 03:00 to 04:00 on 28 March 2027, and from 04:00
# back to 03:00 on 25 October 2026.
SPRING, AUTUMN = "2027-03-28", "2026-10-25"
CHANGES = {
    "a short day": ("01:00-06:00", SPRING, "01:00+02:00", "06:00+03:00"),
    "a long one": ("01:00-06:00", AUTUMN, "01:00+03:00", "06:00+02:00"),
    "opens at an hour left out": ("03:30-20:00", SPRING, "04:30+03:00", "20:00+03:00"),
    "closes at an hour left out": ("01:00-03:30", SPRING, "01:00+02:00", "02:30+02:00"),
    "opens at an hour shown twice": ("03:30-20:00", AUTUMN, "03:30+02:00", "20:00+02:00"),
    "closes at an hour shown twice": ("01:00-03:30", AUTUMN, "01:00+03:00", "03:30+03:00"),
    "all of it left out": ("03:10-03:50", SPRING, None, None),
    "all of it shown twice": ("03:10-03:50", AUTUMN, None, None),
    "the ordinary hours": ("09:00-20:00", SPRING, "09:00+03:00", "20:00+03:00"),
}


@pytest.mark.parametrize(("hours", "day", "opens", "closes"), CHANGES.values(), ids=CHANGES)
def test_hours_across_a_change_of_clock(
    hours: str, day: str, opens: str | None, closes: str | None
) -> None:
    first, last = map(time.fromisoformat, hours.split("-"))
    window = Calendar(SOFIA, Hours(first, last)).on(on(day))
    if opens is None or closes is None:
        assert window is None
    else:
        closing = at(f"{day} {closes}")
        assert window == Window(at(f"{day} {opens}"), closing, closing)


@pytest.mark.parametrize(
    ("min_validity", "is_open"), [(0.0, True), (11 * HOUR - 1, True), (11 * HOUR, False)]
)
def test_hours_as_short_as_what_is_kept_of_them(min_validity: float, is_open: bool) -> None:
    calendar = Calendar(SOFIA, NINE_TO_EIGHT, min_validity=min_validity)
    assert (calendar.on(on("2026-12-18")) is not None) is is_open
    assert (calendar.next_window(at("2026-12-18 09:00")) is not None) is is_open
    assert (calendar.last_open(on("2026-12-18")) is not None) is is_open


def test_all_day_every_day() -> None:
    calendar = Calendar()
    moment = at("2026-12-19 00:00+00:00")
    assert calendar.window(moment) == Window(moment, moment + 86400 - 1e-6, moment + 86400 - 1e-6)
    assert calendar.hours == ALL_DAY


def test_closed_every_day() -> None:
    now = at("2026-12-18 12:00")
    assert list(NEVER.windows(now)) == []
    assert NEVER.window(now) is None
    assert NEVER.next_window(now) is None
    assert NEVER.cut_off(on("2026-12-18")) is None
    assert NEVER.last_open(on("2026-12-18")) is None


@pytest.mark.parametrize(
    ("day", "moved"),
    [
        pytest.param("2026-12-17", "2026-12-17", id="a Thursday"),
        pytest.param("2026-12-18", "2026-12-21", id="a Friday: the day before a rest day"),
        pytest.param("2026-12-19", "2026-12-21", id="a Saturday"),
        pytest.param("2026-12-20", "2026-12-21", id="a Sunday"),
        pytest.param("2026-12-22", "2026-12-22", id="two days before a holiday"),
        pytest.param("2026-12-23", "2026-12-29", id="the day before Christmas"),
        pytest.param("2026-12-28", "2026-12-29", id="a day that stands for a holiday"),
        pytest.param("2026-12-31", "2027-01-04", id="the day before the new year"),
        pytest.param("2027-04-29", "2027-05-10", id="Easter, a day between, St George, a Friday"),
    ],
)
def test_cut_off(day: str, moved: str) -> None:
    assert WORKING.cut_off(on(day)) == on(moved)
    assert ALWAYS.cut_off(on(day)) == on(moved)


@pytest.mark.parametrize(
    ("day", "last", "of_all_days"),
    [
        ("2026-12-18", "2026-12-18", "2026-12-18"),
        ("2026-12-20", "2026-12-18", "2026-12-20"),
        ("2026-12-28", "2026-12-23", "2026-12-28"),
        ("2027-01-03", "2026-12-31", "2027-01-03"),
        ("2027-05-04", "2027-04-29", "2027-05-04"),
    ],
)
def test_last_open(day: str, last: str, of_all_days: str) -> None:
    assert WORKING.last_open(on(day)) == on(last)
    assert ALWAYS.last_open(on(day)) == on(of_all_days)


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_ends_of_the_calendar(day: date) -> None:
    assert NEVER.last_open(day) is None
    assert NEVER.cut_off(day) is None
    assert WORKING.cut_off(day) == (None if day is date.max else day)


ZONES = st.sampled_from(["Europe/Sofia", "UTC", "America/New_York", "Australia/Lord_Howe"])
TIMES = st.times().map(lambda at: at.replace(microsecond=0))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    opens, closes = sorted(draw(st.lists(TIMES, min_size=2, max_size=2, unique=True)))
    holidays = frozenset(draw(st.lists(st.dates(date(2026, 1, 1), date(2027, 12, 31)))))
    return Calendar(
        ZoneInfo(draw(ZONES)),
        Hours(opens, closes),
        draw(st.sampled_from(["working", "all"])),
        holidays.__contains__,
        draw(st.sampled_from([0.0, 1.0, HOUR, 2 * HOUR])),
    )


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC)).map(
    lambda moment: moment.timestamp()
)


@given(calendars(), MOMENTS)
def test_windows_follow_each_other(calendar: Calendar, now: float) -> None:
    windows = list(calendar.windows(now))
    before = float("-inf")
    for window in windows[:40]:
        assert before < window.opens < window.last_submit
        assert window.last_submit == window.closes - calendar.min_validity
        assert now <= window.last_submit
        before = window.closes
    lasting = calendar.window(now)
    if lasting is not None:
        assert lasting == windows[0]
        assert lasting.takes(now)
    elif windows:
        assert now < windows[0].opens


@given(calendars(), MOMENTS, st.floats(0, 1))
def test_the_clock_shows_an_open_time_all_through_a_window(
    calendar: Calendar, now: float, share: float
) -> None:
    window = calendar.next_window(now)
    if window is None:
        return
    moment = window.opens + share * (window.closes - window.opens)
    shown = datetime.fromtimestamp(moment, calendar.timezone)
    assert calendar.hours.opens <= shown.time() <= calendar.hours.closes
    assert calendar.is_open(shown.date())
    assert calendar.on(shown.date()) == window


@given(calendars(), st.dates(date(2026, 1, 1), date(2027, 12, 31)))
def test_days_are_the_nearest_that_are_allowed(calendar: Calendar, day: date) -> None:
    def may_be_cut(one: date) -> bool:
        return not calendar.is_rest(one) and not calendar.is_rest(one + timedelta(days=1))

    cut_off, last = calendar.cut_off(day), calendar.last_open(day)
    assert cut_off is not None
    assert day <= cut_off < day + LOOK_AHEAD
    assert may_be_cut(cut_off)
    assert not any(may_be_cut(day + timedelta(days=at)) for at in range((cut_off - day).days))
    if last is not None:
        assert last <= day
        assert calendar.on(last) is not None
        assert all(
            calendar.on(last + timedelta(days=at)) is None for at in range(1, (day - last).days + 1)
        )

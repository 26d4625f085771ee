"""When messages that nobody waits for may go out."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.service.hours import Hours, next_open, overdue

SOFIA = ZoneInfo("Europe/Sofia")
NINE_TO_EIGHT = Hours(time(9), time(20))


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        pytest.param("2026-12-18 09:00", None, id="at opening"),
        pytest.param("2026-12-18 19:59", None, id="before closing"),
        pytest.param("2026-12-18 08:59", "2026-12-18 09:00", id="before opening"),
        pytest.param("2026-12-18 20:00", "2026-12-19 09:00", id="at closing"),
        pytest.param("2026-12-19 23:30", "2026-12-20 09:00", id="on any day: a Sunday"),
        pytest.param("2026-10-24 22:00", "2026-10-25 09:00", id="over a change of clock"),
        pytest.param("2026-12-31 21:00", "2027-01-01 09:00", id="over a new year"),
    ],
)
def test_next_open(now: str, opens: str | None) -> None:
    def at(local: str) -> float:
        return datetime.fromisoformat(local).replace(tzinfo=SOFIA).timestamp()

    assert next_open(at(now), NINE_TO_EIGHT, SOFIA) == (None if opens is None else at(opens))


@pytest.mark.parametrize(
    ("made", "now", "goes"),
    [
        pytest.param("18 19:59", "18 19:59", None, id="inside the hours"),
        pytest.param("18 19:59", "18 20:00", "19 09:00", id="closed since"),
        pytest.param("18 12:00", "19 03:00", "19 09:00", id="by night"),
        pytest.param("18 12:00", "19 12:00", None, id="open again"),
        pytest.param("18 21:00", "18 21:00", None, id="a clerk's, by night"),
        pytest.param("18 21:00", "19 08:59", None, id="a clerk's, in the same night"),
        pytest.param("18 21:00", "19 21:00", "20 09:00", id="of the night before"),
    ],
)
def test_overdue(made: str, now: str, goes: str | None) -> None:
    def at(local: str) -> float:
        return datetime.fromisoformat(f"2026-12-{local}").replace(tzinfo=SOFIA).timestamp()

    expected = None if goes is None else at(goes)
    assert overdue(at(made), at(now), NINE_TO_EIGHT, SOFIA) == expected


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)))
def test_it_is_open_when_it_opens(moment: datetime) -> None:
    now = moment.timestamp()
    opens = next_open(now, NINE_TO_EIGHT, SOFIA)
    if opens is not None:
        assert now < opens <= now + 14 * 3600 + 3600
        assert next_open(opens, NINE_TO_EIGHT, SOFIA) is None

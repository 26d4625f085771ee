"""Absolute and relative times, written and read."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.smpp.codec import Pdu, decode, encode
from smsgw.smpp.names import Command
from smsgw.smpp.times import absolute, parse, relative

SOFIA = ZoneInfo("Europe/Sofia")


def hours(ahead: float) -> timezone:
    return timezone(timedelta(hours=ahead))


def moment(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, micro: int = 0
) -> datetime:
    return datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone", "written"),
    [
        (moment(2026, 12, 24, 21, 59, 59), SOFIA, "261224235959008+"),
        (moment(2026, 7, 1, 9), SOFIA, "260701120000012+"),
        (moment(2026, 12, 24, 12), UTC, "261224120000000+"),
        (moment(2026, 12, 24, 12), ZoneInfo("America/St_Johns"), "261224083000014-"),
        (moment(2026, 12, 24, 12), ZoneInfo("Asia/Kathmandu"), "261224174500023+"),
        (moment(2026, 12, 24, 12), hours(14), "261225000000048+"),
        (moment(2026, 12, 24, 12), timezone(-timedelta(minutes=8)), "261224114500001-"),
        (moment(2026, 12, 24, 12, 0, 0, 999_999), UTC, "261224120000900+"),
        (moment(2026, 12, 31, 22), SOFIA, "270101000000008+"),
        (moment(1999, 12, 31, 23), UTC, "000101000000000+"),
        (moment(2100, 1, 1), UTC, "991231235959900+"),
        (moment(2099, 12, 31, 23), SOFIA, "991231235959908+"),
        (moment(9999, 12, 31), SOFIA, "991231235959908+"),
    ],
    ids=[
        "winter in Sofia",
        "summer in Sofia",
        "UTC",
        "behind UTC",
        "by quarters of an hour",
        "further ahead than can be written",
        "no whole quarters",
        "tenths",
        "another year there",
        "before this century",
        "after this century",
        "after this century there",
        "long after",
    ],
)
def test_a_moment_is_written(at: datetime, zone: tzinfo, written: str) -> None:
    assert absolute(at.timestamp(), zone) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "000000000000000R"),
        (-5, "000000000000000R"),
        (59.9, "000000000059000R"),
        (60, "000000000100000R"),
        (86_399, "000000235959000R"),
        (86_400, "000001000000000R"),
        (30 * 86_400 - 1, "000029235959000R"),
        (30 * 86_400, "000100000000000R"),
        (360 * 86_400 - 1, "001129235959000R"),
        (1e9, "001129235959000R"),
    ],
    ids=str,
)
def test_a_time_from_now_on_is_written(seconds: float, written: str) -> None:
    assert relative(seconds) == written


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("261224235959008+", moment(2026, 12, 24, 21, 59, 59)),
        ("260701120000912+", moment(2026, 7, 1, 9, 0, 0, 900_000)),
        ("260701120000048-", moment(2026, 7, 2)),
        ("000229000000000-", moment(2000, 2, 29)),
        ("000001000000000R", timedelta(days=1)),
        ("020610233429000R", timedelta(days=2 * 365 + 6 * 30 + 10, seconds=84_869)),
        ("999999999999000R", timedelta(39_204, 99 * 3661)),
        ("", None),
        ("26122423595900+", None),
        ("2612242359590008+", None),
        ("261224235959008R", None),
        ("261224235959049+", None),
        ("260229000000000+", None),
        ("261324000000000+", None),
        ("261224240000000+", None),
        ("261224235960000+", None),
        ("٢٦١٢٢٤235959008+", None),
        ("261224235959008+\n", None),
        ("000001000000000R\n", None),
        (" 61224235959008+", None),
    ],
    ids=repr,
)
def test_what_is_read(text: str, read: datetime | timedelta | None) -> None:
    assert parse(text) == read


CENTURY = st.floats(
    moment(2000, 1, 2).timestamp(), moment(2099, 12, 30).timestamp(), allow_nan=False
)
ZONES = st.one_of(
    st.sampled_from(["Europe/Sofia", "Pacific/Kiritimati", "America/Caracas"]).map(ZoneInfo),
    st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@given(CENTURY, ZONES)
def test_a_moment_is_read_as_it_was_written(at: float, zone: tzinfo) -> None:
    read = parse(absolute(at, zone))
    assert isinstance(read, datetime)
    assert -1e-6 < at - read.timestamp() < 0.1 + 1e-6  # which is made of whole microseconds


@given(st.integers(0, 360 * 86_400 - 1))
def test_a_time_from_now_on_is_read_as_it_was_written(seconds: int) -> None:
    assert parse(relative(seconds)) == timedelta(seconds=seconds)


@given(st.text("0123456789+-R", max_size=17))
def test_what_is_read_never_raises(text: str) -> None:
    parse(text)


@given(st.one_of(st.builds(absolute, CENTURY, ZONES), st.builds(relative, st.floats(0, 1e9))))
def test_what_is_written_fits_a_pdu(written: str) -> None:
    pdu = Pdu(Command.SUBMIT_SM, 0, 1, {"validity_period": written})
    assert decode(encode(pdu)).text("validity_period") == written

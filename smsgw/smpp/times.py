"""The times that PDUs hold, absolute or relative, as sixteen characters (SMPP 3.4, 7.1.1).

`YYMMDDhhmmsstnnp` is a moment: t tenths of seconds, nn quarters of an hour by which the clock it
is read from is ahead of UTC (p is `+`) or behind (`-`). `YYMMDDhhmmss000R` is so long from now on.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

# SMPP doesn't say which century YY is of, nor how long a relative year and month are.
FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2099, 12, 31, 23, 59, 59, 900_000, tzinfo=UTC)
YEAR: Final = timedelta(days=365)
MONTH: Final = timedelta(days=30)

# As years aren't sure, none are written: no SMSC keeps a message so long.
LONGEST: Final = 12 * 30 * 86_400 - 1  # seconds

QUARTER: Final = timedelta(minutes=15)
MOST_QUARTERS: Final = 48

_PAIRS: Final = "([0-9]{2})" * 6
_ABSOLUTE: Final = re.compile(f"{_PAIRS}([0-9])([0-9]{{2}})([+-])")
_RELATIVE: Final = re.compile(f"{_PAIRS}000R")


def absolute(moment: float, zone: tzinfo) -> str:
    """A moment, in seconds since 1970, as the clocks of `zone` show it; parts of tenths are cut.

    For one outside this century it is the nearest moment that the clocks show in it.
    """
    utc = datetime.fromtimestamp(max(FIRST.timestamp(), min(moment, LAST.timestamp())), UTC)
    ahead = utc.astimezone(zone).utcoffset() or timedelta()
    quarters = max(-MOST_QUARTERS, min(round(ahead / QUARTER), MOST_QUARTERS))
    shown = max(FIRST, min(utc + quarters * QUARTER, LAST))  # its clock, not its zone
    tenths = shown.microsecond // 100_000
    return f"{shown:%y%m%d%H%M%S}{tenths}{abs(quarters):02}{'-' if quarters < 0 else '+'}"


def relative(seconds: float) -> str:
    """So long from now on: whole seconds, none at least and twelve months of 30 days at most."""
    minutes, second = divmod(int(max(0, min(seconds, LONGEST))), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    month, day = divmod(days, 30)
    return f"00{month:02}{day:02}{hour:02}{minute:02}{second:02}000R"


def parse(text: str) -> datetime | timedelta | None:
    """A moment, with its zone, or a time from now on; None: `text` is neither.

    Of a time from now on a year is 365 days and a month 30.
    """
    if found := _RELATIVE.fullmatch(text):
        years, months, days, hours, minutes, seconds = map(int, found.groups())
        return (
            years * YEAR
            + months * MONTH
            + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        )
    if found := _ABSOLUTE.fullmatch(text):
        year, month, day, hour, minute, second, tenths, quarters = map(int, found.groups()[:-1])
        if quarters > MOST_QUARTERS:
            return None
        ahead = quarters * QUARTER
        zone = timezone(-ahead if found[9] == "-" else ahead)
        try:
            return datetime(
                2000 + year, month, day, hour, minute, second, tenths * 100_000, tzinfo=zone
            )
        except ValueError:
            return None  # a 31 February
    return None

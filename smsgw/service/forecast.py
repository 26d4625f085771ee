"""When the rest of a run will have gone out."""

from collections.abc import Mapping
from typing import NamedTuple

from smsgw.service.calendar import Calendar


class Forecast(NamedTuple):
    """When the last part goes out, in seconds since 1970; None: that can't be said."""

    carriers: Mapping[str, float | None]  # of those that have parts left
    done_at: float | None  # the latest of all; where nothing is left, the moment of the forecast
    this_window: bool  # in the hours that last, or are the next to come


def forecast(
    left: Mapping[str, int], rates: Mapping[str, float], calendar: Calendar, now: float
) -> Forecast:
    """What becomes of parts `left` by carrier, at `rates` of parts a second, from `now` on.

    Each carrier goes on by itself, inside the calendar's hours. One whose rate is missing or 0, or
    that is not done within a year, can't be told.
    """
    carriers = {
        carrier: _done(parts, rates.get(carrier, 0.0), calendar, now)
        for carrier, parts in left.items()
        if parts > 0
    }
    if not carriers:
        return Forecast({}, now, True)
    known = [done for done in carriers.values() if done is not None]
    done_at = max(known) if len(known) == len(carriers) else None
    window = calendar.next_window(now)
    in_it = done_at is not None and window is not None and done_at <= window.last_submit
    return Forecast(carriers, done_at, in_it)


def _done(parts: int, rate: float, calendar: Calendar, now: float) -> float | None:
    """When the last of `parts` goes out; None: unknown."""
    if rate <= 0:
        return None
    needed = parts / rate
    for window in calendar.windows(now):
        begins = max(now, window.opens)
        if begins + needed <= window.last_submit:
            return begins + needed
        needed -= window.last_submit - begins
    return None

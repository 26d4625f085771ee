"""The part of the day in which messages go out that nobody is waiting for."""

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple


class Hours(NamedTuple):
    """A part of the day, in local time. Written `09:00-20:00`."""

    opens: time
    closes: time

    @property
    def length(self) -> float:
        """Seconds, where the clock does not change."""
        opens, closes = (datetime.combine(date.min, at) for at in self)
        return (closes - opens).total_seconds()

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


ALL_DAY: Final = Hours(time.min, time.max)


def next_open(now: float, hours: Hours, timezone: tzinfo) -> float | None:
    """When the hours next begin, in seconds since 1970; None while they last.

    A day on which the clock is put forward over the opening opens when its clock first shows a
    time past it.
    """
    local = datetime.fromtimestamp(now, timezone)
    if hours.opens <= local.time() < hours.closes:
        return None
    day = local.date() + timedelta(days=local.time() >= hours.closes)
    return datetime.combine(day, hours.opens, timezone).timestamp()


def overdue(made_at: float, now: float, hours: Hours, timezone: tzinfo) -> float | None:
    """When a message may go out that was to be out by now, and that nobody waits for any more, in
    seconds since 1970; None: at once.

    One that was made since the hours ended was meant to go out at once: somebody stands at a desk.
    """
    opens = next_open(now, hours, timezone)
    return None if next_open(made_at, hours, timezone) == opens else opens

"""The two clocks of the program: one that people read, one that only moves forward."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the program asks of time. Tests and simulations bring their own."""

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC. May jump when the machine's clock is set."""

    def monotonic(self) -> float:
        """Seconds since some moment. Never goes back; for timers and durations."""


class SystemClock:
    """The machine's clocks."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


def utc(at: float) -> datetime:
    """`at`, seconds since 1970, as an aware datetime in UTC."""
    return datetime.fromtimestamp(at, UTC)

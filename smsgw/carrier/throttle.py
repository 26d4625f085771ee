"""How many submits a second a link may make: a bucket of tokens, one a PDU. Time is an argument."""

import sys
from typing import Final

UNLIMITED: Final = sys.maxsize

# What may be saved up: a tenth of a second's worth, so that a carrier that counts by the second
# sees at most 10% more than agreed.
BURST_SECONDS: Final = 0.1
# What a wait is for: a hundredth of a second's worth, so that a fast link wakes 100 times a
# second and not once a token.
WORTH_SECONDS: Final = 0.01
_DUST: Final = 1e-6  # tokens: what adding floats may cost


class Throttle:
    """`rate` tokens a second (0: no limit), less those taken; none at all during a pause."""

    __slots__ = ("_at", "_burst", "_paused_until", "_tokens", "_worth", "rate")

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._burst = max(1.0, rate * BURST_SECONDS)
        self._worth = max(1.0, rate * WORTH_SECONDS)
        self._tokens = self._burst
        self._at = now
        self._paused_until = now

    def available(self, now: float) -> int:
        """How many tokens may be taken at once."""
        if now < self._paused_until:
            return 0
        return max(0, int(self._level(now) + _DUST)) if self.rate else UNLIMITED

    def take(self, count: int, now: float) -> None:
        """Take tokens; more than are available are owed."""
        if self.rate:
            self._tokens = self._level(now) - count
            self._at = now

    def pause(self, until: float) -> None:
        self._paused_until = max(self._paused_until, until)

    def ready_at(self, now: float) -> float:
        """When it is worth asking again: `now` if it is already."""
        missing = self._worth - self._level(now) if self.rate else 0.0
        wait = missing / self.rate if missing > _DUST else 0.0
        return max(now + wait, self._paused_until)

    def _level(self, now: float) -> float:
        return min(self._burst, self._tokens + (now - self._at) * self.rate)

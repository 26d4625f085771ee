"""How many submits a second a link may make: a bucket of tokens, one a PDU. Time is an argument.

The rate is the agreed one until the carrier says that it is too much; then it follows what the
carrier takes (`pace.Pace`).
"""

import math
from typing import Final

from smsgw.carrier.pace import Answers, Pace

# What may be saved up: a tenth of a second's worth, so that a carrier that counts by the second
# sees at most 10% more than agreed.
BURST_SECONDS: Final = 0.1
# And while the rate is a finding: what a timer that is late may cost and no more, as some carriers
# count by the tenth of a second, or want every submit at its distance.
LATE_SECONDS: Final = 0.01
# What a wait is for: a hundredth of a second's worth, so that a fast link wakes 100 times a
# second and not once a token.
WORTH_SECONDS: Final = 0.01
# And for bulk: it can go by the handful, a transaction each. With the token that it leaves that is
# less than what may be saved up, so it costs no pace.
BULK_WORTH_SECONDS: Final = 0.05
_DUST: Final = 1e-6  # tokens: what adding floats may cost


class Throttle:
    """At most `limit` tokens a second (0: no limit), less those taken; none during a rest.

    Told what became of the submits it slows down and speeds up again; `rate` is what it allows
    now, 0 while nothing limits it.
    """

    __slots__ = ("_at", "_pace", "_tokens")

    def __init__(self, limit: float, now: float) -> None:
        self._pace = Pace(limit, now)
        self._tokens = self._burst
        self._at = now

    @property
    def rate(self) -> float:
        return self._pace.rate

    def available(self, now: float) -> int:
        """How many tokens may be taken at once."""
        if now < self._pace.resting_until:
            return 0
        most = self._pace.most
        return min(most, max(0, int(self._level(now) + _DUST))) if self.rate else most

    def spare(self, now: float) -> int:
        """How many of these may be taken for bulk."""
        return max(self.available(now) - self._kept, 0)

    def take(self, count: int, now: float) -> None:
        """Take tokens; more than are available are owed."""
        if self.rate:
            self._tokens = self._level(now) - count
            self._at = now
        self._pace.sent(count, pressed=self._tokens < 1)

    def answered(self, answers: Answers, now: float) -> bool:
        """Take what became of submits. Whether that slowed the link down."""
        slower = self._pace.answered(answers, now)
        if slower:
            self._tokens = 1.0
            self._at = self._pace.resting_until
        return slower

    def ready_at(self, now: float) -> float:
        """When it is worth asking again: `now` if it is already; infinity: after an answer."""
        if not self._pace.most:
            return math.inf
        rate = self.rate
        missing = max(1.0, rate * WORTH_SECONDS) - self._level(now) if rate else 0.0
        wait = missing / rate if missing > _DUST else 0.0
        return max(now + wait, self._pace.resting_until)

    def spare_at(self, now: float) -> float:
        """When it is worth asking again for bulk, as with `ready_at`."""
        if not self._kept:
            return self.ready_at(now)
        missing = max(1.0, self.rate * BULK_WORTH_SECONDS) + self._kept - self._level(now)
        return max(now + missing / self.rate if missing > _DUST else now, self._pace.resting_until)

    @property
    def _kept(self) -> int:
        """The tokens that bulk leaves for an answer: one, where two can be saved up.

        None while the rate is a finding: only what it holds back makes it grow.
        """
        return 1 if not self._pace.found and self._burst >= 2 and self.rate else 0

    @property
    def _burst(self) -> float:
        if self._pace.found:
            return 1.0 + self.rate * LATE_SECONDS
        return max(1.0, self.rate * BURST_SECONDS)

    def _level(self, now: float) -> float:
        return min(self._burst, self._tokens + (now - self._at) * self.rate)

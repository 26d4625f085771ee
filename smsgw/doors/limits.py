"""How often somebody may ask: a bucket of tokens for each. Time is an argument."""

from collections import OrderedDict
from typing import Final

BURST_SECONDS: Final = 2.0  # what may be saved up: a page that asks for ten things at once
MOST: Final = (
    10_000  # buckets that are kept; past it the one that was asked longest ago is forgotten
)


class Bucket:
    """At most `rate` tokens a second; 0: no bound."""

    __slots__ = ("_at", "_rate", "_tokens")

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._tokens = self._most
        self._at = now

    def take(self, now: float) -> float:
        """Take a token, and return 0; or, where there is none, the seconds until there is."""
        if not self._rate:
            return 0.0
        self._tokens = min(self._most, self._tokens + max(now - self._at, 0.0) * self._rate)
        self._at = now
        if self._tokens < 1.0:
            return (1.0 - self._tokens) / self._rate
        self._tokens -= 1.0
        return 0.0

    @property
    def _most(self) -> float:
        return max(1.0, self._rate * BURST_SECONDS)


class Buckets:
    """A bucket for each name, all of one rate unless another is given with the name."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, name: str, now: float, rate: float | None = None) -> float:
        """As `Bucket.take`, of the bucket of `name`."""
        bucket = self._buckets.pop(name, None)
        if bucket is None:
            bucket = Bucket(self._rate if rate is None else rate, now)
        self._buckets[name] = bucket
        if len(self._buckets) > MOST:
            self._buckets.popitem(last=False)
        return bucket.take(now)

"""How much a link may submit at this moment: free places in its windows, and tokens for them.

Bulk, what nobody waits for, never takes the last places and leaves a token where that costs it
nothing: an answer finds both.
"""

from collections.abc import Callable, Sequence
from typing import Final

from smsgw.carrier.throttle import Throttle
from smsgw.carrier.timer import Timer
from smsgw.clock import Clock

SHARE: Final = 10  # of so many places bulk leaves one


def kept(places: int) -> int:
    """How many of so many places bulk leaves free: a tenth, one at least. Of a single place none,
    or bulk would never go."""
    return -(-places // SHARE) if places > 1 else 0


class Room:
    """Knows how much fits, and says so by `ready` when it is more than before.

    `free` gives the free places of each session that can send now; each has `window` in all.
    """

    def __init__(
        self,
        throttle: Throttle,
        clock: Clock,
        window: int,
        free: Callable[[], Sequence[int]],
        ready: Callable[[], None],
    ) -> None:
        self._throttle = throttle
        self._clock = clock
        self._window = window
        self._places = free
        self._ready = ready
        self._wake = Timer(clock, self.look)

    @property
    def free(self) -> int:
        """How many places are free."""
        return sum(self._places())

    def capacity(self) -> int:
        """How many segments may be submitted."""
        free = self.free
        return min(free, self._throttle.available(self._clock.monotonic())) if free else 0

    def spare(self) -> int:
        """How many of these may be bulk."""
        free = self._free_for_bulk
        return min(free, self._throttle.spare(self._clock.monotonic())) if free else 0

    @property
    def _free_for_bulk(self) -> int:
        places = self._places()
        return max(sum(places) - kept(self._window * len(places)), 0)

    def look(self) -> None:
        """Say that there is room, or see to it that it is said when there is."""
        if not self.capacity():
            self.wake_when_tokens_are_there()
            return
        self._ready()
        if self._free_for_bulk and not self.spare():
            self._wake.by(self._throttle.spare_at(self._clock.monotonic()))

    def wake_when_tokens_are_there(self) -> None:
        now = self._clock.monotonic()
        if self._throttle.available(now) < self.free:
            self._wake.by(self._throttle.ready_at(now))

    def stop(self) -> None:
        self._wake.stop()

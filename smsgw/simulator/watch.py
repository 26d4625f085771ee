"""Waiting for something to come about, without looking again and again."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NotSeenError(TimeoutError):
    """What was waited for did not come in time, or can't come any more."""


class Watch:
    """Wakes those who wait for something each time that anything has changed."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def changed(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def until(
        self,
        look: Callable[[], T | None],
        wanted: str,
        seen: Callable[[], str],
        within: float,
    ) -> T:
        """Wait until `look()` gives something, and return that.

        Raises NotSeenError after `within` seconds, which says what was `wanted` and what was
        `seen` instead.
        """
        deadline = asyncio.get_running_loop().time() + within
        while (found := look()) is None:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.add(waiting)
            try:
                async with asyncio.timeout_at(deadline):
                    await waiting
            except TimeoutError:
                raise NotSeenError(f"no {wanted} within {within:g} s; seen: {seen()}") from None
            finally:
                self._waiting.discard(waiting)
        return found

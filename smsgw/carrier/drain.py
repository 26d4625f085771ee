"""Waiting until a connection has nothing outstanding."""

import asyncio


class Drain:
    """Those who wait, each for all messages up to the one that was the last when it asked."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def wait(self, last: int) -> asyncio.Future[None]:
        """Done once `last`, a message's token, and all before it are answered."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((last, waiter))
        return waiter

    def look(self, oldest: float) -> None:
        """Nothing is outstanding but messages from the token `oldest` on; infinity: none is."""
        for last, waiter in self._waiting:
            if oldest > last and not waiter.done():
                waiter.set_result(None)

"""The daemon's task that moves finished messages to the history, and keeps the counts."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from datetime import tzinfo
from pathlib import Path
from typing import Final, NamedTuple

from smsgw import metrics
from smsgw.clock import Clock
from smsgw.service.ports import StorageUnavailableError
from smsgw.service.report import Active, Books
from smsgw.service.today import midnight
from smsgw.storage import counts, history
from smsgw.storage.database import StorageError, one_moment, open_read_only
from smsgw.storage.history import Batch
from smsgw.storage.inbox import DISORDER
from smsgw.storage.sqlite import Database

EVERY: Final = 60.0  # seconds

# How long to rest after a batch, in times that it took: answers have the database most of the time.
# At 10 ms a batch of 40 messages that moves 800 a second, more than come in for long.
REST: Final = 4.0


class Keeping(NamedTuple):
    """For how long messages from customers stay where the rules look for them."""

    timezone: tzinfo  # the daily bounds count from its midnight on
    window: float  # of duplicates, in seconds
    books: Books  # by which they are counted


class Archive:
    """Moves what is finished, once a minute and a batch at a time."""

    def __init__(self, database: Database, clock: Clock, keeping: Keeping) -> None:
        self._database = database
        self._clock = clock
        self._keeping = keeping

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            with suppress(StorageUnavailableError):  # what was not moved is the next time
                await self.move()

    async def move(self) -> None:
        """Move all that is finished now. Raises StorageUnavailableError."""
        now, run = self._clock.now(), self._database.run
        before = min(midnight(now, self._keeping.timezone), now - self._keeping.window) - DISORDER
        books = self._keeping.books
        await _batches("in", lambda after: run(history.move_incoming, after, before, now, books))
        await _batches("out", lambda after: run(history.move_outgoing, after, now, books))
        await self._count(now)

    async def _count(self, now: float) -> None:
        """Count what happened to registrations, and close the months that are over."""
        loop = asyncio.get_running_loop()
        run, books = self._database.run, self._keeping.books
        more = True
        while more:
            began = loop.time()
            more = await run(counts.register, books)
            if more:
                await asyncio.sleep(REST * (loop.time() - began))
        await run(counts.fold, books, now)
        months = await asyncio.to_thread(_unclosed, self._database.data_dir, books, now)
        await run(counts.close, months, books, now)


def _unclosed(data_dir: Path, books: Books, now: float) -> list[Active]:
    """Read by a connection of its own, beside what the daemon does."""
    try:
        con = open_read_only(data_dir)
        if con is None:
            return []
        with closing(con), one_moment(con):
            return list(counts.unclosed(con, books, now))
    except (StorageError, sqlite3.Error) as error:
        raise StorageUnavailableError(str(error)) from error


async def _batches(direction: str, move: Callable[[int], Awaitable[Batch]]) -> None:
    loop = asyncio.get_running_loop()
    after: int | None = 0
    while after is not None:
        began = loop.time()
        batch = await move(after)
        metrics.HISTORY_MOVED.labels(direction).inc(batch.moved)
        after = batch.last
        if after is not None:
            await asyncio.sleep(REST * (loop.time() - began))

"""What every door needs of the daemon: its databases, its rules and its time, within bounds.

Answers to customers go first. What writes is one short transaction in the database's own thread;
what reads has a connection of its own; and what takes more than a little of a processor is done in
a process of its own.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import Concatenate, Final, ParamSpec, TypeVar

from smsgw.clock import Clock
from smsgw.service.ports import StorageUnavailableError
from smsgw.settings.model import Settings
from smsgw.storage import aside
from smsgw.storage.aside import AsideError
from smsgw.storage.database import CacheReader, StorageError, open_read_only
from smsgw.storage.policy import Policy
from smsgw.storage.sqlite import Database

P = ParamSpec("P")
T = TypeVar("T")
Task = TypeVar("Task")

READERS: Final = 2  # that read at once
WAITING: Final = 20  # more that wait for their turn, and as many for a process


class BusyError(Exception):
    """So many wait already that one more would wait for too long: it may come back later."""


class Office:
    """The daemon, as the doors know it."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        policy: Policy,
        clock: Clock,
        queued: Callable[[], None],
    ) -> None:
        """`queued` is to be called after a write that has queued messages."""
        self.settings = settings
        self.policy = policy
        self.clock = clock
        self.queued = queued
        self._database = database
        self._reading = _Turns(READERS)
        self._aside = _Turns(1)

    @property
    def cached(self) -> bool:
        """Whether `write` has a billing cache attached."""
        return self._database.cache_attached

    async def write(
        self,
        function: Callable[Concatenate[sqlite3.Connection, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a use-case, one short transaction, in the database's thread.

        Raises StorageUnavailableError.
        """
        return await self._database.run(function, *args, **kwargs)

    async def read(
        self,
        function: Callable[Concatenate[sqlite3.Connection, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run what only reads on a connection of its own.

        Raises BusyError and StorageUnavailableError.
        """
        return await self._read(False, lambda con, _: function(con, *args, **kwargs))

    async def read_bills(
        self,
        function: Callable[Concatenate[sqlite3.Connection, bool, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The same with the billing cache attached, if there is one: `function` is told whether."""
        return await self._read(True, lambda con, cached: function(con, cached, *args, **kwargs))

    async def _read(self, bills: bool, function: Callable[[sqlite3.Connection, bool], T]) -> T:
        def work() -> T:
            try:
                con = open_read_only(self.settings.data_dir)
                if con is None:
                    raise StorageUnavailableError("there is no database yet")
                with closing(con):
                    cache = CacheReader(con, self.settings.data_dir)
                    if bills:
                        cache.follow()
                    return function(con, cache.attached is not None)
            except (sqlite3.OperationalError, StorageError) as error:
                raise StorageUnavailableError(str(error)) from error

        async with self._reading.turn():
            return await asyncio.to_thread(work)

    async def aside(self, function: Callable[[Task], T], task: Task) -> T:
        """What `function` makes of `task` in a process of its own (see storage.aside).

        Raises BusyError and StorageUnavailableError.
        """
        async with self._aside.turn():
            try:
                return await aside.aside(function, task)
            except AsideError as error:
                raise StorageUnavailableError(str(error)) from error


class _Turns:
    """So many at once, and so many more that wait."""

    def __init__(self, at_once: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        if self._waiting >= WAITING:
            raise BusyError
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()

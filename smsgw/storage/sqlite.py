"""The daemon's database: one connection in aiosqlite's thread, each use-case one hop to it."""

import asyncio
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, Generic, NamedTuple, ParamSpec, Self, TypeVar

import aiosqlite

from smsgw.service.ports import Done, StorageUnavailableError, Work
from smsgw.service.today import Day
from smsgw.storage import exchange, inbox
from smsgw.storage.billing import feeds_taken
from smsgw.storage.database import CacheReader, StorageError, open_gateway, probe
from smsgw.storage.policy import Policy

P = ParamSpec("P")
T = TypeVar("T")


class Look(NamedTuple):
    """What other processes did since the last look."""

    changed: bool  # something was written to gateway.db
    fed: bool  # a billing feed was taken, and is what the attached cache holds now
    cache_error: str  # why a new cache isn't attached; empty if nothing is wrong


class _Job(Generic[T]):
    """A function to run over the connection in its thread. Its result rides in it, for
    aiosqlite wraps what its calls return in a cursor."""

    result: T

    def __init__(self, function: Callable[[sqlite3.Connection], T]) -> None:
        self._function = function

    def run(self, con: sqlite3.Connection) -> None:
        self.result = self._function(con)


class _RunsJobs(sqlite3.Connection):
    """aiosqlite passes what `executemany` is given to this method, in the database's thread:
    so a whole use-case is one hop, by public calls alone."""

    def executemany(self, sql: Any, parameters: Any, /) -> sqlite3.Cursor:
        if isinstance(sql, _Job):
            sql.run(self)
            return self.cursor()
        return super().executemany(sql, parameters)


def _try_out(data_dir: Path) -> None:
    open_gateway(data_dir).close()


class Database:
    """`gateway.db` with the billing cache attached, for the event loop.

    Implements `ports.Messages`. Calls run one after another, in the order they were made.
    """

    def __init__(self, data_dir: Path, policy: Policy) -> None:
        self.data_dir = data_dir
        self._policy = policy
        self._connection: aiosqlite.Connection | None = None
        self._cache: CacheReader | None = None
        self._counted = Day()
        self._seen = -1  # data_version: changes when another process has written
        self._feed: tuple[str | None, int] = (None, 0)  # the cache, and how many feeds it has taken

    async def __aenter__(self) -> Self:
        """Open and migrate. Raises StorageError, which says what is wrong.

        Opened once before aiosqlite does it: what fails in its thread is reported there, too.
        """
        await asyncio.to_thread(_try_out, self.data_dir)
        self._connection = await aiosqlite.Connection(
            partial(open_gateway, self.data_dir, factory=_RunsJobs), iter_chunk_size=64
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def run(
        self,
        function: Callable[Concatenate[sqlite3.Connection, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run a use-case in the database's thread.

        Raises StorageUnavailableError where the database can't be used now. Cancelling the caller
        does not undo what was begun.
        """
        if self._connection is None:
            raise StorageUnavailableError("the database is closed")
        job = _Job(lambda con: function(con, *args, **kwargs))
        call: Any = job
        try:
            await self._connection.executemany(call, ())
        except (sqlite3.OperationalError, StorageError, MemoryError) as error:
            raise StorageUnavailableError(str(error)) from error
        except sqlite3.DatabaseError as error:
            if type(error) is sqlite3.DatabaseError:  # a damaged file; its heirs are our errors
                raise StorageUnavailableError(str(error)) from error
            raise
        return job.result

    async def commit(self, work: Work) -> Done:
        return await self.run(self._commit, work)

    async def probe(self) -> None:
        await self.run(probe)

    async def count_today(self, now: float) -> None:
        """Take up what phones have had on this day, at start."""
        await self.run(inbox.counted_today, self._counted, self._policy.rules.timezone, now)

    async def look(self) -> Look:
        """See what other processes did, and take a new billing cache."""
        return await self.run(self._look)

    @property
    def cache_attached(self) -> bool:
        return self._cache is not None and self._cache.attached is not None

    def _commit(self, con: sqlite3.Connection, work: Work) -> Done:
        return exchange.commit(con, work, self.cache_attached, self._policy, self._counted)

    def _look(self, con: sqlite3.Connection) -> Look:
        if self._cache is None:
            self._cache = CacheReader(con, self.data_dir)
        (version,) = con.execute("PRAGMA main.data_version").fetchone()
        changed, self._seen = version != self._seen, version
        try:
            self._cache.follow()
            feed = self._cache.attached, feeds_taken(con) if self._cache.attached else 0
        except (StorageError, sqlite3.DatabaseError) as error:
            return Look(changed, fed=False, cache_error=str(error))
        fed, self._feed = feed != self._feed, feed
        return Look(changed, fed, cache_error="")

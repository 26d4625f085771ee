"""The daemon in virtual time: what `smsgw.app` puts together, over a real database without a thread
and without HTTP."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, Self, TypeVar
from unittest.mock import patch

from smsgw import app
from smsgw.storage.database import open_gateway
from smsgw.storage.policy import Policy
from smsgw.storage.sqlite import Database

T = TypeVar("T")

LOOK_EVERY: Final = 5.0  # seconds: ten times as long as in the program, as looks cost real time


class InlineDatabase(Database):
    """The daemon's database without its thread: what it does is done at once, after `hop` seconds
    in which more may come in, as while a transaction runs."""

    def __init__(self, hop: float, data_dir: Path, policy: Policy) -> None:
        super().__init__(data_dir, policy)
        self._hop = hop
        self._folder = data_dir
        self._con: sqlite3.Connection | None = None

    async def __aenter__(self) -> Self:
        self._con = open_database(self._folder)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._con is not None:
            self._con.close()
            self._con = None

    async def run(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        await asyncio.sleep(self._hop)
        assert self._con is not None
        return function(self._con, *args, **kwargs)


class BareApp(app.App):
    """The daemon without HTTP, and without the readings for the metrics."""

    async def _serve(self, stack: AsyncExitStack, tasks: asyncio.TaskGroup) -> None:
        pass

    async def _serve_control(self, stack: AsyncExitStack, tasks: asyncio.TaskGroup) -> None:
        pass

    async def _observe(self) -> None:
        pass


def open_database(data_dir: Path) -> sqlite3.Connection:
    """`gateway.db`, without the waiting for a disk or for a lock that real time would take."""
    con = open_gateway(data_dir)
    con.execute("PRAGMA main.synchronous = OFF")
    con.execute("PRAGMA busy_timeout = 0")
    return con


@contextmanager
def composed() -> Iterator[None]:
    """While this lasts, daemons are put together for virtual time."""
    with patch.multiple(app, hold=lambda *_: nullcontext(), LOOK_EVERY=LOOK_EVERY):
        yield

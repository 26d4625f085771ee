"""The daemon in virtual time, and one that can be killed at any instant, as by kill -9."""

import asyncio
import sqlite3
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar
from unittest.mock import patch

from notices.process import Process
from virtual.daemon import BareApp, InlineDatabase
from virtual.loop import VirtualLoop, Wire

from smsgw import app
from smsgw.clock import Clock
from smsgw.service.ports import StorageUnavailableError
from smsgw.settings.model import Settings
from smsgw.storage import notice_worker
from smsgw.storage.notice_worker import Report, Task
from smsgw.storage.policy import Policy

T = TypeVar("T")

HOP: Final = (0.0005, 0.01)  # seconds to the database's thread, and back
STEP: Final = 30  # of SQLite's virtual machine, between two chances to die
STEPS: Final = 60  # such, at most, until a process that is to die amid a transaction does


class Death(StrEnum):
    """How a daemon dies."""

    AT_ONCE = "between two steps of the loop"
    AMID_COMMIT = "amid a transaction"
    AFTER_COMMIT = "after a transaction, before anything follows from it"
    AMID_WRITE = "amid a write"


class Store(InlineDatabase):
    """The daemon's database: what it does is done at once, between two hops."""

    def __init__(self, daemon: "Daemon", data_dir: Path, policy: Policy) -> None:
        super().__init__(0.0, data_dir, policy)
        self._daemon = daemon
        daemon.store = self

    def close(self) -> None:
        """At once, as the system does it when a process dies."""
        if self._con is not None:
            self._con.close()
            self._con = None

    async def run(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        daemon = self._daemon
        await asyncio.sleep(daemon.random.uniform(*HOP))
        if self._con is None:
            raise StorageUnavailableError("the database is closed")
        if daemon.doom is Death.AMID_COMMIT:
            self._die_amid(lambda con: function(con, *args, **kwargs))
            if not daemon.alive:
                return await daemon.never()
        result = function(self._con, *args, **kwargs)
        if daemon.doom is Death.AFTER_COMMIT:
            daemon.kill()
            return await daemon.never()
        await asyncio.sleep(daemon.random.uniform(*HOP))
        return result

    def _die_amid(self, use: Callable[[sqlite3.Connection], object]) -> None:
        """Do a part of it."""
        assert self._con is not None
        left = self._daemon.random.randrange(STEPS)

        def step() -> bool:
            nonlocal left
            left -= 1
            return left < 0

        self._con.set_progress_handler(step, STEP)
        try:
            use(self._con)
        except sqlite3.OperationalError:
            if left >= 0:
                raise
        self._daemon.kill()


class Daemon(BareApp):
    """The daemon that `smsgw.app` puts together, from its start until it is stopped or killed.

    `died` is told when it is killed: nothing of it is left then but what is on disk.
    """

    store: Store

    def __init__(
        self, settings: Settings, clock: Clock, loop: VirtualLoop, died: Callable[[], None]
    ) -> None:
        self.random = loop.random
        self.alive = True
        self.doom: Death | None = None
        self.making: Process[Report] | None = None
        self.started = asyncio.Event()
        self._died = died
        self._loop = loop
        self._leaving = asyncio.Event()
        self._wires: list[Wire] = []
        chance = Random(loop.random.random())
        with patch.multiple(app, Database=partial(Store, self), Random=lambda: chance):
            super().__init__(settings, clock)
        self._daily._make = self._make
        loop.connected = self._connected
        self.life = loop.create_task(self._live())

    async def _live(self) -> None:
        async with self:
            self.started.set()
            await self._leaving.wait()

    async def stop(self) -> None:
        """As on SIGTERM. Raises what the daemon failed with."""
        self._leaving.set()
        await self.life
        self.alive = False

    async def never(self) -> Any:
        """Wait to be forgotten."""
        await self._loop.create_future()

    def doomed(self, death: Death) -> None:
        """Die now, or of the next that happens in this way."""
        self.doom = death
        if death is Death.AT_ONCE:
            self.kill()

    def kill(self, sparing: bytes = b"") -> None:
        """What is in memory is gone, and the system closes the connections.

        What the process still does in its cleaning up reaches nobody.
        """
        if not self.alive:
            return
        self.alive = False
        self.doom = None
        for wire in self._wires:
            # What is being written now leaves before the connection is closed.
            self._loop.call_soon(wire.here.close) if sparing else wire.here.close()
        self.life.cancel()
        self.store.close()
        if self.making is not None:
            self.making.kill()
        self._died()

    def _connected(self, wire: Wire) -> None:
        self._wires = [each for each in self._wires if each.open]
        self._wires.append(wire)
        wire.here.writing = self._writing

    def _writing(self, data: bytes) -> bytes:
        """What leaves of a write: all, or a part if the process dies amid it."""
        if not self.alive:
            return b""
        if self.doom is Death.AMID_WRITE:
            self.kill(sparing=data)
            return data[: self.random.randrange(len(data) + 1)]
        return data

    async def _make(self, task: Task) -> Report:
        """Make a daily run in a process of its own, which ends with this one."""
        self.making = Process(self._loop, partial(notice_worker.make, task))
        report = await self.making.run()
        self.making = None
        return report

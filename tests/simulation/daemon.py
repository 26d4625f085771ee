"""The daemon as the simulation runs it: the real links, exchange and store functions, composed as
`smsgw.app` does it, over a real database without a thread, and killed at any instant."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final, Protocol, TypeVar

from loop import VirtualLoop, Wire
from plan import Fault

from smsgw.carrier.link import Link, SessionIds
from smsgw.clock import Clock
from smsgw.service.duplicates import Recent
from smsgw.service.exchange import Exchange
from smsgw.service.ports import Done, StorageUnavailableError, Work
from smsgw.settings import derive
from smsgw.settings.model import Settings
from smsgw.storage import exchange, inbox, outbox
from smsgw.storage.database import open_gateway, probe
from smsgw.storage.inbox import Policy
from smsgw.storage.keys import keyed

T = TypeVar("T")

HOP: Final = (0.0001, 0.01)  # seconds to the database's thread, and back
DRAIN: Final = 5.0  # as in smsgw.app
TIDY_EVERY: Final = 3600.0
STEP: Final = 50  # of SQLite's virtual machine, between two chances to die

# What the judge sees of the database: states as they are committed, transaction by transaction.
TAPS: Final = (
    "PRAGMA temp_store = MEMORY",
    "CREATE TEMP TABLE tap (mt INTEGER, part INTEGER, state TEXT)",
    "CREATE TEMP TABLE tap_mo (carrier TEXT, msisdn TEXT, octets BLOB)",
    "CREATE TEMP TRIGGER tap_new AFTER INSERT ON main.segment"
    " BEGIN INSERT INTO tap VALUES (NEW.mt_id, NEW.part, NEW.state); END",
    "CREATE TEMP TRIGGER tap_turn AFTER UPDATE OF state ON main.segment"
    " BEGIN INSERT INTO tap VALUES (NEW.mt_id, NEW.part, NEW.state); END",
    "CREATE TEMP TRIGGER tap_mo AFTER INSERT ON main.mo"
    " BEGIN INSERT INTO tap_mo VALUES (NEW.carrier, NEW.msisdn, NEW.octets); END",
)


class Overseer(Protocol):
    """Who writes down what a daemon does, and knows what is wrong with its storage."""

    doom: Fault | None  # how the daemon is to die next

    def log(self, who: str, what: str) -> None: ...

    def violation(self, what: str) -> None: ...

    def died(self) -> None: ...

    def turned(self, mt: int, part: int, state: str, began: float) -> None:
        """A segment's state is on disk; its transaction was put together at `began`."""

    def stored(self, carrier: str, msisdn: str, octets: bytes) -> None:
        """A row of `mo` is on disk."""

    def storage_stall(self) -> float:
        """Seconds that the next transaction takes."""

    def storage_full(self) -> bool: ...


class Store:
    """`smsgw.storage.sqlite.Database`, but for the thread."""

    def __init__(self, daemon: "Daemon", policy: Policy) -> None:
        self._daemon = daemon
        self._policy = policy

    async def commit(self, work: Work) -> Done:
        return await self.run(work.now, exchange.commit, work, False, self._policy)

    async def probe(self) -> None:
        await self.run(None, probe)

    async def run(self, began: float | None, function: Callable[..., T], *args: Any) -> T:
        daemon, overseer = self._daemon, self._daemon.overseer
        now = daemon.clock.now() if began is None else began
        await asyncio.sleep(daemon.random.uniform(*HOP) + overseer.storage_stall())
        if overseer.doom is Fault.KILL_BEFORE_COMMIT:
            await daemon.die()
        try:
            result = daemon.use(function, *args)
        except (sqlite3.OperationalError, MemoryError) as error:
            if daemon.dying:
                await daemon.die()
            raise StorageUnavailableError(str(error)) from error
        daemon.collect(now)
        if overseer.doom is Fault.KILL_AFTER_COMMIT:
            await daemon.die()
        await asyncio.sleep(daemon.random.uniform(*HOP))
        return result


class Daemon:
    """One process: from its start until it is stopped or killed."""

    def __init__(
        self, number: int, settings: Settings, clock: Clock, loop: VirtualLoop, overseer: Overseer
    ) -> None:
        self.number = number
        self.clock = clock
        self.overseer = overseer
        self.random: Random = loop.random
        self.alive = True
        self.dying = False
        self._settings = settings
        self._loop = loop
        self._wires: list[Wire] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._policy = Policy(
            derive.rules(settings),
            derive.encodings(settings),
            keyed(settings.data_dir, derive.secret(settings)),
            derive.sent_once_more(settings),
        )
        self._con = open_database(Path(settings.data_dir))
        for statement in TAPS:
            self._con.execute(statement)
        self._store = Store(self, self._policy)
        self._recent = Recent(
            settings.duplicates.window,
            {one.id: one.response_timeout for one in settings.carriers.values()},
            settings.duplicates.limit,
        )
        self.exchange = Exchange(self._store, self._recent, self.clock, self._policy.sent_once_more)
        ids = SessionIds()
        self._links = [
            Link(
                one,
                settings.shortcode,
                self.exchange,
                self.clock,
                ids=ids,
                random=Random(loop.random.random()),
                inbound_window=one.inbound_window,
            )
            for one in settings.carriers.values()
        ]

    # -- the composition, as in smsgw.app ----------------------------------------------------

    async def start(self) -> None:
        now = self.clock.now()
        recovered = await self._store.run(None, outbox.recover, now, self._policy.sent_once_more)
        stored, ended = await self._store.run(
            None,
            inbox.remembered,
            now - self._settings.duplicates.window,
            self._settings.duplicates.limit,
        )
        self._recent.restore(stored, ended)
        self.overseer.log("daemon", f"{self.number} recovered {sorted(recovered.items())}")
        self._task(self.exchange.run())
        self._task(self._keep_tidy())
        for link in self._links:
            self.exchange.add(link)
            self._task(link.run())

    async def stop(self) -> None:
        """As on SIGTERM."""
        await asyncio.gather(*(link.stop(DRAIN) for link in self._links))
        self.exchange.drain()
        await asyncio.wait(self._tasks[:1], timeout=1.0)
        await self._end()

    async def _keep_tidy(self) -> None:
        while True:
            await asyncio.sleep(TIDY_EVERY)
            await self.tidy()

    async def tidy(self) -> None:
        await self._store.run(None, outbox.tidy, self.clock.now())

    def _task(self, coroutine: Any) -> None:
        task = self._loop.create_task(coroutine)
        task.add_done_callback(self._done)
        self._tasks.append(task)

    def _done(self, task: asyncio.Task[None]) -> None:
        if self.alive and not task.cancelled() and (error := task.exception()) is not None:
            self.overseer.violation(f"the daemon failed: {error!r}")

    # -- its connections and its end -------------------------------------------------------

    def connected(self, wire: Wire) -> None:
        self._wires = [each for each in self._wires if each.open]
        self._wires.append(wire)
        wire.here.writing = self._writing

    def _writing(self, data: bytes) -> bytes:
        """What leaves of a write: all, or a part if the process dies amid it."""
        if not self.alive:
            return b""
        if self.overseer.doom is Fault.KILL_AMID_WRITE:
            self.kill(sparing=data)
            return data[: self.random.randrange(len(data) + 1)]
        return data

    def kill(self, sparing: bytes = b"") -> None:
        """As by kill -9: what is in memory is gone, and the system closes the connections.

        What the process still does in this world's turn, and in its cleaning up, reaches nobody.
        """
        if not self.alive:
            return
        self.alive = False
        self.overseer.log("daemon", f"{self.number} is killed")
        for wire in self._wires:
            # What is being written now leaves before the connection is closed.
            self._loop.call_soon(wire.here.close) if sparing else wire.here.close()
        for task in self._tasks:
            task.cancel()
        self._con.close()
        self.overseer.died()

    async def die(self) -> None:
        """Be killed here: the caller never goes on."""
        self.kill()
        await self._loop.create_future()

    async def _end(self) -> None:
        self.alive = False
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        self._con.close()
        self.overseer.log("daemon", f"{self.number} is stopped")

    # -- its database ----------------------------------------------------------------------

    def use(self, function: Callable[..., T], *args: Any) -> T:
        """Run a store function. Raises sqlite3.Error, also where the process dies amid it."""
        con, overseer = self._con, self.overseer
        if not self.alive:
            raise sqlite3.OperationalError("the process is dead")
        (pages,) = con.execute("PRAGMA main.page_count").fetchone()
        con.execute(f"PRAGMA main.max_page_count = {pages if overseer.storage_full() else 1 << 30}")
        if overseer.doom is not Fault.KILL_AMID_COMMIT:
            return function(con, *args)
        left = self.random.randrange(60)

        def step() -> bool:
            nonlocal left
            left -= 1
            self.dying = left < 0
            return self.dying

        con.set_progress_handler(step, STEP)
        try:
            return function(con, *args)
        finally:
            con.set_progress_handler(None, 0)

    def collect(self, began: float) -> None:
        """Tell the overseer what was committed."""
        if not self.alive:
            return
        for table, tell in (("tap", self._turned), ("tap_mo", self._stored)):
            rows = self._con.execute(f"SELECT * FROM temp.{table} ORDER BY rowid").fetchall()
            if rows:
                self._con.execute(f"DELETE FROM temp.{table}")
            for row in rows:
                tell(row, began)

    def _turned(self, row: tuple[int, int, str], began: float) -> None:
        self.overseer.turned(*row, began)

    def _stored(self, row: tuple[str, str, bytes], began: float) -> None:
        self.overseer.stored(*row)


def open_database(data_dir: Path) -> sqlite3.Connection:
    """`gateway.db`, without the waiting for a disk or for a lock that real time would take."""
    con = open_gateway(data_dir)
    con.execute("PRAGMA main.synchronous = OFF")
    con.execute("PRAGMA busy_timeout = 0")
    return con

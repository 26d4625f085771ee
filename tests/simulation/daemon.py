"""The daemon as the simulation runs it: the real links, exchange and store functions, composed as
`smsgw.app` does it, over a real database without a thread, and killed at any instant."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final, Protocol, Self, TypeVar
from unittest.mock import patch

from plan import Fault
from virtual.daemon import BareApp, open_database
from virtual.loop import VirtualLoop, Wire

from smsgw import app
from smsgw.clock import Clock
from smsgw.service.ports import Done, StorageUnavailableError, Work
from smsgw.settings.model import Settings
from smsgw.storage.database import StorageError
from smsgw.storage.policy import Policy
from smsgw.storage.sqlite import Database
from smsgw.storage.tidying import Tidying

T = TypeVar("T")

HOP: Final = (0.0001, 0.01)  # seconds to the database's thread, and back
STEP: Final = 50  # of SQLite's virtual machine, between two chances to die

# What the judge sees of the database: states as they are committed, transaction by transaction.
TAPS: Final = (
    "PRAGMA temp_store = MEMORY",
    "CREATE TEMP TABLE tap (mt INTEGER, part INTEGER, state TEXT, carrier TEXT, msisdn TEXT,"
    " octets BLOB)",
    "CREATE TEMP TRIGGER tap_new AFTER INSERT ON main.segment"
    " BEGIN INSERT INTO tap (mt, part, state) VALUES (NEW.mt_id, NEW.part, NEW.state); END",
    "CREATE TEMP TRIGGER tap_turn AFTER UPDATE OF state ON main.segment"
    " BEGIN INSERT INTO tap (mt, part, state) VALUES (NEW.mt_id, NEW.part, NEW.state); END",
    "CREATE TEMP TRIGGER tap_mo AFTER INSERT ON main.mo BEGIN"
    " INSERT INTO tap (carrier, msisdn, octets) VALUES (NEW.carrier, NEW.msisdn, NEW.octets); END",
)


# And what is moved to the history: the rows as they were last.
GONE: Final = ("mo", "mt", "segment")


class Overseer(Protocol):
    """Who writes down what a daemon does, and knows what is wrong with its storage."""

    doom: Fault | None  # how the daemon is to die next

    def log(self, who: str, what: str) -> None: ...

    def violation(self, what: str) -> None: ...

    def died(self) -> None: ...

    def turned(self, mt: int, part: int, state: str, began: float) -> None:
        """A segment's state is on disk; its transaction was put together at `began`."""

    def committed(self, daemon: int, began: float) -> None:
        """A transaction of the exchange's is on disk that was put together at `began`."""

    def stored(self, carrier: str, msisdn: str, octets: bytes) -> None:
        """A row of `mo` is on disk."""

    def gone(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        """These rows have left a table."""

    def storage_stall(self) -> float:
        """Seconds that the next transaction takes."""

    def storage_full(self) -> bool: ...


class Store(Database):
    """The daemon's database without its thread: what it does is done at once, between two hops."""

    def __init__(self, daemon: "Daemon", data_dir: Path, policy: Policy) -> None:
        super().__init__(data_dir, policy)
        daemon.store = self
        self._daemon = daemon
        self._folder = data_dir
        self._con: sqlite3.Connection | None = None
        self._full = False

    async def __aenter__(self) -> Self:
        self._con = open_database(self._folder)
        for statement in (*TAPS, *_gone_taps(self._con)):
            self._con.execute(statement)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """At once, as the system does it when a process dies."""
        if self._con is not None:
            self._con.close()
            self._con = None

    async def commit(self, work: Work) -> Done:
        done = await super().commit(work)
        self._daemon.overseer.committed(self._daemon.number, work.now)
        return done

    async def run(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        daemon, overseer = self._daemon, self._daemon.overseer
        began = daemon.clock.now()
        await asyncio.sleep(daemon.random.uniform(*HOP) + overseer.storage_stall())
        if overseer.doom is Fault.KILL_BEFORE_COMMIT:
            await daemon.die()
        try:
            result = self._use(lambda con: function(con, *args, **kwargs))
        except (sqlite3.OperationalError, MemoryError) as error:
            if not daemon.dying:
                raise StorageUnavailableError(str(error)) from error
        if daemon.dying:
            await daemon.die()
        self._collect(began)
        if overseer.doom is Fault.KILL_AFTER_COMMIT:
            await daemon.die()
        await asyncio.sleep(daemon.random.uniform(*HOP))
        return result

    def _use(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a store function. Raises sqlite3.Error, also where the process dies amid it."""
        daemon, overseer, con = self._daemon, self._daemon.overseer, self._con
        if con is None:
            raise sqlite3.OperationalError("the database is closed")
        if (full := overseer.storage_full()) is not self._full:
            self._full = full
            (pages,) = con.execute("PRAGMA main.page_count").fetchone()
            con.execute(f"PRAGMA main.max_page_count = {pages if full else 1 << 30}")
        if overseer.doom is not Fault.KILL_AMID_COMMIT:
            return function(con)
        left = daemon.random.randrange(60)

        def step() -> bool:
            nonlocal left
            left -= 1
            daemon.dying = left < 0
            return daemon.dying

        con.set_progress_handler(step, STEP)
        try:
            return function(con)
        finally:
            con.set_progress_handler(None, 0)

    def _collect(self, began: float) -> None:
        """Tell the overseer what was committed."""
        assert self._con is not None
        overseer = self._daemon.overseer
        rows = self._con.execute("SELECT * FROM temp.tap ORDER BY rowid").fetchall()
        moved = set()
        for mt, part, state, carrier, msisdn, octets in rows:
            if state in GONE:
                moved.add(state)
            elif state is None:
                overseer.stored(carrier, msisdn, octets)
            else:
                overseer.turned(mt, part, state, began)
        if rows:
            self._con.execute("DELETE FROM temp.tap")
        for table in sorted(moved):
            overseer.gone(table, self._con.execute(f"SELECT * FROM temp.gone_{table}").fetchall())
            self._con.execute(f"DELETE FROM temp.gone_{table}")


class Daemon(BareApp):
    """The daemon that `smsgw.app` puts together, from its start until it is stopped or killed.

    What is replaced: the database's thread, HTTP, the lock on data_dir, and its chance.
    """

    store: Store

    def __init__(
        self, number: int, settings: Settings, clock: Clock, loop: VirtualLoop, overseer: Overseer
    ) -> None:
        self.number = number
        self.clock = clock
        self.overseer = overseer
        self.random = loop.random
        self.alive = True
        self.dying = False
        self.started = asyncio.Event()
        self._loop = loop
        self._leaving = asyncio.Event()
        self._wires: list[Wire] = []
        chance = Random(loop.random.random())
        with patch.multiple(app, Database=partial(Store, self), Random=lambda: chance):
            super().__init__(settings, clock)
        self.life = loop.create_task(self._live())
        self.life.add_done_callback(self._ended)

    async def _live(self) -> None:
        async with self:
            self.started.set()
            await self._leaving.wait()

    def _ended(self, life: asyncio.Task[None]) -> None:
        if life.cancelled() or (error := life.exception()) is None:
            return
        if self.alive and not isinstance(error, StorageError):
            self.overseer.violation(f"the daemon failed: {error!r}")

    async def stop(self) -> None:
        """As on SIGTERM."""
        self._leaving.set()
        await asyncio.wait({self.life})
        self.alive = False
        self.overseer.log("daemon", f"{self.number} is stopped")

    async def tidy(self) -> None:
        await Tidying(self._database, self.clock).tidy()

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
        self.life.cancel()
        self.store.close()
        self.overseer.died()

    async def die(self) -> None:
        """Be killed here: the caller never goes on."""
        self.kill()
        await self._loop.create_future()


def _gone_taps(con: sqlite3.Connection) -> Iterator[str]:
    for table in GONE:
        columns = [name for _, name, *_ in con.execute(f"PRAGMA main.table_info({table})")]
        yield f"CREATE TEMP TABLE gone_{table} AS SELECT * FROM main.{table} WHERE 0"
        old = ", ".join(f"OLD.{name}" for name in columns)
        yield (
            f"CREATE TEMP TRIGGER tap_gone_{table} AFTER DELETE ON main.{table} BEGIN"
            f" INSERT INTO gone_{table} VALUES ({old});"
            f" INSERT INTO tap (state) VALUES ('{table}'); END"
        )

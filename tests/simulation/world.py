"""One seed, played: daemons come and go, carriers and storage fail, time passes."""

import asyncio
import sqlite3
from collections import Counter
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any, Final

import plan
import structlog
from daemon import Daemon
from judge import Judge
from plan import HOUR, Customer, Episode, Fault, MoPart, Other, Restart
from smsc import Smsc
from structlog.typing import EventDict
from virtual.daemon import composed, open_database
from virtual.loop import Bounds, StuckError, VirtualLoop, Wire

from smsgw.service.message import Msisdn, Mt
from smsgw.settings import derive
from smsgw.settings.model import Settings
from smsgw.storage.database import transaction
from smsgw.storage.messages import enqueue

EPOCH: Final = 1_800_000_000.0
SETTLING: Final = 2400.0  # after the hour: waits for receipts of 15 min, retries of 5 min
VALIDITY: Final = 4 * 86_400.0  # seconds after which no message is worth sending
MOST_STARTS: Final = 200
# One hour takes some 50,000 turns of the loop.
BOUNDS: Final = Bounds(turns=200_000, seconds=30 * 86_400.0)
FIRES_WITHIN: Final = 20.0  # seconds in which a doomed daemon meets its end, whatever it does
# Errors that may be logged.
PASSABLE: Final = frozenset({"storage.unavailable", "link.settings_alarm", "link.tlvs_refused"})


class LoopClock:
    def __init__(self, loop: VirtualLoop) -> None:
        self.monotonic = loop.time

    def now(self) -> float:
        return EPOCH + self.monotonic()


class World:
    """Everything that there is in one run."""

    def __init__(self, seed: int, folder: Path) -> None:
        random = Random(seed)
        self.seed = seed
        self.plan = plan.make(random, str(folder))
        self.settings = Settings.model_validate(self.plan.settings)
        self.loop = VirtualLoop(random, BOUNDS)
        self.clock = LoopClock(self.loop)
        self.judge = Judge(self.plan, self.settings, self.log)
        self.smscs = [Smsc(carrier, self.loop, self) for carrier in self.plan.carriers]
        self.faults: Counter[Fault] = Counter()
        self.lines: list[str] = []
        self.doom: Fault | None = None
        self._folder = folder
        self._daemon: Daemon | None = None
        self._dead = asyncio.Event()
        self._troubles: dict[Fault, float] = {}
        self._lock: sqlite3.Connection | None = None
        self._command: sqlite3.Connection | None = None
        for smsc in self.smscs:
            self.loop.hosts[smsc.carrier.id, 2775] = smsc
        self.loop.connected = self._connected
        self.loop.set_exception_handler(self._failed)

    def run(self) -> None:
        """Play it, and judge."""
        structlog.configure(
            processors=[self._logged],
            wrapper_class=structlog.make_filtering_bound_logger(20),
            cache_logger_on_first_use=False,
        )
        with composed(), asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self._play())

    @property
    def digest(self) -> str:
        return blake2b("\n".join(self.lines).encode(), digest_size=8).hexdigest()

    def _connected(self, wire: Wire) -> None:
        assert self._daemon is not None
        self._daemon.connected(wire)

    # -- the play --------------------------------------------------------------------------

    async def _play(self) -> None:
        for customer in self.plan.customers:
            self._at(customer.at, self._write, customer)
        for at, batch in self.plan.others:
            self._at(at, self._enqueue, batch)
        for episode in self.plan.episodes:
            self._at(episode.at, self._begin, episode)
        await self._start()
        for restart in self.plan.restarts:
            await self._until(restart.at)
            await self._restart(restart)
        await self._until(HOUR)
        self._settle()
        await asyncio.sleep(SETTLING)
        assert self._daemon is not None
        await self._daemon.stop()
        with open_database(self._folder) as con:
            self.judge.settled(con, self.smscs)
        con.close()
        await self._outlast()

    async def _outlast(self) -> None:
        """See what becomes of the rest when nothing is worth sending any more."""
        await asyncio.sleep(VALIDITY)
        await self._start()
        assert self._daemon is not None
        await asyncio.sleep(60)
        await self._daemon.tidy()
        await self._daemon.stop()
        with open_database(self._folder) as con:
            self.judge.ended(con, self.smscs)
        con.close()

    def _at(self, at: float, call: Any, *args: Any) -> None:
        self.loop.call_at(at, call, *args)

    async def _until(self, at: float) -> None:
        await asyncio.sleep(max(at - self.loop.time(), 0.0))

    async def _start(self) -> None:
        """Start the daemon, again and again if it dies of it."""
        while True:
            self._dead.clear()
            number = 1 if self._daemon is None else self._daemon.number + 1
            self.log("daemon", f"{number} starts")
            self._daemon = Daemon(number, self.settings, self.clock, self.loop, self)
            started = asyncio.ensure_future(self._daemon.started.wait())
            await asyncio.wait({started, self._daemon.life}, return_when=asyncio.FIRST_COMPLETED)
            if started.done():
                return
            started.cancel()
            if self._daemon.number > MOST_STARTS:
                raise StuckError("the daemon doesn't start")
            self._daemon.kill()  # as one that can't use its database ends by itself
            await asyncio.sleep(1.0)

    async def _restart(self, restart: Restart) -> None:
        assert self._daemon is not None
        self.faults[restart.how] += 1
        if restart.how is Fault.RESTART:
            await self._daemon.stop()
        else:
            if restart.how is not Fault.KILL:
                self.doom = restart.how
                try:
                    async with asyncio.timeout(FIRES_WITHIN):
                        await self._dead.wait()
                except TimeoutError:
                    self.faults[restart.how] -= 1
                    self.faults[Fault.KILL] += 1
            self._daemon.kill()
        await asyncio.sleep(restart.down)
        if self.loop.random.random() < 0.2 and restart.how in plan.KILLS:
            self.doom = self.loop.random.choice(plan.KILLS[1:4])  # and once more, as it starts
        await self._start()

    def _settle(self) -> None:
        """The hour is over: nothing goes wrong any more."""
        self.log("world", "behaves from now on")
        self.doom = None
        self._unlock()
        if self._command is not None:
            self._command.close()
            self._command = None
        self._troubles.clear()
        for smsc in self.smscs:
            smsc.settle()

    # -- what customers and commands do ----------------------------------------------------

    def _write(self, customer: Customer) -> None:
        smsc = next(each for each in self.smscs if each.carrier.id == customer.parts[0][1].carrier)
        for fault in customer.faults:
            self.faults[fault] += 1
        for delay, part in customer.parts:
            self.loop.call_later(delay, smsc.deliver, part)

    def _enqueue(self, batch: list[Other]) -> None:
        """As commands do it: with a connection of their own."""
        now = self.clock.now()
        messages = [Mt(one.carrier, one.kind, Msisdn(one.phone), one.text, now) for one in batch]
        if self._command is None:
            self._command = open_database(self._folder)
        try:
            with transaction(self._command):
                enqueue(self._command, messages, derive.encodings(self.settings), now)
        except sqlite3.OperationalError:
            self.loop.call_later(1.0, self._enqueue, batch)
            return
        self.log("command", f"queues {len(batch)} for {batch[0].carrier}")

    # -- what goes wrong -------------------------------------------------------------------

    def _begin(self, episode: Episode) -> None:
        if episode.carrier:
            smsc = next(each for each in self.smscs if each.carrier.id == episode.carrier)
            smsc.trouble(episode.fault, episode.seconds)
            return
        self.log("storage", f"{episode.fault} for {episode.seconds:.0f} s")
        self._troubles[episode.fault] = self.loop.time() + episode.seconds
        if episode.fault is Fault.STORAGE_LOCKED and self._lock is None:
            self._lock = open_database(self._folder)
            self._lock.execute("BEGIN IMMEDIATE")
            self.faults[Fault.STORAGE_LOCKED] += 1
            self.loop.call_later(episode.seconds, self._unlock)

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _suffers(self, fault: Fault) -> bool:
        return self._troubles.get(fault, 0.0) > self.loop.time()

    def fill_storage(self, seconds: float) -> None:
        until = max(self._troubles.get(Fault.STORAGE_FULL, 0.0), self.loop.time() + seconds)
        self._troubles[Fault.STORAGE_FULL] = until

    def storage_full(self) -> bool:
        full = self._suffers(Fault.STORAGE_FULL)
        self.faults[Fault.STORAGE_FULL] += full
        return full

    def storage_stall(self) -> float:
        if not self._suffers(Fault.STORAGE_STALLED):
            return 0.0
        self.faults[Fault.STORAGE_STALLED] += 1
        return self._troubles[Fault.STORAGE_STALLED] - self.loop.time()

    # -- what is written down --------------------------------------------------------------

    def log(self, who: str, what: str) -> None:
        self.lines.append(f"{self.loop.time():11.4f} {who}: {what}")

    def fault(self, fault: Fault) -> None:
        self.faults[fault] += 1

    def violation(self, what: str) -> None:
        self.judge.violation(what)

    def process(self) -> int | None:
        daemon = self._daemon
        return daemon.number if daemon is not None and daemon.alive else None

    def died(self) -> None:
        self.doom = None
        self._dead.set()

    def turned(self, mt: int, part: int, state: str, began: float) -> None:
        self.judge.turned(mt, part, state, began - EPOCH, self.loop.time())

    def committed(self, daemon: int, began: float) -> None:
        self.judge.committed(daemon, began - EPOCH)

    def stored(self, carrier: str, msisdn: str, octets: bytes) -> None:
        self.judge.stored(carrier, msisdn, octets, self.loop.time())

    def gone(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        self.judge.gone[table] += rows

    def acknowledged(self, part: MoPart, acknowledged_at: float) -> None:
        self.judge.acknowledged(part, acknowledged_at)

    def _logged(self, logger: object, level: str, event: EventDict) -> EventDict:
        name = event.pop("event")
        error = event.pop("exc_info", None)
        said = " ".join(f"{key}={value}" for key, value in event.items() if key != "data_dir")
        self.log("says", f"{level} {name} {said}")
        alive = self._daemon is not None and self._daemon.alive
        if alive and (error or (level == "error" and name not in PASSABLE)):
            self.violation(f"logged {level} {name} {said} {error or ''}")
        raise structlog.DropEvent

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.violation(f"{context['message']}: {context.get('exception')!r}")

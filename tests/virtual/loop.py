"""An event loop whose time is virtual and whose connections are in memory.

Nothing waits: when all is done that is due, time jumps to the next timer. What one end of a
connection writes the other reads later, in order, cut anywhere, unless the connection is cut or
falls silent on the way. All delays come from the loop's own chance, so a seed plays the same twice.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any, Final, NamedTuple, Protocol, TypeVar

T = TypeVar("T")

LATENCY: Final = (0.002, 0.08)  # seconds one way
IN_PIECES: Final = 0.1  # of all writes are read in two pieces
TICK: Final = 1e-6  # between two things that must not change places
# Seconds by which a timer may be early. What is added to the time must not vanish in it, or a timer
# that is due at this very moment never is: up to 2**29 s, 17 years, floats are 1.2e-7 / 2 apart.
RESOLUTION: Final = 1e-7


class StuckError(Exception):
    """The run does not come to its end."""


class Host(Protocol):
    """Who listens at an address."""

    async def accept(self) -> asyncio.Protocol:
        """The protocol for a new connection. Raises OSError; may wait for ever."""


class Bounds(NamedTuple):
    """What a run may take."""

    turns: int  # of the loop
    seconds: float  # virtual ones


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs to its end as fast as it can; StuckError if that takes more than its bounds."""

    def __init__(self, random: Random, bounds: Bounds) -> None:
        super().__init__()
        self.random = random
        self.bounds = bounds
        self.hosts: dict[tuple[str, int], Host] = {}
        self.connected: Callable[[Wire], None] = lambda wire: None  # told of each new connection
        self.turns = 0
        self._now = 0.0
        self._clock_resolution = RESOLUTION
        self._selector = self

    def time(self) -> float:
        return self._now

    def latency(self) -> float:
        return self.random.uniform(*LATENCY)

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        **options: Any,
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        await asyncio.sleep(self.latency())
        theirs = await self.hosts[host, port].accept()
        ours = protocol_factory()
        wire = Wire(self, ours, theirs)
        self.connected(wire)
        theirs.connection_made(wire.there)
        ours.connection_made(wire.here)
        return wire.here, ours

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """At once: a thread would take real time, of which nothing here knows."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    # What BaseEventLoop asks of a selector and of its heirs.

    def select(self, timeout: float | None) -> tuple[()]:
        self.turns += 1
        if timeout is None:
            raise StuckError("nothing will ever happen again")
        self._now += timeout
        if self.turns > self.bounds.turns or self._now > self.bounds.seconds:
            raise StuckError(f"no end after {self.turns} turns and {self._now:.0f} s")
        return ()

    def _process_events(self, events: object) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


class Wire:
    """A connection between us, who dialled, and a host."""

    def __init__(self, loop: VirtualLoop, ours: asyncio.Protocol, theirs: asyncio.Protocol) -> None:
        self.silent = False
        self.here = End(self, loop, ours)
        self.there = End(self, loop, theirs)
        self.here.other, self.there.other = self.there, self.here

    @property
    def open(self) -> bool:
        return not (self.here.is_closing() or self.there.is_closing())

    def cut(self) -> None:
        """Something between resets it: what is under way is lost, and both ends are told."""
        for end in (self.here, self.there):
            end.cut()

    def fall_silent(self) -> None:
        """Something between forgets it: what is written vanishes, and nobody is told."""
        self.silent = True


class End(asyncio.Transport):
    """One end of a connection."""

    other: "End"

    def __init__(self, wire: Wire, loop: VirtualLoop, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.sent_at = 0.0  # when what is being read left the other end
        self.writing: Callable[[bytes], bytes] = lambda data: data  # what of it really leaves
        self.wire = wire
        self._loop = loop
        self._protocol = protocol
        self._closing = False  # writes nothing any more
        self._deaf = False  # reads nothing any more
        self._due = 0.0  # when the last that was written arrives
        self._lives = 0  # what was written for an earlier one is lost
        self._reading = True
        self._held: deque[Callable[[], None]] = deque()  # what came while nothing is read

    # -- what protocols ask ----------------------------------------------------------------

    def write(self, data: Any) -> None:
        self.send(bytes(data))

    def send(self, data: bytes, arrived: Callable[[], None] | None = None) -> None:
        """Write; `arrived` is called when the other end has read it all."""
        if self._closing:
            return
        data = self.writing(data)
        chance = self._loop.random
        if len(data) > 1 and chance.random() < IN_PIECES:
            at = chance.randrange(1, len(data))
            self._carry(data[:at], None)
            data = data[at:]
        if data:
            self._carry(data, arrived)

    def close(self) -> None:
        """What was written still arrives."""
        if not self._closing:
            self._part(None)

    def abort(self) -> None:
        """What was written may not arrive."""
        if not self._deaf:
            self.other._lives += 1
            self._closing = True
            self._part(ConnectionResetError("connection reset by peer"))

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._loop.call_soon(self._release)

    def get_write_buffer_size(self) -> int:
        return 0

    # -- what happens on the way -----------------------------------------------------------

    def cut(self) -> None:
        if not self._deaf:
            self._lives += 1
            self.writing = lambda data: b""
            reset = ConnectionResetError("connection reset by peer")
            self._loop.call_later(self._loop.latency(), self._hang_up, reset, self._lives)

    def _carry(self, data: bytes, arrived: Callable[[], None] | None) -> None:
        now = self._loop.time()
        other = self.other
        self._loop.call_at(self._next(), other._arrive, data, now, other._lives, arrived)

    def _next(self) -> float:
        self._due = max(self._due + TICK, self._loop.time() + self._loop.latency())
        return self._due

    def _part(self, why: Exception | None) -> None:
        self._closing = self._deaf = True
        self._held.clear()
        self._loop.call_soon(self._protocol.connection_lost, None)
        if not self.wire.silent:
            self._loop.call_at(self._next(), self.other._hang_up, why, self.other._lives)

    def _arrive(
        self, data: bytes, sent_at: float, life: int, arrived: Callable[[], None] | None
    ) -> None:
        if self._deaf or life != self._lives or self.wire.silent:
            return
        if not self._reading or self._held:
            self._held.append(lambda: self._read(data, sent_at, arrived))
        else:
            self._read(data, sent_at, arrived)

    def _read(self, data: bytes, sent_at: float, arrived: Callable[[], None] | None) -> None:
        self.sent_at = sent_at
        self._protocol.data_received(data)
        if arrived is not None:
            arrived()

    def _hang_up(self, why: Exception | None, life: int) -> None:
        if self._deaf or life != self._lives or (self.wire.silent and why is None):
            return
        if self._held:
            self._held.append(lambda: self._hang_up(why, life))
            return
        self._closing = self._deaf = True
        self._protocol.connection_lost(why)

    def _release(self) -> None:
        while self._held and self._reading and not self._deaf:
            self._held.popleft()()

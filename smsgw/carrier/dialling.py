"""How a link's sessions come to be by dialling the carrier.

A post is a place where a session is held, or a pair of a receiver and a transmitter; `sessions`
says how many there are. Each has a task that dials, binds, waits for the end and begins again,
for ever and at a decent pace. The posts of a carrier bind one after the other.

Every search for a session begins with the first host. A host that can't be reached or is busy
sends on to the next at once; any other refusal is the carrier's word, whichever host says it.
While a post stands at a later host the first is tried every `BACK_SECONDS`; what is held is given
up only when the new is bound.

Of a pair whose one half ends the other is kept, as what it does need not stop, and the lost half
is bound again at the same host. When that can't be reached and there are others, or when the
other half ends too, the pair begins anew. An SMSC that answers bind_transceiver with generic_nack
0x03 knows none (SMPP 3.3) and is bound to by a pair; the next search asks again.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from smsgw.carrier import tls
from smsgw.carrier.backoff import REFUSED, Backoff, Trouble
from smsgw.carrier.connection import Connection
from smsgw.carrier.translate import refusal
from smsgw.carrier.ways import Failure, Holder
from smsgw.carrier.wording import said
from smsgw.clock import Clock
from smsgw.service.ports import LinkStatus
from smsgw.settings.carrier import CarrierSettings
from smsgw.settings.types import Address
from smsgw.smpp.session import Role
from smsgw.smpp.status import bind_reaction
from smsgw.smpp.tables import Command

CONNECT_SECONDS: Final = 10.0
STEADY_SECONDS: Final = 60.0  # what was held so long is no part of a flapping
BACK_SECONDS: Final = 600.0  # between two tries to move back to the first host

Binds = tuple[Command, ...]
TRANSCEIVER: Final[Binds] = (Command.BIND_TRANSCEIVER,)
# The receiver first, so that receipts find it when the first submits go.
PAIR: Final[Binds] = (Command.BIND_RECEIVER, Command.BIND_TRANSMITTER)
BINDS: Final = {"transceiver": TRANSCEIVER, "transmitter+receiver": PAIR}
BIND_NAMES: Final = {
    Command.BIND_TRANSCEIVER: "transceiver",
    Command.BIND_RECEIVER: "receiver",
    Command.BIND_TRANSMITTER: "transmitter",
}

# What another host may do better.
ELSEWHERE: Final = frozenset({Trouble.UNREACHABLE, Trouble.BUSY})


Futures = Sequence[asyncio.Future[None]]


@dataclass(slots=True)
class Held:
    """What a post holds: connections by the command that bound them, all to one host."""

    place: int  # of the host, in the order of the settings
    since: float  # when it was last complete, monotonic seconds
    connections: dict[Command, Connection]

    @property
    def closed(self) -> Futures:
        return [one.closed for one in self.connections.values()]

    @property
    def alive(self) -> bool:
        return not all(end.done() for end in self.closed)

    def ended(self) -> Command | None:
        """The command of a connection that is closed; None: all live."""
        return next((key for key, one in self.connections.items() if one.closed.done()), None)

    def abort(self) -> None:
        for connection in self.connections.values():
            connection.abort()


class Dialling:
    """Keeps a link's posts (`ways.Way`)."""

    addresses: Sequence[Address] = ()

    def __init__(
        self, settings: CarrierSettings, holder: Holder, clock: Clock, random: Random
    ) -> None:
        self._settings = settings
        self._holder = holder
        self._clock = clock
        self._random = random
        self._hosts = settings.addresses
        self._binding = asyncio.Lock()
        self._hurried = asyncio.Event()
        # Our credentials were refused: no post tries them before the moment, and all wait together.
        self._refused: Failure | None = None
        self._locked_until = 0.0
        self._slowly = Backoff(random)
        self._failures: dict[int, Failure] = {}  # the last of each host since it was bound to
        self._contexts = tls.contexts(tls.dialling, settings.tls, holder.log)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as posts:
            for _ in range(self._settings.sessions):
                posts.create_task(self._keep())

    def hurry(self) -> None:
        self._refused = None
        self._hurried.set()
        self._hurried.clear()

    # -- a post ----------------------------------------------------------------------------

    async def _keep(self) -> None:
        backoff = Backoff(self._random)
        while True:
            await self._holder.wanted.wait()
            self._holder.turn(LinkStatus.CONNECTING)
            got = await self._search()
            failure = got if isinstance(got, Failure) else await self._hold(got, backoff)
            if self._holder.wanted.is_set():
                await self._pause(failure, backoff)

    async def _hold(self, held: Held, backoff: Backoff) -> Failure:
        """Keep it as long as that goes; why it went no longer."""
        try:
            while True:
                await _one_of(held.closed, within=BACK_SECONDS if held.place else None)
                if (lost := held.ended()) is None:
                    await self._move_back(held)
                elif (failure := await self._mend(held, lost, backoff)) is not None:
                    return failure
        finally:
            held.abort()

    async def _mend(self, held: Held, lost: Command, backoff: Backoff) -> Failure | None:
        """After an end: bind the lost half of a pair again. Why nothing is held any more, if so."""
        reason = held.connections.pop(lost).reason
        failure = Failure("link.lost", Trouble.LOST, reason, held.place)
        if self._clock.monotonic() - held.since >= STEADY_SECONDS:
            backoff.reset()
        while held.alive:
            if not self._holder.wanted.is_set():
                await _until(self._holder.wanted, held.closed)
                continue
            await self._pause(failure, backoff, held.closed)
            if not held.alive or not self._holder.wanted.is_set():
                continue
            async with self._binding:
                got = self._locked() or await self._bind(held.place, lost)
            if isinstance(got, Connection):
                held.connections[lost] = got
                held.since = self._clock.monotonic()
                return None
            failure = got
            if failure.trouble is Trouble.UNREACHABLE and len(self._hosts) > 1:
                await self._leave(held)
        return failure

    async def _move_back(self, held: Held) -> None:
        """Change to the first host, if it lets us."""
        async with self._binding:
            got = self._locked() or await self._bind_all(0, BINDS[self._settings.bind])
        if isinstance(got, Failure):
            if got.trouble is Trouble.CREDENTIALS:
                self._lock(got)
            self._say(got)
            return
        old = Held(held.place, held.since, held.connections)
        held.place, held.since, held.connections = got.place, got.since, got.connections
        await self._leave(old)

    async def _leave(self, held: Held) -> None:
        within = self._settings.response_timeout
        leaving = (self._holder.leave(one, within) for one in held.connections.values())
        try:
            await asyncio.gather(*leaving)
        finally:
            held.abort()

    # -- binding ---------------------------------------------------------------------------

    async def _search(self) -> Held | Failure:
        """What the first host gives that gives it; else why the last one didn't."""
        async with self._binding:
            for place in range(len(self._hosts)):
                if (refused := self._locked()) is not None:
                    return refused
                got = await self._bind_all(place, BINDS[self._settings.bind])
                if isinstance(got, Held) or got.trouble not in ELSEWHERE:
                    break
                if place + 1 < len(self._hosts):
                    self._say(got, next_host=str(self._hosts[place + 1]))
        return got

    async def _bind_all(self, place: int, commands: Binds) -> Held | Failure:
        held = Held(place, self._clock.monotonic(), {})
        try:
            for command in commands:
                got = await self._bind(place, command)
                if isinstance(got, Failure):
                    break
                held.connections[command] = got
            else:
                held.since = self._clock.monotonic()
                return held
            await self._leave(held)
        except BaseException:
            held.abort()
            raise
        if got.trouble is Trouble.VERSION and commands == TRANSCEIVER:
            return await self._bind_all(place, PAIR)
        return got

    async def _bind(self, place: int, command: Command) -> Connection | Failure:
        """A bound connection; without one, nothing is left open."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await self._dial(place, command)
        except TimeoutError:
            reason = "no connection in time"
            return Failure("link.unreachable", Trouble.UNREACHABLE, reason, place)
        except OSError as error:
            return Failure("link.unreachable", Trouble.UNREACHABLE, said(error), place)
        try:
            self._holder.bind_tried()
            connection.bind(
                command,
                self._settings.system_id,
                self._settings.password.get_secret_value(),
                self._settings.system_type,
            )
            await asyncio.shield(connection.opened)
        except BaseException:
            connection.abort()
            raise
        if connection.id is not None:
            self._failures.pop(place, None)
            self._slowly.reset()
            return connection
        await asyncio.shield(connection.closed)
        if connection.refusal is None:
            return Failure("link.unreachable", Trouble.UNREACHABLE, connection.reason, place)
        self._holder.bind_refused(connection.refusal)
        trouble = REFUSED[bind_reaction(connection.refusal)]
        return Failure("link.bind_refused", trouble, refusal(connection.refusal), place)

    async def _dial(self, place: int, command: Command) -> Connection:
        host, port = self._hosts[place]
        log = self._holder.log.bind(host=host, port=port, bind=BIND_NAMES[command])
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: self._holder.connection(Role.ESME, log),
            host,
            port,
            **tls.options(self._contexts, host),
        )
        return connection

    # -- waiting ---------------------------------------------------------------------------

    async def _pause(self, failure: Failure, backoff: Backoff, ends: Futures = ()) -> None:
        """Wait as long as the failure needs, or until one of `ends` comes."""
        if failure.trouble is Trouble.CREDENTIALS:
            delay = self._lock(failure)
        else:
            delay = backoff.next(failure.trouble)
        self._holder.turn(LinkStatus.WAITING)
        self._say(failure, retry_in=round(delay, 1))
        await _until(self._hurried, ends, within=delay)

    def _locked(self) -> Failure | None:
        """Why our credentials may not be tried now, if so."""
        return self._refused if self._clock.monotonic() < self._locked_until else None

    def _lock(self, failure: Failure) -> float:
        """Seconds until the credentials may be tried again, counted from the last real try."""
        now = self._clock.monotonic()
        if failure is not self._refused:
            self._refused = failure
            self._locked_until = now + self._slowly.next(failure.trouble)
        return max(self._locked_until - now, 0.0)

    def _say(self, failure: Failure, **fields: object) -> None:
        """Log what went wrong, once until it is well or something else is wrong."""
        self._holder.failed(failure)
        host, port = self._hosts[failure.place]
        log = self._holder.log.bind(host=host, port=port)
        say: Callable[..., object] = log.warning
        if failure.trouble is Trouble.CREDENTIALS:
            say = log.error
        if failure == self._failures.get(failure.place):
            say = log.debug
        say(failure.event, reason=failure.reason, **fields)
        self._failures[failure.place] = failure


async def _one_of(ends: Iterable[asyncio.Future[Any]], within: float | None) -> None:
    """Wait for one of `ends`, at most `within` seconds."""
    await asyncio.wait(ends, timeout=within, return_when=asyncio.FIRST_COMPLETED)


async def _until(event: asyncio.Event, ends: Futures, within: float | None = None) -> None:
    """As `_one_of`, or until `event` is set."""
    waiting = asyncio.ensure_future(event.wait())
    try:
        await _one_of([waiting, *ends], within)
    finally:
        waiting.cancel()

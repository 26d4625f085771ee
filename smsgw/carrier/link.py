"""The link to one carrier: keeps its sessions bound and spreads segments over them.

One task dials, binds, waits for the end of the session and begins again, for ever and at a
decent pace; `stop` drains and ends it. Each change of state is logged once, here.
"""

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Final, NamedTuple

from smsgw.carrier.backoff import REFUSED, Backoff, Trouble
from smsgw.carrier.connection import Connection, said
from smsgw.carrier.meter import Meter
from smsgw.carrier.throttle import Throttle
from smsgw.carrier.timer import Timer
from smsgw.carrier.translate import Translator, refusal
from smsgw.clock import Clock
from smsgw.log import get_logger
from smsgw.service.message import Acceptance, Outcome, Segment
from smsgw.service.ports import Exchange, LinkState, LinkStatus
from smsgw.settings.model import CarrierSettings
from smsgw.smpp.session import Limits, Role, Session
from smsgw.smpp.status import bind_reaction
from smsgw.smpp.tables import Command

log = get_logger(__name__)

CONNECT_SECONDS: Final = 10.0
BIND_SECONDS: Final = 30.0
UNBIND_SECONDS: Final = 1.0  # for the unbind_resp, when draining took all the time there was
THROTTLED_SECONDS: Final = 1.0  # of rest after ESME_RTHROTTLED, as Kannel has it
STEADY_SECONDS: Final = 60.0  # a session that lasted so long is no part of a flapping


class SessionIds:
    """Ids for SMPP sessions, unique over restarts: microseconds since 1970, never the same twice.

    One for the whole process.
    """

    def __init__(self) -> None:
        self._last = 0

    def next(self, at: float) -> int:
        self._last = max(int(at * 1_000_000), self._last + 1)
        return self._last


class Failure(NamedTuple):
    """Why there is no session."""

    event: str  # of the log
    trouble: Trouble
    reason: str


class Link:
    """One carrier, as the outbox uses it (`ports.Carrier`) and as the program runs it."""

    def __init__(
        self,
        settings: CarrierSettings,
        shortcode: str,
        exchange: Exchange,
        clock: Clock,
        *,
        ids: SessionIds,
        random: Random,
        inbound_window: int = 1000,
    ) -> None:
        self._settings = settings
        self._exchange = exchange
        self._clock = clock
        self._ids = ids
        self._inbound_window = inbound_window
        self._translator = Translator(settings, shortcode)
        self._limits = Limits(
            window=settings.window,
            enquire_link=settings.enquire_link,
            response_timeout=settings.response_timeout,
            bind_timeout=BIND_SECONDS,
        )
        self._throttle = Throttle(settings.throughput, clock.monotonic())
        self._backoff = Backoff(random)
        self._log = log.bind(carrier=settings.id, host=settings.host, port=settings.port)
        self._bound: list[Connection] = []
        self._draining = False
        self._stopped = asyncio.Event()
        self._wake = Timer(clock, self._woken)
        self._status = LinkStatus.STOPPED
        self._since = clock.now()
        self._last_error = ""
        self._last_failure: Failure | None = None
        self._meter = Meter(settings.id)
        self._meter.watch(
            settings.window,
            settings.throughput,
            sessions=lambda: len(self._bound),
            in_flight=lambda: self._in_flight,
            tokens=lambda: self._throttle.available(clock.monotonic()),
        )

    # -- what the outbox asks --------------------------------------------------------------

    @property
    def id(self) -> str:
        return self._settings.id

    def capacity(self) -> int:
        """How many segments may be submitted now: free places, and tokens for them."""
        free = self._free
        return min(free, self._throttle.available(self._clock.monotonic())) if free else 0

    def submit(self, segments: Sequence[Segment]) -> None:
        """Send `segments`; those for which there is no place any more come back as not sent."""
        rest = list(segments)
        if self._throttle.available(self._clock.monotonic()):
            for connection in self._bound if not self._draining else ():
                share, rest = rest[: connection.free], rest[connection.free :]
                self._throttle.take(len(share), self._clock.monotonic())
                connection.submit(share)
        if rest:
            at = self._clock.now()
            unsent = [Outcome(each, Acceptance.NOT_SENT, at, error="no session") for each in rest]
            self._exchange.settled(unsent)
        self._wake_when_tokens_are_there()

    def state(self) -> LinkState:
        return LinkState(
            self.id,
            self._settings.name,
            self._status,
            self._since,
            len(self._bound),
            self._in_flight,
            self._limits.window * self._settings.sessions,
            self._settings.throughput,
            self._last_error,
        )

    @property
    def _free(self) -> int:
        return 0 if self._draining else sum(connection.free for connection in self._bound)

    @property
    def _in_flight(self) -> int:
        return sum(connection.in_flight for connection in self._bound)

    def _wake_when_tokens_are_there(self) -> None:
        now = self._clock.monotonic()
        if self._throttle.available(now) < self._free:
            self._wake.by(self._throttle.ready_at(now))

    def _woken(self) -> None:
        """Tell the exchange that there is room, or see to it that it is told when there is."""
        if self.capacity():
            self._exchange.ready(self.id)
        else:
            self._wake_when_tokens_are_there()

    # -- what the program asks -------------------------------------------------------------

    async def run(self) -> None:
        """Keep the link bound until `stop`."""
        try:
            async with asyncio.TaskGroup() as group:
                keeping = group.create_task(self._keep())
                await self._stopped.wait()
                keeping.cancel()
        finally:
            self._wake.stop()
            self._turn(LinkStatus.STOPPED)
            self._log.info("link.stopped")

    async def stop(self, within: float) -> None:
        """Submit no more, wait at most `within` seconds for responses, unbind and close."""
        self._draining = True
        await asyncio.gather(*(self._take_leave(each, within) for each in self._bound))
        self._stopped.set()

    async def _take_leave(self, connection: Connection, within: float) -> None:
        until = self._clock.monotonic() + within
        try:
            async with asyncio.timeout(within):
                await connection.drained()
        except TimeoutError:
            self._log.warning("link.not_drained", in_flight=connection.in_flight)
        connection.unbind()
        try:
            async with asyncio.timeout(max(until - self._clock.monotonic(), UNBIND_SECONDS)):
                await asyncio.shield(connection.closed)
        except TimeoutError:
            connection.abort()
            await connection.closed

    # -- one session after the other -------------------------------------------------------

    async def _keep(self) -> None:
        while not self._draining:
            self._turn(LinkStatus.CONNECTING)
            failure = await self._hold_session()
            if not self._draining:
                await self._pause(failure)

    async def _hold_session(self) -> Failure:
        """Dial, bind and wait for the end, which is also the socket's."""
        started = self._clock.monotonic()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await self._dial()
        except TimeoutError:
            return Failure("link.unreachable", Trouble.UNREACHABLE, "no connection in time")
        except OSError as error:
            return Failure("link.unreachable", Trouble.UNREACHABLE, said(error))
        try:
            self._meter.bind_tried()
            connection.bind(
                Command.BIND_TRANSCEIVER,
                self._settings.system_id,
                self._settings.password.get_secret_value(),
                self._settings.system_type,
            )
            await asyncio.shield(connection.closed)
        finally:
            connection.abort()
        if self._clock.monotonic() - started >= STEADY_SECONDS:
            self._backoff.reset()
        return self._failure(connection)

    async def _dial(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            self._connection, self._settings.host, self._settings.port
        )
        return connection

    def _connection(self) -> Connection:
        session = Session(Role.ESME, self._limits, self._clock.monotonic())
        return Connection(
            session,
            self._translator,
            self._exchange,
            self,
            clock=self._clock,
            meter=self._meter,
            log=self._log,
            inbound_window=self._inbound_window,
        )

    def _failure(self, connection: Connection) -> Failure:
        if connection.refusal is not None:
            self._meter.bind_refused(connection.refusal)
            trouble = REFUSED[bind_reaction(connection.refusal)]
            return Failure("link.bind_refused", trouble, refusal(connection.refusal))
        if connection.id is None:
            return Failure("link.unreachable", Trouble.UNREACHABLE, connection.reason)
        if not self._draining:
            self._meter.dropped(connection.reason)
        return Failure("link.lost", Trouble.LOST, connection.reason)

    async def _pause(self, failure: Failure) -> None:
        """Say once what went wrong, and wait as long as that needs."""
        delay = self._backoff.next(failure.trouble)
        self._last_error = failure.reason
        self._turn(LinkStatus.WAITING)
        say: Callable[..., object] = self._log.warning
        if failure.trouble is Trouble.CREDENTIALS:
            say = self._log.error
        if failure == self._last_failure:
            say = self._log.debug
        say(failure.event, reason=failure.reason, retry_in=round(delay, 1))
        self._last_failure = failure
        await asyncio.sleep(delay)

    def _turn(self, status: LinkStatus) -> None:
        self._status = status
        self._since = self._clock.now()
        self._meter.turned(status, self._since)

    # -- what the connections tell (connection.Keeper) -------------------------------------

    def bound(self, connection: Connection) -> int:
        session = self._ids.next(self._clock.now())
        self._bound.append(connection)
        self._last_failure = None
        self._turn(LinkStatus.BOUND)
        self._log.info("link.bound", session=session)
        self._woken()
        return session

    def settled(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        throttled = sum(each.acceptance is Acceptance.THROTTLED for each in outcomes)
        if throttled:
            self._meter.throttled(throttled)
            self._throttle.pause(self._clock.monotonic() + THROTTLED_SECONDS)
        self._exchange.settled(outcomes)
        unfit = [each.error for each in outcomes if each.acceptance is Acceptance.LINK]
        if unfit:
            connection.unbind(f"submits refused with {unfit[0]}")  # only a new bind helps
        self._wake_when_tokens_are_there()

    def ended(self, connection: Connection) -> None:
        if connection.id is not None:
            self._bound.remove(connection)
            self._exchange.session_ended(self.id, connection.id, self._clock.now())

    def writable(self, connection: Connection) -> None:
        self._woken()

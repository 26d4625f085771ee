"""The link to one carrier: holds its bound sessions and spreads segments over them.

How a session comes to be is not its affair (`ways.Way`).
"""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Final

from structlog.typing import FilteringBoundLogger

from smsgw.carrier.connection import Connection
from smsgw.carrier.dialling import Dialling
from smsgw.carrier.meter import Meter
from smsgw.carrier.throttle import Throttle
from smsgw.carrier.timer import Timer
from smsgw.carrier.translate import Translator
from smsgw.carrier.ways import Failure, Way
from smsgw.clock import Clock
from smsgw.log import get_logger
from smsgw.service.message import Acceptance, Outcome, Segment
from smsgw.service.ports import Exchange, LinkState, LinkStatus
from smsgw.settings.model import CarrierSettings
from smsgw.smpp.session import Limits, Role, Session

log = get_logger(__name__)

BIND_SECONDS: Final = 30.0
UNBIND_SECONDS: Final = 1.0  # for the unbind_resp, when draining took all the time there was
THROTTLED_SECONDS: Final = 1.0  # of rest after ESME_RTHROTTLED, as Kannel has it


class SessionIds:
    """Ids for SMPP sessions, unique over restarts: microseconds since 1970, never the same twice.

    One for the whole process.
    """

    def __init__(self) -> None:
        self._last = 0

    def next(self, at: float) -> int:
        self._last = max(int(at * 1_000_000), self._last + 1)
        return self._last


class Link:
    """One carrier, as the outbox uses it (`ports.Carrier`) and as the program runs it.

    To the way its sessions come to be it is `ways.Holder`, to its connections their `Keeper`.
    """

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
        self.log: FilteringBoundLogger = log.bind(carrier=settings.id)
        self.wanted = asyncio.Event()
        self.wanted.set()
        self._bound: list[Connection] = []
        self._stopped = asyncio.Event()
        self._wake = Timer(clock, self._woken)
        self._status = LinkStatus.STOPPED
        self._since = clock.now()
        self._last_error = ""
        self._told = LinkStatus.CONNECTING
        self._meter = Meter(settings.id)
        self._meter.watch(
            settings.window,
            settings.throughput,
            sessions=lambda: len(self._bound),
            in_flight=lambda: self._in_flight,
            tokens=lambda: self._throttle.available(clock.monotonic()),
        )
        self._way: Way = Dialling(settings, self, clock, random)

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
            for connection in self._bound if self.wanted.is_set() else ():
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
        return sum(each.free for each in self._bound) if self.wanted.is_set() else 0

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
                bringing = group.create_task(self._way.run())
                await self._stopped.wait()
                bringing.cancel()
        finally:
            self._wake.stop()
            self._show(LinkStatus.STOPPED)
            self.log.info("link.stopped")

    async def stop(self, within: float) -> None:
        """Submit no more, wait at most `within` seconds for responses, unbind and close."""
        self.wanted.clear()
        await asyncio.gather(*(self.leave(each, within) for each in self._bound))
        self._stopped.set()

    # -- what the way of its sessions asks (ways.Holder) -------------------------------------

    def connection(self, role: Role, log: FilteringBoundLogger) -> Connection:
        return Connection(
            Session(role, self._limits, self._clock.monotonic()),
            self._translator,
            self._exchange,
            self,
            clock=self._clock,
            meter=self._meter,
            log=log,
            inbound_window=self._inbound_window,
        )

    def turn(self, status: LinkStatus) -> None:
        self._told = status
        self._look()

    def failed(self, failure: Failure) -> None:
        self._last_error = failure.reason

    def bind_tried(self) -> None:
        self._meter.bind_tried()

    def bind_refused(self, status: int) -> None:
        self._meter.bind_refused(status)

    async def leave(self, connection: Connection, within: float) -> None:
        until = self._clock.monotonic() + within
        try:
            async with asyncio.timeout(within):
                await connection.drained()
        except TimeoutError:
            connection.log.warning("link.not_drained", in_flight=connection.in_flight)
        connection.unbind()
        try:
            async with asyncio.timeout(max(until - self._clock.monotonic(), UNBIND_SECONDS)):
                await asyncio.shield(connection.closed)
        except TimeoutError:
            connection.abort()
            await connection.closed

    def _look(self) -> None:
        """See how the link stands now."""
        sends = any(each.sends for each in self._bound)
        receives = any(each.receives for each in self._bound)
        self._show(LinkStatus.BOUND if sends and receives else self._told)

    def _show(self, status: LinkStatus) -> None:
        if status is not self._status:
            self._status = status
            self._since = self._clock.now()
            self._meter.turned(status, self._since)

    # -- what the connections tell (connection.Keeper) -------------------------------------

    def bound(self, connection: Connection) -> int:
        session = self._ids.next(self._clock.now())
        self._bound.append(connection)
        self._look()
        connection.log.info("link.bound", session=session)
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
        if connection.id is None:
            return
        self._bound.remove(connection)
        self._exchange.session_ended(self.id, connection.id, self._clock.now())
        if self.wanted.is_set():
            self._meter.dropped(connection.reason)
            self._last_error = connection.reason
        self._told = LinkStatus.WAITING
        self._look()

    def writable(self, connection: Connection) -> None:
        self._woken()

"""The link to one carrier: holds its bound sessions and spreads segments over them.

How a session comes to be is not its affair (`ways.Way`).

A session on which nothing moves is no session: where submits are on their way, and not one was
answered for `response_timeout`, it is unbound and another takes its place, however well the peer
answers enquire_link.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, tzinfo
from random import Random
from typing import Final

from structlog.typing import FilteringBoundLogger

from smsgw.carrier.backoff import Trouble
from smsgw.carrier.connection import Asked, Connection, not_asked
from smsgw.carrier.dialling import Dialling
from smsgw.carrier.listening import Listening
from smsgw.carrier.meter import Meter
from smsgw.carrier.pace import Answers
from smsgw.carrier.throttle import Throttle
from smsgw.carrier.timer import Timer
from smsgw.carrier.translate import Translator
from smsgw.carrier.ways import Failure, Way
from smsgw.clock import Clock
from smsgw.log import get_logger
from smsgw.service.message import Acceptance, Outcome, Segment
from smsgw.service.ports import Exchange, LinkState, LinkStatus
from smsgw.settings.carrier import CarrierSettings
from smsgw.settings.types import Address
from smsgw.smpp.session import Limits, Role, Session

log = get_logger(__name__)

BIND_SECONDS: Final = 30.0
UNBIND_SECONDS: Final = 1.0  # for the unbind_resp, when draining took all the time there was


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
        zone: tzinfo = UTC,
    ) -> None:
        self._settings = settings
        self._exchange = exchange
        self._clock = clock
        self._ids = ids
        self._inbound_window = inbound_window
        self._translator = Translator(settings, shortcode, zone)
        listener = settings.listener
        self._limits = Limits(
            window=settings.window,
            enquire_link=settings.enquire_link,
            response_timeout=settings.response_timeout,
            bind_timeout=listener.bind_timeout if listener else BIND_SECONDS,
            inactivity=settings.inactivity,
        )
        self._throttle = Throttle(settings.throughput, clock.monotonic())
        self.log: FilteringBoundLogger = log.bind(carrier=settings.id)
        self.wanted = asyncio.Event()
        self.wanted.set()
        self._bound: list[Connection] = []
        self._leaving: set[Connection] = set()
        self._unfit: dict[Connection, str] = {}  # those that only a new bind helps, and why
        self._tlvs_refused = False  # those of the vendor, since the last bind
        self._draining: asyncio.Future[list[BaseException | None]] | None = None
        self._stopped = asyncio.Event()
        self._wake = Timer(clock, self._woken)
        self._status = LinkStatus.STOPPED
        self._since = clock.now()
        self._last_error = ""
        self._told = LinkStatus.CONNECTING
        self._meter = Meter(settings.id)
        self._meter.watch(
            settings.window * settings.sessions,
            settings.throughput,
            sessions=lambda: len(self._bound),
            in_flight=lambda: self._in_flight,
            tokens=lambda: self._throttle.available(clock.monotonic()),
            pace=lambda: self._throttle.rate,
        )
        self._way: Way = (
            Listening(settings, listener, self, clock, random)
            if listener
            else Dialling(settings, self, clock, random)
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
        now = self._clock.monotonic()
        places = self._free if self._throttle.available(now) else 0
        sent, unsent = segments[:places], segments[places:]
        self._throttle.take(len(sent), now)
        for connection, share in self._shares(sent):
            connection.submit(share)
        if unsent:
            at = self._clock.now()
            outcomes = [Outcome(one, Acceptance.NOT_SENT, at, error="no session") for one in unsent]
            self._exchange.settled(outcomes)
        self._wake_when_tokens_are_there()

    def state(self) -> LinkState:
        return LinkState(
            self.id,
            self._settings.name,
            self._status,
            self._since,
            sum(each.sends or each.receives for each in self._bound),
            self._in_flight,
            self._limits.window * self._settings.sessions,
            self._settings.throughput,
            self._last_error,
            self._throttle.rate,
        )

    @property
    def _free(self) -> int:
        return sum(each.free for each in self._sending)

    @property
    def _sending(self) -> Sequence[Connection]:
        if not self.wanted.is_set():
            return ()
        return [
            each for each in self._bound if each not in self._leaving and each not in self._unfit
        ]

    @property
    def _in_flight(self) -> int:
        return sum(connection.in_flight for connection in self._bound)

    def _shares(
        self, segments: Sequence[Segment]
    ) -> Sequence[tuple[Connection, Sequence[Segment]]]:
        """What each session is to send, so that as many free places are left on each as can be."""
        free = {each: places for each in self._sending if (places := each.free)}
        if len(free) == 1:
            return [(connection, segments) for connection in free]
        shares: dict[Connection, list[Segment]] = {each: [] for each in free}
        for segment in segments:
            freest = max(free, key=free.__getitem__)
            shares[freest].append(segment)
            free[freest] -= 1
        return [(each, share) for each, share in shares.items() if share]

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

    async def drain(self) -> None:
        """Take the carrier out for maintenance, until `resume`: no submit any more, then unbind.

        Returns when what was submitted is answered, or late, and no session is left, or when the
        carrier is back. Draining goes on if the caller is cancelled.
        """
        if self._draining is None:
            self.wanted.clear()
            within = self._limits.response_timeout
            leaving = [self._empty_and_unbind(each, within) for each in self._bound]
            self._draining = asyncio.gather(*leaving, return_exceptions=True)
            self._look()
            self.log.info("link.draining", in_flight=self._in_flight)
        await asyncio.wait({self._draining})

    def resume(self) -> None:
        """Use the carrier again. A session that is not unbound yet is kept."""
        if self._draining is not None and not self._stopped.is_set():
            self._draining.cancel()
            self._draining = None
            self.wanted.set()
            self._look()
            self.log.info("link.resumed")
            self._way.hurry()
            self._woken()

    @property
    def listens_on(self) -> Sequence[Address]:
        """Where the carrier dials us; nothing if we dial it, or while that is not possible."""
        return self._way.addresses

    # -- what the way of its sessions asks (ways.Holder) -------------------------------------

    def connection(
        self, role: Role, log: FilteringBoundLogger, asked: Asked = not_asked
    ) -> Connection:
        return Connection(
            Session(role, self._limits, self._clock.monotonic()),
            self._translator,
            self._exchange,
            self,
            clock=self._clock,
            meter=self._meter,
            log=log,
            inbound_window=self._inbound_window,
            asked=asked,
        )

    def turn(self, status: LinkStatus) -> None:
        self._told = status
        self._look()

    def failed(self, failure: Failure) -> None:
        self._last_error = failure.reason
        if failure.trouble is Trouble.CREDENTIALS:
            self._meter.alarm(on=True)

    def bind_tried(self) -> None:
        self._meter.bind_tried()

    def bind_refused(self, status: int) -> None:
        self._meter.bind_refused(status)

    async def leave(self, connection: Connection, within: float) -> None:
        self._leaving.add(connection)
        await self._empty_and_unbind(connection, within)

    async def _empty_and_unbind(self, connection: Connection, within: float) -> None:
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
        if self._draining is not None:
            self._show(LinkStatus.DRAINED)
        else:
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
        self._meter.alarm(on=False)
        self._tlvs_refused = False
        connection.log.info("link.bound", session=session)
        if self.wanted.is_set():
            self._woken()
        else:
            connection.unbind()
        return session

    def settled(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        self._keep_pace(outcomes)
        self._exchange.settled(outcomes)
        unfit = [each.error for each in outcomes if each.acceptance is Acceptance.LINK]
        if unfit:
            self._unfit.setdefault(connection, f"submits refused with {unfit[0]}")
        if connection in self._unfit:
            # The others that are outstanding are answered first: unbinding now would lose them.
            if not connection.in_flight:
                self._unbind_soon(connection, self._unfit[connection])
        elif any(each.acceptance is Acceptance.LOST for each in outcomes):
            self._look_whether_stalled(connection)
        self._wake_when_tokens_are_there()

    def ended(self, connection: Connection) -> None:
        if connection.id is None:
            return
        self._bound.remove(connection)
        self._exchange.session_ended(self.id, connection.id, self._clock.now())
        if self.wanted.is_set() and connection not in self._leaving:
            self._meter.dropped(connection.reason)
            self._last_error = connection.reason
        self._leaving.discard(connection)
        self._unfit.pop(connection, None)
        self._told = LinkStatus.WAITING
        self._look()

    def writable(self, connection: Connection) -> None:
        self._woken()

    def _keep_pace(self, outcomes: Sequence[Outcome]) -> None:
        counts = Counter(each.acceptance for each in outcomes)
        accepted, throttled = counts[Acceptance.ACCEPTED], counts[Acceptance.THROTTLED]
        full = 0
        if counts[Acceptance.QUEUE_FULL]:
            refused = (each for each in outcomes if each.acceptance is Acceptance.QUEUE_FULL)
            full = len({each.segment.destination for each in refused})
        others = len(outcomes) - accepted - throttled - full
        answers = Answers(accepted, throttled, full, others)
        if self._throttle.answered(answers, self._clock.monotonic()):
            self.log.debug("link.slowed", pace=round(self._throttle.rate, 1))
        if throttled:
            self._meter.throttled(throttled)
        if counts[Acceptance.TLVS] and not self._tlvs_refused:
            self._tlvs_refused = True
            reason = next(each.error for each in outcomes if each.acceptance is Acceptance.TLVS)
            self.log.error("link.tlvs_refused", reason=reason)

    def _look_whether_stalled(self, connection: Connection) -> None:
        """A response is late: part with a session that has given none at all for as long."""
        silent = self._clock.monotonic() - connection.answered_at
        if connection in self._bound and silent >= self._limits.response_timeout:
            self._unbind_soon(connection, "submits are not answered")

    def _unbind_soon(self, connection: Connection, reason: str) -> None:
        """Unbind without waiting long for the answer: the link is of no use until it is rebound."""
        connection.unbind(reason)
        self._look()
        asyncio.get_running_loop().call_later(UNBIND_SECONDS, connection.abort)

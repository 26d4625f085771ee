"""The link to one carrier: holds its bound sessions and spreads segments over them.

How a session comes to be is not its affair (`ways.Way`).

A session on which nothing moves is no session: where submits are on their way, and not one was
answered for `response_timeout`, it is unbound and another takes its place, however well the peer
answers enquire_link.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, tzinfo
from random import Random
from typing import Final

from structlog.typing import FilteringBoundLogger

from smsgw.carrier.alarm import SettingsAlarm
from smsgw.carrier.backoff import Trouble
from smsgw.carrier.connection import Connection
from smsgw.carrier.counted import counted
from smsgw.carrier.dialling import Dialling
from smsgw.carrier.ids import SessionIds
from smsgw.carrier.keeper import Asked, not_asked
from smsgw.carrier.listening import Listening
from smsgw.carrier.meter import Meter
from smsgw.carrier.pace import Answers
from smsgw.carrier.questions import Questions, Reply
from smsgw.carrier.room import Room
from smsgw.carrier.shares import shares
from smsgw.carrier.throttle import Throttle
from smsgw.carrier.translate import Translator
from smsgw.carrier.ways import Failure, Way
from smsgw.clock import Clock
from smsgw.log import get_logger
from smsgw.service.message import Acceptance, Inquiry, Outcome, Segment
from smsgw.service.ports import Exchange, LinkState, LinkStatus
from smsgw.settings.carrier import CarrierSettings
from smsgw.settings.types import Address
from smsgw.smpp.session import Limits, Role, Session

log = get_logger(__name__)

BIND_SECONDS: Final = 30.0
UNBIND_SECONDS: Final = 1.0  # for the unbind_resp, when draining took all the time there was


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
        self._room = Room(
            self._throttle,
            clock,
            settings.window,
            free=lambda: [each.free for each in self._sending if each.sends],
            ready=lambda: exchange.ready(settings.id),
        )
        self._status = LinkStatus.STOPPED
        self._since = clock.now()
        self._last_error = ""
        self._told = LinkStatus.CONNECTING
        self._meter = Meter(settings.id)
        self._alarm = SettingsAlarm(settings.statuses, self.log, self._meter)
        # As an SMSC there is nobody that we could ask.
        self._questions = Questions(served=settings.accept is None)
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
        return self._room.capacity()

    def spare(self) -> int:
        return self._room.spare()

    def submit(self, segments: Sequence[Segment]) -> None:
        """Send `segments`; those for which there is no place any more come back as not sent."""
        now = self._clock.monotonic()
        places = self._room.free if self._throttle.available(now) else 0
        sent, unsent = segments[:places], segments[places:]
        self._throttle.take(len(sent), now)
        for connection, share in shares(self._sending, sent):
            connection.submit(share)
        if unsent:
            at = self._clock.now()
            outcomes = [Outcome(one, Acceptance.NOT_SENT, at, error="no session") for one in unsent]
            self._exchange.settled(outcomes)
        self._room.wake_when_tokens_are_there()

    def ask(self, inquiries: Sequence[Inquiry]) -> int:
        """Ask what became of the first few segments; of how many, says the result."""
        now = self._clock.monotonic()
        places = self._questions.places(self._room.free, self._in_flight)
        asked = inquiries[: min(places, self._throttle.available(now))]
        self._throttle.take(len(asked), now)
        self._questions.asked(len(asked))
        for connection, share in shares(self._sending, asked):
            connection.ask(share)
        self._room.wake_when_tokens_are_there()
        return len(asked)

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
    def _sending(self) -> Sequence[Connection]:
        if not self.wanted.is_set():
            return ()
        return [
            each for each in self._bound if each not in self._leaving and each not in self._unfit
        ]

    @property
    def _in_flight(self) -> int:
        return sum(connection.in_flight for connection in self._bound)

    # -- what the program asks -------------------------------------------------------------

    async def run(self) -> None:
        """Keep the link bound until `stop`."""
        try:
            async with asyncio.TaskGroup() as group:
                bringing = group.create_task(self._way.run())
                await self._stopped.wait()
                bringing.cancel()
        finally:
            self._room.stop()
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
            self._room.look()

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
        self._questions.bound()
        self._alarm.bound()
        self._look()
        self._meter.alarm(on=False)
        self._tlvs_refused = False
        connection.log.info("link.bound", session=session)
        if self.wanted.is_set():
            self._room.look()
        else:
            connection.unbind()
        return session

    def answered(self, connection: Connection, statuses: Sequence[int]) -> None:
        self._alarm.answered(statuses)

    def settled(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        self._answered(counted(outcomes))
        self._look_whether_tlvs_are_refused(outcomes)
        self._exchange.settled(outcomes)
        unfit = [each.error for each in outcomes if each.acceptance is Acceptance.LINK]
        if unfit:
            self._unfit.setdefault(connection, f"submits refused with {unfit[0]}")
        if connection in self._unfit:
            self._unbind_if_unfit(connection)
        elif any(each.acceptance is Acceptance.LOST for each in outcomes):
            self._look_whether_stalled(connection)
        self._room.wake_when_tokens_are_there()

    def replied(self, connection: Connection, replies: Sequence[Reply]) -> None:
        in_time = [each for each in replies if not each.late]
        throttled = sum(each.throttled for each in in_time)
        self._questions.answered(len(in_time))
        self._answered(Answers(throttled=throttled, others=len(in_time) - throttled))
        if any(each.unserved for each in replies) and self._questions.unserved():
            connection.log.warning("link.questions_unserved")
        self._meter.replied(replies)
        if receipts := [each.receipt for each in replies if each.receipt]:
            self._exchange.learned(receipts)
        self._unbind_if_unfit(connection)
        self._room.look()

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
        self._room.look()

    def _answered(self, answers: Answers) -> None:
        if self._throttle.answered(answers, self._clock.monotonic()):
            self.log.debug("link.slowed", pace=round(self._throttle.rate, 1))
        if answers.throttled:
            self._meter.throttled(answers.throttled)

    def _look_whether_tlvs_are_refused(self, outcomes: Sequence[Outcome]) -> None:
        refused = [each.error for each in outcomes if each.acceptance is Acceptance.TLVS]
        if refused and not self._tlvs_refused:
            self._tlvs_refused = True
            self.log.error("link.tlvs_refused", reason=refused[0])

    def _unbind_if_unfit(self, connection: Connection) -> None:
        """The others that are outstanding are answered first: unbinding now would lose them."""
        if connection in self._unfit and not connection.in_flight:
            self._unbind_soon(connection, self._unfit[connection])

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

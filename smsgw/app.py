"""The composition root: builds the daemon from its settings, starts it in order, stops it in
reverse."""

import asyncio
import sqlite3
from contextlib import AsyncExitStack, suppress
from random import Random
from typing import Any, Final, Self

from smsgw import metrics
from smsgw.carrier.ids import SessionIds
from smsgw.carrier.link import Link
from smsgw.clock import Clock, SystemClock
from smsgw.doors.api.app import api
from smsgw.doors.office import Office
from smsgw.log import get_logger
from smsgw.service.duplicates import Recent
from smsgw.service.exchange import Exchange
from smsgw.service.message import MtState
from smsgw.service.ports import LinkState, LinkStatus, StorageUnavailableError
from smsgw.settings import derive
from smsgw.settings.model import Settings
from smsgw.storage import assembly, exchange, inbox, inquiries, payments, runs
from smsgw.storage.archive import Archive, Keeping
from smsgw.storage.daily import DailyRuns
from smsgw.storage.database import StorageError, current_snapshot
from smsgw.storage.feed_watch import FeedWatch
from smsgw.storage.keys import keyed
from smsgw.storage.lock import DAEMON_LOCK, hold
from smsgw.storage.notice_watch import NoticeWatch
from smsgw.storage.observe import Observed, observe, publish
from smsgw.storage.pace import Pace
from smsgw.storage.policy import Policy
from smsgw.storage.registrar import Registrar
from smsgw.storage.retaining import Retaining
from smsgw.storage.snapshot import sweep
from smsgw.storage.sqlite import Database
from smsgw.storage.tidying import Tidying
from smsgw.web import unix
from smsgw.web.app import create_app
from smsgw.web.control import create_control
from smsgw.web.health import FeedHealth, State, StorageHealth, link_health
from smsgw.web.server import serve, serve_unix

log = get_logger(__name__)

LOOK_EVERY: Final = 0.5  # seconds between two looks for what other processes wrote
OBSERVE_EVERY: Final = 15.0  # seconds between two readings of the databases for the metrics
ASK_EVERY: Final = 60.0  # seconds between two looks for messages whose receipt doesn't come
ASK_AGAIN: Final = 1.0  # seconds, while a carrier has more to be asked than it has places for
ASK_MOST: Final = 100  # questions to one carrier at once, if its window has places for so many
DRAIN: Final = 5.0  # seconds for links to finish; with the rest the daemon stops within 10


class App:
    """The daemon: `async with App(settings) as app` runs it until the block is left.

    Raises StorageError and ListenError where it can't start. If one of its tasks fails, the
    block is cancelled and the error raised.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._policy = Policy(
            derive.rules(settings),
            derive.encodings(settings),
            keyed(settings.data_dir, derive.secret(settings)),
            derive.losses(settings),
            derive.reassembly(settings),
            settings.subscriptions.find_carrier,
            derive.notice_rules(settings),
        )
        self._database = Database(settings.data_dir, self._policy)
        keeping = Keeping(
            settings.timezone,
            settings.duplicates.window,
            derive.books(settings, self._policy.keyed),
        )
        self._archive = Archive(self._database, self._clock, keeping)
        self._tidying = Tidying(self._database, self._clock)
        self._retaining = Retaining(
            self._database, derive.keep(settings), self._policy.keyed, self._clock
        )
        self._recent = Recent(
            settings.duplicates.window,
            {one.id: one.response_timeout for one in settings.carriers.values()},
            settings.duplicates.limit,
        )
        self._exchange = Exchange(self._database, self._recent, self._clock, self._policy.losses)
        self._registrar = Registrar(
            self._database,
            self._policy,
            self._clock,
            readable=lambda: not self._cache_error,
            changed=self._exchange.look_again,
        )
        self._office = Office(
            settings, self._database, self._policy, self._clock, self._exchange.look_again
        )
        ids = SessionIds()
        self._links = [
            Link(
                one,
                settings.shortcode,
                self._exchange,
                self._clock,
                ids=ids,
                random=Random(),
                inbound_window=one.inbound_window,
                zone=settings.timezone,
            )
            for one in settings.carriers.values()
            if one.enabled
        ]
        self._feeds = _feed_watch(settings)
        rules = self._policy.notices
        self._daily = DailyRuns(
            self._database,
            settings.data_dir,
            derive.secret(settings),
            derive.daily(settings),
            rules,
            self._clock,
        )
        self._notices = NoticeWatch(settings.data_dir, rules, self._clock, self._paces)
        self._observed = Observed({}, {}, {}, None)
        self._cache_error = ""  # why the current billing cache can't be read
        self._activating = False  # pending subscriptions wait for a look at a new cache
        self._stack = AsyncExitStack()
        self.http_address = ("", 0)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.enter_context(hold(self._settings.data_dir, DAEMON_LOCK))
            await stack.enter_async_context(self._database)
            await self._remember()
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            await self._start(stack, tasks)
            self._stack = stack.pop_all()
        host, port = self.http_address
        log.info("daemon.started", data_dir=str(self._settings.data_dir), http=f"{host}:{port}")
        return self

    async def __aexit__(self, *error: Any) -> bool | None:
        log.info("daemon.stopping")
        handled = await self._stack.__aexit__(*error)
        log.info("daemon.stopped")
        return handled

    def links(self) -> list[LinkState]:
        return [link.state() for link in self._links]

    async def drain(self, carrier: str) -> None:
        """Take a carrier's link out (web.control.Fleet)."""
        await self._link(carrier).drain()

    def resume(self, carrier: str) -> None:
        """Let it bind again (web.control.Fleet)."""
        self._link(carrier).resume()

    def _paces(self) -> dict[str, float]:
        """What may be sent to each carrier that is bound, in parts a second; 0: no limit."""
        states = [state for state in self.links() if state.status is LinkStatus.BOUND]
        return {state.carrier: state.pace or state.throughput for state in states}

    def _link(self, carrier: str) -> Link:
        return {link.id: link for link in self._links}[carrier]

    def state(self) -> State:
        """What `/readyz` judges (web.health.Health)."""
        storage_error = self._exchange.storage_error
        running = {link.id: link.state() for link in self._links}
        feed = self._observed.feed
        return State(
            now=self._clock.now(),
            storage=StorageHealth(not storage_error, storage_error),
            links=tuple(
                link_health(carrier, running.get(carrier)) for carrier in self._settings.carriers
            ),
            feed=FeedHealth(
                feed.as_of if feed else None,
                self._settings.billing.max_age,
                self._cache_error,
                self._feeds.trouble or self._feeds.refused if self._feeds else "",
            ),
        )

    async def _remember(self) -> None:
        """Take up what the last daemon left, before anything new can come in."""
        now = self._clock.now()
        try:
            sent = await self._database.run(exchange.recover, now, self._policy)
            await self._database.count_today(now)
            stored, ended = await self._database.run(
                inbox.remembered,
                now - self._settings.duplicates.window,
                self._settings.duplicates.limit,
            )
            await self._database.run(assembly.resume, now)
            await self._database.run(runs.drop_unfinished, now, Pace())
            await self._look()
        except StorageUnavailableError as error:
            raise StorageError(str(error)) from error
        with suppress(StorageUnavailableError):  # the next feed takes them over
            await self._database.run(payments.catch_up, self._settings.data_dir)
        self._recent.restore(stored, ended)
        if sent:
            log.warning(
                "daemon.recovered",
                sent_once_more=sent[MtState.QUEUED],
                unknown=sent[MtState.UNKNOWN],
                settled=sent[MtState.DELIVERED] + sent[MtState.UNDELIVERED],
            )

    async def _start(self, stack: AsyncExitStack, tasks: asyncio.TaskGroup) -> None:
        """Start the tasks; `stack` learns how to stop each, in reverse."""
        metrics.BILLING_MAX_AGE.set(self._settings.billing.max_age)
        metrics.MOS_WAITING.set_function(lambda: self._exchange.waiting)
        metrics.MOS_WAITING_LIMIT.set(
            sum(
                one.inbound_window * one.sessions
                for one in self._settings.carriers.values()
                if one.enabled
            )
        )
        await self._observe()
        exchange = tasks.create_task(self._exchange.run(), name="exchange")
        watching = tasks.create_task(self._watch(), name="watch")
        observing = tasks.create_task(self._keep_observing(), name="observe")
        tidying = tasks.create_task(self._tidying.run(), name="tidy")
        rejecting = tasks.create_task(self._registrar.run(), name="reject")
        moving = tasks.create_task(self._archive.run(), name="archive")
        dropping = tasks.create_task(self._retaining.run(), name="retention")
        own = watching, observing, tidying, rejecting, moving, dropping
        stack.push_async_callback(_stopped, *own)
        if self._daily.kinds:
            noticing = tasks.create_task(self._daily.run(), name="daily runs")
            stack.push_async_callback(_stopped, noticing)
        if self._feeds is not None:
            feeding = tasks.create_task(self._feeds.run(), name="feeds")
            stack.push_async_callback(_stopped, feeding)
        stack.push_async_callback(self._drain, exchange)
        await self._serve(stack, tasks)
        await self._serve_control(stack, tasks)
        for link in self._links:
            self._exchange.add(link)
            running = tasks.create_task(link.run(), name=f"link {link.id}")
            asking = tasks.create_task(self._keep_asking(link), name=f"ask {link.id}")
            stack.push_async_callback(_stopped, running, asking)
        stack.push_async_callback(self._stop_links)

    async def _serve(self, stack: AsyncExitStack, tasks: asyncio.TaskGroup) -> None:
        """Serve HTTP, and come back when it does."""
        listening = asyncio.get_running_loop().create_future()
        listen = self._settings.http.listen
        app = create_app(self, api(self._office))
        serving = serve(app, listen.host, listen.port, listening.set_result)
        await _started(tasks.create_task(serving, name="http"), listening, stack)
        self.http_address = (listen.host, listening.result())

    async def _serve_control(self, stack: AsyncExitStack, tasks: asyncio.TaskGroup) -> None:
        """Serve the commands on this process; the daemon's lock says that nobody else does."""
        listening = asyncio.get_running_loop().create_future()
        path = self._settings.data_dir / unix.CONTROL
        serving = serve_unix(create_control(self), path, lambda: listening.set_result(None))
        await _started(tasks.create_task(serving, name="control"), listening, stack)

    async def _stop_links(self) -> None:
        """Let what was submitted be answered, unbind, close: all links at once."""
        await asyncio.gather(*(link.stop(DRAIN) for link in self._links))

    async def _drain(self, exchange: asyncio.Task[None]) -> None:
        """Store what the links handed over at the end."""
        self._exchange.drain()
        await asyncio.wait({exchange}, timeout=1.0)
        exchange.cancel()

    async def _watch(self) -> None:
        """Notice what commands write: queued messages, a new billing cache."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_EVERY
            await asyncio.sleep(LOOK_EVERY)
            metrics.EVENT_LOOP_LAG.set(max(loop.time() - due, 0.0))
            with suppress(StorageUnavailableError):  # tried again at the next look
                await self._look()

    async def _look(self) -> None:
        look = await self._database.look()
        if look.changed:
            self._exchange.look_again()
        if look.cache_error and look.cache_error != self._cache_error:
            log.error("billing.unreadable", reason=look.cache_error)
        self._cache_error = look.cache_error
        self._activating |= look.fed
        if self._activating:
            await self._registrar.activate()
            self._activating = False
            await self._observe()
            current = await self._database.run(current_snapshot)
            await asyncio.to_thread(sweep, self._settings.data_dir, current)

    async def _keep_observing(self) -> None:
        while True:
            await asyncio.sleep(OBSERVE_EVERY)
            await self._observe()

    async def _keep_asking(self, link: Link) -> None:
        while True:
            await asyncio.sleep(ASK_EVERY)
            await self._ask(link)

    async def _ask(self, link: Link) -> None:
        """Ask a carrier about messages whose receipt doesn't come, while it has places for that."""
        with suppress(StorageUnavailableError):
            more = await self._ask_some(link)
            while more:
                await asyncio.sleep(ASK_AGAIN)
                more = await self._ask_some(link)

    async def _ask_some(self, link: Link) -> int:
        """Ask about as many as there are places for now; of how many that was."""
        query_after = self._settings.carriers[link.id].query_after
        after: inquiries.Place | None = inquiries.START
        while query_after and after is not None and link.state().status is LinkStatus.BOUND:
            now = self._clock.now()
            found, after = await self._database.run(
                inquiries.due, link.id, query_after, now, ASK_MOST, after
            )
            if found:
                if asked := found[: link.ask(found)]:
                    await self._database.run(inquiries.note, asked, now)
                return len(asked)
        return 0

    async def _observe(self) -> None:
        with suppress(StorageError, sqlite3.Error):  # the last reading stands
            reading = await asyncio.to_thread(observe, self._settings.data_dir)
            for carrier, held in reading.held.items():
                if held > self._observed.held.get(carrier, 0):
                    log.warning("queue.held", carrier=carrier, segments=held)
            self._observed = reading
        publish(self._observed, list(self._settings.carriers), self._clock.now())
        await self._notices.look()


def _feed_watch(settings: Settings) -> FeedWatch | None:
    billing = settings.billing
    if billing.feed_dir is None:
        return None
    return FeedWatch(
        billing.feed_dir,
        settings.data_dir,
        billing.max_shrink,
        billing.import_limit,
        derive.secret(settings),
    )


async def _started(
    serving: asyncio.Task[None], listening: asyncio.Future[Any], stack: AsyncExitStack
) -> None:
    """Wait until a server listens; `stack` learns how to stop it. Raises what kept it from it."""
    stack.push_async_callback(_stopped, serving)
    await asyncio.wait({serving, listening}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        serving.result()


async def _stopped(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks and wait until they are through."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)

"""How a link's sessions come to be by dialling the carrier.

A task for each post (a place where a session is held) dials, binds, waits for the end of the
session and begins again, for ever and at a decent pace.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Final

from smsgw.carrier import tls
from smsgw.carrier.backoff import REFUSED, Backoff, Trouble
from smsgw.carrier.connection import Connection
from smsgw.carrier.translate import refusal
from smsgw.carrier.ways import Failure, Holder
from smsgw.carrier.wording import said
from smsgw.clock import Clock
from smsgw.service.ports import LinkStatus
from smsgw.settings.model import CarrierSettings
from smsgw.settings.types import Address
from smsgw.smpp.session import Role
from smsgw.smpp.status import bind_reaction
from smsgw.smpp.tables import Command

CONNECT_SECONDS: Final = 10.0
STEADY_SECONDS: Final = 60.0  # a session that lasted so long is no part of a flapping


class Dialling:
    """Keeps a link's posts (`ways.Way`)."""

    addresses: Sequence[Address] = ()

    def __init__(
        self, settings: CarrierSettings, holder: Holder, clock: Clock, random: Random
    ) -> None:
        self._settings = settings
        self._holder = holder
        self._clock = clock
        self._backoff = Backoff(random)
        self._log = holder.log.bind(host=settings.host, port=settings.port)
        self._hurried = asyncio.Event()
        self._last_failure: Failure | None = None
        self._contexts = tls.contexts(tls.dialling, settings.tls, self._log)

    async def run(self) -> None:
        while True:
            await self._holder.wanted.wait()
            self._holder.turn(LinkStatus.CONNECTING)
            failure = await self._hold_session()
            if self._holder.wanted.is_set():
                await self._pause(failure)

    async def _hold_session(self) -> Failure:
        """Dial, bind and wait for the end, which is also the socket's."""
        started = self._clock.monotonic()
        got = await self._bind()
        if isinstance(got, Failure):
            return got
        try:
            self._last_failure = None
            await asyncio.shield(got.closed)
        finally:
            got.abort()
        if self._clock.monotonic() - started >= STEADY_SECONDS:
            self._backoff.reset()
        return Failure("link.lost", Trouble.LOST, got.reason)

    async def _bind(self) -> Connection | Failure:
        """A bound connection; without one, nothing is left open."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await self._dial()
        except TimeoutError:
            return Failure("link.unreachable", Trouble.UNREACHABLE, "no connection in time")
        except OSError as error:
            return Failure("link.unreachable", Trouble.UNREACHABLE, said(error))
        try:
            self._holder.bind_tried()
            connection.bind(
                Command.BIND_TRANSCEIVER,
                self._settings.system_id,
                self._settings.password.get_secret_value(),
                self._settings.system_type,
            )
            await asyncio.shield(connection.opened)
        except BaseException:
            connection.abort()
            raise
        if connection.id is not None:
            return connection
        await asyncio.shield(connection.closed)
        if connection.refusal is None:
            return Failure("link.unreachable", Trouble.UNREACHABLE, connection.reason)
        self._holder.bind_refused(connection.refusal)
        trouble = REFUSED[bind_reaction(connection.refusal)]
        return Failure("link.bind_refused", trouble, refusal(connection.refusal))

    async def _dial(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: self._holder.connection(Role.ESME, self._log),
            self._settings.host,
            self._settings.port,
            **tls.options(self._contexts, self._settings.host),
        )
        return connection

    async def _pause(self, failure: Failure) -> None:
        """Say once what went wrong, and wait as long as that needs."""
        delay = self._backoff.next(failure.trouble)
        self._holder.failed(failure)
        self._holder.turn(LinkStatus.WAITING)
        say: Callable[..., object] = self._log.warning
        if failure.trouble is Trouble.CREDENTIALS:
            say = self._log.error
        if failure == self._last_failure:
            say = self._log.debug
        say(failure.event, reason=failure.reason, retry_in=round(delay, 1))
        self._last_failure = failure
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._hurried.wait()

    def hurry(self) -> None:
        self._hurried.set()
        self._hurried.clear()

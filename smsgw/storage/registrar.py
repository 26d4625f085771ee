"""The daemon's care for pending registrations: active by the feed that knows them, or rejected."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from smsgw.clock import Clock
from smsgw.log import get_logger
from smsgw.service.ports import StorageUnavailableError
from smsgw.storage import billing, pending
from smsgw.storage.audit import DAEMON, FEED, Author, Origin
from smsgw.storage.policy import Policy
from smsgw.storage.sqlite import Database

log = get_logger(__name__)

REJECT_EVERY: Final = 60.0  # seconds between two looks for what has been pending for too long


class Registrar:
    """Looks at what is pending, a short transaction at a time. `readable` says whether the billing
    cache can be read, if there is one; `changed` is called when messages were queued."""

    def __init__(
        self,
        database: Database,
        policy: Policy,
        clock: Clock,
        readable: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self._database = database
        self._policy = policy
        self._clock = clock
        self._readable = readable
        self._changed = changed

    async def run(self) -> None:
        """Reject what has been pending for too long; first what became so while no daemon ran."""
        while True:
            with suppress(StorageUnavailableError):
                # The customer numbers may stand in a cache that can't be read.
                while self._readable() and await self._reject() == pending.BATCH:
                    pass
            await asyncio.sleep(REJECT_EVERY)

    async def activate(self) -> None:
        """Try what is pending against a new cache. Raises StorageUnavailableError."""
        after: int | None = 0
        active = told = 0
        try:
            while after is not None:
                batch = await self._database.run(
                    pending.activate,
                    after,
                    self._policy.rules,
                    self._policy.encodings,
                    self._author(FEED),
                )
                active, told, after = active + batch.changed, told + batch.told, batch.last
        finally:
            self._changed()
        log.info("billing.taken", activated=active, told=told)
        if self._policy.rules.require_code and await self._database.run(billing.without_codes):
            log.warning("billing.no_codes", advice="no message can register: send a code column")

    async def _reject(self) -> int:
        rejected = await self._database.run(
            pending.reject,
            self._database.cache_attached,
            self._policy.rules,
            self._policy.encodings,
            self._author(DAEMON),
        )
        if rejected.changed:
            log.info("registrations.rejected", count=rejected.changed, told=rejected.told)
            self._changed()
        return rejected.changed

    def _author(self, origin: Origin) -> Author:
        return Author(self._policy.keyed, origin, self._clock.now())

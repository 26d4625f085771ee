"""The daemon's task that drops what is no longer kept, once an hour and a sweep at a time."""

import asyncio
from contextlib import suppress
from typing import Final

from smsgw.clock import Clock
from smsgw.log import get_logger
from smsgw.service.keep import Keep
from smsgw.service.keyed import Keyed
from smsgw.service.ports import StorageUnavailableError
from smsgw.storage.retention import SWEEPERS
from smsgw.storage.sqlite import Database

EVERY: Final = 3600.0  # seconds
FIRST: Final = 60.0  # seconds after the start: it has more urgent things to do
REST: Final = 4.0  # times that a sweep took: answers have the database most of the time

log = get_logger(__name__)


class Retaining:
    """Keeps things for as long as the configuration says, and no longer."""

    def __init__(self, database: Database, keep: Keep, keyed: Keyed, clock: Clock) -> None:
        self._database = database
        self._keep = keep
        self._keyed = keyed
        self._clock = clock

    async def run(self) -> None:
        await asyncio.sleep(FIRST)
        while True:
            with suppress(StorageUnavailableError):  # what was not dropped is the next time
                await self.sweep()
            await asyncio.sleep(EVERY)

    async def sweep(self) -> None:
        """Drop all that is due now. Raises StorageUnavailableError."""
        loop = asyncio.get_running_loop()
        dropped: dict[str, int] = {}
        for sweeper in SWEEPERS:
            after: int | None = 0
            while after is not None:
                began = loop.time()
                swept = await self._database.run(
                    sweeper, self._keep, self._keyed, self._clock.now(), after
                )
                if swept.rows:
                    dropped[sweeper.__name__] = dropped.get(sweeper.__name__, 0) + swept.rows
                after = swept.after
                if after is not None:
                    await asyncio.sleep(REST * (loop.time() - began))
        if dropped:
            log.info("retention.dropped", **dropped)

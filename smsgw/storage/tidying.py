"""The daemon's hourly tidying, a step at a time."""

import asyncio
from contextlib import suppress
from typing import Final

from smsgw import metrics
from smsgw.clock import Clock
from smsgw.service.message import SegmentKey
from smsgw.service.ports import StorageUnavailableError
from smsgw.storage.sqlite import Database
from smsgw.storage.tidy import START, tidy

EVERY: Final = 3600.0  # seconds between two clearings of what nothing refers to any more


class Tidying:
    """Ends what waits in vain, and counts it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            with suppress(StorageUnavailableError):  # what was not done is the next time
                await self.tidy()

    async def tidy(self) -> None:
        """Do all of it now. Raises StorageUnavailableError."""
        after: SegmentKey | None = START
        while after is not None:
            tidied = await self._database.run(tidy, self._clock.now(), after)
            for carrier, count in tidied.orphans.items():
                metrics.RECEIPTS_ORPHANED.labels(carrier).inc(count)
            for (carrier, state), count in tidied.final.items():
                metrics.SEGMENTS.labels(carrier, state.value).inc(count)
            after = tidied.after

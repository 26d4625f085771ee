"""The daily runs of notices: one of each kind that starts by itself, on each open day."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

from smsgw.clock import Clock
from smsgw.log import get_logger
from smsgw.service.notices import NoticeKind, NoticeRules
from smsgw.service.ports import StorageUnavailableError
from smsgw.storage import notice_worker
from smsgw.storage.aside import AsideError, aside
from smsgw.storage.notice_worker import Report, Task
from smsgw.storage.sqlite import Database
from smsgw.storage.turns import automatic_run

LOOK_EVERY: Final = 5.0  # seconds between two looks at the clock
RETRY_EVERY: Final = 60.0  # seconds between two tries of a run that can't be made

log = get_logger(__name__)

Make = Callable[[Task], Awaitable[Report]]


async def _in_a_process(task: Task) -> Report:
    try:
        return await aside(notice_worker.make, task)
    except AsideError as error:
        return Report(str(error))


class DailyRuns:
    """Has the run of each of `kinds` made when an open day's hours begin, or as soon after that as
    there is a daemon and the billing data are young enough."""

    def __init__(
        self,
        database: Database,
        data_dir: Path,
        secret: str | None,
        kinds: Collection[NoticeKind],
        rules: NoticeRules,
        clock: Clock,
        make: Make = _in_a_process,
    ) -> None:
        self._database = database
        self._data_dir = data_dir
        self._secret = secret
        self.kinds = kinds
        self._rules = rules
        self._clock = clock
        self._make = make
        self._made: dict[NoticeKind, date] = {}
        self._retry_at: dict[NoticeKind, float] = {}
        self._warned: dict[NoticeKind, tuple[date, str]] = {}

    async def run(self) -> None:
        while True:
            with suppress(StorageUnavailableError):  # tried again at the next look
                await self.step()
            await asyncio.sleep(LOOK_EVERY)

    async def step(self) -> None:
        """Make what is due now. Raises StorageUnavailableError."""
        now = self._clock.now()
        if self._rules.calendar.window(now) is None:
            return
        day = self._rules.calendar.day(now)
        for kind in self.kinds:
            waits = self._clock.monotonic() < self._retry_at.get(kind, 0.0)
            if self._made.get(kind) == day or waits:
                continue
            if await self._database.run(automatic_run, kind, day) is None:
                await self._have_made(kind, day, now)
            else:
                self._made[kind] = day

    async def _have_made(self, kind: NoticeKind, day: date, now: float) -> None:
        task = Task(self._data_dir, kind, day, self._rules, self._secret, now)
        report = await self._make(task)
        if not report.refusal:
            self._made[kind] = day
            log.info(
                "notices.run_made",
                run=report.run,
                kind=kind.value,
                state=report.state,
                notices=report.notices,
            )
            return
        self._retry_at[kind] = self._clock.monotonic() + RETRY_EVERY
        if self._warned.get(kind) != (day, report.refusal):
            self._warned[kind] = day, report.refusal
            log.warning("notices.run_refused", kind=kind.value, reason=report.refusal)

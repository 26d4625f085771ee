"""Says how the runs of notices come on: in the log, in the metrics, with a forecast."""

import asyncio
import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from smsgw import metrics
from smsgw.clock import Clock
from smsgw.log import get_logger
from smsgw.service.forecast import Forecast, forecast
from smsgw.service.notices import NoticeKind, NoticeRules, NoticeState, RunState
from smsgw.service.run_parts import parts_left, rates
from smsgw.storage.database import StorageError
from smsgw.storage.planning import begins
from smsgw.storage.progress import Progress, RunProgress, observe

SAY_EVERY: Final = 60.0  # seconds between two lines on the progress of a run

_GOING: Final = (RunState.HELD, RunState.RUNNING, RunState.PAUSED)

log = get_logger(__name__)


class NoticeWatch:
    """Tells what it finds at each look.

    `paces` gives what each carrier that is bound may be sent, in parts a second; 0: there is no
    limit. What it was seen to be sent counts more.
    """

    def __init__(
        self,
        data_dir: Path,
        rules: NoticeRules,
        clock: Clock,
        paces: Callable[[], Mapping[str, float]],
    ) -> None:
        self._data_dir = data_dir
        self._rules = rules
        self._clock = clock
        self._paces = paces
        self._known: dict[int, RunState] = {}
        self._last: int | None = None  # the last run when the last reading was taken
        self._said_at: dict[int, float] = {}
        self._late: dict[int, float] = {}  # runs said to be late, by the window's closing
        self._stale = False

    async def look(self) -> None:
        going = [run for run, state in self._known.items() if state in _GOING]
        with suppress(StorageError, sqlite3.Error):  # the last reading stands
            now = self._clock.now()
            self.tell(await asyncio.to_thread(observe, self._data_dir, now, going, self._last))

    def tell(self, progress: Progress) -> None:
        """Tell of a reading."""
        now = self._clock.now()
        self._last = progress.last
        running = [run for run in progress.runs if run.state is RunState.RUNNING]
        stale = self._waits_for_data(running, progress.cache_as_of, now)
        left: defaultdict[float, Counter[str]] = defaultdict(Counter)  # by when it may begin
        ahead = whole = forecast({}, {}, self._rules.calendar, now)
        pace = rates([run.sending for run in running], self._paces(), self._rules, now)
        for run in progress.runs:
            if run.state is RunState.RUNNING:
                begins_at = begins(self._rules, run.day, now)
                left[begins_at] += parts_left(run.sending, self._rules)
                ahead = forecast(left[begins_at], pace, self._rules.calendar, begins_at)
                whole = max(whole, ahead, key=_done_at)
            self._tell_run(run, ahead, now)
        self._publish(progress.runs, whole, now, stale)

    # -- the log ---------------------------------------------------------------------------

    def _waits_for_data(
        self, running: Sequence[RunProgress], as_of: float | None, now: float
    ) -> bool:
        age = math.inf if as_of is None else now - as_of
        old = age > self._rules.max_age if self._rules.max_age else as_of is None
        stale = old and any(
            run.kind is not NoticeKind.ANNOUNCEMENT and run.count(NoticeState.PLANNED)
            for run in running
        )
        if stale and not self._stale:
            of = None if as_of is None else self._local(as_of)
            log.warning("notices.held", reason=f"the billing data are of {of or 'no date'}")
        self._stale = stale
        return stale

    def _tell_run(self, run: RunProgress, ahead: Forecast, now: float) -> None:
        before = self._known.get(run.id)
        self._known[run.id] = run.state
        about = {"run": run.id, "kind": run.kind.value}
        if run.state is RunState.MAKING:
            return
        if run.state is RunState.RUNNING:
            self._tell_running(run, before, ahead, now)
        elif run.state is before:
            return
        elif run.state is RunState.HELD:
            log.warning("notices.run_held", **about, notices=run.notices, reason=run.hold)
        else:
            log.info(
                f"notices.run_{run.state.value}",
                **about,
                sent=run.count(NoticeState.SENT),
                cancelled=run.count(NoticeState.CANCELLED),
                left=run.count(NoticeState.PLANNED),
            )
        if run.state not in _GOING:
            for known in (self._known, self._said_at, self._late):
                known.pop(run.id, None)

    def _tell_running(
        self, run: RunProgress, before: RunState | None, ahead: Forecast, now: float
    ) -> None:
        about = {"run": run.id, "kind": run.kind.value}
        done_by = None if ahead.done_at is None else self._local(ahead.done_at)
        monotonic = self._clock.monotonic()
        left = run.count(NoticeState.PLANNED)
        if before is not RunState.RUNNING:
            log.info("notices.run_started", **about, left=left, done_by=done_by)
            self._said_at[run.id] = monotonic
        elif monotonic >= self._said_at.get(run.id, 0.0) + SAY_EVERY and self._open(now):
            log.info(
                "notices.progress",
                **about,
                sent=run.count(NoticeState.SENT),
                cancelled=run.count(NoticeState.CANCELLED),
                left=left,
                done_by=done_by,
            )
            self._said_at[run.id] = monotonic
        window = self._rules.calendar.next_window(now)
        late = ahead.done_at is not None and not ahead.this_window
        if late and window is not None and self._late.get(run.id) != window.closes:
            self._late[run.id] = window.closes
            log.warning("notices.not_done_in_time", **about, left=left, done_by=done_by)

    def _open(self, now: float) -> bool:
        return self._rules.calendar.window(now) is not None

    def _local(self, at: float) -> str:
        return f"{datetime.fromtimestamp(at, self._rules.calendar.timezone):%Y-%m-%d %H:%M}"

    # -- the metrics -----------------------------------------------------------------------

    def _publish(
        self, runs: Sequence[RunProgress], whole: Forecast, now: float, stale: bool
    ) -> None:
        planned: Counter[tuple[NoticeKind, str]] = Counter()
        for run in runs:
            for (carrier, _, state), count in run.counts.items():
                if state is NoticeState.PLANNED and run.state in _GOING:
                    planned[run.kind, carrier] += count
        for kind in NoticeKind:
            for carrier in self._rules.encodings:
                gauge = metrics.NOTICES_PLANNED.labels(carrier, kind.value)
                gauge.set(planned[kind, carrier])
        states = Counter(run.state for run in runs)
        for going in _GOING:
            metrics.NOTICE_RUNS.labels(going.value).set(states[going])
        metrics.NOTICES_SECONDS_LEFT.set(math.nan if whole.done_at is None else whole.done_at - now)
        metrics.NOTICES_LATE.set(whole.done_at is not None and not whole.this_window)
        metrics.NOTICES_STALE.set(stale)


def _done_at(one: Forecast) -> float:
    return math.inf if one.done_at is None else one.done_at

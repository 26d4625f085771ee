"""Says how the runs of notices come on: in the log, in the metrics, with a forecast."""

import asyncio
import math
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from smsgw import metrics
from smsgw.clock import Clock
from smsgw.log import get_logger
from smsgw.service.forecast import Forecast, forecast
from smsgw.service.message import Encoding, Script
from smsgw.service.notices import Due, NoticeKind, NoticeRules, NoticeState, RunState, text
from smsgw.storage.database import StorageError
from smsgw.storage.progress import Progress, RunProgress, observe

SAY_EVERY: Final = 60.0  # seconds between two lines on the progress of a run
SEEN_FOR: Final = 60.0  # seconds over which the pace of the carriers is measured
SEEN_LEAST: Final = 10.0  # less than that says nothing yet

# What a notice is taken to say where only its length matters.
_DAY: Final = "20.12.2026"
_USUAL: Final = Due(
    ("",), {"number": "300012345678", "amount": "123,45 EUR", "due": _DAY, "cut_off": _DAY}
)
_GOING: Final = (RunState.HELD, RunState.RUNNING, RunState.PAUSED)

log = get_logger(__name__)

Parts = Counter[str]


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
        self._sent: deque[tuple[float, Parts]] = deque()

    async def look(self) -> None:
        going = [run for run, state in self._known.items() if state in _GOING]
        with suppress(StorageError, sqlite3.Error):  # the last reading stands
            self.tell(await asyncio.to_thread(observe, self._data_dir, going, self._last))

    def tell(self, progress: Progress) -> None:
        """Tell of a reading."""
        now = self._clock.now()
        self._last = progress.last
        running = [run for run in progress.runs if run.state is RunState.RUNNING]
        self._note_pace(running, now)
        stale = self._waits_for_data(running, progress.cache_as_of, now)
        left: Parts = Counter()
        whole = forecast({}, {}, self._rules.calendar, now)
        rates = self._rates()
        for run in progress.runs:
            if run.state is RunState.RUNNING:
                left += self._parts(run, NoticeState.PLANNED)
                whole = forecast(left, rates, self._rules.calendar, now)
            self._tell_run(run, whole, now)
        self._publish(progress.runs, whole, now, stale)

    # -- the pace --------------------------------------------------------------------------

    def _note_pace(self, running: Iterable[RunProgress], now: float) -> None:
        """Keep what was sent until when, as far as that says how fast it goes."""
        sent: Parts = Counter()
        for run in running:
            sent += self._parts(run, NoticeState.SENT)
        fewer = self._sent and any(sent[one] < count for one, count in self._sent[-1][1].items())
        if self._rules.calendar.window(now) is None or not sent or fewer:
            self._sent.clear()
        if sent:
            self._sent.append((self._clock.monotonic(), sent))
        while self._sent and self._sent[0][0] < self._sent[-1][0] - SEEN_FOR:
            self._sent.popleft()

    def _rates(self) -> dict[str, float]:
        """Parts a second of each carrier that is bound."""
        rates = dict(self._paces())
        if self._sent:
            (began, before), (ended, after) = self._sent[0], self._sent[-1]
            if ended - began >= SEEN_LEAST:
                for carrier in rates:
                    if (sent := after[carrier] - before[carrier]) > 0:
                        rates[carrier] = sent / (ended - began)
        return rates

    def _parts(self, run: RunProgress, state: NoticeState) -> Parts:
        """What the notices of a run in a state come to, by carrier."""
        parts: Parts = Counter()
        for (carrier, script, each), count in run.counts.items():
            if each is state:
                parts[carrier] += count * self._length(run, carrier, script)
        return parts

    def _length(self, run: RunProgress, carrier: str, script: Script) -> int:
        announced = run.kind is NoticeKind.ANNOUNCEMENT
        said = run.text if announced else text(run.kind, _USUAL, script, self._rules)
        return self._rules.encodings.get(carrier, Encoding()).count_parts(said)

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

    def _tell_run(self, run: RunProgress, whole: Forecast, now: float) -> None:
        before = self._known.get(run.id)
        self._known[run.id] = run.state
        about = {"run": run.id, "kind": run.kind.value}
        if run.state is RunState.MAKING:
            return
        if run.state is RunState.RUNNING:
            self._tell_running(run, before, whole, now)
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
        self, run: RunProgress, before: RunState | None, whole: Forecast, now: float
    ) -> None:
        about = {"run": run.id, "kind": run.kind.value}
        done_by = None if whole.done_at is None else self._local(whole.done_at)
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
        late = whole.done_at is not None and not whole.this_window
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

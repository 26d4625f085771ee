"""What all plays have in common: the configuration, the loop, the clock, and who listens."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, Final
from unittest.mock import patch

import structlog
from notices.carrier import Smsc
from notices.process import side_by_side
from structlog.typing import EventDict
from virtual.daemon import composed
from virtual.loop import Bounds, VirtualLoop

from smsgw import app
from smsgw.service import exchange
from smsgw.settings.model import Settings
from smsgw.storage import archive, daily, registrar, tidying

CARRIERS: Final = ("mtel", "telenor", "vivacom")
SERVICE_TYPES: Final = {"notice": "NOTE", "announcement": "ANNO"}
# Changes of clock in Sofia: from then on it is so many hours ahead of UTC.
AHEAD: Final = (
    (datetime(2025, 10, 26, 1, tzinfo=UTC), 2),
    (datetime(2026, 3, 29, 1, tzinfo=UTC), 3),
    (datetime(2026, 10, 25, 1, tzinfo=UTC), 2),
)
# Days are long: looks are rare.
EVERY: Final[dict[tuple[ModuleType, str], float]] = {
    (app, "LOOK_EVERY"): 300.0,
    (app, "OBSERVE_EVERY"): 3600.0,
    (app, "ASK_EVERY"): 1800.0,
    (archive, "EVERY"): 3600.0,
    (daily, "LOOK_EVERY"): 300.0,
    (exchange, "LONGEST_PAUSE"): 900.0,
    (registrar, "REJECT_EVERY"): 3600.0,
    (tidying, "EVERY"): 10_800.0,
}


def local(moment: float) -> datetime:
    """What the clocks in Sofia show, without a zone."""
    utc = datetime.fromtimestamp(moment, UTC)
    hours = next(hours for since, hours in reversed(AHEAD) if since <= utc)
    return utc.replace(tzinfo=None) + timedelta(hours=hours)


def at(day: date, hour: int, minute: int = 0) -> float:
    """When the clocks in Sofia show it."""
    shown = datetime.combine(day, time(hour, minute))
    for hours in (2, 3):
        moment = (shown - timedelta(hours=hours)).replace(tzinfo=UTC).timestamp()
        if local(moment) == shown:
            return moment
    raise ValueError(f"there is no {shown}")


class Turning:
    """The clock on the wall, which can be set."""

    def __init__(self, loop: VirtualLoop, begin: float) -> None:
        self.monotonic = loop.time
        self._begin = begin

    def now(self) -> float:
        return self._begin + self.monotonic()

    def jump(self, seconds: float) -> None:
        self._begin += seconds


class StepLoop(VirtualLoop):
    """Calls something after so many of its turns."""

    after: tuple[int, Callable[[], None]] | None = None

    def select(self, timeout: float | None) -> tuple[()]:
        if self.after is not None and self.turns >= self.after[0]:
            _, call = self.after
            self.after = None
            call()
            timeout = 0.0  # there may be something to do now
        return super().select(timeout)


class Stage:
    """Where a play is played."""

    def __init__(self, seed: int, configured: dict[str, Any], begin: float, bounds: Bounds) -> None:
        self.settings = Settings.model_validate(configured)
        self.loop = StepLoop(Random(seed), bounds)
        self.clock = Turning(self.loop, begin)
        self.problems: list[str] = []
        self.said: list[str] = []
        self.deaf = False  # to what a daemon says that is dead
        self.turned = asyncio.Event()
        self.loop.set_exception_handler(self._failed)

    def host(self, smsc: Smsc) -> Smsc:
        self.loop.hosts[smsc.name, 2775] = smsc
        return smsc

    def after_turns(self, turns: int, call: Callable[[], None]) -> None:
        """Call it between two turns of the loop; `turned` is set then."""
        self.turned.clear()

        def both() -> None:
            call()
            self.turned.set()

        self.loop.after = self.loop.turns + turns, both

    def run(
        self, play: Coroutine[Any, Any, None], every: Mapping[tuple[ModuleType, str], float] = {}
    ) -> None:
        """Play it. `every` gives constants of the daemon's modules, seconds between two looks."""
        structlog.configure(
            processors=[self._logged],
            wrapper_class=structlog.make_filtering_bound_logger(20),
            cache_logger_on_first_use=False,
        )
        with ExitStack() as stack:
            stack.enter_context(composed())
            stack.enter_context(side_by_side())
            for (module, name), seconds in every.items():
                stack.enter_context(patch.object(module, name, seconds))
            runner = stack.enter_context(asyncio.Runner(loop_factory=lambda: self.loop))
            runner.run(play)

    def _logged(self, logger: object, level: str, event: EventDict) -> EventDict:
        if self.deaf:
            raise structlog.DropEvent
        name = event.pop("event")
        error = event.pop("exc_info", None)
        said = " ".join(f"{key}={value}" for key, value in event.items() if key != "data_dir")
        said = said.replace(f"process {os.getpid()}", "a process")
        self.said.append(f"{local(self.clock.now()):%m-%d %H:%M:%S} {level} {name} {said}")
        if error or level == "error":
            self.problems.append(f"{self.said[-1]} {error or ''}")
        raise structlog.DropEvent

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.problems.append(f"{context['message']}: {context.get('exception')!r}")


def configuration(folder: Path, **carrier: Any) -> dict[str, Any]:
    """What stands in the configuration file; `carrier` in each carrier's part."""
    kinds = {kind: {"service_type": word} for kind, word in SERVICE_TYPES.items()}
    login = {"port": 2775, "system_id": "cez", "password": "secret", "kinds": kinds}
    return {
        "shortcode": "170077",
        "data_dir": str(folder),
        "secret": "of no one",
        "company": {"name": "CEZ", "phone": "0700 10 010"},
        "carriers": {one: {"host": one, **login, **carrier} for one in CARRIERS},
        "notices": {"overdue": {"automatic": True}, "disconnection": {"automatic": True}},
    }

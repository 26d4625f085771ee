"""A clock that is set forward or back, an hour or a day, while notices go out."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from notices.carrier import Plan, Smsc
from notices.daemon import Daemon
from notices.office import Bill, Office, Pair
from notices.saying import messages, read
from notices.town import DAY, rests
from notices.world import CARRIERS, EVERY, Stage, at, configuration, local
from virtual.loop import Bounds

from smsgw.service import exchange

BOUNDS: Final = Bounds(turns=1_000_000, seconds=12 * 86_400.0)
HOUR: Final = 3600.0
SET: Final = (HOUR, -HOUR, 24 * HOUR, -24 * HOUR)
FIRST: Final = date(2026, 3, 9)  # a Monday
DAYS: Final = 7
CUSTOMERS: Final = 60
FEED_EVERY: Final = 6 * HOUR
SOON: Final = 3.0  # seconds until what was claimed is at the carrier
MARGIN: Final = 30 * 60.0  # seconds after an opening: then a run is under way


class Jumps:
    """One seed's play: nobody pays, and each carrier delivers what it gets."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = Random(seed)
        configured = configuration(folder, window=4, throughput=0.005, enquire_link="1h")
        self.stage = Stage(seed, configured, at(FIRST, 5), BOUNDS)
        self.clock = self.stage.clock
        self.office = Office(self.stage.settings, self.clock)
        self.violations = self.stage.problems
        self.counts: Counter[str] = Counter()
        self.smscs = [
            self.stage.host(Smsc(one, self.stage.loop, self.clock, lambda *_: Plan()))
            for one in CARRIERS
        ]
        self.bills: list[Bill] = []
        self.pairs: list[Pair] = []
        for place in range(CUSTOMERS):
            number, due = str(300_000_000_000 + place), FIRST + self.random.randint(-2, 3) * DAY
            cut_off = FIRST + self.random.randint(1, 8) * DAY
            self.bills.append(Bill(number, f"b{place}", due - 20 * DAY, due, cut_off, 1000 + place))
            self.pairs.append(Pair(f"35988{place:07}", number, CARRIERS[place % 3], "latin"))

    def run(self) -> None:
        self.stage.run(self._play(), EVERY | {(exchange, "LONGEST_PAUSE"): 60.0})
        self._judge()

    async def _play(self) -> None:
        self.office.snapshot((), self.bills)
        self.office.take_over(self.pairs)
        daemon = Daemon(self.stage.settings, self.clock, self.stage.loop, lambda: None)
        loop = self.stage.loop
        for moment, act in sorted(self._acts(), key=lambda act: act[0]):
            await asyncio.sleep(max(moment - loop.time(), 0.0))
            act()
        await daemon.stop()

    def _acts(self) -> Iterator[tuple[float, Callable[[], None]]]:
        """What happens, and when by the loop's time."""
        count = DAYS * 24 * HOUR / FEED_EVERY
        for place in range(1, int(count)):
            yield place * FEED_EVERY, lambda: self.office.delta((), ())
        sets = self.random.sample(SET, len(SET))
        for place, seconds in enumerate(sets):
            moment = (24 * place + 4) * HOUR + self.random.uniform(0.0, MARGIN)
            yield moment, partial(self._set, seconds)
        yield DAYS * 24 * HOUR, lambda: None

    def _set(self, seconds: float) -> None:
        with self.office.opened() as con:
            (left,) = con.execute("SELECT count(*) FROM notice WHERE state = 'planned'").fetchone()
        self.counts["sets of the clock while notices waited"] += left > 0
        self.stage.said.append(f"the clock is set by {seconds:.0f} s")
        self.clock.jump(seconds)

    def _judge(self) -> None:
        got: Counter[tuple[str, str, str]] = Counter()
        for smsc in self.smscs:
            for message in messages(smsc.taken):
                one, said = message.first, read(message.text)
                shown = local(one.at)
                got[one.phone, said.number, said.kind] += 1
                opens, last = at(shown.date(), 9), at(shown.date(), 18)
                if rests(shown.date()) or not opens <= one.at <= last + SOON:
                    self.violations.append(f"{shown} {one}: outside the hours")
                if said.kind == "disconnection" and said.named and said.named <= shown.date():
                    self.violations.append(f"{shown} {one}: too late")
        for pair in self.pairs:
            times = got.pop((pair.phone, pair.customer, "overdue"), 0)
            cut = got.pop((pair.phone, pair.customer, "disconnection"), 0)
            self.counts[f"disconnection notices: {cut}"] += 1
            self.counts[f"overdue notices: {times}"] += 1
            if times != 1 or cut > 1:
                self.violations.append(f"{pair}: {times} notices that it is overdue, {cut} others")
        self.violations += [f"{one}: of nobody" for one in got]

"""A month of notices: feeds each day, runs that start by themselves, phones that can't be reached,
customers who pay, stop or change their carrier meanwhile."""

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
from notices.judge import Judge
from notices.office import Office
from notices.town import DAY, FRAIL, SLOW, SPANS, Owed, Phone, Town
from notices.world import CARRIERS, EVERY, Stage, at, configuration, local
from virtual.loop import Bounds

BOUNDS: Final = Bounds(turns=2_000_000, seconds=40 * 86_400.0)


class Month:
    """One seed's play."""

    def __init__(self, seed: int, folder: Path) -> None:
        span = SPANS[seed % len(SPANS)]
        configured = configuration(folder, window=10, throughput=5, enquire_link="1h")
        configured["carriers"][SLOW] |= {"window": 1, "response_timeout": "2h"}
        self.town = Town(span, Random(seed))
        self.stage = Stage(seed, configured, at(span.first, 5), BOUNDS)
        self.clock = self.stage.clock
        self.office = Office(self.stage.settings, self.clock)
        self.violations = self.stage.problems
        self.counts: Counter[str] = Counter()
        self.smscs = {
            one: self.stage.host(Smsc(one, self.stage.loop, self.clock, self._plan))
            for one in CARRIERS
        }
        self._fed: list[float] = []

    def _plan(self, phone: str, kind: str) -> Plan:
        if kind != "NOTE":
            return Plan()
        return self.town.plan(phone, local(self.clock.now()).date())

    def run(self) -> None:
        self.stage.run(self._play(), EVERY)
        taken = [one for smsc in self.smscs.values() for one in smsc.taken]
        judge = Judge(self.town, taken, self._fed)
        judge.judge()
        self.violations += judge.violations
        self.violations += [one for smsc in self.smscs.values() for one in smsc.problems]
        self.counts += judge.counts
        self._count()

    async def _play(self) -> None:
        ends = at(self.town.span.last, 23)
        acts = sorted((act for act in self._acts() if act[0] <= ends), key=lambda act: act[0])
        known = [one for one in self.town.bills if one.since <= self.clock.now() + 3700.0]
        others = {one.bill.customer for one in self.town.bills}
        self.office.snapshot(sorted(others), [one.bill for one in known])
        self._fed.append(self.clock.now())
        for one in known:
            one.known = self.clock.now()
        self.office.take_over(self.town.pairs)
        daemon = Daemon(self.stage.settings, self.clock, self.stage.loop, lambda: None)
        for moment, act in acts:
            await asyncio.sleep(max(moment - self.clock.now(), 0.0))
            if daemon.life.done():
                break
            act()
        await daemon.stop()

    # -- what happens ----------------------------------------------------------------------

    def _acts(self) -> Iterator[tuple[float, Callable[[], None]]]:
        """What happens, and when."""
        town = self.town
        stale = at(town.span.stale - 2 * DAY, 6, 30), at(town.span.stale, 13)
        for day in town.days:
            if not stale[0] < at(day, 6) < stale[1]:
                yield at(day, 6), self._feed
            yield at(day, 9, 20), self._confirm
        yield stale[1], self._feed
        for one in town.bills:
            if one.until is not None:
                until = stale[1] + 1 if stale[0] < one.until < stale[1] else one.until
                one.until = until
                yield until, self._feed
        for phone in town.phones.values():
            if phone.stops is not None:
                yield phone.stops, partial(self._stop, phone)
            if phone.moves is not None:
                yield phone.moves[0], partial(self._move, phone, phone.moves[1])
        for day, hour in town.outages.items():
            yield at(day, 7), self.smscs[FRAIL].go_down
            yield at(day, hour), partial(setattr, self.smscs[FRAIL], "down", False)
        yield at(town.span.last, 23), _quiet

    def _feed(self) -> None:
        now = self.clock.now()
        new = [one for one in self.town.bills if not one.known and one.since <= now]
        paid = [one for one in self.town.bills if one.paid is None and _over(one, now)]
        self.office.delta([one.bill for one in new], [one.bill for one in paid])
        self._fed.append(now)
        for one in new:
            one.known = now
        for one in paid:
            one.paid = now

    def _confirm(self) -> None:
        self.counts["runs held"] += self.office.confirm()

    def _stop(self, phone: Phone) -> None:
        def done(now: float) -> None:
            phone.ended = now

        self.smscs[phone.carriers[-1][1]].write(phone.number, "stop", done)

    def _move(self, phone: Phone, carrier: str) -> None:
        self.smscs[carrier].write(
            phone.number, "smetka", lambda now: phone.carriers.append((now, carrier))
        )

    # -- what came of it -------------------------------------------------------------------

    def _count(self) -> None:
        """What happened, so that it is seen whether everything did."""
        with self.office.opened() as con:
            for reason, count in con.execute(
                "SELECT reason, count(*) FROM notice WHERE state = 'cancelled' GROUP BY reason"
            ):
                self.counts[f"notices cancelled: {reason}"] += count
            for day, sent in con.execute(
                "SELECT day, notice.changed_at FROM notice JOIN notice_run ON run = notice_run.id"
                " WHERE notice.state = 'sent'"
            ):
                late = local(sent).date() > date.fromisoformat(day)
                self.counts["notices sent on a later day than their run's"] += late
        refused = sum("run_refused" in line for line in self.stage.said)
        self.counts["daily runs refused at first"] += refused


def _quiet() -> None:
    pass


def _over(one: Owed, now: float) -> bool:
    return bool(one.known or one.since <= now) and one.until is not None and one.until <= now

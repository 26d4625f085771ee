"""A year, played: the daemon on each day for as long as there is something to do."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, tzinfo
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final
from unittest.mock import patch

import structlog
from replay.carrier import Smsc
from replay.office import Office
from replay.year import CARRIERS, PORTED, YEAR, Bill, Month, Registration, Year
from structlog.typing import EventDict
from virtual.daemon import BareApp, InlineDatabase, composed
from virtual.loop import Bounds, VirtualLoop

from smsgw import app
from smsgw.service.calendar import Calendar
from smsgw.service.message import Channel
from smsgw.service.ports import LinkStatus
from smsgw.settings import derive
from smsgw.settings.model import Settings
from smsgw.smpp.names import MessageState
from smsgw.storage import tidying

BOUNDS: Final = Bounds(turns=10_000_000, seconds=500 * 86_400.0)
HOP: Final = 0.005  # seconds of a transaction
SERVICE_TYPES: Final = {
    "code": "CODE", "answer": "ANSW", "confirmation": "CONF", "manual": "MANU",
    "notice": "NOTE", "announcement": "ANNO",
}  # fmt: skip
NOTICE: Final = SERVICE_TYPES["notice"]
PRICES: Final = {"mtel": 4.1, "telenor": 3.9, "vivacom": 4.4}  # cents of EUR a part
FEED_AT: Final = time(6)
RUN_AT: Final = time(8, 30)
LAST_MINUTE: Final = time(8, 45)
OPENS_AT: Final = time(9)
PLAYED: Final = 30.0  # seconds in which a day's messages come
AT_LEAST: Final = 66.0  # seconds: once a minute finished messages are moved
TIDY_EVERY: Final = 60.0  # seconds: sessions are short
LOOK: Final = 2.0  # seconds between two looks whether all is done
MOST_LOOKS: Final = 600
CHECK_TEXTS: Final = ("smetka",) * 8 + ("Smetka.", "сметка", "СМЕТКА")
FAILED: Final = (MessageState.UNDELIVERABLE, MessageState.EXPIRED)


def configuration(folder: Path) -> dict[str, Any]:
    """What stands in the configuration file."""
    carriers = {
        carrier: {
            "host": carrier, "port": 2775, "system_id": "cez", "password": "secret", "window": 200,
            "price": PRICES[carrier], "enquire_link": "1h",
            "kinds": {kind: {"service_type": word} for kind, word in SERVICE_TYPES.items()},
        }
        for carrier in CARRIERS
    }  # fmt: skip
    return {
        "shortcode": "170077",
        "data_dir": str(folder),
        "secret": "of no one",
        "company": {"name": "CEZ", "phone": "0700 10 010", "email": "info@cezelectro.bg"},
        "carriers": carriers,
    }


class LoopClock:
    """Begins with the last day before the year."""

    def __init__(self, loop: VirtualLoop, zone: tzinfo) -> None:
        self.monotonic = loop.time
        self._epoch = datetime(YEAR - 1, 12, 31, tzinfo=zone).timestamp()

    def now(self) -> float:
        return self._epoch + self.monotonic()


@dataclass
class Ledger:
    """What the world itself knows to have happened, by month."""

    new: Counter[tuple[str, Channel]] = field(default_factory=Counter)  # pairs made active
    ended: Counter[str] = field(default_factory=Counter)  # pairs
    reminded: dict[str, set[str]] = field(default_factory=dict)  # customer numbers
    checking: dict[str, set[str]] = field(default_factory=dict)  # phones
    problems: list[str] = field(default_factory=list)


class Town:
    """Who is registered for what now, and what is open."""

    def __init__(self) -> None:
        self.carrier: dict[str, str] = {}  # by phone
        self.numbers: dict[str, list[str]] = {}  # active ones, by phone
        self.phones: dict[str, list[str]] = {}  # by active number
        self.pending: list[tuple[str, str, Channel]] = []  # phone, number, and how it was asked for
        self.open: dict[str, Bill] = {}  # by number
        self.attempts: dict[tuple[str, str], int] = {}  # of notices, by bill and phone; 2: done

    def activate(self, phone: str, number: str) -> None:
        self.numbers.setdefault(phone, []).append(number)
        self.phones.setdefault(number, []).append(phone)

    def end(self, phone: str) -> int:
        """End what a phone is registered for, and say how much that was."""
        numbers = self.numbers.pop(phone)
        for number in numbers:
            self.phones[number].remove(phone)
            if not self.phones[number]:
                del self.phones[number]
        return len(numbers)

    def to_be_reminded(self, day: date) -> Iterator[tuple[str, str]]:
        """Phone and customer number of each notice that is due on an open day."""
        for number, bill in self.open.items():
            if bill.due < day:
                for phone in self.phones.get(number, ()):
                    if self.attempts.get((bill.number, phone), 0) < 2:
                        yield phone, number

    def reminded(self, phone: str, number: str, failed: bool) -> None:
        """Nothing follows a first attempt but after a failure; nothing ever follows a second."""
        key = self.open[number].number, phone
        self.attempts[key] = 1 if failed and key not in self.attempts else 2


class World:
    """Everything that there is in one replay."""

    def __init__(self, seed: int, share: float, folder: Path) -> None:
        self.random = Random(seed)
        self.loop = VirtualLoop(Random(seed), BOUNDS)
        self.settings = Settings.model_validate(configuration(folder))
        self.calendar: Calendar = derive.calendar(self.settings)
        self.clock = LoopClock(self.loop, self.settings.timezone)
        self.year = Year(seed, share)
        self.stuck = False  # a day doesn't end: none follows it
        self.ledger = Ledger()
        self.town = Town()
        self.smscs = {one: Smsc(one, self.loop, Random(f"{seed} {one}")) for one in CARRIERS}
        self.office = Office(self.settings, self.clock)
        self._known = list(self.year.strangers)  # customers in the billing cache
        self._month = Month({}, {}, {})
        self._checks: dict[date, int] = {}
        for name, smsc in self.smscs.items():
            self.loop.hosts[name, 2775] = smsc
        self.loop.set_exception_handler(self._failed)

    def run(self, over: Sequence[date], progress: Callable[[date], None]) -> None:
        """Play these days, the year's first ones."""
        structlog.configure(
            processors=[self._logged],
            wrapper_class=structlog.make_filtering_bound_logger(30),
            cache_logger_on_first_use=False,
        )
        with (
            composed(),
            patch.object(tidying, "EVERY", TIDY_EVERY),
            asyncio.Runner(loop_factory=lambda: self.loop) as runner,
        ):
            runner.run(self._play(over, progress))

    async def _play(self, over: Sequence[date], progress: Callable[[date], None]) -> None:
        self._before()
        for day in over:
            await self._until(day, FEED_AT)
            self._feed(day)
            due = Counter[tuple[str, str]]()
            if self.calendar.is_open(day):
                await self._until(day, RUN_AT)
                self.office.run(day)
                await self._until(day, LAST_MINUTE)
                if last_minute := self._month.last_minute.get(day):
                    self._paid(last_minute, [])
                due.update(self.town.to_be_reminded(day))
            await self._until(day, OPENS_AT)
            await self._session(day)
            self._judge(day, due)
            if self.stuck:
                return
            progress(day)

    def _before(self) -> None:
        """The company as the year finds it."""
        town = self.town
        for phone, carrier, number in self.year.at_first:
            town.carrier[phone] = carrier
            town.activate(phone, number)
        self._known += town.phones
        for asked in self.year.registrations.values():
            for one in asked:
                if one.known:
                    self._known += [each for each in one.numbers if each not in town.phones]
        self.office.snapshot(self._known, {})
        self.office.take_over(self.year.at_first)

    async def _until(self, day: date, at: time) -> None:
        moment = datetime.combine(day, at, self.settings.timezone).timestamp()
        await asyncio.sleep(max(moment - self.clock.now(), 0.0))

    # -- a day -----------------------------------------------------------------------------

    def _feed(self, day: date) -> None:
        town = self.town
        moved_in = [number for _, number, _ in town.pending]
        for phone, number, channel in town.pending:
            self._activated(phone, number, channel, day)
        town.pending.clear()
        self._known += moved_in
        if day.day == 1:
            numbers = list(town.phones)
            self._month = self.year.month(day, numbers, self.calendar)
            self._checks = self.year.checks(day)
            town.open = dict(self._month.bills)
            town.attempts.clear()
            self.office.snapshot(self._known, town.open)
            return
        self._paid(self._month.payments.get(day, []), moved_in)

    def _paid(self, bills: Sequence[Bill], moved_in: Sequence[str]) -> None:
        for bill in bills:
            del self.town.open[bill.customer]
        self.office.delta(bills, moved_in)

    async def _session(self, day: date) -> None:
        """The daemon, from its start until all is done."""
        for smsc in self.smscs.values():
            smsc.month = _month(day)
            smsc.took.clear()
        database = partial(InlineDatabase, HOP)
        with patch.multiple(app, Database=database, Random=partial(Random, day.toordinal())):
            daemon = BareApp(self.settings, self.clock)
        async with daemon:
            began = self.loop.time()
            await self._looking(
                lambda: all(link.status is LinkStatus.BOUND for link in daemon.links())
            )
            for due, act in self._acts(day):
                await asyncio.sleep(max(began + due - self.loop.time(), 0.0))
                act()
            await self._looking(lambda: not any(smsc.busy for smsc in self.smscs.values()))
            await self._looking(lambda: not self.office.unfinished())
            await asyncio.sleep(max(began + AT_LEAST - self.loop.time(), 0.0))

    async def _looking(self, done: Callable[[], bool]) -> None:
        for _ in range(MOST_LOOKS):
            if done():
                return
            await asyncio.sleep(LOOK)
        self.stuck = True
        waiting = ", ".join(self.office.unfinished()) or "a carrier"
        self.ledger.problems.append(f"at {self.clock.now():.0f} no end is in sight of: {waiting}")

    def _acts(self, day: date) -> Sequence[tuple[float, Callable[[], None]]]:
        """What customers and clerks do on a day, and when."""
        town = self.town
        asked = self.year.registrations.get(day, [])
        checking = self.random.sample(list(town.numbers), self._checks.get(day, 0))
        stopping = self.random.sample(list(town.numbers), self.year.stops.get(day, 0))
        acts = [partial(self._register, one, day) for one in asked]
        acts += [partial(self._check, phone, day) for phone in checking]
        self.random.shuffle(acts)
        # Those who stop do so last: what was asked for before is answered.
        acts += [partial(self._stop, phone, day) for phone in stopping]
        return [(PLAYED * place / len(acts), act) for place, act in enumerate(acts)]

    def _register(self, one: Registration, day: date) -> None:
        town = self.town
        town.carrier[one.phone] = one.carrier
        for number in one.numbers:
            if one.known:
                self._activated(one.phone, number, one.channel, day)
            else:
                town.pending.append((one.phone, number, one.channel))
        if one.channel is Channel.SMS:
            self.smscs[one.carrier].write(one.phone, " ".join(one.numbers))
        else:
            self.office.register(one)

    def _activated(self, phone: str, number: str, channel: Channel, day: date) -> None:
        self.town.activate(phone, number)
        self.ledger.new[_month(day), channel] += 1

    def _check(self, phone: str, day: date) -> None:
        if self.random.random() < PORTED:
            self.town.carrier[phone] = self.random.choice(list(CARRIERS))
        self.ledger.checking.setdefault(_month(day), set()).add(phone)
        self.smscs[self.town.carrier[phone]].write(phone, self.random.choice(CHECK_TEXTS))

    def _stop(self, phone: str, day: date) -> None:
        self.smscs[self.town.carrier[phone]].write(phone, "stop")
        self.ledger.ended[_month(day)] += self.town.end(phone)

    # -- what came of it -------------------------------------------------------------------

    def _judge(self, day: date, due: Counter[tuple[str, str]]) -> None:
        """The carriers got the notices that were due, each once, and no others."""
        got = Counter[tuple[str, str]]()
        reminded = self.ledger.reminded.setdefault(_month(day), set())
        for smsc in self.smscs.values():
            for took in smsc.took:
                if took.kind != NOTICE:
                    continue
                got[took.phone, took.number] += 1
                if took.number in self.town.open:
                    self.town.reminded(took.phone, took.number, took.fate in FAILED)
                if took.fate is not None:
                    reminded.add(took.number)
            self.ledger.problems += smsc.problems
            smsc.problems.clear()
        for phone, number in due - got:
            self.ledger.problems.append(f"{day}: {phone} was not reminded of {number}")
        for phone, number in got - due:
            self.ledger.problems.append(f"{day}: {phone} was reminded of {number}")

    def _logged(self, logger: object, level: str, event: EventDict) -> EventDict:
        self.ledger.problems.append(f"{level}: {event}")
        raise structlog.DropEvent

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.ledger.problems.append(f"{context['message']}: {context.get('exception')!r}")


def _month(day: date) -> str:
    return f"{day:%Y-%m}"

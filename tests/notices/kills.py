"""Runs of notices, and a daemon that is killed again and again while they are made and sent."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from notices.carrier import Plan, Smsc
from notices.daemon import Daemon, Death
from notices.office import Bill, Office, Pair
from notices.process import Process
from notices.saying import Message, messages, read
from notices.world import CARRIERS, Stage, at, configuration
from virtual.loop import Bounds

from smsgw.service.notices import NoticeKind
from smsgw.service.record import HELD
from smsgw.storage.queue import Filter, find
from smsgw.storage.runs import RunRefusedError

KILLS: Final = 10
BOUNDS: Final = Bounds(turns=300_000, seconds=86_400.0)
BEGIN: Final = at(date(2026, 3, 11), 8, 59) + 45.0  # a Wednesday; notices go out from 9 on
TURNS: Final = 500  # of the loop: within so many of its start a daemon is killed
SOON: Final = 60  # and half of the time within so many
FIRES_WITHIN: Final = 40.0  # seconds in which a doomed daemon meets its end, whatever it does
DOWN: Final = (0.1, 20.0)  # seconds
SETTLING: Final = 25 * 60.0  # seconds: more than unknown.wait
CUSTOMERS: Final = 45
SECOND_PHONE: Final = 0.4
CUT_OFF: Final = 0.6
TEXT: Final = "Na 12.03. nyama da ima tok ot 9 do 12 chasa."

What = tuple[str, str, str]  # phone, kind, customer number; of an announcement none


class Claimed(NamedTuple):
    """A part of a message that a daemon had claimed when it was killed."""

    what: What
    part: int


class Kills:
    """One seed's play."""

    def __init__(self, seed: int, folder: Path, kills: int = KILLS) -> None:
        random = Random(seed)
        self.resend = seed % 2 == 0
        settings = configuration(folder, window=4, throughput=15) | {
            "unknown": {"notice": "resend" if self.resend else "hold"}
        }
        self.stage = Stage(seed, settings, BEGIN, BOUNDS)
        self.loop, self.clock = self.stage.loop, self.stage.clock
        self.office = Office(self.stage.settings, self.clock)
        self.violations: list[str] = self.stage.problems
        self.counts: Counter[str] = Counter()
        self.expected: set[What] = set()
        self.claimed: Counter[Claimed] = Counter()
        self.smscs = [
            self.stage.host(Smsc(one, self.loop, self.clock, self._plan)) for one in CARRIERS
        ]
        self._random = random
        self._kills = kills
        self._torn: dict[tuple[str, int], What] = {}  # messages by phone and reference
        self._dead = asyncio.Event()
        self._draw()

    def _plan(self, phone: str, kind: str) -> Plan:
        random = self._random
        return Plan(receipt_after=random.uniform(0.5, 30.0), respond_after=random.uniform(0, 0.4))

    def _draw(self) -> None:
        random = self._random
        self._bills, self._pairs = [], []
        for place in range(CUSTOMERS):
            number = str(300_000_000_000 + place)
            cut_off = date(2026, 3, 12) if random.random() < CUT_OFF else None
            self._bills.append(
                Bill(
                    number, f"b{place}", date(2026, 2, 20), date(2026, 3, 9), cut_off, 1000 + place
                )
            )
            for second in range(1 + (random.random() < SECOND_PHONE)):
                carrier = random.choice(CARRIERS)
                phone = f"35988{second}{place:06}"
                script = random.choice(("latin", "latin", "cyrillic"))
                self._pairs.append(Pair(phone, number, carrier, script))
                self.expected |= {(phone, "overdue", number), (phone, "announcement", "")}
                if cut_off is not None:
                    self.expected.add((phone, "disconnection", number))

    # -- the play --------------------------------------------------------------------------

    def run(self) -> None:
        self.stage.run(self._play())
        self._judge()

    async def _play(self) -> None:
        self.office.snapshot((), self._bills)
        self.office.take_over(self._pairs)
        commands = asyncio.gather(*map(self._command, self._commands()))
        for _ in range(self._kills):
            await self._live_and_die()
            await asyncio.sleep(self._random.uniform(*DOWN))
        daemon = self._start()
        await commands
        await asyncio.sleep(SETTLING)
        await daemon.stop()

    def _start(self) -> Daemon:
        self._dead.clear()
        self.stage.deaf = False
        daemon = Daemon(self.stage.settings, self.clock, self.loop, self._died)
        daemon.life.add_done_callback(partial(self._ended, daemon))
        return daemon

    def _died(self) -> None:
        self.stage.deaf = True
        self._dead.set()

    def _ended(self, daemon: Daemon, life: asyncio.Task[None]) -> None:
        if not life.cancelled() and (error := life.exception()) is not None and daemon.alive:
            self.violations.append(f"the daemon failed: {error!r}")
            self._dead.set()

    async def _live_and_die(self) -> None:
        random = self._random
        death = random.choice(list(Death))
        turns = random.randint(1, SOON if random.random() < 0.5 else TURNS)
        daemon = self._start()
        self.stage.after_turns(turns, lambda: daemon.doomed(death))
        await self.stage.turned.wait()
        try:
            async with asyncio.timeout(FIRES_WITHIN):
                await self._dead.wait()
        except TimeoutError:
            death = Death.AT_ONCE
            daemon.kill()
        self._note(daemon, death)

    def _note(self, daemon: Daemon, death: Death) -> None:
        """Write down what a daemon had claimed when it was killed."""
        self.counts[f"killed {death.value}"] += 1
        self.counts["killed while it made a run"] += daemon.making is not None
        with self.office.opened() as con:
            rows = con.execute(
                "SELECT msisdn, text, reference, part FROM segment JOIN mt ON mt.id = mt_id"
                " WHERE state = 'claimed'"
            ).fetchall()
        self.counts["killed with something claimed"] += bool(rows)
        for phone, text, reference, part in rows:
            what = _what(phone, text)
            self.claimed[Claimed(what, part)] += 1
            self._torn[phone, reference] = what

    def _commands(self) -> list[Callable[[], None]]:
        """What clerks do beside the daily runs; all of it is there already, but for what the first
        announcement holds."""
        numbers = [str(300_000_000_000 + place) for place in range(CUSTOMERS)]
        return [
            partial(self.office.announce, numbers, TEXT),
            partial(self.office.announce, numbers[::-1], TEXT),
            partial(self.office.notice, NoticeKind.OVERDUE),
            partial(self.office.notice, NoticeKind.DISCONNECTION),
        ]

    async def _command(self, work: Callable[[], None]) -> None:
        """By a process that may be killed, too, and is started again then."""
        random = self._random
        await asyncio.sleep(random.uniform(0.0, 200.0))
        killed = random.random() < 0.5
        for _ in range(100):
            command = Process(self.loop, work)
            try:
                async with asyncio.timeout(random.uniform(0.01, 4.0) if killed else 600.0):
                    await command.run()
                    return
            except TimeoutError:
                command.kill()
                self.counts["a command killed while it made a run"] += 1
                killed = False
            except RunRefusedError:  # another is being made
                pass
            await asyncio.sleep(random.uniform(1.0, 20.0))
        self.violations.append("a run can't be made")

    # -- what must hold --------------------------------------------------------------------

    def _judge(self) -> None:
        got = self._got()
        for what in got.keys() - self.expected:
            self.violations.append(f"{what} was never to be sent")
        for what in sorted(self.expected):
            self._judge_one(what, got.get(what, {}))
        self._judge_database(got)
        self.counts["messages"] += len(self.expected)
        self.counts["parts claimed at a kill"] += len(self.claimed)

    def _got(self) -> dict[What, Counter[int]]:
        """How often the carriers got each part of each message."""
        found: dict[What, Counter[int]] = defaultdict(Counter)
        for smsc in self.smscs:
            for message in messages(smsc.taken):
                what = self._said(message)
                for same in message.parts:
                    found[what][same[0].part] += len(same)
        return found

    def _said(self, message: Message) -> What:
        """Of one that didn't come whole it is known from what had been claimed of it."""
        first = message.first
        if message.whole:
            return _what(first.phone, message.text)
        return self._torn.get((first.phone, first.reference), (first.phone, "torn", message.text))

    def _judge_one(self, what: What, got: Mapping[int, int]) -> None:
        claimed = {one.part: times for one, times in self.claimed.items() if one.what == what}
        for part in {1} | got.keys() | claimed.keys():
            times, lost = got.get(part, 0), claimed.get(part, 0)
            self.counts[f"parts got {times} times, claimed at {min(lost, 2)} kills"] += 1
            most = 1 if not (lost and self.resend) else 2
            least = 0 if lost and (not self.resend or lost > 1) else 1
            if not least <= times <= most:
                self.violations.append(
                    f"{what}, part {part}: came {times} times, was claimed at {lost} kills"
                )

    def _judge_database(self, got: Mapping[What, Mapping[int, int]]) -> None:
        with self.office.opened() as con:
            held = {
                Claimed(_what(one.msisdn.digits, one.text), place + 1)
                for one in find(con, Filter({HELD}), 1000).messages
                for place, segment in enumerate(one.segments)
                if segment.held and one.msisdn is not None and one.text is not None
            }
            for run, state in con.execute("SELECT id, state FROM notice_run WHERE state != 'done'"):
                self.violations.append(f"run {run} is {state}")
            for query in _NOTHING:
                if left := con.execute(query).fetchall():
                    self.violations.append(f"{query}: {left}")
        self.counts["parts held as unknown"] += len(held)
        for one in held - self.claimed.keys():
            self.violations.append(f"{one} is held, and was never claimed at a kill")
        for one in self.claimed.keys() - held:
            if not got.get(one.what, {}).get(one.part):
                self.violations.append(f"{one} never came, and is not listed")


def _what(phone: str, text: str) -> What:
    said = read(text)
    return phone, said.kind, said.number


_NOTHING: Final = (
    "SELECT id FROM notice WHERE state != 'sent'",
    "SELECT mt_id, part, state FROM segment WHERE state IN ('queued', 'waiting', 'claimed')",
    "SELECT notice FROM notice_key WHERE notice NOT IN (SELECT id FROM notice)",
    "SELECT id FROM notice WHERE id NOT IN (SELECT notice FROM notice_key)",
)

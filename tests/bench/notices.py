"""`scripts/bench planning|answers|limited|speed`: what runs of notices cost, and what they cost
others."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from figures import FIRST, HEADER, PATIENCE, Bench, daemon, median, ms, new_folder, quantile, say

from smsgw.simulator import Faults, Smsc, SmscSettings
from smsgw.smpp.session import Limits

CARRIERS: Final = {"mtel": ("35988", 0.42), "telenor": ("35989", 0.33), "vivacom": ("35987", 0.25)}
LIMIT: Final = 100  # submits a second that a limited carrier takes
CHECKING: Final = 200  # phones that ask for their bills
ASKED: Final = 10.0  # of these a second
WARMING_UP: Final = 20  # answers
SLOW: Final = 0.5  # seconds to a late response
MADE_IN: Final = 5.0  # seconds at most for a full run, planned and made
PLANNED_IN: Final = 1.0  # and for the plan of 20,000 that were noticed before
SLOT: Final = 1 / LIMIT  # seconds by which a run may delay answers
CONFIG: Final = """\
shortcode: "170077"
data_dir: data
billing: {max_age: 0}
subscriptions: {answers_per_day: 0}
notices: {hours: "00:00-23:59", days: all, min_validity: 0}
carriers:
"""
CARRIER: Final = """\
  %s: {host: 127.0.0.1, port: %d, system_id: cez, password: secret, throughput: %d, window: %d}
"""
END: Final = 'http: {listen: "127.0.0.1:0"}\n'


class Size(NamedTuple):
    """Of the runs that are measured."""

    subscriptions: int
    notices: int
    seconds: int  # of answers beside a run


FULL: Final = Size(140_000, 22_000, 60)
QUICK: Final = Size(20_000, 3_000, 15)


class Customers(NamedTuple):
    """Who is registered; the first customers owe."""

    count: int
    late: int
    shares: Sequence[tuple[str, str, float]]  # carrier, first digits, share of the phones

    def phones(self, carrier: str) -> int:
        """How many of those who owe are the carrier's."""
        return sum(self._carrier(place)[0] == carrier for place in range(self.late))

    def _carrier(self, place: int) -> tuple[str, str]:
        at = place * 0.6180339887498949 % 1.0  # evenly, and mixed
        for carrier, start, share in self.shares:
            if at < share:
                return carrier, start
            at -= share
        return self.shares[-1][:2]

    def phone(self, place: int) -> str:
        return f"{self._carrier(place)[1]}{place:07}"

    def write(self, folder: Path) -> None:
        """The feed and the subscribers file."""
        today = date.today()
        issued, due, cut = (today + timedelta(days=count) for count in (-25, -5, 15))
        with (folder / "bills.csv").open("w", encoding="ascii") as file:
            file.write(HEADER)
            for place in range(self.count):
                bill = f"{place:010},{issued},{due},{cut},{place % 9000 / 100 + 1:.2f},EUR,open"
                file.write(f"{FIRST + place},{bill if place < self.late else ',,,,,,'}\n")
        with (folder / "subscribers.csv").open("w", encoding="ascii") as file:
            file.write("msisdn,customer_number,carrier\n")
            for place in range(self.count):
                carrier, start = self._carrier(place)
                file.write(f"{start}{place:07},{FIRST + place},{carrier}\n")


def of_all(count: int, late: int) -> Customers:
    return Customers(count, late, [(name, *rest) for name, rest in CARRIERS.items()])


async def command(folder: Path, *words: str) -> tuple[float, str]:
    """Run a command, and give the seconds that it took and what it printed."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "smsgw", "-c", str(folder / "smsgw.yaml"), *words),
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, words
    return time.perf_counter() - began, printed.decode()


async def settle(folder: Path, customers: Customers) -> None:
    """Make the databases, with nobody at them."""
    customers.write(folder)
    await command(folder, "billing", "import", str(folder / "bills.csv"))
    await command(folder, "subscribers", "import", str(folder / "subscribers.csv"))


class Gateway(NamedTuple):
    """A daemon, and the carriers that it is bound to."""

    folder: Path
    smscs: dict[str, Smsc]
    news: asyncio.Event

    @property
    def arrived(self) -> int:
        return sum(len(smsc.mts) for smsc in self.smscs.values())

    async def until(self, arrived: int) -> None:
        """Wait until as many messages have arrived in all."""
        while self.arrived < arrived:
            self.news.clear()
            async with asyncio.timeout(PATIENCE):
                await self.news.wait()


def configure(folder: Path, ports: dict[str, int], throughput: int, window: int) -> None:
    carriers = [CARRIER % (name, port, throughput, window) for name, port in ports.items()]
    text = CONFIG + "".join(carriers) + END
    (folder / "smsgw.yaml").write_text(text, encoding="utf-8")


@asynccontextmanager
async def gateway(
    folder: Path, customers: Customers, faults: Faults, *, throughput: int = 0, window: int = 50
) -> AsyncIterator[Gateway]:
    """Everything started in a folder, stopped at the end."""
    news = asyncio.Event()
    settings = SmscSettings(limits=Limits(window=100), receipt_delay=0.01)
    async with AsyncExitStack() as stack:
        smscs = {
            name: await stack.enter_async_context(
                Smsc(settings, faults, watch=lambda _: news.set())
            )
            for name, *_ in customers.shares
        }
        ports = {name: smsc.port for name, smsc in smscs.items()}
        configure(folder, ports, throughput, window)
        await settle(folder, customers)
        async with daemon(folder / "smsgw.yaml"):
            for smsc in smscs.values():
                await smsc.bound(within=PATIENCE)
            yield Gateway(folder, smscs, news)


async def planning(size: Size, folder: Path) -> None:
    """Planning and making a run, by the commands as they are."""
    customers = of_all(size.subscriptions, size.notices)
    configure(folder, dict.fromkeys(CARRIERS, 1), 0, 50)
    await settle(folder, customers)
    bare, _ = await command(folder, "notices", "list")
    seconds, printed = await command(folder, "notices", "plan", "overdue", "--json")
    assert json.loads(printed)["notices"] == size.notices, printed
    each = (seconds - bare) / size.notices * 1e6
    beside = f"{each:.0f} us a notice beside the {bare:.2f} s of any command"
    say(f"plan of {size.notices:,} among {size.subscriptions:,}", f"{seconds:.2f} s", beside)
    seconds, _ = await command(folder, "notices", "run", "overdue")
    say("planned and made", f"{seconds:.2f} s", f"{seconds / MADE_IN:.2f} of {MADE_IN} s; limit 1")
    seconds, printed = await command(folder, "notices", "plan", "overdue", "--json")
    assert json.loads(printed)["notices"] == 0, printed
    seconds -= bare
    ratio = seconds / (PLANNED_IN * FULL.notices / 20_000)
    beside = f"{ratio:.2f} of {PLANNED_IN} s for 20,000; limit 1"
    say("planned again, all noticed, beside that", f"{seconds:.2f} s", beside)


async def answers(size: Size, folder: Path) -> None:
    """Answers with nothing else, and beside a run at 100 a second."""
    late = size.seconds * LIMIT + LIMIT
    customers = Customers(late + CHECKING, late, [("mtel", "35988", 1.0)])
    for name, delay in (("at once", 0.0), (f"after {SLOW * 1000:.0f} ms", SLOW)):
        place = new_folder(folder / name.replace(" ", "-"))
        async with gateway(place, customers, Faults(delay=delay), throughput=LIMIT) as one:
            bench = Bench(place, one.smscs["mtel"], one.news)
            asking = [
                (customers.phone(late + number % CHECKING), "smetka")
                for number in range(int(ASKED * size.seconds))
            ]
            await bench.one_by_one(asking[:WARMING_UP])
            alone = await bench.answers(asking, ASKED)
            idle = quantile(alone, 0.99)
            beside = f"median {ms(median(alone))}; {len(asking)} answers"
            say(f"answers, responses {name}, idle, p99", ms(idle), beside)
            await command(place, "notices", "run", "overdue")
            before = len(one.smscs["mtel"].mts)
            began = time.perf_counter()
            beside_run = await bench.answers(asking, ASKED)
            rate = (len(one.smscs["mtel"].mts) - before) / (time.perf_counter() - began)
            busy = quantile(beside_run, 0.99)
            more = busy - idle
            beside = f"{more * 1000:+.1f} ms, {more / SLOT:.2f} of what may be; limit 1"
            say("during a run, p99", ms(busy), beside)
            beside = f"{rate:.0f} messages a second in all"
            say("during a run, median", ms(median(beside_run)), beside)


async def limited(size: Size, folder: Path) -> None:
    """A run over three carriers that take 100 a second each."""
    customers = of_all(size.notices, size.notices)
    faults = Faults(throttle=LIMIT)
    async with gateway(folder, customers, faults, throughput=LIMIT) as one:
        took = await _run(one, size.notices)
        most = max(customers.phones(name) for name in CARRIERS)
        refused = sum(not submit.taken for smsc in one.smscs.values() for submit in smsc.submits)
        ideal = most / LIMIT
        say(
            f"{size.notices:,} notices, three carriers of {LIMIT}/s", f"{took:.1f} s",
            f"{took / ideal:.3f} of the ideal {ideal:.1f} s; limit 1.05; {refused} refused",
        )  # fmt: skip


async def speed(size: Size, folder: Path) -> None:
    """A run over three carriers that take all at once."""
    customers = of_all(size.notices, size.notices)
    async with gateway(folder, customers, Faults(), window=100) as one:
        took = await _run(one, size.notices)
        rate = size.notices / took
        say(
            f"{size.notices:,} notices, no limit", f"{rate:.0f} a second",
            f"{rate / LIMIT / len(CARRIERS):.1f} times what three carriers of {LIMIT}/s take",
        )  # fmt: skip


async def _run(one: Gateway, notices: int) -> float:
    """Seconds from a run's being made to its last message's arrival."""
    before = one.arrived
    await command(one.folder, "notices", "run", "overdue")
    began = time.perf_counter()
    await one.until(before + notices)
    return time.perf_counter() - began


PARTS: Final = {"planning": planning, "answers": answers, "limited": limited, "speed": speed}

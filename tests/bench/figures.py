"""What the bench measures with: times of the disk, feeds, and the daemon between its carriers."""

import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final

from smsgw.simulator import Smsc, SmscSettings
from smsgw.simulator.records import Mt
from smsgw.smpp.session import Limits
from smsgw.storage import billing
from smsgw.storage.database import CacheReader, open_gateway

FIRST: Final = 300_000_000_000
HEADER: Final = "customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status\n"
CONFIG: Final = """\
shortcode: "170077"
data_dir: data
billing: {{feed_dir: feeds, max_age: 0, max_shrink: 0%}}
subscriptions:
  {{numbers_per_phone: 0, phones_per_number: 0, unknown_numbers_per_day: 0, hints_per_day: 0,
   answers_per_day: 0}}
carriers:
  mtel: {{host: 127.0.0.1, port: {port}, system_id: cez, password: secret, window: 100}}
http: {{listen: "127.0.0.1:0"}}
"""
PATIENCE: Final = 120.0


def new_folder(path: Path) -> Path:
    path.mkdir()
    return path


def fdatasyncs(folder: Path, count: int = 300) -> list[float]:
    """Seconds that the disk takes to keep 4 KB, each."""
    path = folder / "probe"
    taken = []
    with path.open("wb", buffering=0) as file:
        for _ in range(count):
            file.write(os.urandom(4096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    path.unlink()
    return taken


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


def write_feed(path: Path, customers: int, shuffled: bool) -> None:
    """A feed in which nine of ten customers have a bill, put there under its name when whole."""
    step = 7_368_787 if shuffled else 1  # prime to the sizes used
    new = path.with_name(f".{path.name}")
    with new.open("w", encoding="ascii") as file:
        file.write(HEADER)
        file.writelines(_lines(customers, step))
    new.rename(path)


def _lines(customers: int, step: int) -> Iterator[str]:
    for turn in range(customers):
        place = turn * step % customers
        bill = f"{place:010},2026-11-20,2026-12-10,,{place % 9000 / 100 + 1:.2f},EUR,open"
        yield f"{FIRST + place},{bill if place % 10 else ',,,,,,'}\n"


def lookups(data_dir: Path, customers: int, count: int) -> list[float]:
    """Seconds that the bills of one customer take to be read, each, without any message."""
    chance = random.Random(1)
    taken = []
    with closing(open_gateway(data_dir)) as con:
        CacheReader(con, data_dir).follow()
        for _ in range(count):
            number = str(FIRST + chance.randrange(customers))
            began = time.perf_counter()
            assert billing.accounts(con, [number])
            taken.append(time.perf_counter() - began)
    return taken


class Bench:
    """A daemon and the carrier that it is bound to."""

    def __init__(self, folder: Path, smsc: Smsc, news: asyncio.Event) -> None:
        self.folder = folder
        self.smsc = smsc
        self._news = news

    async def answers(self, messages: Sequence[tuple[str, str]], rate: float) -> list[float]:
        """Send messages, so many a second (0: at once), and give the seconds to each answer."""
        loop = asyncio.get_running_loop()
        first_mo, first_mt = len(self.smsc.mos), len(self.smsc.mts)
        due = loop.time()
        for message in messages:
            self.smsc.send(*message)
            if rate:
                due += 1 / rate
                await asyncio.sleep(max(due - loop.time(), 0))
        asking = {phone for phone, _ in messages}  # what others get is no answer
        got: list[Mt] = []
        async with asyncio.timeout(PATIENCE):
            while len(got) < len(messages):
                self._news.clear()
                got += [mt for mt in self.smsc.mts[first_mt:] if mt.destination in asking]
                first_mt = len(self.smsc.mts)
                if len(got) < len(messages):
                    await self._news.wait()
        waiting: dict[str, deque[float]] = defaultdict(deque)
        for mo in self.smsc.mos[first_mo:]:
            assert mo.sent_at is not None
            waiting[mo.source].append(mo.sent_at)
        return [mt.at - waiting[mt.destination].popleft() for mt in got]

    async def one_by_one(self, messages: Sequence[tuple[str, str]]) -> list[float]:
        """Seconds to the answer of each, with nothing else under way."""
        return [(await self.answers([message], 0))[0] for message in messages]

    def report(self, name: str) -> dict[str, Any] | None:
        """What became of a feed; None: not yet. Its end is seen when the daemon has it."""
        path = self.folder / "feeds" / "done" / f"{name}.report.json"
        if not path.exists():
            assert not (self.folder / "feeds" / "refused" / name).exists(), name
            return None
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return report

    async def taken(self, name: str) -> dict[str, Any]:
        async with asyncio.timeout(900):
            while (report := self.report(name)) is None:  # noqa: ASYNC110 -- a file tells nobody
                await asyncio.sleep(0.1)
        await asyncio.sleep(1.5)  # the daemon looks for a new cache twice a second
        return report


@asynccontextmanager
async def daemon(config: Path) -> AsyncIterator[None]:
    """The command, with its log beside its configuration."""
    with config.with_name("log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "smsgw", "-c", str(config), "run"), stderr=log
        )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def bench(folder: Path) -> AsyncIterator[Bench]:
    """Everything started in a folder, stopped at the end."""
    (folder / "feeds").mkdir()
    settings = SmscSettings(limits=Limits(window=100), receipt_delay=0.01)
    news = asyncio.Event()
    async with Smsc(settings, watch=lambda _: news.set()) as smsc:
        config = folder / "smsgw.yaml"
        config.write_text(CONFIG.format(port=smsc.address[1]), encoding="utf-8")
        async with daemon(config):
            await smsc.bound(within=PATIENCE)
            yield Bench(folder, smsc, news)


def say(what: str, value: str, beside: str = "") -> None:
    print(f"{what:<46}{value:>14}   {beside}", flush=True)


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def median(values: Sequence[float]) -> float:
    return statistics.median(values)

"""Long messages through the exchange: acknowledged part by part, and closed with nobody asking."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC
from pathlib import Path

from smsgw import metrics
from smsgw.clock import SystemClock
from smsgw.service.conversation import Rules
from smsgw.service.duplicates import Recent
from smsgw.service.exchange import Exchange
from smsgw.service.keyed import Keyed
from smsgw.service.message import Encoding, Mo, Msisdn, Segment, Verdict
from smsgw.service.ports import Done, LinkState, LinkStatus, Work
from smsgw.service.replies import Company, Replies
from smsgw.storage.policy import Policy
from smsgw.storage.sqlite import Database
from smsgw.text.reassembly import Bounds
from smsgw.text.userdata import Joining, Part

T = 1_800_000_000.0
PHONE = Msisdn("359888123456")


class VirtualClock:
    def __init__(self) -> None:
        self.at = T

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class World:
    """An exchange at work on a database in `folder`, and a link that takes what it is given."""

    id = "of-long-mos"

    def __init__(self, folder: Path, clock: VirtualClock | SystemClock, wait: float) -> None:
        policy = Policy(
            Rules(Replies({}, Company(None, None, None, None)), 10, 5, True, 0.0, 4, UTC),
            {self.id: Encoding()},
            Keyed(b"secret"),
            reassembly=Bounds(wait),
        )
        self.clock = clock
        self.database = Database(folder, policy)
        self.exchange = Exchange(self.database, Recent(600.0, {}, 1000), clock)
        self.exchange.add(self)
        self.happened: list[str] = []
        self._changed = asyncio.Event()

    def capacity(self) -> int:
        return 10

    def spare(self) -> int:
        return 9

    def submit(self, segments: Sequence[Segment]) -> None:
        self.happens(*["submit"] * len(segments))

    def state(self) -> LinkState:
        return LinkState(self.id, self.id, LinkStatus.BOUND, T, 1, 0, 1, 0.0, "")

    def send(self, *parts: tuple[int, bytes], total: int = 3) -> None:
        """What one read brought."""
        items = [
            (
                token,
                Mo(
                    *(self.id, 1, self.clock.now(), PHONE, "170077", 0, 0, octets, "a part"),
                    Part(5, total, number, Joining.SAR),
                ),
            )
            for token, (number, octets) in enumerate(parts)
        ]
        self.exchange.received(items, self._answer)

    def _answer(self, verdicts: Sequence[Verdict]) -> None:
        self.happens(*[verdict.ack.name for verdict in verdicts])

    def happens(self, *what: str) -> None:
        self.happened += what
        self._changed.set()

    async def until(self, count: int) -> list[str]:
        """What happened, once `count` things have."""
        async with asyncio.timeout(10):
            while len(self.happened) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.happened

    def counted(self, name: str, **labels: str) -> float:
        value = metrics.REGISTRY.get_sample_value(name, {"carrier": self.id, **labels})
        return value or 0.0


@asynccontextmanager
async def world(
    folder: Path, clock: VirtualClock | SystemClock, wait: float = 600.0
) -> AsyncIterator[World]:
    one = World(folder, clock, wait)
    async with one.database, asyncio.timeout(30):
        await one.database.look()
        running = asyncio.create_task(one.exchange.run())
        yield one
        one.exchange.drain()
        await running


def stored(folder: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "gateway.db")) as con:
        return con.execute(query).fetchall()


def test_every_part_is_acknowledged_and_the_whole_answered_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, VirtualClock()) as one:
            before = one.counted("smsgw_long_mos_whole_total")
            one.send((3, b"ya"), (1, b"sme"), (3, b"ya"))
            assert await one.until(3) == ["DONE"] * 3
            one.send((2, b"tka, mol"))
            assert (await one.until(5))[3:] == ["DONE", "submit"]
            one.send((1, b"sme"))
            assert (await one.until(6))[5:] == ["DONE"]
            assert one.counted("smsgw_long_mos_whole_total") == before + 1
            assert one.counted("smsgw_mo_parts_repeated_total") >= 1

    asyncio.run(scenario())
    assert stored(tmp_path, "SELECT intent, text FROM mo WHERE intent IS NOT NULL") == [
        ("bill_check", "smetka, molya")
    ]


def test_the_exchange_wakes_by_itself_for_what_never_becomes_whole(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, SystemClock(), wait=0.05) as one:
            before = one.counted("smsgw_long_mos_incomplete_total", reason="time")
            one.send((1, b"help"))
            assert await one.until(2) == ["DONE", "submit"]
            one.send((2, b"stop"), total=2)
            assert await one.until(4) == ["DONE", "submit"] * 2
            assert one.counted("smsgw_long_mos_incomplete_total", reason="time") >= before + 1

    asyncio.run(scenario())
    assert stored(tmp_path, "SELECT intent FROM mo ORDER BY id") == [("help",), ("stop",)]


def test_it_looks_anew_when_the_clock_was_set_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = VirtualClock()
        async with world(tmp_path, clock) as one:
            commit = one.database.commit

            async def watched(work: Work) -> Done:
                done = await commit(work)
                one.happens("commit")
                return done

            one.send((1, b"help"))
            await one.until(1)
            one.database.commit = watched  # type: ignore[method-assign]
            clock.at -= 365 * 86400
            one.exchange.ready(one.id)
            await one.until(2)
            clock.at += 600
            one.exchange.ready(one.id)
            assert await one.until(4) == ["DONE", "commit", "commit", "submit"]

    asyncio.run(scenario())

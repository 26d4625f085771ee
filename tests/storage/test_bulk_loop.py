"""The exchange with notices to send: it turns when there is room and time, and rests otherwise."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from smsgw.service import exchange as exchange_module
from smsgw.service.calendar import Calendar
from smsgw.service.decision import Rules
from smsgw.service.duplicates import Recent
from smsgw.service.exchange import Exchange
from smsgw.service.hours import Hours
from smsgw.service.keyed import Keyed
from smsgw.service.message import Encoding, MessageKind, Msisdn, Mt, Segment
from smsgw.service.notices import NoticeRules
from smsgw.service.ports import Done, LinkState, LinkStatus, Work
from smsgw.service.replies import Company, Replies
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.messages import enqueue
from smsgw.storage.policy import Policy
from smsgw.storage.sqlite import Database

HOURS = Hours(time(9), time(20))
POLICY = Policy(
    Rules(Replies({}, Company(None, None, None, None)), 0, 0, True, 0.0, 4, UTC),
    {"mtel": Encoding()},
    Keyed(b"key"),
    notices=NoticeRules(Calendar(UTC, HOURS, "working", min_validity=7200.0)),
)
PHONE = Msisdn("359888123456")


def at(hour: int, day: int = 25) -> float:
    return datetime(2026, 11, day, hour, tzinfo=UTC).timestamp()


class World:
    """An exchange, the time, and a carrier with so much room."""

    id = "mtel"

    def __init__(self, folder: Path, now: float, places: int, spare: int) -> None:
        self.at = now
        self.places, self.bulk = places, spare
        self.submitted: list[MessageKind] = []
        self.turns = 0
        self.changed = asyncio.Event()
        self.database = Database(folder, POLICY)
        commit = self.database.commit

        async def counted(work: Work) -> Done:
            self.turns += 1
            done = await commit(work)
            self.changed.set()
            return done

        self.database.commit = counted  # type: ignore[method-assign]
        self.exchange = Exchange(self.database, Recent(600.0, {}, 1000), self)
        self.exchange.add(self)

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    def capacity(self) -> int:
        return self.places

    def spare(self) -> int:
        return min(self.places, self.bulk)

    def submit(self, segments: Sequence[Segment]) -> None:
        self.submitted += [one.kind for one in segments]
        self.places -= len(segments)
        self.bulk -= len(segments)
        self.changed.set()

    def ask(self, _: object) -> int:
        return 0

    def state(self) -> LinkState:
        return LinkState("mtel", "mtel", LinkStatus.BOUND, 0.0, 1, 0, 10, 0.0, "")

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def rest(self) -> int:
        """Let everything happen that would happen by itself; how many turns that took."""
        before = self.turns
        for _ in range(100):
            await asyncio.sleep(0)
        await self.database.run(lambda con: None)
        for _ in range(100):
            await asyncio.sleep(0)
        return self.turns - before


@asynccontextmanager
async def world(
    folder: Path, now: float = at(12), places: int = 10, spare: int = 9
) -> AsyncIterator[World]:
    one = World(folder, now, places, spare)
    async with one.database, asyncio.timeout(30):
        await one.database.look()
        running = asyncio.create_task(one.exchange.run())
        yield one
        one.exchange.drain()
        await running


def queue(folder: Path, *kinds: MessageKind, now: float = at(8)) -> None:
    with closing(open_gateway(folder)) as con, transaction(con):
        enqueue(con, [Mt("mtel", kind, PHONE, "x", now) for kind in kinds], POLICY.encodings, now)


NOTICE, ANSWER = MessageKind.NOTICE, MessageKind.ANSWER


def test_with_bulk_left_and_no_room_for_it_nothing_turns(tmp_path: Path) -> None:
    queue(tmp_path, *[NOTICE] * 5)

    async def scenario() -> None:
        async with world(tmp_path, places=10, spare=2) as one:
            await one.until(lambda: len(one.submitted) == 2)
            assert await one.rest() == 0
            for _ in range(3):
                one.exchange.ready("mtel")
                assert await one.rest() == 0, "there is room, but not for bulk"
            queue(tmp_path, ANSWER, now=at(12))
            one.exchange.look_again()
            await one.until(lambda: ANSWER in one.submitted)
            one.bulk = 2
            one.exchange.ready("mtel")
            await one.until(lambda: one.submitted.count(NOTICE) == 4)
            assert await one.rest() == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("bound", [True, False], ids=["bound", "bound later"])
def test_at_the_next_opening_it_goes_on_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: bool
) -> None:
    queue(tmp_path, NOTICE)
    monkeypatch.setattr(exchange_module, "LONGEST_PAUSE", 0.01)  # its sleeps are real time

    async def scenario() -> None:
        async with world(tmp_path, now=at(8)) as one:
            await one.until(lambda: one.turns)
            assert await one.rest() == 0
            one.at = at(9) - 1
            assert await one.rest() == 0
            places, one.places = one.places, one.places if bound else 0
            one.at = at(9)
            await one.until(lambda: one.submitted or one.turns == 2)
            one.places = places
            one.exchange.ready("mtel")
            await one.until(lambda: one.submitted == [NOTICE])

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("now", "goes"),
    [
        pytest.param(at(12, day=26), False, id="a day ahead: it is no longer worth sending"),
        pytest.param(at(13), True, id="an hour ahead"),
        pytest.param(at(11), True, id="an hour back"),
        pytest.param(at(12, day=24), True, id="a day back"),
        pytest.param(at(21), False, id="past closing"),
        pytest.param(at(12, day=28), False, id="into the weekend"),
    ],
)
def test_a_clock_that_jumps_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: float, goes: bool
) -> None:
    queue(tmp_path, NOTICE, now=at(10))
    monkeypatch.setattr(exchange_module, "LONGEST_PAUSE", 0.01)

    async def scenario() -> None:
        async with world(tmp_path, now=at(12), spare=0) as one:
            await one.until(lambda: one.turns)
            one.at = now
            one.bulk = 5
            one.exchange.ready("mtel")
            turns = one.turns
            await one.until(lambda: one.turns > turns)
            assert await one.rest() <= 1
            assert one.submitted == ([NOTICE] if goes else [])

    asyncio.run(scenario())

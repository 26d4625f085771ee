"""The task that moves finished messages: which, and that others get their turn meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smsgw import metrics
from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.decision import Rules
from smsgw.service.keyed import Keyed
from smsgw.service.message import Channel, MessageKind, Msisdn, Mt, Script
from smsgw.service.ports import StorageUnavailableError
from smsgw.service.replies import Company, Replies
from smsgw.service.report import Books
from smsgw.storage import archive, counts, subscriptions
from smsgw.storage.archive import Archive, Keeping
from smsgw.storage.audit import Author, Origin
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.history import BATCH, FINISHED_FOR
from smsgw.storage.inbox import DISORDER
from smsgw.storage.messages import enqueue
from smsgw.storage.policy import Policy
from smsgw.storage.sqlite import Database

SOFIA = ZoneInfo("Europe/Sofia")
MIDNIGHT = datetime(2027, 1, 15, tzinfo=SOFIA).timestamp()
HOUR = 3600.0
POLICY = Policy(
    Rules(Replies({}, Company(None, None, None, None)), 0, 0, True, 0.0, 4, SOFIA),
    {},
    Keyed(b"key"),
)


class ClockAt:
    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


def put_mos(folder: Path, *times: float) -> None:
    with closing(open_gateway(folder)) as con:
        con.executemany(
            "INSERT INTO mo (received_at, carrier, session, msisdn, destination, esm_class,"
            " data_coding, octets, text, intent)"
            " VALUES (?, 'mtel', 1, '359888123456', '170077', 0, 0, x'68', 'h', 'help')",
            [(at,) for at in times],
        )


def put_mts(folder: Path, count: int, at: float) -> None:
    one = Mt("mtel", MessageKind.MANUAL, Msisdn("359888123456"), "x", at)
    with closing(open_gateway(folder)) as con, transaction(con):
        enqueue(con, [one] * count, {}, at)
        con.execute("UPDATE segment SET state = 'delivered'")


def ids(folder: Path, table: str) -> list[int]:
    with closing(open_gateway(folder)) as con:
        return [id_ for (id_,) in con.execute(f"SELECT id FROM {table} ORDER BY id")]


def run(folder: Path, now: float, do: Callable[[Archive, Database], Awaitable[None]]) -> None:
    async def opened() -> None:
        async with Database(folder, POLICY) as database:
            keeping = Keeping(SOFIA, 2 * HOUR, Books(Keyed(b"key"), SOFIA))
            await do(Archive(database, ClockAt(now), keeping), database)

    asyncio.run(opened())


async def move(one: Archive, _: Database) -> None:
    await one.move()


@pytest.mark.parametrize(
    ("now", "before"),
    [
        pytest.param(MIDNIGHT + 10 * HOUR, MIDNIGHT, id="the day's count for its bounds"),
        pytest.param(MIDNIGHT + HOUR, MIDNIGHT - HOUR, id="yesterday's may absorb redeliveries"),
    ],
)
def test_which_messages_of_customers(tmp_path: Path, now: float, before: float) -> None:
    put_mos(tmp_path, before - DISORDER - 1, before - DISORDER, before, now)
    run(tmp_path, now, move)
    assert (ids(tmp_path, "history_mo"), ids(tmp_path, "mo")) == ([1], [2, 3, 4])


def moved(direction: str) -> float:
    return float(metrics.HISTORY_MOVED.labels(direction)._value.get())


def test_all_there_are_batch_by_batch_and_counted(tmp_path: Path) -> None:
    put_mos(tmp_path, *[MIDNIGHT - HOUR] * (2 * BATCH + 1))
    put_mts(tmp_path, 3 * BATCH, MIDNIGHT)
    before = moved("in"), moved("out")
    run(tmp_path, MIDNIGHT + 10 * HOUR, move)
    assert (ids(tmp_path, "mo"), ids(tmp_path, "mt")) == ([], [])
    assert (moved("in") - before[0], moved("out") - before[1]) == (2 * BATCH + 1, 3 * BATCH)


def test_registrations_and_months_are_counted_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "BATCH", 2)
    author = Author(Keyed(b"key"), Origin(Channel.CENTRE, "ana"), MIDNIGHT - 20 * 24 * HOUR)
    with closing(open_gateway(tmp_path)) as con, transaction(con):
        for number in ("300012345671", "300012345672", "300012345673"):
            one = Subscription(
                Msisdn("359888123456"), number, SubscriptionState.ACTIVE, "mtel", Script.LATIN,
                Channel.CENTRE, author.now,
            )  # fmt: skip
            subscriptions.add(con, one, notify=True, author=author)
    for _ in range(2):
        run(tmp_path, MIDNIGHT, move)
        with closing(open_gateway(tmp_path)) as con:
            assert con.execute("SELECT * FROM count_registered").fetchall() == [
                ("2026-12-26", "activated", "centre", 3)
            ]
            assert con.execute("SELECT * FROM count_active").fetchall() == [("2026-12", 3, 1, 3)]


def test_others_have_their_turn_between_batches(tmp_path: Path) -> None:
    put_mts(tmp_path, 4 * BATCH, MIDNIGHT)
    left = []

    async def beside(one: Archive, database: Database) -> None:
        moving = asyncio.create_task(one.move())
        while not moving.done():
            (count,) = await database.run(
                lambda con: con.execute("SELECT count(*) FROM mt").fetchone()
            )
            left.append(count)
        await moving

    run(tmp_path, MIDNIGHT + 2 * FINISHED_FOR, beside)
    assert {3 * BATCH, 2 * BATCH, BATCH} <= set(left)


def test_the_next_round_makes_up_for_one_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_mts(tmp_path, 1, MIDNIGHT)
    monkeypatch.setattr(archive, "EVERY", 0.0)
    rounds = []

    async def twice(one: Archive, _: Database) -> None:
        whole = one.move

        async def move_or_fail() -> None:
            rounds.append(1)
            if len(rounds) == 1:
                raise StorageUnavailableError("the disk is full")
            await whole()
            running.cancel()

        monkeypatch.setattr(one, "move", move_or_fail)
        running = asyncio.create_task(one.run())
        await asyncio.wait({running})

    run(tmp_path, MIDNIGHT + 2 * FINISHED_FOR, twice)
    assert len(rounds) == 2
    assert ids(tmp_path, "history_mt") == [1]

"""The exchange over a real database and a carrier of ours: acknowledged, answered, recovered."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC
from pathlib import Path

import pytest

from smsgw.service.decision import Rules
from smsgw.service.duplicates import Recent
from smsgw.service.exchange import Exchange
from smsgw.service.keyed import Keyed
from smsgw.service.message import (
    Acceptance,
    Ack,
    Encoding,
    MessageKind,
    Mo,
    Msisdn,
    Mt,
    Outcome,
    Segment,
    Verdict,
)
from smsgw.service.ports import LinkState, LinkStatus
from smsgw.service.replies import Company, Replies
from smsgw.service.retry import HOLD, Losses
from smsgw.storage import database
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.messages import enqueue
from smsgw.storage.policy import Policy
from smsgw.storage.sqlite import Database

T = 1_800_000_000.0
PHONE = Msisdn("359888123456")
POLICY = Policy(
    Rules(Replies({}, Company(None, None, None, None)), 10, 5, True, 36 * 3600.0, 4, UTC),
    {"mtel": Encoding()},
    Keyed(b"key"),
)


class VirtualClock:
    def __init__(self) -> None:
        self.at = T

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


class OurCarrier:
    """A link that keeps what it is given, in a window of `places`."""

    id = "mtel"

    def __init__(self, world: "World", places: int) -> None:
        self._world = world
        self.places = places
        self.submitted: list[Segment] = []

    def capacity(self) -> int:
        return self.places

    def spare(self) -> int:
        return self.places

    def submit(self, segments: Sequence[Segment]) -> None:
        sent, unsent = segments[: self.places], segments[self.places :]
        self.places -= len(sent)
        self.submitted += sent
        self._world.happens(*["submit"] * len(sent))
        if unsent:  # the session ended meanwhile
            self._world.exchange.settled(
                [Outcome(one, Acceptance.NOT_SENT, self._world.clock.at) for one in unsent]
            )

    def settle(self, acceptance: Acceptance, message_id: str = "") -> None:
        """Answer the oldest submit."""
        self.places += 1
        one = self.submitted.pop(0)
        self._world.exchange.settled([Outcome(one, acceptance, self._world.clock.at, message_id)])

    def state(self) -> LinkState:
        return LinkState("mtel", "mtel", LinkStatus.BOUND, T, 1, 0, 1, 0.0, "")


class World:
    """An exchange at work on a database in `folder`."""

    def __init__(self, folder: Path, places: int, losses: Losses = HOLD) -> None:
        self.clock = VirtualClock()
        self.database = Database(folder, POLICY._replace(losses=losses))
        self.recent = Recent(600.0, {"mtel": 60.0}, 1000)
        self.exchange = Exchange(self.database, self.recent, self.clock, losses)
        self.carrier = OurCarrier(self, places)
        self.exchange.add(self.carrier)
        self.happened: list[str] = []
        self._changed = asyncio.Event()
        self.verdicts: list[Verdict] = []

    def mo(self, text: str, session: int = 1) -> Mo:
        return Mo("mtel", session, self.clock.at, PHONE, "170077", 0, 0, text.encode("ascii"), text)

    def send(self, *texts: str, session: int = 1) -> None:
        """What one read brought."""
        items = [(token, self.mo(text, session)) for token, text in enumerate(texts)]
        self.exchange.received(items, self._answer)

    def _answer(self, verdicts: Sequence[Verdict]) -> None:
        self.verdicts += verdicts
        self.happens(*[verdict.ack.name for verdict in verdicts])

    async def until(self, count: int) -> list[str]:
        """What happened, once `count` things have."""
        async with asyncio.timeout(10):
            while len(self.happened) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.happened

    def happens(self, *what: str) -> None:
        self.happened += what
        self._changed.set()


@asynccontextmanager
async def world(folder: Path, places: int = 10, losses: Losses = HOLD) -> AsyncIterator[World]:
    one = World(folder, places, losses)
    async with one.database, asyncio.timeout(30):
        await one.database.look()
        running = asyncio.create_task(one.exchange.run())
        yield one
        one.exchange.drain()
        await running


def stored(folder: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "gateway.db")) as con:
        return con.execute(query).fetchall()


def test_an_mo_is_acknowledged_when_on_disk_and_then_answered(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as one:
            one.send("help")
            assert await one.until(2) == ["DONE", "submit"]
            assert stored(tmp_path, "SELECT text FROM mo") == [("help",)]
            assert stored(tmp_path, "SELECT state FROM segment") == [("claimed",)]

    asyncio.run(scenario())


def test_what_came_in_meanwhile_goes_into_the_next_transaction_together(tmp_path: Path) -> None:
    commits = []

    async def scenario() -> None:
        async with world(tmp_path) as one:
            commit = one.database.commit

            async def counted(work):  # type: ignore[no-untyped-def]
                commits.append(len(work.mos))
                if len(commits) == 1:
                    one.send("help", "help")
                    one.send("help")
                return await commit(work)

            one.database.commit = counted  # type: ignore[method-assign]
            one.send("help")
            await one.until(8)

    asyncio.run(scenario())
    assert commits == [1, 3]


def test_an_answer_that_found_no_place_goes_when_one_is_free(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, places=1) as one:
            one.send("help", "help")
            await one.until(3)
            one.carrier.settle(Acceptance.ACCEPTED, "A1")
            await one.until(4)
            assert [segment.key.mt for segment in one.carrier.submitted] == [2]

    asyncio.run(scenario())


def test_a_bind_starts_what_waits(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, places=0) as one:
            one.send("help")
            await one.until(1)
            one.carrier.places = 5
            one.exchange.ready("mtel")
            assert await one.until(2) == ["DONE", "submit"]

    asyncio.run(scenario())


def test_a_lost_answer_is_sent_once_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as one:
            one.send("help")
            await one.until(2)
            first = one.carrier.submitted[0]
            one.carrier.settle(Acceptance.LOST)
            await one.until(3)
            assert one.carrier.submitted[0].octets == first.octets
            one.carrier.settle(Acceptance.LOST)
            one.send("stop")
            await one.until(5)
            assert len(one.carrier.submitted) == 1

    asyncio.run(scenario())
    assert stored(tmp_path, "SELECT state, lost FROM segment WHERE mt_id = 1") == [("unknown", 2)]


def test_a_lost_notice_is_sent_once_more_after_its_wait(tmp_path: Path) -> None:
    async def scenario() -> None:
        with closing(open_gateway(tmp_path)) as con, transaction(con):
            enqueue(con, [Mt("mtel", MessageKind.NOTICE, PHONE, "x", T)], {}, T)
        async with world(tmp_path, losses=Losses(60.0, {MessageKind.NOTICE})) as one:
            await one.until(1)
            one.carrier.settle(Acceptance.LOST)
            one.send("help")
            await one.until(3)
            assert [each.key.mt for each in one.carrier.submitted] == [2]
            one.clock.at += 60
            one.exchange.ready("mtel")
            await one.until(4)
            assert [each.key.mt for each in one.carrier.submitted] == [2, 1]

    asyncio.run(scenario())
    assert stored(tmp_path, "SELECT state, lost FROM segment WHERE mt_id = 1") == [("claimed", 1)]


def test_a_segment_refused_for_now_is_tried_when_its_time_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as one:
            one.send("help")
            await one.until(2)
            one.carrier.settle(Acceptance.TEMPORARY)
            one.send("stop")
            await one.until(4)
            one.clock.at += 5
            one.exchange.look_again()
            await one.until(5)
            assert one.carrier.submitted[-1].attempts == 1

    asyncio.run(scenario())


def test_a_redelivery_is_acknowledged_and_has_no_effect(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as one:
            one.send("help")
            await one.until(2)
            one.exchange.session_ended("mtel", 1, T + 1)
            one.clock.at = T + 2
            one.send("help", session=2)
            one.send("help", session=2)
            assert await one.until(5) == ["DONE", "submit", "DONE", "DONE", "submit"]

    asyncio.run(scenario())
    assert stored(tmp_path, "SELECT count(*) FROM mo") == [(2,)]
    assert stored(tmp_path, "SELECT mo_id, session FROM redelivery") == [(1, 2)]
    assert stored(tmp_path, "SELECT session, ended_at FROM session_end") == [(1, T + 1)]


def test_a_locked_database_asks_for_everything_again_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.01)

    async def scenario() -> None:
        async with world(tmp_path) as one:
            one.send("help")
            await one.until(2)
            with closing(sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                one.send("info")
                assert (await one.until(3))[-1] == "RETRY"
                assert one.exchange.storage_error == "database is locked"
                one.carrier.settle(Acceptance.ACCEPTED, "A1")
                other.execute("ROLLBACK")
            one.clock.at += 2
            one.send("info")
            assert (await one.until(5))[3:] == ["DONE", "submit"]
            assert one.exchange.storage_error == ""

    asyncio.run(scenario())
    assert stored(tmp_path, "SELECT text FROM mo") == [("help",), ("info",)]
    assert stored(tmp_path, "SELECT state FROM segment WHERE mt_id = 1") == [("accepted",)]


def test_an_idle_exchange_sees_by_itself_that_the_database_is_well_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.01)

    async def scenario() -> None:
        async with world(tmp_path, places=0) as one:
            probes = 0
            probe = one.database.probe

            async def counted() -> None:
                nonlocal probes
                probes += 1
                one.clock.at += 0.5
                await probe()

            one.database.probe = counted  # type: ignore[method-assign]
            with closing(sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                one.send("info")
                await one.until(1)
                one.clock.at += 1
                one.exchange.look_again()
                while probes < 2:
                    one.clock.at += 1
                    one.exchange.look_again()
                    await asyncio.sleep(0)
                assert one.exchange.storage_error
                other.execute("ROLLBACK")
            while one.exchange.storage_error:
                one.clock.at += 1
                one.exchange.look_again()
                await asyncio.sleep(0)

    asyncio.run(scenario())
    assert stored(tmp_path, "SELECT count(*) FROM mo") == [(0,)]


def test_what_came_back_while_a_transaction_ran_is_not_forgotten(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as one:
            one.send("help")
            await one.until(2)
            commit = one.database.commit

            async def and_the_session_ends(work):  # type: ignore[no-untyped-def]
                done = await commit(work)
                if work.mos:
                    one.carrier.settle(Acceptance.NOT_SENT)
                    one.carrier.places = 0
                return done

            one.database.commit = and_the_session_ends  # type: ignore[method-assign]
            one.send("info")
            await one.until(3)
            one.carrier.places = 10
            one.exchange.ready("mtel")
            await one.until(5)
            assert [segment.key.mt for segment in one.carrier.submitted] == [1, 2]

    asyncio.run(scenario())


def test_a_redelivery_that_could_not_be_noted_is_absorbed_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.01)

    async def scenario() -> None:
        async with world(tmp_path) as one:
            one.send("help")
            await one.until(2)
            one.exchange.session_ended("mtel", 1, T + 1)
            with closing(sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                one.send("help", session=2)
                await one.until(3)
                other.execute("ROLLBACK")
            one.send("help", session=2)
            assert await one.until(4) == ["DONE", "submit", "RETRY", "DONE"]

    asyncio.run(scenario())
    assert stored(tmp_path, "SELECT count(*) FROM mo") == [(1,)]


def test_an_mo_acknowledged_late_is_marked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as one:
            late = one.mo("help")
            one.clock.at += 11
            one.exchange.received([(0, late)], one._answer)
            await one.until(2)
            one.send("stop")
            await one.until(4)
            one.exchange.received([(0, late._replace(received_at=one.clock.at))], one._answer)
            assert (await one.until(5))[-1] == "DONE"

    asyncio.run(scenario())
    assert stored(tmp_path, "SELECT count(*) FROM mo") == [(2,)]


def test_what_cannot_be_decided_is_asked_for_again_and_absorbs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(text: str) -> object:
        raise ZeroDivisionError

    async def scenario() -> None:
        async with world(tmp_path) as one:
            with monkeypatch.context() as patch:
                patch.setattr("smsgw.storage.inbox.read", poisoned)
                one.send("help")
                await one.until(1)
            one.exchange.session_ended("mtel", 1, T)
            one.send("help", session=2)
            assert await one.until(3) == ["RETRY", "DONE", "submit"]
            assert one.verdicts[0] == Verdict(0, Ack.RETRY)

    asyncio.run(scenario())


def test_an_error_of_our_own_ends_the_exchange_loudly(tmp_path: Path) -> None:
    async def scenario() -> None:
        one = World(tmp_path, 10)
        async with one.database, asyncio.timeout(10):
            await one.database.run(lambda con: con.execute("CREATE UNIQUE INDEX bug ON mo (text)"))
            one.send("help", "help")
            await one.exchange.run()

    with pytest.raises(sqlite3.IntegrityError):
        asyncio.run(scenario())


def test_queued_messages_of_another_process_are_found(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, places=0) as one:
            one.send("help")
            await one.until(1)
            one.carrier.places = 5
            assert (await one.database.look()).changed is False
            with closing(sqlite3.connect(tmp_path / "gateway.db")) as other:
                other.execute("UPDATE mt SET kind = 0")
                other.commit()
            assert (await one.database.look()).changed is True
            one.exchange.look_again()
            await one.until(2)

    asyncio.run(scenario())

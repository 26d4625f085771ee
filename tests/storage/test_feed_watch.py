"""The watch over the feed folder, with workers as they are: processes of their own."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest

from smsgw import metrics
from smsgw.service.feed import COLUMNS
from smsgw.service.keyed import Keyed
from smsgw.storage.feed import LOCK
from smsgw.storage.feed_watch import FeedWatch
from smsgw.storage.lock import hold

HEADER = ",".join(COLUMNS) + "\n"
TEN = HEADER + "".join(f"{number:012},,,,,,,\n" for number in range(10))
SOON = 0.02  # seconds between two looks
PATIENCE = 30


class World:
    def __init__(self, path: Path, limit: float = PATIENCE) -> None:
        self.path = path / "feeds"
        self.data_dir = path / "data"
        self.watch = FeedWatch(self.path, self.data_dir, 0.1, limit, look_every=SOON)

    def drop(self, name: str, content: str = TEN) -> None:
        """As a careful writer does it: under a name that is no feed's first."""
        new = self.path / f".{name}"
        new.write_text(content, encoding="utf-8")
        new.rename(self.path / name)

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 -- files and processes tell nobody
                await asyncio.sleep(SOON)

    def done(self, name: str) -> bool:
        return (self.path / "done" / name).exists()


@asynccontextmanager
async def watching(world: World) -> AsyncIterator[None]:
    running = asyncio.create_task(world.watch.run())
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def play(path: Path, story: Callable[[World], Awaitable[None]], limit: float = PATIENCE) -> None:
    world = World(path, limit)
    world.path.mkdir()

    async def told() -> None:
        async with watching(world):
            await story(world)

    asyncio.run(told())


def test_feeds_are_taken_in_order_of_name(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.drop("2.delta.csv", HEADER + "000000000011,,,,,,,\n")
        world.drop("3.csv", "x\n")
        world.drop("1.csv")
        await world.until((world.path / "refused" / "3.csv").exists)
        await world.until(lambda: world.watch.refused)
        assert world.done("1.csv")
        assert world.done("2.delta.csv")
        assert world.watch.refused == "3.csv was refused: 1 line is wrong"
        assert metrics.FEED_REFUSED._value.get() == 1
        world.drop("4.csv", TEN)  # ten of eleven are left
        await world.until(lambda: not world.watch.refused)
        assert world.done("4.csv")
        assert metrics.FEED_REFUSED._value.get() == 0

    play(tmp_path, story)


def test_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    world = World(tmp_path)

    async def story() -> None:
        async with watching(world):
            await world.until(lambda: world.watch.trouble)
            assert world.watch.trouble == (
                f"billing.feed_dir {world.path} can't be read: No such file or directory"
            )
            assert metrics.FEED_TROUBLE._value.get() == 1
            world.path.mkdir()
            await world.until(lambda: not world.watch.trouble)
            world.drop("1.csv")
            await world.until(lambda: world.done("1.csv"))
            assert metrics.FEED_TROUBLE._value.get() == 0

    asyncio.run(story())


def test_an_import_that_fails_is_tried_again(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        with hold(world.data_dir, LOCK):
            world.drop("1.csv")
            await world.until(lambda: world.watch.trouble)
            assert "1.csv can't be imported now" in world.watch.trouble
            assert "in use by another smsgw import" in world.watch.trouble
        await world.until(lambda: world.done("1.csv"))
        await world.until(lambda: not world.watch.trouble)

    play(tmp_path, story)


def pid_of_import(world: World) -> int:
    with suppress(OSError, ValueError):
        return int((world.data_dir / f"{LOCK}.lock").read_text())
    return 0


def test_a_worker_that_is_killed_is_started_again(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.drop("1.csv")
        await world.until(lambda: world.done("1.csv"))
        first = pid_of_import(world)
        many = HEADER + "".join(f"{number:012},,,,,,,\n" for number in range(300_000))
        world.drop("2.csv", many)
        await world.until(lambda: pid_of_import(world) not in (0, first))
        os.kill(pid_of_import(world), signal.SIGKILL)
        await world.until(lambda: world.watch.trouble)
        assert world.watch.trouble == (
            "2.csv can't be imported now: the import ended by itself (signal 9)"
        )
        await world.until(lambda: world.done("2.csv"))

    play(tmp_path, story)


def test_an_import_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.drop("1.csv")
        await world.until(lambda: world.watch.trouble)
        assert "longer than billing.import_limit" in world.watch.trouble
        assert not world.done("1.csv")

    play(tmp_path, story, limit=0.01)


def test_no_process_can_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    async def story(world: World) -> None:
        world.drop("1.csv")
        await world.until(lambda: world.watch.trouble)
        assert "no process could be started: No such file" in world.watch.trouble

    play(tmp_path, story)


@pytest.mark.parametrize("said", ['{"event": "refu', "x" * (2 << 20)], ids=["half a line", "long"])
def test_a_worker_that_is_killed_while_it_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    (tmp_path / "said").write_text(said)
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexec cat {tmp_path / 'said'}\n")
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))

    async def story(world: World) -> None:
        world.drop("1.csv")
        await world.until(lambda: world.watch.trouble)
        assert world.watch.trouble == (
            "1.csv can't be imported now: the import ended in the middle of a word"
        )

    play(tmp_path, story)


def test_codes_are_kept_by_the_key_that_is_configured(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.watch = FeedWatch(world.path, world.data_dir, 0.1, PATIENCE, 'a "key"\n', SOON)
        async with watching(world):
            world.drop(
                "1.csv", HEADER.replace("\n", ",code\n") + f"{12:012},B1,,,,1,EUR,open,a1b2c3\n"
            )
            await world.until(lambda: world.done("1.csv"))
        with closing(sqlite3.connect(world.data_dir / "billing-1.db")) as cache:
            (code,) = cache.execute("SELECT code FROM bill").fetchone()
        assert code == Keyed(b'a "key"\n').code(f"{12:012}", "A1B2C3")
        assert not (world.data_dir / "secret.key").exists()

    world = World(tmp_path)
    world.path.mkdir()
    asyncio.run(story(world))


@pytest.mark.parametrize("first", [b"", b"null\n"])
def test_a_worker_ends_with_who_started_it(tmp_path: Path, first: bytes) -> None:
    many = HEADER + "".join(f"{number:012},,,,,,,\n" for number in range(300_000))
    (tmp_path / "many.csv").write_text(many)

    async def started() -> int:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "smsgw.storage.feed_worker"),
            *(str(tmp_path / "many.csv"), str(tmp_path / "data"), "0.1"),
            stdin=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        process.stdin.write(first)
        process.stdin.close()
        async with asyncio.timeout(PATIENCE):
            return await process.wait()

    assert asyncio.run(started()) == 1
    assert (tmp_path / "many.csv").exists()

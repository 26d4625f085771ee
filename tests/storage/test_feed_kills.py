"""kill -9 at any step of an import: what is left is the old cache or the new, and it goes on."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from smsgw.service.feed import COLUMNS
from smsgw.service.keyed import Keyed
from smsgw.storage.database import current_snapshot, open_gateway
from smsgw.storage.feed import Feed, take_snapshot

KILLED = Path(__file__).with_name("killed_imports.py")
WORKER = (sys.executable, "-m", "smsgw.storage.feed_worker")
AT = 1_790_000_000.0
KEYED = Keyed(b"key")
PATIENCE = 120


def write(path: Path, customers: range) -> Path:
    lines = [f"{number:012},,,,,,,\n" for number in customers]
    path.write_text(",".join(COLUMNS) + "\n" + "".join(lines), encoding="utf-8")
    return path


def base(data_dir: Path, feed: Path) -> None:
    with closing(open_gateway(data_dir)) as con:
        one = Feed(feed, AT, forced=False, keyed=KEYED)
        take_snapshot(con, data_dir, one, max_shrink=0.5, now=AT, progress=lambda *_: None)


@pytest.mark.parametrize(
    "stride", [7, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "each"]
)
@pytest.mark.parametrize(
    ("name", "new"),
    [("new.csv", [2, 3, 4, 5]), ("new.delta.csv", [1, 2, 3, 4, 5])],
    ids=["snapshot", "delta"],
)
def test_killed_before_a_step(tmp_path: Path, name: str, new: list[int], stride: int) -> None:
    base(tmp_path / "base", write(tmp_path / "old.csv", range(1, 4)))
    write(tmp_path / name, range(2, 6))
    found = subprocess.run(
        [sys.executable, KILLED, tmp_path, name, str(stride)],
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    results = [json.loads(line) for line in found.stdout.splitlines()]
    old = [1, 2, 3]
    caches = [result["cache"] for result in results]
    switched = caches.index(new)
    assert caches == [old] * switched + [new] * (len(caches) - switched)
    assert 20 / stride - 1 < switched < len(results) - 3 / stride
    for result in results:
        assert result["waits"] is not (result["reported"] is True), result
        assert result["then"] == new
        assert len(result["caches"]) <= 2
    assert [result["waits"] for result in results[:switched]] == [True] * switched
    assert results[-1]["waits"] is False


@pytest.mark.slow
def test_killed_at_thirty_moments(tmp_path: Path) -> None:
    """A feed each of 20,000 and 20,001 customers in turn, whole in the cache or not there."""
    chance = random.Random(5)
    data_dir, feeds = tmp_path / "data", tmp_path / "feeds"
    feeds.mkdir()
    base(data_dir, write(tmp_path / "old.csv", range(20_000)))
    kills = 0
    for turn in range(30):
        write(feeds / "new.csv", range(20_000 + turn % 2))
        with subprocess.Popen(
            [*WORKER, str(feeds / "new.csv"), str(data_dir), "0.1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        ) as worker:
            assert worker.stdin is not None
            worker.stdin.write("null\n")
            worker.stdin.flush()
            time.sleep(chance.uniform(0.1, 0.6))
            worker.kill()
        kills += worker.returncode == -signal.SIGKILL
        with closing(open_gateway(data_dir)) as con:
            name = current_snapshot(con)
        assert name is not None
        with closing(sqlite3.connect(data_dir / name)) as cache:
            assert cache.execute("PRAGMA quick_check").fetchone() == ("ok",)
            (customers,) = cache.execute("SELECT count(*) FROM customer").fetchone()
            (noted,) = cache.execute("SELECT customers FROM feed").fetchone()
        assert customers == noted
        assert customers in (20_000, 20_001)
        if not (feeds / "new.csv").exists():
            assert customers == 20_000 + turn % 2
    assert kills

"""Takes one feed again and again, killed by -9 one step later each time, and looks what is left.

`killed_imports.py FOLDER NAME STRIDE`: FOLDER/base holds the databases, FOLDER/NAME the feed. A
step is a call out of Python into SQLite or the system: a child kills itself before its n-th one,
and n grows by STRIDE. Each result is printed as a JSON line; the last child comes to its end. A
program of its own, because it forks.
"""

import json
import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any, Final

from smsgw.storage import feed_worker
from smsgw.storage.database import CacheReader, open_gateway

STEPS: Final = frozenset(
    {"execute", "executemany", "executescript", "close", "fsync", "open", "unlink", "rename"}
    | {"replace", "mkdir", "flock", "ftruncate", "pwrite", "write", "connect", "backup"}
)


def child(feed: Path, data_dir: Path, last: int) -> None:
    """Take the feed; die before step `last`."""
    step = 0

    def count(_frame: FrameType, event: str, called: Any) -> None:
        nonlocal step
        if event == "c_call" and called.__name__ in STEPS:
            step += 1
            if step == last:
                os.kill(os.getpid(), signal.SIGKILL)

    told: list[dict[str, Any]] = []
    sys.setprofile(count)
    feed_worker.take(feed, data_dir, 0.5, None, told.append)
    sys.setprofile(None)
    os._exit(0 if told[-1]["event"] == "taken" else 1)


def cache(data_dir: Path) -> list[int]:
    """The customers as a daemon would read them, after a look at every page."""
    with closing(open_gateway(data_dir)) as con:
        reader = CacheReader(con, data_dir)
        reader.follow()
        assert reader.attached is not None
        with closing(sqlite3.connect(data_dir / reader.attached)) as whole:
            assert whole.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [number for (number,) in con.execute("SELECT number FROM billing.customer")]


def main() -> None:
    folder, name, stride = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    step, status = 0, 1
    while status:
        step += stride
        data_dir, feeds = folder / "data", folder / "feeds"
        for old in (data_dir, feeds):
            shutil.rmtree(old, ignore_errors=True)
        shutil.copytree(folder / "base", data_dir)
        feeds.mkdir()
        shutil.copy2(folder / name, feeds)
        process = os.fork()
        if not process:
            child(feeds / name, data_dir, step)
        status = os.waitpid(process, 0)[1]
        assert status in (0, signal.SIGKILL), status
        place, done = feeds / name, feeds / "done" / name
        left = {
            "step": step,
            "cache": cache(data_dir),
            "waits": place.exists(),
            "reported": done.with_name(f"{name}.report.json").exists() if done.exists() else None,
        }
        if place.exists():  # the next start takes it
            told: list[dict[str, Any]] = []
            feed_worker.take(place, data_dir, 0.5, None, told.append)
            assert told[-1]["event"] == "taken", told
        caches = sorted(path.name for path in data_dir.glob("billing-*.db"))
        print(json.dumps({**left, "then": cache(data_dir), "caches": caches}), flush=True)


main()

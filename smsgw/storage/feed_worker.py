"""The process that takes one feed out of the feed folder, so that nobody else waits for it.

`python -m smsgw.storage.feed_worker FILE DATA_DIR MAX_SHRINK` writes one JSON object a line:
`{"event": "progress", "octets": …, "rows": …}` about once a second, and at the end one that says
what became of the feed: `taken` and `refused` (it is put away, with a report), `changed` (somebody
writes to it still, or has put another in its place) or `failed` (nothing was done that stays;
another try may help). It ends by itself when its standard input does, so it never outlives who
started it. The first line there is the key of the keyed digests in JSON, null for the one in
DATA_DIR: arguments can be seen by anyone.
Killed at any moment it leaves the old cache or the new one, and the feed where it was or put away.
"""

import json
import os
import resource
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from smsgw import log
from smsgw.clock import utc
from smsgw.service.lines import FileError
from smsgw.storage import feed_dir
from smsgw.storage.database import StorageError, open_gateway
from smsgw.storage.feed import Feed, Taken, is_delta, take_delta, take_snapshot
from smsgw.storage.feed_report import counts, wrong_lines
from smsgw.storage.keys import keyed
from smsgw.storage.snapshot import FeedChangedError, FeedRefusedError

NICE: Final = 10  # customers are answered first
MEMORY: Final = 1 << 30  # octets of address space; it takes a fifth of that, however long the feed
TELL_EVERY: Final = 1.0  # seconds

Tell = Callable[[dict[str, Any]], None]


def take(path: Path, data_dir: Path, max_shrink: float, secret: str | None, tell: Tell) -> None:
    """Take a feed from its folder and put it away. `tell` hears how it goes, and last how it went.

    `secret` is the key of the keyed digests, None for the one in `data_dir`. Every error is told,
    none is raised.
    """
    began, clock = time.time(), time.monotonic()

    def ended(report: dict[str, Any], to: str) -> None:
        seconds = round(time.monotonic() - clock, 3)
        memory = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        about = {
            "file": path.name,
            "began_at": _iso(began),
            "seconds": seconds,
            "memory_mb": memory,  # at its peak
        }
        place = feed_dir.put_away(path, to, {**about, **report}, was)
        tell({"event": report["verdict"], "seconds": seconds, "place": str(place), **report})

    try:
        feed_dir.prepare(path.parent)
        was = path.stat()
        feed = Feed(path, None, forced=False, keyed=keyed(data_dir, secret))
        stated = {
            "kind": "delta" if is_delta(path) else "snapshot",
            "as_of": _iso(was.st_mtime),
            "octets": was.st_size,
        }
        try:
            taken = _import(feed, data_dir, max_shrink, began, _reporter(tell))
        except FeedChangedError as error:
            tell({"event": "changed", "reason": str(error)})
        except FeedRefusedError as error:
            ended({"verdict": "refused", **stated, "reason": str(error)}, feed_dir.REFUSED)
        except FileError as error:
            ended({"verdict": "refused", **stated, **wrong_lines(error)}, feed_dir.REFUSED)
        else:
            ended({"verdict": "taken", **stated, **counts(taken)}, feed_dir.DONE)
    except feed_dir.ReplacedError as error:
        tell({"event": "changed", "reason": str(error)})
    except (StorageError, sqlite3.Error, OSError) as error:
        tell({"event": "failed", "reason": str(error)})
    except MemoryError:
        tell({"event": "failed", "reason": "there is not enough memory"})


def _import(
    feed: Feed,
    data_dir: Path,
    max_shrink: float,
    now: float,
    progress: Callable[[int, int], None],
) -> Taken:
    with closing(open_gateway(data_dir)) as con:
        if is_delta(feed.path):
            return take_delta(con, data_dir, feed, now=now, progress=progress)
        return take_snapshot(con, data_dir, feed, max_shrink=max_shrink, now=now, progress=progress)


def _reporter(tell: Tell) -> Callable[[int, int], None]:
    due = time.monotonic() + TELL_EVERY

    def progress(octets: int, rows: int) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + TELL_EVERY
            tell({"event": "progress", "octets": octets, "rows": rows})

    return progress


def _iso(at: float) -> str:
    return utc(at).isoformat(timespec="seconds")


def bound_memory() -> None:
    """Give this process, which takes a feed and does nothing else, no more than that needs."""
    with suppress(OSError, ValueError):  # a lower bound that somebody set stays
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def main() -> None:
    os.nice(NICE)
    bound_memory()
    log.configure("auto", "warning")
    told = sys.stdin.readline()
    if not told:
        sys.exit(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    path, data_dir, max_shrink = sys.argv[1:]
    take(Path(path), Path(data_dir), float(max_shrink), json.loads(told), _print)


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


def _print(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

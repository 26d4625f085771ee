"""The daemon's eye on the feed folder: each file that is complete is taken by a process of its own.

Files are taken in order of name, one at a time. One is complete when two looks in turn find it
with the same size and time; the worker looks once more at the end of its reading.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

from smsgw import metrics
from smsgw.log import get_logger
from smsgw.storage import feed_dir
from smsgw.storage.feed import is_delta
from smsgw.storage.feed_dir import Folder, Waiting

LOOK_EVERY: Final = 1.0  # seconds
SAY_EVERY: Final = 10  # reports of progress, a second apart, between two lines in the log
LONGEST_REST: Final = 60.0  # seconds after an import that failed; the first is LOOK_EVERY
LONGEST_LINE: Final = 1 << 20  # octets of what a worker says at once

log = get_logger(__name__)


class FeedWatch:
    """Takes the feeds of a folder for as long as `run` runs."""

    def __init__(
        self,
        folder: Path,
        data_dir: Path,
        max_shrink: float,
        import_limit: float,
        secret: str | None = None,
        look_every: float = LOOK_EVERY,
    ) -> None:
        """`secret` is the key of the keyed digests, None for the one in `data_dir`."""
        self.trouble = ""
        """Why no feed can be taken now; empty if nothing is wrong."""
        self.refused = ""
        """Which feed was refused last, and why; empty once a later one was taken."""
        self._folder = folder
        self._data_dir = data_dir
        self._max_shrink = max_shrink
        self._import_limit = import_limit
        self._secret = secret
        self._look_every = look_every
        self._seen: frozenset[Waiting] = frozenset()
        self._rest = look_every
        self._unreadable = False
        self._left: set[str] = set()  # files that were told of for not being taken

    async def run(self) -> None:
        while True:
            soon = await self._step()
            await asyncio.sleep(self._look_every if soon else self._rest)

    async def _step(self) -> bool:
        """Look, and take what is due; whether the next look should be soon."""
        try:
            found = await asyncio.to_thread(feed_dir.look, self._folder)
        except OSError as error:
            self._unreadable = True
            self._in_trouble(f"billing.feed_dir {self._folder} can't be read: {error.strerror}")
            return True
        if self._unreadable:
            self._unreadable = False
            self._well()
        self._tell_of_others(found)
        metrics.FEEDS_WAITING.set(len(found.feeds))
        seen, self._seen = self._seen, frozenset(found.feeds)
        if not found.feeds:
            self._well()
        elif found.feeds[0] in seen:
            return await self._take(found.feeds[0])
        return True

    def _tell_of_others(self, found: Folder) -> None:
        for name in found.others:
            if name not in self._left:
                log.warning("billing.not_a_feed", file=name, advice="feeds are named .csv")
        self._left = set(found.others)

    async def _take(self, feed: Waiting) -> bool:
        """Have one taken; False if that failed, and a rest is due."""
        path = self._folder / feed.name
        log.info("billing.import_started", file=feed.name, octets=feed.size)
        try:
            async with asyncio.timeout(self._import_limit):
                last = await self._run_worker(path, feed.size)
        except TimeoutError:
            last = {"event": "failed", "reason": "it took longer than billing.import_limit"}
        except ValueError:
            last = {"event": "failed", "reason": "the import ended in the middle of a word"}
        except OSError as error:  # no more processes, no memory for one
            last = {"event": "failed", "reason": f"no process could be started: {error.strerror}"}
        finally:
            metrics.IMPORT_ROWS.set(0)
            metrics.IMPORT_SHARE.set(0)
        return self._conclude(feed, last)

    async def _run_worker(self, path: Path, octets: int) -> dict[str, Any]:
        """The last that the worker has to say."""
        told: dict[str, Any] = {"event": "failed"}
        said = 0
        async with _worker(path, self._data_dir, self._max_shrink, self._secret) as process:
            assert process.stdout is not None
            async for line in process.stdout:
                told = json.loads(line)
                if told["event"] == "progress":
                    metrics.IMPORT_ROWS.set(told["rows"])
                    metrics.IMPORT_SHARE.set(told["octets"] / max(octets, 1))
                    said += 1
                    if said % SAY_EVERY == 0:
                        share = f"{told['octets'] / max(octets, 1):.0%}"
                        log.info("billing.importing", file=path.name, rows=told["rows"], read=share)
            status = await process.wait()
        if told["event"] in ("progress", "failed") and "reason" not in told:
            return {"event": "failed", "reason": f"the import ended by itself ({_ending(status)})"}
        return told

    def _conclude(self, feed: Waiting, last: dict[str, Any]) -> bool:
        event = last.pop("event")
        if event == "changed":
            log.info("billing.feed_changed", file=feed.name, **last)
            return True
        metrics.FEEDS.labels("delta" if is_delta(Path(feed.name)) else "snapshot", event).inc()
        if event == "failed":
            self._in_trouble(f"{feed.name} can't be imported now: {last['reason']}")
            self._rest = min(self._rest * 2, LONGEST_REST)
            return False
        metrics.FEED_SECONDS.labels(event).observe(last["seconds"])
        self._well()
        if event == "refused":
            self.refused = f"{feed.name} was refused: {last['reason']}"
            log.error("billing.feed_refused", file=feed.name, **last)
        else:
            self.refused = ""
            log.info("billing.feed_taken", file=feed.name, **last)
        metrics.FEED_REFUSED.set(bool(self.refused))
        return True

    def _in_trouble(self, reason: str) -> None:
        if reason != self.trouble:
            log.error("billing.feed_trouble", reason=reason)
        self.trouble = reason
        metrics.FEED_TROUBLE.set(1)

    def _well(self) -> None:
        if self.trouble:
            log.info("billing.feed_trouble_over")
        self.trouble = ""
        self._rest = self._look_every
        metrics.FEED_TROUBLE.set(0)


@asynccontextmanager
async def _worker(
    path: Path, data_dir: Path, max_shrink: float, secret: str | None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker, which does not outlive the block: it may be killed at any moment."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "smsgw.storage.feed_worker"),
        *(str(path), str(data_dir), repr(max_shrink)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE,
    )
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(secret).encode() + b"\n")
        yield process
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _ending(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"status {status}"

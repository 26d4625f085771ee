"""Taking a billing feed: a whole one becomes a new cache, a delta changes the current one.

A feed is taken whole or refused whole. One import runs at a time; a new cache becomes current by
one row in `gateway.db`, and until then nothing that readers see has changed.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from smsgw.service.keyed import Keyed
from smsgw.storage import payments, snapshot
from smsgw.storage.database import current_snapshot, transaction
from smsgw.storage.lock import hold
from smsgw.storage.snapshot import Contents, FeedRefusedError, Progress, Source
from smsgw.text.counted import counted

LOCK: Final = "import"


class Feed(NamedTuple):
    """A feed that someone wants taken."""

    path: Path
    as_of: float | None  # the moment it tells of; None: when the file was last changed
    forced: bool  # take it although it loses many customers
    keyed: Keyed  # makes the digests of codes


class Cache(NamedTuple):
    """The current cache as an import finds it."""

    path: Path
    as_of: float
    contents: Contents


class Taken(NamedTuple):
    """What an import did."""

    kind: str  # snapshot, delta
    as_of: float
    before: Cache | None  # None: there was none
    now: Contents


def is_delta(path: Path) -> bool:
    """Whether a file's name says that it holds changes."""
    return path.name.lower().endswith(".delta.csv")


def take_snapshot(
    con: sqlite3.Connection,
    data_dir: Path,
    feed: Feed,
    *,
    max_shrink: float,
    now: float,
    progress: Progress,
) -> Taken:
    """Make a whole feed the current cache. `con` is to `gateway.db`.

    `max_shrink` is the share of the customers that it may lose; 0: any. Raises FeedRefusedError,
    FileError, StorageError and sqlite3.Error; the cache is then what it was.
    """
    with hold(data_dir, LOCK), _opened(feed) as file:
        source = _source(file, feed, "snapshot", now)
        current = _current(con, data_dir)
        _sweep_unfinished(con, data_dir)
        number = snapshot.number_of(current_snapshot(con)) + 1
        path = data_dir / snapshot.name(number)
        try:
            held = snapshot.build(path, source, progress)
            if not feed.forced:
                _refuse_shrunk(feed.path, held, current and current.contents, max_shrink)
            taken_over = set(payments.since(con, source.as_of))
            payments.take_over_into(path, taken_over)
            with transaction(con):
                # Those that were told of meanwhile; from here on they find the new cache.
                late = [one for one in payments.since(con, source.as_of) if one not in taken_over]
                payments.take_over_into(path, late)
                payments.forget(con, source.as_of, now)
                con.execute(
                    "INSERT INTO main.snapshot (file, imported_at) VALUES (?, ?)", (path.name, now)
                )
        except BaseException:
            _sweep_unfinished(con, data_dir)
            raise
        snapshot.remove(data_dir, lambda old: old < number - 1)  # a reader may be on its way there
        return Taken(source.kind, source.as_of, current, held)


def take_delta(
    con: sqlite3.Connection, data_dir: Path, feed: Feed, *, now: float, progress: Progress
) -> Taken:
    """Apply changes to the current cache. `con` is to `gateway.db`.

    Raises FeedRefusedError, FileError, StorageError and sqlite3.Error; the cache is then what it
    was.
    """
    with hold(data_dir, LOCK), _opened(feed) as file:
        source = _source(file, feed, "delta", now)
        current = _current(con, data_dir)
        if current is None:
            raise FeedRefusedError(
                f"{feed.path}: there is no cache that could be changed; import a whole feed first"
            )
        held = snapshot.change(
            current.path,
            source,
            progress,
            finish=lambda cache: payments.take_over(cache, payments.since(con, source.as_of)),
        )
        return Taken(source.kind, source.as_of, current, held)


def _sweep_unfinished(con: sqlite3.Connection, data_dir: Path) -> None:
    """Delete what imports that failed or died have left: nothing newer than the current counts."""
    current = snapshot.number_of(current_snapshot(con))
    snapshot.remove(data_dir, lambda number: number > current)


@contextmanager
def _opened(feed: Feed) -> Iterator[BinaryIO]:
    try:
        file = feed.path.open("rb")
    except OSError as error:
        raise FeedRefusedError(f"{feed.path}: can't be read: {error.strerror}") from None
    with file:
        yield file


def _source(file: BinaryIO, feed: Feed, kind: str, now: float) -> Source:
    as_of = os.fstat(file.fileno()).st_mtime if feed.as_of is None else feed.as_of
    name = os.fsencode(feed.path.name).decode(errors="replace")
    return Source(file, name, kind, as_of, now, feed.keyed)


def _current(con: sqlite3.Connection, data_dir: Path) -> Cache | None:
    """The current cache; None where there is none, or none that a new one could be held to."""
    name = current_snapshot(con)
    if name is None:
        return None
    path = data_dir / name
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as cache:
            row = cache.execute(
                "SELECT as_of, customers, bills FROM feed ORDER BY rowid DESC LIMIT 1"
            ).fetchone()
    except sqlite3.Error:
        return None
    return row and Cache(path, row[0], Contents(*row[1:]))


def _refuse_shrunk(path: Path, new: Contents, old: Contents | None, max_shrink: float) -> None:
    if not new.customers:
        raise FeedRefusedError(f"{path}: has no customers; --force takes it all the same")
    if old is None or not max_shrink:
        return
    lost = old.customers - new.customers
    if lost > max_shrink * old.customers + 1e-6:  # of a share that is not exact in binary
        raise FeedRefusedError(
            f"{path}: has {counted(new.customers, 'customer')}, the cache {old.customers}: that is"
            f" {lost / old.customers:.1%} less, and billing.max_shrink is {max_shrink * 100:g}%;"
            " --force takes it all the same"
        )

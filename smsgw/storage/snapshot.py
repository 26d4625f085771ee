"""The billing cache's files: building one beside the current, changing the current, sweeping.

A file is `billing-<n>.db` in data_dir, with n growing. It is complete and on disk before anyone
is told of it, and never renamed or written anew: who reads it keeps what was opened.
"""

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from smsgw.log import get_logger
from smsgw.service import feed
from smsgw.service.feed import FeedRow
from smsgw.service.lines import Problems
from smsgw.storage.billing import SCHEMA
from smsgw.storage.database import StorageError, current_snapshot, transaction

BATCH: Final = 2000  # rows a statement
PAGES: Final = -16_000  # KiB of a cache file in memory while it is built

log = get_logger(__name__)

_NAME: Final = re.compile(r"billing-([0-9]+)\.db(-wal|-shm|-journal)?")

Progress = Callable[[int], None]  # is told how many octets of a file have been read


class Contents(NamedTuple):
    """How much a cache holds."""

    customers: int
    bills: int


class Source(NamedTuple):
    """A feed to be read, and what is written about it."""

    file: BinaryIO
    name: str
    kind: str  # snapshot, delta
    as_of: float
    taken_at: float


def name(number: int) -> str:
    return f"billing-{number}.db"


def number_of(file: str | None) -> int:
    """The number in a cache file's name; 0 for none."""
    match = _NAME.fullmatch(file or "")
    return int(match[1]) if match else 0


def build(path: Path, source: Source, progress: Progress) -> Contents:
    """Make a cache file of a whole feed and put it on disk.

    Raises FileError if lines of the feed are wrong; the file is there all the same.
    """
    problems = Problems()
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute("PRAGMA journal_mode = OFF")  # a file that isn't finished is swept
        con.execute("PRAGMA synchronous = OFF")
        con.execute("PRAGMA locking_mode = EXCLUSIVE")
        con.execute(f"PRAGMA cache_size = {PAGES}")
        con.executescript(SCHEMA)
        with transaction(con):
            written = _fill(con, source, problems, progress)
            problems.refuse()
            held = _note(con, source)
    if held.bills != written:
        raise StorageError(f"{path}: {written} bills were written, {held.bills} are there")
    _seal(path)
    return held


def _fill(con: sqlite3.Connection, source: Source, problems: Problems, progress: Progress) -> int:
    """Write a feed's rows, each bill once, and return how many bills there were."""

    def repeated(line: int, customer: int, bill: str) -> bool:
        problems.add(line, f"bill {bill} of customer {customer:012} was there before")
        return False

    con.create_function("repeated", 3, repeated)
    bills = 0
    for batch in _batches(source, problems, progress):
        _add_customers(con, batch)
        bills += con.executemany(
            "INSERT INTO bill VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (customer, number)"
            " DO UPDATE SET number = number WHERE repeated(?, excluded.customer, excluded.number)",
            [row for row in batch if row.bill_number],
        ).rowcount
    return bills


def change(path: Path, source: Source, progress: Progress) -> Contents:
    """Apply a delta to the cache file at `path` in one transaction: all of it or nothing.

    Of several lines on one bill the last counts. Raises FileError, and sqlite3.Error.
    """
    problems = Problems()
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as con:
        con.execute("PRAGMA synchronous = FULL")
        con.execute(f"PRAGMA cache_size = {PAGES}")
        with transaction(con):
            for batch in _batches(source, problems, progress):
                _add_customers(con, batch)
                con.executemany(
                    "INSERT OR REPLACE INTO bill VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [row[:8] for row in batch if row.bill_number],
                )
            problems.refuse()
            return _note(con, source)


def _batches(source: Source, problems: Problems, progress: Progress) -> Iterator[list[FeedRow]]:
    rows = feed.read(source.file, problems)
    while batch := list(islice(rows, BATCH)):
        yield batch
        if source.file.seekable():  # a pipe has no place to tell
            progress(source.file.tell())


def _add_customers(con: sqlite3.Connection, batch: list[FeedRow]) -> None:
    con.executemany(
        "INSERT OR IGNORE INTO customer VALUES (?)",
        [(number,) for number in dict.fromkeys(row.customer for row in batch)],
    )


def _note(con: sqlite3.Connection, source: Source) -> Contents:
    (customers,) = con.execute("SELECT count(*) FROM customer").fetchone()
    (bills,) = con.execute("SELECT count(*) FROM bill").fetchone()
    con.execute(
        "INSERT INTO feed VALUES (?, ?, ?, ?, ?, ?)",
        (source.as_of, source.taken_at, source.kind, source.name, customers, bills),
    )
    return Contents(customers, bills)


def _seal(path: Path) -> None:
    """Check a finished file as it is on disk, make it ready for readers beside a writer, sync."""
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        (verdict,) = con.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise StorageError(f"{path}: {verdict}")
        con.execute("PRAGMA journal_mode = WAL")
    _sync(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(data_dir: Path, unwanted: Callable[[int], bool]) -> None:
    """Delete the cache files whose number is `unwanted`. Who has one open goes on reading it.

    One that can't be deleted is litter, and no reason to stop: it is logged.
    """
    for path in data_dir.iterdir():
        match = _NAME.fullmatch(path.name)
        if match and unwanted(int(match[1])):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                log.warning("billing.old_cache_stays", file=str(path), reason=error.strerror)


def sweep(con: sqlite3.Connection, data_dir: Path) -> None:
    """Delete the caches before the current one: for the daemon, once it reads the current."""
    current = number_of(current_snapshot(con))
    remove(data_dir, lambda number: number < current)

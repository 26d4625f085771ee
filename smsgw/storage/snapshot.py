"""The billing cache's files: building one beside the current, changing the current, sweeping.

A file is `billing-<n>.db` in data_dir, with n growing. It is complete and on disk before anyone
is told of it, and never renamed or written anew: who reads it keeps what was opened.
"""

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from smsgw.log import get_logger
from smsgw.service import feed
from smsgw.service.feed import FeedRow
from smsgw.service.keyed import Keyed
from smsgw.service.lines import Problems
from smsgw.storage.billing import SCHEMA, has_code_column
from smsgw.storage.database import StorageError, transaction
from smsgw.storage.disk import sync

BATCH: Final = 2000  # rows a statement
FLUSH_EVERY: Final = 50  # batches, some 7 MB of a cache file
PAGES: Final = -32_000  # KiB of a cache file in memory while it is written

log = get_logger(__name__)

_NAME: Final = re.compile(r"billing-([0-9]+)\.db(-wal|-shm|-journal)?")

Progress = Callable[[int, int], None]  # is told how many octets and rows of a file were read


class FeedRefusedError(Exception):
    """A feed that is not taken; the message says why, and what to do."""


class FeedChangedError(FeedRefusedError):
    """A feed that somebody writes to: it may be right once that has ended."""


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
    keyed: Keyed  # makes the digests of codes

    def refuse_changed(self, began: os.stat_result) -> None:
        """Raise FeedChangedError if the file isn't what it was when its reading `began`."""
        now = os.fstat(self.file.fileno())
        if (now.st_size, now.st_mtime_ns) != (began.st_size, began.st_mtime_ns):
            raise FeedChangedError(f"{self.name}: is still being written; try again")


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
    with _spilling_to(path.parent), closing(sqlite3.connect(path, isolation_level=None)) as con:
        con.execute("PRAGMA journal_mode = OFF")  # a file that isn't finished is swept
        con.execute("PRAGMA synchronous = OFF")
        con.execute("PRAGMA locking_mode = EXCLUSIVE")
        con.execute(f"PRAGMA cache_size = {PAGES}")
        con.executescript(SCHEMA)
        with transaction(con):
            batches = _ascending(con, _batches(source, problems, progress))
            written = _fill(con, _written_out(path, batches), problems)
            problems.refuse()
            held = _count(con)
            _note(con, source, held)
    if held.bills != written:
        raise StorageError(f"{path}: {written} bills were written, {held.bills} are there")
    _seal(path)
    return held


@contextmanager
def _spilling_to(folder: Path) -> Iterator[None]:
    """SQLite sorts in files without a name: they belong where the cache goes, not in /var/tmp."""
    before = os.environ.get("SQLITE_TMPDIR")
    os.environ["SQLITE_TMPDIR"] = before or str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["SQLITE_TMPDIR"]


def _fill(con: sqlite3.Connection, batches: Iterator[list[FeedRow]], problems: Problems) -> int:
    """Write a feed's rows, each bill once, and return how many bills there were."""

    def repeated(line: int, customer: int, bill: str) -> bool:
        problems.add(line, f"bill {bill} of customer {customer:012} was there before")
        return False

    con.create_function("repeated", 3, repeated)
    bills = 0
    for batch in batches:
        _add_customers(con, batch)
        bills += con.executemany(
            "INSERT INTO bill VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (customer, number)"
            " DO UPDATE SET number = number WHERE repeated(?, excluded.customer, excluded.number)",
            [row for row in batch if row.bill_number],
        ).rowcount
    return bills


def _ascending(
    con: sqlite3.Connection, batches: Iterator[list[FeedRow]]
) -> Iterator[list[FeedRow]]:
    """The rows by their keys: those that come in that order at once, the others sorted at the end.

    Written in no order, each row would take a page from the disk and put one back: ten million
    then take twice as long as sorted ones. Of equal rows the one that came last is given last.
    """
    con.execute(f"CREATE TEMP TABLE late ({', '.join(FeedRow._fields)})")
    marks = ", ".join("?" * len(FeedRow._fields))
    top = (-1, "")
    for batch in batches:
        keys = [(row.customer, row.bill_number or "") for row in batch]
        ordered = sorted(keys)
        if keys == ordered and top < keys[0]:
            yield batch
        else:
            con.executemany(f"INSERT INTO late VALUES ({marks})", batch)
        top = max(top, ordered[-1])
    late = con.execute("SELECT * FROM late ORDER BY customer, bill_number, line")
    while rows := late.fetchmany(BATCH):
        yield list(map(FeedRow._make, rows))
    con.execute("DROP TABLE late")


def _written_out(path: Path, batches: Iterator[list[FeedRow]]) -> Iterator[list[FeedRow]]:
    """The same batches; what they add to the file goes to the disk a little at a time.

    All of it at the end would hold up the daemon's commits for seconds.
    """
    with path.open("rb") as file:
        for count, batch in enumerate(batches, 1):
            yield batch
            if count % FLUSH_EVERY == 0:
                os.fdatasync(file.fileno())


def change(
    path: Path,
    source: Source,
    progress: Progress,
    finish: Callable[[sqlite3.Connection], None] = lambda _: None,
) -> Contents:
    """Apply a delta to the cache file at `path` in one transaction: all of it or nothing.

    Of several lines on one bill the last counts; a code stays where a line has none. A cache that
    was made before codes gets a place for them. `finish` is done last, in the same transaction.
    Raises FileError, and sqlite3.Error.
    """
    problems = Problems()
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as con:
        con.execute("PRAGMA synchronous = FULL")
        con.execute(f"PRAGMA cache_size = {PAGES}")
        with transaction(con):
            if not has_code_column(con, "main"):
                con.execute("ALTER TABLE bill ADD COLUMN code BLOB")
            held = Contents(
                *con.execute(
                    "SELECT customers, bills FROM feed ORDER BY rowid DESC LIMIT 1"
                ).fetchone()
            )
            for batch in _batches(source, problems, progress):
                bills = [row[:9] for row in batch if row.bill_number]
                new = _add_customers(con, batch), con.executemany(_ADD, bills).rowcount
                con.executemany(_CHANGE, bills)
                held = Contents(held.customers + new[0], held.bills + new[1])
            problems.refuse()
            finish(con)
            _note(con, source, held)
        con.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # a long log makes reading slow
    return held


# What a delta adds is counted: to count what is there then would take seconds.
_ADD: Final = "INSERT OR IGNORE INTO bill VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_CHANGE: Final = (
    "UPDATE bill SET issued_on = ?3, due_on = ?4, cut_off_on = ?5, amount = ?6, currency = ?7,"
    " status = ?8, code = ifnull(?9, code) WHERE customer = ?1 AND number = ?2"
)


def _batches(source: Source, problems: Problems, progress: Progress) -> Iterator[list[FeedRow]]:
    """The rows of a feed, some at a time. Raises FeedChangedError at its end."""
    began = os.fstat(source.file.fileno())
    rows = feed.read(source.file, problems, source.keyed)
    count = 0
    while batch := list(islice(rows, BATCH)):
        yield batch
        count += len(batch)
        if source.file.seekable():  # a pipe has no place to tell
            progress(source.file.tell(), count)
    source.refuse_changed(began)


def _add_customers(con: sqlite3.Connection, batch: list[FeedRow]) -> int:
    """Write the customers of some rows and return how many of them are new."""
    return con.executemany(
        "INSERT OR IGNORE INTO customer VALUES (?)",
        [(number,) for number in dict.fromkeys(row.customer for row in batch)],
    ).rowcount


def _count(con: sqlite3.Connection) -> Contents:
    (customers,) = con.execute("SELECT count(*) FROM customer").fetchone()
    (bills,) = con.execute("SELECT count(*) FROM bill").fetchone()
    return Contents(customers, bills)


def _note(con: sqlite3.Connection, source: Source, held: Contents) -> None:
    con.execute(
        "INSERT INTO feed VALUES (?, ?, ?, ?, ?, ?)",
        (source.as_of, source.taken_at, source.kind, source.name, *held),
    )


def _seal(path: Path) -> None:
    """Check a finished file as it is on disk, make it ready for readers beside a writer, sync."""
    with closing(sqlite3.connect(path, isolation_level=None)) as con:
        (verdict,) = con.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise StorageError(f"{path}: {verdict}")
        con.execute("PRAGMA journal_mode = WAL")
    sync(path)
    sync(path.parent)


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


def sweep(data_dir: Path, current: str | None) -> None:
    """Delete the caches before the current one: for the daemon, once it reads that. A cache of ten
    million customers takes a third of a second: not in the thread that the answers need.
    """
    remove(data_dir, lambda number: number < number_of(current))

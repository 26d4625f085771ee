"""Copies of the databases while a daemon writes to them: each as it was at one moment.

The copy is made inside one read transaction. In WAL mode that keeps no writer waiting; the log
only grows meanwhile. It is made a slice at a time, with a rest after each, so that the disk stays
free for the daemon's commits. Then it is written anew: pages may still hold what was deleted of
them, or erased, and no copy is to have that.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from smsgw.storage.database import GATEWAY, StorageError, current_snapshot, open_read_only
from smsgw.storage.disk import sync

SLICE: Final = 1000  # pages, 4 MB
REST: Final = 0.01  # seconds
STEPS: Final = 500_000  # of SQLite's machine between two rests: some 10 ms

Progress = Callable[[int, int], None]  # is told how many pages of how many are copied


class Copy(NamedTuple):
    """A database that was copied."""

    source: str  # its name in data_dir, under which the copy is put back
    path: Path
    octets: int


def back_up(
    data_dir: Path, gateway: Path, billing: Path | None, *, replace: bool, progress: Progress
) -> list[Copy]:
    """Copy `gateway.db` to `gateway` and, unless that is None, the billing cache to `billing`.

    The cache is the one that `gateway.db` names at that moment. The copies appear under their names
    once all are whole, checked and on disk; where one fails nothing is left. `replace`: files that
    are there give way. Raises StorageError, sqlite3.Error and OSError.
    """
    con = open_read_only(data_dir)
    if con is None:
        raise StorageError(f"there is no {GATEWAY} in {data_dir} yet: nothing to back up")
    targets = [gateway] if billing is None else [gateway, billing]
    for target in targets:
        _refuse_place(target, data_dir, replace)
    if len({target.resolve() for target in targets}) < len(targets):
        raise StorageError(f"{gateway}: two databases need two files")
    with closing(con), _reading(con):
        sources = [(GATEWAY, con, gateway)]
        if billing is None:
            return _copy_all(sources, progress)
        name = current_snapshot(con)
        if name is None:
            raise StorageError("there is no billing cache yet; leave out --billing")
        with closing(_open_cache(data_dir / name)) as cache, _reading(cache):
            return _copy_all([*sources, (name, cache, billing)], progress)


def _refuse_place(target: Path, data_dir: Path, replace: bool) -> None:
    if target.resolve().parent == data_dir.resolve():
        raise StorageError(f"{target} is in data_dir, where the databases are; write it elsewhere")
    if not target.parent.is_dir():
        raise StorageError(f"{target}: there is no folder {target.parent}; make it first")
    if target.is_dir():
        raise StorageError(f"{target} is a folder; name a file")
    if target.exists() and not target.is_file():
        raise StorageError(f"{target} is no ordinary file; name another")
    if target.exists() and not replace:
        raise StorageError(f"{target} is there already; --force replaces it")


def _open_cache(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None)


@contextmanager
def _reading(con: sqlite3.Connection) -> Iterator[None]:
    """One read transaction, begun for good: it begins with the first thing that is read."""
    con.execute("BEGIN")
    con.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    try:
        yield
    finally:
        con.execute("ROLLBACK")


def _copy_all(
    sources: list[tuple[str, sqlite3.Connection, Path]], progress: Progress
) -> list[Copy]:
    """Copy all, and only then give them their names."""
    parts: list[Path] = []
    try:
        for _, con, target in sources:
            parts.append(_copy(con, target, progress))
        copies = [
            Copy(name, target, part.stat().st_size)
            for (name, _, target), part in zip(sources, parts, strict=True)
        ]
        for (_, _, target), part in zip(sources, parts, strict=True):
            part.replace(target)
            sync(target.parent)
        return copies
    except BaseException:
        for part in parts:
            part.unlink(missing_ok=True)
        raise


def _copy(con: sqlite3.Connection, target: Path, progress: Progress) -> Path:
    """Make a copy beside its place, under another name, and return that."""
    part = target.with_name(f".{target.name}.part")  # what a killed backup left is written over
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(f"{target}: can't be written: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StorageError(f"{target}: another backup to it is under way") from error

    def copied(_: int, left: int, total: int) -> None:
        progress(total - left, total)
        time.sleep(REST)

    new = part.with_name(f"{part.name}.new")
    try:
        os.ftruncate(descriptor, 0)
        with closing(sqlite3.connect(part, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode = OFF")
            copy.execute("PRAGMA synchronous = OFF")
            con.backup(copy, pages=SLICE, progress=copied)
        _write_anew(part, new)
        _check(new)
        sync(new)
        return new
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    finally:
        part.unlink(missing_ok=True)
        os.close(descriptor)


def _write_anew(part: Path, new: Path) -> None:
    """Write a copy once more, of what its tables hold and nothing else."""
    new.unlink(missing_ok=True)  # what a killed backup left
    new.touch(mode=0o600)
    with closing(sqlite3.connect(part, isolation_level=None)) as copy:
        copy.set_progress_handler(_rest, STEPS)
        copy.execute("VACUUM INTO ?", (os.fspath(new),))
    with closing(sqlite3.connect(new, isolation_level=None)) as written:
        written.execute("PRAGMA journal_mode = WAL")


def _rest() -> int:
    time.sleep(REST)
    return 0  # go on


def _check(part: Path) -> None:
    """Read the copy through once as it will be read."""
    with closing(sqlite3.connect(part, isolation_level=None)) as copy:
        (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    for name in ("-wal", "-shm"):  # of a file in WAL mode that was only read
        part.with_name(part.name + name).unlink(missing_ok=True)
    if verdict != "ok":
        raise StorageError(f"the copy is damaged: {verdict}")

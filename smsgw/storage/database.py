"""Opening the databases: pragmas, migrations, and the billing cache attached beside them."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

GATEWAY: Final = "gateway.db"
CACHE_SCHEMA: Final = "billing"  # the name under which the cache is attached

# The step of the schema since which nothing deleted is left in the file. One that was made before
# is written anew once.
SECURE_SINCE: Final = 10

# How long a transaction waits for another process's: commands hold the lock for 100 ms at most.
BUSY_TIMEOUT: Final = 2.0


class StorageError(Exception):
    """The databases can't be used; the message says why and what to do."""


def make(data_dir: Path) -> None:
    """Make the folder of the databases if need be. Raises StorageError where it can't be."""
    try:
        data_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        reason = _reason(data_dir, error)
        raise StorageError(
            f"data_dir {data_dir} can't be made: {reason}; create it or change data_dir"
        ) from error


def _reason(data_dir: Path, error: OSError) -> str:
    kinds = FileExistsError | NotADirectoryError
    return "it is a file" if isinstance(error, kinds) and data_dir.exists() else str(error.strerror)


# What to do about an error of SQLite's, by its primary code.
_ADVICE: Final = {
    sqlite3.SQLITE_NOTADB: "put a backup in its place",
    sqlite3.SQLITE_CORRUPT: "put a backup in its place",
    sqlite3.SQLITE_CANTOPEN: "let this user read and write it and its folder",
    sqlite3.SQLITE_READONLY: "let this user read and write it and its folder",
    sqlite3.SQLITE_FULL: "make room on its disk",
}


def explained(error: Exception) -> str:
    """An error of a database with what to do about it, where that can be said."""
    code = getattr(error, "sqlite_errorcode", None)
    advice = None if code is None else _ADVICE.get(code & 0xFF)
    return f"{error}; {advice}" if advice else str(error)


def _advice_on_cache(path: Path, error: sqlite3.Error) -> str:
    if path.exists() and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CANTOPEN:
        return _ADVICE[sqlite3.SQLITE_CANTOPEN]
    return "a whole feed makes a new one: smsgw billing import FILE"


def open_gateway(
    data_dir: Path, *, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Open `gateway.db` in `data_dir` for reading and writing, made and migrated if need be.

    Raises StorageError where that can't be done.
    """
    make(data_dir)
    path = data_dir / GATEWAY
    try:
        con = _connect(f"{path.absolute().as_uri()}?mode=rwc", factory)
        con.execute("PRAGMA main.journal_mode = WAL")
        con.execute("PRAGMA main.synchronous = FULL")
        con.execute("PRAGMA main.secure_delete = ON").fetchone()  # nothing deleted is left there
        migrate(con)
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"{path}: {explained(error)}") from error
    return con


def open_read_only(data_dir: Path) -> sqlite3.Connection | None:
    """Open `gateway.db` for reading, also while a daemon runs; None where there is none yet."""
    path = data_dir / GATEWAY
    try:
        path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = _reason(data_dir, error)
        more = "let this user read it, or " if isinstance(error, PermissionError) else ""
        raise StorageError(
            f"data_dir {data_dir} can't be read: {reason}; {more}change data_dir"
        ) from error
    try:
        con = _connect(f"{path.absolute().as_uri()}?mode=ro", sqlite3.Connection)
        version = schema_version(con)
    except sqlite3.Error as error:
        raise StorageError(f"{path}: {explained(error)}") from error
    if version != len(migrations()):
        raise StorageError(
            f"{path} has schema {version}, this program reads {len(migrations())}: "
            "start the daemon of this version once, or use the program that made it"
        )
    return con


def _connect(uri: str, factory: type[sqlite3.Connection]) -> sqlite3.Connection:
    return sqlite3.connect(
        uri,
        uri=True,  # also lets ATTACH take a URI
        timeout=BUSY_TIMEOUT,
        isolation_level=None,  # transactions are begun and ended by transaction()
        check_same_thread=False,  # opened in one thread, then used by one other alone
        cached_statements=256,
        factory=factory,
    )


@contextmanager
def transaction(con: sqlite3.Connection) -> Iterator[None]:
    """One transaction that holds the write lock from its start: all of it or nothing."""
    con.execute("BEGIN IMMEDIATE")
    try:
        yield
        con.execute("COMMIT")
    except BaseException:
        if con.in_transaction:
            con.execute("ROLLBACK")
        raise


# KiB of pages in memory for a job that writes to all parts of the indexes; SQLite's own is 2000.
_MANY_PAGES: Final = -32_000


@contextmanager
def many_written(con: sqlite3.Connection) -> Iterator[None]:
    """Around many short transactions, between which the caller calls `checkpoint`.

    Otherwise a commit would do that, and be taken for a long one: it is done without the lock.
    """
    (pages,) = con.execute("PRAGMA main.cache_size").fetchone()
    (frames,) = con.execute("PRAGMA wal_autocheckpoint").fetchone()
    con.execute(f"PRAGMA main.cache_size = {_MANY_PAGES}")
    con.execute("PRAGMA wal_autocheckpoint = 0").fetchone()
    try:
        yield
    finally:
        con.execute(f"PRAGMA main.cache_size = {pages}")
        con.execute(f"PRAGMA wal_autocheckpoint = {frames}").fetchone()


def checkpoint(con: sqlite3.Connection) -> None:
    """Move what was committed from the log to its place. Nobody waits for it, nor it for them."""
    con.execute("PRAGMA main.wal_checkpoint(PASSIVE)").fetchone()


@contextmanager
def one_moment(con: sqlite3.Connection) -> Iterator[None]:
    """Around several reads, so that all are of one moment."""
    con.execute("BEGIN")
    try:
        yield
    finally:
        con.rollback()  # nothing was written


@cache
def migrations() -> tuple[str, ...]:
    """The schema's steps in order, each an SQL script; step n brings it to version n."""
    folder = resources.files("smsgw.storage") / "schema"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return tuple([(folder / name).read_text(encoding="utf-8") for name in names])


def schema_version(con: sqlite3.Connection) -> int:
    (version,) = con.execute("PRAGMA main.user_version").fetchone()
    return int(version)


def migrate(con: sqlite3.Connection) -> None:
    """Bring the schema to this program's version, each step in a transaction of its own. A database
    of a version that left in its file what was deleted is written anew: that takes a minute for two
    gigabytes, once.

    Raises StorageError if the database was made by a later version.
    """
    steps, before = migrations(), schema_version(con)
    if schema_version(con) > len(steps):
        raise StorageError(
            f"the database has schema {schema_version(con)}, this program knows {len(steps)}: "
            "it was made by a later version of smsgw; use that one"
        )
    for number, script in enumerate(steps[schema_version(con) :], start=schema_version(con) + 1):
        with transaction(con):
            if schema_version(con) >= number:
                continue  # another process was faster
            for statement in _statements(script):
                con.execute(statement)
            con.execute(f"PRAGMA main.user_version = {number}")
    if 0 < before < SECURE_SINCE:
        con.execute("VACUUM main")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one (executescript would end our transaction)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def probe(con: sqlite3.Connection) -> None:
    """Write what is there already. Raises sqlite3.Error where nothing can be written."""
    with transaction(con):
        con.execute(f"PRAGMA main.user_version = {schema_version(con)}")


def current_snapshot(con: sqlite3.Connection) -> str | None:
    """The name in `data_dir` of the current billing cache; None: there never was a feed."""
    row = con.execute("SELECT file FROM main.snapshot ORDER BY id DESC LIMIT 1").fetchone()
    return None if row is None else str(row[0])


class CacheReader:
    """Keeps the current billing cache attached to a connection, read-only, as `billing`.

    Attached by a URI with mode=ro: otherwise BEGIN IMMEDIATE would take its write lock too,
    and a delta and an answer would lock each other out.
    """

    def __init__(self, con: sqlite3.Connection, data_dir: Path) -> None:
        self._con = con
        self._data_dir = data_dir
        self.attached: str | None = None

    def follow(self) -> bool:
        """Attach the current cache, if it is another than before; True if it was switched.

        Between transactions only. Raises StorageError if the file can't be read; the one that
        was attached then stays.
        """
        current = current_snapshot(self._con)
        if current is None or current == self.attached:
            return False
        try:
            self._take(current)
        except StorageError:
            # Two feeds may have been taken since the name was read, and the file be gone.
            again = current_snapshot(self._con)
            if again is None or again == current:
                raise
            self._take(again)
        return True

    def _take(self, name: str) -> None:
        """Try the file under another name first: what is attached is not let go for a bad one."""
        path = (self._data_dir / name).absolute()
        uri = f"{path.as_uri()}?mode=ro"
        try:
            self._con.execute("ATTACH ? AS candidate", (uri,))
            try:
                self._con.execute("SELECT as_of FROM candidate.feed LIMIT 1").fetchone()
            finally:
                self._con.execute("DETACH candidate")
            if self.attached is not None:
                self._con.execute(f"DETACH {CACHE_SCHEMA}")
                self.attached = None
            self._con.execute(f"ATTACH ? AS {CACHE_SCHEMA}", (uri,))
        except sqlite3.Error as error:
            raise StorageError(f"{path}: {error}; {_advice_on_cache(path, error)}") from error
        self.attached = name

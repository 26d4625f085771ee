"""What commands on data share: open databases, errors that say what to do, progress, tables."""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, tzinfo
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import typer

from smsgw.cli.common import fail
from smsgw.service.message import Channel

if TYPE_CHECKING:
    from smsgw.service.keyed import Keyed
    from smsgw.settings.model import Settings
    from smsgw.storage.audit import Author
    from smsgw.storage.database import CacheReader

Written = Callable[[float, tzinfo], str]  # a moment in the configuration's zone

WIDTH: Final = 200  # of a table that no terminal bounds


class Stores(NamedTuple):
    """`gateway.db`, and the billing cache attached to it if there is one."""

    con: sqlite3.Connection
    cache: "CacheReader"

    @property
    def cached(self) -> bool:
        return self.cache.attached is not None


@contextmanager
def open_stores(data_dir: Path) -> Iterator[Stores]:
    """Both databases for reading and writing, made if need be; what fails ends the command."""
    with open_gateway_alone(data_dir) as stores:
        stores.cache.follow()
        yield stores


@contextmanager
def open_gateway_alone(data_dir: Path) -> Iterator[Stores]:
    """The same with no cache attached: for who needs none, or brings a new one, as the old may be
    damaged."""
    from smsgw.storage.database import CacheReader, StorageError, explained, open_gateway

    try:
        with closing(open_gateway(data_dir)) as con:
            yield Stores(con, CacheReader(con, data_dir))
    except StorageError as error:
        fail(error)
    except sqlite3.Error as error:
        fail(f"{data_dir}: the database failed: {explained(error)}; it is safe to try again")


@contextmanager
def read_stores(data_dir: Path) -> Iterator[Stores | None]:
    """Both databases for reading; None where there are none yet."""
    with read_gateway_alone(data_dir) as stores:
        if stores is not None:
            stores.cache.follow()
        yield stores


@contextmanager
def read_gateway_alone(data_dir: Path) -> Iterator[Stores | None]:
    """The same with no cache attached, for who needs none."""
    from smsgw.storage.database import CacheReader, StorageError, explained, open_read_only

    try:
        con = open_read_only(data_dir)
        if con is None:
            yield None
            return
        with closing(con):
            yield Stores(con, CacheReader(con, data_dir))
    except StorageError as error:
        fail(error)
    except sqlite3.Error as error:
        fail(f"{data_dir}: the database failed: {explained(error)}")


def signed(settings: "Settings", channel: Channel) -> "Author":
    """Who changes registrations by this command: whoever is logged in, by `channel`."""
    from smsgw.clock import SystemClock
    from smsgw.settings import derive
    from smsgw.storage.audit import Author, Origin
    from smsgw.storage.database import StorageError
    from smsgw.storage.keys import keyed

    try:
        key = keyed(settings.data_dir, derive.secret(settings))
    except StorageError as error:
        fail(error)
    return Author(key, Origin(channel, user()), SystemClock().now())


def known_key(settings: "Settings") -> "Keyed | None":
    """The key of all digests, for who only reads; None where there is none, and so no digest."""
    from smsgw.settings import derive
    from smsgw.storage.database import StorageError
    from smsgw.storage.keys import KEY_FILE, keyed

    secret = derive.secret(settings)
    if secret is None and not (settings.data_dir / KEY_FILE).exists():
        return None
    try:
        return keyed(settings.data_dir, secret)
    except StorageError as error:
        fail(error)


def user() -> str:
    """Who gives this command, for what is signed by it."""
    try:
        return os.environ.get("SUDO_USER") or getuser()
    except (KeyError, OSError):  # of an id without a name: in a container, say
        return f"user {os.getuid()}"


def check_carrier(carrier: str | None, settings: "Settings", option: str = "--carrier") -> None:
    """End the command if an option names none of the configuration's carriers."""
    if carrier is not None and carrier not in settings.carriers:
        raise typer.BadParameter(
            f"there is no carrier {carrier!r}; there are {', '.join(settings.carriers)}",
            param_hint=option,
        )


def to_read(at: float, timezone: tzinfo) -> str:
    """A moment for people, to the minute."""
    return f"{datetime.fromtimestamp(at, timezone):%Y-%m-%d %H:%M}"


def to_the_second(at: float, timezone: tzinfo) -> str:
    """A moment for people who compare it with what a log says."""
    return f"{datetime.fromtimestamp(at, timezone):%Y-%m-%d %H:%M:%S}"


def not_told(phones: int) -> str:
    """What a summary says of phones that wait for a message which can't go out."""
    return f", {phones} not (carrier not known, or not enabled)" if phones else ""


@contextmanager
def lines_told(file: Path) -> Iterator[None]:
    """Around the import of `file`: its wrong lines are printed, and end the command."""
    from smsgw.service.lines import FileError

    try:
        yield
    except FileError as error:
        for problem in error.problems:
            typer.echo(f"{file}:{problem.line}: {problem.reason}", err=True)
        if more := error.count - len(error.problems):
            typer.echo(f"{file}: and {more} more", err=True)
        fail(f"{file}: nothing was taken")


@contextmanager
def progress_of(what: str, total: int) -> Iterator[Callable[..., None]]:
    """Shows on a terminal how far something has come.

    What is yielded is told how much of `total` is done and, where there are some, how many rows.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _rows=0: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=total)

        def show(done: int, rows: int = 0) -> None:
            told = f"{what}: {rows:,} rows" if rows else what
            bars.update(task, completed=done, description=told)

        yield show


def print_table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table on stdout, as wide as it has to be where that is no terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    Console(width=None if sys.stdout.isatty() else WIDTH, markup=False).print(table)

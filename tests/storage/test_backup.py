"""Backups: each database as it was at one moment, and nobody kept waiting for it."""

import os
import resource
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from smsgw.service.feed import COLUMNS
from smsgw.service.keyed import Keyed
from smsgw.storage import backup
from smsgw.storage.backup import Copy, back_up
from smsgw.storage.database import CacheReader, StorageError, open_gateway, transaction
from smsgw.storage.feed import Feed, take_snapshot
from smsgw.storage.lock import hold

AT = 1_790_000_000.0
KEYED = Keyed(b"key")


def silent(_done: int, _total: int) -> None:
    pass


class Place:
    """A data_dir with a thousand messages and a billing cache."""

    def __init__(self, path: Path) -> None:
        self.data_dir = path / "data"
        self.gateway = path / "out" / "gateway.backup"
        self.billing = path / "out" / "billing.backup"
        self.gateway.parent.mkdir()
        self.con = open_gateway(self.data_dir)
        with transaction(self.con):
            for _ in range(1000):
                self.write(self.con)

    @staticmethod
    def write(con: sqlite3.Connection) -> None:
        con.execute("INSERT INTO snapshot (file, imported_at) VALUES ('x', 1)")
        con.execute("CREATE TABLE IF NOT EXISTS ballast (octets BLOB)")
        con.execute("INSERT INTO ballast VALUES (randomblob(3000))")

    def feed(self, *customers: int) -> None:
        path = self.data_dir / "feed.csv"
        lines = [f"{number:012},,,,,,,\n" for number in customers]
        path.write_text(",".join(COLUMNS) + "\n" + "".join(lines), encoding="utf-8")
        feed = Feed(path, AT, forced=True, keyed=KEYED)
        take_snapshot(
            self.con, self.data_dir, feed, max_shrink=0.0, now=AT, progress=lambda *_: None
        )

    def back_up(
        self,
        with_cache: bool = False,
        replace: bool = False,
        progress: Callable[[int, int], None] = silent,
    ) -> list[Copy]:
        billing = self.billing if with_cache else None
        return back_up(self.data_dir, self.gateway, billing, replace=replace, progress=progress)

    def out(self) -> set[str]:
        return {path.name for path in self.gateway.parent.iterdir()}


def rows(path: Path, table: str = "ballast") -> int:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as con:
        (count,) = con.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(count)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    with closing(place.con):
        yield place


def test_both_are_restored(place: Place, tmp_path: Path) -> None:
    place.feed(1, 2, 3)
    copies = place.back_up(with_cache=True)
    assert [(copy.source, copy.path) for copy in copies] == [
        ("gateway.db", place.gateway),
        ("billing-1.db", place.billing),
    ]
    assert [copy.octets for copy in copies] == [
        place.gateway.stat().st_size,
        place.billing.stat().st_size,
    ]
    assert place.out() == {"gateway.backup", "billing.backup"}
    assert place.gateway.stat().st_mode & 0o777 == 0o600

    restored = tmp_path / "restored"
    restored.mkdir()
    for copy in copies:
        shutil.copy(copy.path, restored / copy.source)
    with closing(open_gateway(restored)) as con:
        CacheReader(con, restored).follow()
        assert con.execute("SELECT number FROM billing.customer").fetchall() == [(1,), (2,), (3,)]
        assert con.execute("SELECT count(*) FROM ballast").fetchone() == (1000,)
        with transaction(con):
            place.write(con)


def test_writers_go_on_and_the_copy_is_of_one_moment(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "SLICE", 50)
    monkeypatch.setattr(backup, "REST", 0.0)
    place.con.execute("PRAGMA busy_timeout = 0")  # who had to wait would fail
    slices = 0

    def write(done: int, total: int) -> None:
        nonlocal slices
        slices += 1
        assert done <= total
        with transaction(place.con):
            place.write(place.con)

    place.back_up(progress=write)
    assert slices > 10
    assert rows(place.gateway) == 1000
    assert rows(place.data_dir / "gateway.db") == 1000 + slices


def test_a_cache_that_is_replaced_meanwhile(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.feed(1, 2, 3)
    fed = False

    def feed(_done: int, _total: int) -> None:
        nonlocal fed
        if not fed:
            fed = True
            for customers in ([4], [5], [6]):  # the file that is being copied is deleted
                place.feed(*customers)

    copies = place.back_up(with_cache=True, progress=feed)
    assert [copy.source for copy in copies] == ["gateway.db", "billing-1.db"]
    assert rows(place.billing, "customer") == 3


def test_the_secret_key_is_not_in_it(place: Place) -> None:
    (place.data_dir / "secret.key").write_text("0123456789abcdef" * 4)
    place.feed(1)
    place.back_up(with_cache=True)
    for name in place.out():
        assert b"0123456789abcdef" not in (place.gateway.parent / name).read_bytes()


def test_what_a_killed_backup_left_is_written_over(place: Place) -> None:
    (place.gateway.parent / ".gateway.backup.part").write_bytes(b"x" * 10_000_000)
    place.back_up()
    assert place.out() == {"gateway.backup"}
    assert rows(place.gateway) == 1000


def test_one_that_is_there_is_replaced_on_demand(place: Place) -> None:
    place.gateway.write_text("old")
    with pytest.raises(StorageError, match="is there already; --force replaces it"):
        place.back_up()
    assert place.gateway.read_text() == "old"
    place.back_up(replace=True)
    assert rows(place.gateway) == 1000


def refused(place: Place, reason: str, **how: bool) -> None:
    before = place.out() if place.gateway.parent.exists() else set()
    with pytest.raises((StorageError, OSError, sqlite3.Error), match=reason):
        place.back_up(**how)
    assert (place.out() if place.gateway.parent.exists() else set()) == before


def test_in_data_dir(place: Place) -> None:
    place.gateway = place.data_dir / "gateway.db"
    refused(place, "is in data_dir", replace=True)
    assert rows(place.data_dir / "gateway.db") == 1000


def test_a_folder(place: Place) -> None:
    place.gateway.mkdir()
    refused(place, "is a folder; name a file", replace=True)


def test_what_is_no_ordinary_file_is_never_replaced(place: Place) -> None:
    os.mkfifo(place.gateway)
    refused(place, "is no ordinary file; name another", replace=True)
    assert place.gateway.is_fifo()


def test_both_to_one_file(place: Place) -> None:
    place.feed(1)
    place.billing = place.gateway.parent / "." / "gateway.backup"
    refused(place, "two databases need two files", with_cache=True)


def test_no_such_folder(place: Place) -> None:
    place.gateway = place.gateway.parent / "none" / "gateway.backup"
    refused(place, "there is no folder .*/none; make it first")


def test_no_cache_yet(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with closing(open_gateway(tmp_path / "data")), pytest.raises(StorageError, match="leave out"):
        back_up(
            tmp_path / "data",
            tmp_path / "out" / "g",
            tmp_path / "out" / "b",
            replace=False,
            progress=silent,
        )
    assert not list((tmp_path / "out").iterdir())


def test_no_database_yet(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"there is no gateway\.db .* nothing to back up"):
        back_up(tmp_path / "data", tmp_path / "g", None, replace=False, progress=silent)


def test_a_cache_that_is_gone_leaves_nothing(place: Place) -> None:
    place.feed(1)
    (place.data_dir / "billing-1.db").unlink()
    refused(place, "unable to open database file", with_cache=True)


def test_a_full_disk(place: Place) -> None:
    """The limit on a file's size stands for it: the write fails in the middle."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        refused(place, "full|disk I/O error|too large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_copy_that_is_damaged(place: Place) -> None:
    def spoil(done: int, total: int) -> None:
        if done == total:
            part = place.gateway.with_name(".gateway.backup.part")
            size = part.stat().st_size
            with part.open("r+b") as file:
                file.seek(size // 2 // 4096 * 4096)
                file.write(os.urandom(4096))

    with pytest.raises((StorageError, sqlite3.DatabaseError)):
        place.back_up(progress=spoil)
    assert place.out() == set()


def test_two_backups_to_one_file(place: Place) -> None:
    def again(_done: int, _total: int) -> None:
        with pytest.raises(StorageError, match="another backup to it is under way"):
            back_up(place.data_dir, place.gateway, None, replace=False, progress=silent)

    place.back_up(progress=again)
    assert rows(place.gateway) == 1000


def test_beside_an_import(place: Place) -> None:
    with hold(place.data_dir, "import"), hold(place.data_dir, "daemon"):
        place.back_up()
    assert rows(place.gateway) == 1000

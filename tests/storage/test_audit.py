"""The audit's chain, and the key that it is made with."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from smsgw.service.keyed import Keyed
from smsgw.service.message import Channel, Msisdn
from smsgw.storage import audit, stops
from smsgw.storage.audit import Author, Change, Entry, Origin
from smsgw.storage.database import StorageError, open_gateway, transaction
from smsgw.storage.keys import KEY_FILE, keyed

ANNA, BORIS = Msisdn("359888000001"), Msisdn("359888000002")
HOME, SHOP = "300000000001", "300000000002"
KEYED = Keyed(b"k" * 32)
CLERK = Origin(Channel.CENTRE, "maria")
T = 1_800_000_000.0


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_gateway(tmp_path)) as con:
        record(con, Entry(Change.REQUESTED, ANNA, HOME))
        record(
            con,
            Entry(Change.ACTIVATED, ANNA, HOME, "feed"),
            Entry(Change.MOVED, BORIS, SHOP, "mtel"),
        )
        yield con


def record(con: sqlite3.Connection, *entries: Entry) -> None:
    with transaction(con):
        audit.record(con, Author(KEYED, CLERK, T), entries)


def test_what_was_written_is_read(con: sqlite3.Connection) -> None:
    assert [(one.change, one.value) for one in audit.of_phone(con, ANNA)] == [
        (Change.REQUESTED, ""),
        (Change.ACTIVATED, "feed"),
    ]
    (moved,) = audit.of_number(con, SHOP)
    assert moved == audit.Recorded(3, T, Change.MOVED, BORIS, SHOP, "mtel", CLERK)


def test_the_chain_holds_and_only_with_its_key(con: sqlite3.Connection) -> None:
    assert audit.broken(con, KEYED) is None
    assert audit.broken(con, Keyed(b"x" * 32)) == 1


def test_erasing_breaks_no_chain(con: sqlite3.Connection) -> None:
    con.execute("UPDATE audit SET msisdn = NULL, customer_number = NULL WHERE id = 2")
    assert audit.broken(con, KEYED) is None
    assert [one.id for one in audit.of_phone(con, ANNA)] == [1]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET value = 'x' WHERE id = 2",
        "UPDATE audit SET at = at + 1 WHERE id = 1",
        "UPDATE audit SET msisdn = '359888000009' WHERE id = 1",
        "UPDATE audit SET customer_number = '300000000009' WHERE id = 1",
        "DELETE FROM audit WHERE id = 3",
    ],
)
def test_it_is_append_only(con: sqlite3.Connection, change: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        con.execute(change)


@pytest.mark.parametrize(
    ("change", "first"),
    [
        ("UPDATE audit SET value = 'x' WHERE id = 2", 2),
        ("UPDATE audit SET who = 'ivan' WHERE id = 3", 3),
        ("UPDATE audit SET msisdn = '359888000009' WHERE id = 1", 1),
        ("UPDATE audit SET customer_number = '300000000009' WHERE id = 3", 3),
        ("UPDATE audit SET at = 'noon' WHERE id = 2", 2),
        ("DELETE FROM audit WHERE id = 1", 1),
        ("DELETE FROM audit WHERE id = 3", 3),
        ("DELETE FROM audit", 1),
    ],
)
def test_a_change_behind_its_back_is_seen(con: sqlite3.Connection, change: str, first: int) -> None:
    con.execute("DROP TRIGGER audit_stays")
    con.execute("DROP TRIGGER audit_is_not_changed")
    con.execute(change)
    assert audit.broken(con, KEYED) == first


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = keyed(tmp_path / "data", None)
    again = keyed(tmp_path / "data", None)
    assert first.digest("p", "x") == again.digest("p", "x")
    (file,) = (tmp_path / "data").iterdir()
    assert file.name == KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_secret_of_the_configuration_makes_no_file(tmp_path: Path) -> None:
    assert keyed(tmp_path, "s").digest("p", "x") == Keyed(b"s").digest("p", "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "00", "x" * 64, "ж"], ids=repr)
def test_a_damaged_key_is_not_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / KEY_FILE).write_text(content, encoding="utf-8")
    with pytest.raises(StorageError, match="damaged"):
        keyed(tmp_path, None)
    assert (tmp_path / KEY_FILE).read_text(encoding="utf-8") == content


def test_a_key_that_is_gone_is_not_replaced(con: sqlite3.Connection, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="put it back"):
        keyed(tmp_path, None)
    assert not (tmp_path / KEY_FILE).exists()
    with transaction(con):
        con.execute("DROP TRIGGER audit_stays")
        con.execute("DELETE FROM audit")
        stops.enter(con, KEYED, ANNA, T)
    with pytest.raises(StorageError, match="said stop"):
        keyed(tmp_path, None)
    (tmp_path / KEY_FILE).write_text("6b" * 32, encoding="ascii")
    assert stops.since(con, keyed(tmp_path, None), ANNA) == T


@pytest.mark.parametrize("table", ["audit", None], ids=["empty", "from before there were any"])
def test_a_database_without_digests_gets_a_key(tmp_path: Path, table: str | None) -> None:
    with closing(open_gateway(tmp_path)) as con:
        if table is None:
            con.execute("DROP TABLE audit")
    assert keyed(tmp_path, None)
    assert (tmp_path / KEY_FILE).exists()


def test_who_comes_second_takes_the_key_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def slower(new: Path, path: Path) -> None:
        if not Path(path).exists():
            Path(path).write_text("ab" * 32, encoding="ascii")
        link(new, path)

    monkeypatch.setattr(os, "link", slower)
    assert keyed(tmp_path, None).digest("p") == Keyed(b"\xab" * 32).digest("p")
    assert [file.name for file in tmp_path.iterdir()] == [KEY_FILE]


def test_digests_differ_by_purpose_and_by_where_values_end() -> None:
    digests = {
        KEYED.digest("p", "ab"),
        KEYED.digest("q", "ab"),
        KEYED.digest("p", "a", "b"),
        KEYED.digest("p", "ab", ""),
        Keyed(b"other").digest("p", "ab"),
    }
    assert len(digests) == 5
    assert "kkk" not in repr(KEYED)

"""The feed folder: what is a feed in it, where one goes, and what an import of one does."""

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from smsgw.service.feed import COLUMNS
from smsgw.storage import feed_dir, feed_worker, snapshot
from smsgw.storage.database import current_snapshot, open_gateway
from smsgw.storage.feed import LOCK, is_delta
from smsgw.storage.lock import hold

HEADER = ",".join(COLUMNS) + "\n"
CUSTOMER = "{:012},,,,,,,\n"
BILL = "{:012},A,2026-11-20,2026-12-10,,{},EUR,open\n"
AT = 1_790_000_000.0  # 2026-09-21T14:13:20Z


def feed(*lines: str) -> bytes:
    return (HEADER + "".join(lines)).encode()


TEN = feed(*[CUSTOMER.format(number) for number in range(10)])


class Folder:
    """A feed folder beside the databases."""

    def __init__(self, path: Path) -> None:
        self.path = path / "feeds"
        self.data_dir = path / "data"
        self.path.mkdir()

    def drop(self, name: str, content: bytes) -> Path:
        path = self.path / name
        path.write_bytes(content)
        os.utime(path, (AT, AT))
        return path

    def take(self, name: str, content: bytes) -> dict[str, Any]:
        """What the worker tells last of a feed."""
        told: list[dict[str, Any]] = []
        feed_worker.take(self.drop(name, content), self.data_dir, 0.1, None, told.append)
        return told[-1]

    def report(self, place: str) -> dict[str, Any]:
        text = (self.path / f"{place}.report.json").read_text(encoding="utf-8")
        report: dict[str, Any] = json.loads(text)
        return report

    def customers(self) -> list[int]:
        with closing(open_gateway(self.data_dir)) as con:
            name = current_snapshot(con)
        if name is None:
            return []
        with closing(sqlite3.connect(self.data_dir / name)) as cache:
            return [number for (number,) in cache.execute("SELECT number FROM customer")]

    def names(self) -> set[str]:
        return {str(path.relative_to(self.path)) for path in self.path.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


# What is a feed.


def test_feeds_are_found_in_order_of_name(folder: Folder) -> None:
    for name in ("b.csv", "a.delta.csv", "C.CSV", "a.csv"):
        folder.drop(name, b"")
    found = feed_dir.look(folder.path)
    assert [one.name for one in found.feeds] == ["C.CSV", "a.csv", "a.delta.csv", "b.csv"]
    assert found.others == []


@pytest.mark.parametrize("name", [".bills.csv", ".bills.csv.part", ".csv"])
def test_names_with_a_dot_before_them_are_left_alone(folder: Folder, name: str) -> None:
    folder.drop(name, TEN)
    assert feed_dir.look(folder.path) == ([], [])


@pytest.mark.parametrize("name", ["bills.csv.part", "bills.tmp", "bills.csv.filepart", "read.me"])
def test_other_names_are_told_of_and_left_alone(folder: Folder, name: str) -> None:
    folder.drop(name, TEN)
    assert feed_dir.look(folder.path) == ([], [name])


def test_what_is_no_file_is_left_alone(folder: Folder) -> None:
    (folder.path / "folder.csv").mkdir()
    os.mkfifo(folder.path / "pipe.csv")
    (folder.path / "link.csv").symlink_to("/dev/zero")
    assert feed_dir.look(folder.path) == ([], [])


def test_a_file_that_is_written_to_is_another(folder: Folder) -> None:
    folder.drop("a.csv", TEN)
    before = feed_dir.look(folder.path)
    assert feed_dir.look(folder.path) == before
    folder.drop("a.csv", TEN + b"x")
    assert feed_dir.look(folder.path) != before


@pytest.mark.parametrize(
    ("name", "delta"), [("a.csv", False), ("a.delta.csv", True), ("A.DELTA.CSV", True)]
)
def test_what_is_a_delta(name: str, delta: bool) -> None:
    assert is_delta(Path(name)) is delta


# What becomes of one.


def test_a_snapshot_is_taken(folder: Folder) -> None:
    told = folder.take("bills.csv", TEN)
    assert told["event"] == "taken"
    assert folder.customers() == list(range(10))
    assert folder.names() == {"done/bills.csv", "done/bills.csv.report.json"}
    report = folder.report("done/bills.csv")
    assert report.pop("seconds") >= 0
    assert report.pop("began_at")
    assert report.pop("memory_mb") > 10
    assert report == {
        "file": "bills.csv",
        "verdict": "taken",
        "kind": "snapshot",
        "as_of": "2026-09-21T14:13:20+00:00",
        "octets": len(TEN),
        "customers": 10,
        "bills": 0,
        "customers_before": None,
        "bills_before": None,
        "place": str(folder.path / "done" / "bills.csv"),
    }


def test_a_delta_is_taken_after_it(folder: Folder) -> None:
    folder.take("1.csv", TEN)
    told = folder.take("2.delta.csv", feed(CUSTOMER.format(77), BILL.format(1, "1.00")))
    assert (told["kind"], told["customers"], told["bills"]) == ("delta", 11, 1)
    assert (told["customers_before"], told["bills_before"]) == (10, 0)
    assert folder.customers() == [*range(10), 77]


@pytest.mark.parametrize(
    ("content", "reason", "lines"),
    [
        pytest.param(b"", "1 line is wrong", ["the file is empty"], id="zero length"),
        pytest.param(
            TEN[:-1], "1 line is wrong", ["no line end: the file is cut off"], id="no last line end"
        ),
        pytest.param(
            TEN[:-9], "1 line is wrong", ["no line end: the file is cut off"], id="half a row"
        ),
        pytest.param(
            TEN + "000000000011,Ф1,,,,1.00,EUR,open\n".encode("cp1251"),
            "1 line is wrong",
            ["octet 14 is not UTF-8; save the file as UTF-8"],
            id="Windows-1251",
        ),
        pytest.param(
            feed("x\n", CUSTOMER.format(1), "y\n"),
            "2 lines are wrong",
            ["1 fields instead of 8"] * 2,
            id="two lines",
        ),
    ],
)
def test_wrong_lines_refuse_it(
    folder: Folder, content: bytes, reason: str, lines: list[str]
) -> None:
    folder.take("good.csv", TEN)
    assert folder.take("bad.csv", content)["event"] == "refused"
    assert folder.customers() == list(range(10))
    report = folder.report("refused/bad.csv")
    assert (report["reason"], report["wrong_lines"]) == (reason, len(lines))
    assert [one["reason"] for one in report["first_wrong_lines"]] == lines
    assert folder.names() >= {"done/good.csv", "refused/bad.csv"}


def test_a_byte_order_mark_does_no_harm(folder: Folder) -> None:
    assert folder.take("bom.csv", b"\xef\xbb\xbf" + TEN)["event"] == "taken"
    assert folder.customers() == list(range(10))


def test_one_that_shrinks_is_refused_and_says_how_to_force_it(folder: Folder) -> None:
    folder.take("1.csv", TEN)
    assert folder.take("2.csv", feed(CUSTOMER.format(1)))["event"] == "refused"
    assert folder.customers() == list(range(10))
    report = folder.report("refused/2.csv")
    assert "90.0% less, and billing.max_shrink is 10%; --force takes it" in report["reason"]
    assert report["place"] == str(folder.path / "refused" / "2.csv")


def test_a_delta_without_a_cache_is_refused(folder: Folder) -> None:
    assert "import a whole feed first" in folder.take("1.delta.csv", TEN)["reason"]
    assert "refused/1.delta.csv" in folder.names()


@pytest.mark.parametrize(
    ("name", "second", "third"),
    [
        ("bills.csv", "bills-2.csv", "bills-3.csv"),
        ("2026.11.delta.csv", "2026.11-2.delta.csv", "2026.11-3.delta.csv"),
    ],
)
def test_a_name_that_is_taken_gets_a_number(
    folder: Folder, name: str, second: str, third: str
) -> None:
    folder.take("0.csv", TEN)
    for place in (name, second, third):
        assert folder.take(name, TEN)["place"] == str(folder.path / "done" / place)
        assert folder.report(f"done/{place}")["file"] == name


# What can't be done now is told, and nothing has happened.


def untouched(folder: Folder, told: dict[str, Any], reason: str) -> None:
    assert told["event"] == "failed"
    assert reason in told["reason"]
    assert folder.customers() == []
    assert "a.csv" in folder.names()


def test_another_import_at_the_same_time(folder: Folder) -> None:
    with hold(folder.data_dir, LOCK):
        untouched(folder, folder.take("a.csv", TEN), "in use by another smsgw import")
    assert folder.take("a.csv", TEN)["event"] == "taken"


@pytest.mark.parametrize("name", ["done", "refused"])
def test_nowhere_to_put_it_away(folder: Folder, name: str) -> None:
    (folder.path / name).write_bytes(b"")
    untouched(folder, folder.take("a.csv", TEN), "File exists")


def test_a_full_disk(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "_fill", full)
        untouched(folder, folder.take("a.csv", TEN), "database or disk is full")
    assert not list(folder.data_dir.glob("billing-*"))
    assert folder.take("a.csv", TEN)["event"] == "taken"


def test_no_room_for_the_report(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(feed_dir.json, "dump", full)  # type: ignore[attr-defined]
    assert "No space left" in folder.take("a.csv", TEN)["reason"]
    assert folder.names() == {"a.csv"}  # it is taken again, to the same end


def test_no_memory(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(snapshot, "_fill", none_left)
    untouched(folder, folder.take("a.csv", TEN), "not enough memory")


@pytest.mark.parametrize("delta", [False, True])
def test_one_that_is_still_being_written(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, delta: bool
) -> None:
    folder.take("0.csv", TEN)
    name = "a.delta.csv" if delta else "a.csv"
    path = folder.path / name
    batches: Callable[..., Any] = snapshot._batches

    def written_to(*args: Any) -> Any:
        for batch in batches(*args):
            with path.open("ab") as file:
                file.write(CUSTOMER.format(99).encode())
            yield batch

    monkeypatch.setattr(snapshot, "_batches", written_to)
    told = folder.take(name, TEN)
    assert told == {"event": "changed", "reason": f"{name}: is still being written; try again"}
    assert name in folder.names()
    assert folder.customers() == list(range(10))


@pytest.mark.parametrize("content", [TEN, b"x\n"], ids=["right", "wrong"])
@pytest.mark.parametrize("in_place", [False, True])
def test_one_that_another_took_the_place_of(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, content: bytes, in_place: bool
) -> None:
    """What came while the first was read, and after that, is a feed that nobody has read."""
    eleven = TEN + CUSTOMER.format(77).encode()
    sealed: Callable[..., Any] = feed_worker._import

    def replaced(*args: Any) -> Any:
        try:
            return sealed(*args)
        finally:
            new = folder.path / ("a.csv" if in_place else ".new")
            new.write_bytes(eleven)
            new.rename(folder.path / "a.csv")

    with monkeypatch.context() as patch:
        patch.setattr(feed_worker, "_import", replaced)
        told = folder.take("a.csv", content)
    assert told == {
        "event": "changed",
        "reason": "a.csv: was written anew meanwhile; it is taken once more",
    }
    assert folder.names() == {"a.csv"}
    assert folder.take("a.csv", eleven)["event"] == "taken"
    assert folder.customers() == [*range(10), 77]


def test_a_feed_that_is_gone(folder: Folder) -> None:
    told: list[dict[str, Any]] = []
    feed_worker.take(folder.path / "gone.csv", folder.data_dir, 0.1, None, told.append)
    assert told[-1]["event"] == "failed"


def test_the_last_report(folder: Folder) -> None:
    assert feed_dir.last_report(folder.path) is None
    folder.take("1.csv", TEN)
    folder.take("2.csv", b"")
    last = feed_dir.last_report(folder.path)
    assert last is not None
    assert (last["file"], last["verdict"]) == ("2.csv", "refused")
    (folder.path / "refused" / "2.csv.report.json").write_text("{")
    assert feed_dir.last_report(folder.path) is None

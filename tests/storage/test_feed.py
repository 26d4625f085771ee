"""Taking feeds: a snapshot becomes the cache whole or not at all, a delta changes it likewise."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsgw.service.feed import COLUMNS
from smsgw.service.keyed import Keyed
from smsgw.service.lines import FileError
from smsgw.storage import feed as feed_module
from smsgw.storage import snapshot
from smsgw.storage.database import (
    CacheReader,
    StorageError,
    current_snapshot,
    open_gateway,
    transaction,
)
from smsgw.storage.feed import Feed, Taken, take_delta, take_snapshot
from smsgw.storage.lock import hold
from smsgw.storage.snapshot import Contents, FeedRefusedError

NOW = 2_000_000_000.0
KEYED = Keyed(b"key")
HEADER = ",".join(COLUMNS)

Fields = tuple[str, ...]  # of a bill: what follows its number


def bill(amount: str = "45.20", status: str = "open") -> Fields:
    return ("2026-11-20", "2026-12-10", "2026-12-20", amount, "EUR", status)


def line(customer: int, number: str = "", fields: Fields = ("",) * 6) -> str:
    return ",".join((f"{customer:012}", number, *fields))


ONE = line(1, "A", bill())
TWO = line(2, "A", bill("10.00"))
EMPTY = line(3)


class Desk:
    """Where feeds are taken: `gateway.db` and the cache in one folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.con = open_gateway(data_dir)

    def write(self, *lines: str, name: str = "feed.csv") -> Path:
        path = self.data_dir / name
        path.write_text("".join(f"{one}\n" for one in (HEADER, *lines)))
        return path

    def snapshot(
        self, *lines: str, as_of: float | None = NOW, forced: bool = False, shrink: float = 0.1
    ) -> Taken:
        feed = Feed(self.write(*lines), as_of, forced, keyed=KEYED)
        return take_snapshot(
            self.con, self.data_dir, feed, max_shrink=shrink, now=NOW, progress=lambda *_: None
        )

    def delta(self, *lines: str, as_of: float | None = NOW, forced: bool = False) -> Taken:
        feed = Feed(self.write(*lines), as_of, forced, keyed=KEYED)
        return take_delta(self.con, self.data_dir, feed, now=NOW, progress=lambda *_: None)

    def cache(self) -> tuple[list[int], list[tuple[Any, ...]]]:
        """The customers and bills of the current cache."""
        name = current_snapshot(self.con)
        assert name is not None
        with closing(sqlite3.connect(self.data_dir / name)) as con:
            customers = [number for (number,) in con.execute("SELECT number FROM customer")]
            return sorted(customers), con.execute("SELECT * FROM bill").fetchall()

    def files(self) -> set[str]:
        return {path.name for path in self.data_dir.glob("billing-*.db")}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    with closing(desk.con):
        yield desk


STORED_ONE = (1, "A", "2026-11-20", "2026-12-10", "2026-12-20", 4520, "EUR", "open", None)


def test_the_first_snapshot(desk: Desk) -> None:
    taken = desk.snapshot(ONE, line(1, "B", bill("-1.00", "paid")), EMPTY)
    assert taken == Taken("snapshot", NOW, None, Contents(customers=2, bills=2))
    assert desk.cache() == (
        [1, 3],
        [STORED_ONE, (1, "B", "2026-11-20", "2026-12-10", "2026-12-20", -100, "EUR", "paid", None)],
    )
    assert current_snapshot(desk.con) == "billing-1.db"


def test_a_snapshot_is_the_whole_state(desk: Desk) -> None:
    desk.snapshot(ONE, TWO, EMPTY)
    taken = desk.snapshot(TWO, EMPTY, line(4), line(5))
    assert taken.before is not None
    assert taken.before.contents == Contents(3, 2)
    assert desk.cache()[0] == [2, 3, 4, 5]


def test_lines_in_any_order(desk: Desk) -> None:
    desk.snapshot(TWO, line(1, "B", bill()), EMPTY, ONE)
    customers, bills = desk.cache()
    assert customers == [1, 2, 3]
    assert [row[:2] for row in bills] == [(1, "A"), (1, "B"), (2, "A")]


def test_readers_beside_a_writer_need_the_write_ahead_log(desk: Desk) -> None:
    desk.snapshot(ONE)
    with closing(sqlite3.connect(desk.data_dir / "billing-1.db")) as con:
        assert con.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_an_attached_reader_keeps_its_cache_until_it_follows(desk: Desk) -> None:
    desk.snapshot(ONE)
    reader = CacheReader(desk.con, desk.data_dir)
    reader.follow()
    desk.snapshot(TWO)
    desk.snapshot(EMPTY)  # by now the first file is deleted
    count = "SELECT number FROM billing.customer"
    assert desk.con.execute(count).fetchall() == [(1,)]
    assert reader.follow()
    assert desk.con.execute(count).fetchall() == [(3,)]


def test_caches_before_the_previous_one_are_deleted(desk: Desk) -> None:
    for _ in range(4):
        desk.snapshot(ONE)
    assert desk.files() == {"billing-3.db", "billing-4.db"}
    snapshot.sweep(desk.data_dir, current_snapshot(desk.con))
    assert desk.files() == {"billing-4.db"}


def test_more_lines_than_one_statement_takes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "BATCH", 3)
    taken = desk.snapshot(*[line(n, "A", bill()) for n in range(10)])
    assert taken.now == Contents(10, 10)


def test_progress_is_told_in_octets_and_rows(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "BATCH", 2)
    told: list[tuple[int, int]] = []
    path = desk.write(ONE, TWO, EMPTY)
    feed = Feed(path, NOW, forced=False, keyed=KEYED)

    def tell(octets: int, rows: int) -> None:
        told.append((octets, rows))

    take_snapshot(desk.con, desk.data_dir, feed, max_shrink=0.1, now=NOW, progress=tell)
    assert told[-1] == (path.stat().st_size, 3)
    assert told == sorted(told)
    assert [rows for _, rows in told] == [2, 3]


def test_a_feed_from_a_pipe(desk: Desk) -> None:
    reading, writing = os.pipe()
    os.write(writing, f"{HEADER}\n{ONE}\n".encode())
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        source = snapshot.Source(file, "pipe", "snapshot", NOW, NOW, KEYED)
        held = snapshot.build(desk.data_dir / "billing-1.db", source, lambda *_: None)
    assert held == Contents(1, 1)


# What is refused, and leaves everything as it was.


def test_the_same_bill_twice(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "BATCH", 2)
    desk.snapshot(EMPTY)
    with pytest.raises(FileError) as caught:
        desk.snapshot(ONE, TWO, ONE, TWO, TWO, line(1, "B", bill()))
    assert [tuple(problem) for problem in caught.value.problems] == [
        (4, "bill A of customer 000000000001 was there before"),
        (5, "bill A of customer 000000000002 was there before"),
        (6, "bill A of customer 000000000002 was there before"),
    ]
    assert (desk.cache(), desk.files()) == (([3], []), {"billing-1.db"})


def test_the_same_customer_with_nothing_open_twice_is_no_harm(desk: Desk) -> None:
    assert desk.snapshot(EMPTY, EMPTY, line(1), ONE).now == Contents(2, 1)


def test_all_wrong_lines_are_told_in_order(desk: Desk) -> None:
    with pytest.raises(FileError) as caught:
        desk.snapshot(ONE, "x", ONE, "y")
    assert [problem.line for problem in caught.value.problems] == [3, 4, 5]
    assert (current_snapshot(desk.con), desk.files()) == (None, set())


@pytest.mark.parametrize(
    ("before", "after", "shrink"),
    [
        pytest.param(10, 8, 0.1, id="two of ten, a tenth allowed"),
        pytest.param(100, 70, 0.29, id="just too many"),
        pytest.param(1, 0, 0.5, id="all"),
    ],
)
def test_a_snapshot_that_shrinks(desk: Desk, before: int, after: int, shrink: float) -> None:
    desk.snapshot(*[line(n) for n in range(before)])
    fewer = [line(n) for n in range(after)]
    with pytest.raises(FeedRefusedError, match="--force"):
        desk.snapshot(*fewer, shrink=shrink)
    assert (len(desk.cache()[0]), desk.files()) == (before, {"billing-1.db"})
    assert desk.snapshot(*fewer, shrink=shrink, forced=True).now.customers == after


@pytest.mark.parametrize(
    ("before", "after", "shrink"),
    [
        pytest.param(10, 9, 0.1, id="as many as allowed"),
        pytest.param(100, 71, 0.29, id="as many as allowed, not exact in binary"),
        pytest.param(10, 1, 0.0, id="no bound"),
        pytest.param(10, 20, 0.1, id="it grows"),
    ],
)
def test_a_snapshot_that_may_shrink(desk: Desk, before: int, after: int, shrink: float) -> None:
    desk.snapshot(*[line(n) for n in range(before)])
    assert desk.snapshot(*[line(n) for n in range(after)], shrink=shrink).now.customers == after


def test_the_words_on_a_snapshot_that_shrinks(desk: Desk) -> None:
    desk.snapshot(*[line(n) for n in range(8)])
    with pytest.raises(FeedRefusedError) as caught:
        desk.snapshot(*[line(n) for n in range(5)])
    assert str(caught.value) == (
        f"{desk.data_dir / 'feed.csv'}: has 5 customers, the cache 8: that is 37.5% less, and"
        " billing.max_shrink is 10%; --force takes it all the same"
    )


def test_a_first_snapshot_without_customers(desk: Desk) -> None:
    with pytest.raises(FeedRefusedError, match="has no customers"):
        desk.snapshot()
    assert desk.files() == set()


def test_the_last_feed_taken_counts_also_if_it_is_older(desk: Desk) -> None:
    desk.snapshot(ONE)
    taken = desk.delta(TWO, as_of=NOW - 60)
    assert taken.before is not None
    assert (taken.as_of, taken.before.as_of) == (NOW - 60, NOW)
    assert desk.snapshot(TWO, ONE, as_of=NOW - 90).as_of == NOW - 90


def test_without_a_time_the_file_says_when(desk: Desk) -> None:
    path = desk.write(ONE)
    os.utime(path, (1_900_000_000, 1_900_000_000))
    feed = Feed(path, None, forced=False, keyed=KEYED)
    taken = take_snapshot(
        desk.con, desk.data_dir, feed, max_shrink=0.1, now=NOW, progress=lambda *_: None
    )
    assert taken.as_of == 1_900_000_000


def test_a_file_that_is_not_there(desk: Desk) -> None:
    feed = Feed(desk.data_dir / "none.csv", NOW, forced=False, keyed=KEYED)
    with pytest.raises(FeedRefusedError, match=r"none\.csv: can't be read: No such file"):
        take_delta(desk.con, desk.data_dir, feed, now=NOW, progress=lambda *_: None)


def test_two_imports_at_once(desk: Desk) -> None:
    with hold(desk.data_dir, feed_module.LOCK):
        for take in (desk.snapshot, desk.delta):
            with pytest.raises(StorageError, match="in use by another smsgw import"):
                take(ONE)
    assert desk.snapshot(ONE).now == Contents(1, 1)


# Deltas.


def test_a_delta_changes_the_current_cache(desk: Desk) -> None:
    desk.snapshot(ONE, TWO)
    taken = desk.delta(line(1, "A", bill(status="paid")), line(4, "Z", bill("7.00")), EMPTY)
    assert taken.before is not None
    assert (taken.kind, taken.as_of) == ("delta", NOW)
    assert (taken.before.contents, taken.now) == (Contents(2, 2), Contents(4, 3))
    customers, bills = desk.cache()
    assert customers == [1, 2, 3, 4]
    assert [(row[0], row[1], row[5], row[7]) for row in bills] == [
        (1, "A", 4520, "paid"),
        (2, "A", 1000, "open"),
        (4, "Z", 700, "open"),
    ]
    assert desk.files() == {"billing-1.db"}


def test_of_two_changes_to_a_bill_the_later_counts(desk: Desk) -> None:
    desk.snapshot(ONE)
    desk.delta(line(1, "A", bill("1.00")), line(1, "A", bill("2.00")))
    assert [row[5] for row in desk.cache()[1]] == [200]


def test_a_reader_sees_a_delta_at_once(desk: Desk) -> None:
    desk.snapshot(ONE)
    CacheReader(desk.con, desk.data_dir).follow()
    desk.con.execute("BEGIN IMMEDIATE")  # a daemon in the middle of its work is no hindrance
    desk.con.execute("COMMIT")
    desk.delta(TWO)
    numbers = desk.con.execute("SELECT number FROM billing.customer ORDER BY 1").fetchall()
    assert numbers == [(1,), (2,)]


def test_a_delta_with_wrong_lines_changes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "BATCH", 1)
    desk.snapshot(ONE)
    before = desk.cache()
    with pytest.raises(FileError) as caught:
        desk.delta(TWO, "x", EMPTY, "y")
    assert [problem.line for problem in caught.value.problems] == [3, 5]
    assert desk.cache() == before


def test_a_delta_needs_a_cache(desk: Desk) -> None:
    with pytest.raises(FeedRefusedError, match="import a whole feed first"):
        desk.delta(ONE)


def test_an_empty_delta_only_renews_the_time(desk: Desk) -> None:
    desk.snapshot(ONE)
    taken = desk.delta(as_of=NOW + 60)
    assert (taken.as_of, taken.now) == (NOW + 60, Contents(1, 1))


CONTENTS = st.dictionaries(
    st.integers(0, 5),
    st.dictionaries(
        st.sampled_from("AB"),
        st.builds(
            bill,
            st.sampled_from(["1.00", "2.00", "-3.00"]),
            st.sampled_from(["open", "paid", "cancelled"]),
        ),
    ),
    min_size=1,
)


def lines_of(contents: dict[int, dict[str, Fields]]) -> list[str]:
    return [
        one
        for customer, bills in contents.items()
        for one in ([line(customer, *item) for item in bills.items()] or [line(customer)])
    ]


@settings(max_examples=25)
@given(CONTENTS, CONTENTS)
def test_a_delta_does_what_the_merged_snapshot_would(
    tmp_path_factory: pytest.TempPathFactory,
    base: dict[int, dict[str, Fields]],
    changes: dict[int, dict[str, Fields]],
) -> None:
    merged = {
        customer: base.get(customer, {}) | changes.get(customer, {})
        for customer in base.keys() | changes.keys()
    }
    changed, whole = Desk(tmp_path_factory.mktemp("delta")), Desk(tmp_path_factory.mktemp("whole"))
    with closing(changed.con), closing(whole.con):
        changed.snapshot(*lines_of(base))
        taken = changed.delta(*lines_of(changes))
        assert taken.now == whole.snapshot(*lines_of(merged)).now
        assert changed.cache() == whole.cache()


# Imports that fail or die on the way.


class CrashError(Exception):
    """Stands for whatever ends an import between two steps."""


def crash(*_: object, **__: object) -> None:
    raise CrashError


@pytest.mark.parametrize(
    "break_it",
    [
        pytest.param(lambda m: m.setattr(snapshot, "_batches", crash), id="before the first line"),
        pytest.param(lambda m: m.setattr(snapshot, "_note", crash), id="after the last line"),
        pytest.param(lambda m: m.setattr(snapshot, "_seal", crash), id="before the sync"),
        pytest.param(lambda m: m.setattr(snapshot, "sync", crash), id="during the sync"),
        pytest.param(
            lambda m: m.setattr(feed_module, "transaction", crash), id="before the switch"
        ),
    ],
)
def test_an_import_that_fails_leaves_the_old_cache(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, break_it: Callable[[pytest.MonkeyPatch], None]
) -> None:
    desk.snapshot(ONE)
    before = desk.cache()
    break_it(monkeypatch)
    with pytest.raises(CrashError):
        desk.snapshot(TWO)
    monkeypatch.undo()
    assert (desk.cache(), desk.files()) == (before, {"billing-1.db"})
    assert desk.snapshot(TWO).now == Contents(1, 1)
    assert current_snapshot(desk.con) == "billing-2.db"


def test_an_import_that_fails_after_the_switch_leaves_the_new_cache(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.snapshot(ONE)

    @contextmanager
    def interrupted(con: sqlite3.Connection) -> Iterator[None]:
        with transaction(con):
            yield
        raise CrashError

    monkeypatch.setattr(feed_module, "transaction", interrupted)
    with pytest.raises(CrashError):
        desk.snapshot(TWO)
    assert (current_snapshot(desk.con), desk.cache()[0]) == ("billing-2.db", [2])


def test_what_a_killed_import_left_is_swept(desk: Desk) -> None:
    desk.snapshot(ONE)
    for name in ("billing-2.db", "billing-2.db-journal", "billing-9.db", "billing-9.db-wal"):
        (desk.data_dir / name).write_bytes(b"half a file")
    desk.snapshot(TWO)
    assert desk.files() == {"billing-1.db", "billing-2.db"}
    assert not list(desk.data_dir.glob("billing-9*"))
    assert desk.cache()[0] == [2]


def test_a_delta_that_fails_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.snapshot(ONE)
    before = desk.cache()
    monkeypatch.setattr(snapshot, "_note", crash)
    with pytest.raises(CrashError):
        desk.delta(TWO)
    assert desk.cache() == before


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(Path.unlink, id="gone"),
        pytest.param(lambda path: path.write_bytes(b"x" * 5000), id="damaged"),
    ],
)
def test_a_cache_that_cant_be_read_is_replaced(desk: Desk, spoil: Callable[[Path], None]) -> None:
    desk.snapshot(ONE, TWO)
    spoil(desk.data_dir / "billing-1.db")
    with pytest.raises(FeedRefusedError, match="import a whole feed first"):
        desk.delta(ONE)
    assert desk.snapshot(ONE) == Taken("snapshot", NOW, None, Contents(1, 1))


def test_what_was_written_is_counted_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "_count", lambda *_: Contents(1, 0))
    with pytest.raises(StorageError, match="1 bills were written, 0 are there"):
        desk.snapshot(ONE)
    assert desk.files() == set()


def test_a_feed_in_any_order_is_the_same_cache(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "BATCH", 7)
    monkeypatch.setattr(snapshot, "FLUSH_EVERY", 2)
    lines = [line(number, "A", bill()) if number % 3 else line(number) for number in range(200)]
    caches = []
    by_last_digit = sorted(lines, key=lambda one: one[11::-1])
    for order in (lines, lines[::-1], lines[100:] + lines[:100], by_last_digit):
        desk = Desk(tmp_path_factory.mktemp("order"))
        with closing(desk.con):
            assert desk.snapshot(*order).now == Contents(200, 133)
            caches.append(desk.cache())
    assert caches == [caches[0]] * 4


def test_the_later_of_two_equal_lines_is_told_of_in_any_order(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "BATCH", 2)
    with pytest.raises(FileError) as caught:
        desk.snapshot(line(9), line(8), TWO, ONE, ONE, line(7), TWO, line(10))
    assert [problem.line for problem in caught.value.problems] == [6, 8]
    assert "SQLITE_TMPDIR" not in os.environ

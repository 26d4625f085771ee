"""What the daemon asks the billing cache."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from smsgw.service.customer import Account, Bill, BillStatus
from smsgw.storage import billing
from smsgw.storage.database import CACHE_SCHEMA

BILLS = [
    (300000000001, "B2", "2026-11-20", "2026-12-10", "2026-12-20", 4520, "EUR", "open"),
    (300000000001, "B1", None, None, None, -300, "BGN", "open"),
    (300000000001, "B0", "2026-10-20", "2026-11-10", None, 100, "EUR", "paid"),
    (300000000002, "B1", "2026-10-20", "2026-11-10", None, 100, "EUR", "cancelled"),
    (12, "B1", None, "2026-11-10", None, 7, "EUR", "open"),
]


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "cache.db"
    with closing(sqlite3.connect(path)) as cache, cache:
        cache.executescript(billing.SCHEMA)
        numbers = [300000000001, 300000000002, 300000000003, 12]
        cache.executemany("INSERT INTO customer VALUES (?)", [(number,) for number in numbers])
        cache.executemany("INSERT INTO bill VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)", BILLS)
    with closing(sqlite3.connect(":memory:", uri=True)) as con:
        con.execute(f"ATTACH ? AS {CACHE_SCHEMA}", (f"{path.as_uri()}?mode=ro",))
        yield con


def test_accounts_have_the_open_bills(con: sqlite3.Connection) -> None:
    credit = Bill("B1", None, None, None, -300, "BGN")
    debt = Bill("B2", date(2026, 11, 20), date(2026, 12, 10), date(2026, 12, 20), 4520, "EUR")
    asked = ["300000000001", "300000000002", "300000000003", "300000000004"]
    assert billing.accounts(con, asked) == {
        "300000000001": Account("300000000001", (credit, debt)),
        "300000000002": Account("300000000002", ()),
        "300000000003": Account("300000000003", ()),
    }


def test_leading_zeros_are_kept(con: sqlite3.Connection) -> None:
    (account,) = billing.accounts(con, ["000000000012"]).values()
    assert account.customer_number == "000000000012"
    assert billing.known(con, ["000000000012", "000000000013"]) == {"000000000012"}


def test_known(con: sqlite3.Connection) -> None:
    asked = ["300000000002", "300000000003", "300000000004"]
    assert billing.known(con, asked) == {"300000000002", "300000000003"}


def test_a_statement_has_settled_bills_too(con: sqlite3.Connection) -> None:
    bills = billing.statement(con, "300000000001")
    assert bills is not None
    assert [(bill.number, status) for bill, status in bills] == [
        ("B1", BillStatus.OPEN),
        ("B0", BillStatus.PAID),
        ("B2", BillStatus.OPEN),
    ]
    assert billing.statement(con, "300000000003") == []
    assert billing.statement(con, "300000000004") is None


def test_the_last_feed_taken_counts() -> None:
    with closing(sqlite3.connect(":memory:")) as con:
        con.execute(f"ATTACH ':memory:' AS {CACHE_SCHEMA}")
        con.execute(f"CREATE TABLE {CACHE_SCHEMA}.feed (as_of REAL)")
        assert billing.cache_as_of(con) is None
        con.executemany(f"INSERT INTO {CACHE_SCHEMA}.feed VALUES (?)", [(200.0,), (100.0,)])
        assert billing.cache_as_of(con) == 100.0

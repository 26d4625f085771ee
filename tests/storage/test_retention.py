"""What is no longer kept goes, at its time and no earlier; figures and chains stay."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date
from pathlib import Path
from typing import Any

import pytest

from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.decision import Rules
from smsgw.service.keep import Keep
from smsgw.service.keyed import Keyed
from smsgw.service.message import Channel, Msisdn, Script
from smsgw.service.replies import Company, Replies
from smsgw.service.report import Books
from smsgw.storage import audit, counts, evidence, reports, retention, subscriptions
from smsgw.storage.audit import Author, Origin
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.policy import Policy
from smsgw.storage.retaining import Retaining
from smsgw.storage.sqlite import Database

DAY = 24 * 3600.0
T = 1_800_000_000.0
PHONE, NUMBER = "359888123456", "300012345678"
KEYED = Keyed(b"k" * 32)
BOOKS = Books(KEYED, UTC)
KEEP = Keep(texts=90 * DAY, messages=730 * DAY, evidence=365 * DAY)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_gateway(tmp_path)) as gateway:
        yield gateway


def sweep(con: sqlite3.Connection, now: float) -> None:
    for sweeper in retention.SWEEPERS:
        after: int | None = 0
        while after is not None:
            after = sweeper(con, KEEP, KEYED, now, after).after


def said(con: sqlite3.Connection, at: float = T, many: int = 1) -> None:
    """A message each way, of long ago and in the history, about a customer number."""
    for _ in range(many):
        mo = con.execute(
            "INSERT INTO history_mo (received_at, carrier, msisdn, text, intent, parts, repeats,"
            " tried) VALUES (?, 'mtel', ?, 'smetka', 'bill_check', 1, 0, ?)",
            (at, PHONE, NUMBER),
        ).lastrowid
        mt = con.execute(
            "INSERT INTO history_mt (mo_id, kind, carrier, msisdn, text, data_coding, layout,"
            " reference, created_at, state, final_at, segments)"
            " VALUES (?, 1, 'mtel', ?, 'x', 0, 'plain', 0, ?, 'delivered', ?, '[]')",
            (mo, PHONE, at, at),
        ).lastrowid
        con.execute("INSERT INTO history_number VALUES (?, ?, ?, NULL)", (NUMBER, at, mo))
        con.execute("INSERT INTO history_number VALUES (?, ?, NULL, ?)", (NUMBER, at, mt))


def noticed(con: sqlite3.Connection, at: float = T) -> None:
    con.execute(
        "INSERT INTO notice_run (id, kind, day, state, automatic, made_at, text)"
        " VALUES (1, 'announcement', '2027-01-15', 'done', 0, ?, 'Outage')",
        (at,),
    )
    con.execute(
        "INSERT INTO notice (run, msisdn, customer_number, bills, carrier, script, state,"
        " changed_at, mt_id) VALUES (1, ?, ?, '[]', 'mtel', 'latin', 'sent', ?, 77)",
        (PHONE, NUMBER, at),
    )
    con.execute("INSERT INTO notice_key VALUES (x'01', 1)")
    entry = evidence.Entry(
        1, 1, "overdue", 77, "mtel", at, "delivered", at, "[]", Msisdn(PHONE), NUMBER, "[]", "{}",
        "Dalzhite",
    )  # fmt: skip
    evidence.record(con, KEYED, [entry])


def subscribed(con: sqlite3.Connection, number: str, ended: bool) -> None:
    one = Subscription(
        Msisdn(PHONE), number, SubscriptionState.ACTIVE, "mtel", Script.LATIN, Channel.SMS, T
    )
    with transaction(con):
        subscriptions.add(con, one, True, Author(KEYED, Origin(Channel.SMS, "customer"), T))
        if ended:
            author = Author(KEYED, Origin(Channel.CENTRE, "ana"), T + DAY)
            subscriptions.end(con, Msisdn(PHONE), number, author)


def kept(con: sqlite3.Connection) -> dict[str, int]:
    """How many rows still have what is personal."""
    return {
        name: con.execute(query).fetchone()[0]
        for name, query in {
            "texts": "SELECT count(*) FROM (SELECT 1 FROM history_mo WHERE text IS NOT NULL"
            " UNION ALL SELECT 1 FROM history_mt WHERE text IS NOT NULL"
            " UNION ALL SELECT 1 FROM history_mo WHERE tried IS NOT NULL"
            " UNION ALL SELECT 1 FROM notice_run WHERE text IS NOT NULL)",
            "messages": "SELECT count(*) FROM (SELECT 1 FROM history_mo"
            " UNION ALL SELECT 1 FROM history_mt UNION ALL SELECT 1 FROM history_number)",
            "evidence": "SELECT count(*) FROM evidence WHERE text IS NOT NULL",
            "notices": "SELECT count(*) FROM notice",
            "keys": "SELECT count(*) FROM notice_key",
        }.items()
    }


@pytest.mark.parametrize(
    ("days", "left"),
    [
        (89.9, {"texts": 4, "messages": 4, "evidence": 1, "notices": 1, "keys": 1}),
        (90.1, {"texts": 0, "messages": 4, "evidence": 1, "notices": 1, "keys": 1}),
        (365.1, {"texts": 0, "messages": 4, "evidence": 0, "notices": 1, "keys": 1}),
        (730.1, {"texts": 0, "messages": 0, "evidence": 0, "notices": 0, "keys": 1}),
    ],
)
def test_each_at_its_time(con: sqlite3.Connection, days: float, left: dict[str, int]) -> None:
    said(con)
    noticed(con)
    sweep(con, T + days * DAY)
    assert kept(con) == left
    assert evidence.broken(con, KEYED) is None


def test_batch_by_batch(con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    said(con, many=2 * retention.BATCH + 10)
    said(con, at=T + 800 * DAY)
    sweep(con, T + 800 * DAY)
    assert kept(con)["messages"] == 4


def test_registrations_that_ended(con: sqlite3.Connection) -> None:
    for number, ended in ((NUMBER, True), ("300012345679", False)):
        subscribed(con, number, ended)
    days = date(2027, 1, 15), date(2027, 1, 15)
    while counts.register(con, BOOKS):
        pass
    before = reports.read(con, *days, BOOKS, T + 5)
    sweep(con, T + 729 * DAY)
    assert con.execute("SELECT count(*) FROM subscription").fetchone() == (2,)
    sweep(con, T + 732 * DAY)
    rows = con.execute("SELECT customer_number, state FROM subscription").fetchall()
    assert rows == [("300012345679", "active")]
    named = con.execute("SELECT customer_number FROM audit WHERE msisdn IS NOT NULL").fetchall()
    assert named == [("300012345679",)], "of one that lasts the whole story is kept"
    assert audit.broken(con, KEYED) is None
    assert reports.read(con, *days, BOOKS, T + 5) == before


def test_entries_that_are_not_counted_yet_stay(con: sqlite3.Connection) -> None:
    subscribed(con, NUMBER, True)
    sweep(con, T + 732 * DAY)
    assert con.execute("SELECT count(*) FROM audit WHERE msisdn IS NOT NULL").fetchone() == (2,)


def test_the_daemon_does_it(tmp_path: Path, con: sqlite3.Connection) -> None:
    said(con, many=3)
    rules = Rules(Replies({}, Company(None, None, None, None)), 0, 0, True, 0.0, 4, UTC)

    class Clock:
        def now(self) -> float:
            return T + 91 * DAY

        def monotonic(self) -> float:
            return 0.0

    async def scenario() -> None:
        async with Database(tmp_path, Policy(rules, {}, KEYED)) as database:
            await Retaining(database, KEEP, KEYED, Clock()).sweep()

    asyncio.run(scenario())
    assert kept(con)["texts"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "SELECT id FROM history_mo WHERE text IS NOT NULL AND received_at < 1",
        "SELECT id FROM history_mt WHERE text IS NOT NULL AND created_at < 1",
        "SELECT id FROM evidence WHERE msisdn IS NOT NULL AND final_at < 1",
    ],
)
def test_what_is_due_is_found_by_indexes(con: sqlite3.Connection, query: str) -> None:
    plan: list[tuple[Any, ...]] = con.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
    assert all(step.startswith("SEARCH") for *_, step in plan), plan

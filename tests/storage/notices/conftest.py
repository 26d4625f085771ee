"""Customers with bills and phones, and a day on which notices are due: for the tests of runs."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from smsgw.service.calendar import Calendar
from smsgw.service.hours import Hours
from smsgw.service.keyed import Keyed
from smsgw.service.message import Encoding, MessageKind, Msisdn, Mt
from smsgw.service.notices import NoticeKind, NoticeRules
from smsgw.service.report import Books
from smsgw.storage import billing, planning, runs
from smsgw.storage.database import CacheReader, open_gateway, transaction
from smsgw.storage.history import move_outgoing
from smsgw.storage.messages import enqueue, last_id
from smsgw.storage.pace import Pace
from smsgw.storage.planning import Plan
from smsgw.storage.runs import Made, Order

SOFIA = ZoneInfo("Europe/Sofia")
DAY = date(2026, 12, 15)  # a Tuesday
NOW = datetime(2026, 12, 15, 10, tzinfo=SOFIA).timestamp()
HOUR = 3600.0
KEYED = Keyed(b"k" * 32)
ANA = Order("ana")
NUMBER = "300012345678"
PHONE = "359888123456"
RULES = NoticeRules(
    Calendar(SOFIA, Hours(time(9), time(20)), "working", lambda _: False, 2 * HOUR),
    max_age=36 * HOUR,
    max_per_run=100,
    prices={"mtel": 5.0, "telenor": 4.5},
    encodings={"mtel": Encoding(), "telenor": Encoding()},
)

_SUBSCRIBE = (
    "INSERT INTO subscription (msisdn, customer_number, state, carrier, script, channel, notify,"
    " requested_at) VALUES (?, ?, ?, ?, ?, 'sms', 0, 0)"
)


class World:
    """A gateway's databases. Bills fell due on 10.12. unless something else is said."""

    day = DAY
    now = NOW
    rules = RULES
    keyed = KEYED

    def __init__(self, con: sqlite3.Connection, folder: Path) -> None:
        self.con = con
        self.folder = folder
        self._cache = folder / "billing-1.db"
        with closing(sqlite3.connect(self._cache)) as cache:
            cache.executescript(billing.SCHEMA)
            cache.execute("PRAGMA journal_mode = WAL")
        self.fed(NOW - HOUR)
        self._reader = CacheReader(con, folder)

    def attach(self) -> None:
        """Let the cache be the current one."""
        with transaction(self.con):
            self.con.execute("INSERT INTO snapshot (file, imported_at) VALUES ('billing-1.db', 0)")
        self._reader.follow()

    def fed(self, as_of: float) -> None:
        with closing(sqlite3.connect(self._cache)) as cache, cache:
            cache.execute("INSERT INTO feed VALUES (?, ?, 'delta', 'f', 0, 0)", (as_of, as_of))

    def bill(
        self,
        bill: str = "B1",
        number: str = NUMBER,
        due: str | None = "2026-12-10",
        cut_off: str | None = None,
        amount: int = 4520,
        currency: str = "EUR",
        status: str = "open",
        issued: str | None = "2026-11-20",
    ) -> None:
        bill_row = (bill, issued, due, cut_off, amount, currency, status)
        self._bills([(int(number), *bill_row)])

    def _bills(self, rows: list[tuple[object, ...]]) -> None:
        with closing(sqlite3.connect(self._cache)) as cache, cache:
            cache.execute("PRAGMA synchronous = OFF")
            cache.executemany(
                "INSERT OR IGNORE INTO customer VALUES (?)", [row[:1] for row in rows]
            )
            cache.executemany(
                "INSERT OR REPLACE INTO bill VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)", rows
            )

    def phone(
        self,
        msisdn: str = PHONE,
        number: str = NUMBER,
        carrier: str | None = "mtel",
        script: str = "latin",
        state: str = "active",
    ) -> None:
        with transaction(self.con):
            self.con.execute(_SUBSCRIBE, (msisdn, number, state, carrier, script))

    def customers(self, count: int) -> None:
        """So many more, each with a bill and a phone."""
        numbers = [f"3000{each:08}" for each in range(count)]
        bill = ("B1", "2026-11-20", "2026-12-10", None, 4520, "EUR", "open")
        self._bills([(int(number), *bill) for number in numbers])
        with transaction(self.con):
            self.con.executemany(
                _SUBSCRIBE,
                [
                    (f"35988{each:07}", number, "active", "mtel", "latin")
                    for each, number in enumerate(numbers)
                ],
            )

    def plan(self, kind: NoticeKind = NoticeKind.OVERDUE, day: date | None = None) -> Plan:
        return planning.plan(self.con, kind, day or self.day, self.rules, self.keyed, self.now)

    def make(self, order: Order = ANA, kind: NoticeKind = NoticeKind.OVERDUE, **how: Any) -> Made:
        pace = how.pop("pace", None) or unhurried()
        return runs.make(
            self.con, lambda: self.plan(kind, **how), self.keyed, order, self.now, pace
        )

    def limited(self, **rules: Any) -> None:
        self.rules = replace(self.rules, **rules)

    def send(self, notice: int = 1) -> int:
        """The turn of a notice has come; its message is claimed."""
        carrier, msisdn = self.con.execute(
            "SELECT carrier, msisdn FROM notice WHERE id = ?", (notice,)
        ).fetchone()
        with transaction(self.con):
            mt = Mt(carrier, MessageKind.NOTICE, Msisdn(msisdn), "x", self.now)
            enqueue(self.con, [mt], {}, self.now)
            mt_id = last_id(self.con, "mt")
            self.con.execute("UPDATE segment SET state = 'claimed' WHERE mt_id = ?", (mt_id,))
            self.con.execute(
                "UPDATE notice SET state = 'sent', mt_id = ? WHERE id = ?", (mt_id, notice)
            )
        return mt_id

    def ended(self, mt_id: int, state: str, receipt: str | None, at: float) -> None:
        with transaction(self.con):
            self.con.execute(
                "UPDATE segment SET state = ?, receipt = ?, changed_at = ? WHERE mt_id = ?",
                (state, receipt, at, mt_id),
            )

    def move_to_history(self) -> None:
        move_outgoing(self.con, 0, self.now + 400 * 86400.0, Books(KEYED, SOFIA))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.con.execute(query).fetchall()

    def one(self, query: str) -> Any:
        ((value,),) = self.rows(query)
        return value


def unhurried() -> Pace:
    """A pace that never rests."""
    return Pace(sleep=lambda _: None)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    """Without a billing cache: it is there, but not the current one."""
    with closing(open_gateway(tmp_path)) as con:
        con.execute("PRAGMA main.synchronous = OFF")  # no test here pulls the plug
        yield World(con, tmp_path)


@pytest.fixture
def world(empty: World) -> World:
    """Nobody there yet; carriers mtel and telenor, 10:00 on Tuesday, 15 December 2026."""
    empty.attach()
    return empty

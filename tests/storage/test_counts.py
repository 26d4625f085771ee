"""A report is right at every moment: whatever has happened to messages and registrations, and
wherever their records are by now, it says what counting all of them one by one says."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.keyed import Keyed
from smsgw.service.message import (
    FINAL,
    Channel,
    Encoding,
    MessageKind,
    Msisdn,
    MtState,
    Script,
)
from smsgw.service.message_state import message_state
from smsgw.service.report import (
    Active,
    Amounts,
    Books,
    Counts,
    Customers,
    Happened,
    Received,
    Registered,
    Sent,
    months,
)
from smsgw.storage import audit, counts, erasing, evidence, history, reports, subscriptions
from smsgw.storage.audit import FEED, Author, Change, Entry, Origin, record
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.pace import Pace

SOFIA = ZoneInfo("Europe/Sofia")
KEYED = Keyed(b"k" * 32)
BOOKS = Books(KEYED, SOFIA, {"mtel": 1234, "telenor": 500}, {"mtel": Encoding()})
FIRST, LAST = date(2026, 9, 1), date(2027, 5, 31)
START = datetime(2026, 10, 24, 22, tzinfo=SOFIA).timestamp()  # the clocks change in this night
HOUR, DAY = 3600.0, 24 * 3600.0
PHONES = ["359888123456", "359888123457"]
NUMBERS = ["300012345678", "300012345679"]
CARRIERS = ["mtel", "telenor", "gone"]
NOTICES = ["overdue", "disconnection", "announcement"]
INTENTS = ["bill_check", "bill_check_for", "register", "help"]
ENDS = [
    (MtState.DELIVERED, "A", 0),
    (MtState.UNDELIVERED, "A", 1),
    (MtState.REFUSED, None, 0),
    (MtState.EXPIRED, None, 0),
    (MtState.CANCELLED, None, 1),
    (MtState.UNCONFIRMED, "A", 0),
    (MtState.UNCONFIRMED, None, 0),
    (MtState.UNCONFIRMED, None, 1),
]
PACE = Pace(lambda: 0.0, lambda _: None)
NAMED = [
    ("mo", "msisdn"), ("mt", "msisdn"), ("history_mo", "msisdn"), ("history_mt", "msisdn"),
    ("notice", "msisdn"), ("evidence", "msisdn"), ("subscription", "msisdn"), ("audit", "msisdn"),
]  # fmt: skip
ACCEPTED = [True, True, False, False, False, True, True, False]


class Message(NamedTuple):
    """One message to a customer, as somebody who saw it would remember it."""

    id: int
    at: float
    kind: MessageKind
    purpose: str
    carrier: str
    number: str  # of a reminder; else ''
    parts: list[tuple[MtState, bool]]  # and whether it was accepted
    payload: int = 0  # parts that the carrier cuts it into
    mo: int | None = None


class Pair(NamedTuple):
    phone: str
    number: str
    since: float
    until: float | None


class World:
    """The database, and beside it a memory of everything that ever happened."""

    def __init__(self, con: sqlite3.Connection) -> None:
        self.con = con
        self.now = START
        self.sent: dict[int, Message] = {}
        self.came: list[tuple[float, str, str, str]] = []
        self.changed: list[tuple[float, str, str]] = []
        self.pairs: list[Pair] = []
        self.pending: dict[tuple[str, str], str] = {}

    # -- what happens

    def wait(self, hours: int) -> None:
        self.now += hours * HOUR

    def writes(self, phone: str, carrier: str, intent: str, answered: bool) -> None:
        cursor = self.con.execute(
            "INSERT INTO mo (received_at, carrier, session, msisdn, destination, esm_class,"
            " data_coding, octets, text, intent) VALUES (?, ?, 1, ?, '170077', 0, 0, x'', 'x', ?)",
            (self.now, carrier, phone, intent),
        )
        self.came.append((self.now, carrier, phone, intent))
        if answered:
            self.message(MessageKind.ANSWER, carrier, phone, 2, mo=cursor.lastrowid, purpose=intent)

    def message(
        self,
        kind: MessageKind,
        carrier: str,
        phone: str,
        parts: int,
        *,
        mo: int | None = None,
        purpose: str = "",
        number: str = "",
        repeats: int | None = None,
        payload: bool = False,
        at: float | None = None,
    ) -> int:
        at = self.now if at is None else at
        text = "x" * 300 if payload else "x"
        layout = "payload" if payload else "plain"
        cursor = self.con.execute(
            "INSERT INTO mt (mo_id, kind, carrier, msisdn, text, data_coding, created_at, layout,"
            " found_from) VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?)",
            (mo, kind, carrier, phone, text, at, layout, repeats),
        )
        id_ = cursor.lastrowid
        assert id_ is not None
        parts = 1 if payload else parts
        self.con.executemany(
            "INSERT INTO segment (mt_id, part, total, carrier, kind, octets, state, changed_at)"
            " VALUES (?, ?, ?, ?, ?, x'', 'queued', ?)",
            [(id_, part, parts, carrier, kind, self.now) for part in range(1, parts + 1)],
        )
        queued = [(MtState.QUEUED, False)] * parts
        self.sent[id_] = Message(
            id_, at, kind, purpose, carrier, number, queued, 2 if payload else 0, mo
        )
        return id_

    def notice(self, kind: str, carrier: str, phone: str, number: str, payload: bool) -> None:
        announced = kind == "announcement"
        sort = MessageKind.ANNOUNCEMENT if announced else MessageKind.NOTICE
        run = self.con.execute(
            "INSERT INTO notice_run (kind, day, state, automatic, made_at)"
            " VALUES (?, '2026-10-24', 'running', 0, ?)",
            (kind, self.now),
        ).lastrowid
        about = "" if announced else number
        mt = self.message(sort, carrier, phone, 1, purpose=kind, number=about, payload=payload)
        self.con.execute(
            "INSERT INTO notice (run, msisdn, customer_number, bills, carrier, script, state,"
            " changed_at, mt_id) VALUES (?, ?, ?, '[]', ?, 'latin', 'sent', ?, ?)",
            (run, phone, number, carrier, self.now, mt),
        )

    def repeat(self, which: int, carrier: str) -> None:
        """A message that has ended lately, once more over another carrier."""
        live = dict(self.con.execute("SELECT id, msisdn FROM mt WHERE msisdn <> ''"))
        ended = [self.sent[id_] for id_ in sorted(live) if _ended(self.sent[id_])]
        if ended:
            one = ended[which % len(ended)]
            self.message(
                one.kind, carrier, live[one.id], 1, purpose=one.purpose, number=one.number,
                repeats=one.id, at=one.at,
                mo=one.mo, payload=bool(one.payload),
            )  # fmt: skip

    def end(self, which: int, how: list[int]) -> None:
        live = [one for one in self.sent.values() if not _ended(one)]
        if not live:
            return
        one = live[which % len(live)]
        ends = [ENDS[how[part % len(how)]] for part in range(len(one.parts))]
        self.con.executemany(
            "UPDATE segment SET state = ?, message_id = ?, lost = ?, changed_at = ?"
            " WHERE mt_id = ? AND part = ?",
            [(*end, self.now, one.id, part) for part, end in enumerate(ends, start=1)],
        )
        parts = [(end[0], ACCEPTED[ENDS.index(end)]) for end in ends]
        self.sent[one.id] = one._replace(parts=parts)

    def accept(self, which: int) -> None:
        live = [one for one in self.sent.values() if not _ended(one)]
        if live:
            one = live[which % len(live)]
            self.con.execute("UPDATE segment SET state = 'accepted' WHERE mt_id = ?", (one.id,))
            parts = [(MtState.ACCEPTED, True)] * len(one.parts)
            self.sent[one.id] = one._replace(parts=parts)

    def register(self, phone: str, number: str, channel: Channel, active: bool) -> None:
        state = SubscriptionState.ACTIVE if active else SubscriptionState.PENDING
        one = Subscription(Msisdn(phone), number, state, "mtel", Script.LATIN, channel, self.now)
        with transaction(self.con):
            added = subscriptions.add(self.con, one, False, self._by(channel))
        if added and active:
            self.changed.append((self.now, "activated", channel))
            self.pairs.append(Pair(phone, number, self.now, None))
        elif added:
            self.changed.append((self.now, "requested", channel))
            self.pending[phone, number] = channel

    def feed(self, knows: bool) -> None:
        """What is pending becomes active, or is rejected; it counts for where it was requested."""
        change = Change.ACTIVATED if knows else Change.REJECTED
        state = "active', activated_at = ?" if knows else "rejected', ended_at = ?"
        with transaction(self.con):
            for (phone, number), channel in self.pending.items():
                self.con.execute(
                    f"UPDATE subscription SET state = '{state} WHERE state = 'pending'"
                    " AND msisdn = ? AND customer_number = ?",
                    (self.now, phone, number),
                )
                author = Author(KEYED, FEED, self.now)
                record(self.con, author, [Entry(change, Msisdn(phone), number)])
                self.changed.append((self.now, change, channel))
                if knows:
                    self.pairs.append(Pair(phone, number, self.now, None))
        self.pending.clear()

    def stop(self, phone: str, channel: Channel) -> None:
        with transaction(self.con):
            subscriptions.end(self.con, Msisdn(phone), None, self._by(channel))
        for place, pair in enumerate(self.pairs):
            if pair.phone == phone and pair.until is None:
                self.pairs[place] = pair._replace(until=self.now)
                self.changed.append((self.now, "ended", channel))
        for key in [key for key in self.pending if key[0] == phone]:
            del self.pending[key]
            self.changed.append((self.now, "ended", channel))

    def erase(self, phone: str) -> None:
        """What was not sent is cancelled; a registration counts until the day is over."""
        theirs = [
            id_ for (id_,) in self.con.execute("SELECT id FROM mt WHERE msisdn = ?", (phone,))
        ]
        msisdn, author = Msisdn(phone), self._by(Channel.CENTRE)
        erasing.erase(self.con, msisdn, BOOKS, author, PACE, lambda _: None)
        for id_ in theirs:
            one = self.sent[id_]
            parts = [
                (MtState.CANCELLED, False) if part[0] is MtState.QUEUED else part
                for part in one.parts
            ]
            self.sent[id_] = one._replace(parts=parts)
        midnight = BOOKS.ends(_day(self.now))
        for place, pair in enumerate(self.pairs):
            if pair.phone == phone and pair.until is None:
                self.pairs[place] = pair._replace(until=midnight)
        self.pending = {key: value for key, value in self.pending.items() if key[0] != phone}
        for table, column in NAMED:
            query = f"SELECT count(*) FROM {table} WHERE {column} = ?"
            assert self.con.execute(query, (phone,)).fetchone() == (0,), table

    def _by(self, channel: Channel) -> Author:
        return Author(KEYED, Origin(channel, "ana"), self.now)

    # -- what the daemon does beside

    def move_out(self, after: int) -> None:
        self.wait(2)
        history.move_outgoing(self.con, after, self.now, BOOKS)

    def move_in(self, after: int) -> None:
        self.wait(3)
        history.move_incoming(self.con, after, self.now - 2 * HOUR, self.now, BOOKS)

    def count(self) -> None:
        counts.register(self.con, BOOKS)

    def close_months(self, days: int) -> None:
        self.wait(days * 24)
        months = list(counts.unclosed(self.con, BOOKS, self.now))
        counts.close(self.con, months, BOOKS, self.now)
        counts.fold(self.con, BOOKS, self.now)

    def drop_history(self) -> None:
        """All but what messages on their way answer: retention is longer than any of them."""
        with transaction(self.con):
            self.con.execute("DELETE FROM history_mt")
            self.con.execute("DELETE FROM history_number")
            self.con.execute(
                "DELETE FROM history_mo WHERE id NOT IN (SELECT mo_id FROM mt WHERE mo_id > 0)"
            )

    # -- what is said of it

    def report(self, first: date = FIRST, last: date = LAST) -> Counts:
        return reports.read(self.con, first, last, BOOKS, self.now)

    def naive(self, first: date = FIRST, last: date = LAST) -> Counts:
        """The same, counted one by one from what is remembered."""

        def within(at: float) -> bool:
            return first <= _day(at) <= last

        def of_month(at: float) -> bool:
            return _month(at) in months(first, last)

        sent: dict[Sent, Amounts] = {}
        customers = set()
        for one in self.sent.values():
            taken = [accepted for _, accepted in one.parts]
            parts = one.payload if one.payload and any(taken) else sum(taken)
            if parts and one.number and of_month(one.at):
                customers.add((_month(one.at), Customers.REMINDED, one.number))
            if within(one.at):
                state = message_state([state for state, _ in one.parts])
                key = Sent(_month(one.at), one.kind, one.purpose, one.carrier, state)
                cost = parts * BOOKS.prices.get(one.carrier, 0)
                sent[key] = sent.get(key, Amounts()).plus(Amounts(1, parts, cost))
        received: Counter[Received] = Counter()
        for at, carrier, phone, intent in self.came:
            if within(at):
                received[Received(_month(at), carrier, intent)] += 1
            if intent.startswith("bill_check") and of_month(at):
                customers.add((_month(at), Customers.CHECKING, phone))
        registered = Counter(
            Registered(_month(at), Happened(change), Channel(channel))
            for at, change, channel in self.changed
            if within(at)
        )
        return Counts(
            first,
            last,
            sent,
            received,
            registered,
            tuple(self._actives(first, last)),
            Counter((month, what) for month, what, _ in customers),
        )

    def _actives(self, first: date, last: date) -> Iterator[Active]:
        last = min(last, _day(self.now))
        for month in months(first, last):
            end = min(counts.last_day(month), last)
            midnight = datetime.combine(
                end + timedelta(days=1), datetime.min.time(), SOFIA
            ).timestamp()
            theirs = [
                one
                for one in self.pairs
                if one.since < midnight and (one.until is None or one.until >= midnight)
            ]
            numbers, phones = {one.number for one in theirs}, {one.phone for one in theirs}
            yield Active(end, len(numbers), len(phones), len(theirs))


def _ended(one: Message) -> bool:
    return all(state in FINAL for state, _ in one.parts)


def _day(at: float) -> date:
    return datetime.fromtimestamp(at, SOFIA).date()


def _month(at: float) -> str:
    return f"{_day(at):%Y-%m}"


phones, numbers = st.sampled_from(PHONES), st.sampled_from(NUMBERS)
carriers, channels = st.sampled_from(CARRIERS), st.sampled_from(Channel)
which = st.integers(0, 20)
STEPS = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([1, 24, 24 * 17, 24 * 31])),
    st.tuples(st.just("writes"), phones, carriers, st.sampled_from(INTENTS), st.booleans()),
    st.tuples(
        st.just("message"), st.sampled_from(MessageKind), carriers, phones, st.integers(1, 3)
    ),
    st.tuples(
        st.just("notice"),
        st.sampled_from(NOTICES),
        carriers,
        phones,
        numbers,
        st.booleans(),
    ),
    st.tuples(st.just("repeat"), which, carriers),
    st.tuples(st.just("end"), which, st.lists(st.integers(0, len(ENDS) - 1), min_size=1)),
    st.tuples(st.just("accept"), which),
    st.tuples(st.just("register"), phones, numbers, channels, st.booleans()),
    st.tuples(st.just("feed"), st.booleans()),
    st.tuples(st.just("stop"), phones, channels),
    st.tuples(st.just("move_out"), st.sampled_from([0, 0, 2])),
    st.tuples(st.just("move_in"), st.sampled_from([0, 0, 2])),
    st.tuples(st.just("count")),
    st.tuples(st.just("close_months"), st.sampled_from([0, 31, 62])),
    st.tuples(st.just("drop_history")),
    st.tuples(st.just("erase"), phones),
)


@contextmanager
def world() -> Iterator[World]:
    with TemporaryDirectory() as folder, closing(open_gateway(Path(folder))) as con:
        con.execute("PRAGMA synchronous = OFF")
        yield World(con)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, min_size=20, max_size=60))
def test_a_report_is_right_at_every_moment(steps: list[tuple[Any, ...]]) -> None:
    with world() as one:
        for name, *arguments in steps:
            getattr(one, name)(*arguments)
            assert one.report() == one.naive()
        one.move_out(0)
        for days in ((date(2026, 10, 25), date(2026, 10, 25)), (date(2026, 11, 10), LAST)):
            assert one.report(*days) == one.naive(*days)
        assert evidence.broken(one.con, KEYED) is None
        assert audit.broken(one.con, KEYED) is None
        noticed = {m.id for m in one.sent.values() if m.purpose in NOTICES}
        stay = {id_ for (id_,) in one.con.execute("SELECT id FROM mt")}
        entries = [entry.mt for _, entry in evidence.records(one.con, evidence.Which())]
        assert sorted(entries) == sorted(noticed - stay)


@pytest.mark.parametrize("moved", [False, True])
def test_what_a_report_says_by_example(moved: bool) -> None:
    with world() as one:
        one.notice("overdue", "mtel", PHONES[0], NUMBERS[0], False)
        one.notice("overdue", "mtel", PHONES[1], NUMBERS[0], True)
        one.notice("disconnection", "telenor", PHONES[1], NUMBERS[1], False)
        one.writes(PHONES[0], "mtel", "bill_check", True)
        for how in ([0], [0], [2], [0]):
            one.end(0, how)
        one.wait(24)
        if moved:
            one.move_out(0)
            one.move_in(0)
            one.drop_history()
            for table in ("mt", "mo", "history_mt", "history_mo"):
                assert one.con.execute(f"SELECT * FROM {table}").fetchall() == []
        found = one.report()
    notice, answer = MessageKind.NOTICE, MessageKind.ANSWER
    delivered, refused = MtState.DELIVERED, MtState.REFUSED
    assert found.sent == {
        Sent("2026-10", notice, "overdue", "mtel", delivered): Amounts(2, 3, 3 * 1234),
        Sent("2026-10", notice, "disconnection", "telenor", refused): Amounts(1, 0, 0),
        Sent("2026-10", answer, "bill_check", "mtel", delivered): Amounts(1, 2, 2 * 1234),
    }
    assert found.received == {Received("2026-10", "mtel", "bill_check"): 1}
    assert found.customers == {
        ("2026-10", Customers.REMINDED): 1,
        ("2026-10", Customers.CHECKING): 1,
    }

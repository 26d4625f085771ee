"""Notices whose turn it is, over a real database: sent, moved, cancelled, or left for later."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from smsgw.service.calendar import Calendar
from smsgw.service.decision import Rules
from smsgw.service.hours import Hours
from smsgw.service.keyed import Keyed
from smsgw.service.message import (
    Acceptance,
    Channel,
    Encoding,
    MessageKind,
    Mo,
    Msisdn,
    Mt,
    Outcome,
    Receipt,
    ReceiptState,
)
from smsgw.service.notices import NoticeKind, NoticeRules
from smsgw.service.ports import Done, Work
from smsgw.service.replies import Company, Replies
from smsgw.service.retry import settle
from smsgw.service.today import Day
from smsgw.storage import bulk, claims, exchange, subscriptions, turns
from smsgw.storage.audit import Author, Origin
from smsgw.storage.billing import SCHEMA
from smsgw.storage.database import CacheReader, open_gateway, transaction
from smsgw.storage.messages import enqueue
from smsgw.storage.notice_keys import Claim, digest
from smsgw.storage.policy import Policy

DAY = date(2026, 11, 25)  # a Wednesday
NUMBER = 300012345678
KEYED = Keyed(b"k" * 32)
HOURS = Hours(time(9), time(20))
RULES = Rules(Replies({}, Company(None, None, None, None)), 0, 0, True, 0.0, 4, UTC, hours=HOURS)
NOTICES = NoticeRules(
    calendar=Calendar(UTC, HOURS, "working", min_validity=7200.0),
    replies=Replies({}, Company("CEZ", "0700 10 010", None, None)),
    max_age=36 * 3600.0,
)
CARRIERS = {"mtel": Encoding(), "vivacom": Encoding()}


def at(hour: int, minute: int = 0, day: date = DAY) -> float:
    return datetime.combine(day, time(hour, minute), UTC).timestamp()


NOON = at(12)


class Office:
    """Customers with bills, their registrations, runs for them, and the daemon's transactions."""

    def __init__(self, con: sqlite3.Connection, cache: sqlite3.Connection) -> None:
        self.con = con
        self.cache = cache
        self.policy = Policy(RULES, CARRIERS, KEYED, notices=NOTICES)
        self.attached = True
        self.fed(at(8))

    def fed(self, as_of: float) -> None:
        with self.cache:
            self.cache.execute("DELETE FROM feed")
            self.cache.execute("INSERT INTO feed VALUES (?, ?, 'snapshot', '', 0, 0)", (as_of,) * 2)

    def bill(
        self,
        index: int,
        bill: str = "1",
        cents: int = 4520,
        due: date = DAY - timedelta(days=5),
        cut_off: date | None = None,
    ) -> None:
        with self.cache:
            self.cache.execute("INSERT OR IGNORE INTO customer VALUES (?)", (NUMBER + index,))
            self.cache.execute(
                "INSERT OR REPLACE INTO bill VALUES (?, ?, '2026-11-01', ?, ?, ?, 'EUR', 'open',"
                " NULL)",
                (NUMBER + index, bill, due.isoformat(), cut_off and cut_off.isoformat(), cents),
            )

    def pay(self, index: int, bill: str = "1") -> None:
        with self.cache:
            self.cache.execute(
                "UPDATE bill SET status = 'paid' WHERE customer = ? AND number = ?",
                (NUMBER + index, bill),
            )

    def register(
        self, index: int, carrier: str | None = "mtel", state: str = "active", script: str = "latin"
    ) -> None:
        with transaction(self.con):
            self.con.execute(
                "DELETE FROM subscription WHERE customer_number = ?", (str(NUMBER + index),)
            )
            self.con.execute(
                "INSERT INTO subscription (msisdn, customer_number, state, carrier, script,"
                " channel, notify, requested_at) VALUES (?, ?, ?, ?, ?, 'centre', 1, 0)",
                (phone(index).digits, str(NUMBER + index), state, carrier, script),
            )

    def customers(self, count: int, **bill: Any) -> None:
        for index in range(count):
            self.bill(index, **bill)
            self.register(index)

    def run(
        self,
        *indexes: int,
        kind: NoticeKind = NoticeKind.OVERDUE,
        day: date = DAY,
        state: str = "running",
        carrier: str = "mtel",
        bills: tuple[str, ...] = ("1",),
        text: str | None = None,
        attempt: int = 1,
    ) -> int:
        """A run with a notice for each of these customers."""
        with transaction(self.con):
            run = self.con.execute(
                "INSERT INTO notice_run (kind, day, state, automatic, made_at, notices, text)"
                " VALUES (?, ?, ?, 0, 0, ?, ?)",
                (kind, day.isoformat(), state, len(indexes), text),
            ).lastrowid
            assert run is not None
            for index in indexes:
                notice = self.con.execute(
                    "INSERT INTO notice (run, msisdn, customer_number, bills, carrier, script,"
                    " state, changed_at) VALUES (?, ?, ?, ?, ?, 'latin', 'planned', 0)",
                    (run, phone(index).digits, str(NUMBER + index),
                     json.dumps([[bill, attempt] for bill in bills]), carrier),
                ).lastrowid  # fmt: skip
                for bill in bills:
                    claim = Claim(str(NUMBER + index), bill, phone(index))
                    self.con.execute(
                        "INSERT INTO notice_key VALUES (?, ?)",
                        (digest(KEYED, kind, claim, attempt), notice),
                    )
        return run

    def commit(self, now: float = NOON, room: dict[str, int] | int = 10, **work: Any) -> Done:
        places = {"mtel": room} if isinstance(room, int) else room
        free = work.pop("free", places)
        nothing = Work(now, (), (), (), (), (), (), free, bulk=places)
        return exchange.commit(
            self.con, nothing._replace(**work), self.attached, self.policy, Day()
        )

    def notices(self) -> list[tuple[str, str, str]]:
        return self.con.execute("SELECT state, reason, carrier FROM notice ORDER BY id").fetchall()

    def states(self) -> list[str]:
        return [state for state, *_ in self.notices()]

    def one(self, query: str, *values: object) -> Any:
        return self.con.execute(query, values).fetchone()[0]

    def texts(self) -> list[str]:
        return [text for (text,) in self.con.execute("SELECT text FROM mt ORDER BY id")]

    def run_states(self) -> list[str]:
        return [row[0] for row in self.con.execute("SELECT state FROM notice_run ORDER BY id")]


def phone(index: int) -> Msisdn:
    return Msisdn(f"35988812{index:04}")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """12:00 on a Wednesday, hours 9 to 20, submits until 18; data of 8:00."""
    with closing(sqlite3.connect(tmp_path / "cache.db")) as cache:
        cache.executescript(SCHEMA)
        with closing(open_gateway(tmp_path)) as con:
            con.execute("INSERT INTO snapshot (file, imported_at) VALUES ('cache.db', 0)")
            CacheReader(con, tmp_path).follow()
            yield Office(con, cache)


def test_a_notice_is_made_and_claimed_when_there_is_a_place(office: Office) -> None:
    office.customers(3)
    office.run(0, 1, 2)

    done = office.commit(room=2)

    assert [one.destination for one in done.claimed] == [phone(0), phone(1)]
    assert b"45,20 EUR" in done.claimed[0].octets
    assert [one.valid_until for one in done.claimed] == [at(20)] * 2
    assert [one.kind for one in done.claimed] == [MessageKind.NOTICE] * 2
    assert office.notices() == [("sent", "", "mtel")] * 2 + [("planned", "", "mtel")]
    assert done.bulk == {"mtel"}
    assert done.backlog == set()
    assert done.tally.created == {("mtel", MessageKind.NOTICE): 2}
    assert done.tally.noticed == {("mtel", "overdue"): 2}
    assert office.con.execute("SELECT mt_id, changed_at, parameters FROM notice").fetchone() == (
        1, NOON, '{"number": "300012345678", "amount": "45,20 EUR", "due": "20.11.2026"}',
    )  # fmt: skip
    assert office.run_states() == ["running"]

    assert office.commit(room=2).bulk == set()
    assert office.run_states() == ["done"]
    assert office.con.execute("SELECT run, state, who, at FROM notice_run_change").fetchall() == [
        (1, "done", "daemon", NOON)
    ]
    assert office.one("SELECT count(*) FROM notice_key") == 3


def test_answers_go_first_and_bulk_gets_what_they_leave(office: Office) -> None:
    office.customers(5)
    office.run(*range(5))
    with transaction(office.con):
        enqueue(office.con, [Mt("mtel", MessageKind.MANUAL, phone(9), "x", NOON)], CARRIERS, NOON)
    mo = Mo("mtel", 1, NOON, phone(0), "170077", 0, 0, b"smetka", "smetka")

    done = office.commit(mos=[mo], free={"mtel": 5}, room=4)

    kinds = [one.kind for one in done.claimed]
    assert kinds == [MessageKind.ANSWER, MessageKind.MANUAL, MessageKind.NOTICE, MessageKind.NOTICE]


@pytest.mark.parametrize(
    ("free", "room", "claimed"),
    [
        pytest.param(5, 0, 0, id="all room is kept for answers"),
        pytest.param(0, 0, 0, id="no room at all"),
        pytest.param(5, 1, 1, id="room for one"),
    ],
)
def test_nothing_goes_without_room_for_bulk(
    office: Office, free: int, room: int, claimed: int
) -> None:
    office.customers(2)
    office.run(0, 1)
    with transaction(office.con):
        mts = [Mt("mtel", MessageKind.ANNOUNCEMENT, phone(9), "x", NOON)]
        enqueue(office.con, mts, CARRIERS, NOON)
    done = office.commit(free={"mtel": free} if free else {}, room={"mtel": room} if room else {})
    assert len(done.claimed) == claimed
    assert office.states() == ["planned"] * 2


@pytest.mark.parametrize(
    ("now", "sent", "wakes"),
    [
        pytest.param(at(8, 59), False, at(9), id="before opening"),
        pytest.param(at(9), True, at(20), id="at opening"),
        pytest.param(at(18), True, at(20), id="at the last moment"),
        pytest.param(at(18) + 1, False, at(20), id="after the last submit"),
        pytest.param(at(20), False, at(9, day=date(2026, 11, 26)), id="closed"),
        pytest.param(
            at(12, day=date(2026, 11, 28)), False, at(9, day=date(2026, 11, 30)), id="a Saturday"
        ),
        pytest.param(at(12, day=date(2026, 11, 24)), False, at(20, day=date(2026, 11, 24)),
                     id="before the run's day"),
    ],
)  # fmt: skip
def test_only_inside_the_hours(office: Office, now: float, sent: bool, wakes: float) -> None:
    office.customers(2)
    office.fed(now)
    office.run(0, 1)
    done = office.commit(now, room=1)
    assert (len(done.claimed), done.bulk) == ((1, {"mtel"}) if sent else (0, set()))
    assert done.wake_at == wakes
    assert wakes > now


def test_without_bulk_nobody_is_woken_for_it(office: Office) -> None:
    office.customers(1)
    office.run(0, state="paused")
    assert office.commit().wake_at is None


@pytest.mark.parametrize("kind", [MessageKind.NOTICE, MessageKind.ANNOUNCEMENT])
def test_what_is_queued_already_keeps_the_hours_too(office: Office, kind: MessageKind) -> None:
    with transaction(office.con):
        mt = Mt("mtel", kind, phone(0), "x", at(8), valid_until=at(23))
        enqueue(office.con, [mt], CARRIERS, at(8))
    early = office.commit(at(8))
    assert (early.claimed, early.bulk, early.wake_at) == ([], set(), at(9))
    assert len(office.commit(at(9)).claimed) == 1


def test_what_was_not_sent_by_closing_time_is_expired_then(office: Office) -> None:
    office.customers(1)
    office.run(0)
    (one,) = office.commit(at(17, 59)).claimed
    refused = settle(Outcome(one, Acceptance.TEMPORARY, at(17, 59)))
    office.commit(at(17, 59), settlements=[refused])
    waking = office.commit(at(18, 10))
    assert (waking.claimed, waking.wake_at) == ([], at(20))
    assert office.one("SELECT state FROM segment") == "queued"
    done = office.commit(at(20), room={})
    assert office.one("SELECT state FROM segment") == "expired"
    assert done.tally.final == {("mtel", "expired"): 1}
    assert done.wake_at is None


@pytest.mark.parametrize(
    ("state", "sent"),
    [("held", 0), ("making", 0), ("paused", 0), ("cancelled", 0), ("done", 0), ("running", 1)],
)
def test_only_runs_that_are_under_way(office: Office, state: str, sent: int) -> None:
    office.customers(1)
    office.run(0, state=state)
    done = office.commit()
    assert (len(done.claimed), done.bulk) == (sent, set())


def test_disconnections_go_first_then_the_older_run(office: Office) -> None:
    office.customers(5, cut_off=DAY + timedelta(days=1))
    office.run(0, kind=NoticeKind.ANNOUNCEMENT, text="Spirane")
    office.run(1)
    office.run(2)
    office.run(4, 3, kind=NoticeKind.DISCONNECTION)
    order = []
    while claimed := office.commit(room=1).claimed:
        order += [one.destination for one in claimed]
    assert order == [phone(index) for index in (4, 3, 1, 2, 0)]
    assert office.run_states() == ["done"] * 4


def test_each_carrier_has_its_own_places(office: Office) -> None:
    office.customers(6)
    for index in (3, 4, 5):
        office.register(index, "vivacom")
    office.run(0, 1, 2)
    office.run(3, 4, 5, carrier="vivacom")
    done = office.commit(room={"mtel": 1, "vivacom": 2})
    assert [one.carrier for one in done.claimed] == ["mtel", "vivacom", "vivacom"]
    assert done.bulk == {"mtel", "vivacom"}
    done = office.commit(room={"vivacom": 2})
    assert [one.carrier for one in done.claimed] == ["vivacom"]
    assert done.bulk == set(), "what mtel has is known since before"


@pytest.mark.parametrize(
    ("happens", "kind", "reason"),
    [
        pytest.param("paid", NoticeKind.OVERDUE, "paid", id="paid"),
        pytest.param("paid", NoticeKind.DISCONNECTION, "paid", id="paid, before supply is cut"),
        pytest.param("gone", NoticeKind.OVERDUE, "paid", id="no longer a customer"),
        pytest.param("credited", NoticeKind.OVERDUE, "paid", id="a credit covers it"),
        pytest.param("later", NoticeKind.OVERDUE, "paid", id="a new due date"),
        pytest.param("ended", NoticeKind.OVERDUE, "ended", id="stopped"),
        pytest.param("ended", NoticeKind.ANNOUNCEMENT, "ended", id="stopped, an announcement"),
        pytest.param("pending", NoticeKind.OVERDUE, "ended", id="registered anew, not active"),
        pytest.param("cut", NoticeKind.DISCONNECTION, "too_late", id="the cut-off day has come"),
        pytest.param("nowhere", NoticeKind.OVERDUE, "unreachable", id="no carrier any more"),
        pytest.param("disabled", NoticeKind.OVERDUE, "unreachable", id="its carrier is disabled"),
        pytest.param("erased", NoticeKind.OVERDUE, "erased", id="erased"),
        pytest.param("long", NoticeKind.ANNOUNCEMENT, "no_text", id="too long a text"),
    ],
)
def test_what_is_not_due_any_more_is_cancelled_and_may_be_noticed_again(
    office: Office, happens: str, kind: NoticeKind, reason: str
) -> None:
    office.customers(2, cut_off=DAY + timedelta(days=1))
    text = "x" * 40_000 if happens == "long" else "Spirane"
    office.run(0, 1, kind=kind, text=text)
    if happens == "paid":
        office.pay(0)
    elif happens == "gone":
        office.cache.executescript(f"DELETE FROM customer WHERE number = {NUMBER};")
    elif happens == "credited":
        office.bill(0, "2", -5000)
    elif happens == "later":
        office.bill(0, due=DAY)
    elif happens == "ended":
        office.register(0, state="ended")
    elif happens == "pending":
        office.register(0, state="pending")
    elif happens == "cut":
        office.bill(0, cut_off=DAY)
    elif happens == "nowhere":
        office.register(0, carrier=None)
    elif happens == "disabled":
        office.register(0, carrier="telenor")
    elif happens == "erased":
        office.con.execute("UPDATE notice SET msisdn = NULL WHERE id = 1")

    done = office.commit(room=1)

    assert office.notices()[0] == ("cancelled", reason, "mtel")
    assert done.tally.cancelled[kind.value, reason] >= 1
    assert office.one("SELECT count(*) FROM notice_key WHERE notice = 1") == 0
    if kind is not NoticeKind.ANNOUNCEMENT or happens == "ended":
        assert [one.destination for one in done.claimed] == [phone(1)]


def test_of_many_that_were_paid_a_transaction_looks_at_some(office: Office) -> None:
    office.customers(100)
    office.run(*range(100))
    for index in range(99):
        office.pay(index)
    looked_at = []
    done = office.commit(room=1)
    while not done.claimed:
        assert done.bulk == {"mtel"}
        looked_at.append(sum(done.tally.cancelled.values()))
        done = office.commit(room=1)
    assert [one.destination for one in done.claimed] == [phone(99)]
    assert max(looked_at) <= 30
    assert office.run_states() == ["done"]


def test_one_transaction_makes_a_handful(office: Office) -> None:
    office.customers(150)
    for index in range(75, 150):
        office.register(index, "vivacom")
    office.run(*range(75))
    office.run(*range(75, 150), carrier="vivacom")
    done = office.commit(room={"mtel": 1000, "vivacom": 1000})
    assert len(done.claimed) == bulk.AT_ONCE
    assert done.bulk == {"mtel", "vivacom"}


def test_a_phone_that_moved_is_noticed_over_its_new_carrier(office: Office) -> None:
    office.customers(2)
    office.run(0, 1)
    office.register(0, "vivacom")
    done = office.commit(room={"mtel": 5})
    assert [one.destination for one in done.claimed] == [phone(1)]
    assert done.bulk == {"vivacom"}
    assert office.notices()[0] == ("planned", "", "vivacom")
    assert office.run_states() == ["running"]
    done = office.commit(room={"vivacom": 5})
    assert [(one.destination, one.carrier) for one in done.claimed] == [(phone(0), "vivacom")]
    assert office.run_states() == ["done"]


def test_phones_that_are_moved_do_not_wait_for_the_carrier_that_they_had(office: Office) -> None:
    office.customers(2)
    office.run(0, 1)
    author = Author(KEYED, Origin(Channel.CENTRE, "ana"), NOON)
    with transaction(office.con):
        subscriptions.move(office.con, phone(0), "vivacom", author)
    done = office.commit(room={"vivacom": 5})  # mtel is down
    assert [(one.destination, one.carrier) for one in done.claimed] == [(phone(0), "vivacom")]
    assert office.states() == ["sent", "planned"]


def test_a_carrier_that_is_gone_from_the_configuration_keeps_no_notice(office: Office) -> None:
    office.customers(2)
    office.run(0, 1, carrier="telenor")
    office.register(0, "vivacom")
    office.register(1, "telenor")
    exchange.recover(office.con, NOON, office.policy)
    done = office.commit(room={"mtel": 5, "vivacom": 5})
    assert [(one.destination, one.carrier) for one in done.claimed] == [(phone(0), "vivacom")]
    assert [state for state, *_ in office.notices()] == ["sent", "cancelled"]


@pytest.mark.parametrize(
    ("as_of", "attached", "max_age", "sent"),
    [
        pytest.param(NOON - 36 * 3600, True, 36 * 3600, 1, id="just young enough"),
        pytest.param(NOON - 36 * 3600 - 1, True, 36 * 3600, 0, id="too old"),
        pytest.param(NOON - 36 * 3600 - 1, True, 0, 1, id="any age will do"),
        pytest.param(NOON + 3600, True, 36 * 3600, 1, id="the clock was set back"),
        pytest.param(NOON, False, 36 * 3600, 0, id="none"),
    ],
)
def test_without_data_to_rely_on_notices_wait_and_announcements_go(
    office: Office, as_of: float, attached: bool, max_age: float, sent: int
) -> None:
    office.customers(2)
    office.fed(as_of)
    office.attached = attached
    rules = replace(office.policy.notices, max_age=max_age)
    office.policy = office.policy._replace(notices=rules)
    office.run(0)
    office.run(1, kind=NoticeKind.ANNOUNCEMENT, text="Spirane")
    done = office.commit()
    kinds = [one.kind for one in done.claimed]
    assert kinds == [MessageKind.NOTICE] * sent + [MessageKind.ANNOUNCEMENT]
    assert done.bulk == set(), "it is not tried again and again"
    assert office.run_states() == ["done" if sent else "running", "done"]


def test_a_message_speaks_of_what_is_due_now_and_is_counted_against_that(office: Office) -> None:
    office.customers(1)
    office.bill(0, "2", 1000)
    office.run(0, bills=("1", "2"))
    office.pay(0)
    office.bill(0, "3", 300)
    office.bill(0, "4", 50)
    other = Claim(str(NUMBER), "4", phone(0))
    office.con.execute(
        "INSERT INTO notice_key VALUES (?, 99)", (digest(KEYED, NoticeKind.OVERDUE, other, 1),)
    )
    office.commit()
    assert "13,50 EUR" in office.texts()[0]
    assert json.loads(office.one("SELECT bills FROM notice")) == [["2", 1], ["3", 1]]
    keys = {
        bill: office.one(
            "SELECT count(*) FROM notice_key WHERE digest = ? AND notice = 1",
            digest(KEYED, NoticeKind.OVERDUE, Claim(str(NUMBER), bill, phone(0)), 1),
        )
        for bill in "1234"
    }
    assert keys == {"1": 0, "2": 1, "3": 1, "4": 0}


@pytest.mark.parametrize("attempt", [1, 2])
def test_what_a_message_speaks_of_no_later_one_says_again(office: Office, attempt: int) -> None:
    office.customers(2)
    office.bill(0, "2", 1000)
    office.run(0, bills=("1",))
    office.bill(1, "2", 300)
    office.run(0, 1, bills=("2",), attempt=attempt)
    office.commit()
    assert [said.split(",")[0][-2:] for said in office.texts()] == ["55", "48"]
    bills = [json.loads(bills) for (bills,) in office.con.execute("SELECT bills FROM notice")]
    assert bills == [[["1", 1], ["2", attempt]], [["2", attempt]], [["1", 1], ["2", attempt]]]
    assert office.notices()[1][:2] == ("cancelled", "spoken_of")
    key = digest(KEYED, NoticeKind.OVERDUE, Claim(str(NUMBER), "2", phone(0)), attempt)
    assert office.one("SELECT notice FROM notice_key WHERE digest = ?", key) == 1
    assert office.run_states() == ["done", "done"]


def test_it_is_in_the_script_of_the_subscription(office: Office) -> None:
    office.customers(1)
    office.run(0)
    office.register(0, script="cyrillic")
    (*_, last) = office.commit(room=1).claimed
    assert last.total == 2
    assert office.one("SELECT script FROM notice") == "cyrillic"
    assert office.one("SELECT count(*) FROM segment WHERE state = 'queued'") == 1


def test_parts_without_a_place_go_first_the_next_time(office: Office) -> None:
    office.customers(2)
    for index in (0, 1):
        office.register(index, script="cyrillic")
    office.run(0, 1)
    done = office.commit(room=1)
    assert ([one.key.part for one in done.claimed], done.bulk) == ([1], {"mtel"})
    done = office.commit(room=3)
    assert [one.key for one in done.claimed] == [(1, 2), (2, 1), (2, 2)]


def test_a_killed_daemon_sends_no_notice_again(office: Office) -> None:
    office.customers(3)
    office.run(0, 1, 2)
    office.commit(room=2)
    exchange.recover(office.con, NOON + 60, office.policy)
    done = office.commit(NOON + 60, room=5)
    assert [one.destination for one in done.claimed] == [phone(2)]
    assert [row[0] for row in office.con.execute("SELECT state FROM segment")] == [
        "unknown", "unknown", "claimed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("jump", "sent", "wakes"),
    [
        pytest.param(3600, True, at(20), id="an hour ahead"),
        pytest.param(-3600, True, at(20), id="an hour back"),
        pytest.param(86_400, True, at(20) + 86_400, id="a day ahead"),
        pytest.param(-86_400, False, at(20) - 86_400, id="a day back: the run is of the future"),
        pytest.param(8 * 3600, False, at(9) + 86_400, id="past closing time"),
        pytest.param(3 * 86_400, False, at(9) + 5 * 86_400, id="into the weekend"),
        pytest.param(40 * 3600, False, at(9) + 2 * 86_400, id="until the data are too old"),
    ],
)
def test_a_clock_that_jumps(office: Office, jump: float, sent: bool, wakes: float) -> None:
    office.customers(3)
    office.run(0, 1, 2)
    office.commit(room=1)
    done = office.commit(NOON + jump, room=1)
    assert (len(done.claimed), done.bulk) == ((1, {"mtel"}) if sent else (0, set()))
    assert done.wake_at == wakes
    done = office.commit(NOON + 1, room=1)
    assert len(done.claimed) == 1, "and back again"
    phones = [row[0] for row in office.con.execute("SELECT msisdn FROM mt")]
    assert len(set(phones)) == len(phones)


def test_a_receipt_beside_changes_nothing(office: Office) -> None:
    office.customers(2)
    office.run(0, 1)
    (one,) = office.commit(room=1).claimed
    accepted = settle(Outcome(one, Acceptance.ACCEPTED, NOON, "A1", response_id="A1"))
    receipt = Receipt("mtel", NOON, "A1", ReceiptState.DELIVERED, "000", phone(0))
    done = office.commit(NOON + 1, settlements=[accepted], receipts=[receipt], room=1)
    assert [one.destination for one in done.claimed] == [phone(1)]


@pytest.mark.parametrize("query", ["planned", "running", "bulk", "late"])
def test_nothing_is_searched_through(office: Office, query: str) -> None:
    sql, values, index = {
        "planned": (turns.SELECT_PLANNED, (1, "mtel", 5), "notice_planned"),
        "running": (
            f"SELECT id FROM notice_run WHERE {turns.RUNNING}", (), "notice_run_alive",
        ),
        "bulk": (claims.SELECT_BULK, ("mtel", 5), "segment_queued"),
        "late": (bulk.SELECT_LATE, ("mtel", NOON, 5), "segment_queued"),
    }[query]  # fmt: skip
    plan = office.con.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
    assert index in str(plan)
    assert "TEMP B-TREE" not in str(plan)

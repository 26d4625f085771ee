"""Counts of registrations and of months: each once, and as they were."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.keyed import Keyed
from smsgw.service.message import Channel, MessageKind, Msisdn, Mt, Script
from smsgw.service.report import Active, Books, Counts, Customers
from smsgw.storage import counts, reports, subjects, subscriptions
from smsgw.storage.audit import CUSTOMER, FEED, Author, Change, Entry, Origin, record
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.messages import enqueue
from smsgw.storage.subjects import NoticeOf, Subject

SOFIA = ZoneInfo("Europe/Sofia")
KEYED = Keyed(b"k" * 32)
BOOKS = Books(KEYED, SOFIA)
PHONE, OTHER = Msisdn("359888123456"), Msisdn("359888123457")
NUMBER, SECOND = "300012345678", "300012345679"
CENTRE = Origin(Channel.CENTRE, "ana")


def at(*when: int) -> float:
    """A local moment."""
    return datetime(*when, tzinfo=SOFIA).timestamp()  # type: ignore[arg-type, misc]


NOW = at(2027, 1, 15, 12)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_gateway(tmp_path)) as con:
        yield con


def audited(con: sqlite3.Connection, change: Change, origin: Origin, when: float = NOW) -> None:
    with transaction(con):
        record(con, Author(KEYED, origin, when), [Entry(change, PHONE, NUMBER)])


def counted(con: sqlite3.Connection) -> list[Any]:
    return con.execute("SELECT * FROM count_registered ORDER BY 1, 2, 3").fetchall()


@pytest.mark.parametrize(
    ("entries", "found"),
    [
        pytest.param(
            [(Change.ACTIVATED, CUSTOMER)], [("activated", "sms", 1)], id="active at once"
        ),
        pytest.param(
            [(Change.REQUESTED, CENTRE), (Change.ACTIVATED, FEED)],
            [("activated", "centre", 1), ("requested", "centre", 1)],
            id="by a feed, later",
        ),
        pytest.param(
            [(Change.REQUESTED, CENTRE), (Change.MOVED, CUSTOMER), (Change.REJECTED, FEED)],
            [("rejected", "centre", 1), ("requested", "centre", 1)],
            id="rejected",
        ),
        pytest.param(
            [
                (Change.REQUESTED, CENTRE),
                (Change.ACTIVATED, FEED),
                (Change.ENDED, CUSTOMER),
                (Change.ACTIVATED, FEED),
            ],
            [
                ("activated", "centre", 1),
                ("activated", "import", 1),
                ("ended", "sms", 1),
                ("requested", "centre", 1),
            ],
            id="registered again, by a file",
        ),
        pytest.param([(Change.MOVED, CENTRE), (Change.SUSPECT, FEED)], [], id="nothing of it"),
    ],
)
def test_where_registrations_come_from(
    con: sqlite3.Connection, entries: list[tuple[Change, Origin]], found: list[Any]
) -> None:
    for change, origin in entries:
        audited(con, change, origin)
    assert not counts.register(con, BOOKS)
    assert [row[1:] for row in counted(con)] == found
    counts.register(con, BOOKS)  # each only once
    assert [row[1:] for row in counted(con)] == found


def test_registrations_are_counted_batch_by_batch(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "BATCH", 2)
    for hour in (22, 23, 24, 25, 26):  # over midnight
        audited(con, Change.ACTIVATED, CENTRE, at(2027, 1, 1) + (hour - 0) * 3600.0)
    assert [counts.register(con, BOOKS) for _ in range(3)] == [True, True, False]
    assert counted(con) == [
        ("2027-01-01", "activated", "centre", 2),
        ("2027-01-02", "activated", "centre", 3),
    ]


def test_registrations_are_found_by_indexes(con: sqlite3.Connection) -> None:
    """Of 140,000 entries each looks only at those of its phone."""
    plan = con.execute(f"EXPLAIN QUERY PLAN {counts._ENTRIES}", (0, 9)).fetchall()
    steps = [step for *_, step in plan]
    assert any("SEARCH before USING INDEX audit_" in step for step in steps), steps
    assert any("SEARCH audit USING INTEGER PRIMARY KEY" in step for step in steps)


def test_messages_are_found_by_indexes(con: sqlite3.Connection) -> None:
    queries = [subjects._SUBJECTS + "WHERE mt.id IN (SELECT value FROM json_each('[1]'))"]
    plan = [row for query in queries for row in con.execute(f"EXPLAIN QUERY PLAN {query}")]
    scans = [step for *_, step in plan if step.startswith("SCAN")]
    assert [step for step in scans if "json_each" not in step] == []


# -- active registrations -----------------------------------------------------------------------


def subscribed(
    con: sqlite3.Connection, phone: Msisdn, number: str, since: float, until: float | None = None
) -> None:
    one = Subscription(
        phone, number, SubscriptionState.ACTIVE, "mtel", Script.LATIN, Channel.SMS, since
    )
    with transaction(con):
        subscriptions.add(con, one, notify=True, author=Author(KEYED, CENTRE, since))
        if until is not None:
            subscriptions.end(con, phone, number, Author(KEYED, CENTRE, until))


def actives(con: sqlite3.Connection) -> list[Any]:
    return con.execute("SELECT * FROM count_active ORDER BY 1").fetchall()


def report(con: sqlite3.Connection, first: date, last: date, now: float = NOW) -> Counts:
    return reports.read(con, first, last, BOOKS, now)


def test_months_are_closed_once_and_stay(con: sqlite3.Connection) -> None:
    subscribed(con, PHONE, NUMBER, at(2026, 10, 31, 23, 59), until=at(2026, 12, 31, 23, 59))
    subscribed(con, OTHER, NUMBER, at(2026, 11, 30, 23, 59))
    subscribed(con, OTHER, SECOND, at(2027, 1, 1))
    kept = [("2026-10", 1, 1, 1), ("2026-11", 1, 2, 2), ("2026-12", 1, 1, 1)]
    for _ in range(2):
        counts.close(con, list(counts.unclosed(con, BOOKS, NOW)), BOOKS, NOW)
        assert actives(con) == kept
    con.execute("DELETE FROM subscription")  # as erasing does
    found = report(con, date(2026, 10, 1), date(2026, 12, 31))
    assert found.active == (
        Active(date(2026, 10, 31), 1, 1, 1),
        Active(date(2026, 11, 30), 1, 2, 2),
        Active(date(2026, 12, 31), 1, 1, 1),
    )
    later = at(2027, 2, 1)
    counts.close(con, list(counts.unclosed(con, BOOKS, later)), BOOKS, later)
    assert actives(con) == [*kept, ("2027-01", 0, 0, 0)]


def test_a_month_is_over_at_its_local_midnight(con: sqlite3.Connection) -> None:
    subscribed(con, PHONE, NUMBER, at(2026, 12, 5))
    midnight = at(2027, 1, 1)
    assert list(counts.unclosed(con, BOOKS, midnight - 1)) == []
    assert [one.day for one in counts.unclosed(con, BOOKS, midnight)] == [date(2026, 12, 31)]


def test_without_registrations_no_month_is_closed(con: sqlite3.Connection) -> None:
    assert list(counts.unclosed(con, BOOKS, NOW)) == []


def test_of_days_to_come_nothing_is_said(con: sqlite3.Connection) -> None:
    subscribed(con, PHONE, NUMBER, at(2026, 12, 5))
    (one,) = report(con, date(2027, 1, 1), date(2027, 3, 31)).active
    assert one == Active(date(2027, 1, 15), 1, 1, 1)
    assert report(con, date(2027, 2, 1), date(2027, 3, 31)).active == ()


def test_a_clock_that_was_ahead_closes_no_month_for_good(con: sqlite3.Connection) -> None:
    subscribed(con, PHONE, NUMBER, at(2026, 12, 5))
    before = at(2026, 12, 31, 12)

    def keep(now: float) -> list[Any]:
        counts.close(con, list(counts.unclosed(con, BOOKS, now)), BOOKS, now)
        return actives(con)

    ahead = at(2027, 2, 1, 12)
    assert keep(ahead) == [("2026-12", 1, 1, 1), ("2027-01", 1, 1, 1)]
    subscribed(con, OTHER, SECOND, before)
    # Until it is put right, what is kept of days that have not ended counts for nothing.
    found = report(con, date(2026, 12, 1), date(2026, 12, 31), before)
    assert found.active == (Active(date(2026, 12, 31), 2, 2, 2),)
    assert keep(before) == []
    assert keep(at(2027, 1, 1)) == [("2026-12", 2, 2, 2)]
    assert keep(ahead) == [("2026-12", 2, 2, 2), ("2027-01", 2, 2, 2)]


def test_before_the_first_registration_there_were_none(con: sqlite3.Connection) -> None:
    """And that is not looked up month by month, though no month is closed yet."""
    subscribed(con, PHONE, NUMBER, at(2027, 1, 5))
    asked: list[str] = []
    con.set_trace_callback(asked.append)
    *none, one = report(con, date(2000, 1, 1), date(2027, 1, 15)).active
    con.set_trace_callback(None)
    assert one == Active(date(2027, 1, 15), 1, 1, 1)
    assert len(none) == 27 * 12
    assert {each[1:] for each in none} == {(0, 0, 0)}
    assert len([sql for sql in asked if "SELECT customer_number, msisdn" in sql]) == 1


# -- different customers ------------------------------------------------------------------------


def came(con: sqlite3.Connection, phone: Msisdn, when: float) -> None:
    with transaction(con):
        one = counts.Incoming(when, "mtel", phone.digits, "bill_check")
        counts.add_received(con, counts.taken([one], BOOKS))


def folded(con: sqlite3.Connection) -> list[Any]:
    return con.execute("SELECT * FROM count_month").fetchall()


def test_digests_of_a_month_go_two_months_after_it(con: sqlite3.Connection) -> None:
    for phone in (PHONE, OTHER, PHONE):
        came(con, phone, at(2026, 10, 5))
    came(con, PHONE, at(2026, 11, 5))
    counts.fold(con, BOOKS, at(2026, 12, 31, 23, 59))
    assert folded(con) == []
    counts.fold(con, BOOKS, at(2027, 1, 1))
    assert folded(con) == [("2026-10", "checking", 2)]
    assert con.execute("SELECT DISTINCT month FROM count_customer").fetchall() == [("2026-11",)]
    found = report(con, date(2026, 10, 1), date(2026, 11, 30)).customers
    assert found == {("2026-10", Customers.CHECKING): 2, ("2026-11", Customers.CHECKING): 1}


def test_a_month_waits_for_its_last_message(con: sqlite3.Connection) -> None:
    """One that is held for months may be that of a customer who is counted already."""
    came(con, PHONE, at(2026, 10, 5))
    held = Mt("mtel", MessageKind.NOTICE, PHONE, "x", at(2026, 10, 31))
    with transaction(con):
        enqueue(con, [held], {}, at(2026, 10, 31))
    counts.fold(con, BOOKS, NOW)
    assert folded(con) == []
    con.execute("DELETE FROM segment")
    con.execute("DELETE FROM mt")
    counts.fold(con, BOOKS, NOW)
    assert folded(con) == [("2026-10", "checking", 1)]


def test_digests_of_two_months_say_nothing_of_each_other(con: sqlite3.Connection) -> None:
    came(con, PHONE, at(2026, 10, 5))
    came(con, PHONE, at(2026, 11, 5))
    found = con.execute("SELECT DISTINCT customer FROM count_customer").fetchall()
    assert len(found) == 2


# -- what a message is about --------------------------------------------------------------------


def test_a_repeat_over_another_carrier_is_of_the_same_notice(con: sqlite3.Connection) -> None:
    sent = Mt("mtel", MessageKind.NOTICE, PHONE, "x", NOW)
    with transaction(con):
        enqueue(con, [sent, *[sent._replace(found_from=one) for one in (1, 2)]], {}, NOW)
        enqueue(con, [sent._replace(found_from=77)], {}, NOW)  # of what is gone
    con.execute(
        "INSERT INTO notice_run (id, kind, day, state, automatic, made_at)"
        " VALUES (5, 'overdue', '2027-01-15', 'running', 0, 0)"
    )
    con.execute(
        "INSERT INTO notice (id, run, customer_number, bills, carrier, script, state, changed_at,"
        " mt_id) VALUES (9, 5, ?, '[]', 'mtel', 'latin', 'sent', 0, 1)",
        (NUMBER,),
    )
    same = Subject("overdue", NoticeOf(9, 5, "overdue", NUMBER, "[]", None))
    assert subjects.of(con) == {1: same, 2: same, 3: same, 4: Subject("", None)}
    assert subjects.of(con, [3]) == {3: same}

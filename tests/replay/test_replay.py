"""The replayed year: a small part of it agrees with its report, and what doesn't agree is seen."""

import copy
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any

import pytest
from replay import compare, published
from replay.carrier import Counts
from replay.world import NOTICE, Ledger, Town
from replay.year import NEW_AS_PUBLISHED, PUBLISHED_UNTIL, Year, days, days_of

from smsgw.service.calendar import Calendar
from smsgw.service.message import Channel
from smsgw.smpp.names import MessageState

ROOM = Path(__file__).parents[1]

REPORT: dict[str, list[dict[str, Any]]] = {
    "messages": [
        {"month": "2017-01", "kind": "notice", "purpose": "overdue", "carrier": "mtel",
         "messages": 3, "delivered": 1, "parts": 2, "cost_eur": 0.082},
    ],
    "carriers": [
        {"carrier": "mtel", "messages": 3, "delivered": 1, "undelivered": 1, "refused": 1,
         "on_the_way": 0, "delivery_rate": 0.3333, "parts": 2, "cost_eur": 0.082},
    ],
    "reminders": [{"month": "2017-01", "messages": 3, "customer_numbers": 2}],
    "bill_checks": [{"month": "2017-01", "messages": 5, "different_phones": 4}],
    "registrations": [{"month": "2017-01", "channel": "web", "new": 1, "ended": 1}],
    "active_registrations": [{"customer_numbers": 1, "phones": 2, "registrations": 2}],
}  # fmt: skip

FIGURES = [
    (table, column)
    for table, columns in {
        "messages": ("messages", "delivered", "parts", "cost_eur"),
        "carriers": ("messages", "delivered", "undelivered", "refused", "on_the_way"),
        "reminders": ("messages", "customer_numbers"),
        "bill_checks": ("messages", "different_phones"),
        "registrations": ("new", "ended"),
        "active_registrations": ("customer_numbers", "phones", "registrations"),
    }.items()
    for column in columns
]


def seen() -> compare.Seen:
    """What the report above tells of."""
    fates = (MessageState.DELIVERED, MessageState.EXPIRED, None)
    counts = Counts(
        Counter({("2017-01", NOTICE, fate): 1 for fate in fates}),
        Counter({("2017-01", NOTICE): 2}),
        Counter({("2017-01", "smetka"): 4, ("2017-01", "сметка"): 1, ("2017-01", "stop"): 1}),
    )
    ledger = Ledger(
        new=Counter({("2017-01", Channel.WEB): 1}),
        ended=Counter({"2017-01": 1}),
        reminded={"2017-01": {"300000000001", "300000000002"}},
        checking={"2017-01": {"1", "2", "3", "4"}},
    )
    town = Town()
    town.activate("359880000001", "300000000001")
    town.activate("359880000002", "300000000001")
    return compare.Seen({"mtel": counts}, ledger, town)


def test_a_report_that_says_what_was_seen_differs_nowhere() -> None:
    assert compare.differences(REPORT, seen()) == []


@pytest.mark.parametrize(("table", "column"), FIGURES)
def test_a_figure_that_is_off_by_one_is_a_difference(table: str, column: str) -> None:
    report = copy.deepcopy(REPORT)
    report[table][0][column] += 1
    (found,) = compare.differences(report, seen())
    assert "reported" in found


def test_what_the_report_leaves_out_is_a_difference() -> None:
    found = compare.differences({**REPORT, "messages": []}, seen())
    assert found == [
        "messages, ('2017-01', 'notice', 'mtel'): reported None,"
        " seen [Decimal('3'), Decimal('1'), Decimal('2'), Decimal('8.2')]"
    ]


def test_a_month_is_played_and_reported_to_the_message() -> None:
    command = [sys.executable, "-m", "replay.run", "--share", "0.02", "--months", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOM)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the report says the same as what carriers and customers counted" in done.stdout


# -- the year that is drawn --------------------------------------------------------------------


def working() -> Calendar:
    return Calendar(timezone=UTC, days="working")


def test_a_seed_draws_the_same_year_twice() -> None:
    one, other = (Year(1, 0.01) for _ in range(2))
    assert one.at_first == other.at_first
    assert one.registrations == other.registrations
    first, numbers = date(2017, 3, 1), [pair.number for pair in one.at_first]
    assert one.month(first, numbers, working()) == other.month(first, numbers, working())


@pytest.mark.parametrize("share", [0.01, 0.1])
def test_as_many_register_as_was_published(share: float) -> None:
    year = Year(1, share)
    until = [day for day in days_of(12) if day <= PUBLISHED_UNTIL]
    made = sum(len(one.numbers) for day in until for one in year.registrations[day])
    assert made == NEW_AS_PUBLISHED * share


def test_who_pays_late_can_be_reminded_twice_in_that_month() -> None:
    """And pays before it ends, so that a month's reminders are its own."""
    year, calendar = Year(1, 0.01), working()
    numbers = list(dict.fromkeys(pair.number for pair in year.at_first))
    for month in range(1, 13):
        first = date(2017, month, 1)
        last = days_of(month)[-1]
        drawn = year.month(first, numbers, calendar)
        payments = [*drawn.payments.items(), *drawn.last_minute.items()]
        paid = {bill.customer: day for day, bills in payments for bill in bills}
        assert paid.keys() == drawn.bills.keys()
        assert max(paid.values()) <= last
        late = [bill for bill in drawn.bills.values() if paid[bill.customer] > bill.due]
        assert 205 <= len(late) <= 217
        for bill in late:
            after = days(bill.due + timedelta(days=1), last)
            assert sum(calendar.is_open(day) for day in after) >= 2


# -- what was published ------------------------------------------------------------------------

PUBLISHED: dict[str, list[dict[str, Any]]] = {
    "active_registrations": [{"customer_numbers": 1}, {"customer_numbers": 140_001}],
    "registrations": [{"month": "2017-01", "new": 25_000}, {"month": "2017-02", "new": 1_000}],
    "reminders": [
        {"month": f"2017-{month:02}", "messages": 21_000, "customer_numbers": 20_000 + 180 * month}
        for month in range(1, 12)
    ],
    "bill_checks": [{"month": f"2017-{month:02}", "messages": 1_050} for month in range(1, 12)],
    "messages_by_kind": [{"messages": 270_000}],
}


def test_a_report_like_that_agrees_where_it_can() -> None:
    said = [one.agrees for one in published.figures(PUBLISHED, 1.0)]
    assert said == [True, True, True, True, None, None, None]


@pytest.mark.parametrize(
    ("table", "column", "value", "which"),
    [
        ("active_registrations", "customer_numbers", 140_000, "active registrations"),
        ("registrations", "new", 999, "new registrations, January to November"),
        ("reminders", "customer_numbers", 22_001, "customers reminded a month"),
        ("reminders", "customer_numbers", 19_999, "customers reminded a month"),
        ("bill_checks", "messages", 1_000, "bill checks a month"),
    ],
)
def test_a_figure_beside_what_was_published_is_told(
    table: str, column: str, value: int, which: str
) -> None:
    report = copy.deepcopy(PUBLISHED)
    report[table][-1][column] = value
    assert [one.what for one in published.figures(report, 1.0) if one.agrees is False] == [which]


def test_what_was_published_contradicts_itself() -> None:
    said = list(published.contradictions())
    assert "169,200 reminders, 15,382 a month; 20,000 to 22,000 a month" in said[0]
    assert "220,000 to 242,000 in 11 months" in said[0]
    assert "10,800 bill checks, 982 a month" in said[1]
    assert "4.3% to 4.8% of both, not 6%" in said[2]
    assert "26,000 registrations" in said[3]

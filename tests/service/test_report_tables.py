"""The published figures, from counts."""

from datetime import date
from decimal import Decimal

import pytest

from smsgw.service.message import Channel, MessageKind, MtState
from smsgw.service.report import (
    Active,
    Amounts,
    Counts,
    Customers,
    Happened,
    Received,
    Registered,
    Sent,
    euros,
    months,
    share,
    tables,
    took,
)

ANSWER, NOTICE, MANUAL = MessageKind.ANSWER, MessageKind.NOTICE, MessageKind.MANUAL
DONE, LOST = MtState.DELIVERED, MtState.UNDELIVERED
COUNTS = Counts(
    date(2017, 11, 1),
    date(2017, 12, 31),
    {
        Sent("2017-11", NOTICE, "overdue", "mtel", DONE): Amounts(90, 90, 9_000_000),
        Sent("2017-11", NOTICE, "overdue", "mtel", LOST): Amounts(3, 3, 300_000),
        Sent("2017-12", NOTICE, "disconnection", "telenor", DONE): Amounts(1, 2, 250_000),
        Sent("2017-12", NOTICE, "disconnection", "telenor", MtState.ACCEPTED): Amounts(1, 1, 5),
        Sent("2017-12", ANSWER, "bill_check", "mtel", DONE): Amounts(4, 4, 0),
        Sent("2017-12", ANSWER, "help", "mtel", MtState.CANCELLED): Amounts(1, 0, 0),
        Sent("2017-12", MANUAL, "", "mtel", MtState.UNCONFIRMED): Amounts(1, 1, 0),
    },
    {
        Received("2017-11", "mtel", "bill_check"): 5,
        Received("2017-11", "telenor", "bill_check_for"): 2,
        Received("2017-11", "mtel", "help"): 9,
    },
    {
        Registered("2017-11", Happened.ACTIVATED, Channel.SMS): 26,
        Registered("2017-11", Happened.REQUESTED, Channel.WEB): 3,
        Registered("2017-12", Happened.ENDED, Channel.SMS): 2,
        Registered("2017-12", Happened.REJECTED, Channel.WEB): 1,
    },
    (Active(date(2017, 11, 30), 100, 90, 110), Active(date(2017, 12, 31), 101, 91, 112)),
    {("2017-11", Customers.REMINDED): 92, ("2017-11", Customers.CHECKING): 6},
)
FOUND = {one.name: one for one in tables(COUNTS)}

ROWS = {
    "active_registrations": [("2017-11-30", 100, 90, 110), ("2017-12-31", 101, 91, 112)],
    "registrations": [
        ("2017-11", "sms", 26, 0, 0),
        ("2017-12", "sms", 0, 2, 0),
        ("2017-12", "web", 0, 0, 1),
    ],
    "messages_by_kind": [
        ("answer", "bill_check", 4, Decimal("0.0396"), 4, Decimal(0)),
        ("answer", "help", 1, Decimal("0.0099"), 0, Decimal(0)),
        ("manual", "", 1, Decimal("0.0099"), 1, Decimal(0)),
        ("notice", "disconnection", 2, Decimal("0.0198"), 3, Decimal("2.50005")),
        ("notice", "overdue", 93, Decimal("0.9208"), 93, Decimal(93)),
    ],
    "reminders": [("2017-11", 93, 93, 0, 90, 92), ("2017-12", 2, 0, 2, 1, 0)],
    "bill_checks": [("2017-11", 7, 6), ("2017-12", 0, 0)],
    "carriers": [
        # messages, then by their ends, on the way, rate of those that ended and weren't cancelled
        ("mtel", 99, 94, 3, 0, 0, 1, 1, 0, Decimal("0.9592"), 98, Decimal(93)),
        ("telenor", 2, 1, 0, 0, 0, 0, 0, 1, Decimal(1), 3, Decimal("2.50005")),
    ],
    "messages": [
        ("2017-11", "notice", "overdue", "mtel", 93, 90, 93, Decimal(93)),
        ("2017-12", "answer", "bill_check", "mtel", 4, 4, 4, Decimal(0)),
        ("2017-12", "answer", "help", "mtel", 1, 0, 0, Decimal(0)),
        ("2017-12", "manual", "", "mtel", 1, 0, 1, Decimal(0)),
        ("2017-12", "notice", "disconnection", "telenor", 2, 1, 3, Decimal("2.50005")),
    ],
}


@pytest.mark.parametrize("name", FOUND)
def test_each_figure(name: str) -> None:
    assert FOUND[name].rows == ROWS[name]
    assert {len(row) for row in FOUND[name].rows} == {len(FOUND[name].columns)}


def test_a_period_without_anything_has_every_table() -> None:
    empty = Counts(date(2017, 11, 30), date(2017, 12, 1), {}, {}, {}, (), {})
    found = {one.name: one for one in tables(empty)}
    assert found.keys() == FOUND.keys()
    assert found["reminders"].rows == [("2017-11", 0, 0, 0, 0, 0), ("2017-12", 0, 0, 0, 0, 0)]
    assert found["carriers"].rows == []


@pytest.mark.parametrize(
    ("state", "message_id", "lost", "accepted"),
    [
        (MtState.ACCEPTED, None, 0, True),
        (MtState.DELIVERED, None, 1, True),
        (MtState.UNDELIVERED, "A", 0, True),
        (MtState.UNCONFIRMED, None, 0, True),  # accepted without an id
        (MtState.UNCONFIRMED, "A", 1, True),
        (MtState.UNCONFIRMED, None, 1, False),  # nobody knows
        (MtState.UNKNOWN, None, 1, False),
        (MtState.CLAIMED, None, 0, False),
        (MtState.REFUSED, None, 0, False),
        (MtState.CANCELLED, None, 1, False),
        (MtState.EXPIRED, None, 0, False),
    ],
)
def test_what_a_carrier_took(
    state: MtState, message_id: str | None, lost: int, accepted: bool
) -> None:
    assert took(state, message_id, lost) is accepted


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        (date(2026, 11, 30), date(2026, 11, 30), ["2026-11"]),
        (date(2026, 11, 30), date(2027, 2, 1), ["2026-11", "2026-12", "2027-01", "2027-02"]),
        (date(2026, 12, 1), date(2026, 12, 31), ["2026-12"]),
    ],
)
def test_the_months_of_a_period(first: date, last: date, found: list[str]) -> None:
    assert months(first, last) == found


def test_money_and_shares() -> None:
    assert euros(123_456_789) == Decimal("1234.56789")
    assert share(1, 3) == Decimal("0.3333")
    assert share(0, 0) is None

"""Who gets a notice, and who does not and why."""

from datetime import date, time
from typing import Any

import pytest

from smsgw.service.calendar import Calendar
from smsgw.service.hours import Hours
from smsgw.service.message import Encoding
from smsgw.service.notices import LeftOut, NoticeKind, RunState
from smsgw.storage import runs
from smsgw.storage.pace import Pace
from smsgw.storage.planning import MONTH, Example, Plan, Total

DAY = date(2026, 12, 15)
NUMBER, PHONE = "300012345678", "359888123456"


def noticed(plan: Plan) -> list[tuple[str, tuple[str, ...], tuple[int, ...]]]:
    return [(one.recipient.msisdn.digits, one.due.bills, one.attempts) for one in plan.notices]


def left_out(plan: Plan) -> dict[str, int]:
    return {reason.value: count for reason, count in plan.excluded.counts.items()}


@pytest.mark.parametrize(
    ("kind", "bill", "notices", "reasons"),
    [
        ("overdue", {}, 1, {}),
        ("overdue", {"due": "2026-12-14"}, 1, {}),
        ("overdue", {"due": "2026-12-15"}, 0, {}),
        ("overdue", {"status": "paid"}, 0, {}),
        ("overdue", {"status": "cancelled"}, 0, {}),
        ("overdue", {"due": None}, 0, {"no_due_date": 1}),
        ("overdue", {"due": "1970-01-01"}, 0, {"implausible_date": 1}),
        ("overdue", {"due": "2030-01-01"}, 0, {"implausible_date": 1}),
        ("overdue", {"amount": -4520}, 0, {"credit": 1}),
        ("overdue", {"amount": 0}, 0, {"credit": 1}),
        ("overdue", {"currency": "USD"}, 0, {"unknown_currency": 1}),
        ("disconnection", {}, 0, {}),
        ("disconnection", {"cut_off": "2026-12-17"}, 1, {}),
        ("disconnection", {"cut_off": "2026-12-18"}, 0, {}),  # Friday: Monday, 21 December
        ("disconnection", {"cut_off": "2026-12-16"}, 1, {}),
        ("disconnection", {"cut_off": "2026-12-15"}, 0, {"cut_off_passed": 1}),
        ("disconnection", {"cut_off": "2025-12-15"}, 0, {"cut_off_passed": 1}),
    ],
)
def test_a_bill(
    world: Any, kind: str, bill: dict[str, Any], notices: int, reasons: dict[str, int]
) -> None:
    for each in range(3):  # so that one odd bill is not most of them
        world.bill("good", f"30009999999{each}", cut_off="2026-12-17")
        world.phone(f"35988999999{each}", f"30009999999{each}")
    world.bill(**bill)
    world.phone()
    plan = world.plan(NoticeKind(kind))
    assert (len(plan.notices) - 3, left_out(plan), plan.refusal) == (notices, reasons, "")
    for reason in reasons:
        assert plan.excluded.examples[LeftOut(reason)] == [Example(NUMBER, "B1")]


def test_forty_bills_are_one_notice_of_their_sum(world: Any) -> None:
    for each in range(40):
        world.bill(f"B{each:02}", amount=100 + each)
    world.phone()
    plan = world.plan()
    assert noticed(plan) == [(PHONE, tuple(f"B{each:02}" for each in range(40)), (1,) * 40)]
    assert plan.notices[0].due.parameters["amount"] == "47,80 EUR"
    world.make()
    assert world.one("SELECT count(*) FROM notice_key") == 40


@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        ({"carrier": None}, "no_carrier"),
        ({"carrier": "vivacom"}, "carrier_disabled"),
        ({"state": "pending"}, None),
        ({"state": "ended"}, None),
        ({"state": "rejected"}, None),
    ],
)
def test_a_phone_that_gets_none(world: Any, phone: dict[str, Any], reason: str | None) -> None:
    world.bill()
    world.phone(**phone)
    plan = world.plan()
    assert noticed(plan) == []
    assert left_out(plan) == ({reason: 1} if reason else {})
    if reason:
        assert plan.excluded.examples[LeftOut(reason)] == [Example(NUMBER, msisdn=PHONE)]


def test_each_phone_of_a_number_and_each_number_of_a_phone(world: Any) -> None:
    world.bill()
    world.bill(number="300012345679")
    world.phone()
    world.phone(number="300012345679")
    world.phone("359898123456", carrier="telenor")
    assert noticed(world.plan()) == [
        (PHONE, ("B1",), (1,)),
        ("359898123456", ("B1",), (1,)),
        (PHONE, ("B1",), (1,)),
    ]


def test_what_it_comes_to(world: Any) -> None:
    world.limited(encodings=world.rules.encodings | {"vivacom": Encoding()})
    world.bill()
    world.phone()
    world.phone("359898123456", carrier="telenor", script="cyrillic")
    world.phone("359898123457", carrier="telenor", script="cyrillic")
    world.phone("359878123456", carrier="vivacom")  # its price is not known
    plan = world.plan()
    assert plan.totals == {
        ("mtel", "latin"): Total(1, 1, 5.0),
        ("telenor", "cyrillic"): Total(2, 2, 9.0),
        ("vivacom", "latin"): Total(1, 1, 0.0),
    }
    assert plan.total == Total(4, 4, 14.0)
    assert [(one.recipient.script, one.text) for one in plan.samples] == [
        ("cyrillic", "Просрочено задължение по 300012345678: 45,20 EUR, срок 10.12.2026."),
        ("cyrillic", "Просрочено задължение по 300012345678: 45,20 EUR, срок 10.12.2026."),
        ("latin", "Prosrocheno zadalzhenie po 300012345678: 45,20 EUR, srok 10.12.2026."),
        ("latin", "Prosrocheno zadalzhenie po 300012345678: 45,20 EUR, srok 10.12.2026."),
    ]


def test_how_many_cut_off_days_moved(world: Any) -> None:
    for number, day in (("300000000001", "17"), ("300000000002", "19"), ("300000000003", "18")):
        world.bill(number=number, cut_off=f"2026-12-{day}")
        world.phone(number=number)
        world.phone("359888123457", number=number)
    plan = world.plan(NoticeKind.DISCONNECTION, day=date(2026, 12, 18))
    # 17 December is past; 18 (a Friday) and 19 move to Monday, 21, of which this is the last
    # open day before.
    assert (len(plan.notices), plan.moved, left_out(plan)) == (4, 2, {"cut_off_passed": 1})
    assert {one.due.cut_off for one in plan.notices} == {date(2026, 12, 21)}


def test_what_another_run_has_is_left_out(world: Any) -> None:
    world.bill()
    world.phone()
    world.make()
    world.bill("B2")
    world.phone("359888123457")
    plan = world.plan()
    # The notice speaks of all that is due, and is counted against what was not noticed before.
    assert noticed(plan) == [(PHONE, ("B2",), (1,)), ("359888123457", ("B1", "B2"), (1, 1))]
    assert {one.due.parameters["amount"] for one in plan.notices} == {"90,40 EUR"}
    world.make()
    plan = world.plan()
    assert (noticed(plan), left_out(plan)) == ([], {"noticed": 2})
    assert plan.excluded.examples[LeftOut.NOTICED][0] == Example(NUMBER, msisdn=PHONE)


def test_the_kinds_know_nothing_of_each_other(world: Any) -> None:
    world.bill(cut_off="2026-12-17")
    world.phone()
    world.make()
    assert len(world.plan(NoticeKind.DISCONNECTION).notices) == 1


@pytest.mark.parametrize("moved", [False, True], ids=["on its way", "in the history"])
@pytest.mark.parametrize(
    ("state", "receipt", "hour", "found"),
    [
        ("expired", None, -12, 2),
        ("undelivered", "expired", -12, 2),
        ("undelivered", "undeliverable", -12, 2),
        ("undelivered", "undeliverable", -11, 2),  # 23:00 of the day before
        ("undelivered", "undeliverable", -10, "waits"),  # 00:00 of the day
        ("expired", None, -1, "waits"),
        ("undelivered", "deleted", -12, "noticed"),
        ("undelivered", "rejected", -12, "noticed"),
        ("undelivered", "unknown", -12, "noticed"),
        ("delivered", "delivered", -12, "noticed"),
        ("refused", None, -12, "noticed"),
        ("unconfirmed", None, -12, "noticed"),
        ("cancelled", None, -12, "noticed"),
        ("accepted", None, -12, "noticed"),
        ("unknown", None, -12, "noticed"),
        ("claimed", None, -12, "noticed"),
        ("queued", None, -12, "noticed"),
    ],
)
def test_a_second_attempt(
    world: Any, state: str, receipt: str | None, hour: int, found: int | str, moved: bool
) -> None:
    world.bill()
    world.phone()
    world.make()
    world.ended(world.send(), state, receipt, world.now + hour * 3600)
    if moved:
        world.move_to_history()
    plan = world.plan()
    if isinstance(found, int):
        assert noticed(plan) == [(PHONE, ("B1",), (found,))]
    else:
        assert (noticed(plan), left_out(plan)) == ([], {found: 1})


@pytest.mark.parametrize(
    ("state", "receipt", "reason"),
    [("delivered", "delivered", "noticed"), ("undelivered", "expired", "tried_twice")],
)
def test_never_a_third(world: Any, state: str, receipt: str, reason: str) -> None:
    world.bill()
    world.phone()
    world.make()
    world.ended(world.send(), "expired", None, world.now - 86400)
    assert world.make().run == 2
    assert left_out(world.plan()) == {"noticed": 1}
    world.ended(world.send(2), state, receipt, world.now - 86400)
    assert left_out(world.plan()) == {reason: 1}
    world.bill("B2")
    assert noticed(world.plan()) == [(PHONE, ("B2",), (1,))]


def test_all_parts_tell_whether_it_failed(world: Any) -> None:
    world.bill()
    world.phone()
    world.make()
    mt_id = world.send()
    world.ended(mt_id, "undelivered", "expired", world.now - 86400)
    world.con.execute(
        "INSERT INTO segment (mt_id, part, total, carrier, kind, octets, state, receipt,"
        " changed_at) VALUES (?, 2, 2, 'mtel', 4, x'00', 'undelivered', 'deleted', ?)",
        (mt_id, world.now - 86400),
    )
    assert left_out(world.plan()) == {"noticed": 1}


@pytest.mark.parametrize("moved", [False, True], ids=["on its way", "in the history"])
@pytest.mark.parametrize(
    ("state", "receipt", "found"),
    [
        ("delivered", "delivered", "noticed"),
        ("accepted", None, "noticed"),
        ("undelivered", "undeliverable", 2),
    ],
)
def test_what_was_repeated_over_another_carrier(
    world: Any, state: str, receipt: str | None, found: int | str, moved: bool
) -> None:
    """The last repetition tells whether the notice arrived."""
    world.bill()
    world.phone()
    world.make()
    first = world.send()
    world.ended(first, "undelivered", "undeliverable", world.now - 86400)
    for state_of_repeat, word in (("undelivered", "undeliverable"), (state, receipt)):
        repeat = world.send()
        world.con.execute("UPDATE mt SET found_from = ? WHERE id = ?", (repeat - 1, repeat))
        world.ended(repeat, state_of_repeat, word, world.now - 86000)
    world.con.execute("UPDATE notice SET mt_id = ?", (first,))
    if moved:
        world.move_to_history()
    plan = world.plan()
    if isinstance(found, int):
        assert noticed(plan) == [(PHONE, ("B1",), (found,))]
    else:
        assert (noticed(plan), left_out(plan)) == ([], {found: 1})


def test_a_key_outlives_all_that_is_known_of_its_notice(world: Any) -> None:
    world.bill()
    world.phone()
    world.make()
    world.con.execute("DELETE FROM notice")
    assert left_out(world.plan()) == {"noticed": 1}


NEVER = Calendar(hours=Hours(time(9), time(20)), days="working", is_holiday=lambda _: True)


@pytest.mark.parametrize(
    ("rules", "as_of", "refusal"),
    [
        ({}, -36 * 3600.0, ""),
        ({}, -36 * 3600.0 - 1, "the billing data are of 2026-12-13 21:59, older than billing.max"),
        ({"max_age": 0.0}, -9e6, ""),
        ({"calendar": NEVER}, 0.0, "notices.hours, days, holidays and min_validity leave no time"),
    ],
)
def test_a_run_that_can_not_be_right(
    world: Any, rules: dict[str, Any], as_of: float, refusal: str
) -> None:
    world.bill()
    world.phone()
    world.limited(**rules)
    world.fed(world.now + as_of)
    plan = world.plan()
    assert plan.refusal.startswith(refusal)
    assert bool(plan.refusal) == bool(refusal)
    assert bool(plan.notices) != bool(refusal)


def test_without_billing_data(empty: Any) -> None:
    assert empty.plan().refusal.startswith("there are no billing data: take a feed first")


@pytest.mark.parametrize(
    ("wrong", "good", "refusal"),
    [
        (2, 2, ""),
        (3, 2, "3 of 5 bills have no due date, or one that can't be right (bill W0, W1, W2): look"),
        (5, 4, "5 of 9 bills have no due date, or one that can't be right (bill W0, W1, W2, …)"),
    ],
)
def test_a_feed_whose_due_dates_are_wrong(world: Any, wrong: int, good: int, refusal: str) -> None:
    world.phone()
    for each in range(wrong):
        world.bill(f"W{each}", due=None if each % 2 else "1970-01-01")
    for each in range(good):
        world.bill(f"G{each}")
    assert world.plan().refusal.startswith(refusal)
    assert bool(world.plan().refusal) == bool(refusal)


def test_too_many_for_one_run(world: Any) -> None:
    world.customers(3)
    world.limited(max_per_run=3)
    assert world.plan().hold == ""
    world.limited(max_per_run=2)
    assert world.plan().hold == "3 notices are more than notices.max_per_run, which is 2"
    world.limited(max_per_run=0)
    assert world.plan().hold == ""


def made_before(world: Any, age: float, notices: int, **values: Any) -> None:
    row = {"kind": "overdue", "state": "done", **values}
    world.con.execute(
        "INSERT INTO notice_run (kind, day, state, automatic, made_at, notices)"
        " VALUES (?, '2026-11-01', ?, 0, ?, ?)",
        (row["kind"], row["state"], world.now - age, notices),
    )


@pytest.mark.parametrize(
    ("before", "lately", "held"),
    [
        (0, 0, False),
        (0, 9, False),  # there is nothing to compare it with
        (1, 0, True),
        (2, 0, False),
        (2, 1, False),
        (2, 2, True),
    ],
)
def test_more_than_twice_those_of_the_month_before(
    world: Any, before: int, lately: int, held: bool
) -> None:
    world.customers(3)
    made_before(world, MONTH, before)
    made_before(world, MONTH - 1, lately)
    made_before(world, 2 * MONTH, 50)
    for age in (1.0, MONTH + 1):
        made_before(world, age, 50, kind="disconnection")
        made_before(world, age, 50, state=RunState.CANCELLED.value)
    hold = world.plan().hold
    assert hold == (
        f"{3 + lately} overdue notices in 30 days, this run's 3 among them, are more than twice"
        f" the {before} of the 30 days before"
        if held
        else ""
    )


def test_what_was_made_before_the_clock_was_set_back_counts(world: Any) -> None:
    world.customers(1)
    made_before(world, MONTH + 1, 2)
    made_before(world, -86_400, 4)
    assert world.plan().hold.startswith("5 overdue notices in 30 days")


def test_of_a_cancelled_run_counts_what_was_sent(world: Any) -> None:
    world.customers(2)
    world.make()
    world.send(1)
    runs.cancel(world.con, 1, "ana", "", world.now, Pace(sleep=lambda _: None))
    world.now += MONTH
    world.fed(world.now)
    world.phone("359888123457", "300000000000")
    world.phone("359888123458", "300000000000")
    assert world.plan().hold.endswith("are more than twice the 1 of the 30 days before")


def test_a_plan_stores_nothing(world: Any) -> None:
    world.bill()
    world.phone()
    before = world.con.total_changes
    assert len(world.plan().notices) == 1
    assert world.con.total_changes == before

"""Announcements: to whom one text goes, and that nobody gets it twice on a day."""

from datetime import date
from typing import Any

import pytest

from smsgw.service.message import Encoding
from smsgw.service.notices import LeftOut, NoticeKind
from smsgw.storage import announcing, runs
from smsgw.storage.pace import Pace
from smsgw.storage.planning import Example, Plan, Total
from smsgw.storage.runs import Made, Order

HOME, OTHER, THIRD = "300012345678", "300012345686", "300012345694"
PHONE, FURTHER = "359888123456", "359898123456"
TEXT = "Utre ot 9 do 12 ch. nyama da ima tok."


def planned(
    world: Any, *numbers: str, text: str = TEXT, max_parts: int = 0, day: date | None = None
) -> Plan:
    return announcing.plan(
        world.con, numbers, text, day or world.day, world.rules, world.keyed, world.now, max_parts
    )


def made(world: Any, *numbers: str, **how: Any) -> Made:
    return runs.make(
        world.con,
        lambda: planned(world, *numbers, **how),
        world.keyed,
        Order("ana"),
        world.now,
        Pace(sleep=lambda _: None),
    )


def phones(plan: Plan) -> list[tuple[str, str]]:
    return [(one.recipient.msisdn.digits, one.recipient.customer_number) for one in plan.notices]


def test_to_each_phone_of_the_numbers_once_without_billing_data(empty: Any) -> None:
    for number in (HOME, OTHER):
        empty.phone(number=number)
        empty.phone(FURTHER, number, carrier="telenor", script="cyrillic")
    empty.phone("359888123457", THIRD)
    plan = planned(empty, OTHER, HOME, OTHER)
    assert (plan.kind, plan.text, plan.refusal) == (NoticeKind.ANNOUNCEMENT, TEXT, "")
    assert phones(plan) == [(PHONE, OTHER), (FURTHER, OTHER)]
    assert plan.total == Total(2, 2, 9.5)
    run = made(empty, OTHER, HOME).run
    assert empty.rows("SELECT id, kind, text FROM notice_run") == [(run, "announcement", TEXT)]


def test_who_is_left_out(world: Any) -> None:
    world.phone(state="pending")
    world.phone(FURTHER, OTHER, carrier=None)
    world.phone("359888123457", OTHER, carrier="vivacom")
    plan = planned(world, HOME, OTHER)
    assert phones(plan) == []
    assert plan.excluded.examples == {
        LeftOut.NO_SUBSCRIPTION: [Example(HOME)],
        LeftOut.NO_CARRIER: [Example(OTHER, msisdn=FURTHER)],
        LeftOut.CARRIER_DISABLED: [Example(OTHER, msisdn="359888123457")],
    }


def test_a_phone_is_reached_by_the_number_that_has_a_carrier(world: Any) -> None:
    world.phone(carrier=None)
    world.phone(number=OTHER)
    plan = planned(world, HOME, OTHER)
    assert (phones(plan), plan.excluded.counts) == ([(PHONE, OTHER)], {})


def test_the_same_text_on_the_same_day_goes_to_whom_it_has_not(world: Any) -> None:
    world.phone()
    world.phone(number=OTHER)
    world.phone(FURTHER, OTHER)
    made(world, HOME)
    world.ended(world.send(), "undelivered", "expired", world.now)
    plan = planned(world, HOME, OTHER)  # the first phone's other number makes no difference
    assert phones(plan) == [(FURTHER, OTHER)]
    assert plan.excluded.counts == {LeftOut.NOTICED: 1}
    assert made(world, HOME).run is None
    assert len(planned(world, HOME, text=f"{TEXT} Izvinete.").notices) == 1
    assert len(planned(world, HOME, day=date(2026, 12, 16)).notices) == 1


def test_it_does_not_count_as_a_notice(world: Any) -> None:
    world.bill()
    world.phone()
    made(world, HOME)
    assert len(world.plan().notices) == 1


@pytest.mark.parametrize(
    ("text", "max_parts", "refusal"),
    [
        ("", 0, "there is no text"),
        (" \n", 0, "there is no text"),
        ("caf\udce9", 0, "the text holds octets that are no characters"),
        ("one\ttwo", 0, "the text holds the control character U+0009: take it out"),
        ("x\x1b[1m", 0, "the text holds the control character U+001B: take it out"),
        ("one\r\ntwo\u00a0\u2028three\u200d", 0, ""),
        ("x" * 160, 1, ""),
        ("x" * 161, 1, "the text takes 2 parts, and replies.max_parts is 1: shorten it"),
        ("x" * 40_000, 0, "the text takes 262 parts, and a message has 255 at most"),
    ],
)
def test_the_text(world: Any, text: str, max_parts: int, refusal: str) -> None:
    world.phone()
    plan = planned(world, HOME, text=text, max_parts=max_parts)
    assert plan.refusal.startswith(refusal)
    assert bool(plan.refusal) == bool(refusal)
    assert len(plan.notices) == (not refusal)


def test_it_is_counted_as_the_carrier_writes_it(world: Any) -> None:
    world.limited(encodings={"mtel": Encoding(), "telenor": Encoding("ascii")})
    world.phone()
    world.phone(FURTHER, carrier="telenor")
    assert planned(world, HOME, text="£" * 100).totals == {
        ("mtel", "latin"): Total(1, 1, 5.0),
        ("telenor", "latin"): Total(1, 2, 9.0),
    }


def test_too_many_are_held(world: Any) -> None:
    world.customers(3)
    world.limited(max_per_run=2)
    numbers = [f"3000{each:08}" for each in range(3)]
    assert made(world, *numbers).state == "held"

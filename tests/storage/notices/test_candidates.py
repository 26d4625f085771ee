"""What is read of the billing cache, beside what all of it would give."""

import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from smsgw.service.notices import NoticeKind, judge
from smsgw.storage import billing

DAY = date(2026, 12, 15)


def test_nobody_is_overlooked(world: Any) -> None:
    """What is read of the cache is all that a customer may be noticed of, or left out for."""
    chance = random.Random(6)
    away = [*range(-8, 9), -800, -740, -400, -366, -365, 364, 365, 366, 400, 740]

    def some_day() -> str | None:
        offset = chance.choice([*away, None])
        return None if offset is None else (DAY + timedelta(days=offset)).isoformat()

    for each in range(400):
        number = f"3000{each:08}"
        world.bill("B", number, some_day(), some_day(), issued=some_day())
        world.phone(f"35988{each:07}", number)
    numbers = [f"3000{each:08}" for each in range(400)]
    accounts = billing.accounts(world.con, numbers)
    world.limited(calendar=replace(world.rules.calendar, is_holiday=lambda on: on.day == 17))
    found: Counter[str] = Counter()
    for kind in (NoticeKind.OVERDUE, NoticeKind.DISCONNECTION):
        for ahead in range(7):
            day = DAY + timedelta(days=ahead)
            verdicts = [judge(kind, accounts[number], day, world.rules) for number in numbers]
            plan = world.plan(kind, day=day)
            due = [number for number, one in zip(numbers, verdicts, strict=True) if one.due]
            assert [one.recipient.customer_number for one in plan.notices] == due
            reasons = Counter(reason for one in verdicts for reason in one.left_out.values())
            assert plan.excluded.counts == reasons
            found[kind] += len(due)
            found |= reasons
    assert min(found.values()) > 5
    assert len(found) == 5

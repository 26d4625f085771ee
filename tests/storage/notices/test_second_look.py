"""Notices whose message was made, but did not go out at once: asked once more whether it should."""

from datetime import UTC, date
from typing import Any

import pytest

from smsgw.service.decision import Rules
from smsgw.service.message import Acceptance, MessageKind, MtState, Outcome, Segment
from smsgw.service.notices import NoticeKind
from smsgw.service.ports import Done, Work
from smsgw.service.replies import Company, Replies
from smsgw.service.retry import settle
from smsgw.service.today import Day
from smsgw.storage import announcing, exchange, runs
from smsgw.storage.database import transaction
from smsgw.storage.pace import Pace
from smsgw.storage.policy import Policy
from smsgw.storage.runs import Order

NUMBER, PHONE = "300012345678", "359888123456"
RULES = Rules(Replies({}, Company(None, None, None, None)), 0, 0, True, 0.0, 4, UTC)
LONG = Replies({}, Company("CEZ", "0700 10 010", None, None))  # Cyrillic takes two parts


def commit(world: Any, after: float = 0.0, room: int = 10, **work: Any) -> Done:
    policy = Policy(RULES, world.rules.encodings, world.keyed, notices=world.rules)
    places = {"mtel": room} if room else {}
    nothing = Work(world.now + after, (), (), (), (), (), (), places, bulk=places)
    return exchange.commit(world.con, nothing._replace(**work), True, policy, Day())


def came_back(world: Any, *segments: Segment, acceptance: Acceptance = Acceptance.NOT_SENT) -> None:
    """They were not sent, or nobody knows, while the link goes down for an hour."""
    outcomes = [Outcome(one, acceptance, world.now + 1) for one in segments]
    commit(world, 1, room=0, settlements=[settle(one) for one in outcomes])


def waiting(world: Any, script: str = "latin", **bill: Any) -> tuple[Segment, ...]:
    """A notice that is made, claimed, and queued again."""
    world.bill(**bill)
    world.phone(script=script)
    kind = NoticeKind.DISCONNECTION if "cut_off" in bill else NoticeKind.OVERDUE
    world.make(kind=kind)
    claimed = tuple(commit(world).claimed)
    came_back(world, *claimed)
    return claimed


def happens(world: Any, what: str) -> None:
    with transaction(world.con):
        if what == "stop":
            world.con.execute("UPDATE subscription SET state = 'ended'")
        elif what == "run cancelled":
            world.con.execute("UPDATE notice_run SET state = 'cancelled'")
        elif what == "run paused":
            world.con.execute("UPDATE notice_run SET state = 'paused'")
        elif what == "erased":
            world.con.execute("UPDATE notice SET customer_number = NULL, msisdn = NULL")
    if what == "paid":
        world.bill(status="paid")
    elif what == "paid in part":
        world.bill(amount=100)
    elif what == "another bill":
        world.bill("B2")


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("paid", "paid"),
        ("paid in part", "paid"),
        ("another bill", "paid"),
        ("stop", "ended"),
        ("run cancelled", "run"),
        ("erased", "erased"),
    ],
)
def test_what_nobody_is_to_get_any_more_is_not_sent(world: Any, what: str, reason: str) -> None:
    waiting(world)
    happens(world, what)
    done = commit(world, 3600)
    assert not done.claimed
    assert done.tally.final == {("mtel", MtState.CANCELLED): 1}
    assert done.tally.cancelled == {("overdue", reason): 1}
    assert world.rows("SELECT state, reason, mt_id FROM notice") == [("cancelled", reason, 1)]
    assert world.one("SELECT state FROM segment") == "cancelled"
    assert world.one("SELECT count(*) FROM notice_key") == 0, "another run may notice what is left"
    assert commit(world, 3601).wake_at is None


def test_supply_is_cut_by_now(world: Any) -> None:
    waiting(world, cut_off="2026-12-16")
    world.bill(cut_off="2026-12-15")
    commit(world, 3600)
    assert world.rows("SELECT state, reason FROM notice") == [("cancelled", "too_late")]


def test_what_is_still_due_goes_out_as_it_was_made(world: Any) -> None:
    (one,) = waiting(world)
    assert [each.key for each in commit(world, 3600).claimed] == [one.key]
    assert world.rows("SELECT state FROM notice") == [("sent",)]


def test_a_part_follows_the_one_that_is_out(world: Any) -> None:
    world.limited(replies=LONG)
    world.bill()
    world.phone(script="cyrillic")
    world.make()
    (first,) = commit(world, room=1).claimed
    happens(world, "paid")
    (second,) = commit(world, 1, room=5).claimed
    assert (first.key, second.key) == ((1, 1), (1, 2))
    came_back(world, second)
    assert [one.key for one in commit(world, 3600).claimed] == [(1, 2)]


def test_of_several_parts_none_is_left(world: Any) -> None:
    world.limited(replies=LONG)
    assert len(waiting(world, script="cyrillic")) == 2
    happens(world, "paid")
    done = commit(world, 3600, room=1)
    assert not done.claimed
    assert world.rows("SELECT DISTINCT state FROM segment") == [("cancelled",)]


def test_what_may_have_been_delivered_stays_noticed(world: Any) -> None:
    world.bill()
    world.phone()
    world.make()
    came_back(world, *commit(world).claimed, acceptance=Acceptance.LOST)
    world.con.execute("UPDATE segment SET state = 'queued', not_before = NULL")  # sent once more
    happens(world, "paid")
    assert not commit(world, 3600).claimed
    assert world.one("SELECT state FROM segment") == "unconfirmed"
    assert world.one("SELECT state FROM notice") == "sent"
    assert world.one("SELECT count(*) FROM notice_key") == 1


def test_it_waits_for_data_to_rely_on_and_lets_others_pass(world: Any) -> None:
    waiting(world)
    plan = announcing.plan(
        world.con, [NUMBER], "Spirane", world.day, world.rules, world.keyed, world.now
    )
    runs.make(world.con, lambda: plan, world.keyed, Order("ana"), world.now, Pace())
    world.limited(max_age=7200.0)  # they are of an hour before the run
    done = commit(world, 7200)
    assert [one.kind for one in done.claimed] == [MessageKind.ANNOUNCEMENT]
    assert done.bulk == set(), "it is not tried again and again"
    assert done.wake_at == world.now + 7200 + 300
    world.fed(world.now + 7300)
    assert [one.kind for one in commit(world, 7500).claimed] == [MessageKind.NOTICE]


def test_it_waits_while_its_run_is_paused(world: Any) -> None:
    world.bill()
    world.phone()
    world.make()
    came_back(world, *commit(world).claimed)
    happens(world, "run paused")
    done = commit(world, 3600)
    assert (list(done.claimed), done.wake_at) == ([], world.now + 3900)
    world.con.execute("UPDATE notice_run SET state = 'running'")
    assert len(commit(world, 3900).claimed) == 1


def test_one_that_waits_is_expired_at_closing_time(world: Any) -> None:
    waiting(world)
    happens(world, "run paused")
    commit(world, 3600)
    assert not commit(world, 10 * 3600).claimed
    assert world.one("SELECT state FROM segment") == "expired"
    assert world.make(day=date(2026, 12, 16)).plan.notices[0].attempts == (2,)


def test_a_repeat_over_another_carrier_is_asked_about_as_well(world: Any) -> None:
    waiting(world)
    with transaction(world.con):
        world.con.execute("UPDATE segment SET state = 'refused'")
        world.con.execute(
            "INSERT INTO mt (kind, carrier, msisdn, text, data_coding, created_at, valid_until,"
            f" found_from) VALUES (4, 'telenor', {PHONE}, 'x', 0, 0, ?, 1)",
            (world.now + 36_000,),
        )
        world.con.execute(
            "INSERT INTO segment (mt_id, part, total, carrier, kind, octets, state, changed_at)"
            " VALUES (2, 1, 1, 'telenor', 4, x'', 'queued', 0)"
        )
    happens(world, "paid")
    assert not commit(world, 3600, bulk={"telenor": 5}, free={"telenor": 5}).claimed
    assert world.rows("SELECT state FROM segment") == [("refused",), ("cancelled",)]
    assert world.rows("SELECT state, mt_id FROM notice") == [("sent", 1)], "it was refused"
    assert world.one("SELECT count(*) FROM notice_key") == 1

"""Responses that come after they were given up, over a real database."""

from typing import Any

import pytest

from smsgw.service.message import (
    Acceptance,
    MessageKind,
    Msisdn,
    MtState,
    Outcome,
    Receipt,
    ReceiptState,
    Segment,
)
from smsgw.service.ports import Done
from smsgw.service.retry import settle
from smsgw.storage.settlements import recover

T = 1_800_000_000.0
PHONE = Msisdn("359888123456")
ANSWER, CONFIRMATION = MessageKind.ANSWER, MessageKind.CONFIRMATION


def receipt(
    message_id: str = "A",
    at: float = 5,
    state: ReceiptState = ReceiptState.DELIVERED,
    source: Msisdn | None = PHONE,
    carrier: str = "mtel",
    done_date: str = "2701151200",
) -> Receipt:
    return Receipt(carrier, T + at, message_id, state, "000", source, done_date)


def late(gateway: Any, one: Segment, acceptance: Acceptance, **more: object) -> Done:
    return gateway.settled(
        one, acceptance=acceptance, message_id="A", late=True, now=T + 70, **more
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [ANSWER, CONFIRMATION])
@pytest.mark.parametrize(
    ("acceptance", "state"),
    [
        (Acceptance.ACCEPTED, "accepted"),
        (Acceptance.PERMANENT, "refused"),
        (Acceptance.TEMPORARY, "waiting"),
        (Acceptance.THROTTLED, "queued"),
    ],
)
def test_a_late_response_counts(
    gateway: Any, kind: MessageKind, acceptance: Acceptance, state: str
) -> None:
    (one,) = gateway.send(kind)
    gateway.settled(one, now=T + 60)
    done = late(gateway, one, acceptance)
    assert gateway.one("state, attempts, lost") == (state, 1, 0)
    assert done.tally.late == {("mtel", "used"): 1}
    assert gateway.count("unnamed_submit") == 0


def test_a_late_acceptance_keeps_an_answer_from_going_once_more(gateway: Any) -> None:
    (one,) = gateway.send(ANSWER)
    gateway.settled(one, now=T + 60)
    assert not late(gateway, one, Acceptance.ACCEPTED, free=5).claimed
    gateway.received(receipt("A", at=71))
    assert gateway.states() == ["delivered"]


def test_a_late_refusal_of_what_is_on_the_wire_once_more_is_too_late(gateway: Any) -> None:
    (one,) = gateway.send(ANSWER)
    assert gateway.settled(one, now=T + 60, free=5).claimed
    done = late(gateway, one, Acceptance.PERMANENT)
    assert gateway.one("state, lost") == ("claimed", 1)
    assert done.tally.late == {("mtel", "too_late"): 1}


@pytest.mark.parametrize("message_id", ["A", ""])
@pytest.mark.parametrize(
    "acceptance",
    [
        Acceptance.TEMPORARY,
        Acceptance.THROTTLED,
        Acceptance.PERMANENT,
        Acceptance.LOST,
        Acceptance.NOT_SENT,
    ],
)
def test_what_was_accepted_late_goes_no_third_time(
    gateway: Any, acceptance: Acceptance, message_id: str
) -> None:
    """The late response came while the answer was on the wire once more."""
    (one,) = gateway.send(ANSWER)
    (again,) = gateway.settled(one, now=T + 60, free=5).claimed
    gateway.accepted(one, message_id, late=True, now=T + 65)
    assert gateway.one("state, lost") == ("claimed", 1)
    done = gateway.settled(again, acceptance=acceptance, now=T + 120, free=5)
    assert not done.claimed
    lost = int(acceptance is Acceptance.LOST)
    assert gateway.one("state, message_id, lost") == ("accepted", message_id or None, lost)
    assert done.tally.late == {("mtel", "used"): 1}
    assert gateway.count("late_acceptance") == 0
    assert gateway.count("unnamed_submit") == lost + (not message_id)


@pytest.mark.parametrize("in_one", [False, True], ids=["before", "in one transaction"])
def test_its_receipt_came_before_the_second_submit_was_refused(gateway: Any, in_one: bool) -> None:
    (one,) = gateway.send(ANSWER)
    (again,) = gateway.settled(one, now=T + 60, free=5).claimed
    its = receipt("A", at=66)
    gateway.accepted(one, "A", late=True, now=T + 67, receipts=[] if in_one else [its])
    gateway.settled(
        again, acceptance=Acceptance.PERMANENT, now=T + 70, receipts=[its] if in_one else []
    )
    assert gateway.states() == ["delivered"]
    assert gateway.count("parked_receipt") == 0


def test_of_two_acceptances_the_one_in_time_counts(gateway: Any) -> None:
    (one,) = gateway.send(ANSWER)
    (again,) = gateway.settled(one, now=T + 60, free=5).claimed
    gateway.accepted(one, "A", late=True, now=T + 65)
    done = gateway.accepted(again, "B", now=T + 66)
    assert gateway.one("state, message_id") == ("accepted", "B")
    assert done.tally.late == {("mtel", "too_late"): 1}
    assert gateway.count("late_acceptance") == 0


def test_what_was_accepted_late_goes_no_third_time_after_a_crash(gateway: Any) -> None:
    (one,) = gateway.send(ANSWER)
    assert gateway.settled(one, now=T + 60, free=5).claimed
    gateway.accepted(one, "A", late=True, now=T + 65)
    assert recover(gateway.con, T + 70) == {MtState.ACCEPTED: 1}
    gateway.received(receipt("A", at=71))
    assert gateway.states() == ["delivered"]


def test_a_late_acceptance_of_the_first_submit_when_the_second_was_lost_too(
    gateway: Any,
) -> None:
    (one,) = gateway.send(ANSWER)
    (again,) = gateway.settled(one, now=T + 60, free=5).claimed
    gateway.received(receipt("A", at=65, source=None))
    gateway.settled(again, now=T + 69)
    late(gateway, one, Acceptance.ACCEPTED)
    assert gateway.one("state, message_id, lost") == ("delivered", "A", 1)


def test_a_late_refusal_of_the_first_submit_says_nothing_of_the_second(gateway: Any) -> None:
    (one,) = gateway.send(ANSWER)
    (again,) = gateway.settled(one, now=T + 60, free=5).claimed
    gateway.settled(again, now=T + 69)
    late(gateway, one, Acceptance.PERMANENT)
    assert gateway.states() == ["unknown"]


@pytest.mark.parametrize("in_one", [False, True], ids=["before", "in one transaction"])
def test_a_receipt_and_its_late_response(gateway: Any, in_one: bool) -> None:
    (one,) = gateway.send(CONFIRMATION)
    (blocker,) = gateway.send(CONFIRMATION, now=T + 1)
    gateway.settled(one, now=T + 60)
    its = receipt("A", at=65)
    if not in_one:
        gateway.received(its)
    late(gateway, one, Acceptance.ACCEPTED, receipts=[its] if in_one else [])
    assert gateway.states() == ["delivered", "claimed"]
    assert gateway.count("parked_receipt") == 0
    gateway.accepted(blocker, "B", now=T + 71)


def test_a_response_given_up_and_come_after_all_in_one_transaction(gateway: Any) -> None:
    (one,) = gateway.send(ANSWER)
    outcome = Outcome(one, Acceptance.LOST, T + 60)
    came = Outcome(one, Acceptance.ACCEPTED, T + 61, "A", late=True)
    done = gateway.commit(T + 61, settlements=[settle(outcome), settle(came)], free=5)
    assert not done.claimed
    assert gateway.states() == ["accepted"]

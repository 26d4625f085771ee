"""Lost responses over a real database: what waits, what goes once more, and whose a receipt is."""

from pathlib import Path
from typing import Any

import pytest

from smsgw.service.message import (
    Acceptance,
    MessageKind,
    Msisdn,
    MtState,
    Receipt,
    ReceiptState,
)
from smsgw.service.retry import Losses
from smsgw.storage import claims
from smsgw.storage.observe import observe
from smsgw.storage.settlements import recover

T = 1_800_000_000.0
PHONE, OTHER = Msisdn("359888123456"), Msisdn("359888123457")
ANSWER, CONFIRMATION, NOTICE = MessageKind.ANSWER, MessageKind.CONFIRMATION, MessageKind.NOTICE
WAIT = 900.0


def receipt(
    message_id: str = "A",
    at: float = 5,
    state: ReceiptState = ReceiptState.DELIVERED,
    source: Msisdn | None = PHONE,
    carrier: str = "mtel",
    done_date: str = "2701151200",
) -> Receipt:
    return Receipt(carrier, T + at, message_id, state, "000", source, done_date)


def test_an_answer_is_sent_once_more_at_once_and_then_held(gateway: Any) -> None:
    (one,) = gateway.send(ANSWER)
    (again,) = gateway.settled(one, free=5).claimed
    assert (again.key, again.lost) == (one.key, 1)
    gateway.settled(again, now=T + 2)
    assert gateway.one("state, not_before, lost") == ("unknown", T + 2 + WAIT, 2)

    done = gateway.commit(T + 2 + WAIT, free=5)
    assert not done.claimed
    assert gateway.one("state, not_before") == ("unknown", None)


def test_another_kind_waits_for_a_receipt_and_is_then_held(gateway: Any, tmp_path: Path) -> None:
    (one,) = gateway.send(CONFIRMATION)
    done = gateway.settled(one, free=5)
    assert (done.claimed, done.wake_at) == ([], T + 1 + WAIT)
    assert observe(tmp_path).held == {}

    done = gateway.commit(T + 1 + WAIT, free=5)
    assert (done.claimed, done.wake_at) == ([], None)
    assert gateway.states() == ["unknown"]
    assert observe(tmp_path).held == {"mtel": 1}


def test_a_kind_that_is_resent_goes_once_more_after_the_wait(gateway: Any) -> None:
    (one,) = gateway.send(NOTICE)
    gateway.settled(one)
    assert not gateway.commit(T + WAIT, free=5).claimed
    assert gateway.commit(T + 1 + WAIT).backlog == {"mtel"}
    (again,) = gateway.commit(T + 1 + WAIT, free=5).claimed
    gateway.settled(again, now=T + 2 + WAIT)
    assert not gateway.commit(T + 2 + 2 * WAIT, free=5).claimed
    assert gateway.one("state, not_before, lost") == ("unknown", None, 2)


def test_a_clock_that_was_set_back_ends_the_wait(gateway: Any) -> None:
    (one,) = gateway.send(NOTICE)
    gateway.settled(one)
    assert gateway.commit(T - 86_400, free=5).claimed


@pytest.mark.parametrize("answered", [False, True], ids=["claimed", "lost"])
def test_a_receipt_may_be_of_a_submit_before_the_clock_was_set_back(
    gateway: Any, answered: bool
) -> None:
    gateway.settled(*gateway.send(CONFIRMATION, now=T - 3600), now=T - 3540)
    other = gateway.send(CONFIRMATION)
    if answered:
        gateway.settled(*other)
    gateway.received(receipt(at=-3500))
    assert gateway.states() == ["unknown", "unknown" if answered else "claimed"]


def test_what_was_lost_and_is_too_old_to_go_once_more_may_have_been_delivered(
    gateway: Any,
) -> None:
    (one,) = gateway.send(ANSWER)
    gateway.settled(one)
    done = gateway.commit(T + 86_401, free=5)
    assert gateway.states() == ["unconfirmed"]
    assert done.tally.final == {("mtel", MtState.UNCONFIRMED): 1}


def test_what_is_due_at_once_is_woken_in_slices(
    gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "WOKEN_AT_ONCE", 2)
    parts = gateway.send(CONFIRMATION, text="x" * 400)
    done = gateway.settled(*parts, acceptance=Acceptance.TEMPORARY)
    assert done.wake_at == T + 6
    done = gateway.commit(T + 6)
    assert sorted(gateway.states()) == ["queued", "queued", "waiting"]
    assert done.wake_at == T + 6
    assert gateway.commit(T + 6).wake_at is None
    assert gateway.states() == ["queued"] * 3


def test_a_receipt_from_the_handset_settles_what_waits(gateway: Any) -> None:
    gateway.settled(*gateway.send(CONFIRMATION))
    done = gateway.received(receipt("X", state=ReceiptState.EXPIRED))

    assert gateway.one("state, message_id, error, receipt, done_date, not_before") == (
        "undelivered", "X", "000", "expired", "2701151200", None,
    )  # fmt: skip
    assert done.tally.matched == {("mtel", "handset"): 1}
    assert done.tally.final == {("mtel", MtState.UNDELIVERED): 1}
    assert not done.tally.parked
    assert done.wake_at is None
    assert gateway.count("unnamed_submit") == 0


@pytest.mark.parametrize(
    "stray",
    [
        pytest.param(receipt(source=OTHER), id="of another handset"),
        pytest.param(receipt(source=None), id="of no handset"),
        pytest.param(receipt(carrier="silent"), id="over another carrier"),
        pytest.param(receipt(at=-1), id="from before the submit"),
        pytest.param(receipt(state=ReceiptState.ENROUTE), id="that is not final"),
    ],
)
def test_a_receipt_that_is_not_for_it(gateway: Any, stray: Receipt) -> None:
    gateway.settled(*gateway.send(CONFIRMATION))
    gateway.received(stray, now=T + 5)
    assert gateway.states() == ["unknown"]
    assert gateway.count("parked_receipt") == stray.state.final


def test_receipts_for_deliveries_by_our_own_ids(gateway: Any) -> None:
    """Both responses were lost; a deliver_sm went out by an id of ours, which its receipt names."""
    for now, own_id in ((T, "1-1-0"), (T + 1, "2-1-0")):
        gateway.settled(*gateway.send(CONFIRMATION, now=now), message_id=own_id, now=T + 60)
    done = gateway.received(receipt("2-1-0", at=61, state=ReceiptState.EXPIRED))
    assert gateway.states() == ["unknown", "undelivered"]
    assert done.tally.matched == {("mtel", "handset"): 1}
    gateway.received(receipt("2-1-0", at=62, state=ReceiptState.EXPIRED))  # once more
    assert gateway.states() == ["unknown", "undelivered"]
    gateway.received(receipt("1-1-0", at=63))
    assert gateway.states() == ["delivered", "undelivered"]


def test_one_that_is_held_is_settled_too(gateway: Any) -> None:
    gateway.settled(*gateway.send(CONFIRMATION))
    gateway.commit(T + 1 + WAIT)
    gateway.received(receipt(at=2 * WAIT))
    assert gateway.states() == ["delivered"]


def test_an_answer_that_arrived_is_not_sent_once_more(gateway: Any) -> None:
    (one,) = gateway.send(ANSWER)
    gateway.settled(one)
    assert not gateway.commit(T + 5, receipts=[receipt()], free=5).claimed
    assert gateway.states() == ["delivered"]


def test_a_receipt_that_was_parked_before_the_loss_was_known(gateway: Any) -> None:
    (one,) = gateway.send(CONFIRMATION)
    assert gateway.received(receipt()).tally.parked == {"mtel": 1}
    done = gateway.settled(one, now=T + 60)
    assert gateway.states() == ["delivered"]
    assert done.tally.final == {("mtel", MtState.DELIVERED): 1}
    assert gateway.count("parked_receipt") == 0


def test_behind_a_claimed_segment_a_receipt_waits_until_that_one_is_settled(
    gateway: Any,
) -> None:
    gateway.settled(*gateway.send(CONFIRMATION))
    (other,) = gateway.send(CONFIRMATION, now=T + 2)
    gateway.received(receipt("X"))
    assert gateway.states() == ["unknown", "claimed"]
    gateway.commit(T + 6)
    gateway.accepted(other, "B", now=T + 7)
    assert gateway.states() == ["delivered", "accepted"]
    assert gateway.count("parked_receipt") == 0


def test_behind_a_claimed_segment_a_receipt_may_be_for_that_one(gateway: Any) -> None:
    gateway.settled(*gateway.send(CONFIRMATION))
    (other,) = gateway.send(CONFIRMATION, now=T + 2)
    gateway.received(receipt("X"))
    gateway.accepted(other, "X", now=T + 7)
    assert gateway.states() == ["unknown", "delivered"]


def test_behind_a_claimed_segment_that_is_lost_too_one_receipt_says_nothing(
    gateway: Any,
) -> None:
    gateway.settled(*gateway.send(CONFIRMATION))
    (other,) = gateway.send(CONFIRMATION, now=T + 2)
    gateway.received(receipt("X"))
    gateway.settled(other, now=T + 7)
    assert gateway.states() == ["unknown", "unknown"]
    gateway.received(receipt("Y", at=8))
    assert gateway.states() == ["delivered", "delivered"]


def test_the_parts_of_a_message_wait_for_the_receipts_of_all(gateway: Any) -> None:
    gateway.settled(*gateway.send(CONFIRMATION, text="x" * 200))
    gateway.received(receipt("X"))
    gateway.received(receipt("X", at=6))  # the same once more is no other
    assert gateway.states() == ["unknown", "unknown"]
    gateway.received(receipt("Y", at=7, state=ReceiptState.EXPIRED))
    assert gateway.states() == ["delivered", "undelivered"]


def test_a_repeated_receipt_of_another_message_settles_nothing(gateway: Any) -> None:
    gateway.accepted(*gateway.send(ANSWER), now=T)
    gateway.received(receipt("A", at=1))
    gateway.settled(*gateway.send(CONFIRMATION, now=T + 2), now=T + 3)
    done = gateway.received(receipt("A", at=4))
    assert gateway.states() == ["delivered", "unknown"]
    assert done.tally.matched == {("mtel", "repeated"): 1}

    gateway.received(receipt("X", at=5))
    gateway.settled(*gateway.send(CONFIRMATION, now=T + 6), now=T + 7)
    gateway.received(receipt("X", at=8))
    assert gateway.states() == ["delivered", "delivered", "unknown"]


def test_a_segment_accepted_without_an_id_is_settled_by_its_handset(gateway: Any) -> None:
    gateway.accepted(*gateway.send(ANSWER), message_id="")
    assert gateway.one("state, message_id") == ("accepted", None)
    gateway.received(receipt("X"))
    assert gateway.one("state, message_id") == ("delivered", "X")


@pytest.mark.parametrize(
    ("kind", "parked", "state"),
    [
        (ANSWER, [], "queued"),
        (CONFIRMATION, [], "unknown"),
        (ANSWER, [receipt()], "delivered"),
        (CONFIRMATION, [receipt(state=ReceiptState.REJECTED)], "undelivered"),
        (CONFIRMATION, [receipt(source=OTHER)], "unknown"),
    ],
)
def test_what_was_claimed_when_the_daemon_died(
    gateway: Any, kind: MessageKind, parked: list[Receipt], state: str
) -> None:
    gateway.send(kind)
    if parked:
        gateway.received(*parked)
    assert recover(gateway.con, T + 60, Losses(WAIT)) == {MtState(state): 1}
    assert gateway.states() == [state]
    assert gateway.one("attempts, lost") == (1, 1)
    if state == "unknown":
        assert gateway.one("not_before") == (T + 60 + WAIT,)

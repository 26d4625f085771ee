"""Receipts for accepted segments over a real database: early, repeated, out of order, never."""

from collections.abc import Callable
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
)
from smsgw.service.retry import settle
from smsgw.storage import receipts, unnamed
from smsgw.storage.tidy import MARGIN, ORPHANS, PARKED_FOR, tidy

T = 1_800_000_000.0
PHONE, OTHER = Msisdn("359888123456"), Msisdn("359888123457")
ANSWER, CONFIRMATION = MessageKind.ANSWER, MessageKind.CONFIRMATION
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


@pytest.mark.parametrize(
    ("receipts", "state", "last"),
    [
        ([ReceiptState.ENROUTE], "accepted", "enroute"),
        ([ReceiptState.ENROUTE, ReceiptState.ACCEPTED], "accepted", "accepted"),
        ([ReceiptState.ENROUTE, ReceiptState.DELIVERED], "delivered", "delivered"),
        ([ReceiptState.DELIVERED, ReceiptState.ENROUTE], "delivered", "delivered"),
        ([ReceiptState.DELIVERED, ReceiptState.EXPIRED], "delivered", "delivered"),
        ([ReceiptState.UNKNOWN, ReceiptState.DELIVERED], "undelivered", "unknown"),
    ],
)
@pytest.mark.parametrize("way", ["with the response", "one by one", "all in one"])
def test_states_only_move_forward(
    gateway: Any, receipts: list[ReceiptState], state: str, last: str, way: str
) -> None:
    (one,) = gateway.send(ANSWER)
    came = [receipt(state=each) for each in receipts]
    if way == "with the response":
        gateway.accepted(one, receipts=came, now=T + 6)
    else:
        gateway.accepted(one)
        for batch in [came] if way == "all in one" else [[each] for each in came]:
            gateway.received(*batch)
    assert gateway.one("state, receipt") == (state, last)


def test_a_parked_receipt_is_not_replaced_by_a_later_one(gateway: Any) -> None:
    (one,) = gateway.send(ANSWER)
    gateway.received(receipt(state=ReceiptState.DELIVERED))
    gateway.received(receipt(at=6, state=ReceiptState.EXPIRED))
    done = gateway.accepted(one, now=T + 7)
    assert gateway.one("state, receipt") == ("delivered", "delivered")
    assert done.tally.matched == {("mtel", "parked"): 1}


def test_several_early_receipts_find_their_responses(gateway: Any) -> None:
    parts = gateway.send(ANSWER, text="x" * 400)
    gateway.received(*[receipt(name) for name in "CAB"])
    for one, name in zip(parts, "ABC", strict=True):
        gateway.accepted(one, name, now=T + 6)
    assert gateway.states() == ["delivered"] * 3


def test_an_id_used_again_months_later(gateway: Any) -> None:
    gateway.accepted(*gateway.send(ANSWER))
    months = 90 * 86_400
    gateway.accepted(*gateway.send(ANSWER, now=T + months), now=T + months + 1)
    gateway.received(receipt(at=months + 5))
    assert gateway.states() == ["accepted", "delivered"]
    gateway.received(receipt(at=months + 6))
    assert gateway.states() == ["delivered", "delivered"]


def test_a_receipt_that_waited_here_since_before_the_submit_is_of_an_older_message(
    gateway: Any,
) -> None:
    gateway.accepted(*gateway.send(ANSWER))
    (one,) = gateway.send(ANSWER, now=T + 10)
    done = gateway.accepted(one, receipts=[receipt(at=9)], now=T + 11)
    assert gateway.states() == ["delivered", "accepted"]
    assert +done.tally.matched == {("mtel", "id"): 1}  # type: ignore[operator]
    assert +done.tally.final == {("mtel", MtState.DELIVERED): 1}  # type: ignore[operator]


def test_receipts_find_what_was_claimed_before_the_clock_was_set_back(gateway: Any) -> None:
    gateway.accepted(*gateway.send(ANSWER))
    gateway.received(receipt(at=-3600))
    assert gateway.states() == ["delivered"]


def test_so_do_those_that_come_before_their_responses(gateway: Any) -> None:
    (one,) = gateway.send(ANSWER)
    gateway.received(receipt(at=-3600))
    gateway.accepted(one, now=T - 3599)
    assert gateway.states() == ["delivered"]


def test_what_was_learned_by_asking_settles_and_is_never_parked(gateway: Any) -> None:
    gateway.accepted(*gateway.send(ANSWER))
    gateway.commit(T + 5, learned=[receipt(state=ReceiptState.ENROUTE)])
    assert gateway.one("state, receipt") == ("accepted", "enroute")
    done = gateway.commit(T + 6, learned=[receipt(at=6), receipt("B")])
    assert gateway.states() == ["delivered"]
    assert done.tally.matched == {("mtel", "asked"): 1}
    assert gateway.count("parked_receipt") == 0


def test_without_receipts_an_accepted_segment_is_final(gateway: Any) -> None:
    (one,) = gateway.send(ANSWER, carrier="silent")
    done = gateway.accepted(one)
    assert gateway.states() == ["unconfirmed"]
    assert done.tally.final == {("silent", MtState.UNCONFIRMED): 1}

    (other,) = gateway.send(ANSWER, carrier="silent")
    gateway.accepted(other, "B", receipts=[receipt("B", carrier="silent")], now=T + 6)
    assert gateway.states() == ["unconfirmed", "delivered"]


def test_the_id_as_the_carrier_wrote_it_is_kept_where_it_is_another(gateway: Any) -> None:
    (one,), (other,) = gateway.send(ANSWER), gateway.send(ANSWER)
    outcomes = [
        Outcome(each, Acceptance.ACCEPTED, T, "26", response_id=given)
        for each, given in ((one, "1A"), (other, "26"))
    ]
    gateway.commit(settlements=[settle(outcome) for outcome in outcomes])
    assert gateway.one("response_id") == ("1A",)
    assert gateway.one("response_id", mt=2) == (None,)


DAY = 86_400.0


def accept(gateway: Any) -> None:
    gateway.accepted(*gateway.send(ANSWER))


def lose(kind: MessageKind, times: int) -> Callable[[Any], None]:
    def run(gateway: Any) -> None:
        segments = gateway.send(kind)
        for _ in range(times):
            segments = list(gateway.settled(*segments, free=5).claimed) or segments
        gateway.commit(T + 1 + WAIT)

    return run


@pytest.mark.parametrize(
    ("before", "at", "state"),
    [
        pytest.param(accept, DAY + MARGIN - 1, "accepted", id="a receipt may still come"),
        pytest.param(accept, DAY + MARGIN + 1, "unconfirmed", id="none will come"),
        pytest.param(lose(ANSWER, 2), DAY - 1, "unknown", id="an answer, lost, is held"),
        pytest.param(lose(ANSWER, 2), DAY + 1, "unconfirmed", id="while it is valid"),
        pytest.param(lose(CONFIRMATION, 1), 365 * DAY, "unknown", id="others: for the operator"),
    ],
)
def test_what_ends_by_itself(
    gateway: Any, before: Callable[[Any], None], at: float, state: str
) -> None:
    before(gateway)
    tidied = tidy(gateway.con, T + at)
    assert gateway.states() == [state]
    assert tidied.final == ({("mtel", MtState.UNCONFIRMED): 1} if state == "unconfirmed" else {})


def test_the_validity_of_a_message_may_be_its_own(gateway: Any) -> None:
    accept(gateway)
    gateway.con.execute("UPDATE mt SET valid_until = ?", (T + 3600,))
    tidy(gateway.con, T + 3600 + MARGIN + 1)
    assert gateway.states() == ["unconfirmed"]


def test_receipts_that_belong_to_nothing_are_kept_for_a_look(gateway: Any) -> None:
    gateway.received(receipt("old", at=0), receipt("young", at=10))
    tidied = tidy(gateway.con, T + PARKED_FOR + 5)
    assert tidied.orphans == {"mtel": 1}
    assert gateway.con.execute("SELECT message_id FROM parked_receipt").fetchall() == [("young",)]
    kept = gateway.con.execute(
        "SELECT carrier, message_id, msisdn, state, error, done_date, received_at"
        " FROM orphan_receipt"
    ).fetchall()
    assert kept == [("mtel", "old", PHONE.digits, "delivered", "000", "2701151200", T)]


def test_receipts_that_belong_to_nothing_are_bounded(
    gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsgw.storage.tidy.PARKED", 3)
    monkeypatch.setattr("smsgw.storage.tidy.ORPHANS", 2)
    assert ORPHANS == 10_000
    gateway.received(*[receipt(f"{number}", at=number) for number in range(7)])
    assert tidy(gateway.con, T + 10).orphans == {"mtel": 4}
    assert gateway.count("parked_receipt") == 3
    kept = gateway.con.execute("SELECT message_id FROM orphan_receipt ORDER BY id").fetchall()
    assert kept == [("2",), ("3",)]


def test_lost_submits_are_forgotten_when_no_receipt_can_be_for_them(gateway: Any) -> None:
    (one,) = gateway.send(ANSWER)
    (again,) = gateway.settled(one, free=5).claimed
    gateway.accepted(again, "B", now=T + 2)
    gateway.settled(*gateway.send(CONFIRMATION, OTHER))
    tidy(gateway.con, T + 2 * DAY)
    assert gateway.count("unnamed_submit") == 2
    tidy(gateway.con, T + 5 * DAY)
    assert gateway.count("unnamed_submit") == 1  # it is held


def test_while_one_of_a_phone_is_held_its_other_lost_submits_are_remembered(gateway: Any) -> None:
    """Else a receipt for one of the others would settle the held one."""
    (answer,) = gateway.send(ANSWER)
    (again,) = gateway.settled(answer, free=5).claimed
    gateway.accepted(again, "B", now=T + 2)
    gateway.settled(*gateway.send(CONFIRMATION, now=T + 3), now=T + 4)
    tidy(gateway.con, T + 5 * DAY)
    assert gateway.count("unnamed_submit") == 2
    gateway.received(receipt("X", at=5 * DAY))
    assert gateway.one("state", mt=2) == ("unknown",)


def test_the_partial_indexes_are_used(gateway: Any) -> None:
    def plan(query: str) -> str:
        values = ("0",) * query.count("?")
        rows = gateway.con.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
        return " ".join(row[3] for row in rows)

    assert "segment_accepted (carrier=? AND message_id=?)" in plan(receipts.UPDATE_BY_ID)
    assert "segment_claimed" in plan(unnamed.SELECT_CLAIMED)
    assert "SEARCH unnamed_submit USING PRIMARY KEY (carrier=? AND msisdn=?)" in plan(
        unnamed.SELECT_UNNAMED
    )
    assert "segment_unknown" in plan("SELECT min(not_before) FROM segment WHERE state = 'unknown'")

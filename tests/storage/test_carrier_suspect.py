"""Phones that a carrier says are not its own: by what they are marked, and what clears that."""

from typing import Any

import pytest

from smsgw.service.message import (
    Acceptance,
    Mo,
    Msisdn,
    MtState,
    ReceiptState,
    Script,
)
from smsgw.storage import exchange, subscriptions
from smsgw.storage.database import transaction

T = 1_800_000_000.0
PHONE, OTHER = Msisdn("359888123456"), Msisdn("359888123457")
NUMBER, SECOND = "300012345678", "300012345686"
WORD = "0x0000000b ESME_RINVDSTADR"
SUSPECT = ("suspect", f"mtel: {WORD}", "daemon")


@pytest.mark.parametrize("find", [False, True])
def test_a_refusal_marks_the_phones_subscriptions_with_that_carrier(
    network: Any, find: bool
) -> None:
    network.policy = network.policy._replace(find_carrier=find)
    network.register()
    network.register(phone=OTHER)
    network.settled(*network.send())
    assert network.carriers() == [("mtel", True), ("mtel", True)]
    assert network.carriers(OTHER) == [("mtel", False), ("mtel", False)]
    assert [network.audit(number) for number in (NUMBER, SECOND)] == [[SUSPECT], [SUSPECT]]
    assert network.searches() == find
    assert subscriptions.suspects(network.con) == 2


def test_a_receipts_error_marks_them(network: Any) -> None:
    network.register()
    network.disowned(*network.send())
    assert network.carriers() == [("mtel", True), ("mtel", True)]
    assert network.audit() == [("suspect", "mtel: 001", "daemon")]


@pytest.mark.parametrize(
    ("acceptance", "not_ours"),
    [
        pytest.param(Acceptance.PERMANENT, False, id="refused for something else"),
        pytest.param(Acceptance.TEMPORARY, True, id="to be tried again"),
    ],
)
def test_other_refusals_mark_nothing(network: Any, acceptance: Acceptance, not_ours: bool) -> None:
    network.register()
    network.settled(*network.send(), acceptance=acceptance, not_ours=not_ours)
    assert network.carriers() == [("mtel", False), ("mtel", False)]
    assert len(network.messages()) == 1


def test_a_receipt_that_says_delivered_marks_nothing(network: Any) -> None:
    network.register()
    (one,) = network.send()
    network.accepted(one)
    network.commit(receipts=[network.receipt(one, not_ours=True)])
    assert network.carriers() == [("mtel", False), ("mtel", False)]


@pytest.mark.parametrize("carrier", ["telenor", None])
def test_subscriptions_elsewhere_are_not_marked(network: Any, carrier: str | None) -> None:
    network.register(carrier)
    network.settled(*network.send())
    assert network.carriers() == [(carrier, False), (carrier, False)]


def test_marked_once(network: Any) -> None:
    network.policy = network.policy._replace(find_carrier=False)
    network.register()
    network.settled(*network.send("ж" * 100))
    since = subscriptions.of_phone(network.con, PHONE)[0].suspect_at
    network.settled(*network.send())
    assert subscriptions.of_phone(network.con, PHONE)[0].suspect_at == since
    assert network.audit() == [SUSPECT]


def test_by_a_receipt_that_came_before_its_response(network: Any) -> None:
    network.register()
    (one,) = network.send()
    network.commit(receipts=[network.receipt(one, ReceiptState.REJECTED, not_ours=True)])
    assert network.carriers() == [("mtel", False), ("mtel", False)]
    network.accepted(one)
    assert network.carriers() == [("mtel", True), ("mtel", True)]


def test_by_the_reply_to_a_question(network: Any) -> None:
    network.register()
    (one,) = network.send()
    network.accepted(one)
    network.commit(learned=[network.receipt(one, ReceiptState.REJECTED, not_ours=True)])
    assert network.carriers() == [("mtel", True), ("mtel", True)]


def test_by_a_receipt_parked_for_a_submit_that_a_crash_left_claimed(network: Any) -> None:
    network.register()
    (one,) = network.send()
    network.commit(receipts=[network.receipt(one, ReceiptState.REJECTED, not_ours=True)])
    assert exchange.recover(network.con, network.now, network.policy) == {MtState.UNDELIVERED: 1}
    assert network.carriers() == [("mtel", True), ("mtel", True)]
    assert network.messages() == [("mtel", None), ("telenor", 1)]


def test_by_a_late_response(network: Any) -> None:
    network.register()
    (one,) = network.send()
    network.settled(one, acceptance=Acceptance.LOST, error="")
    network.settled(one, late=True)
    assert network.carriers() == [("mtel", True), ("mtel", True)]


def mo(carrier: str) -> Mo:
    return Mo(carrier, 1, T, PHONE, "170077", 0, 0, b"help", "help")


@pytest.mark.parametrize(
    ("carrier", "said"),
    [
        ("mtel", [("cleared", "", "customer")]),
        ("telenor", [("moved", "telenor", "customer"), ("cleared", "", "customer")]),
    ],
)
def test_a_message_of_the_phones_clears_the_mark(
    network: Any, carrier: str, said: list[tuple[str, str, str]]
) -> None:
    network.register()
    network.settled(*network.send())
    network.commit(mos=[mo(carrier)])
    assert network.carriers() == [(carrier, False), (carrier, False)]
    assert network.audit() == [SUSPECT, *said]
    network.commit(mos=[mo(carrier)])
    assert network.audit() == [SUSPECT, *said]
    assert subscriptions.suspects(network.con) == 0


@pytest.mark.parametrize(
    ("carrier", "moved", "said"),
    [
        ("mtel", 0, [("cleared", "", "ana")]),
        ("vivacom", 2, [("moved", "vivacom", "ana"), ("cleared", "", "ana")]),
    ],
)
def test_a_clerk_clears_the_mark(
    network: Any, carrier: str, moved: int, said: list[tuple[str, str, str]]
) -> None:
    network.register()
    network.settled(*network.send())
    with transaction(network.con):
        assert subscriptions.move(network.con, PHONE, carrier, network.CLERK) == moved
    assert network.carriers() == [(carrier, False), (carrier, False)]
    assert network.audit() == [SUSPECT, *said]


@pytest.mark.parametrize("by_message", [False, True])
@pytest.mark.parametrize("late", [False, True])
def test_a_word_on_what_was_sent_before_the_mark_was_cleared_is_late(
    network: Any, by_message: bool, late: bool
) -> None:
    network.policy = network.policy._replace(find_carrier=False)
    network.register()
    before = network.send()
    network.settled(*network.send())
    if by_message:
        network.commit(mos=[mo("mtel")])
    else:
        clerk = network.CLERK._replace(now=network.now)
        with transaction(network.con):
            subscriptions.move(network.con, PHONE, "mtel", clerk)
    network.disowned(*(before if late else network.send()))
    assert network.carriers() == [("mtel", not late), ("mtel", not late)]


@pytest.mark.parametrize(
    ("carrier", "after", "said"),
    [
        pytest.param(None, ("mtel", True), [], id="none named"),
        pytest.param("mtel", ("mtel", True), [], id="a file that is as it was"),
        pytest.param(
            "telenor",
            ("telenor", False),
            [("moved", "telenor", "ana"), ("cleared", "", "ana")],
            id="another",
        ),
    ],
)
def test_a_correction_clears_the_mark_if_it_names_another_carrier(
    network: Any,
    carrier: str | None,
    after: tuple[str, bool],
    said: list[tuple[str, str, str]],
) -> None:
    network.register()
    network.settled(*network.send())
    with transaction(network.con):
        subscriptions.correct(network.con, PHONE, NUMBER, carrier, Script.LATIN, network.CLERK)
    assert network.carriers() == [after, ("mtel", True)]
    assert network.audit() == [SUSPECT, *said]


def test_only_those_in_doubt_are_listed(network: Any) -> None:
    network.register()
    network.register(phone=OTHER)
    network.settled(*network.send())
    with transaction(network.con):
        subscriptions.end(network.con, PHONE, SECOND, network.CLERK)
    listed = [one.subscription for one in subscriptions.records(network.con, suspect=True)]
    assert [(one.msisdn, one.customer_number) for one in listed] == [(PHONE, NUMBER)]
    assert listed[0].suspect_at == T + 2
    assert subscriptions.suspects(network.con) == 1

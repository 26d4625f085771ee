"""What an operator may do is among what may happen at all."""

import pytest

from smsgw.service.by_hand import CANCEL, NOT_OUT, RETRY, Order
from smsgw.service.message import FINAL, TRANSITIONS, MtState


@pytest.mark.parametrize("order", [RETRY, CANCEL])
def test_each_transition_is_allowed(order: Order) -> None:
    assert all(order.to in TRANSITIONS[state] for state in order.of)


@pytest.mark.parametrize("order", [RETRY, CANCEL])
def test_what_a_carrier_has_or_may_be_getting_is_left_alone(order: Order) -> None:
    assert not order.of & ({MtState.CLAIMED, MtState.ACCEPTED} | FINAL)


def test_what_is_not_out_is_final() -> None:
    assert NOT_OUT < FINAL

"""The state of a message by those of its segments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.service.message import FINAL, MtState
from smsgw.service.message_state import DECIDING, message_state


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("delivered", "delivered"),
        ("delivered delivered", "delivered"),
        ("delivered unconfirmed", "delivered"),
        ("unconfirmed unconfirmed", "unconfirmed"),
        ("delivered undelivered", "undelivered"),
        ("unconfirmed expired", "expired"),
        ("delivered cancelled", "cancelled"),
        ("cancelled expired", "expired"),
        ("expired undelivered", "undelivered"),
        ("undelivered refused", "refused"),
        ("accepted delivered", "accepted"),
        ("accepted refused", "accepted"),
        ("unknown accepted", "unknown"),
        ("claimed unknown", "claimed"),
        ("queued claimed accepted", "queued"),
        ("waiting queued", "waiting"),
        ("waiting unknown delivered", "waiting"),
    ],
)
def test_the_state_of_several(states: str, expected: str) -> None:
    assert message_state(MtState(state) for state in states.split()) is MtState(expected)


@given(st.lists(st.sampled_from(MtState), min_size=1))
def test_it_is_one_of_theirs_in_any_order_and_live_while_one_is(states: list[MtState]) -> None:
    state = message_state(states)
    assert state in states
    assert message_state(reversed(states)) is state
    assert (state in FINAL) == (set(states) <= FINAL)


def test_each_state_has_its_place() -> None:
    assert sorted(DECIDING) == sorted(MtState)

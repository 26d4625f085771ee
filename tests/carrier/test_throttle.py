"""The bucket of tokens."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.carrier.pace import UNLIMITED, Answers
from smsgw.carrier.throttle import Throttle


def test_without_a_limit_there_is_none() -> None:
    throttle = Throttle(0, 0.0)
    throttle.take(1_000_000, 0.0)
    assert throttle.available(0.0) == UNLIMITED
    assert throttle.ready_at(5.0) == 5.0


@pytest.mark.parametrize(
    ("rate", "burst"),
    [(0.5, 1), (1, 1), (10, 1), (15, 1), (20, 2), (100, 10), (1234, 123)],
    ids=str,
)
def test_a_tenth_of_a_second_may_be_saved_up(rate: float, burst: int) -> None:
    throttle = Throttle(rate, 0.0)
    assert throttle.available(0.0) == burst
    assert throttle.available(1000.0) == burst


def test_tokens_come_with_time() -> None:
    throttle = Throttle(100, 0.0)
    throttle.take(10, 0.0)
    assert [throttle.available(at) for at in (0.0, 0.009, 0.01, 0.05, 0.2)] == [0, 0, 1, 5, 10]


@pytest.mark.parametrize(
    ("rate", "taken", "wait"),
    [(10, 1, 0.1), (0.5, 1, 2.0), (100, 10, 0.01), (1000, 100, 0.01), (1000, 95, 0.005)],
    ids=str,
)
def test_it_says_when_to_ask_again(rate: float, taken: int, wait: float) -> None:
    throttle = Throttle(rate, 0.0)
    throttle.take(taken, 0.0)
    at = throttle.ready_at(0.0)
    assert at == pytest.approx(wait)
    assert throttle.available(at) >= 1
    assert throttle.ready_at(at) == pytest.approx(at)


def test_what_is_taken_too_much_is_owed() -> None:
    throttle = Throttle(10, 0.0)
    throttle.take(3, 0.0)
    assert throttle.available(0.0) == 0
    assert throttle.ready_at(0.0) == pytest.approx(0.3)


@pytest.mark.parametrize("rate", [0, 10], ids=str)
def test_a_rest_lets_nothing_through_and_then_one(rate: float) -> None:
    throttle = Throttle(rate, 0.0)
    throttle.take(1, 0.0)
    assert throttle.answered(Answers(throttled=1), 0.0)
    assert throttle.available(0.999) == 0
    assert throttle.available(1.0) == 1
    assert throttle.ready_at(0.2) == 1.0
    throttle.take(1, 1.0)
    assert throttle.available(100.0) == 0, "until that one is answered"
    assert throttle.ready_at(100.0) == math.inf
    assert not throttle.answered(Answers(accepted=1), 100.0)
    assert throttle.available(100.0) == 1


def test_a_rate_that_was_found_saves_up_next_to_nothing() -> None:
    throttle = Throttle(100, 0.0)
    throttle.take(30, 0.0)
    throttle.answered(Answers(accepted=29, throttled=1), 0.0)
    throttle.take(1, 1.0)
    throttle.answered(Answers(accepted=1), 1.0)
    assert throttle.rate == pytest.approx(50, abs=1)
    assert throttle.available(10.0) == 1


@given(
    st.sampled_from([0.7, 3, 10, 33.3, 500]),
    st.lists(st.tuples(st.floats(0, 3), st.integers(0, 60)), max_size=60),
)
def test_the_rate_is_kept_over_any_time(rate: float, asks: list[tuple[float, int]]) -> None:
    throttle = Throttle(rate, 0.0)
    now = 0.0
    taken = 0
    for step, wanted in asks:
        now += step
        share = min(wanted, throttle.available(now))
        throttle.take(share, now)
        taken += share
        assert taken <= rate * now + max(1.0, rate / 10) + 0.01


@given(st.sampled_from([0.7, 3, 10, 33.3, 500, 7777]), st.integers(1, 5000))
def test_waiting_as_told_is_enough(rate: float, taken: int) -> None:
    throttle = Throttle(rate, 0.0)
    throttle.take(taken, 0.0)
    assert throttle.available(throttle.ready_at(0.0)) >= 1

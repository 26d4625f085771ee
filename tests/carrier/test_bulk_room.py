"""What a link leaves for answers while notices fill it: places in its window, and a token."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.carrier.pace import Answers
from smsgw.carrier.room import kept
from smsgw.carrier.throttle import Throttle

Play = Callable[..., list[Any]]


@pytest.mark.parametrize(
    ("places", "left"), [(0, 0), (1, 0), (2, 1), (9, 1), (10, 1), (11, 2), (50, 5), (51, 6)]
)
def test_the_last_tenth(places: int, left: int) -> None:
    assert kept(places) == left


@pytest.mark.parametrize(
    ("keys", "sessions", "capacity", "spare"),
    [
        pytest.param({"window": 50}, 1, 50, 45, id="a tenth is kept"),
        pytest.param({"window": 5}, 1, 5, 4, id="one place at least"),
        pytest.param({"window": 1}, 1, 1, 1, id="of a single place none"),
        pytest.param({"window": 1, "sessions": 2}, 2, 2, 1, id="of all sessions together"),
        pytest.param({"window": 25, "sessions": 3}, 3, 75, 67, id="rounded in favour of answers"),
        pytest.param({"window": 50, "throughput": 100}, 1, 10, 9, id="and a token"),
        pytest.param({"window": 50, "throughput": 10}, 1, 1, 1, id="one is all there is"),
    ],
)
def test_bulk_has_less_room(
    play: Play, keys: dict[str, Any], sessions: int, capacity: int, spare: int
) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound(sessions)
        await bench.until(lambda: bench.link.state().sessions == sessions)
        assert (bench.link.capacity(), bench.link.spare()) == (capacity, spare)

    play(scenario, **keys)


def test_places_that_answers_took_are_not_taken_from_the_tenth(play: Play) -> None:
    async def scenario(bench: Any) -> None:
        bench.smsc.submit_status = None
        await bench.bound()
        bench.submit(*range(1, 46))
        assert (bench.link.capacity(), bench.link.spare()) == (5, 0)
        bench.submit(46)
        assert (bench.link.capacity(), bench.link.spare()) == (4, 0)

    play(scenario, window=50)


def test_without_a_session_there_is_no_room(play: Play) -> None:
    async def scenario(bench: Any) -> None:
        assert (bench.link.capacity(), bench.link.spare()) == (0, 0)

    play(scenario)


@pytest.mark.parametrize("throughput", [1, 5, 19, 20, 21, 100, 1000])
def test_a_run_has_the_whole_pace_in_few_turns(play: Play, throughput: int) -> None:
    """Whoever submits whatever there is room for, when told that there is, loses none of it."""
    turns = sent = 0
    began = 0.0

    async def scenario(bench: Any) -> None:
        nonlocal turns, sent, began
        await bench.bound()
        began = bench.now
        while bench.now < began + 10:
            if room := bench.link.spare():
                bench.submit(*range(sent, sent + room))
                sent += room
                turns += 1
                assert bench.link.capacity() >= (throughput >= 20), "a token for an answer"
            told = len(bench.diary.named("ready"))
            await bench.until(lambda told=told: len(bench.diary.named("ready")) > told)

    play(scenario, throughput=throughput, window=1000)
    assert 0.98 <= sent / (10 * throughput) <= 1.1 + 1 / throughput
    assert turns <= 10 * min(throughput, 120) + 20, "a handful goes at once"


@given(
    st.floats(0, 500),
    st.lists(st.tuples(st.floats(0, 2), st.integers(0, 20), st.booleans()), max_size=30),
)
def test_a_wait_for_bulk_ends(limit: float, steps: list[tuple[float, int, bool]]) -> None:
    """What `spare_at` says is later than now while nothing is spare, and true once it is there."""
    now = 0.0
    throttle = Throttle(limit, now)
    for seconds, count, refused in steps:
        now += seconds
        throttle.take(min(count, throttle.available(now)), now)
        throttle.answered(Answers(accepted=count, throttled=int(refused)), now)
        assert throttle.spare(now) <= throttle.available(now)
        at = throttle.spare_at(now)
        if not throttle.spare(now) and at < 1e6:
            assert at > now
            assert throttle.spare(at + 1e-6)

"""Finding a carrier's pace: ten minutes of virtual time against carriers that count their way."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count, pairwise
from typing import NamedTuple, Protocol

import pytest

from smsgw.carrier.pace import LONGEST_REST, UNLIMITED, Answers, Pace
from smsgw.carrier.throttle import Throttle

LIMIT = 30
SECONDS = 600.0
WINDOW = 50


class Carrier(Protocol):
    """What decides whether a submit that comes at a moment is taken."""

    def takes(self, at: float) -> bool: ...


class BySecond:
    """Takes `most` in each period of its clock."""

    def __init__(self, most: int = LIMIT, period: float = 1.0, phase: float = 0.0) -> None:
        self.most, self.period, self.phase = most, period, phase
        self.current, self.taken = -1, 0

    def takes(self, at: float) -> bool:
        current = int((at + self.phase) // self.period)
        if current != self.current:
            self.current, self.taken = current, 0
        if self.taken == self.most:
            return False
        self.taken += 1
        return True


class ByBucket:
    """Takes `rate` a second on average, and `burst` at once."""

    def __init__(self, burst: float, rate: float = LIMIT) -> None:
        self.burst, self.rate = burst, rate
        self.tokens, self.at = burst, 0.0

    def takes(self, at: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (at - self.at) * self.rate)
        self.at = at
        if self.tokens < 1 - 1e-9:
            return False
        self.tokens -= 1
        return True


class Switching:
    """Takes as one says until a moment, then as another."""

    def __init__(self, first: Carrier, at: float, then: Carrier) -> None:
        self.first, self.at, self.then = first, at, then

    def takes(self, at: float) -> bool:
        return (self.first if at < self.at else self.then).takes(at)


class Played(NamedTuple):
    accepted: list[float]  # when each that was taken was sent
    refused: list[float]

    def rate(self, begin: float, end: float) -> float:
        return sum(begin <= at < end for at in self.accepted) / (end - begin)

    @property
    def refused_share(self) -> float:
        return len(self.refused) / (len(self.accepted) + len(self.refused))


def play(carrier: Carrier, throughput: float, delay: float, seconds: float = SECONDS) -> Played:
    """A link with one session and always something to send, as `link.Link` uses its throttle."""
    throttle = Throttle(throughput, 0.0)
    responses: list[tuple[float, int, float, bool]] = []
    number = count()
    played = Played([], [])
    now = 0.0
    while now < seconds:
        accepted = throttled = 0
        while responses and responses[0][0] <= now:
            _, _, sent_at, taken = heappop(responses)
            (played.accepted if taken else played.refused).append(sent_at)
            accepted, throttled = accepted + taken, throttled + (not taken)
        if accepted or throttled:
            throttle.answered(Answers(accepted, throttled), now)
        ready = min(WINDOW - len(responses), throttle.available(now))
        throttle.take(ready, now)
        for _ in range(ready):
            heappush(responses, (now + delay, next(number), now, carrier.takes(now)))
        if responses and responses[0][0] <= now:
            continue
        moments = [responses[0][0]] if responses else []
        if len(responses) < WINDOW:
            moments.append(max(throttle.ready_at(now), now + 1e-6))
        now = min(moments)
    return played


CARRIERS: dict[str, Callable[[], Carrier]] = {
    "by the second": BySecond,
    "by another second": lambda: BySecond(phase=0.37),
    "by the tenth": lambda: BySecond(3, 0.1),
    "one at a time": lambda: ByBucket(1),
    "bucket of 5": lambda: ByBucket(5),
    "bucket of 30": lambda: ByBucket(30),
}


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.5], ids=lambda value: f"{1000 * value:.0f} ms")
@pytest.mark.parametrize("throughput", [0, 100, 30], ids=["unknown", "too high", "as agreed"])
@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
def test_a_carrier_s_limit_is_used_and_kept(
    carrier: Callable[[], Carrier], throughput: float, delay: float
) -> None:
    played = play(carrier(), throughput, delay)
    assert len(played.accepted) >= 0.9 * LIMIT * SECONDS
    assert played.refused_share < 0.02


def test_an_agreed_pace_that_is_kept_is_used_in_full() -> None:
    played = play(BySecond(), 30, 0.05)
    assert len(played.accepted) >= 0.99 * LIMIT * SECONDS


def test_a_limit_that_is_lowered_is_found() -> None:
    played = play(Switching(ByBucket(30), 200.0, ByBucket(5, rate=5)), 0, 0.05)
    assert played.rate(300, 600) >= 0.9 * 5
    assert played.refused_share < 0.02


def test_a_limit_that_is_lifted_is_noticed_within_two_minutes() -> None:
    played = play(Switching(BySecond(10), 200.0, ByBucket(1000, rate=1000)), 100, 0.05)
    assert played.rate(320, 600) >= 95, "the agreed pace again"


def test_a_carrier_that_refuses_everything_is_asked_one_by_one() -> None:
    played = play(Switching(ByBucket(30), 100.0, BySecond(0)), 0, 0.05)
    asked = [at for at in played.refused if at > 110]
    assert len(asked) <= 500 / LONGEST_REST + 2
    assert max(b - a for a, b in pairwise(asked)) <= LONGEST_REST + 0.1


def test_a_carrier_that_takes_again_is_back_at_once() -> None:
    closed = Switching(BySecond(), 100.0, BySecond(0))
    played = play(Switching(closed, 160.0, BySecond()), 0, 0.05)
    assert played.rate(160 + LONGEST_REST + 1, 300) >= 0.9 * LIMIT


# -- a full queue: of one recipient, or of all -------------------------------------------------


def slowed(*batches: Answers) -> bool:
    """Whether batches of answers, a tenth of a second apart, cut the rate."""
    pace = Pace(0, 0.0)
    pace.sent(1000, pressed=False)
    return any(pace.answered(batch, number / 10) for number, batch in enumerate(batches))


@pytest.mark.parametrize(
    ("batches", "expected"),
    [
        ([Answers(full=1)], False),
        ([Answers(full=2)], False),
        ([Answers(full=3)], True),
        ([Answers(full=1)] * 3, True),
        ([Answers(accepted=9, full=1)] * 5, False),
        ([Answers(accepted=10, full=9)], False),
        ([Answers(accepted=10, full=10)], True),
        ([Answers(full=2), *[Answers(accepted=1)] * 10, Answers(full=2)], False),
        ([Answers(others=5)], False),
        ([Answers(accepted=1000, throttled=1)], True),
    ],
    ids=[
        "one recipient",
        "two",
        "three of three",
        "three one by one",
        "a tenth of all",
        "under a half",
        "a half",
        "long ago",
        "other refusals",
        "throttled once",
    ],
)
def test_a_full_queue_slows_the_link_if_it_is_everybody_s(
    batches: list[Answers], expected: bool
) -> None:
    assert slowed(*batches) is expected


# -- step by step ------------------------------------------------------------------------------


def test_refusals_of_what_was_sent_before_a_cut_are_one_with_it() -> None:
    pace = Pace(100, 0.0)
    pace.sent(20, pressed=True)
    assert pace.answered(Answers(accepted=9, throttled=1), 1.0)
    rate, rest = pace.rate, pace.resting_until
    assert not pace.answered(Answers(throttled=10), 1.5)
    assert (pace.rate, pace.resting_until) == (rate, rest)


def test_after_a_cut_one_is_asked_before_all_go_again() -> None:
    pace = Pace(0, 0.0)
    assert pace.most == UNLIMITED
    pace.sent(2, pressed=False)
    pace.answered(Answers(throttled=1), 0.0)
    assert pace.most == 0, "one is on its way yet"
    pace.answered(Answers(others=1), 0.1)
    assert pace.most == 1
    pace.sent(1, pressed=True)
    assert pace.most == 0
    pace.answered(Answers(accepted=1), 1.0)
    assert pace.most == UNLIMITED


def test_rests_grow_while_nothing_is_taken() -> None:
    pace = Pace(0, 0.0)
    rests = []
    for number in range(6):
        pace.sent(1, pressed=True)
        pace.answered(Answers(throttled=1), 100.0 * number)
        rests.append(pace.resting_until - 100.0 * number)
    assert rests == [1, 2, 4, 8, 16, 16]


def test_submits_that_nothing_holds_back_raise_no_rate() -> None:
    pace = Pace(100, 0.0)
    pace.sent(10, pressed=True)
    pace.answered(Answers(accepted=9, throttled=1), 0.0)
    rate = pace.rate
    pace.sent(1, pressed=False)
    assert pace.rate == rate
    pace.sent(1, pressed=True)
    assert rate < pace.rate < 100


def test_the_agreed_pace_is_never_exceeded() -> None:
    pace = Pace(10, 0.0)
    pace.sent(10, pressed=True)
    pace.answered(Answers(accepted=9, throttled=1), 0.0)
    assert pace.found
    for _ in range(1000):
        pace.sent(1, pressed=True)
    assert pace.rate == 10
    assert not pace.found

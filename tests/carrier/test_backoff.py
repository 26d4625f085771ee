"""How long a link waits before the next try."""

from random import Random

import pytest

from smsgw.carrier.backoff import PAUSES, REFUSED, Backoff, Trouble
from smsgw.smpp.status import BindReaction


class Fixed(Random):
    """Chance that is none."""

    def __init__(self, value: float) -> None:
        super().__init__(0)
        self.value = value

    def random(self) -> float:
        return self.value


WHOLE = Fixed(1.0)


@pytest.mark.parametrize(
    ("trouble", "waits"),
    [
        (Trouble.LOST, [1, 2, 4, 8, 16, 30, 30]),
        (Trouble.UNREACHABLE, [1, 2, 4, 8, 16, 30, 30]),
        (Trouble.CREDENTIALS, [120, 240, 480, 600, 600]),
        (Trouble.ALREADY_BOUND, [5, 10, 20, 40, 60, 60]),
        (Trouble.BUSY, [30, 60, 120, 240, 480, 600]),
        (Trouble.VERSION, [120, 240, 480, 600]),
    ],
    ids=lambda value: value.value if isinstance(value, Trouble) else "",
)
def test_pauses_grow_to_their_limit(trouble: Trouble, waits: list[float]) -> None:
    backoff = Backoff(WHOLE)
    assert [backoff.next(trouble) for _ in waits] == waits


def test_half_of_a_pause_is_chance() -> None:
    assert Backoff(Fixed(0.0)).next(Trouble.BUSY) == 15
    assert Backoff(Fixed(0.5)).next(Trouble.BUSY) == 22.5


def test_each_trouble_is_counted_by_itself() -> None:
    backoff = Backoff(WHOLE)
    for _ in range(5):
        backoff.next(Trouble.UNREACHABLE)
    assert backoff.next(Trouble.ALREADY_BOUND) == 5
    assert backoff.next(Trouble.UNREACHABLE) == 30


def test_troubles_in_turn_are_no_way_around_the_pauses() -> None:
    backoff = Backoff(WHOLE)
    waits = [backoff.next((Trouble.LOST, Trouble.UNREACHABLE)[n % 2]) for n in range(14)]
    assert waits[-2:] == [30, 30]


def test_a_reset_begins_anew() -> None:
    backoff = Backoff(WHOLE)
    for _ in range(5):
        backoff.next(Trouble.LOST)
    backoff.reset()
    assert backoff.next(Trouble.LOST) == 1


def test_a_thousand_tries_are_no_trouble() -> None:
    backoff = Backoff(WHOLE)
    assert [backoff.next(Trouble.LOST) for _ in range(2000)][-1] == 30


def test_every_trouble_has_its_pause_and_every_refusal_its_trouble() -> None:
    assert set(PAUSES) == set(Trouble)
    assert set(REFUSED) == set(BindReaction)

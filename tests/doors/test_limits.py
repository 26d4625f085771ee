"""How often somebody may ask."""

import pytest

from smsgw.doors import limits
from smsgw.doors.limits import Bucket, Buckets


@pytest.mark.parametrize(
    ("rate", "asked_at", "taken"),
    [
        pytest.param(10, [0.0] * 25, 20, id="two seconds' worth is saved up"),
        pytest.param(10, [0.0] * 25 + [1.0] * 25, 30, id="and a second's worth comes in a second"),
        pytest.param(0.1, [0.0, 1.0, 9.9, 10.0], 2, id="one at least, however rare"),
        pytest.param(0, [0.0] * 1000, 1000, id="no bound"),
        pytest.param(10, [5.0] * 20 + [4.0], 20, id="a clock that stands gives nothing"),
    ],
)
def test_a_bucket(rate: float, asked_at: list[float], taken: int) -> None:
    bucket = Bucket(rate, asked_at[0])
    assert sum(not bucket.take(at) for at in asked_at) == taken


def test_it_says_how_long_to_wait() -> None:
    bucket = Bucket(2, 0.0)
    while not bucket.take(0.0):
        pass
    wait = bucket.take(0.0)
    assert wait == pytest.approx(0.5)
    assert not bucket.take(wait)


def test_everybody_has_a_bucket_of_his_own() -> None:
    buckets = Buckets(0.5)
    assert [bool(buckets.take(name, 0.0)) for name in ("a", "b", "a")] == [False, False, True]
    assert not buckets.take("c", 0.0, rate=0)
    assert not buckets.take("c", 0.0)


def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST", 2)
    buckets = Buckets(0.1)
    for name in ("a", "b", "c"):
        assert not buckets.take(name, 0.0)
    assert buckets.take("c", 0.0)
    assert not buckets.take("a", 0.0), "it was forgotten, and begins anew"

from random import Random

import pytest

from smsgw.simulator.faults import Faults, Mischief, Pick
from smsgw.smpp.names import Status

ROK, SYSERR = Status.ROK, Status.RSYSERR
THROTTLED, FULL = Status.RTHROTTLED, Status.RMSGQFUL


@pytest.mark.parametrize(
    ("words", "pick"),
    [
        ("all", Pick(each=1)),
        ("first:5", Pick(first=5)),
        ("each:3", Pick(each=3)),
        ("10%", Pick(share=0.1)),
        (" 0.5% ", Pick(share=0.005)),
        ("100%", Pick(share=1.0)),
    ],
    ids=str,
)
def test_a_pick_is_read(words: str, pick: Pick) -> None:
    assert Pick.parse(words) == pick


@pytest.mark.parametrize(
    "words",
    [
        "",
        "5",
        "none",
        "all:1",
        "first:",
        "first:0",
        "first:x",
        "each:-1",
        "0%",
        "101%",
        "x%",
        "nan%",
    ],
)
def test_a_bad_pick_says_what_may_be_written(words: str) -> None:
    with pytest.raises(ValueError, match="write all, first:5, each:3 or 10%"):
        Pick.parse(words)


@pytest.mark.parametrize(
    ("pick", "struck"),
    [
        (Pick(), []),
        (Pick(first=2), [1, 2]),
        (Pick(each=4), [4, 8]),
        (Pick(each=1), list(range(1, 11))),
        (Pick(first=1, each=5), [1, 5, 10]),
        (Pick(share=1.0), list(range(1, 11))),
    ],
    ids=["none", "first two", "each fourth", "all", "first and each fifth", "the whole share"],
)
def test_a_pick_strikes(pick: Pick, struck: list[int]) -> None:
    assert [number for number in range(1, 11) if pick.strikes(number, Random(1))] == struck


def test_a_share_strikes_by_chance_and_by_its_seed() -> None:
    def struck(seed: int) -> list[int]:
        random = Random(seed)
        return [number for number in range(1000) if Pick(share=0.2).strikes(number, random)]

    assert struck(1) == struck(1) != struck(2)
    assert 150 < len(struck(1)) < 250


@pytest.mark.parametrize(
    ("faults", "moments", "statuses"),
    [
        (Faults(), [0.0, 0.0], [ROK, ROK]),
        (Faults(refuse=Pick(first=1)), [0.0, 0.0], [SYSERR, ROK]),
        (Faults(refuse=Pick(each=2), refuse_status=0x45), [0.0] * 4, [ROK, 0x45, ROK, 0x45]),
        (Faults(throttle=2), [5.0, 5.1, 5.2, 5.5, 5.6], [ROK, ROK, THROTTLED, ROK, THROTTLED]),
        (Faults(throttle=2, throttle_burst=1), [5.0, 5.4, 5.9], [ROK, THROTTLED, ROK]),
        (Faults(throttle=1, throttle_burst=3), [5.0] * 4, [ROK, ROK, ROK, THROTTLED]),
        (Faults(throttle=1, refuse=Pick(first=1)), [0.0, 0.1, 0.2], [SYSERR, ROK, THROTTLED]),
    ],
    ids=[
        "none",
        "first",
        "each second",
        "throttled",
        "no burst",
        "a burst",
        "refused ones don't count",
    ],
)
def test_submits_are_answered(faults: Faults, moments: list[float], statuses: list[int]) -> None:
    mischief = Mischief(faults, Random(0))
    assert [mischief.submit_status(now, 0) for now in moments] == statuses


def test_what_waits_for_its_delivery_fills_the_queue() -> None:
    mischief = Mischief(Faults(queue=2), Random(0))
    assert [mischief.submit_status(0.0, n) for n in (0, 1, 2, 3)] == [ROK, ROK, FULL, FULL]


def test_binds_and_responses_are_counted_by_themselves() -> None:
    mischief = Mischief(
        Faults(refuse_binds=Pick(first=1), refuse_bind_status=0x0F, lose=Pick(each=2)), Random(0)
    )
    assert [mischief.submit_status(0.0, 0) for _ in range(3)] == [ROK] * 3
    assert [mischief.bind_status() for _ in range(3)] == [0x0F, ROK, ROK]
    assert [mischief.loses_response() for _ in range(4)] == [False, True, False, True]


@pytest.mark.parametrize(
    ("drop_after", "dropped"), [(0, []), (1, [1, 2, 3, 4]), (3, [3, 4])], ids=["never", "1", "3"]
)
def test_connections_are_cut(drop_after: int, dropped: list[int]) -> None:
    mischief = Mischief(Faults(drop_after=drop_after), Random(0))
    assert [heard for heard in (1, 2, 3, 4) if mischief.drops(heard)] == dropped

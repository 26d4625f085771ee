"""What becomes of a message whose carrier says that the phone is not its own."""

from itertools import product

import pytest

from smsgw.service.foreign import Step, next_carrier, step
from smsgw.service.message import FINAL, MtState

DELIVERED, UNDELIVERED, REFUSED = MtState.DELIVERED, MtState.UNDELIVERED, MtState.REFUSED
ACCEPTED, UNCONFIRMED, EXPIRED = MtState.ACCEPTED, MtState.UNCONFIRMED, MtState.EXPIRED


@pytest.mark.parametrize(
    ("states", "repeated", "disowned", "expected"),
    [
        pytest.param([REFUSED], False, True, Step.NEXT, id="refused"),
        pytest.param([UNDELIVERED], False, True, Step.NEXT, id="accepted, and given up"),
        pytest.param([REFUSED, UNDELIVERED], False, True, Step.NEXT, id="two parts"),
        pytest.param([REFUSED, MtState.QUEUED], False, True, Step.WAIT, id="a part still queued"),
        pytest.param([REFUSED, ACCEPTED], False, True, Step.WAIT, id="a part may be delivered"),
        pytest.param([REFUSED, MtState.UNKNOWN], False, True, Step.WAIT, id="a part was lost"),
        pytest.param([REFUSED, DELIVERED], False, True, Step.OVER, id="a part was delivered"),
        pytest.param([DELIVERED, ACCEPTED], False, True, Step.OVER, id="and another will be"),
        pytest.param([REFUSED, UNCONFIRMED], False, True, Step.OVER, id="a part perhaps was"),
        pytest.param([REFUSED, EXPIRED], False, True, Step.OVER, id="its time passed"),
        pytest.param([REFUSED, MtState.CANCELLED], False, True, Step.OVER, id="by an operator"),
        pytest.param([DELIVERED], True, False, Step.FOUND, id="the second delivers"),
        pytest.param([DELIVERED, ACCEPTED], True, False, Step.FOUND, id="a part of it"),
        pytest.param([ACCEPTED], True, False, Step.WAIT, id="the second has it"),
        pytest.param([REFUSED], True, True, Step.NEXT, id="the second disowns it, too"),
        pytest.param([REFUSED], True, False, Step.NEXT, id="the second refuses it otherwise"),
        pytest.param([UNDELIVERED], True, False, Step.NEXT, id="the second can't deliver it"),
        pytest.param([UNCONFIRMED], True, False, Step.OVER, id="the second says nothing"),
        pytest.param([EXPIRED], True, False, Step.OVER, id="its time passed at the second"),
    ],
)
def test_step(states: list[MtState], repeated: bool, disowned: bool, expected: Step) -> None:
    assert step(states, repeated=repeated, disowned=disowned) is expected


@pytest.mark.parametrize("states", list(product(MtState, repeat=2)), ids="+".join)
def test_nothing_that_is_or_may_be_delivered_is_sent_again(states: tuple[MtState, ...]) -> None:
    for repeated in (False, True):
        said = step(states, repeated=repeated, disowned=True)
        if said is Step.NEXT:
            assert set(states) <= {REFUSED, UNDELIVERED}
        if said is Step.WAIT:
            assert not FINAL.issuperset(states)


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        (["telenor"], "mtel"),
        (["mtel"], "telenor"),
        (["mtel", "telenor"], "vivacom"),
        (["gone", "mtel"], "telenor"),
        (["mtel", "telenor", "vivacom"], None),
    ],
)
def test_next_carrier(tried: list[str], expected: str | None) -> None:
    assert next_carrier(tried, {"mtel": 1, "telenor": 2, "vivacom": 3}) == expected

"""Of which submit a receipt is whose id nobody knows: by the handset and the time, beyond doubt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.service.matching import BY_RECEIPT, Submit, assign
from smsgw.service.message import FINAL, MtState, Receipt, ReceiptState, SegmentKey

T = 1_800_000_000.0
U, Q, W, C, A, D = (
    MtState.UNKNOWN,
    MtState.QUEUED,
    MtState.WAITING,
    MtState.CLAIMED,
    MtState.ACCEPTED,
    MtState.DELIVERED,
)


def receipt(at: float) -> Receipt:
    return Receipt("mtel", T + at, f"R{at:g}", ReceiptState.DELIVERED, "")


def submit(
    mt: int, at: float, state: MtState = U, part: int = 1, attempt: int = 1, message_id: str = ""
) -> Submit:
    return Submit(SegmentKey(mt, part), attempt, T + at, state, message_id)


@pytest.mark.parametrize(
    ("receipts", "submits", "pairs"),
    [
        pytest.param([5], [], [], id="nothing was lost"),
        pytest.param([5], [submit(1, 0)], [(5, 1)], id="one lost"),
        pytest.param([0], [submit(1, 0)], [(0, 1)], id="in the same instant"),
        pytest.param([5], [submit(1, 6)], [], id="from before the submit"),
        pytest.param([3, 5], [submit(1, 4)], [(5, 1)], id="one from before, and one after"),
        pytest.param([5, 9], [submit(1, 0)], [(5, 1)], id="two: the first counts"),
        pytest.param([5], [submit(1, 0, Q)], [(5, 1)], id="lost, and not sent once more yet"),
        pytest.param([5], [submit(1, 0, W)], [(5, 1)], id="lost, and then refused for now"),
        pytest.param([5], [submit(1, 0, A)], [(5, 1)], id="accepted without an id"),
        pytest.param(
            [5], [submit(1, 0, A, message_id="X")], [], id="lost, then accepted with an id"
        ),
        pytest.param(
            [5],
            [submit(1, 0, message_id="X"), submit(2, 1, message_id="R5")],
            [(5, 2)],
            id="one of two that has our own id",
        ),
        pytest.param(
            [5],
            [submit(1, 0, attempt=1, message_id="R5"), submit(1, 3, attempt=2, message_id="R5")],
            [(5, 1)],
            id="our own id, lost twice",
        ),
        pytest.param(
            [5, 9],
            [submit(1, 0, message_id="R9"), submit(2, 1, message_id="R5")],
            [(5, 2), (9, 1)],
            id="our own ids, out of order",
        ),
        pytest.param([5], [submit(1, 0, D)], [], id="lost, and delivered since"),
        pytest.param([5], [submit(1, 0), submit(2, 1, C)], [], id="or of one that is claimed"),
        pytest.param([5], [submit(1, 0), submit(2, 6, C)], [(5, 1)], id="claimed after it came"),
        pytest.param([5, 9], [submit(1, 0), submit(2, 6, C)], [(5, 1)], id="then the next waits"),
        pytest.param([5], [submit(1, 0), submit(2, 1, D)], [], id="or of one delivered since"),
        pytest.param([5], [submit(1, 0), submit(2, 1)], [], id="one of two messages"),
        pytest.param(
            [5, 6], [submit(1, 0), submit(2, 1)], [(5, 1), (6, 2)], id="as many as messages"
        ),
        pytest.param(
            [5, 6], [submit(2, 1), submit(1, 0)], [(5, 1), (6, 2)], id="in the order of time"
        ),
        pytest.param(
            [3, 9], [submit(1, 0), submit(2, 5)], [(3, 1), (9, 2)], id="told by the time alone"
        ),
        pytest.param([7, 9], [submit(1, 0), submit(2, 5)], [(7, 1), (9, 2)], id="both after both"),
        pytest.param([7], [submit(1, 0), submit(2, 5)], [], id="one after both"),
        pytest.param([5], [submit(1, 0), submit(1, 0, part=2)], [], id="one of two parts"),
        pytest.param(
            [5, 6],
            [submit(1, 0, part=2), submit(1, 0, part=1)],
            [(5, 1), (6, 1)],
            id="one for each part",
        ),
        pytest.param(
            [5, 6, 7],
            [submit(1, 0), submit(1, 0, part=2), submit(2, 1), submit(2, 1, part=2)],
            [],
            id="three for four parts of two messages",
        ),
        pytest.param(
            [5], [submit(1, 0), submit(1, 3, attempt=2)], [(5, 1)], id="lost twice: either"
        ),
        pytest.param(
            [5, 6],
            [submit(1, 0), submit(1, 3, attempt=2), submit(2, 2)],
            [],
            id="both may be of the one lost twice",
        ),
        pytest.param(
            [5, 6, 7],
            [submit(1, 0), submit(1, 3, attempt=2), submit(2, 2)],
            [(5, 1), (6, 2), (7, 1)],
            id="as many as submits",
        ),
        pytest.param(
            [2, 6],
            [submit(1, 0), submit(1, 3, attempt=2), submit(2, 5)],
            [(2, 1)],
            id="the other submit of a settled one stays possible",
        ),
    ],
)
def test_which_submit_a_receipt_is_for(
    receipts: list[float], submits: list[Submit], pairs: list[tuple[float, int]]
) -> None:
    given_out = assign([receipt(at) for at in receipts], submits)
    assert [(one.received_at - T, its.segment.mt) for one, its in given_out] == pairs


SUBMITS = st.lists(
    st.builds(
        submit,
        st.integers(1, 3),
        st.integers(0, 9),
        st.sampled_from([U, Q, W, C, A, D]),
        st.integers(1, 2),
        st.integers(1, 2),
    ),
    max_size=6,
    unique_by=lambda one: (one.segment, one.attempt),
)


LOST = ReceiptState.UNDELIVERABLE


@pytest.mark.parametrize(
    ("submits", "pairs"),
    [
        pytest.param([submit(1, 0), submit(2, 1)], [], id="two messages: nobody knows which"),
        pytest.param(
            [submit(1, 0), submit(1, 1, part=2)], [(5, 1), (9, 1)], id="one message: no difference"
        ),
        pytest.param(
            [submit(1, 0), submit(2, 7)], [(5, 1), (9, 2)], id="the first is from before the second"
        ),
        pytest.param(
            [submit(1, 0), submit(2, 1, message_id="R9")], [(9, 2), (5, 1)], id="one has our id"
        ),
    ],
)
def test_receipts_that_say_different_things(
    submits: list[Submit], pairs: list[tuple[float, int]]
) -> None:
    given = assign([receipt(5), receipt(9)._replace(state=LOST)], submits)
    assert [(one.received_at - T, its.segment.mt) for one, its in given] == pairs


@given(st.lists(st.integers(0, 12), max_size=6, unique=True), SUBMITS)
def test_each_receipt_settles_one_open_submit_that_was_before_it(
    times: list[int], submits: list[Submit]
) -> None:
    pairs = assign([receipt(at) for at in times], submits)
    assert len({one.message_id for one, _ in pairs}) == len(pairs)
    assert len({(its.segment, its.attempt) for _, its in pairs}) == len(pairs)
    for one, its in pairs:
        assert its.open
        assert its.at <= one.received_at


def test_every_final_receipt_has_a_final_state() -> None:
    assert set(BY_RECEIPT) == {state for state in ReceiptState if state.final}
    assert set(BY_RECEIPT.values()) <= FINAL

"""The outbox: who is asked for room, and when there is something to send."""

from collections.abc import Sequence

import pytest

from smsgw.service.message import (
    Acceptance,
    Inquiry,
    Layout,
    MessageKind,
    Msisdn,
    Outcome,
    Segment,
    SegmentKey,
)
from smsgw.service.outbox import Outbox
from smsgw.service.ports import LinkState, LinkStatus

T = 1_800_000_000.0


class Carrier:
    """A link with so much room."""

    def __init__(self, name: str, places: int, spare: int) -> None:
        self.id = name
        self.places, self.bulk = places, spare
        self.submitted: list[int] = []

    def capacity(self) -> int:
        return self.places

    def spare(self) -> int:
        return self.bulk

    def submit(self, segments: Sequence[Segment]) -> None:
        self.submitted += [one.key.mt for one in segments]

    def ask(self, inquiries: Sequence[Inquiry]) -> int:
        return 0

    def state(self) -> LinkState:
        return LinkState(self.id, self.id, LinkStatus.BOUND, T, 1, 0, 10, 0.0, "")


def segment(kind: MessageKind, number: int = 1, carrier: str = "mtel") -> Segment:
    return Segment(
        SegmentKey(number, 1), carrier, kind, Msisdn("359888123456"), b"x", 0, Layout.PLAIN, 0, T
    )


def outbox(*carriers: Carrier) -> Outbox:
    """One that knows that nothing is queued."""
    made = Outbox()
    for one in carriers:
        made.add(one)
        places, one.places, bulk, one.bulk = one.places, 1, one.bulk, 1
        made.free()
        made.spare()
        one.places, one.bulk = places, bulk
    return made


def test_of_a_new_link_everything_is_expected() -> None:
    one = Outbox()
    one.add(Carrier("mtel", 5, 0))
    assert one.sendable()
    one.free()
    assert not one.sendable()


@pytest.mark.parametrize(
    ("backlog", "places", "spare", "sendable"),
    [
        pytest.param("urgent", 1, 0, True, id="urgent, with room for it alone"),
        pytest.param("urgent", 0, 0, False, id="urgent, without room"),
        pytest.param("bulk", 9, 0, False, id="bulk, where all room is kept for answers"),
        pytest.param("bulk", 9, 1, True, id="bulk, with room"),
        pytest.param("nothing", 9, 9, False, id="nothing"),
    ],
)
def test_bulk_that_has_no_room_is_no_reason_to_turn(
    backlog: str, places: int, spare: int, sendable: bool
) -> None:
    one = outbox(Carrier("mtel", places, spare))
    one.noted(
        ["mtel"] if backlog == "urgent" else [],
        ["mtel"] if backlog == "bulk" else [],
    )
    assert one.sendable() is sendable


def test_only_a_carrier_that_was_asked_about_has_nothing_left() -> None:
    full, empty = Carrier("mtel", 5, 0), Carrier("vivacom", 5, 4)
    one = outbox(full, empty)
    one.look_again()
    assert one.free() == {"mtel": 5, "vivacom": 5}
    assert one.spare() == {"vivacom": 4}
    assert not one.sendable()
    full.bulk = 3
    assert one.sendable(), "what it has for mtel was never looked at"


@pytest.mark.parametrize("kind", list(MessageKind))
def test_what_comes_back_is_expected_as_what_it_is(kind: MessageKind) -> None:
    carrier = Carrier("mtel", 5, 0)
    one = outbox(carrier)
    one.settled([Outcome(segment(kind), Acceptance.NOT_SENT, T)])
    one.take()
    assert one.sendable() is (kind < MessageKind.NOTICE)
    carrier.bulk = 1
    assert one.sendable()


def test_segments_of_a_carrier_are_submitted_together() -> None:
    first, second = Carrier("mtel", 5, 4), Carrier("vivacom", 5, 4)
    one = outbox(first, second)
    one.dispatch(
        [
            segment(MessageKind.ANSWER, 1),
            segment(MessageKind.NOTICE, 2),
            segment(MessageKind.NOTICE, 3, "vivacom"),
        ]
    )
    assert (first.submitted, second.submitted) == ([1, 2], [3])

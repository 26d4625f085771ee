"""A message as those see it who look: its state, its next moment, and what comes next."""

import pytest

from smsgw.service.message import FINAL, Layout, MessageKind, Msisdn, MtState
from smsgw.service.record import LIVE, MessageRecord, SegmentRecord, Ways, outlook

T = 1_000_000.0
MANUAL, ANSWER, NOTICE = MessageKind.MANUAL, MessageKind.ANSWER, MessageKind.NOTICE
WAYS = Ways({"mtel"}, {NOTICE})


def segment(state: MtState, not_before: float | None = None, **more: object) -> SegmentRecord:
    one = SegmentRecord(state, None, 1, 1, 0, None, T, not_before, None, None, None)
    return one._replace(**more)  # type: ignore[arg-type]


def message(*segments: SegmentRecord, kind: MessageKind = MANUAL, **more: object) -> MessageRecord:
    one = MessageRecord(
        7, None, kind, "mtel", Msisdn("359888123456"), "x", 0, T, T + 100, Layout.PLAIN, 0, segments
    )
    return one._replace(**more)  # type: ignore[arg-type]


QUEUED, WAITING, UNKNOWN = MtState.QUEUED, MtState.WAITING, MtState.UNKNOWN
HELD = segment(UNKNOWN)


@pytest.mark.parametrize(
    ("one", "kind", "expected"),
    [
        (segment(QUEUED), MANUAL, "goes out as soon as mtel has a place for it, until +100"),
        (segment(WAITING, T + 5), MANUAL, "is tried again from +5"),
        (segment(WAITING, T + 5, attempts=0), MANUAL, "goes out from +5"),
        (segment(MtState.CLAIMED), MANUAL, "being sent; the carrier's response is waited for"),
        (
            segment(MtState.ACCEPTED),
            MANUAL,
            "the carrier has it; its receipt is waited for, until +100 at least",
        ),
        (segment(UNKNOWN, T + 9), MANUAL, "waits until +9 for a receipt, then is held"),
        (
            segment(UNKNOWN, T + 9, lost=1),
            NOTICE,
            "waits until +9 for a receipt, then is sent once more",
        ),
        (segment(UNKNOWN, T + 9, lost=2), NOTICE, "waits until +9 for a receipt, then is held"),
        (
            segment(UNKNOWN, T + 9, lost=2),
            ANSWER,
            "waits until +9 for a receipt, then is held until +100, then unconfirmed",
        ),
        (
            HELD,
            MANUAL,
            "held: smsgw queue retry 7 sends it again, smsgw queue cancel 7 ends it",
        ),
        (
            HELD,
            ANSWER,
            "held until +100, then unconfirmed: smsgw queue retry 7 sends it again, smsgw queue"
            " cancel 7 ends it",
        ),
        *[(segment(state), MANUAL, "") for state in sorted(FINAL)],
    ],
)
def test_what_comes_next(one: SegmentRecord, kind: MessageKind, expected: str) -> None:
    found = outlook(message(one, kind=kind), one, WAYS, T, lambda at: f"+{at - T:g}")
    assert found == expected


@pytest.mark.parametrize("one", [segment(QUEUED), segment(WAITING, T + 500)])
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"valid_until": T - 1}, "ends, for it was worth sending until -1"),
        (
            {"carrier": "gone"},
            "stays until +100 and then ends, as carrier gone is not enabled",
        ),
    ],
)
def test_what_does_not_go_out(
    one: SegmentRecord, changes: dict[str, object], expected: str
) -> None:
    found = outlook(message(one, **changes), one, WAYS, T, lambda at: f"{at - T:+g}")  # type: ignore[arg-type]
    assert found == expected


@pytest.mark.parametrize(
    ("segments", "shown"),
    [
        ([segment(QUEUED), HELD], "queued"),
        ([HELD, segment(MtState.ACCEPTED)], "held"),
        ([segment(UNKNOWN, T), segment(MtState.DELIVERED)], "unknown"),
        ([segment(UNKNOWN, T), HELD], "held"),
        ([segment(MtState.DELIVERED), segment(MtState.REFUSED)], "refused"),
    ],
)
def test_the_word_for_its_state(segments: list[SegmentRecord], shown: str) -> None:
    assert message(*segments).shown == shown


def test_there_is_a_word_for_each_live_state() -> None:
    assert set(LIVE) == {*(set(MtState) - FINAL), "held"}
    assert {segment(state, T).shown for state in MtState} | {HELD.shown} == {*MtState, "held"}


def test_what_a_line_says_of_several_parts() -> None:
    one = message(
        segment(WAITING, T + 9, attempts=3, error="old", changed_at=T - 5),
        segment(WAITING, T + 5, error="new"),
        segment(MtState.DELIVERED, T + 1, changed_at=T + 9),
    )
    assert (one.attempts, one.next_at, one.error) == (3, T + 5, "new")
    assert (message(HELD).next_at, message(HELD).error) == (None, None)

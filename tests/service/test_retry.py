"""Every outcome of a submit, and what becomes of the segment."""

import pytest

from smsgw.service.message import (
    TRANSITIONS,
    Acceptance,
    Layout,
    MessageKind,
    Msisdn,
    MtState,
    Outcome,
    Segment,
    SegmentKey,
)
from smsgw.service.ports import Settlement
from smsgw.service.retry import (
    VALIDITY,
    Losses,
    after_loss,
    after_wait,
    late_counts,
    settle,
    valid_until,
    worth_sending,
)

T = 1_000_000.0
ANSWER, NOTICE = MessageKind.ANSWER, MessageKind.NOTICE


def segment(
    kind: MessageKind, attempts: int, lost: int, age: float, *, bare: bool = False
) -> Segment:
    return Segment(
        SegmentKey(1, 1),
        "mtel",
        kind,
        Msisdn("359888123456"),
        b"x",
        0,
        Layout.PLAIN,
        attempts,
        T - age,
        lost,
        valid_until=valid_until(kind, T - age),
        bare=bare,
    )


@pytest.mark.parametrize(
    ("acceptance", "kind", "attempts", "lost", "age", "state", "wait", "attempts_after"),
    [
        (Acceptance.ACCEPTED, ANSWER, 0, 0, 0, MtState.ACCEPTED, None, 1),
        (Acceptance.PERMANENT, ANSWER, 0, 0, 0, MtState.REFUSED, None, 1),
        (Acceptance.NOT_SENT, ANSWER, 0, 0, 0, MtState.QUEUED, None, 0),
        (Acceptance.THROTTLED, ANSWER, 3, 0, 0, MtState.QUEUED, None, 3),
        (Acceptance.LINK, NOTICE, 0, 0, 0, MtState.WAITING, 5.0, 1),
        (Acceptance.TEMPORARY, ANSWER, 0, 0, 0, MtState.WAITING, 5.0, 1),
        (Acceptance.TEMPORARY, ANSWER, 1, 0, 0, MtState.WAITING, 10.0, 2),
        (Acceptance.TEMPORARY, ANSWER, 5, 0, 0, MtState.WAITING, 160.0, 6),
        (Acceptance.TEMPORARY, ANSWER, 6, 0, 0, MtState.WAITING, 300.0, 7),
        (Acceptance.TEMPORARY, ANSWER, 10_000, 0, 0, MtState.WAITING, 300.0, 10_001),
        (Acceptance.TEMPORARY, ANSWER, 9, 0, 86_000, MtState.WAITING, 300.0, 10),
        (Acceptance.TEMPORARY, ANSWER, 9, 0, 86_200, MtState.EXPIRED, None, 10),
        (Acceptance.QUEUE_FULL, ANSWER, 0, 0, 0, MtState.WAITING, 5.0, 1),
        (Acceptance.FEW_TRIES, ANSWER, 0, 0, 0, MtState.WAITING, 30.0, 1),
        (Acceptance.FEW_TRIES, ANSWER, 1, 0, 0, MtState.WAITING, 60.0, 2),
        (Acceptance.FEW_TRIES, ANSWER, 2, 0, 0, MtState.REFUSED, None, 3),
        (Acceptance.LOST, ANSWER, 0, 0, 0, MtState.QUEUED, None, 1),
        (Acceptance.TEMPORARY, ANSWER, 9, 1, 86_200, MtState.UNCONFIRMED, None, 10),
        (Acceptance.LOST, ANSWER, 1, 1, 0, MtState.UNKNOWN, 900.0, 2),
        (Acceptance.LOST, MessageKind.CODE, 0, 0, 0, MtState.QUEUED, None, 1),
        (Acceptance.LOST, MessageKind.CONFIRMATION, 0, 0, 0, MtState.UNKNOWN, 900.0, 1),
        (Acceptance.LOST, NOTICE, 0, 0, 0, MtState.UNKNOWN, 900.0, 1),
    ],
)
def test_what_becomes_of_a_segment(
    acceptance: Acceptance,
    kind: MessageKind,
    attempts: int,
    lost: int,
    age: float,
    state: MtState,
    wait: float | None,
    attempts_after: int,
) -> None:
    settled = settle(Outcome(segment(kind, attempts, lost, age), acceptance, T, "id", "why"))

    assert settled.state is state
    assert settled.not_before == (None if wait is None else T + wait)
    assert settled.attempts == attempts_after
    assert settled.lost == lost + (acceptance is Acceptance.LOST)
    assert (settled.message_id, settled.error) == ("id", "why")


@pytest.mark.parametrize(
    ("bare", "state"), [(False, MtState.QUEUED), (True, MtState.REFUSED)], ids=["first", "second"]
)
def test_what_is_refused_for_its_tlvs_goes_once_more_without_them(
    bare: bool, state: MtState
) -> None:
    settled = settle(Outcome(segment(ANSWER, 3, 0, 0, bare=bare), Acceptance.TLVS, T))
    assert (settled.state, settled.bare, settled.attempts) == (state, True, 4)
    assert settled.not_before is None


@pytest.mark.parametrize("acceptance", set(Acceptance) - {Acceptance.TLVS}, ids=str)
@pytest.mark.parametrize("bare", [False, True])
def test_what_went_without_tlvs_stays_without_them(acceptance: Acceptance, bare: bool) -> None:
    assert settle(Outcome(segment(ANSWER, 0, 0, 0, bare=bare), acceptance, T)).bare is bare


def test_every_kind_has_a_validity() -> None:
    assert set(VALIDITY) == set(MessageKind)


@pytest.mark.parametrize(
    ("given", "until"), [(None, T + 600), (T + 30, T + 30), (T + 9000, T + 9000)], ids=str
)
def test_how_long_a_message_is_worth_sending(given: float | None, until: float) -> None:
    assert valid_until(MessageKind.CODE, T, given) == until
    assert worth_sending(until, until)
    assert not worth_sending(until, until + 0.1)


RESEND_NOTICES = Losses(60.0, frozenset({NOTICE}))


@pytest.mark.parametrize("kind", MessageKind)
def test_nothing_is_sent_a_third_time_blindly(kind: MessageKind) -> None:
    everything = Losses(60.0, frozenset(MessageKind))
    assert after_loss(kind, 1, T, everything) == (MtState.UNKNOWN, T + 60)
    assert after_wait(kind, 2, everything) is MtState.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "lost", "state"),
    [
        pytest.param(NOTICE, 1, MtState.QUEUED, id="once more"),
        pytest.param(NOTICE, 2, MtState.UNKNOWN, id="it was sent once more"),
        pytest.param(MessageKind.CONFIRMATION, 1, MtState.UNKNOWN, id="of a kind that is held"),
        pytest.param(ANSWER, 2, MtState.UNKNOWN, id="an answer that was sent once more"),
    ],
)
def test_after_the_wait_for_a_receipt(kind: MessageKind, lost: int, state: MtState) -> None:
    assert after_wait(kind, lost, RESEND_NOTICES) is state


def late(acceptance: Acceptance, kind: MessageKind = NOTICE) -> Settlement:
    """Of a first submit."""
    return settle(Outcome(segment(kind, 0, 0, 0), acceptance, T, "A", late=True))


@pytest.mark.parametrize(
    ("acceptance", "state", "attempts", "counts"),
    [
        pytest.param(Acceptance.ACCEPTED, MtState.UNKNOWN, 1, True, id="while it waits"),
        pytest.param(Acceptance.ACCEPTED, MtState.QUEUED, 1, True, id="before it goes once more"),
        pytest.param(Acceptance.ACCEPTED, MtState.CLAIMED, 1, False, id="on the wire once more"),
        pytest.param(Acceptance.ACCEPTED, MtState.WAITING, 2, True, id="refused since, for now"),
        pytest.param(Acceptance.ACCEPTED, MtState.UNKNOWN, 2, True, id="lost once more"),
        pytest.param(Acceptance.ACCEPTED, MtState.ACCEPTED, 2, False, id="accepted since"),
        pytest.param(Acceptance.ACCEPTED, MtState.CANCELLED, 1, False, id="by the operator"),
        pytest.param(Acceptance.PERMANENT, MtState.UNKNOWN, 1, True, id="refused"),
        pytest.param(Acceptance.PERMANENT, MtState.QUEUED, 1, True, id="refused, before it goes"),
        pytest.param(Acceptance.PERMANENT, MtState.UNKNOWN, 2, False, id="the second is unknown"),
        pytest.param(Acceptance.THROTTLED, MtState.UNKNOWN, 1, True, id="certainly not sent"),
        pytest.param(Acceptance.TEMPORARY, MtState.DELIVERED, 1, False, id="a receipt came"),
    ],
)
def test_what_a_late_response_changes(
    acceptance: Acceptance, state: MtState, attempts: int, counts: bool
) -> None:
    assert late_counts(late(acceptance), state, attempts) is counts


def test_every_late_response_that_counts_is_a_legal_transition() -> None:
    for acceptance in set(Acceptance) - {Acceptance.LOST, Acceptance.NOT_SENT}:
        settled = late(acceptance)
        assert (settled.attempts, settled.lost) == (1, 0)
        for state in MtState:
            if late_counts(settled, state, 1) and settled.state is not state:
                assert settled.state in TRANSITIONS[state]


@pytest.mark.parametrize(
    ("acceptance", "message_id", "unnamed"),
    [
        (Acceptance.ACCEPTED, "A", False),
        (Acceptance.ACCEPTED, "", True),
        (Acceptance.LOST, "", True),
        (Acceptance.TEMPORARY, "", False),
        (Acceptance.NOT_SENT, "", False),
    ],
)
def test_whether_the_carrier_may_have_it_by_another_name(
    acceptance: Acceptance, message_id: str, unnamed: bool
) -> None:
    assert settle(Outcome(segment(NOTICE, 0, 0, 0), acceptance, T, message_id)).unnamed is unnamed


def test_every_decision_is_a_legal_transition() -> None:
    for acceptance in Acceptance:
        for kind in MessageKind:
            for attempts, lost, age in ((0, 0, 0.0), (1, 1, 0.0), (9, 0, 1e6), (9, 1, 1e6)):
                settled = settle(Outcome(segment(kind, attempts, lost, age), acceptance, T))
                assert settled.state in TRANSITIONS[MtState.CLAIMED]

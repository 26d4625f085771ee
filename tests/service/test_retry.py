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
from smsgw.service.retry import (
    SENT_ONCE_MORE,
    VALIDITY,
    after_loss,
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
        (Acceptance.LOST, ANSWER, 1, 1, 0, MtState.UNKNOWN, None, 2),
        (Acceptance.LOST, MessageKind.CODE, 0, 0, 0, MtState.QUEUED, None, 1),
        (Acceptance.LOST, MessageKind.CONFIRMATION, 0, 0, 0, MtState.UNKNOWN, None, 1),
        (Acceptance.LOST, NOTICE, 0, 0, 0, MtState.UNKNOWN, None, 1),
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


@pytest.mark.parametrize("kind", MessageKind)
def test_nothing_is_sent_a_third_time_blindly(kind: MessageKind) -> None:
    assert after_loss(kind, 1) is MtState.UNKNOWN


RESENT = frozenset({*SENT_ONCE_MORE, MessageKind.CONFIRMATION})


@pytest.mark.parametrize(
    ("kind", "lost", "state"),
    [
        (MessageKind.CONFIRMATION, 0, MtState.QUEUED),
        (MessageKind.CONFIRMATION, 1, MtState.UNKNOWN),
        (MessageKind.NOTICE, 0, MtState.UNKNOWN),
        (MessageKind.ANSWER, 0, MtState.QUEUED),
    ],
)
def test_the_configuration_may_have_more_sent_once_more(
    kind: MessageKind, lost: int, state: MtState
) -> None:
    outcome = Outcome(segment(kind, lost, lost, 0), Acceptance.LOST, T)
    assert settle(outcome, RESENT).state is state


def test_every_decision_is_a_legal_transition() -> None:
    for acceptance in Acceptance:
        for kind in MessageKind:
            for attempts, lost, age in ((0, 0, 0.0), (1, 1, 0.0), (9, 0, 1e6)):
                settled = settle(Outcome(segment(kind, attempts, lost, age), acceptance, T))
                assert settled.state in TRANSITIONS[MtState.CLAIMED]

"""What happens to a segment after a submit: a pure decision, mostly a table."""

from collections.abc import Collection
from typing import Final, NamedTuple

from smsgw.service.message import Acceptance, MessageKind, MtState, Outcome
from smsgw.service.ports import Settlement

# How long a message is worth sending. Past it an attempt is no longer made.
VALIDITY: Final[dict[MessageKind, float]] = {
    MessageKind.CODE: 10 * 60.0,  # as long as the code itself
    MessageKind.ANSWER: 24 * 3600.0,
    MessageKind.CONFIRMATION: 3 * 24 * 3600.0,  # over a weekend
    MessageKind.MANUAL: 3 * 24 * 3600.0,
    MessageKind.NOTICE: 24 * 3600.0,
    MessageKind.ANNOUNCEMENT: 24 * 3600.0,
}


class BackOff(NamedTuple):
    """Waits of `first`, twice that, and so on up to `longest` seconds; at most `tries` submits."""

    first: float
    longest: float
    tries: int | None  # None: as long as the message is worth sending


BACK_OFF: Final[dict[Acceptance, BackOff]] = {
    Acceptance.TEMPORARY: BackOff(first=5.0, longest=300.0, tries=None),
    Acceptance.QUEUE_FULL: BackOff(first=5.0, longest=300.0, tries=None),
    # Not its fault, most likely; but one that draws this always must not rebind the link for ever.
    Acceptance.LINK: BackOff(first=5.0, longest=300.0, tries=None),
    Acceptance.FEW_TRIES: BackOff(first=30.0, longest=300.0, tries=3),
}

# Seconds: a message that nobody waits for, made at closing time, waits for the next opening.
LONGEST_WAIT: Final = 24 * 3600.0

# A refusal for the link's pace says nothing of the message: it keeps its place in the queue.
NOT_ITS_FAULT: Final = frozenset({Acceptance.NOT_SENT, Acceptance.THROTTLED})

# Kinds whose receiver is waiting for them: better twice than never, so sent once more at once when
# the response was lost.
SENT_ONCE_MORE: Final = frozenset({MessageKind.CODE, MessageKind.ANSWER})


class Losses(NamedTuple):
    """What becomes of the other kinds, and of what was sent once more, when a response was lost."""

    wait: float = 15 * 60.0  # seconds for a receipt that settles it
    # Kinds that are then sent once more. Others are held until an operator or a receipt decides.
    resend: Collection[MessageKind] = ()


HOLD: Final = Losses()


def settle(outcome: Outcome, losses: Losses = HOLD) -> Settlement:
    """What to write of the segment, given what became of its submit."""
    segment, acceptance = outcome.segment, outcome.acceptance
    attempts, lost, bare = segment.attempts, segment.lost, segment.bare
    not_before: float | None = None
    unnamed = False
    if acceptance is Acceptance.ACCEPTED:
        state = MtState.ACCEPTED
        attempts += 1
        unnamed = not outcome.message_id
    elif acceptance in NOT_ITS_FAULT:
        state = MtState.QUEUED
        attempts += outcome.late  # counted when it was given up
    elif acceptance is Acceptance.PERMANENT:
        state = MtState.REFUSED
        attempts += 1
    elif acceptance is Acceptance.TLVS:
        state = MtState.REFUSED if bare else MtState.QUEUED
        attempts += 1
        bare = True
    elif acceptance is Acceptance.LOST:
        state, not_before = after_loss(segment.kind, lost, outcome.at, losses)
        attempts += 1
        lost += 1
        unnamed = True
    else:
        attempts += 1
        state, not_before = _later(outcome, attempts)
    return Settlement(
        segment.key,
        segment.carrier,
        state,
        not_before,
        outcome.message_id,
        outcome.error,
        attempts,
        lost,
        outcome.response_id,
        outcome.late,
        bare,
        unnamed,
        outcome.not_ours,
    )


def after_loss(
    kind: MessageKind, lost_before: int, at: float, losses: Losses
) -> tuple[MtState, float | None]:
    """Where a segment goes whose submit may or may not have reached the carrier, given up at `at`;
    and when its wait ends, if it has one."""
    if kind in SENT_ONCE_MORE and not lost_before:
        return MtState.QUEUED, None
    return MtState.UNKNOWN, at + losses.wait


def after_wait(kind: MessageKind, lost: int, losses: Losses) -> MtState:
    """Where a segment goes for which no receipt came: QUEUED, or UNKNOWN to be held.

    Nothing is sent a third time blindly.
    """
    return MtState.QUEUED if kind in losses.resend and lost == 1 else MtState.UNKNOWN


def late_counts(late: Settlement, state: MtState, attempts: int) -> bool:
    """Whether a late response says something new of a segment that is in `state` after `attempts`.

    An acceptance always does, unless the segment is on the wire once more. A refusal only of the
    last submit: what became of the one after it isn't changed by it.
    """
    if late.state is MtState.ACCEPTED:
        return state in (MtState.QUEUED, MtState.WAITING, MtState.UNKNOWN)
    return state in (MtState.QUEUED, MtState.UNKNOWN) and attempts == late.attempts


def too_late(lost: int) -> MtState:
    """What a segment is that is no longer worth sending, after `lost` submits without a response:
    of these one may have been delivered."""
    return MtState.UNCONFIRMED if lost else MtState.EXPIRED


def valid_until(kind: MessageKind, created_at: float, given: float | None = None) -> float:
    """Until when a message is worth sending: as `given` with it, else as its kind has it."""
    return created_at + VALIDITY[kind] if given is None else given


def worth_sending(until: float, now: float) -> bool:
    return now <= until


def _later(outcome: Outcome, attempts: int) -> tuple[MtState, float | None]:
    """The state after the refusal that ended attempt number `attempts`, and when to try again."""
    policy = BACK_OFF[outcome.acceptance]
    if policy.tries is not None and attempts >= policy.tries:
        return MtState.REFUSED, None
    doublings = min(attempts - 1, 16)  # 2^16 x 5 s is beyond any `longest`
    not_before = outcome.at + min(policy.first * 2.0**doublings, policy.longest)
    if not worth_sending(outcome.segment.valid_until, not_before):
        return too_late(outcome.segment.lost), None
    return MtState.WAITING, not_before

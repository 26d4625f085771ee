"""What receipts say of segments; and of which segment one is that names an id nobody knows. Pure.

The carrier's id of a submit stays unknown when its response is lost, or gives none. A receipt for
it can then only be told by the handset and the time. To say that a message was delivered which
was not is worse than to say nothing: where a receipt could be of another segment too, it waits.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from smsgw.service.message import MtState, Receipt, ReceiptState, SegmentKey

# What a receipt that is final makes of its segment.
BY_RECEIPT: Final = {
    ReceiptState.DELIVERED: MtState.DELIVERED,
    ReceiptState.EXPIRED: MtState.UNDELIVERED,
    ReceiptState.DELETED: MtState.UNDELIVERED,
    ReceiptState.UNDELIVERABLE: MtState.UNDELIVERED,
    ReceiptState.REJECTED: MtState.UNDELIVERED,
    ReceiptState.UNKNOWN: MtState.UNDELIVERED,
}


class How(StrEnum):
    """By what a receipt was matched to its segment."""

    ID = "id"
    RESPONSE = "response"  # by the id of a response in the same transaction
    PARKED = "parked"  # by the id of a response that came later
    HANDSET = "handset"  # the response was lost, or gave no id
    ASKED = "asked"  # by the id that the carrier was asked about
    REPEATED = "repeated"  # of one that had settled its segment before


# Segments that a receipt for a lost submit settles: nothing more is known of them. Those queued
# again need not be sent any more.
OPEN: Final = frozenset({MtState.UNKNOWN, MtState.QUEUED, MtState.WAITING})


class Submit(NamedTuple):
    """A submit to a handset by an id that isn't known, or not yet."""

    segment: SegmentKey
    attempt: int
    at: float  # when its segment was claimed
    state: MtState  # of the segment now
    # The one id of the segment that is known: of an accepted one it is another submit's, else it is
    # ours, by which this one went out.
    message_id: str = ""

    @property
    def open(self) -> bool:
        return self.state in OPEN or (self.state is MtState.ACCEPTED and not self.message_id)


Pair = tuple[Receipt, Submit]


def assign(receipts: Sequence[Receipt], submits: Sequence[Submit]) -> list[Pair]:
    """Which of these receipts are for which of these submits, beyond doubt.

    All are of one carrier and one handset; the receipts are final and name ids that nobody knows.
    A receipt is for a submit that was made before it. It is certain which one,

    - where it names the id that we gave an open one; or
    - where all that it could be for are of one segment, and that is open; or
    - where as many receipts came as there are submits they could be for, all of open segments,
      and it makes no difference to any message which one has which: all say the same, or all are
      of one message. They are given out in the order of time. So the parts of a long message wait
      until the receipts of all are there.
    """
    waiting = sorted(receipts, key=lambda receipt: receipt.received_at)
    left = sorted(submits, key=lambda submit: (submit.at, submit.segment, submit.attempt))
    by_id = {each.message_id: each for each in left if each.message_id and each.state in OPEN}
    pairs = [(one, by_id[one.message_id]) for one in waiting if one.message_id in by_id]
    waiting = [one for one in waiting if one.message_id not in by_id]
    left = _left(left, pairs)
    count = 1
    while count <= len(waiting):
        possible = [submit for submit in left if submit.at <= waiting[count - 1].received_at]
        if not all(submit.open for submit in possible):
            break  # and later receipts could be for that one, too
        if _certain(waiting[:count], possible):
            given = list(zip(waiting[:count], possible, strict=False))
            pairs += given
            waiting = waiting[count:]
            left = _left(left, given)
            count = 1
        else:
            count += 1
    return pairs


def _certain(receipts: Sequence[Receipt], possible: Sequence[Submit]) -> bool:
    """Whether these receipts can be given to these submits, all that they could be for."""
    if len({submit.segment for submit in possible}) == 1:
        return True
    same = len({BY_RECEIPT[receipt.state] for receipt in receipts}) == 1
    one_message = len({submit.segment.mt for submit in possible}) == 1
    return len(possible) <= len(receipts) and (same or one_message or not possible)


def _left(submits: Sequence[Submit], pairs: Sequence[Pair]) -> list[Submit]:
    """What is left of `submits` once the segments of these pairs are settled."""
    settled = {submit.segment for _, submit in pairs}
    used = {(submit.segment, submit.attempt) for _, submit in pairs}
    return [
        submit._replace(state=MtState.DELIVERED) if submit.segment in settled else submit
        for submit in submits
        if (submit.segment, submit.attempt) not in used
    ]

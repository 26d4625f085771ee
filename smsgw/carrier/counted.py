"""What became of submits, as the pace of a link counts it."""

from collections import Counter
from collections.abc import Sequence

from smsgw.carrier.pace import Answers
from smsgw.service.message import Acceptance, Outcome


def counted(outcomes: Sequence[Outcome]) -> Answers:
    """The answers; what is late was counted when it was given up."""
    in_time = [each for each in outcomes if not each.late]
    counts = Counter(each.acceptance for each in in_time)
    accepted, throttled = counts[Acceptance.ACCEPTED], counts[Acceptance.THROTTLED]
    full = 0
    if counts[Acceptance.QUEUE_FULL]:
        refused = (each for each in in_time if each.acceptance is Acceptance.QUEUE_FULL)
        full = len({each.segment.destination for each in refused})
    return Answers(accepted, throttled, full, len(in_time) - accepted - throttled - full)

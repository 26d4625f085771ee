"""A carrier says that a phone is not its own: what becomes of the message. Pure.

The message is tried over the other carriers, one after another, each once. The one that delivers
it is the phone's.
"""

from collections.abc import Collection, Iterable
from enum import Enum, auto
from typing import Final

from smsgw.service.message import FINAL, MessageKind, MtState

# What such a word of the carrier's makes of a segment.
DISOWNED: Final = frozenset({MtState.REFUSED, MtState.UNDELIVERED})

# Kinds whose receiver is waiting for them: tried over another carrier at any hour.
AWAITED: Final = frozenset({MessageKind.CODE, MessageKind.ANSWER, MessageKind.MANUAL})


class Step(Enum):
    """How a message goes on that looks for its phone's carrier."""

    WAIT = auto()  # something is still to be learned of it
    FOUND = auto()  # its carrier is the phone's
    NEXT = auto()  # over another carrier, if there is one
    OVER = auto()


def step(states: Collection[MtState], *, repeated: bool, disowned: bool) -> Step:
    """The step after a segment came to a final state; `states` are those of all segments.

    `repeated`: it repeats what another carrier disowned. `disowned`: its carrier says the same.
    What may have been delivered in part is not sent again: nobody is to get a message twice.
    """
    if MtState.DELIVERED in states:
        return Step.FOUND if repeated else Step.OVER
    if not FINAL.issuperset(states):
        return Step.WAIT
    return Step.NEXT if (repeated or disowned) and DISOWNED.issuperset(states) else Step.OVER


def next_carrier(tried: Collection[str], enabled: Iterable[str]) -> str | None:
    """The first of the enabled carriers, in the configuration's order, that wasn't tried."""
    return next((carrier for carrier in enabled if carrier not in tried), None)

"""What a message of several segments has come to: one state for all of them."""

from collections.abc import Iterable
from typing import Final

from smsgw.service.message import MtState

# The first of these that one of the segments is in is the message's. What is still on its way
# comes first, that which is furthest behind before all; then what went wrong, for a message of
# which a part is missing has not arrived; a part that nothing was learned of casts no doubt on
# those that were delivered.
DECIDING: Final = (
    MtState.WAITING,
    MtState.QUEUED,
    MtState.CLAIMED,
    MtState.UNKNOWN,
    MtState.ACCEPTED,
    MtState.REFUSED,
    MtState.UNDELIVERED,
    MtState.EXPIRED,
    MtState.CANCELLED,
    MtState.DELIVERED,
    MtState.UNCONFIRMED,
)
_PLACE: Final = {state: place for place, state in enumerate(DECIDING)}


def message_state(states: Iterable[MtState]) -> MtState:
    """The state of a message whose segments are in `states`, of which there is at least one."""
    return min(states, key=_PLACE.__getitem__)

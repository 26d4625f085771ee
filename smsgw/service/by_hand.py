"""What an operator may do to messages on their way: the transitions made by hand."""

from typing import Final, NamedTuple

from smsgw.service.message import MtState


class Order(NamedTuple):
    """Segments in one of the states `of` go to `to`; all others stay as they are."""

    of: frozenset[MtState]
    to: MtState


RETRY: Final = Order(frozenset({MtState.WAITING, MtState.UNKNOWN}), MtState.QUEUED)
CANCEL: Final = Order(
    frozenset({MtState.QUEUED, MtState.WAITING, MtState.UNKNOWN}), MtState.CANCELLED
)

# States of segments that never reach a phone, whose cancelling is none the less complete.
NOT_OUT: Final = frozenset({MtState.CANCELLED, MtState.EXPIRED, MtState.REFUSED})

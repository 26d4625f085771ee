"""Who stands above a connection: what made it and is told of its turns."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from smsgw.carrier.questions import Reply
from smsgw.service.message import Outcome
from smsgw.smpp.codec import Pdu

if TYPE_CHECKING:
    from smsgw.carrier.connection import Connection


class Keeper(Protocol):
    """Who made a connection and is told of its turns."""

    def bound(self, connection: "Connection") -> int:
        """Note that the session is bound, and give it its id."""

    def answered(self, connection: "Connection", statuses: Sequence[int]) -> None:
        """Note the command_status of each response to a submit. Its outcome is settled next."""

    def settled(self, connection: "Connection", outcomes: Sequence[Outcome]) -> None:
        """Take what became of segments that were submitted here."""

    def replied(self, connection: "Connection", replies: Sequence[Reply]) -> None:
        """Take what was said to questions that were asked here."""

    def ended(self, connection: "Connection") -> None:
        """Note that the session is over. What was outstanding is settled next."""

    def writable(self, connection: "Connection") -> None:
        """Note that the peer reads again what is sent to it."""


Asked = Callable[["Connection", Pdu], None]  # decides on a bind_* or outbind of the peer's


def not_asked(connection: "Connection", pdu: Pdu) -> None:
    """Dialled by us, the peer has nothing to ask."""

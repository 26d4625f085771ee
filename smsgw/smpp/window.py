"""The requests of ours that wait for a response: sequence numbers, places and deadlines."""

import math
from typing import Final, NamedTuple

from smsgw.smpp.tables import RESPONSE

LATE_WINDOWS: Final = 2  # requests given up that are kept, in windows: the latest ones
MOST_OWN: Final = 8  # only enquire_links can come together, and only unanswered ones
MAX_SEQUENCE: Final = 0x7FFF_FFFF  # SMPP 3.4 section 5.1.4; 0 is not ours to send


class Pending(NamedTuple):
    """A request on its way."""

    response: int  # the command that answers it
    context: object
    sent_at: float


class Window:
    """At most `size` requests of the application at once, in the order they were sent.

    The timeout is the same for all, so the oldest is always the first to run out. The
    session's own requests (bind, enquire_link, unbind) take a sequence number but no place; the
    latest few of them are kept. So do those that were given up: they take no place either, and
    their responses may still come.
    """

    __slots__ = ("_late", "_own", "_pending", "_sequence", "_size", "_timeout")

    def __init__(self, size: int, timeout: float) -> None:
        self._size = size
        self._timeout = timeout
        self._sequence = 0
        self._pending: dict[int, Pending] = {}
        self._late: dict[int, Pending] = {}  # given up, in the order they were sent
        self._own: dict[int, int] = {}  # sequence -> the response that answers it

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def full(self) -> bool:
        return len(self._pending) >= self._size

    @property
    def free(self) -> int:
        return max(0, self._size - len(self._pending))

    @property
    def deadline(self) -> float:
        for pending in self._pending.values():
            return pending.sent_at + self._timeout
        return math.inf

    def next_sequence(self) -> int:
        """A number that no response may come for: 1 to 0x7FFFFFFF, then from 1 again."""
        sequence = self._sequence % MAX_SEQUENCE + 1
        while sequence in self._pending or sequence in self._own or sequence in self._late:
            sequence = sequence % MAX_SEQUENCE + 1
        self._sequence = sequence
        return sequence

    def add(self, sequence: int, command: int, context: object, now: float) -> None:
        self._pending[sequence] = Pending(command | RESPONSE, context, now)

    def add_own(self, sequence: int, command: int) -> None:
        self._own[sequence] = command | RESPONSE
        if len(self._own) > MOST_OWN:
            del self._own[next(iter(self._own))]

    def settle(self, sequence: int, response: int) -> Pending | None:
        """Take out the request that `response` answers; None if there is none.

        A generic_nack (SMPP 3.4 section 4.3) answers any request.
        """
        return _take(self._pending, sequence, response)

    def settle_late(self, sequence: int, response: int) -> Pending | None:
        """As `settle`, for the requests that were given up."""
        return _take(self._late, sequence, response)

    def settle_own(self, sequence: int, response: int) -> int | None:
        """As `settle`, for the session's own requests: the response that was waited for."""
        expected = self._own.get(sequence)
        if expected is None or response not in (expected, RESPONSE):
            return None
        del self._own[sequence]
        return expected

    def overdue(self, now: float) -> list[Pending]:
        """Give up the requests whose response is late."""
        overdue: dict[int, Pending] = {}
        for sequence, pending in self._pending.items():
            if pending.sent_at + self._timeout > now:
                break
            overdue[sequence] = pending
        for sequence in overdue:
            del self._pending[sequence]
        self._late |= overdue
        while len(self._late) > LATE_WINDOWS * self._size:
            del self._late[next(iter(self._late))]
        return list(overdue.values())

    def clear(self) -> list[Pending]:
        """Take out everything that is outstanding, oldest first, and forget the rest."""
        everything = list(self._pending.values())
        self._pending.clear()
        self._late.clear()
        self._own.clear()
        return everything


def _take(requests: dict[int, Pending], sequence: int, response: int) -> Pending | None:
    pending = requests.get(sequence)
    if pending is None or response not in (pending.response, RESPONSE):
        return None
    del requests[sequence]
    return pending

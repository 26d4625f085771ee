"""How long a link waits before it tries again, by what went wrong."""

from collections import Counter
from collections.abc import Mapping
from enum import Enum
from random import Random
from typing import Final, NamedTuple

from smsgw.smpp.status import BindReaction


class Trouble(Enum):
    """Why there is no session, by what is done next."""

    LOST = "lost"  # it was bound, and ended
    UNREACHABLE = "unreachable"  # nobody answers, or not the bind
    CREDENTIALS = "credentials"
    ALREADY_BOUND = "already bound"
    BUSY = "busy"
    VERSION = "version"


class Pause(NamedTuple):
    """Seconds before the next try: `first`, twice that, and so on, at most `longest`."""

    first: float
    longest: float


PAUSES: Final[Mapping[Trouble, Pause]] = {
    Trouble.LOST: Pause(1, 30),
    Trouble.UNREACHABLE: Pause(1, 30),
    Trouble.CREDENTIALS: Pause(120, 600),  # the carrier may mend it; hammering locks accounts
    Trouble.ALREADY_BOUND: Pause(5, 60),  # until the SMSC has noticed that the old session ended
    Trouble.BUSY: Pause(30, 600),
    Trouble.VERSION: Pause(120, 600),
}

REFUSED: Final[Mapping[BindReaction, Trouble]] = {
    BindReaction.CREDENTIALS: Trouble.CREDENTIALS,
    BindReaction.ALREADY_BOUND: Trouble.ALREADY_BOUND,
    BindReaction.BACK_OFF: Trouble.BUSY,
    BindReaction.VERSION: Trouble.VERSION,
}


class Backoff:
    """Counts tries that failed, each trouble by itself, and spreads the next one.

    Of a pause half is sure and half is chance, so that links which lost the same SMSC don't
    come back all at once.
    """

    def __init__(self, random: Random, pauses: Mapping[Trouble, Pause] = PAUSES) -> None:
        self._random = random
        self._pauses = pauses
        self._tries: Counter[Trouble] = Counter()

    def next(self, trouble: Trouble) -> float:
        """Seconds to wait after one more failure."""
        pause = self._pauses[trouble]
        doublings = min(self._tries[trouble], 10)  # 2^10 s is beyond any `longest`
        self._tries[trouble] += 1
        whole = min(pause.first * 2.0**doublings, pause.longest)
        return whole * (0.5 + 0.5 * self._random.random())

    def reset(self) -> None:
        """All is well: the next failure is the first."""
        self._tries.clear()

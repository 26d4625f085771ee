"""The rate at which a carrier takes submits, found out from what it refuses. Time is an argument.

As TCP finds its share of a line: a refusal for the link's pace cuts the rate below what was
accepted of late, and submits that the rate holds back raise it again: fast while it is far from
where the last refusal came, hardly at all near there, fast again once it is past that. So it
settles just below an unknown limit, asks once in a minute or two whether the limit still stands,
and is soon back when it was lifted.
"""

import math
import sys
from collections import deque
from typing import Final, NamedTuple

UNLIMITED: Final = sys.maxsize

# Refusals for the pace cut the rate to this share of what the carrier took.
CUT: Final = 0.95
# One cut takes no more than this away, as what was accepted of late may have been little for
# want of messages.
DEEPEST: Final = 0.5
# The rate grows by this share of itself a second: far from the last ceiling, and near it. From
# 0.95 to 1 at 0.1% takes 50 s, and at the end of them a few submits are refused.
FAST: Final = 0.2
SLOW: Final = 0.001
# What is near the ceiling, as shares of it.
NEAR: Final = (0.94, 1.03)
LOWEST: Final = 0.5  # submits a second

REST_SECONDS: Final = 1.0  # after a cut, as Kannel has it: carriers mostly count by the second
LONGEST_REST: Final = 16.0  # where all is refused again and again
MEMORY_SECONDS: Final = 1.0  # over which answers are counted

# ESME_RMSGQFUL may mean the one recipient's queue or everybody's: so many recipients of late,
# and so large a share of what was answered, mean everybody's.
FULL_LEAST: Final = 3
FULL_SHARE: Final = 0.5


class Answers(NamedTuple):
    """What became of submits, counted."""

    accepted: int = 0
    throttled: int = 0  # refused for the link's pace
    full: int = 0  # recipients whose queue is full, or everybody's
    others: int = 0  # refused or lost for reasons that say nothing of the pace

    @property
    def total(self) -> int:
        return sum(self)


class Pace:
    """The rate for a link whose agreed limit is `limit` submits a second (0: none known)."""

    __slots__ = (
        "_barren", "_ceiling", "_flowing_since", "_limit", "_old", "_outstanding", "_recent",
        "_sums", "rate", "resting_until",
    )  # fmt: skip

    def __init__(self, limit: float, now: float) -> None:
        self.rate = limit  # 0: no limit
        self.resting_until = now
        self._limit = limit
        self._ceiling = 0.0  # the rate at which the carrier last refused; 0: not known
        self._outstanding = 0
        self._old = 0  # of these, sent before the last cut: their refusals are one with it
        self._flowing_since = math.inf  # when the first submit after the last cut was accepted
        self._barren = 0  # cuts since anything was accepted
        self._recent: deque[tuple[float, Answers]] = deque()
        self._sums = Answers()

    @property
    def found(self) -> bool:
        """Whether the rate is what the carrier was found to take, and not the agreed one."""
        return self.rate != self._limit

    @property
    def most(self) -> int:
        """How many submits may go at once, tokens or not: after a cut one, until one is taken."""
        if not self._barren:
            return UNLIMITED
        return 0 if self._outstanding else 1

    def sent(self, count: int, *, pressed: bool) -> None:
        """Note submits; `pressed`: it was the rate that allowed no more of them."""
        self._outstanding += count
        if pressed and self.rate:
            self.rate += count * self._growth()
            if self._limit:
                self.rate = min(self.rate, self._limit)

    def answered(self, answers: Answers, now: float) -> bool:
        """Take what became of submits. Whether that cut the rate."""
        self._remember(answers, now)
        old = min(self._old, answers.total)
        self._old -= old
        self._outstanding = max(self._outstanding - answers.total, 0)
        if answers.accepted:
            self._barren = 0
            if not self._old:
                self._flowing_since = min(self._flowing_since, now)
        if self._too_fast(answers) and answers.total > old:
            self._cut(now)
            return True
        return False

    def _too_fast(self, answers: Answers) -> bool:
        if answers.throttled:
            return True
        share = FULL_SHARE * self._sums.total
        return answers.full > 0 and self._sums.full >= max(FULL_LEAST, share)

    def _cut(self, now: float) -> None:
        if not self._barren:
            self._find(now)
        rest = min(REST_SECONDS * 2.0**self._barren, LONGEST_REST)
        self._barren += 1
        self._old = self._outstanding
        self.resting_until = now + rest
        self._flowing_since = math.inf

    def _find(self, now: float) -> None:
        """Set the rate by what was accepted of late, and the first refused: the limit lies there.

        After a short burst that may be far too little, so the ceiling is what it comes to a
        second.
        """
        taken = self._sums.accepted + 1
        span = min(now - self._flowing_since, MEMORY_SECONDS)
        self._ceiling = min(self.rate, taken / span) if span > 0 else self.rate
        rate = min(self.rate, taken) if self.rate else taken
        self.rate = max(rate * CUT, self.rate * DEEPEST, LOWEST)

    def _growth(self) -> float:
        """What one submit adds to the rate: a second has `rate` of them."""
        lower, upper = NEAR
        near = lower * self._ceiling <= self.rate <= upper * self._ceiling
        return SLOW if near else FAST

    def _remember(self, answers: Answers, now: float) -> None:
        recent = self._recent
        recent.append((now, answers))
        sums = _plus(self._sums, answers)
        while recent[0][0] <= now - MEMORY_SECONDS:
            sums = _plus(sums, recent.popleft()[1], -1)
        self._sums = sums


def _plus(one: Answers, other: Answers, factor: int = 1) -> Answers:
    return Answers(*(a + factor * b for a, b in zip(one, other, strict=True)))

"""What one read or one tick of a connection brought, sorted by who is to have it."""

from smsgw.carrier.translate import Reason
from smsgw.service.message import Acceptance, Outcome, Segment
from smsgw.service.ports import Incoming


class Batch:
    """`at` is seconds since 1970."""

    __slots__ = ("aside", "at", "ended", "incoming", "outcomes", "seconds", "violations")

    def __init__(self, at: float) -> None:
        self.at = at
        self.incoming: list[Incoming] = []
        self.outcomes: list[Outcome] = []
        self.seconds: list[float] = []  # from submits to their responses
        self.aside: list[Reason] = []
        self.violations = 0
        self.ended = False

    def lost(self, context: object, reason: str) -> None:
        """Note a submit that will have no answer, or none that we understood."""
        segment = segment_of(context)
        self.outcomes.append(Outcome(segment, Acceptance.LOST, self.at, error=reason))


def segment_of(context: object) -> Segment:
    """What went along with a submit."""
    assert isinstance(context, Segment)
    return context

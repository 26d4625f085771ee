"""What one read or one tick of a connection brought, sorted by who is to have it."""

from typing import cast

from smsgw.carrier.ends import End
from smsgw.carrier.questions import Reply
from smsgw.carrier.translate import Reason, Translator
from smsgw.service.message import Acceptance, Inquiry, Outcome, Segment
from smsgw.service.ports import Incoming
from smsgw.smpp.session import Answered, AnsweredLate


class Batch:
    """`at` is seconds since 1970. The context of a request is its segment, or its inquiry."""

    __slots__ = (
        "_end", "_translator", "aside", "at", "ended", "incoming", "outcomes", "replies",
        "seconds", "statuses", "violations",
    )  # fmt: skip

    def __init__(self, at: float, end: End, translator: Translator) -> None:
        self._end = end
        self._translator = translator
        self.at = at
        self.incoming: list[Incoming] = []
        self.outcomes: list[Outcome] = []
        self.replies: list[Reply] = []
        self.statuses: list[int] = []  # of responses to submits
        self.seconds: list[float] = []  # from submits to their responses
        self.aside: list[Reason] = []
        self.violations = 0
        self.ended = False

    def answered(self, event: Answered | AnsweredLate) -> None:
        """Note the response to a request."""
        late = isinstance(event, AnsweredLate)
        if isinstance(event.context, Inquiry):
            reply = self._translator.reply(event.context, event.pdu, self.at)
            self.replies.append(reply._replace(late=late))
        else:
            segment = cast(Segment, event.context)
            outcome = self._end.outcome(self._translator, segment, event.pdu, self.at)
            self.outcomes.append(outcome._replace(late=True) if late else outcome)
            self.statuses.append(event.pdu.status)
            self.seconds.append(event.elapsed)

    def lost(self, context: object, reason: str) -> None:
        """Note a request that has no response, or none that we understood."""
        if isinstance(context, Inquiry):
            self.replies.append(Reply())
        else:
            segment = cast(Segment, context)
            known = self._end.named(self._translator, segment)
            self.outcomes.append(Outcome(segment, Acceptance.LOST, self.at, known, reason))

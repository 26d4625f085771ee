"""Asking a carrier by query_sm what became of a segment: how it is said, and how often.

What waits for an answer is more urgent, so questions take a small share of what is free.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from smsgw.service.message import Inquiry, Receipt, ReceiptState
from smsgw.smpp import receipts
from smsgw.smpp.codec import Pdu
from smsgw.smpp.status import Reaction
from smsgw.smpp.tables import Command, Status

Fields = Mapping[str, int | str | bytes]

SHARE: Final = 10  # of so many free places in the window, questions take one


class Reply(NamedTuple):
    """What a carrier said to one question."""

    receipt: Receipt | None = None  # None: nothing that tells what became of it
    throttled: bool = False
    unserved: bool = False  # it knows no such question
    late: bool = False  # it was given up before


def query(inquiry: Inquiry, source: Fields) -> Fields:
    """The fields of the query_sm, where the segment was sent from `source` (SMPP 3.4, 4.8.1)."""
    return {"message_id": inquiry.response_id, **source}


def read(inquiry: Inquiry, response: Pdu, reaction: Reaction, at: float) -> Reply:
    """What a query_sm_resp or generic_nack says that came at `at`.

    The state UNKNOWN of a message that was asked for says that the carrier doesn't know either.
    """
    if response.status == Status.RINVCMDID:
        return Reply(unserved=True)
    if response.status or response.command != Command.QUERY_SM_RESP:
        return Reply(throttled=reaction is Reaction.THROTTLED)
    state = receipts.STATES.get(response.number("message_state"))
    if state is None or "message_state" not in response.fields:
        return Reply()
    if (known := ReceiptState(state)) is ReceiptState.UNKNOWN:
        return Reply()
    error = response.number("error_code")
    return Reply(
        Receipt(
            inquiry.carrier,
            at,
            inquiry.message_id,
            known,
            str(error) if error else "",
            inquiry.destination,
            response.text("final_date"),
        )
    )


class Questions:
    """Those of one link that are on their way.

    A carrier that knows no query_sm is asked nothing more until it is bound to anew.
    """

    def __init__(self, *, served: bool) -> None:
        self._possible = served
        self._served = served
        self._asked = 0

    def places(self, free: int, in_flight: int) -> int:
        """How many more may be asked while so many places of the windows are free and taken.

        Of a window too small to share, one, while nothing else goes on.
        """
        if not self._served:
            return 0
        share = (free + self._asked) // SHARE - self._asked
        return max(share, 0 if in_flight else min(free, 1))

    def asked(self, count: int) -> None:
        self._asked += count

    def answered(self, count: int) -> None:
        self._asked -= count

    def unserved(self) -> bool:
        """Note that the carrier knows no query_sm. Whether that is new."""
        new, self._served = self._served, False
        return new

    def bound(self) -> None:
        self._served = self._possible

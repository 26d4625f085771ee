"""What becomes of the messages an SMSC took, for whoever asks by query_sm."""

from typing import Final, NamedTuple

from smsgw.clock import utc
from smsgw.simulator.wire import STATES
from smsgw.smpp.codec import Pdu
from smsgw.smpp.names import MessageState

Body = dict[str, int | str | bytes]

ON_ITS_WAY: Final = "ENROUTE"


class Fate(NamedTuple):
    """Of one message: who sent it, and what is true from `due` on, seconds since 1970."""

    source: str
    due: float
    stat: str
    err: str


class Fates:
    """By the ids that the responses gave."""

    def __init__(self) -> None:
        self._by_id: dict[str, Fate] = {}

    def add(self, message_id: str, fate: Fate) -> None:
        self._by_id[message_id] = fate

    def stat(self, query: Pdu, now: float) -> str | None:
        """The state of the message that a query_sm asks about; None: there is none of its ESME's.

        SMPP 3.4 section 4.8.1: the source address has to be the message's own.
        """
        fate = self._by_id.get(query.text("message_id"))
        if fate is None or fate.source != query.text("source_addr"):
            return None
        return fate.stat if fate.due <= now else ON_ITS_WAY

    def reply(self, query: Pdu, stat: str) -> Body:
        """The body of the query_sm_resp that says so (section 4.8.2)."""
        message_id = query.text("message_id")
        fate = self._by_id[message_id]
        said: Body = {
            "message_id": message_id,
            "message_state": STATES.get(stat, MessageState.UNKNOWN),
        }
        if stat == ON_ITS_WAY:
            return said
        error = int(fate.err) if fate.err.isdecimal() else 0
        date = f"{utc(fate.due):%y%m%d%H%M%S}000+"
        return {**said, "final_date": date, "error_code": min(error, 255)}

"""The answer to a request that a session doesn't take, wherever it is decided or explained."""

from typing import Final

from smsgw.smpp.pdu import Pdu
from smsgw.smpp.tables import COMMANDS, RESPONSE, Command

UNANSWERED: Final = frozenset({Command.OUTBIND, Command.ALERT_NOTIFICATION})


def refusal(command: int, status: int, sequence: int) -> Pdu | None:
    """The response or generic_nack (SMPP 3.4 section 4.3) to a request, or None if it has none.

    A response is never answered, whatever is wrong with it.
    """
    if command & RESPONSE or command in UNANSWERED:
        return None
    known = command in COMMANDS
    return Pdu(command | RESPONSE if known else Command.GENERIC_NACK, status, sequence)

"""Answers of a session's own making: refusals, and responses that have nothing to say."""

import struct
from typing import Final

from smsgw.smpp.codec import HEADER, Pdu, encode
from smsgw.smpp.tables import COMMANDS, RESPONSE, Command

UNANSWERED: Final = frozenset({Command.OUTBIND, Command.ALERT_NOTIFICATION})

_HEADER: Final = struct.Struct(">4I")
# The shortest body of each response.
_BODY: Final = {
    command: encode(Pdu(command))[HEADER:] for command in COMMANDS if command & RESPONSE
}


def empty(command: int, status: int, sequence: int) -> bytes:
    """A response without a word; one with an error status is its header (SMPP 3.4 section 4)."""
    body = b"" if status else _BODY[command]
    return _HEADER.pack(HEADER + len(body), command, status, sequence) + body


def refusal(command: int, status: int, sequence: int) -> Pdu | None:
    """The response or generic_nack (SMPP 3.4 section 4.3) to a request, or None if it has none.

    A response is never answered, whatever is wrong with it.
    """
    if command & RESPONSE or command in UNANSWERED:
        return None
    known = command in COMMANDS
    return Pdu(command | RESPONSE if known else Command.GENERIC_NACK, status, sequence)

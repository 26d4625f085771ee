"""Sending one message by hand."""

import sqlite3
from collections.abc import Mapping
from typing import Final, NamedTuple

from smsgw.service.message import Encoding, MessageKind, Msisdn, Mt
from smsgw.storage import subscriptions
from smsgw.storage.messages import enqueue, last_id
from smsgw.text.counted import counted
from smsgw.text.segmentation import MAX_PARTS, pieces

WITH_CARRIER: Final = " with --carrier"


class SendRefusedError(Exception):
    """A message that is not sent; it says why, and what to do. `field` is what of the request is in
    the way, `option` how the command mends that: the end of the message there."""

    def __init__(self, field: str, message: str, option: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.option = option


class Request(NamedTuple):
    """What is to be sent. What was not said is None."""

    msisdn: Msisdn
    text: str
    carrier: str | None
    usual_carrier: str | None = None  # where neither `carrier` nor a subscription says


class Sent(NamedTuple):
    id: int
    carrier: str
    parts: int
    encoding: str  # gsm7, ucs2


def send(
    con: sqlite3.Connection,
    request: Request,
    encodings: Mapping[str, Encoding],
    max_parts: int,
    now: float,
) -> Sent:
    """Queue the message, inside the caller's transaction; a running daemon submits it within a
    second.

    `encodings` has the carriers that it can go out over; `max_parts` is how many it may take, 0:
    as many as a message can have. Raises SendRefusedError.
    """
    carrier = _carrier(con, request, encodings)
    text, encoding = request.text, encodings[carrier]
    try:
        parts = encoding.count_parts(text)
    except UnicodeEncodeError:
        raise SendRefusedError(
            "text", "the text holds octets that are no characters: is it written in UTF-8?"
        ) from None
    if parts > MAX_PARTS:
        raise SendRefusedError(
            "text", f"the text takes {parts} parts, and a message has {MAX_PARTS} at most"
        )
    if 0 < max_parts < parts:
        raise SendRefusedError(
            "text",
            f"the text takes {counted(parts, 'part')}, and replies.max_parts is {max_parts}:"
            " shorten it",
            ", or send it all the same with --force",
        )
    enqueue(con, [Mt(carrier, MessageKind.MANUAL, request.msisdn, text, now)], encodings, now)
    cut = pieces(text, encoding.ref_bits, encoding.default_alphabet)
    return Sent(last_id(con, "mt"), carrier, parts, cut.encoding)


def _carrier(con: sqlite3.Connection, request: Request, encodings: Mapping[str, Encoding]) -> str:
    theirs = subscriptions.of_phone(con, request.msisdn)
    subscribed = next((one.carrier for one in theirs if one.carrier), None)
    carrier = request.carrier or subscribed or request.usual_carrier
    if carrier is None:
        raise SendRefusedError(
            "carrier",
            f"nothing says which carrier {request.msisdn.digits} is with: name one",
            WITH_CARRIER,
        )
    if carrier not in encodings:
        raise SendRefusedError(
            "carrier",
            f"carrier {carrier} is not enabled: name another"
            if carrier == request.carrier
            else f"{request.msisdn.digits} is with {carrier}, which is not enabled: name another"
            " carrier",
            WITH_CARRIER,
        )
    return carrier

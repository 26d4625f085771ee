"""Sending one message by hand."""

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from smsgw.service.message import Encoding, MessageKind, Msisdn, Mt
from smsgw.storage import subscriptions
from smsgw.storage.database import transaction
from smsgw.storage.messages import enqueue, last_id
from smsgw.text.counted import counted
from smsgw.text.segmentation import MAX_PARTS, pieces


class SendRefusedError(Exception):
    """A message that is not sent; it says why, and what to do."""


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
    """Queue the message, in one transaction; a running daemon submits it within a second.

    `encodings` has the carriers that it can go out over; `max_parts` is how many it may take, 0:
    as many as a message can have. Raises SendRefusedError.
    """
    with transaction(con):
        carrier = _carrier(con, request, encodings)
        text, encoding = request.text, encodings[carrier]
        try:
            parts = encoding.count_parts(text)
        except UnicodeEncodeError:
            raise SendRefusedError(
                "the text holds octets that are no characters: is it written in UTF-8?"
            ) from None
        if parts > MAX_PARTS:
            raise SendRefusedError(
                f"the text takes {parts} parts, and a message has {MAX_PARTS} at most"
            )
        if 0 < max_parts < parts:
            raise SendRefusedError(
                f"the text takes {counted(parts, 'part')}, and replies.max_parts is {max_parts}:"
                " shorten it, or send it all the same with --force"
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
            f"nothing says which carrier {request.msisdn.digits} is with: name one with --carrier"
        )
    if carrier not in encodings:
        raise SendRefusedError(
            f"carrier {carrier} is not enabled: name another with --carrier"
            if carrier == request.carrier
            else f"{request.msisdn.digits} is with {carrier}, which is not enabled: name another"
            " carrier with --carrier"
        )
    return carrier

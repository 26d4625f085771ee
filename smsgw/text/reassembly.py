"""Puts long messages together: where a part belongs, and what all that came of one say.

Which message a part is of is told by carrier, sender, destination, way of joining, reference and
total. References are used again, so of one such key there may have been several messages; at most
one of them waits for parts.
"""

from collections.abc import Callable, Collection, Iterable
from enum import StrEnum
from itertools import groupby
from typing import Final, NamedTuple

from smsgw.text import userdata

# Octets of one message, headers included: as many as the largest single one has, a
# message_payload. Of short messages, 255 parts have 255 x 140 = 35,700.
MOST_OCTETS: Final = 65_535


class Bounds(NamedTuple):
    """Past which of these a long message is taken for what came of it."""

    wait: float = 600.0  # seconds since its first part
    messages: int = 1_000  # that wait for parts; of more, the oldest goes
    octets: int = 1_000_000  # of their parts; of more, the oldest goes


class Piece(NamedTuple):
    """A part as it came."""

    number: int  # from 1
    data_coding: int
    octets: bytes
    headed: bool  # whether they begin with a user data header


class Place(StrEnum):
    """Where a part belongs."""

    NEXT = "next"  # to the message that waits; where none does, it begins one
    REPEAT = "repeat"  # nowhere: it came before
    CONTRADICTION = "contradiction"  # to another message than the one that waits


class Closing(StrEnum):
    """Why no more parts of a message are waited for."""

    WHOLE = "whole"
    TIME = "time"
    BOUND = "bound"  # too many wait, or it has too many octets
    CONTRADICTION = "contradiction"  # a part came that another message of the same key has


def place(piece: Piece, waiting: Collection[Piece] | None, closed: Collection[Piece]) -> Place:
    """Where `piece` belongs, given the pieces of the message of its key that waits for more
    (None: no such message does) and those of messages that were closed lately.

    Only pieces of the same number matter. A piece that `waiting` lacks is its next one, though a
    closed message may have had its like: who sends a corrected text again under the same
    reference leaves parts of it as they were.
    """
    if waiting is not None and all(one.number != piece.number for one in waiting):
        return Place.NEXT
    if (waiting is not None and piece in waiting) or piece in closed:
        return Place.REPEAT
    return Place.NEXT if waiting is None else Place.CONTRADICTION


def join(pieces: Iterable[Piece], decode: Callable[[bytes, int], str]) -> str:
    """The text of the pieces of one message, each of another number, in the order of these.

    `decode` makes a text of octets and their data_coding. It gets those of neighbours together:
    a surrogate pair or an escape pair may be cut between them. Where a piece is missing there is
    a line end, which separates whatever stands before and after it.
    """
    text = ""
    before: int | None = None
    ordered = enumerate(sorted(pieces))
    for (gaps, data_coding), run in groupby(ordered, _gaps_and_coding):
        if before is not None and gaps != before:
            text += "\n"
        text += decode(b"".join([_body(piece) for _, piece in run]), data_coding)
        before = gaps
    return text


def _gaps_and_coding(placed: tuple[int, Piece]) -> tuple[int, int]:
    """What neighbours of one data_coding have in common: pieces missing before them, and that."""
    index, piece = placed
    return piece.number - index, piece.data_coding


def _body(piece: Piece) -> bytes:
    return userdata.split(piece.octets)[1] if piece.headed else piece.octets

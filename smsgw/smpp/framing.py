"""Cuts the octets of a connection into whole PDUs."""

from typing import Final, NamedTuple

HEADER: Final = 16  # octets of command_length, command_id, command_status, sequence_number


class FramingError(NamedTuple):
    """A command_length that cannot be: the stream is lost. The rest is the header's, as read."""

    command_length: int
    command: int
    sequence: int


class Framer:
    """Takes octets as TCP cut them, gives PDUs as the peer made them.

    `limit` bounds command_length, and with it what is held of an unfinished PDU. A length below
    16 or above the limit gives a FramingError, as soon as the header is whole: so the outcome
    does not depend on how TCP cut the stream. It is the last thing the framer gives; it takes
    nothing after it.
    """

    __slots__ = ("_failed", "_held", "_limit", "_wanted")

    def __init__(self, limit: int = 70_000) -> None:
        self._limit = limit
        self._held = bytearray()  # the beginning of an unfinished PDU
        self._wanted = HEADER  # octets to hold before it is worth looking at them again
        self._failed = False

    def feed(self, data: bytes) -> list[bytes | FramingError]:
        """The PDUs that `data` finishes, in their order. Costs O(len(data)), however it is cut."""
        if self._failed:
            return []
        if self._held:
            self._held += data
            if len(self._held) < self._wanted:
                return []
            data = bytes(self._held)
        found: list[bytes | FramingError] = []
        at = 0
        size = len(data)
        while size - at >= HEADER:
            length = int.from_bytes(data[at : at + 4])
            if not HEADER <= length <= self._limit:
                command = int.from_bytes(data[at + 4 : at + 8])
                sequence = int.from_bytes(data[at + 12 : at + 16])
                found.append(FramingError(length, command, sequence))
                self._failed = True
                self._held.clear()
                return found
            if at + length > size:
                self._wanted = length
                break
            found.append(data[at : at + length])
            at += length
        else:
            self._wanted = HEADER
        self._held = bytearray(data[at:])
        return found

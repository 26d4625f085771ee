"""Counts the PDUs of a session by what their headers say, a batch at a time."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

_COUNTED: Final = slice(4, 12)  # command_id and command_status
_MOST: Final = 1000  # kinds of PDU between two calls of `take`; a peer may make up 2^64 of them


class Traffic(NamedTuple):
    """How many PDUs went each way, by command_id and command_status."""

    read: Mapping[tuple[int, int], int]
    written: Mapping[tuple[int, int], int]


class Tally:
    """Takes whole PDUs as they come and go; after too many kinds it rests until the next `take`."""

    __slots__ = ("_read", "_written")

    def __init__(self) -> None:
        self._read: Counter[bytes] = Counter()
        self._written: Counter[bytes] = Counter()

    def read(self, pdus: Iterable[bytes]) -> None:
        if len(self._read) < _MOST:
            self._read.update([pdu[_COUNTED] for pdu in pdus])

    def wrote(self, pdus: Iterable[bytes]) -> None:
        if len(self._written) < _MOST:
            self._written.update([pdu[_COUNTED] for pdu in pdus])

    def take(self) -> Traffic:
        """What went through since the last call."""
        traffic = Traffic(_by_number(self._read), _by_number(self._written))
        self._read.clear()
        self._written.clear()
        return traffic


def _by_number(counter: Counter[bytes]) -> dict[tuple[int, int], int]:
    return {
        (int.from_bytes(key[:4]), int.from_bytes(key[4:])): count for key, count in counter.items()
    }

"""Spreading what goes out over the sessions of a link."""

from collections.abc import Sequence
from typing import TypeVar

from smsgw.carrier.connection import Connection

T = TypeVar("T")


def shares(
    connections: Sequence[Connection], items: Sequence[T]
) -> Sequence[tuple[Connection, Sequence[T]]]:
    """What each session is to send, so that as many free places are left on each as can be.

    There are no more items than free places.
    """
    free = {each: places for each in connections if (places := each.free)}
    if len(free) == 1:
        return [(connection, items) for connection in free]
    found: dict[Connection, list[T]] = {each: [] for each in free}
    for item in items:
        freest = max(free, key=free.__getitem__)
        found[freest].append(item)
        free[freest] -= 1
    return [(each, share) for each, share in found.items() if share]

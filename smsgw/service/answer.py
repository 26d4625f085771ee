"""Keeps an answer within the parts that the company is willing to pay for."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from smsgw.service.message import Encoding
from smsgw.text.segmentation import MAX_PARTS

# So many characters fit a part whatever they are: 66 of its UTF-16 units hold whole pairs.
SURE: Final = 33


class Room(NamedTuple):
    """What an answer may take: `max_parts` parts as the carrier counts them, 0: no bound."""

    max_parts: int
    encoding: Encoding

    @property
    def bound(self) -> int:
        return min(self.max_parts or MAX_PARTS, MAX_PARTS)

    def holds(self, text: str) -> bool:
        return len(text) <= SURE * self.bound or self.encoding.count_parts(text) <= self.bound


def fitting(render: Callable[[int], str], whole: int, room: Room) -> str:
    """`render(whole)` if there is room for it, else `render` of the largest number for which there
    is; where there is none even for `render(0)`, as much of that as fits.

    `render(count)` says `count` things and sums up the rest; it grows with `count`.
    """
    text = render(whole)
    if room.holds(text):
        return text
    fits, too_many = -1, whole
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if room.holds(render(middle)):
            fits = middle
        else:
            too_many = middle
    return render(fits) if fits >= 0 else _clipped(render(0), room)


def lines(
    items: Sequence[tuple[str, str]], closing: str, more: Callable[..., str], room: Room
) -> str:
    """A line for each of `items` (customer number, line), then `closing`.

    Where there is no room for that, the last lines give way to `more`, which is told
    their `count` and the `number` of the first.
    """

    def render(count: int) -> str:
        said = [line for _, line in items[:count]]
        left = len(items) - count
        if left:
            said.append(more(count=left, number=items[count][0]))
        if closing:
            said.append(closing)
        return ("\n" if len(items) > 1 else " ").join(said)

    return fitting(render, len(items), room)


def _clipped(text: str, room: Room) -> str:
    """The longest beginning of `text` that there is room for, cut at a blank if it has one."""
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if room.holds(text[:middle]):
            fits = middle
        else:
            too_long = middle
    return (text[:fits].rpartition(" ")[0] or text[:fits]).rstrip()

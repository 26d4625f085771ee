"""Keeps an answer within the parts that the company is willing to pay for."""

from collections.abc import Callable, Sequence
from typing import Final

from smsgw.text.segmentation import MAX_PARTS, count_parts

# So many characters fit a part whatever they are: of its 67 UTF-16 units 66 hold whole pairs.
SURE: Final = 33


def fitting(render: Callable[[int], str], whole: int, max_parts: int) -> str:
    """`render(whole)` if it takes at most `max_parts`, else `render` of the largest number that
    does; where even `render(0)` does not, as much of that as fits. 0 parts: no bound.

    `render(count)` says `count` things and sums up the rest; it grows with `count`.
    """
    bound = min(max_parts or MAX_PARTS, MAX_PARTS)
    text = render(whole)
    if len(text) <= SURE * bound or count_parts(text) <= bound:
        return text
    fits, too_many = -1, whole
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if count_parts(render(middle)) <= bound:
            fits = middle
        else:
            too_many = middle
    return render(fits) if fits >= 0 else _clipped(render(0), bound)


def lines(
    items: Sequence[tuple[str, str]], closing: str, more: Callable[..., str], max_parts: int
) -> str:
    """A line for each of `items` (customer number, line), then `closing`.

    Where that takes more than `max_parts`, the last lines give way to `more`, which is told
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

    return fitting(render, len(items), max_parts)


def _clipped(text: str, bound: int) -> str:
    """The longest beginning of `text` within `bound` parts, cut at a blank if it has one."""
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if count_parts(text[:middle]) <= bound:
            fits = middle
        else:
            too_long = middle
    return (text[:fits].rpartition(" ")[0] or text[:fits]).rstrip()

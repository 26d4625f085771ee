"""What options may be, read from the words of a command line, and said plainly where they are not.

Each of these makes a `parser` for `typer.Option`; their defaults pass through them too.
"""

import math
from collections.abc import Callable
from typing import Final

import typer

LARGEST_ID: Final = 2**63 - 1  # SQLite's


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """A whole number within bounds."""

    def read(words: str) -> int:
        try:
            value = int(words)
        except ValueError:
            raise typer.BadParameter(f"{words!r} is not a whole number") from None
        _check(value, least, most)
        return value

    return read


def number_from(least: float) -> Callable[[str], float]:
    """A number with a lower bound."""

    def read(words: str) -> float:
        try:
            value = float(words)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise typer.BadParameter(f"{words!r} is not a number")
        _check(value, least, None)
        return value

    return read


def _check(value: float, least: float, most: float | None) -> None:
    if value < least:
        raise typer.BadParameter(f"{_plain(value)} is too small: the least is {_plain(least)}")
    if most is not None and value > most:
        raise typer.BadParameter(f"{_plain(value)} is too large: the most is {_plain(most)}")


def _plain(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def one_of(*choices: str) -> Callable[[str], str]:
    """One of a few words."""

    def read(words: str) -> str:
        if words not in choices:
            raise typer.BadParameter(f"{words!r} is none of {', '.join(choices)}")
        return words

    return read

"""The demo on the screen: a line or more for each message, as wide as there is room for."""

from datetime import datetime
from textwrap import wrap
from typing import Final

from rich.console import Console
from rich.text import Text

WIDTH: Final = 100
NARROW: Final = 72  # with less room than this, a text gets lines of its own
COLOURS: Final = ("cyan", "magenta", "green", "yellow", "blue")


def make_console() -> Console:
    """On a terminal as wide as that, up to WIDTH; elsewhere plain text, WIDTH wide."""
    console = Console(highlight=False, emoji=False, markup=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    return console


class Screen:
    """Prints the conversation; `carriers` are the names that stand in its column, by id."""

    def __init__(self, console: Console, carriers: dict[str, str]) -> None:
        self._console = console
        self._carriers = carriers
        self._colours = dict(zip(carriers, COLOURS * len(carriers), strict=False))
        self._name_width = max(map(len, carriers.values()))

    def said(self, at: float, carrier: str, phone: str, text: str) -> None:
        """A customer's message."""
        self._print(self._head(at, carrier, phone, "->"), text, "bold")

    def answered(self, at: float, carrier: str, phone: str, text: str, note: str) -> None:
        """The answer to it."""
        self._print(self._head(at, carrier, phone, "<-"), text, "", f"({note})")

    def failed(self, at: float, carrier: str, phone: str, why: str) -> None:
        """What is wrong with the answer."""
        self._print(self._head(at, carrier, phone, "!!"), why, "bold red")

    def _head(self, at: float, carrier: str, phone: str, way: str) -> Text:
        name = self._carriers[carrier].ljust(self._name_width)
        return Text.assemble(
            (f"{datetime.fromtimestamp(at):%H:%M:%S}  ", "dim"),
            (name, self._colours[carrier]),
            f"  {phone}",
            (f"  {way}  ", "dim"),
        )

    def _print(self, head: Text, text: str, style: str, note: str = "") -> None:
        width = self._console.width
        indent = len(head) if width >= NARROW else 4
        lines = _wrapped(text, note, width - indent)
        body = Text("\n".join(lines), style)
        body.stylize("dim", len(body) - len(note))
        first, *others = body.split("\n")
        if indent == len(head):
            head.append(first)
        else:
            others.insert(0, first)
        self._console.print(head, soft_wrap=True)
        for line in others:
            self._console.print(Text(" " * indent).append(line), soft_wrap=True)


def _wrapped(text: str, note: str, width: int) -> list[str]:
    """The lines of `text`, with `note` after it on the last or, whole, on one of its own."""
    lines = [part for line in text.splitlines() for part in wrap(line, width)]
    if note and lines and len(lines[-1]) + 3 + len(note) <= width:
        lines[-1] += f"   {note}"
    elif note:
        lines.append(note)
    return lines

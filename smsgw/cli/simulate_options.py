"""The options of `smsgw simulate`: how each sort is read and shown."""

from collections.abc import Callable
from typing import Any, TypeVar

import typer

from smsgw.cli.words import number_from, one_of, whole_number

T = TypeVar("T")


def _pick(words: str) -> Any:
    from smsgw.simulator.faults import Pick

    return _read(Pick.parse, words)


def _status(words: str) -> Any:
    from smsgw.simulator.faults import status_of

    return _read(status_of, words)


def _message(words: str) -> Any:
    from smsgw.simulator.errand import Message

    return _read(lambda words: Message.parse(words, ":"), words)


def _address(words: str) -> Any:
    host, _, port = words.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise typer.BadParameter(f"{words!r}: write HOST:PORT")
    return host.strip("[]"), int(port)


def _numbers(words: str) -> Any:
    numbers = tuple([int(word) for word in words.split(",") if word.strip().isdecimal()])
    if len(numbers) != words.count(",") + 1 or 0 in numbers:
        raise typer.BadParameter(f"{words!r}: write numbers from 1 with commas between them")
    return numbers


def _read(read: Callable[[str], T], words: str) -> T:
    try:
        return read(words)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def option(text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=text, **more)


def message(text: str) -> Any:
    return option(text, parser=_message, metavar="FROM:TEXT")


def picks(text: str) -> Any:
    return option(text, parser=_pick, metavar="PICK", show_default=False)


def status(text: str) -> Any:
    return option(text, parser=_status, metavar="STATUS")


def address(text: str) -> Any:
    return option(text, parser=_address, metavar="HOST:PORT", show_default=False)


def file(text: str) -> Any:
    return option(text, exists=True, dir_okay=False, metavar="FILE", show_default=False)


def seconds(text: str, least: float = 0.0) -> Any:
    return option(text, parser=number_from(least), metavar="SECONDS")


def number(text: str, least: int = 0) -> Any:
    return option(text, parser=whole_number(least), metavar="N")


def numbers(text: str) -> Any:
    return option(text, parser=_numbers, metavar="N,N", show_default=False)


def choice(text: str, *choices: str) -> Any:
    return option(text, parser=one_of(*choices), metavar="|".join(choices))


def word(text: str, metavar: str) -> Any:
    return option(text, metavar=metavar)

"""`smsgw pdu`: what the octets of a PDU say, and what a session answers if it can't read them."""

import re
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final

import typer

from smsgw.cli.common import Json, noun, print_json

if TYPE_CHECKING:
    from smsgw.smpp.describe import Description

# Characters of one input: 70,000 octets as `0x00, ` take 420,000.
LONGEST: Final = 1_000_000

_BETWEEN: Final = re.compile(r"[\s:,]*(?:\b0[xX])?")

app = noun()


@app.command("pdu")
def pdu(
    octets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="HEX", help="One PDU; blanks, colons, line ends and 0x don't matter."
        ),
    ] = None,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Take PDUs from stdin, one a line.")
    ] = False,
    json: Json = False,
) -> None:
    """Say what a PDU says. One that can't be read is an answer too, with what a session sends back.

    No configuration and no daemon are needed.
    """
    if stdin is bool(octets):
        raise typer.BadParameter("give either HEX or --stdin")
    inputs = _lines(sys.stdin.buffer) if stdin else [" ".join(octets or ())]
    if not _describe_all(inputs, json):
        raise typer.Exit(1)


def _describe_all(inputs: Iterable[str], json: bool) -> bool:
    """Print what each input says, in order; whether all of them were hex."""
    from smsgw.smpp.describe import describe

    all_hex = True
    for number, one in enumerate(inputs, start=1):
        try:
            description = describe(_octets(one))
        except ValueError as error:
            all_hex = False
            if json:
                print_json({"error": str(error)})
            else:
                typer.echo(f"{number}: {error}", err=True)
            continue
        if json:
            print_json(description)
        else:
            _print(description)
    return all_hex


def _lines(stream: BinaryIO) -> Iterator[str]:
    """The lines of a stream, of each no more than tells that it is too long."""
    while line := stream.readline(LONGEST + 2):
        while not line.endswith(b"\n") and (rest := stream.readline(LONGEST)):
            line = line[: LONGEST + 1] + rest[-1:]
        yield line.rstrip(b"\r\n").decode("ascii", "replace")


def _octets(text: str) -> bytes:
    """Raises ValueError."""
    if len(text) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters")
    digits = _BETWEEN.sub("", text)
    if not digits:
        raise ValueError("no hex digits")
    try:
        return bytes.fromhex(digits)
    except ValueError:
        found = re.search("[^0-9a-fA-F]", digits)
        wrong = f"{found[0]!a} is no hex digit" if found else "an odd number of digits"
        raise ValueError(f"not hex: {wrong}") from None


def _print(description: "Description") -> None:
    """A table of two columns; an answer and the TLVs are rows of their own."""
    for name, value in _rows(description):
        typer.echo(f"{name:24} {value}".rstrip())
    typer.echo()


def _rows(description: "Description") -> Iterator[tuple[str, str]]:
    for name, value in description.items():
        if name == "tlvs":
            for tlv in value:
                yield f"{tlv['tag']} {tlv['name']}", tlv["value"]
        elif isinstance(value, list):
            for number, one in enumerate(value, start=1):
                yield f"{name} {number}", _words(one)
        else:
            yield name, _words(value)


def _words(value: Any) -> str:
    """A value in one line, with no character that could drive a terminal."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
    if value is None:
        return "none"
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in str(value))

"""`smsgw pdu`: what the octets of a PDU say and mean, and what a session answers to a bad one."""

import re
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from smsgw.cli.common import Config, Json, load_settings_or_exit, noun, print_json, printable
from smsgw.cli.inputs import complaint, lines

if TYPE_CHECKING:
    from smsgw.carrier.reading import Ways
    from smsgw.smpp.describe import Description

# Characters of one input: 70,000 octets as `0x00, ` take 420,000.
LONGEST: Final = 1_000_000

# What we make of a message is no row where there is nothing to say.
_MEANING: Final = frozenset({"text", "read_as", "concat", "receipt"})

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
    carrier: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Read it as from this carrier, by its alphabet and form of ids."
        ),
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Say what a PDU says. One that can't be read is an answer too, with what a session sends back.

    No daemon is needed, and a configuration only with --carrier.
    """
    if stdin is bool(octets):
        raise typer.BadParameter("give either HEX or --stdin")
    inputs: Iterable[str | bytes] = (
        lines(sys.stdin.buffer, LONGEST) if stdin else [" ".join(octets or ())]
    )
    if not _read_all(inputs, _ways(carrier, config), json):
        raise typer.Exit(1)


def _ways(carrier: str | None, config: Config) -> "Ways":
    from smsgw.carrier.reading import Ways, ways

    if carrier is None:
        return Ways()
    from smsgw.cli.stores import check_carrier

    settings = load_settings_or_exit(config)
    check_carrier(carrier, settings)
    return ways(settings.carriers[carrier])


def _read_all(inputs: Iterable[str | bytes], how: "Ways", json: bool) -> bool:
    """Print what each input says, in order; whether all of them were hex."""
    from smsgw.carrier.reading import read

    all_hex = True
    for number, one in enumerate(inputs, start=1):
        try:
            description = read(_octets(one), how)
        except ValueError as error:
            all_hex = False
            if json:
                print_json({"error": str(error)})
            else:
                typer.echo(complaint(number, one, error), err=True)
            continue
        if json:
            print_json(description)
        else:
            _print(description)
    return all_hex


def _octets(given: str | bytes) -> bytes:
    """Raises ValueError."""
    text = given if isinstance(given, str) else given.decode("ascii", "replace")
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
        elif value is not None or name not in _MEANING:
            yield name, _words(value)


def _words(value: Any) -> str:
    """A value in one line, with no character that could drive a terminal."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
    if value is None:
        return "none"
    return printable(str(value))

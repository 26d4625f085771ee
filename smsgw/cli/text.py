"""`smsgw text`: what a text takes as short messages, and what it is in Latin letters."""

import sys
from collections.abc import Iterable
from typing import Annotated, Final, Literal, NamedTuple

import typer

from smsgw.cli.common import Config, Json, load_settings_or_exit, noun, print_json, printable
from smsgw.cli.inputs import complaint, lines, parsed
from smsgw.text.counted import counted
from smsgw.text.segmentation import Encoded, pieces
from smsgw.text.transliteration import transliterate

# Octets of a line: the longest text that 255 parts hold, each character written as `\u0436`, takes
# 255 * 153 * 6 = 234,090.
LONGEST: Final = 1_000_000

app = noun()


class Measure(NamedTuple):
    """What a text is cut by."""

    ref_bits: int
    default_alphabet: Literal["gsm7", "latin1", "ascii"]


@app.command("text")
def text(
    text: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", help="What is to be sent.")
    ] = None,
    stdin: Annotated[
        bool, typer.Option("--stdin", help='Take texts from stdin, {"text": …} a line.')
    ] = False,
    ref_bits: Annotated[
        Literal["8", "16"] | None,
        typer.Option(
            help="Width of the reference that the parts of a long message share"
            " [the carrier's, 8].",
        ),
    ] = None,
    carrier: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Cut it as for this carrier, by its alphabet and long messages."
        ),
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Say what a text takes as short messages, and what it is in Latin letters.

    No daemon is needed, and a configuration only with --carrier.
    """
    inputs: Iterable[str | bytes]
    if stdin and text is None:
        inputs = lines(sys.stdin.buffer, LONGEST)
    elif not stdin and text is not None:
        inputs = [" ".join(text)]
    else:
        raise typer.BadParameter("give either TEXT or --stdin")
    if not _measure_all(inputs, _measure(carrier, ref_bits, config), json):
        raise typer.Exit(1)


def _measure(carrier: str | None, ref_bits: str | None, config: Config) -> Measure:
    if carrier is None:
        return Measure(int(ref_bits or 8), "gsm7")
    from smsgw.cli.stores import check_carrier
    from smsgw.settings import derive

    settings = load_settings_or_exit(config)
    check_carrier(carrier, settings)
    encoding = derive.encoding(settings.carriers[carrier])
    return Measure(int(ref_bits or encoding.ref_bits), encoding.default_alphabet)


def _measure_all(inputs: Iterable[str | bytes], measure: Measure, json: bool) -> bool:
    """Print what each input takes, in order; whether all of them could be sent."""
    all_sent = True
    for number, one in enumerate(inputs, start=1):
        try:
            given = _text(one) if isinstance(one, bytes) else one
            cut = _cut(given, measure)
        except ValueError as error:
            all_sent = False
            if json:
                print_json({"error": str(error)})
            else:
                typer.echo(complaint(number, one, error), err=True)
            continue
        told = {
            "encoding": cut.encoding,
            "parts": len(cut.parts),
            "units": cut.units,
            "transliterated": transliterate(given),
        }
        if json:
            print_json(told)
        else:
            units = ", ".join(map(str, cut.units))
            typer.echo(f"{cut.encoding}, {counted(len(cut.parts), 'part')} ({units})")
            for line in transliterate(given).splitlines():
                typer.echo(f"  {printable(line)}")
    return all_sent


def _text(line: bytes) -> str:
    """A line of stdin. Raises ValueError."""
    if len(line) > LONGEST:
        raise ValueError(f"longer than {LONGEST} octets")
    match parsed(line):
        case {"text": str(text)}:
            return text
        case _:
            raise ValueError('not an object as {"text": "smetka"}')


def _cut(text: str, measure: Measure) -> Encoded:
    """Raises ValueError where no message can have the text."""
    try:
        return pieces(text, *measure)
    except UnicodeEncodeError as error:  # octets that are no character, or JSON's `\ud800`
        place, half = error.start + 1, ord(text[error.start])
        raise ValueError(f"character {place}, U+{half:04X}, is half a surrogate pair") from None

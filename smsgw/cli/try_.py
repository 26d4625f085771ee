"""`smsgw try`: what a message would be answered, by what is stored, with nothing stored."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from smsgw.cli.common import Config, Json, load_settings_or_exit, noun, print_json
from smsgw.cli.inputs import complaint, parsed
from smsgw.cli.stores import check_carrier, read_stores
from smsgw.text.counted import counted

if TYPE_CHECKING:
    from smsgw.storage.trial import Trial, Tried

app = noun()


class Message(NamedTuple):
    """One message to be tried."""

    sender: str  # as typed
    text: str


@app.command("try")
def try_(
    text: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", help="What the customer writes.")
    ] = None,
    sender: Annotated[
        str | None, typer.Option("--from", metavar="MSISDN", help="The phone it comes from.")
    ] = None,
    carrier: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="The carrier it comes over [the subscription's, the number range's, none].",
        ),
    ] = None,
    stdin: Annotated[
        bool,
        typer.Option("--stdin", help='Take messages from stdin, {"from": …, "text": …} a line.'),
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Say what a message would be answered. Nothing is stored, and no daemon is needed."""
    settings = load_settings_or_exit(config)
    check_carrier(carrier, settings)
    inputs: Iterable[Message | bytes]
    if stdin and sender is None and text is None:
        inputs = sys.stdin.buffer
    elif not stdin and sender is not None and text is not None:
        inputs = [Message(sender, " ".join(text))]
    else:
        raise typer.BadParameter("give either --from MSISDN and TEXT, or --stdin")
    from smsgw.storage.trial import Trial

    with read_stores(settings.data_dir) as stores:
        trial = Trial(settings, stores and stores.con, stores and stores.cache, carrier)
        all_read = _try_all(inputs, trial, json)
    if not all_read:
        raise typer.Exit(1)


def _try_all(inputs: Iterable[Message | bytes], trial: "Trial", json: bool) -> bool:
    """Print what becomes of each input, in order; whether all of them could be read."""
    from smsgw.clock import SystemClock

    clock = SystemClock()
    all_read = True
    for number, one in enumerate(inputs, start=1):
        try:
            message = _message(one) if isinstance(one, bytes) else one
            tried = trial.answer(*message, clock.now())
        except ValueError as error:
            all_read = False
            if json:
                print_json({"error": str(error)})
            else:
                typer.echo(complaint(number, one, error), err=True)
            continue
        if json:
            print_json(tried._asdict() | {"reply": tried.reply and tried.reply._asdict()})
        else:
            _print(tried)
    return all_read


def _message(line: bytes) -> Message:
    """A line of stdin. Raises ValueError."""
    match parsed(line):
        case {"from": str(sender), "text": str(text)}:
            return Message(sender, text)
        case _:
            raise ValueError('not an object as {"from": "359888123456", "text": "smetka"}')


def _print(tried: "Tried") -> None:
    typer.echo(" ".join([tried.intent, *tried.customer_numbers]))
    if tried.reply is None:
        typer.echo("  no reply")
        return
    text, encoding, parts = tried.reply
    for line in text.splitlines():
        typer.echo(f"  {line}")
    typer.echo(f"  ({encoding}, {counted(parts, 'part')})")

"""`smsgw`: finds the noun, and lets the noun's own module do the rest.

A noun's module, `smsgw/cli/NOUN.py`, exposes `app`, made by `common.noun()`: with one command it
is that command, with several it is a group of them. Its commands take `config: common.Config =
None` where they need the configuration, print through `typer.echo`, and end with `common.fail` or
`typer.Exit`. The module is imported only when its noun is asked for, and imports what is heavy
only inside its commands, so that `smsgw --help` answers at once. Exit status: 0 done, 1 refused or
failed, 2 a wrong command line, 130 interrupted.
"""

import os
import sys
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from smsgw import __version__
from smsgw.cli.common import Config

# noun -> its module, and what `smsgw --help` says of it
NOUNS: Final[dict[str, tuple[str, str]]] = {
    "run": ("smsgw.cli.run", "The daemon, in the foreground."),
    "check": ("smsgw.cli.check", "Check the configuration."),
    "schema": ("smsgw.cli.schema", "The configuration's JSON Schema, for editors."),
    "demo": ("smsgw.cli.demo", "A daemon, three simulated carriers and their customers."),
    "simulate": ("smsgw.cli.simulate", "An SMSC on its own, with faults on request."),
    "carriers": ("smsgw.cli.carriers", "The links, as the daemon sees them: show, drain, resume."),
    "billing": ("smsgw.cli.billing", "The billing cache: import, status, show."),
    "subscribers": ("smsgw.cli.subscribers", "Registrations: add, end, move, show, export, …"),
    "notices": ("smsgw.cli.notices", "Notices: plan and make runs, watch and stop them."),
    "announce": ("smsgw.cli.announce", "One text to the phones of a list of customer numbers."),
    "send": ("smsgw.cli.send", "One message by hand."),
    "queue": ("smsgw.cli.queue", "Messages on their way: list, show, retry, cancel, receipts."),
    "report": ("smsgw.cli.report", "The published figures of any period."),
    "explain": ("smsgw.cli.explain", "What happened to a phone or a customer number, and why."),
    "keys": ("smsgw.cli.keys", "Partners' keys for the HTTP API: add, list, revoke."),
    "backup": ("smsgw.cli.backup", "Copies of the databases while the daemon runs."),
    "try": ("smsgw.cli.try_", "What a message would be answered, with nothing stored."),
    "text": ("smsgw.cli.text", "What a text takes as short messages."),
    "pdu": ("smsgw.cli.pdu", "What the octets of a PDU say."),
}


class Nouns(TyperGroup):
    """Lists the nouns from the table, and imports only the one that is asked for."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.commands = {
            name: TyperCommand(name=name, help=text) for name, (_, text) in NOUNS.items()
        }

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, known, rest = super().resolve_command(ctx, args)
        if name is None:
            return name, known, rest
        module, _ = NOUNS[name]
        return name, get_command(import_module(module).app), rest


app = typer.Typer(
    name="smsgw",
    cls=Nouns,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"smsgw {__version__}")
        raise typer.Exit


@app.callback()
def smsgw(
    ctx: typer.Context,
    config: Config = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print it and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """An SMS gateway for a utility's self-service shortcode."""
    ctx.obj = config


def main() -> None:
    """The command line's entry. A reader that went away, as in `| head`, is no error to report."""
    try:
        try:
            get_command(app)(prog_name="smsgw")
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        sys.exit(f"smsgw: {error}")

"""What every command needs: the configuration or an exit, errors on stderr, JSON on stdout."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

if TYPE_CHECKING:
    from smsgw.settings import Loaded
    from smsgw.settings.model import Settings


def _own_or_before(ctx: typer.Context, value: Path | None) -> Path | None:
    """The command's own --config, else the one that stood before the command."""
    before: Path | None = ctx.find_root().obj
    return value or before


Config = Annotated[
    Path | None,
    typer.Option(
        "-c",
        "--config",
        metavar="FILE",
        readable=False,  # what can't be read is told with all that is wrong, and not a wrong option
        help="The configuration [$SMSGW_CONFIG, config/smsgw.yaml, /etc/smsgw/smsgw.yaml].",
        callback=_own_or_before,
    ),
]
CsvFile = Annotated[
    Path, typer.Argument(metavar="FILE", readable=False, help="CSV, UTF-8, with a header.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def noun(text: str | None = None) -> typer.Typer:
    """A noun's `app`, with plain help and plain tracebacks; `text` is the help of a group."""
    return typer.Typer(
        help=text,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        no_args_is_help=True,
    )


def fail(message: object) -> NoReturn:
    """End the command with `message` on stderr and exit status 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)


# What JSON leaves as it is, and what many programs take for the end of a line.
_LINE_ENDS: Final = {ord(each): f"\\u{ord(each):04x}" for each in "\x85\u2028\u2029"}


def printable(text: str) -> str:
    """`text` with no character that could drive a terminal."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def print_json(value: object, indent: int | None = None) -> None:
    """Print `value` as JSON on stdout, on one line unless indented."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=indent).translate(_LINE_ENDS))


def examine_or_exit(config: Path | None) -> "Loaded":
    """The settings and what is doubtful in them; errors are printed, one a line, and end it."""
    from smsgw import settings

    try:
        return settings.examine(settings.find(config))
    except settings.ConfigError as error:
        fail(error)


def load_settings_or_exit(config: Path | None) -> "Settings":
    """The settings that `config`, a command's `Config` option, stands for."""
    return examine_or_exit(config).settings

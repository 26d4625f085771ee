"""`smsgw carriers`: the links as the running daemon sees them; out for maintenance and back."""

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smsgw.cli.common import Config, Json, fail, load_settings_or_exit, noun, print_json
from smsgw.cli.stores import print_table

if TYPE_CHECKING:
    from smsgw.settings.model import Settings

app = noun()

Id = Annotated[str, typer.Argument(metavar="ID", help="The carrier's key in the configuration.")]


@app.callback(invoke_without_command=True, no_args_is_help=False)
def carriers(ctx: typer.Context, json: Json = False, config: Config = None) -> None:
    """Show the links to the carriers as the running daemon sees them."""
    ctx.find_root().obj = config  # for a command that follows
    if ctx.invoked_subcommand is not None:
        return
    settings = load_settings_or_exit(config)
    found = _ask(settings, "GET", "/carriers")
    if json:
        print_json(found, indent=2)
    elif found:
        rows = [_row(each, settings.timezone) for each in found]
        print_table(rows[0], [list(row.values()) for row in rows])
    else:
        typer.echo("no carrier is enabled")


@app.command()
def drain(carrier: Id, json: Json = False, config: Config = None) -> None:
    """Take a carrier out for maintenance.

    What was submitted is still answered, then its sessions are unbound, and it stays out until it
    is resumed or the daemon starts again. Its messages wait.
    """
    state = _ask(load_settings_or_exit(config), "POST", f"/carriers/{_quoted(carrier)}/drain")
    if json:
        print_json(state)
    elif state["status"] != "drained":
        typer.echo(f"{carrier} was resumed meanwhile: {state['status']}")
    elif state["sessions"]:
        waiting = state["in_flight"]
        typer.echo(f"{carrier} is being drained: {waiting} submits still wait for an answer")
    else:
        typer.echo(f"{carrier} is drained")


@app.command()
def resume(carrier: Id, json: Json = False, config: Config = None) -> None:
    """Have a carrier that was drained bind again."""
    state = _ask(load_settings_or_exit(config), "POST", f"/carriers/{_quoted(carrier)}/resume")
    if json:
        print_json(state)
    else:
        typer.echo(f"{carrier} is resumed: {state['status']}")


def _ask(settings: "Settings", method: str, path: str) -> Any:
    """What the daemon answers, or the end."""
    from smsgw.web.client import Control, ControlError

    try:
        return Control(settings.data_dir).ask(method, path)
    except ControlError as error:
        fail(error)


def _quoted(carrier: str) -> str:
    from urllib.parse import quote

    return quote(carrier, safe="")


def _row(state: dict[str, Any], timezone: tzinfo) -> dict[str, str]:
    since = datetime.fromisoformat(state["since"]).astimezone(timezone)
    return {
        "carrier": state["id"],
        "name": state["name"],
        "status": state["status"],
        "since": f"{since:%Y-%m-%d %H:%M:%S}",
        "sessions": str(state["sessions"]),
        "window": f"{state['in_flight']}/{state['window']}",
        "a second": f"{state['throughput']:g}" if state["throughput"] else "no limit",
        "slowed to": f"{state['pace']:.1f}" if state["pace"] else "-",
        "last error": state["last_error"],
    }

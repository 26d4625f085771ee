"""`smsgw keys`: partners' keys for the HTTP API."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from smsgw.cli.common import Config, Json, fail, load_settings_or_exit, noun, print_json
from smsgw.cli.stores import (
    open_gateway_alone,
    print_table,
    read_gateway_alone,
    signed,
    to_read,
    user,
)
from smsgw.cli.words import number_from, one_of
from smsgw.doors.shown.times import iso
from smsgw.service.message import Channel
from smsgw.service.partner import DOORS, USUAL, Scope

if TYPE_CHECKING:
    from smsgw.service.partner import Partner

LONGEST_NAME: Final = 64

app = noun("Partners' keys for the HTTP API.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is: changes bear it.")]


@app.command()
def add(
    name: Name,
    channel: Annotated[
        str,
        typer.Option(
            parser=one_of(*DOORS),
            metavar="|".join(DOORS),
            help="Where its registrations come from.",
        ),
    ],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            parser=one_of(*Scope),
            metavar="SCOPE",
            help=f"What it may be used for; several times for several: {', '.join(Scope)}"
            " [registrations, of a centre lookups too, of api none].",
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            parser=number_from(0), metavar="N", help="Requests a second; 0: no bound [http.rate]."
        ),
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Make a key and print it. It is shown this once: only a digest of it is kept."""
    from smsgw.storage import partners

    settings = load_settings_or_exit(config)
    if not name.isprintable() or not name.strip() or len(name) > LONGEST_NAME:
        raise typer.BadParameter(
            f"a name has 1 to {LONGEST_NAME} printable characters", param_hint="NAME"
        )
    door = Channel(channel)
    scopes = frozenset(Scope(each) for each in scope) if scope else USUAL[door]
    if not scopes:
        raise typer.BadParameter(f"a key of {door} needs one at least", param_hint="--scope")
    author = signed(settings, door)
    with open_gateway_alone(settings.data_dir) as stores:
        try:
            key = partners.add(
                stores.con, author.keyed, name, door, scopes, rate, user(), author.now
            )
        except partners.KeyRefusedError as error:
            fail(f"not made: {error}")
    if json:
        print_json({"name": name, "channel": door, "scopes": sorted(scopes), "key": key})
        return
    typer.echo(key)
    typer.echo(
        f"{name}: {door}, {', '.join(sorted(scopes))}; keep it now, it can't be shown again",
        err=True,
    )


@app.command("list")
def list_(json: Json = False, config: Config = None) -> None:
    """List the keys, revoked ones too: what each is for, and when it last asked for a change."""
    from smsgw.storage import partners

    settings = load_settings_or_exit(config)
    with read_gateway_alone(settings.data_dir) as stores:
        found = [] if stores is None else partners.listed(stores.con)
    written = iso if json else to_read

    def when(at: float | None) -> str | None:
        return None if at is None else written(at, settings.timezone)

    rows: list[dict[str, Any]] = [_row(one) | _times(one, last, when) for one, last in found]
    if json:
        print_json(rows, indent=2)
    elif rows:
        shown = [[_cell(value) for value in row.values()] for row in rows]
        print_table([name.removesuffix("_at") for name in rows[0]], shown)
    else:
        typer.echo("there are none")


def _row(one: "Partner") -> dict[str, Any]:
    return {
        "name": one.name,
        "channel": one.channel,
        "scopes": sorted(one.scopes),
        "rate": one.rate,
    }


def _times(one: "Partner", last: float | None, when: Any) -> dict[str, Any]:
    return {
        "made_at": when(one.made_at),
        "made_by": one.made_by,
        "last_change_at": when(last),
        "revoked_at": when(one.revoked_at),
        "revoked_by": one.revoked_by,
    }


def _cell(value: object) -> str:
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, float):
        return f"{value:g}"
    return "-" if value is None else str(value)


@app.command()
def revoke(name: Name, config: Config = None) -> None:
    """Take a key back: the daemon refuses it from now on."""
    from smsgw.clock import SystemClock
    from smsgw.storage import partners

    settings = load_settings_or_exit(config)
    with open_gateway_alone(settings.data_dir) as stores:
        try:
            partners.revoke(stores.con, name, user(), SystemClock().now())
        except partners.KeyRefusedError as error:
            fail(f"not revoked: {error}")
    typer.echo(f"{name}: revoked")

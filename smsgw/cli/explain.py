"""`smsgw explain`: what happened to a phone or a customer number, and why."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from smsgw.cli.common import Config, Json, fail, load_settings_or_exit, noun, print_json
from smsgw.cli.people import either
from smsgw.cli.stores import known_key, read_gateway_alone, to_the_second
from smsgw.cli.words import whole_number
from smsgw.doors.shown.times import iso

if TYPE_CHECKING:
    from smsgw.settings.model import Settings
    from smsgw.storage.timeline import Event

app = noun()


@app.command("explain")
def explain(
    who: Annotated[str, typer.Argument(metavar="NUMBER", help="A phone, or a customer number.")],
    full: Annotated[bool, typer.Option("--full", help="Print phone numbers in full.")] = False,
    last: Annotated[
        int,
        typer.Option(
            metavar="N", parser=whole_number(0), help="Only the last N events; 0: all [1000]."
        ),
    ] = 1000,
    json: Json = False,
    config: Config = None,
) -> None:
    """One timeline of a phone or a customer number: messages, decisions, states, receipts, and who
    changed what, the oldest first. Phone numbers are masked, unless asked for in full.

    Twelve digits that begin with 359 can be a phone and a customer number: both are shown then.
    With --json, one event a line.
    """
    from smsgw.cli.events import as_line
    from smsgw.clock import SystemClock
    from smsgw.doors.shown.events import as_row
    from smsgw.service.record import Ways, outlook
    from smsgw.settings import derive

    settings = load_settings_or_exit(config)
    events = _events(settings, who)
    if not events:
        fail(f"{who}: nothing is known")
    left_out = max(len(events) - last, 0) if last else 0
    ways, now = (
        Ways(derive.encodings(settings), derive.losses(settings).resend),
        SystemClock().now(),
    )
    written = partial(iso if json else to_the_second, timezone=settings.timezone)
    if left_out:
        typer.echo(f"{left_out} earlier events are left out; --last 0 shows all", err=True)
    for event in events[left_out:]:
        comes_next = ""
        if event.message is not None and event.segment is not None and event.current:
            comes_next = outlook(event.message, event.segment, ways, now, written)
        if json:
            print_json(as_row(event, settings.timezone, comes_next, full=full))
        else:
            typer.echo(as_line(event, settings.timezone, comes_next, full=full))


def _events(settings: "Settings", who: str) -> list["Event"]:
    from smsgw.storage import timeline
    from smsgw.storage.database import one_moment

    msisdn, number = either(who, "NUMBER")
    key = known_key(settings)
    with read_gateway_alone(settings.data_dir) as stores:
        if stores is None:
            return []
        with one_moment(stores.con):
            return timeline.of(stores.con, msisdn, number, key)

"""`smsgw queue`: messages on their way, looked at and changed by hand.

A clerk types phone numbers and needs to see them, so these commands print them in full.
"""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from smsgw.cli import queue_rows
from smsgw.cli.common import Config, Json, fail, load_settings_or_exit, noun, print_json
from smsgw.cli.stores import (
    check_carrier,
    open_gateway_alone,
    print_table,
    read_gateway_alone,
    to_the_second,
)
from smsgw.cli.words import LARGEST_ID, one_of, whole_number
from smsgw.doors.shown.times import iso
from smsgw.service.message import MessageKind
from smsgw.service.record import HELD, LIVE
from smsgw.text.counted import counted

if TYPE_CHECKING:
    import sqlite3

    from smsgw.service.by_hand import Order
    from smsgw.settings.model import Settings
    from smsgw.storage.queue import Changed, Filter

app = noun("Messages on their way. Phone numbers are printed in full.")

KINDS: Final = {kind.name.lower(): kind for kind in MessageKind}

Id = Annotated[
    int,
    typer.Argument(
        parser=whole_number(1, LARGEST_ID), metavar="ID", help="A message's number, as listed."
    ),
]
Ids = Annotated[
    list[int] | None,
    typer.Argument(parser=whole_number(1, LARGEST_ID), metavar="ID", help="Messages, as listed."),
]
Held = Annotated[
    bool, typer.Option("--held", help="All whose response was lost and that wait for you.")
]
Limit = Annotated[
    int, typer.Option(parser=whole_number(1, LARGEST_ID), metavar="N", help="So many at most.")
]
CarrierId = Annotated[str | None, typer.Option("--carrier", metavar="ID", help="This one's only.")]


@app.command("list")
def list_(
    carrier: CarrierId = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            parser=one_of(*LIVE),
            metavar="|".join(LIVE),
            help="Those with a part in this state; may be repeated [all but accepted].",
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(parser=one_of(*KINDS), metavar="|".join(KINDS), help="Of this kind only."),
    ] = None,
    limit: Limit = 100,
    json: Json = False,
    config: Config = None,
) -> None:
    """List the messages on their way, oldest first."""
    from smsgw.clock import SystemClock
    from smsgw.storage import queue

    settings = load_settings_or_exit(config)
    which = queue.Filter(
        state or queue.ON_THEIR_WAY, carrier, None if kind is None else KINDS[kind]
    )
    with read_gateway_alone(settings.data_dir) as stores:
        _check_carrier(carrier, settings, stores and stores.con)
        page = queue.Page([], 0) if stores is None else queue.find(stores.con, which, limit)
    written = partial(iso if json else to_the_second, timezone=settings.timezone)
    rows = [queue_rows.line(one, SystemClock().now(), written) for one in page.messages]
    if json:
        print_json(rows, indent=2)
    elif rows:
        print_table(*queue_rows.table(rows))
    else:
        typer.echo("nothing is on its way" if which == queue.Filter() else "there are none")
    _say_more(page.more)


@app.command()
def show(message: Id, json: Json = False, config: Config = None) -> None:
    """Show all of one message: its text, its parts, what became of each and what comes next."""
    from smsgw.clock import SystemClock
    from smsgw.service.record import Ways
    from smsgw.settings import derive
    from smsgw.storage import queue
    from smsgw.storage.database import one_moment

    settings = load_settings_or_exit(config)
    with read_gateway_alone(settings.data_dir) as stores:
        if stores is None:
            fail(f"there is no message {message}")
        with one_moment(stores.con):
            found = queue.records(stores.con, [message])
            if not found:
                fail(f"there is no message {message}")
            (record,) = found
            question = None if record.mo is None else queue.question(stores.con, record.mo)
    ways = Ways(derive.encodings(settings), derive.losses(settings).resend)
    written = partial(iso if json else to_the_second, timezone=settings.timezone)
    shown = queue_rows.whole(record, question, ways, SystemClock().now(), written)
    if json:
        print_json(shown, indent=2)
    else:
        queue_rows.print_whole(shown)


@app.command()
def retry(
    messages: Ids = None,
    held: Held = False,
    carrier: CarrierId = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also what is no longer worth sending: as if new.")
    ] = False,
    config: Config = None,
) -> None:
    """Send messages again whose response was lost, or now those that wait for their next try.

    Part by part: what a carrier has accepted is never repeated. Of what was lost the customer
    may get a second copy. Past the time for which a message is worth sending (a code 10 minutes,
    answers, notices and announcements a day, others 3 days) it is refused; --force gives it that
    time once more.
    """
    from smsgw.service.by_hand import RETRY
    from smsgw.storage.queue import Filter

    settings = load_settings_or_exit(config)
    if bool(messages) == held or (carrier is not None and not held):
        raise typer.BadParameter("give either IDs, or --held and if wanted --carrier ID")
    which = Filter((HELD,), carrier) if held else None
    done = _change(settings, RETRY, messages, which, force)
    _report(RETRY, done, "queued again", which)
    if not all(one.parts for one in done):
        raise typer.Exit(1)


@app.command()
def cancel(
    messages: Ids = None,
    held: Held = False,
    carrier: CarrierId = None,
    config: Config = None,
) -> None:
    """Cancel messages: parts that no carrier has had yet, and those that were lost.

    What is being sent or was accepted can't be taken back. With --carrier, all that is on its way
    to it; with --held too, what of that is held.
    """
    from smsgw.service.by_hand import CANCEL, NOT_OUT
    from smsgw.storage.queue import ON_THEIR_WAY, Filter

    settings = load_settings_or_exit(config)
    if bool(messages) == (held or carrier is not None):
        raise typer.BadParameter("give either IDs, or --held, --carrier ID or both")
    which = None if messages else Filter((HELD,) if held else ON_THEIR_WAY, carrier)
    done = _change(settings, CANCEL, messages, which)
    _report(CANCEL, done, "cancelled", which)
    if not all(one.parts and (held or NOT_OUT.issuperset(one.kept)) for one in done):
        raise typer.Exit(1)


@app.command()
def receipts(
    carrier: CarrierId = None, limit: Limit = 100, json: Json = False, config: Config = None
) -> None:
    """List receipts that belong to no message known, the last first.

    Those that are parked may still find theirs, whose response is late; orphans are given up.
    """
    from smsgw.storage import queue

    settings = load_settings_or_exit(config)
    check_carrier(carrier, settings)
    with read_gateway_alone(settings.data_dir) as stores:
        found, more = ([], 0) if stores is None else queue.strays(stores.con, carrier, limit)
    written = partial(iso if json else to_the_second, timezone=settings.timezone)
    rows = [queue_rows.stray(one, written) for one in found]
    if json:
        print_json(rows, indent=2)
    elif rows:
        print_table(*queue_rows.table(rows))
    else:
        typer.echo("there are none")
    _say_more(more)


def _change(
    settings: "Settings",
    order: "Order",
    messages: list[int] | None,
    which: "Filter | None",
    force: bool = False,
) -> list["Changed"]:
    """Carry out `order` on the messages that are named, or on those that `which` says."""
    from smsgw.clock import SystemClock
    from smsgw.storage import queue
    from smsgw.storage.pace import Pace

    held_only = which is not None and set(which.states) == {HELD}
    with read_gateway_alone(settings.data_dir) as stores:
        if which is None:
            ids = list(dict.fromkeys(messages or []))
        else:
            _check_carrier(which.carrier, settings, stores and stores.con)
            ids = [] if stores is None else queue.find_ids(stores.con, which)
            if not ids:
                fail("nothing is held" if held_only else "nothing is on its way")
        if stores is None:
            return [queue.Changed(each, 0, ()) for each in ids]
    with open_gateway_alone(settings.data_dir) as stores:
        now, pace = SystemClock().now(), Pace()
        return list(
            queue.change(stores.con, order, ids, now, pace, held_only=held_only, force=force)
        )


def _report(
    order: "Order", changed: Sequence["Changed"], done: str, which: "Filter | None"
) -> None:
    """Say what became of each message that was named, or of how many that were found."""
    if which is None:
        for one in changed:
            typer.echo(queue_rows.outcome(order, done, one), err=not one.parts)
        return
    why = Counter(queue_rows.why_not(order, one) for one in changed if not one.parts)
    typer.echo(f"{counted(sum(bool(one.parts) for one in changed), 'message')} {done}")
    for reason, times in why.items():
        typer.echo(f"{counted(times, 'message')} not {done}: {reason}", err=True)


def _check_carrier(
    carrier: str | None, settings: "Settings", con: "sqlite3.Connection | None"
) -> None:
    """Messages may also be for a carrier that the configuration no longer has."""
    from smsgw.storage import queue

    if con is None or carrier not in queue.carriers(con):
        check_carrier(carrier, settings)


def _say_more(count: int) -> None:
    if count:
        typer.echo(f"and {count} more; --limit N shows more", err=True)

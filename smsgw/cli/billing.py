"""`smsgw billing`: take a feed into the cache, look at a customer's bills."""

from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from smsgw.cli.common import Config, CsvFile, Json, fail, load_settings_or_exit, noun, print_json
from smsgw.cli.stores import (
    lines_told,
    not_told,
    open_gateway_alone,
    print_table,
    progress_of,
    read_stores,
    signed,
)
from smsgw.service.message import Channel
from smsgw.text.counted import counted

if TYPE_CHECKING:
    from smsgw.settings.model import Settings
    from smsgw.storage.feed import Taken

NO_CODES: Final = (
    "subscriptions.require_code is on, but bills have no code: no message can register"
)

app = noun("The billing cache.")


@app.command("import")
def import_(
    file: CsvFile,
    delta: Annotated[
        bool, typer.Option("--delta", help="Changes to the cache, as in a file named .delta.csv.")
    ] = False,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="The moment the file tells of, as 2026-12-01T06:00 [when it was last changed].",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take it though it is old or loses many customers.")
    ] = False,
    config: Config = None,
) -> None:
    """Take a billing feed whole, or refuse it whole with the numbers of its wrong lines.

    Columns: customer_number, bill_number, issued_on, due_on, cut_off_on, amount, currency,
    status, and code if there are codes; of a customer with nothing open all but the first are
    empty.

    A running daemon answers from it within a second. Pending registrations whose customer
    number it brings become active.
    """
    settings = load_settings_or_exit(config)
    moment = None if as_of is None else _moment(as_of, settings.timezone)
    _import(file, moment, delta, force, settings)


def _import(
    path: Path, as_of: float | None, delta: bool, force: bool, settings: "Settings"
) -> None:
    from smsgw.clock import SystemClock
    from smsgw.settings import derive
    from smsgw.storage import billing
    from smsgw.storage.audit import FEED
    from smsgw.storage.feed import Feed, is_delta, take_delta, take_snapshot
    from smsgw.storage.pace import Pace
    from smsgw.storage.pending import activate_all
    from smsgw.storage.snapshot import FeedRefusedError

    data_dir, now = settings.data_dir, SystemClock().now()
    author = signed(settings, Channel.IMPORT)._replace(origin=FEED)
    feed = Feed(path, as_of, force, author.keyed)
    size = path.stat().st_size if path.is_file() else 0
    with open_gateway_alone(data_dir) as stores, lines_told(path):
        try:
            with progress_of(path.name, size) as progress:
                if delta or is_delta(path):
                    taken = take_delta(stores.con, data_dir, feed, now=now, progress=progress)
                else:
                    taken = take_snapshot(
                        stores.con,
                        data_dir,
                        feed,
                        max_shrink=settings.billing.max_shrink,
                        now=now,
                        progress=progress,
                    )
        except FeedRefusedError as error:
            fail(error)
        typer.echo(_summary(path, taken, settings.timezone))
        if doubt := _doubt(taken, now, settings.timezone):
            typer.echo(f"{path}: warning: {doubt}; --as-of TIME says it rightly", err=True)
        stores.cache.follow()
        if settings.subscriptions.require_code and billing.without_codes(stores.con):
            typer.echo(f"{path}: warning: {NO_CODES}", err=True)
        activation = activate_all(
            stores.con, derive.rules(settings), derive.encodings(settings), author, Pace()
        )
    if activation.changed:
        typer.echo(
            f"pending registrations now active: {activation.changed};"
            f" {counted(activation.told, 'phone')} told{not_told(activation.untold)}"
        )


def _summary(path: Path, taken: "Taken", timezone: tzinfo) -> str:
    before = "" if taken.before is None else f", before {taken.before.contents.customers}"
    return (
        f"{path}: {taken.kind} of {_local(taken.as_of, timezone)}:"
        f" {counted(taken.now.customers, 'customer')}{before}; {counted(taken.now.bills, 'bill')}"
    )


def _doubt(taken: "Taken", now: float, timezone: tzinfo) -> str:
    """What is odd about the moment that a feed tells of; the last one taken counts all the same."""
    if taken.as_of > now:
        return f"it tells of {_local(taken.as_of, timezone)}, which is still to come"
    if taken.before is not None and taken.as_of < taken.before.as_of:
        return (
            f"it tells of {_local(taken.as_of, timezone)}, and the cache told of"
            f" {_local(taken.before.as_of, timezone)} already"
        )
    return ""


def _moment(text: str, timezone: tzinfo) -> float:
    """An ISO time as seconds since 1970; without an offset it is in the configuration's zone."""
    try:
        moment = datetime.fromisoformat(text)
        if not 1970 < moment.year < 9999:
            raise ValueError
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a time as 2026-12-01T06:00", param_hint="--as-of"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone)).timestamp()


def _local(at: float, timezone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at, timezone):%Y-%m-%d %H:%M %Z}"


@app.command()
def status(json: Json = False, config: Config = None) -> None:
    """Show how old the cache is, what it was made of, and what waits in billing.feed_dir."""
    from smsgw.clock import SystemClock
    from smsgw.doors.shown.billing import FEEDS_SHOWN, state
    from smsgw.storage import billing

    settings = load_settings_or_exit(config)
    zone, now, max_age = settings.timezone, SystemClock().now(), settings.billing.max_age
    with read_stores(settings.data_dir) as stores:
        cached = stores is not None and stores.cached
        found = state(stores.con if stores and cached else None, settings, now)
        feeds = billing.last_feeds(stores.con, FEEDS_SHOWN) if stores and cached else []
    last = feeds[0] if feeds else None
    age = last and now - last.as_of
    if json:
        print_json(found, indent=2)
        return
    if last is None or age is None:
        typer.echo("no billing feed was ever taken")
    else:
        holds = f"{counted(last.customers, 'customer')}; {counted(last.bills, 'bill')}"
        stale = f", and billing.max_age is {max_age}" if found["stale"] else ""
        typer.echo(f"{found['cache']}: {holds}")
        old = f"{age / 3600:.1f} h old" if age >= 0 else "of a time that is still to come"
        typer.echo(f"as of {_local(last.as_of, zone)}: {old}{stale}")
        rows = [
            [_local(feed.taken_at, zone), _local(feed.as_of, zone), *map(str, feed[2:])]
            for feed in feeds
        ]
        print_table(["taken", "as of", *last._fields[2:]], rows)
    if found["importing"]:
        typer.echo(f"an import is under way: process {found['importing']}")
    if found["feed_dir"]:
        typer.echo(_told(found["feed_dir"]))


def _told(feed_dir: dict[str, Any]) -> str:
    if feed_dir["error"]:
        return (
            f"{feed_dir['path']}: can't be read: {feed_dir['error']}; mend that, or change"
            " billing.feed_dir"
        )
    waiting = ", ".join(feed_dir["waiting"]) or "nothing"
    told = f"{feed_dir['path']}: {waiting} waits"
    if last := feed_dir["last"]:
        reason = f": {last['reason']}" if "reason" in last else ""
        told += f"; last, {last['file']} was {last['verdict']}{reason}"
        for problem in last.get("first_wrong_lines", ()):
            told += f"\n{last['place']}:{problem['line']}: {problem['reason']}"
    return told


@app.command()
def show(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="A customer number.")],
    json: Json = False,
    config: Config = None,
) -> None:
    """Show a customer number's bills as the cache has them, settled ones too."""
    from smsgw.doors.shown.billing import bill_row, customer
    from smsgw.service import numbers
    from smsgw.storage import billing

    settings = load_settings_or_exit(config)
    try:
        number = numbers.customer_number(number)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="NUMBER") from None
    with read_stores(settings.data_dir) as stores:
        if stores is None or not stores.cached:
            fail("there is no billing cache yet; make it by smsgw billing import FILE")
        bills = billing.statement(stores.con, number)
        as_of = billing.cache_as_of(stores.con)
    moment = "" if as_of is None else _local(as_of, settings.timezone)
    if bills is None:
        fail(f"the billing cache of {moment} does not know {number}")
    rows = [bill_row(bill, status) for bill, status in bills]
    if json:
        print_json(customer(number, as_of, rows, settings.timezone))
    else:
        typer.echo(f"{number}, as of {moment}: {counted(len(rows), 'bill')}")
        if rows:
            print_table(rows[0], [[value or "" for value in row.values()] for row in rows])


@app.command()
def export(config: Config = None) -> None:
    """Print the cache as a billing feed, customers and bills by their numbers. Import takes it
    again. Invoices' codes are not in it: only digests of them are kept."""
    import csv
    import sys

    from smsgw.doors.shown.billing import feed_row
    from smsgw.service.feed import COLUMNS
    from smsgw.storage import billing

    settings = load_settings_or_exit(config)
    with read_stores(settings.data_dir) as stores:
        if stores is None or not stores.cached:
            fail("there is no billing cache yet; make it by smsgw billing import FILE")
        out = csv.writer(sys.stdout, lineterminator="\n")
        out.writerow(COLUMNS)
        out.writerows(feed_row(*one) for one in billing.everything(stores.con))

"""`smsgw report`: the figures that the company publishes, for any period."""

import csv
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final

import typer

from smsgw.cli.common import Config, Json, fail, load_settings_or_exit, noun, print_json
from smsgw.cli.stores import known_key, print_table, read_gateway_alone
from smsgw.cli.words import one_of
from smsgw.doors.shown.times import iso

if TYPE_CHECKING:
    from smsgw.service.report import Counts, Table, Value
    from smsgw.settings.model import Settings

app = noun()

FORMATS: Final = ("table", "csv", "json")


def day(words: str) -> date:
    """A date as it is written in ISO 8601."""
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise typer.BadParameter(f"{words!r} is no date: write 2026-11-30") from None


@app.command("report")
def report(
    first: Annotated[
        date | None,
        typer.Option("--from", metavar="DATE", parser=day, help="The first day [of this month]."),
    ] = None,
    last: Annotated[
        date | None, typer.Option("--to", metavar="DATE", parser=day, help="The last day [today].")
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            parser=one_of(*FORMATS),
            help="How it is shown [table].",
        ),
    ] = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """The published figures from one day to another, both included: registrations, messages by
    kind, reminders, bill checks, delivery and cost by carrier.

    Different customers are counted by the month: of a month that the period cuts, too, all of it.
    """
    from smsgw.clock import SystemClock
    from smsgw.doors.shown.report import whole
    from smsgw.service.report import tables

    if json and shape not in (None, "json"):
        raise typer.BadParameter(f"--json is --format json, and not {shape}")
    settings = load_settings_or_exit(config)
    now = SystemClock().now()
    today = date.fromisoformat(iso(now, settings.timezone)[:10])
    last = last or (today if first is None else max(first, today))
    first = first or last.replace(day=1)
    if first > last:
        raise typer.BadParameter(f"{last} is before {first}", param_hint="--to")
    found = tables(_counts(settings, first, last, now))
    if json or shape == "json":
        print_json(whole(found, first, last, iso(now, settings.timezone)), indent=2)
    elif shape == "csv":
        _print_csv(found)
    else:
        for table in found:
            typer.echo(f"{table.title}, {first} to {last}:")
            print_table(
                _headings(table.columns), [_shown(table.columns, row) for row in table.rows]
            )


def _counts(settings: "Settings", first: date, last: date, now: float) -> "Counts":
    from smsgw.service.keyed import Keyed
    from smsgw.service.report import Counts
    from smsgw.settings import derive
    from smsgw.storage import reports

    with read_gateway_alone(settings.data_dir) as stores:
        if stores is None:
            return Counts(first, last, {}, {}, {}, (), {})
        key = known_key(settings)
        if key is None and reports.needs_key(stores.con):
            fail(f"{settings.data_dir}: the counts' key is missing; put secret.key back")
        # Where nothing was counted by a key, any tells customers apart.
        key = key or Keyed(b"")
        return reports.read(stores.con, first, last, derive.books(settings, key), now)


# What says of which a figure is; all other columns are figures.
SORTS: Final = ("day", "month", "kind", "purpose", "channel", "carrier")


def _print_csv(found: Iterable["Table"]) -> None:
    """One figure a line, so that a spreadsheet can sum up any of them."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("table", *SORTS, "figure", "value"))
    for table in found:
        for row in table.rows:
            values = dict(zip(table.columns, row, strict=True))
            sorts = [values.pop(name, "") for name in SORTS]
            for name, value in values.items():
                out.writerow((table.name, *sorts, name, "" if value is None else value))


def _headings(columns: Iterable[str]) -> list[str]:
    return [name.removesuffix("_eur").replace("_", " ") for name in columns]


def _shown(columns: Sequence[str], row: Sequence["Value"]) -> list[str]:
    return [_cell(name, value) for name, value in zip(columns, row, strict=True)]


def _cell(name: str, value: "Value") -> str:
    if value is None:
        return "-"
    if name.endswith("_eur"):
        return f"{value:,.2f} EUR"
    if isinstance(value, Decimal):
        return f"{value:.1%}"
    return f"{value:,}" if isinstance(value, int) else value

"""`smsgw notices`: runs of notices, planned, made, watched and stopped."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from smsgw.cli import notice_plans, notice_runs
from smsgw.cli.common import Config, Json, fail, load_settings_or_exit, noun, print_json
from smsgw.cli.evidence import evidence
from smsgw.cli.making import make, say
from smsgw.cli.stores import (
    Stores,
    known_key,
    open_gateway_alone,
    open_stores,
    read_stores,
    signed,
    to_the_second,
    user,
)
from smsgw.cli.words import LARGEST_ID, one_of, whole_number
from smsgw.doors.shown.times import iso
from smsgw.service.message import Channel
from smsgw.service.notices import NoticeKind

if TYPE_CHECKING:
    from smsgw.settings.model import Settings
    from smsgw.storage.planning import Plan

app = noun("Notices: reminders of missed terms and warnings before supply is cut.")
app.command()(evidence)

LOOKS: Final = 1.0  # seconds between two looks at a run that is watched

_KINDS: Final = (NoticeKind.OVERDUE.value, NoticeKind.DISCONNECTION.value)

Kind = Annotated[
    str, typer.Argument(parser=one_of(*_KINDS), metavar="KIND", help=" or ".join(_KINDS) + ".")
]


def _day(words: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise typer.BadParameter(f"{words!r} is not a date, as 2026-12-15 is one") from None


Day = Annotated[
    date | None,
    typer.Option("--date", parser=_day, metavar="DATE", help="The day the run is for [today]."),
]
Run = Annotated[
    int,
    typer.Argument(
        parser=whole_number(1, LARGEST_ID), metavar="RUN", help="A run's number, as listed."
    ),
]
By = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Who says so [whoever is logged in].")
]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why.")]


def _within_a_year(day: date | None, today: date) -> date:
    """The day that is meant; one far off is a mistake in typing."""
    if day is None:
        return today
    if abs(day - today) > timedelta(days=366):
        raise typer.BadParameter(f"{day} is more than a year away", param_hint="--date")
    return day


@app.command()
def plan(kind: Kind, day: Day = None, json: Json = False, config: Config = None) -> None:
    """Show what a run would hold, and make none: how many, over which carriers, at what cost,
    with sample texts, and who is left out and why."""
    from smsgw.clock import SystemClock
    from smsgw.doors.shown import plans
    from smsgw.service.keyed import Keyed
    from smsgw.settings import derive
    from smsgw.storage import planning

    settings = load_settings_or_exit(config)
    now, rules = SystemClock().now(), derive.notice_rules(settings)
    today = rules.calendar.day(now)
    with read_stores(settings.data_dir) as stores:
        if stores is None:
            fail("there are no billing data: take a feed first, by smsgw billing import FILE")
        key = known_key(settings)
        if key is None and stores.con.execute("SELECT 1 FROM notice_key LIMIT 1").fetchone():
            fail(f"{settings.data_dir}: secret.key is missing: who was noticed can't be told")
        key = key or Keyed(b"none")  # there never was a notice
        planned = planning.plan(
            stores.con, NoticeKind(kind), _within_a_year(day, today), rules, key, now
        )
    shown = plans.whole(planned)
    if json:
        print_json(shown, indent=2)
    elif not planned.refusal or planned.notices:
        notice_plans.print_whole(shown)
    else:
        notice_plans.print_left_out(shown)
    if planned.refusal:
        fail(f"there can be no run: {planned.refusal}")


@app.command()
def run(
    kind: Kind,
    day: Day = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Without the hold on a run that is too large."),
    ] = False,
    by: By = None,
    reason: Reason = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Make a run of all who are to be noticed and that no earlier run has, and print its number.

    The daemon sends it: at once inside the hours, else at the next opening. A run that is too
    large is held, until it is confirmed. --force makes it without that, and needs --by and
    --reason.
    """
    from smsgw.clock import SystemClock
    from smsgw.settings import derive
    from smsgw.storage import planning
    from smsgw.storage.runs import Order

    settings = load_settings_or_exit(config)
    if force and not ((by or "").strip() and (reason or "").strip()):
        raise typer.BadParameter("--force needs --by NAME and --reason TEXT")
    now, rules = SystemClock().now(), derive.notice_rules(settings)
    today = rules.calendar.day(now)
    if _within_a_year(day, today) < today:
        fail(f"not made: {day} is past")
    key = signed(settings, Channel.CENTRE).keyed

    with open_stores(settings.data_dir) as stores:

        def planned() -> "Plan":
            return planning.plan(stores.con, NoticeKind(kind), day or today, rules, key, now)

        order = Order(by or user(), reason or "", force=force)
        made = make(stores.con, planned, key, order, now)
    say(made, rules, now, json, settings.data_dir)


@app.command("list")
def list_(
    limit: Annotated[
        int, typer.Option(parser=whole_number(1, LARGEST_ID), metavar="N", help="So many at most.")
    ] = 20,
    json: Json = False,
    config: Config = None,
) -> None:
    """List the runs, the last first."""
    from smsgw.doors.shown.runs import line
    from smsgw.storage import run_records

    settings = load_settings_or_exit(config)
    with read_stores(settings.data_dir) as stores:
        found = [] if stores is None else run_records.find(stores.con, limit)
    written = partial(iso if json else to_the_second, timezone=settings.timezone)
    rows = [line(one, written) for one in found]
    if json:
        print_json(rows, indent=2)
    elif rows:
        notice_runs.print_lines(rows)
    else:
        typer.echo("there are none")


@app.command()
def show(
    run: Run,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until it is done, with a line at each change.")
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Show a run: how far it is, what became of its messages, when it will be done, who is left."""
    settings = load_settings_or_exit(config)
    written = partial(iso if json else to_the_second, timezone=settings.timezone)
    with read_stores(settings.data_dir) as stores:
        if stores is None:
            fail(f"there is no run {run}")
        looks = _looks(settings, stores, run, written)
        shown = next(looks)
        if json:
            print_json(shown, indent=None if watch else 2)
        else:
            notice_runs.print_whole(shown)
        told = notice_runs.progress_line(shown)
        while watch and shown["state"] not in notice_runs.ENDED:
            shown = next(looks)
            if (line := notice_runs.progress_line(shown)) != told:
                if json:
                    print_json(shown)
                else:
                    typer.echo(line)
                told = line


def _looks(
    settings: "Settings", stores: Stores, run: int, written: Callable[[float], str]
) -> Iterator[dict[str, Any]]:
    """The run as it is shown, again and again."""
    import time

    from smsgw.clock import SystemClock
    from smsgw.doors.shown.runs import look

    while True:
        stores.cache.follow()
        found = look(stores.con, settings, run, SystemClock().now(), written)
        if found is None:
            fail(f"there is no run {run}")
        yield found
        time.sleep(LOOKS)


@app.command()
def confirm(
    run: Run,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who says so.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")],
    config: Config = None,
) -> None:
    """Let a held run go."""
    from smsgw.storage import runs

    if not by.strip() or not reason.strip():
        raise typer.BadParameter("--by NAME and --reason TEXT must say something")
    _order(config, run, runs.confirm, by, reason, "confirmed")


@app.command()
def pause(run: Run, by: By = None, reason: Reason = None, config: Config = None) -> None:
    """Send nothing more of a run, until it is resumed."""
    from smsgw.storage import runs

    _order(config, run, runs.pause, by, reason, "paused")


@app.command()
def resume(run: Run, by: By = None, reason: Reason = None, config: Config = None) -> None:
    """Go on with a paused run."""
    from smsgw.storage import runs

    _order(config, run, runs.resume, by, reason, "resumed")


@app.command()
def cancel(run: Run, by: By = None, reason: Reason = None, config: Config = None) -> None:
    """Send nothing more of a run, ever. Who was not noticed yet may be by another run.

    Its messages that are on their way are shown, and cancelled, by smsgw queue.
    """
    from smsgw.storage import runs
    from smsgw.storage.pace import Pace

    count = _order(config, run, partial(runs.cancel, pace=Pace()), by, reason, "")
    typer.echo(f"run {run} cancelled: {count} not sent")


def _order(
    config: Any,
    run: int,
    order: Callable[..., int | None],
    by: str | None,
    reason: str | None,
    done: str,
) -> int | None:
    """Carry out an order on a run, and say so; `done` is what it is then."""
    from smsgw.clock import SystemClock
    from smsgw.storage.runs import RunRefusedError

    settings = load_settings_or_exit(config)
    with open_gateway_alone(settings.data_dir) as stores:
        try:
            found = order(stores.con, run, by or user(), reason or "", SystemClock().now())
        except RunRefusedError as error:
            fail(error)
    if done:
        typer.echo(f"run {run} {done}")
    return found

"""Making a run by a command, and saying what became of it."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from smsgw.cli import notice_plans
from smsgw.cli.common import fail, print_json
from smsgw.cli.stores import to_read

if TYPE_CHECKING:
    from smsgw.service.keyed import Keyed
    from smsgw.service.notices import NoticeRules
    from smsgw.storage.planning import Plan
    from smsgw.storage.runs import Made, Order


def make(
    con: sqlite3.Connection,
    planned: Callable[[], "Plan"],
    keyed: "Keyed",
    order: "Order",
    now: float,
) -> "Made":
    """Make a run, or end the command with why there can be none."""
    from smsgw.storage import runs
    from smsgw.storage.pace import Pace

    try:
        return runs.make(con, planned, keyed, order, now, Pace())
    except runs.RunRefusedError as error:
        fail(f"not made: {error}")


def say(made: "Made", rules: "NoticeRules", now: float, json: bool, data_dir: Path) -> None:
    """Print what became of a run that was to be made."""
    from smsgw.doors.shown import plans
    from smsgw.service.notices import RunState

    shown = plans.whole(made.plan)
    if json:
        state = None if made.run is None else made.state
        print_json({"run": made.run, "state": state, **shown}, indent=2)
        return
    if made.run is None:
        typer.echo(f"nothing to send for {made.plan.day}: no run was made")
    elif made.state is RunState.HELD:
        typer.echo(f"run {made.run} is held: {made.plan.hold}")
        typer.echo(
            f"smsgw notices confirm {made.run} --by NAME --reason TEXT lets it go,"
            f" smsgw notices cancel {made.run} ends it"
        )
    else:
        typer.echo(
            f"run {made.run}: {notice_plans.summary(shown)}; {_when(made, rules, now, data_dir)}"
        )
    notice_plans.print_left_out(shown)


def _when(made: "Made", rules: "NoticeRules", now: float, data_dir: Path) -> str:
    """When its first message goes out."""
    from smsgw.storage.lock import DAEMON_LOCK, holder
    from smsgw.storage.planning import begins

    at = begins(rules, made.plan.day, now)
    window = rules.calendar.next_window(at)
    there = holder(data_dir, DAEMON_LOCK) is not None
    if window is None or at >= window.opens:
        return "it goes out now" if there else f"it goes out once {_STARTED}"
    opens = to_read(window.opens, rules.calendar.timezone)
    return f"it goes out from {opens} on" + ("" if there else f", once {_STARTED}")


_STARTED: Final = "the daemon runs: it does not now, smsgw run starts it"

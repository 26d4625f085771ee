"""Runs of notices in words of what programs are shown of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import typer

from smsgw.cli.common import printable
from smsgw.cli.stores import print_table
from smsgw.service.notices import Cancelled, RunState
from smsgw.text.counted import counted

Row = dict[str, Any]

ENDED: Final = (RunState.DONE, RunState.CANCELLED)

WORDS: Final[Mapping[Cancelled, str]] = {
    Cancelled.PAID: "paid in the meantime",
    Cancelled.ENDED: "the registration ended",
    Cancelled.TOO_LATE: "the cut-off day came before its turn",
    Cancelled.UNREACHABLE: "the carrier is not enabled any more",
    Cancelled.RUN: "the run was cancelled",
    Cancelled.ERASED: "the person was erased",
    Cancelled.NO_TEXT: "it can't be written as a message",
    Cancelled.SPOKEN_OF: "an earlier notice spoke of all its bills",
}


def print_lines(rows: Sequence[Row]) -> None:
    """Print a table of what `line` gave, for one run at least."""
    columns = [name.removesuffix("_at") for name in rows[0]]
    print_table(columns, [[_cell(value) for value in row.values()] for row in rows])


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


def progress_line(shown: Row) -> str:
    """How far a run has come, in a line."""
    cancelled = sum(shown["cancelled"].values())
    return (
        f"run {shown['run']} is {shown['state']}: {shown['sent']} sent, {shown['left']} left,"
        f" {cancelled} cancelled, of {shown['notices']}{_outlook(shown)}"
    )


def _outlook(shown: Row) -> str:
    if shown["state"] == RunState.HELD:
        return f"; held: {shown['hold']}"
    if shown["waits"]:
        return f"; {shown['waits']}"
    told = shown["forecast"]
    if told is None or shown["state"] != RunState.RUNNING:
        return ""
    if told["done_at"] is None:
        return "; when it will be done is not known yet"
    late = "" if told["this_window"] else ", not within these hours"
    return f"; done by {told['done_at']}{late}"


def _stuck(shown: Row) -> bool:
    """Whether a run waits for what nobody can foresee."""
    from smsgw.doors.shown.runs import WAITS

    return bool(shown["waits"]) and shown["waits"].startswith(WAITS)


def print_whole(shown: Row) -> None:
    """Print for people what `whole` gave."""
    by_itself = ", by itself" if shown["automatic"] else ""
    typer.echo(f"{shown['kind']} for {shown['day']}, made {shown['made_at']}{by_itself}")
    typer.echo(progress_line(shown))
    if shown["text"]:
        typer.echo(f"text: {printable(shown['text'])}")
    for reason, count in shown["cancelled"].items():
        typer.echo(f"cancelled: {count}, {WORDS[reason]}")
    if shown["messages"]:
        states = ", ".join(f"{count} {state}" for state, count in shown["messages"].items())
        typer.echo(f"messages: {states}")
    if shown["unsettled"]:
        ids = ", ".join(str(each) for each in shown["unsettled"])
        typer.echo(
            f"held, as their responses were lost: messages {ids}; smsgw queue list --state held"
            " shows all"
        )
    for carrier, count in shown["left_by_carrier"].items():
        at = (shown["forecast"] or {"carriers": {}})["carriers"].get(carrier)
        going_on = shown["state"] == RunState.RUNNING and not _stuck(shown)
        by = f", by {at}" if at and going_on else ""
        typer.echo(f"left over {carrier}: {counted(count, 'notice')}{by}")
    if shown["waiting"]:
        first = ", ".join(f"{one['msisdn']} {one['customer_number']}" for one in shown["waiting"])
        more = ", …" if shown["left"] > len(shown["waiting"]) else ""
        typer.echo(f"who is left: {first}{more}")
    for one in shown["changes"]:
        reason = f": {printable(one['reason'])}" if one["reason"] else ""
        typer.echo(f"{one['at']} {one['state']} by {printable(one['who'])}{reason}")

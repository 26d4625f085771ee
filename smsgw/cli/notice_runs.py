"""How runs of notices are shown: as JSON, and as words of the same. Phones are masked."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import typer

from smsgw.cli.common import printable
from smsgw.cli.stores import print_table
from smsgw.service.notices import Cancelled, RunState
from smsgw.text.counted import counted

if TYPE_CHECKING:
    from smsgw.service.forecast import Forecast
    from smsgw.storage.run_records import Progress, RunChange, RunRecord

Row = dict[str, Any]
Written = Callable[[float], str]  # a moment in the configuration's zone

WAITS: Final = "waits: "  # begins to tell why a run does not go on, where that has no time

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


def line(run: "RunRecord", written: Written) -> Row:
    """A run in the list."""
    return {
        "run": run.id,
        "kind": run.kind,
        "day": run.day.isoformat(),
        "state": run.state,
        "automatic": run.automatic,
        "made_at": written(run.made_at),
        "notices": run.notices,
        "left": run.left,
        "hold": run.hold or None,
    }


def print_lines(rows: Sequence[Row]) -> None:
    """Print a table of what `line` gave, for one run at least."""
    columns = [name.removesuffix("_at") for name in rows[0]]
    print_table(columns, [[_cell(value) for value in row.values()] for row in rows])


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)


def whole(
    run: "RunRecord",
    changes: Sequence["RunChange"],
    progress: "Progress",
    forecast: "Forecast",
    waits: str,
    written: Written,
) -> Row:
    """All of a run. `waits`: why nothing goes out now, though it is under way."""
    going_on = run.state in (RunState.RUNNING, RunState.PAUSED, RunState.HELD)
    carriers = {carrier for carrier, _ in progress.left}
    return {
        **line(run, written),
        "text": run.text,
        "sent": progress.sent,
        "cancelled": {reason: progress.cancelled[reason] for reason in sorted(progress.cancelled)},
        "messages": dict(progress.messages),
        "left_by_carrier": {
            carrier: sum(count for (its, _), count in progress.left.items() if its == carrier)
            for carrier in sorted(carriers)
        },
        "waits": waits or None,
        "forecast": {
            "done_at": None if forecast.done_at is None else written(forecast.done_at),
            "this_window": forecast.this_window,
            "carriers": {
                carrier: None if at is None else written(at)
                for carrier, at in sorted(forecast.carriers.items())
            },
        }
        if going_on and run.left
        else None,
        "unsettled": progress.held,
        "waiting": [
            {
                "msisdn": str(one.msisdn),
                "customer_number": one.customer_number,
                "carrier": one.carrier,
            }
            for one in progress.waiting
        ],
        "changes": [
            {"at": written(one.at), "state": one.state, "who": one.who, "reason": one.reason}
            for one in changes
        ],
    }


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

"""A planned run of notices as tables of what programs are shown of it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import typer

from smsgw.cli.common import printable
from smsgw.cli.stores import print_table
from smsgw.service.notices import LeftOut, NoticeKind
from smsgw.text.counted import counted

Row = dict[str, Any]

# What is left out, and why, in words.
WORDS: Final[Mapping[LeftOut, str]] = {
    LeftOut.NO_DUE_DATE: "bills without a due date",
    LeftOut.IMPLAUSIBLE_DATE: "bills with a due date that can't be right",
    LeftOut.UNKNOWN_CURRENCY: "bills in another currency",
    LeftOut.CREDIT: "bills that are credits, or that credits cover",
    LeftOut.CUT_OFF_PASSED: "bills whose cut-off day has come or is past",
    LeftOut.NO_CUT_OFF_DAY: "bills for which no day is left to cut supply on",
    LeftOut.NO_SUBSCRIPTION: "customer numbers that nobody has registered for",
    LeftOut.NO_CARRIER: "phones whose carrier is not known",
    LeftOut.CARRIER_DISABLED: "phones whose carrier is not enabled",
    LeftOut.NOTICED: "phones that another run has",
    LeftOut.WAITS: "phones whose first attempt failed today, and is repeated on another day",
    LeftOut.TRIED_TWICE: "phones that two attempts did not reach",
}


def summary(shown: Row) -> str:
    """A plan in a line."""
    kind = shown["kind"]
    thing = kind if kind == NoticeKind.ANNOUNCEMENT else f"{kind} notice"
    return (
        f"{counted(shown['notices'], thing)} for {shown['day']} to"
        f" {counted(shown['phones'], 'phone')}: {counted(shown['parts'], 'part')},"
        f" {shown['cost_eur']:.2f} EUR"
    )


def print_whole(shown: Row) -> None:
    """Print for people what `whole` gave."""
    typer.echo(summary(shown))
    if shown["carriers"]:
        print_table(
            ("carrier", "script", "notices", "parts", "cost, EUR"),
            [
                [one["carrier"], one["script"], str(one["notices"]), str(one["parts"]),
                 f"{one['cost_eur']:.2f}"]
                for one in shown["carriers"]
            ],
        )  # fmt: skip
    if moved := shown["cut_off_days_moved"]:
        typer.echo(
            f"cut-off days moved, off rest days and the days before them: {moved} of the customer"
            " numbers"
        )
    print_left_out(shown)
    for one in shown["samples"]:
        typer.echo(
            f"to {one['msisdn']} over {one['carrier']}, {counted(one['parts'], 'part')}:"
            f" {printable(one['text'])}"
        )
    if shown["hold"]:
        typer.echo(f"a run would be held: {shown['hold']}")


def print_left_out(shown: Row, echo: Callable[[str], None] = typer.echo) -> None:
    """Say who is left out, how many and why, with a few of them."""
    for reason, out in shown["left_out"].items():
        examples = [_example(one) for one in out["examples"]]
        more = ", …" if out["count"] > len(examples) else ""
        echo(f"left out, {WORDS[LeftOut(reason)]}: {out['count']} ({', '.join(examples)}{more})")


def _example(one: Row) -> str:
    """A customer number, and the bill or the phone that it is about."""
    return " ".join(one[name] for name in ("customer_number", "bill", "msisdn") if name in one)

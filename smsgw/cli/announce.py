"""`smsgw announce`: one text to the phones of a list of customer numbers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smsgw.cli import notice_plans
from smsgw.cli.common import Config, Json, fail, load_settings_or_exit, noun, print_json
from smsgw.cli.making import make, say
from smsgw.cli.stores import lines_told, open_gateway_alone, signed, user
from smsgw.service.message import Channel

if TYPE_CHECKING:
    from smsgw.storage.planning import Plan

app = noun()


@app.command()
def announce(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Customer numbers, one a line, or a CSV file with the column customer_number.",
        ),
    ],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What they are to read; in quotes.")],
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help="Who says so [whoever is logged in].")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show to how many it would go, and send nothing.")
    ] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Send one text to the phones registered for a list of customer numbers: a planned outage, say.

    It is a run like that of notices: smsgw notices shows, confirms, pauses and cancels it, and it
    goes out inside the hours for notices. A phone with several of the numbers gets it once. The
    same text on the same day goes only to those who have not had it.
    """
    from smsgw.clock import SystemClock
    from smsgw.settings import derive
    from smsgw.storage import announcing
    from smsgw.storage.runs import Order

    settings = load_settings_or_exit(config)
    numbers = _numbers(file)
    now, rules = SystemClock().now(), derive.notice_rules(settings)
    key = signed(settings, Channel.CENTRE).keyed
    with open_gateway_alone(settings.data_dir) as stores:

        def planned() -> "Plan":
            day = rules.calendar.day(now)
            return announcing.plan(
                stores.con, numbers, text, day, rules, key, now, settings.replies.max_parts
            )

        if plan:
            _show(planned(), json)
            return
        made = make(stores.con, planned, key, Order(by or user()), now)
    say(made, rules, now, json, settings.data_dir)


def _numbers(file: Path) -> list[str]:
    """The customer numbers of a file, or the end of the command with its wrong lines."""
    from smsgw.service.lines import Problems
    from smsgw.service.number_list import read

    if not file.is_file():
        fail(f"{file}: {'is no ordinary file' if file.exists() else 'there is no such file'}")
    problems = Problems()
    with lines_told(file), file.open("rb") as opened:
        found = list(read(opened, problems))
        problems.refuse()
    if not found:
        fail(f"{file}: there are no customer numbers in it")
    return found


def _show(plan: "Plan", json: bool) -> None:
    from smsgw.doors.shown import plans

    shown = plans.whole(plan)
    if json:
        print_json(shown, indent=2)
    elif not plan.refusal:
        notice_plans.print_whole(shown)
    if plan.refusal:
        fail(f"there can be no run: {plan.refusal}")

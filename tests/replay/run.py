"""Plays the company's year and prints what `smsgw report` says of it; `scripts/replay-2017`
starts it.

A year without anything that really happened: customers, bills, payments and messages are drawn from
a seed, so that the figures come near those that were published. What is real is the gateway: its
daemon, its database, its commands' use-cases and both ends of its SMPP sessions, in virtual time.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from replay import compare, published
from replay.compare import Tables
from replay.world import World, configuration
from replay.year import YEAR, days_of

SEED = 2017


def main() -> int:
    asked = _arguments()
    began = time.monotonic()
    kept = nullcontext(asked.keep) if asked.keep else TemporaryDirectory(prefix="smsgw-replay-")
    with kept as folder:
        data_dir = Path(folder)
        data_dir.mkdir(parents=True, exist_ok=True)
        world = World(asked.seed, asked.share, data_dir)
        world.run(days_of(asked.months), _Progress(began, quiet=asked.quiet))
        wrong = _judge(world, asked.months, data_dir)
    print(f"{time.monotonic() - began:.0f} s")
    return wrong


def _judge(world: World, months: int, data_dir: Path) -> bool:
    """Print the report beside what was published and what was seen; whether something is wrong."""
    config = data_dir / "smsgw.yaml"
    config.write_text(yaml.safe_dump(configuration(data_dir)), encoding="utf-8")
    whole = _report(config, days_of(months)[-1])
    figures: list[published.Figure] = []
    _table(list(published.monthly(whole)))
    if months >= published.MONTHS:
        until = _report(config, days_of(published.MONTHS)[-1])
        figures = published.figures(until, world.year.share)
        _show(figures, world.year.share)
    counts = {name: smsc.counts for name, smsc in world.smscs.items()}
    different = compare.differences(whole, compare.Seen(counts, world.ledger, world.town))
    problems = world.ledger.problems
    for line in (*compare.shown(problems), *compare.shown(different)):
        print(line)
    sent = sum(row["messages"] for row in whole["messages_by_kind"])
    if world.office.held:
        # It knows no run before January's: in February these are all that it compares with.
        print(f"runs that were held, and confirmed by a clerk: {world.office.held}")
    print(
        f"the report says {'other than' if different else 'the same as'} what carriers and"
        f" customers counted: {sent:,} messages to customers"
    )
    return bool(different or problems or any(one.agrees is False for one in figures))


class _Progress:
    """Says how far it is, once a month."""

    def __init__(self, began: float, *, quiet: bool) -> None:
        self._began = began
        self._quiet = quiet

    def __call__(self, day: date) -> None:
        if not self._quiet and (day + timedelta(days=1)).day == 1:
            seconds = time.monotonic() - self._began
            print(f"{day:%Y-%m} is played, {seconds:.0f} s", file=sys.stderr, flush=True)


def _report(config: Path, last: date) -> Tables:
    """What the command says of the year until a day."""
    command = [
        *(sys.executable, "-m", "smsgw", "-c", str(config), "report", "--format", "json"),
        *("--from", f"{YEAR}-01-01", "--to", last.isoformat()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    tables: Tables = json.loads(done.stdout)
    return tables


def _show(figures: Sequence[published.Figure], share: float) -> None:
    of = "" if share == 1 else f", of {share:g} of the company"
    rows = [(one.what, one.published, one.ours, _ANSWERS[one.agrees]) for one in figures]
    print()
    _table([(f"January to November{of}", "published", "reported", ""), *rows])
    print("\nPublished figures that contradict each other:")
    for line in published.contradictions():
        print(f"- {line}")
    print()


_ANSWERS = {True: "agrees", False: "DIFFERS", None: "see below"}


def _table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        print("  ".join(cells).rstrip())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/replay-2017", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--tenth", dest="share", action="store_const", const=0.1, help="of the company's size"
    )
    size.add_argument("--share", type=float, help="of the company's size, up to 1")
    parser.set_defaults(share=1.0)
    parser.add_argument(
        "--months", type=int, default=12, choices=range(1, 13), help="play only so many"
    )
    parser.add_argument(
        "--keep", metavar="FOLDER", help="leave the databases there, and smsgw.yaml"
    )
    parser.add_argument("--quiet", action="store_true", help="don't say how far it is")
    return parser.parse_args()


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "replay.run", *sys.argv[1:]])
    sys.exit(main())

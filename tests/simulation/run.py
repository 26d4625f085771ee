"""Plays seeds and says which fail; `scripts/simulate` starts it.

An hour of three carriers' misbehaviour a seed, in virtual time. The same seed plays the same, on
any machine.
"""

import argparse
import gc
import os
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

from plan import Fault
from virtual.loop import StuckError
from world import World

SHOWN: Final = 10  # violations of a seed; its event log has them all
EVERY: Final = 10  # seeds, among which each fault happens


class Played(NamedTuple):
    """One seed's outcome."""

    seed: int
    violations: Sequence[str]
    digest: str
    faults: Counter[Fault]
    doubled: Counter[str]
    finals: Counter[str]
    taken_twice: int
    mistaken: int
    lines: Sequence[str]
    seconds: float  # of the processor's time that it took


def play(seed: int, *, log: bool = False) -> Played:
    began = time.process_time()
    gc.collect()  # once a seed and process: nearly all that one makes lives to its end
    with TemporaryDirectory(prefix="smsgw-simulation-") as folder:
        world = World(seed, Path(folder))
        try:
            world.run()
        except StuckError as error:
            world.violation(str(error))
        except Exception:
            world.violation(f"the simulation failed: {traceback.format_exc()}")
    judge = world.judge
    return Played(
        seed,
        judge.violations,
        world.digest,
        world.faults,
        judge.doubled,
        judge.finals,
        judge.taken_twice,
        judge.mistaken,
        world.lines if log else (),
        time.process_time() - began,
    )


def main() -> int:
    asked = _arguments()
    if asked.seed is not None:
        alone = play(asked.seed, log=True)
        print("\n".join(alone.lines))
        _show(alone)
        return bool(alone.violations)
    first = _of_commit() if asked.commit else asked.first
    seeds = range(first, first + asked.seeds)
    print(f"seeds {seeds[0]} to {seeds[-1]}", flush=True)
    played: list[Played] = []
    with ProcessPoolExecutor(asked.jobs, initializer=gc.disable) as pool:
        for one in pool.map(play, seeds):
            played.append(one)
            if one.violations or asked.verbose:
                _show(one)
    return _sum_up(played)


def _show(one: Played) -> None:
    doubled = ", ".join(f"{count} {kind}" for kind, count in sorted(one.doubled.items()))
    print(f"seed {one.seed}: {one.digest}, sent twice: {doubled or 'nothing'}", flush=True)
    for violation in one.violations[:SHOWN]:
        print(f"  {violation}")
    if one.violations:
        print(f"  again: scripts/simulate --seed {one.seed}", flush=True)


def _sum_up(played: Sequence[Played]) -> int:
    doubled: Counter[str] = Counter()
    finals: Counter[str] = Counter()
    faults: Counter[Fault] = Counter()
    for one in played:
        doubled += one.doubled
        finals += one.finals
        faults += one.faults
    failed = [one.seed for one in played if one.violations]
    missing = _missing(played)
    print("segments:", ", ".join(f"{count} {state}" for state, count in finals.most_common()))
    print("faults:", ", ".join(f"{count} {fault}" for fault, count in faults.most_common()))
    print(f"sent twice: {doubled.total()} ({dict(doubled.most_common())})")
    twice = sum(one.taken_twice for one in played)
    print(f"answered twice, as a connection fell silent: {twice} MOs")
    mistaken = sum(one.mistaken for one in played)
    print(f"settled by the receipt of another segment to the same phone: {mistaken}")
    seconds = sum(one.seconds for one in played) / len(played)
    print(f"{len(played)} seeds, {seconds:.2f} s of a processor each; failed: {failed or 'none'}")
    for first, fault in missing:
        print(f"seeds {first} to {first + EVERY - 1}: no {fault}")
    return bool(failed or missing)


def _missing(played: Sequence[Played]) -> list[tuple[int, Fault]]:
    """Faults that did not happen among ten seeds, by the first of these."""
    tens = [played[at : at + EVERY] for at in range(0, len(played) - EVERY + 1, EVERY)]
    return [
        (ten[0].seed, fault)
        for ten in tens
        for fault in Fault
        if not any(one.faults[fault] for one in ten)
    ]


def _of_commit() -> int:
    """A number derived from the commit that is checked out; the same one where there is none."""
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return int(found.stdout.strip()[:8] or "0", 16)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many to play")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--commit", action="store_true", help="or one derived from the commit")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="at once")
    parser.add_argument("--verbose", action="store_true", help="show those that pass, too")
    parser.add_argument("--seed", type=int, help="play this one alone and print what happened")
    return parser.parse_args()


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.argv])
    sys.exit(main())

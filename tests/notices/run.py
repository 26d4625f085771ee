"""Plays seeds, and says which fail; the same seed plays the same, on any machine.

`run.py kills --first 5 --seeds 1 --verbose` shows what happened in one.
"""

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from notices.jumps import Jumps
from notices.kills import Kills
from notices.month import Month

PLAYS: Final[dict[str, Any]] = {"kills": Kills, "month": Month, "jumps": Jumps}
SHOWN: Final = 12  # violations of a seed


class Played(NamedTuple):
    seed: int
    violations: Sequence[str]
    counts: Counter[str]
    said: Sequence[str]
    seconds: float


def play(name: str, seed: int) -> Played:
    began = time.process_time()
    with TemporaryDirectory() as folder:
        one = PLAYS[name](seed, Path(folder))
        try:
            one.run()
        except Exception:
            one.violations.append(traceback.format_exc())
        seconds = time.process_time() - began
        return Played(seed, one.violations, one.counts, one.stage.said, seconds)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("play", choices=PLAYS)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    if given.jobs > 1:
        with ProcessPoolExecutor(given.jobs) as pool:
            played = list(pool.map(partial(play, given.play), seeds))
    else:
        played = [play(given.play, seed) for seed in seeds]
    counts: Counter[str] = Counter()
    for one in played:
        counts += one.counts
        if given.verbose:
            print(*one.said, sep="\n")
        for violation in one.violations[:SHOWN]:
            print(f"seed {one.seed}: {violation}")
        if one.violations:
            print(
                f"seed {one.seed}: {len(one.violations)} violations; again by:"
                f" PYTHONPATH=tests python tests/notices/run.py {given.play} --first {one.seed}"
            )
    for what, count in sorted(counts.items()):
        print(f"{count:7} {what}")
    failed = [str(one.seed) for one in played if one.violations]
    print(f"{sum(one.seconds for one in played):.1f} s; failed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

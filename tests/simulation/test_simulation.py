"""A few seeds of the simulation, and that a seed plays the same twice."""

import os
import re
import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).with_name("run.py")


def simulate(*arguments: str) -> str:
    """What it says; it is a program of its own, so that its loop and its logs are its alone."""
    command = [sys.executable, str(RUN), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(RUN.parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_few_seeds_hold_what_always_holds() -> None:
    assert "failed: none" in simulate("--seeds", "3")


def test_a_seed_plays_the_same_twice() -> None:
    first, second = (
        re.search(r"seed 4: (\w+)", simulate("--first", "4", "--seeds", "1", "--verbose"))
        for _ in range(2)
    )
    assert first is not None
    assert second is not None
    assert first[1] == second[1]

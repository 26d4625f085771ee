"""Notices over days and through kills: a few seeds of each play, and all of them as a slow test.

A play is a program of its own, so that its loop, its threads and its logs are its alone. What fails
is told with the seed and the command that plays it again.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")

# What has to happen for a play to show anything, as the plays call it.
HAPPENS = {
    "kills": (
        "killed between two steps of the loop",
        "killed amid a transaction",
        "killed amid a write",
        "killed after a transaction, before anything follows from it",
        "killed while it made a run",
        "killed with something claimed",
        "a command killed while it made a run",
        "parts got 0 times, claimed at 1 kills",
        "parts got 1 times, claimed at 1 kills",
        "parts got 2 times, claimed at 1 kills",
        "parts held as unknown",
    ),
    "month": (
        "overdue messages",
        "disconnection messages",
        "disconnection messages that name a later day than the bill",
        "messages that ended EXPIRED",
        "messages that ended UNDELIVERABLE",
        "messages that ended BUSY",
        "messages that ended REFUSED",
        "messages that ended REJECTED",
        "messages that ended SILENT",
        "notices cancelled: paid",
        "notices cancelled: ended",
        "notices cancelled: spoken_of",
        "notices sent on a later day than their run's",
        "notices that had to come on a day",
        "second attempts",
        "runs held",
        "daily runs refused at first",
    ),
    "jumps": ("sets of the clock while notices waited", "overdue notices: 1"),
}


def play(name: str, *arguments: str) -> str:
    """What it says."""
    command = [sys.executable, str(RUN), name, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(RUN.parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed: none" in done.stdout
    return done.stdout


@pytest.mark.parametrize("name", ["month", "jumps"])
def test_each_phone_is_noticed_once(name: str) -> None:
    play(name)


def test_each_phone_is_noticed_once_through_kills_and_a_seed_plays_the_same_twice() -> None:
    two, one = (play("kills", "--seeds", seeds, "--verbose") for seeds in "21")
    logged = [line for line in one.splitlines() if line.startswith("03-11 ")]
    assert len(logged) > 20
    assert two.splitlines()[: len(logged)] == logged


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seeds"), [("kills", "20"), ("month", "9"), ("jumps", "6")])
def test_each_phone_is_noticed_once_whatever_happens(name: str, seeds: str) -> None:
    said = play(name, "--seeds", seeds, "--jobs", "2")
    for what in HAPPENS[name]:
        assert re.search(rf"^ *[1-9]\d* {re.escape(what)}$", said, re.MULTILINE), what

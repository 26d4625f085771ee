"""The demo: what its table covers, what it looks like, and that it runs and can fail."""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from datetime import date
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from rich.console import Console

from smsgw.demo import play, stage
from smsgw.demo.conversation import CONVERSATION, Step, expected, feed
from smsgw.demo.show import Screen
from smsgw.service import feed as reader
from smsgw.service.keyed import Keyed
from smsgw.service.keywords import Intent, read
from smsgw.service.lines import Problems
from smsgw.service.message import Script
from smsgw.settings import load

DAYS = [date(2024, 2, 29), date(2025, 12, 31), date(2026, 1, 1), date(2026, 3, 29)]


def test_the_conversation_shows_what_there_is_to_see() -> None:
    readings = [read(step.text) for step in CONVERSATION]
    assert {reading.intent for reading in readings} == set(Intent)
    assert {reading.script for reading in readings} >= set(Script)
    assert {step.carrier for step in CONVERSATION} == set(load(stage.template()).carriers)
    assert any(step.parts == 2 for step in CONVERSATION)
    assert len({step.carrier for step in CONVERSATION if step.phone == "359888123456"}) == 2


def test_the_carriers_are_called_by_their_names() -> None:
    names = [carrier.name for carrier in load(stage.template()).carriers.values()]
    assert names == ["M-Tel", "Telenor", "Vivacom"]


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_the_feed_is_right_on_every_day(today: date) -> None:
    problems = Problems()
    rows = list(reader.read(BytesIO(feed(today).encode()), problems, Keyed(b"key")))
    problems.refuse()
    assert len(rows) == 6
    dues = {date.fromisoformat(row.due_on) for row in rows if row.due_on}
    assert [(due - today).days for due in sorted(dues)] == [-12, 18]
    # The answers name the same days as the feed.
    wanted = " ".join(expected(step, today) for step in CONVERSATION)
    assert set(re.findall(r"\d\d\.\d\d\.\d{4}", wanted)) == {f"{due:%d.%m.%Y}" for due in dues}


def test_the_command_plays_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    played = subprocess.run(
        [sys.executable, "-m", "smsgw", "demo", "--once"],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert (played.returncode, played.stderr) == (0, "")
    lines = [line for line in played.stdout.splitlines() if re.match(r"\d\d:\d\d:\d\d ", line)]
    assert len(lines) == 2 * len(CONVERSATION)
    for name in ("M-Tel", "Telenor", "Vivacom"):
        assert any(re.search(rf"  {name} +\d+  <-  ", line) for line in lines)
    assert f"All {len(CONVERSATION)} messages were answered" in played.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            Step("mtel", "359888123456", "smetka", "nothing like it"),
            "!!  expected: nothing like it",
        ),
        (Step("mtel", "359888123456", "smetka", "", parts=9), "!!  expected:  in 9 parts"),
        (Step("mtel", "CEZ", "smetka", "Nyamate"), "!!  no answer"),
    ],
    ids=["another answer", "other parts", "none"],
)
def test_it_fails_where_an_answer_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: Step, said: str
) -> None:
    monkeypatch.setattr(play, "CONVERSATION", (step,))
    monkeypatch.setattr(play, "PATIENCE", 0.3)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    screen = StringIO()
    assert not asyncio.run(play.play(Console(file=screen, width=100), once=True))
    assert said in screen.getvalue()
    assert "0 of 1 messages were answered as they should be" in screen.getvalue()
    (folder,) = tmp_path.iterdir()
    assert f"What the daemon said of it: {folder}/smsgw.log" in screen.getvalue()
    assert "daemon.started" in (folder / "smsgw.log").read_text(encoding="utf-8")


TEXT = "Нямате задължения по 300055501234.\nНадвнесена сума: 15,00 EUR."


@pytest.mark.parametrize(
    ("width", "text", "shown"),
    [
        (
            100,
            TEXT,
            [
                "TIME  M-Tel    359888123456  <-  Нямате задължения по 300055501234.",
                "                                     Надвнесена сума: 15,00 EUR.   (1 part, 4 ms)",
            ],
        ),
        (
            80,
            "Надвнесена сума по 3000 5550 1234: 15,00 EUR.",
            [
                "TIME  M-Tel    359888123456  <-  Надвнесена сума по 3000 5550 1234: 15,00",
                "                                     EUR.   (1 part, 4 ms)",
            ],
        ),
        (
            48,
            "Надвнесена сума: 15,00 EUR, 300055501234.",
            [
                "TIME  M-Tel    359888123456  <-",
                "    Надвнесена сума: 15,00 EUR, 300055501234.",
                "    (1 part, 4 ms)",
            ],
        ),
        (100, "", ["TIME  M-Tel    359888123456  <-  (1 part, 4 ms)"]),
    ],
    ids=["two lines", "wrapped", "narrow", "empty"],
)
def test_an_answer_looks_well(width: int, text: str, shown: list[str]) -> None:
    out = StringIO()
    screen = Screen(Console(file=out, width=width), {"mtel": "M-Tel", "telenor": "Telenor"})
    screen.answered(0.0, "mtel", "359888123456", text, "1 part, 4 ms")
    lines = re.sub(r"^\d\d:\d\d:\d\d", "TIME", out.getvalue()).splitlines()
    assert [line.rstrip() for line in lines] == shown
    assert all(len(line) <= width for line in lines)

"""A message sent by hand, and what an operator does of one whose response was lost."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CONFIG = """\
shortcode: "170077"
data_dir: {data_dir}
carriers:
  mtel: {{host: 127.0.0.1, port: {mtel}, system_id: cez, password: secret,
         number_ranges: ["35988"]}}
  telenor: {{host: 127.0.0.1, port: {telenor}, system_id: cez, password: secret,
            number_ranges: ["35989"], response_timeout: 1s}}
unknown: {{wait: 0s}}
http: {{listen: "127.0.0.1:0"}}
"""
PATIENCE = 60.0  # seconds


@pytest.fixture
def mtel(simulate: Callable[..., Any]) -> Any:
    return simulate()


@pytest.fixture
def telenor(simulate: Callable[..., Any]) -> Any:
    """Takes two messages and says nothing; no receipt of any."""
    return simulate("--lose", "first:2", "--no-receipts")


@pytest.fixture
def config(tmp_path: Path, mtel: Any, telenor: Any) -> Path:
    path = tmp_path / "smsgw.yaml"
    ports = {
        "mtel": mtel.wait_for("listening")["port"],
        "telenor": telenor.wait_for("listening")["port"],
    }
    path.write_text(CONFIG.format(data_dir=tmp_path / "data", **ports), encoding="utf-8")
    return path


class Smsgw:
    """The real command."""

    def __init__(self, config: Path) -> None:
        self._config = config

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "smsgw", "-c", str(self._config), *arguments]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=PATIENCE
        )

    def said(self, *arguments: str) -> str:
        done = self(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def state(self, message: int) -> Any:
        return json.loads(self.said("queue", "show", str(message), "--json"))["state"]

    def wait_until(self, message: int, state: str) -> None:
        end = time.monotonic() + PATIENCE
        while (found := self.state(message)) != state:
            assert time.monotonic() < end, (message, found)


def test_sent_before_there_is_a_daemon_and_delivered(
    config: Path, mtel: Any, run: Callable[..., Any]
) -> None:
    smsgw = Smsgw(config)
    sent = smsgw.said("send", "0888 123 456", "Здравейте " + "ж" * 61)
    assert sent == "message 1 to 359888123456 over mtel: 2 parts, ucs2\n"
    assert smsgw.state(1) == "queued"

    daemon = run(config)

    mtel.wait_for("mt")
    smsgw.wait_until(1, "delivered")
    assert smsgw.said("queue", "list") == "nothing is on its way\n"
    assert smsgw.said("send", "0888123456", "x").startswith("message 2 ")
    mtel.wait_for("mt", 2)  # while it runs: it looks for what others wrote
    smsgw.wait_until(2, "delivered")
    cancelled = smsgw("queue", "cancel", "2")
    assert (cancelled.returncode, cancelled.stderr) == (
        1,
        "message 2: not cancelled: delivered already\n",
    )
    assert daemon.terminate() == 0


def test_held_then_sent_again_or_cancelled(
    config: Path, telenor: Any, run: Callable[..., Any]
) -> None:
    smsgw = Smsgw(config)
    smsgw.said("send", "0898123456", "one")
    smsgw.said("send", "0898123457", "two")
    run(config)
    telenor.wait_for("mt", 2)
    for message in (1, 2):
        smsgw.wait_until(message, "held")
    held = json.loads(smsgw.said("queue", "list", "--state", "held", "--json"))
    assert [(one["id"], one["attempts"]) for one in held] == [(1, 1), (2, 1)]

    assert smsgw.said("queue", "retry", "1") == "message 1: queued again\n"
    assert smsgw.said("queue", "cancel", "--held") == "1 message cancelled\n"

    assert telenor.wait_for("mt", 3)["text"] == "one"
    smsgw.wait_until(1, "accepted")
    assert smsgw.state(2) == "cancelled"
    assert [one["text"] for one in telenor.of("mt")] == ["one", "two", "one"]
    (part,) = json.loads(smsgw.said("queue", "show", "1", "--json"))["parts"]
    assert (part["attempts"], part["lost"]) == (2, 1)

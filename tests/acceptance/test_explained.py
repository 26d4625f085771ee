"""A customer writes, is answered, a receipt comes: `smsgw explain` tells it, while the daemon runs
and when it is gone."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONFIG = """\
shortcode: "170077"
data_dir: {data_dir}
carriers:
  mtel: {{host: 127.0.0.1, port: {port}, system_id: cez, password: secret}}
http: {{listen: "127.0.0.1:0"}}
"""
PHONE, NUMBER = "359888123456", "300000000001"
PATIENCE = 60.0  # seconds

STEPS = [
    rf'wrote over mtel: "{NUMBER}" \(message 1, read as register\)',
    rf"registration for {NUMBER} requested over mtel \(by customer, sms\)",
    r'answer 1 to message 1 over mtel: ".*" \(\d parts?, delivered\)',
    r"  part 1 of 1 was sent to mtel",
    r"  part 1 of 1 was delivered, the carrier's id \w+, receipt delivered of \d+",
]


def smsgw(config: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "smsgw", "-c", str(config), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
    return done.stdout


def test_a_conversation_is_told_in_order(
    tmp_path: Path, simulate: Callable[..., Any], run: Callable[..., Any]
) -> None:
    mtel = simulate("--mo-file", "-")
    port = mtel.wait_for("listening")["port"]
    config = tmp_path / "smsgw.yaml"
    config.write_text(CONFIG.format(data_dir=tmp_path / "data", port=port), encoding="utf-8")
    daemon = run(config)
    mtel.wait_for("bound")
    mtel.tell(f"{PHONE};{NUMBER}")
    mtel.wait_for("mt")
    end = time.monotonic() + PATIENCE
    while (rows := _rows(config)) and rows[-1].get("state") != "delivered":
        assert time.monotonic() < end, rows

    while_it_runs = smsgw(config, "explain", PHONE)
    assert daemon.terminate() == 0
    without_it = smsgw(config, "explain", PHONE)

    assert without_it == while_it_runs
    lines = while_it_runs.splitlines()
    assert [line[:19] for line in lines] == sorted(line[:19] for line in lines)
    for line, step in zip(lines, STEPS, strict=True):
        assert re.fullmatch(rf"[-\d]{{10}} [:\d]{{8}}  35988\*\*\*\*456  {step}", line), line
    assert smsgw(config, "subscribers", "audit") == "the chain of the audit holds; entries: 1\n"
    person = json.loads(smsgw(config, "subscribers", "export", PHONE))
    assert [one["what"] for one in person["messages"]] == ["message_in", "message_out"]


def _rows(config: Path) -> list[dict[str, Any]]:
    """The events so far; there is at least what the customer wrote."""
    return [json.loads(line) for line in smsgw(config, "explain", PHONE, "--json").splitlines()]

"""A whole feed of the company's size makes the same cache by whichever way it comes."""

import hashlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SMSGW = (sys.executable, "-m", "smsgw")
CUSTOMERS = 140_000
AS_OF = "2026-12-01T06:00:00+02:00"
PATIENCE = 120  # seconds: machines are shared
CONFIG = """\
shortcode: "170077"
data_dir: {name}
billing: {{feed_dir: feeds}}
carriers:
  mtel: {{host: 127.0.0.1, port: 1, system_id: cez, password: secret}}
http: {{listen: "127.0.0.1:0"}}
"""


def feed(path: Path) -> Path:
    """Each tenth customer has no bill, each seventh two, of which one is paid."""
    with path.open("w", encoding="utf-8") as file:
        file.write(
            "customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status\n"
        )
        for place in range(CUSTOMERS):
            number = 300_000_000_000 + place * 7_368_787 % 1_000_000
            if place % 10 == 0:
                file.write(f"{number},,,,,,,\n")
                continue
            amount = f"{place % 30_000 / 100:.2f}"
            file.write(f"{number},{place:010},2026-11-20,2026-12-10,,{amount},EUR,open\n")
            if place % 7 == 0:
                file.write(f"{number},ж-{place},2026-10-20,,2026-12-20,-0.05,BGN,paid\n")
    return path


@pytest.mark.slow
def test_by_the_command_the_folder_and_the_api(tmp_path: Path, run: Callable[..., Any]) -> None:
    source = feed(tmp_path / "source.csv")
    feeds = tmp_path / "feeds"
    feeds.mkdir()
    configs = {}
    for name in ("command", "folder", "api"):
        configs[name] = tmp_path / f"{name}.yaml"
        configs[name].write_text(CONFIG.format(name=name), encoding="utf-8")

    def smsgw(config: str, *args: str) -> str:
        command = [*SMSGW, "-c", str(configs[config]), *args]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    smsgw("command", "billing", "import", str(source), "--as-of", AS_OF)

    daemon = run(configs["folder"])
    daemon.wait_for("daemon.started")
    waiting = feeds / ".bills.csv"
    waiting.write_bytes(source.read_bytes())
    waiting.rename(feeds / "bills.csv")
    daemon.wait_for("billing.feed_taken")
    daemon.terminate()

    daemon = run(configs["api"])
    address = daemon.wait_for("daemon.started")["http"]
    scope = ("--scope", "billing")
    key = smsgw("api", "keys", "add", "billing", "--channel", "api", *scope).strip()
    request = urllib.request.Request(
        f"http://{address}/api/v1/billing/feeds?kind=snapshot&as_of={AS_OF.replace('+', '%2B')}",
        data=source.read_bytes(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "text/csv"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert json.load(answer)["customers"] == CUSTOMERS

    exported = {name: smsgw(name, "billing", "export").encode() for name in configs}
    digests = {hashlib.sha256(one).hexdigest() for one in exported.values()}
    assert len(digests) == 1
    lines = exported["command"].splitlines()
    assert len(lines) == 1 + CUSTOMERS + sum(
        place % 7 == 0 and place % 10 != 0 for place in range(CUSTOMERS)
    )
    assert sorted(lines[1:]) == sorted(source.read_bytes().splitlines()[1:])

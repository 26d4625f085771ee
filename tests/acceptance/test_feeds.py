"""Feeds taken by the command while the daemon answers."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

CONFIG = """\
shortcode: "170077"
data_dir: data
timezone: {zone}
carriers:
  mtel: {{host: 127.0.0.1, port: {port}, system_id: cez, password: secret}}
http: {{listen: "127.0.0.1:0"}}
"""
HEADER = "customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status\n"
KNOWN, UNKNOWN = "300012345678", "300012345679"
BILL = "{},1,2026-01-01,2026-01-20,,{},EUR,open\n"


@pytest.fixture
def carrier(simulate: Callable[..., Any]) -> Any:
    return simulate("--mo-file", "-")


@pytest.fixture
def config(tmp_path: Path, noon_zone: str, carrier: Any) -> Path:
    path = tmp_path / "smsgw.yaml"
    port = carrier.wait_for("listening")["port"]
    path.write_text(CONFIG.format(port=port, zone=noon_zone), encoding="utf-8")
    return path


def take(config: Path, *bills: tuple[str, str]) -> None:
    feed = config.parent / "bills.csv"
    feed.write_text(HEADER + "".join(BILL.format(*bill) for bill in bills), encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "smsgw", "-c", config, "billing", "import", feed, "--force"],
        check=True,
        timeout=60,
    )


def test_a_feed_is_taken_and_makes_registrations_active(
    config: Path, carrier: Any, run: Callable[..., Any]
) -> None:
    daemon = run(config)
    carrier.tell(f"359888123456\t{UNKNOWN}")
    assert "Priehme" in carrier.wait_for("mt")["text"]
    take(config, (UNKNOWN, "45.20"))
    assert f"{UNKNOWN} e aktivna" in carrier.wait_for("mt", 2)["text"]
    for count, amount in enumerate(("50.00", "60.00"), start=2):
        take(config, (UNKNOWN, amount), (KNOWN, "1.00"))
        daemon.wait_for("billing.taken", count)
        carrier.tell("359888123456\tsmetka")
        assert amount.replace(".", ",") in carrier.wait_for("mt", count + 1)["text"]
    caches = {path.name for path in (config.parent / "data").glob("billing-*.db")}
    assert caches <= {"billing-2.db", "billing-3.db"}


def test_a_cache_that_cannot_be_read_leaves_the_old_one(
    config: Path, carrier: Any, run: Callable[..., Any], tmp_path: Path
) -> None:
    take(config, (KNOWN, "45.20"))
    daemon = run(config)
    carrier.tell(f"359888123456\t{KNOWN}")
    carrier.wait_for("mt")
    with closing(sqlite3.connect(tmp_path / "data" / "gateway.db")) as con:
        con.execute("INSERT INTO snapshot (file, imported_at) VALUES ('billing-9.db', 1)")
        con.commit()

    assert "billing-9.db" in daemon.wait_for("billing.unreadable")["reason"]
    carrier.tell("359888123456\tsmetka")
    assert "45,20 EUR" in carrier.wait_for("mt", 2)["text"]
    status, body = daemon.get("/readyz")
    assert status == 503
    (reason,) = [each["reason"] for each in json.loads(body)["reasons"]]
    assert "billing-9.db" in reason

    daemon.kill()
    again = run(config)  # it starts, without bills, and says why
    again.wait_for("billing.unreadable")
    carrier.tell("359888123456\thelp")
    carrier.wait_for("mt", 3)
    take(config, (KNOWN, "50.00"))
    assert again.wait_for("billing.taken")

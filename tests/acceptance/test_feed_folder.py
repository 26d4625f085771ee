"""Feeds that the running daemon takes from its folder, while it answers and is killed."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smsgw.storage.lock import hold

CONFIG = """\
shortcode: "170077"
data_dir: data
timezone: {zone}
billing: {{feed_dir: feeds}}
carriers:
  mtel: {{host: 127.0.0.1, port: {port}, system_id: cez, password: secret}}
http: {{listen: "127.0.0.1:0"}}
"""
HEADER = "customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status\n"
PHONE, NUMBER = "359888123456", "300012345678"
BILL = f"{NUMBER},1,2026-01-01,2026-01-20,,{{}},EUR,open\n"
FAR_AHEAD = 4_000_000_000.0  # no test day makes this data old


@pytest.fixture
def carrier(simulate: Callable[..., Any]) -> Any:
    return simulate("--mo-file", "-")


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    folder = tmp_path / "feeds"
    folder.mkdir()
    return folder


@pytest.fixture
def config(tmp_path: Path, noon_zone: str, carrier: Any, feeds: Path) -> Path:
    path = tmp_path / "smsgw.yaml"
    port = carrier.wait_for("listening")["port"]
    path.write_text(CONFIG.format(port=port, zone=noon_zone), encoding="utf-8")
    return path


def drop(feeds: Path, name: str, *lines: str) -> None:
    new = feeds / f".{name}"
    new.write_text(HEADER + "".join(lines), encoding="utf-8")
    os.utime(new, (FAR_AHEAD, FAR_AHEAD))
    new.rename(feeds / name)


def test_feeds_are_taken_while_it_answers(
    config: Path, carrier: Any, feeds: Path, run: Callable[..., Any]
) -> None:
    daemon = run(config)
    carrier.tell(f"{PHONE}\t{NUMBER}")
    assert "Priehme" in carrier.wait_for("mt")["text"]  # pending
    drop(feeds, "1.csv", "300012345679,,,,,,,\n")
    daemon.wait_for("billing.feed_taken")
    drop(feeds, "2.delta.csv", BILL.format("45.20"))  # a delta makes it active, too
    assert f"{NUMBER} e aktivna" in carrier.wait_for("mt", 2)["text"]
    daemon.wait_for("billing.feed_taken", 2)
    drop(feeds, "3.csv", BILL.format("50.00"))
    refused = daemon.wait_for("billing.feed_refused")
    assert "50.0% less" in refused["reason"]
    carrier.tell(f"{PHONE}\tsmetka")
    assert "45,20 EUR" in carrier.wait_for("mt", 3)["text"]

    assert {path.name for path in (feeds / "done").iterdir()} == {
        "1.csv", "1.csv.report.json", "2.delta.csv", "2.delta.csv.report.json",
    }  # fmt: skip
    report = json.loads((feeds / "refused" / "3.csv.report.json").read_text())
    assert report["reason"] == refused["reason"]
    status, metrics = daemon.get("/metrics")
    assert status == 200
    assert 'smsgw_billing_feeds_total{kind="snapshot",state="refused"} 1.0' in metrics
    assert 'smsgw_billing_feeds_total{kind="delta",state="taken"} 1.0' in metrics
    assert "smsgw_billing_feed_refused 1.0" in metrics
    assert "smsgw_billing_customers 2.0" in metrics
    assert daemon.get("/readyz")[0] == 200


def test_what_keeps_feeds_from_coming_is_said_where_they_are_missed(
    config: Path, carrier: Any, feeds: Path, run: Callable[..., Any]
) -> None:
    feeds.rmdir()
    daemon = run(config)
    daemon.wait_for("billing.feed_trouble")
    status, body = daemon.get("/readyz")
    assert status == 503
    reasons = [each["reason"] for each in json.loads(body)["reasons"]]
    assert any(
        reason.startswith("no billing feed was ever taken; billing.feed_dir ")
        and reason.endswith("can't be read: No such file or directory")
        for reason in reasons
    )
    assert "smsgw_billing_feed_trouble 1.0" in daemon.get("/metrics")[1]


def test_a_daemon_killed_during_an_import_takes_the_file_again(
    config: Path, carrier: Any, feeds: Path, run: Callable[..., Any]
) -> None:
    drop(feeds, "1.csv", *(f"{number:012},,,,,,,\n" for number in range(200_000)))
    daemon = run(config)
    daemon.wait_for("billing.import_started")
    daemon.kill()
    assert (feeds / "1.csv").exists()
    again = run(config)
    assert again.wait_for("billing.feed_taken")["customers"] == 200_000
    assert not (feeds / "1.csv").exists()


def test_a_daemon_that_is_stopped_ends_its_import(
    config: Path, carrier: Any, feeds: Path, run: Callable[..., Any]
) -> None:
    drop(feeds, "1.csv", *(f"{number:012},,,,,,,\n" for number in range(400_000)))
    daemon = run(config)
    daemon.wait_for("billing.import_started")
    assert daemon.terminate() == 0
    assert (feeds / "1.csv").exists()
    with hold(config.parent / "data", "import"):  # nobody has it any more
        pass

"""Notices by the real daemon over real SMPP: the daily run is made, held, confirmed and sent."""

import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from smsgw.storage import runs
from smsgw.storage.database import open_gateway

CONFIG = """\
shortcode: "170077"
data_dir: data
timezone: {zone}
carriers:
  mtel: {{host: 127.0.0.1, port: {port}, system_id: cez, password: secret}}
notices: {{days: all, max_per_run: 2, overdue: {{automatic: true}}}}
http: {{listen: "127.0.0.1:0"}}
"""
HEADER = "customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status\n"
SUBSCRIBERS = "msisdn,customer_number,carrier\n"
NUMBERS = ("300012345671", "300012345672", "300012345673")
PHONES = ("359888000001", "359888000002", "359888000003")


def smsgw(config: Path, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "smsgw", "-c", str(config), *arguments], check=True, timeout=60
    )


def feed(config: Path, *owed: str) -> None:
    """A snapshot in which these customer numbers have a bill that fell due a week ago."""
    due = date.today() - timedelta(days=7)
    issued = due - timedelta(days=20)
    lines = [
        f"{number},1,{issued},{due},,45.20,EUR,open\n" if number in owed else f"{number},,,,,,,\n"
        for number in NUMBERS
    ]
    path = config.with_name("bills.csv")
    path.write_text(HEADER + "".join(lines), encoding="utf-8")
    smsgw(config, "billing", "import", str(path))


def test_a_daily_run_is_held_confirmed_and_sent_but_for_what_was_paid_meanwhile(
    tmp_path: Path, noon_zone: str, simulate: Callable[..., Any], run: Callable[..., Any]
) -> None:
    carrier = simulate("--mo-file", "-")
    config = tmp_path / "smsgw.yaml"
    port = carrier.wait_for("listening")["port"]
    config.write_text(CONFIG.format(zone=noon_zone, port=port), encoding="utf-8")
    people = tmp_path / "people.csv"
    rows = [f"{phone},{number},mtel\n" for phone, number in zip(PHONES, NUMBERS, strict=True)]
    people.write_text(SUBSCRIBERS + "".join(rows), encoding="utf-8")
    feed(config, *NUMBERS)
    smsgw(config, "subscribers", "import", str(people))

    daemon = run(config)
    made = daemon.wait_for("notices.run_made")
    assert (made["kind"], made["state"], made["notices"]) == ("overdue", "held", 3)
    feed(config, NUMBERS[0], NUMBERS[2])
    daemon.wait_for("billing.taken", 2)
    assert carrier.of("mt") == []
    with closing(open_gateway(tmp_path / "data")) as con:
        runs.confirm(con, made["run"], "ana", "it is right", time.time())

    sent = [carrier.wait_for("mt", count) for count in (1, 2)]
    assert [one["text"][:51] for one in sent] == [
        f"Prosrocheno zadalzhenie po {number}: 45,20 EUR," for number in (NUMBERS[0], NUMBERS[2])
    ]
    carrier.tell(f"{PHONES[1]}\tsmetka")
    assert "Nyamate" in carrier.wait_for("mt", 3)["text"]
    _, metrics = daemon.get("/metrics")
    assert 'smsgw_notices_sent_total{carrier="mtel",kind="overdue"} 2.0' in metrics
    assert 'smsgw_notices_cancelled_total{kind="overdue",reason="paid"} 1.0' in metrics
    with closing(open_gateway(tmp_path / "data")) as con:
        assert con.execute("SELECT state FROM notice_run").fetchall() == [("done",)]
        notices = con.execute("SELECT state, reason FROM notice ORDER BY id").fetchall()
        ((left,),) = con.execute(
            "SELECT min(valid_until - created_at) FROM mt WHERE kind = 4"
        ).fetchall()
    assert notices == [("sent", ""), ("cancelled", "paid"), ("sent", "")]
    assert 2 * 3600 <= left <= 8 * 3600, "to the end of the hours: it is past noon now"
    assert not re.search("|".join(PHONES), "\n".join(map(str, daemon.events)))

"""A person is erased while the daemon runs and carriers still say things: nothing is left, and the
figures stay."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

CONFIG = """\
shortcode: "170077"
data_dir: data
timezone: {zone}
billing: {{max_age: 0}}
notices: {{days: all, hours: "00:00-23:59", min_validity: 1m}}
carriers:
  mtel: {{host: 127.0.0.1, port: {port}, system_id: cez, password: secret}}
http: {{listen: "127.0.0.1:0"}}
"""
FEED = """customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status
300012345678,17,2026-01-01,2026-01-20,,45.20,EUR,open
300012345679,18,2026-01-01,2026-01-20,,45.20,EUR,open
"""
PHONE, OTHER = "359888123456", "359888765432"
NUMBER, OTHERS = "300012345678", "300012345679"
PATIENCE = 60.0  # seconds


class Desk:
    """Commands beside a running daemon."""

    def __init__(self, folder: Path, config: Path) -> None:
        self.folder = folder
        self._config = config

    def smsgw(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "smsgw", "-c", str(self._config), *arguments]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
        return done.stdout

    def count(self, query: str) -> int:
        uri = f"{(self.folder / 'data' / 'gateway.db').as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as con:
            return int(con.execute(query).fetchone()[0])

    def until(self, query: str, count: int) -> None:
        end = time.monotonic() + PATIENCE
        while (found := self.count(query)) != count:
            assert time.monotonic() < end, (query, found)

    def report(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.smsgw("report", "--json"))
        del told["as_of"]
        return told


def traces(octets: bytes) -> list[bytes]:
    """The forms of the phone's number, and of the customer's, that are found in some octets."""
    forms = [PHONE[3:], "888 123 456", NUMBER]
    found = []
    for form in forms:
        for octet in (form.encode(), form.encode("utf-16-be"), form.encode("utf-16-le")):
            found += [octet] * (octet in octets)
            found += [octet.hex().encode()] * (octet.hex().encode() in octets)
    return found


def test_an_erased_person_is_found_nowhere(
    tmp_path: Path, noon_zone: str, simulate: Callable[..., Any], run: Callable[..., Any]
) -> None:
    mtel = simulate("--mo-file", "-", "--receipt-delay", "2")
    port = mtel.wait_for("listening")["port"]
    config = tmp_path / "smsgw.yaml"
    config.write_text(CONFIG.format(port=port, zone=noon_zone), encoding="utf-8")
    (tmp_path / "feed.csv").write_text(FEED, encoding="ascii")
    desk = Desk(tmp_path, config)
    desk.smsgw("billing", "import", str(tmp_path / "feed.csv"))
    daemon = run(config)
    mtel.wait_for("bound")

    mtel.tell(f"{PHONE};{NUMBER}")
    mtel.tell(f"{OTHER};{OTHERS}")
    mtel.wait_for("mt", 2)
    mtel.tell(f"{PHONE};сметка")
    mtel.tell(f"{OTHER};pishete na 0888 123 456")
    desk.smsgw("notices", "run", "overdue")
    mtel.wait_for("mt", 6)
    desk.until("SELECT count(*) FROM segment WHERE state = 'accepted'", 0)
    desk.smsgw("send", PHONE, "Na pat")  # accepted, its receipt still to come
    mtel.wait_for("mt", 7)
    desk.until("SELECT count(*) FROM segment WHERE state = 'accepted'", 1)
    before = desk.report()
    assert json.loads(desk.smsgw("subscribers", "export", PHONE))["notices"]

    told = json.loads(desk.smsgw("subscribers", "erase", PHONE, "--by", "ana", "--json"))
    assert (told["registrations"], told["on_the_way"], told["others"]) == (1, 1, 1)
    assert desk.report() == before
    desk.until("SELECT count(*) FROM segment WHERE state = 'accepted'", 0)
    desk.until("SELECT count(*) FROM segment WHERE state = 'delivered' AND octets = x''", 1)

    desk.smsgw("backup", str(tmp_path / "copy.db"))
    files = [tmp_path / "copy.db", *(tmp_path / "data").glob("gateway.db*")]
    assert len(files) >= 2
    for file in files:
        assert traces(file.read_bytes()) == [], file
    assert daemon.terminate() == 0
    assert traces(json.dumps(daemon.events).encode()) == []
    for file in (tmp_path / "data").glob("gateway.db*"):
        assert traces(file.read_bytes()) == [], file

    for chain in (["subscribers", "audit"], ["notices", "evidence", "--verify"]):
        assert "holds" in desk.smsgw(*chain)
    after = desk.report()
    assert after["reminders"] == before["reminders"]
    assert after["registrations"] == before["registrations"]
    assert after["active_registrations"] == before["active_registrations"]
    assert OTHER in desk.smsgw("subscribers", "list")
    again = subprocess.run(
        [sys.executable, "-m", "smsgw", "-c", str(config), "subscribers", "erase", PHONE],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (again.returncode, again.stderr) == (1, f"{PHONE}: nothing is known\n")

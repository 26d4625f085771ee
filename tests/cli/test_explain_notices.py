"""`smsgw explain` of notices: planned, sent, or not sent and why."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from smsgw.cli.events import CANCELLED
from smsgw.cli.main import app
from smsgw.service.keyed import Keyed
from smsgw.service.message import MessageKind, Msisdn, Mt
from smsgw.service.notices import Cancelled
from smsgw.service.report import Books
from smsgw.storage import history
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.messages import enqueue

CONFIGURATION = """\
shortcode: "170077"
data_dir: data
carriers:
  mtel: {host: h, port: 1, system_id: s, password: p}
"""
AT = 1_800_000_000.0  # 2027-01-15 10:00:00 in Sofia
PHONE, NUMBER = "359888123456", "300012345678"
NAMED = f"overdue notice 1 of run 1 for {NUMBER}"


@pytest.fixture
def con(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    (tmp_path / "smsgw.yaml").write_text(CONFIGURATION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSGW_CONFIG", "smsgw.yaml")
    monkeypatch.setattr("smsgw.clock.SystemClock.now", lambda _: AT + 100)
    with closing(open_gateway(tmp_path / "data")) as con:
        yield con


def run(con: sqlite3.Connection, state: str, kind: str = "overdue", hold: str = "") -> None:
    con.execute(
        "INSERT INTO notice_run (kind, day, state, automatic, made_at, hold)"
        " VALUES (?, '2027-01-15', ?, 0, ?, ?)",
        (kind, state, AT, hold),
    )


def notice(con: sqlite3.Connection, state: str, **more: object) -> None:
    values: dict[str, object] = {
        "run": 1,
        "msisdn": PHONE,
        "customer_number": NUMBER,
        "bills": '[["0017", 1], ["0018", 2]]',
        "carrier": "mtel",
        "script": "latin",
        "state": state,
        "changed_at": AT + 60,
        **more,
    }
    con.execute(
        f"INSERT INTO notice ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
        tuple(values.values()),
    )


def lines(who: str = NUMBER) -> list[str]:
    done = CliRunner().invoke(app, ["explain", who])
    assert done.exit_code == 0, done.stderr
    return done.stdout.splitlines()


PLANNED = f"{NAMED} planned over mtel, bills 0017, 0018 (attempt 2)"


@pytest.mark.parametrize("who", [NUMBER, "0888123456"])
@pytest.mark.parametrize(
    ("state", "hold", "said"),
    [
        ("running", "", "; waits for its turn"),
        ("paused", "", "; its run is paused"),
        ("held", "22,000 are too many", "; its run is held: 22,000 are too many"),
        ("running", "22,000 were confirmed", "; waits for its turn"),
        ("making", "", "; its run is being made"),
    ],
)
def test_one_that_is_planned(
    con: sqlite3.Connection, who: str, state: str, hold: str, said: str
) -> None:
    run(con, state, hold=hold)
    notice(con, "planned")
    assert lines(who) == [f"2027-01-15 10:00:00  35988****456  {PLANNED}{said}"]


@pytest.mark.parametrize("reason", Cancelled)
def test_one_that_was_not_sent(con: sqlite3.Connection, reason: Cancelled) -> None:
    run(con, "running")
    notice(con, "cancelled", reason=reason)
    assert lines() == [
        f"2027-01-15 10:00:00  35988****456  {PLANNED}",
        f"2027-01-15 10:01:00  35988****456  {NAMED} not sent: {CANCELLED[reason]}",
    ]


def test_who_cancelled_its_run(con: sqlite3.Connection) -> None:
    run(con, "cancelled")
    notice(con, "cancelled", reason="run")
    con.execute(
        "INSERT INTO notice_run_change (run, at, state, who, reason) VALUES (1, ?, ?, ?, ?)",
        (AT + 60, "cancelled", "ana", "wrong column"),
    )
    assert lines()[1].endswith("not sent: its run was cancelled by ana: wrong column")


def send(con: sqlite3.Connection, kind: MessageKind, text: str) -> None:
    with transaction(con):
        enqueue(con, [Mt("mtel", kind, Msisdn(PHONE), text, AT + 60)], {}, AT + 60)
    con.execute(
        "UPDATE segment SET state = 'delivered', claimed_at = ?, changed_at = ?", (AT + 60, AT + 70)
    )


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("who", [NUMBER, "0888123456"])
def test_an_announcement_names_no_number_and_is_found_by_it(
    con: sqlite3.Connection, who: str, moved: bool
) -> None:
    run(con, "running", "announcement")
    send(con, MessageKind.ANNOUNCEMENT, "No power tomorrow")
    notice(con, "sent", mt_id=1)
    if moved:
        books = Books(Keyed(b"k"))
        assert history.move_outgoing(con, 0, AT + 9999, books).moved == 1
    assert [line[35:] for line in lines(who)] == [
        f"announcement notice 1 of run 1 for {NUMBER} planned over mtel",
        f"announcement notice 1 of run 1 for {NUMBER} sent as message 1",
        'announcement 1 over mtel: "No power tomorrow" (1 part, delivered)',
        "  part 1 of 1 was sent to mtel",
        "  part 1 of 1 was delivered",
    ]


def test_one_that_is_erased(con: sqlite3.Connection) -> None:
    run(con, "running")
    notice(con, "cancelled", reason="erased", msisdn=None, bills=None)
    assert lines()[1].endswith(f"  erased        {NAMED} not sent: the person was erased")


def test_the_export_of_a_person_has_them(con: sqlite3.Connection) -> None:
    run(con, "running")
    notice(con, "cancelled", reason="paid")
    done = CliRunner().invoke(app, ["subscribers", "export", PHONE])
    found: list[Any] = json.loads(done.stdout)["notices"]
    assert [(one["state"], one["reason"]) for one in found] == [
        ("planned", None),
        ("cancelled", "paid"),
    ]
    assert found[0]["bills"] == [["0017", 1], ["0018", 2]]

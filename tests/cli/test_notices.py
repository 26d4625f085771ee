"""`smsgw notices`: what it prints, where, and how it ends."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from smsgw.cli.main import app
from smsgw.storage import lock
from smsgw.storage.database import open_gateway, transaction

SOFIA = ZoneInfo("Europe/Sofia")
NOW = datetime(2026, 12, 15, 10, tzinfo=SOFIA).timestamp()  # a Tuesday
HOME, OTHER, THIRD = "300012345678", "300012345686", "300012345694"

CONFIGURATION = """\
shortcode: "170077"
data_dir: data
notices: {max_per_run: 2}
carriers:
  mtel: {host: h, port: 1, system_id: s, password: p, number_ranges: ["35988"], price: 4.5,
         throughput: 1}
  telenor: {host: h, port: 1, system_id: s, password: p, number_ranges: ["35989"], price: 5}
  vivacom: {host: h, port: 1, system_id: s, password: p, enabled: false, number_ranges: ["35987"]}
"""
FEED = """\
customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status
300012345678,0000000001,2026-11-20,2026-12-10,2026-12-18,45.20,EUR,open
300012345678,0000000002,2026-10-20,2026-11-10,,10.00,EUR,open
300012345686,0000000003,2026-11-20,2026-12-10,,7.00,EUR,open
300012345694,0000000004,2026-11-20,,,7.00,EUR,open
"""


class Clock:
    now = NOW


@pytest.fixture(autouse=True)
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """10:00 on Tuesday, 15 December 2026, in a folder with a configuration and no database yet."""
    (tmp_path / "smsgw.yaml").write_text(CONFIGURATION)
    (tmp_path / "feed.csv").write_text(FEED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSGW_CONFIG", "smsgw.yaml")
    monkeypatch.setenv("SUDO_USER", "ana")
    clock = Clock()
    monkeypatch.setattr("smsgw.clock.SystemClock.now", lambda _: clock.now)
    return clock


def smsgw(*args: str) -> Result:
    return CliRunner().invoke(app, args)


def done(*args: str) -> str:
    result = smsgw(*args)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def as_json(*args: str) -> Any:
    return json.loads(done(*args, "--json"))


def fed(as_of: str = "2026-12-15T06:00") -> None:
    done("billing", "import", "feed.csv", "--as-of", as_of)


@pytest.fixture
def daemon() -> Iterator[ExitStack]:
    """One that runs, as far as others can see, until it is closed."""
    with ExitStack() as stack:
        stack.enter_context(lock.hold(Path("data"), lock.DAEMON_LOCK))
        yield stack


@pytest.fixture
def customers(daemon: ExitStack) -> None:
    """Two phones for one number, one for another, one whose carrier is not enabled."""
    fed()
    for phone, number in (("0888123456", HOME), ("0898123456", HOME), ("0888123457", OTHER),
                          ("0888123457", THIRD), ("0878123456", OTHER)):  # fmt: skip
        done("subscribers", "add", phone, number)
    with closing(open_gateway(Path("data"))) as con, transaction(con):
        for table in ("segment", "mt"):  # what they were told
            con.execute(f"DELETE FROM {table}")


def test_a_plan(customers: None) -> None:
    shown = done("notices", "plan", "overdue")
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert lines[0] == "3 overdue notices for 2026-12-15 to 3 phones: 3 parts, 0.14 EUR"
    assert "mtel latin 2 2 0.09" in lines
    assert "telenor latin 1 1 0.05" in lines
    assert "left out, bills without a due date: 1 (300012345694 0000000004)" in lines
    assert "left out, phones whose carrier is not enabled: 1 (300012345686 35987****456)" in lines
    assert (
        "to 35988****456 over mtel, 1 part: Prosrocheno zadalzhenie po 300012345678: 55,20 EUR,"
        " srok 10.11.2026." in lines
    )
    assert lines[-1] == (
        "a run would be held: 3 notices are more than notices.max_per_run, which is 2"
    )
    assert "359888123456" not in shown
    assert done("notices", "list") == "there are none\n"


def test_a_plan_as_json(customers: None) -> None:
    assert as_json("notices", "plan", "disconnection") == {
        "kind": "disconnection",
        "day": "2026-12-15",
        "notices": 0,
        "parts": 0,
        "cost_eur": 0,
        "phones": 0,
        "carriers": [],
        "scripts": {},
        "cut_off_days_moved": 0,
        "left_out": {},
        "samples": [],
        "hold": None,
        "refusal": None,
    }
    # 18 December is a Friday: the day is moved to Monday, 21.
    planned = as_json("notices", "plan", "disconnection", "--date", "2026-12-18")
    assert (planned["notices"], planned["cut_off_days_moved"]) == (2, 1)
    assert planned["carriers"] == [
        {"carrier": "mtel", "script": "latin", "notices": 1, "parts": 1, "cost_eur": 0.045},
        {"carrier": "telenor", "script": "latin", "notices": 1, "parts": 1, "cost_eur": 0.05},
    ]
    assert planned["scripts"] == {"latin": {"notices": 2, "parts": 2, "cost_eur": 0.095}}
    assert planned["samples"][0] == {
        "msisdn": "35988****456",
        "carrier": "mtel",
        "script": "latin",
        "parts": 1,
        "text": "Dalzhite 45,20 EUR po 300012345678. Pri neplashtane tokat spira sled 21.12.2026.",
    }


def test_a_run(customers: None) -> None:
    made = done("notices", "run", "disconnection", "--date", "2026-12-18")
    assert made == (
        "run 1: 2 disconnection notices for 2026-12-18 to 2 phones: 2 parts, 0.10 EUR;"
        " it goes out from 2026-12-18 09:00 on\n"
    )
    again = done("notices", "run", "disconnection", "--date", "2026-12-18")
    assert again == (
        "nothing to send for 2026-12-18: no run was made\n"
        "left out, phones that another run has: 2 (300012345678 35988****456, 300012345678"
        " 35989****456)\n"
    )
    assert as_json("notices", "list") == [
        {
            "run": 1,
            "kind": "disconnection",
            "day": "2026-12-18",
            "state": "running",
            "automatic": False,
            "made_at": "2026-12-15T10:00:00+02:00",
            "notices": 2,
            "left": 2,
            "hold": None,
        }
    ]
    (row,) = [line for line in done("notices", "list").splitlines() if "2026-12-18" in line]
    assert " ".join(row.split()) == (
        "1 disconnection 2026-12-18 running no 2026-12-15 10:00:00 2 2 -"
    )


@pytest.mark.parametrize(
    ("at", "when"),
    [
        ("2026-12-15 10:00", "it goes out now"),
        ("2026-12-15 18:00", "it goes out now"),
        ("2026-12-15 18:01", "it goes out from 2026-12-16 09:00 on"),
        ("2026-12-15 08:59", "it goes out from 2026-12-15 09:00 on"),
        ("2026-12-18 23:00", "it goes out from 2026-12-21 09:00 on"),
        ("2026-12-24 10:00", "it goes out from 2026-12-29 09:00 on"),
    ],
)
def test_when_it_goes_out(customers: None, clock: Clock, at: str, when: str) -> None:
    clock.now = datetime.fromisoformat(at).replace(tzinfo=SOFIA).timestamp()
    fed(at.replace(" ", "T"))
    forced = ("--force", "--by", "bo", "--reason", "x")
    assert done("notices", "run", "overdue", *forced).splitlines()[0].endswith(f"; {when}")


@pytest.mark.parametrize(
    ("at", "when"),
    [
        ("2026-12-15 10:00", "it goes out once the daemon runs"),
        ("2026-12-15 18:01", "it goes out from 2026-12-16 09:00 on, once the daemon runs"),
    ],
)
def test_without_a_daemon_nothing_is_promised(
    customers: None, daemon: ExitStack, clock: Clock, at: str, when: str
) -> None:
    daemon.close()
    clock.now = datetime.fromisoformat(at).replace(tzinfo=SOFIA).timestamp()
    fed(at.replace(" ", "T"))
    forced = ("--force", "--by", "bo", "--reason", "x")
    made = done("notices", "run", "overdue", *forced).splitlines()[0]
    assert made.endswith(f"; {when}: it does not now, smsgw run starts it")
    shown = done("notices", "show", "1").splitlines()
    assert shown[1].endswith("; waits: no daemon runs, smsgw run starts it")
    assert "left over mtel: 2 notices" in shown


def test_a_held_run_and_its_confirmation(customers: None) -> None:
    made = smsgw("notices", "run", "overdue")
    assert made.exit_code == 0
    assert made.stdout.startswith(
        "run 1 is held: 3 notices are more than notices.max_per_run, which is 2\n"
        "smsgw notices confirm 1 --by NAME --reason TEXT lets it go, smsgw notices cancel 1 ends"
    )
    shown = as_json("notices", "show", "1")
    assert (shown["state"], shown["left"]) == ("held", 3)
    assert done("notices", "confirm", "1", "--by", "bo", "--reason", "winter") == (
        "run 1 confirmed\n"
    )
    shown = as_json("notices", "show", "1")
    assert shown["state"] == "running"
    assert shown["changes"] == [
        {"at": "2026-12-15T10:00:00+02:00", "state": state, "who": who, "reason": reason}
        for state, who, reason in (
            ("making", "ana", ""),
            ("held", "ana", "3 notices are more than notices.max_per_run, which is 2"),
            ("running", "bo", "winter"),
        )
    ]


def test_by_force(customers: None) -> None:
    made = as_json("notices", "run", "overdue", "--force", "--by", "bo", "--reason", "winter")
    assert (made["run"], made["state"], made["notices"]) == (1, "running", 3)
    assert as_json("notices", "show", "1")["changes"][1]["reason"] == "winter"


def test_paused_resumed_cancelled(customers: None) -> None:
    done("notices", "run", "disconnection", "--date", "2026-12-18")
    assert done("notices", "pause", "1", "--reason", "a storm") == "run 1 paused\n"
    assert done("notices", "resume", "1", "--by", "bo") == "run 1 resumed\n"
    assert done("notices", "cancel", "1") == "run 1 cancelled: 2 not sent\n"
    shown = as_json("notices", "show", "1")
    assert [(one["state"], one["who"], one["reason"]) for one in shown["changes"][2:]] == [
        ("paused", "ana", "a storm"), ("running", "bo", ""), ("cancelled", "ana", "")
    ]  # fmt: skip
    assert shown["cancelled"] == {"run": 2}
    again = as_json("notices", "run", "disconnection", "--date", "2026-12-18")
    assert (again["run"], again["notices"]) == (2, 2)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["confirm", "1", "--by", "bo", "--reason", "x"], "run 1 is running, not held\n"),
        (["resume", "1"], "run 1 is running, not paused\n"),
        (["pause", "2"], "there is no run 2\n"),
        (["cancel", "2"], "there is no run 2\n"),
        (["show", "2"], "there is no run 2\n"),
        (["run", "overdue", "--date", "2026-12-14"], "not made: 2026-12-14 is past\n"),
    ],
)
def test_what_is_refused(customers: None, args: list[str], error: str) -> None:
    done("notices", "run", "disconnection", "--date", "2026-12-18")
    result = smsgw("notices", *args)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", error)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["plan", "announcement"], "'announcement' is none of overdue, disconnection"),
        (["plan"], "Missing argument 'KIND'"),
        (["plan", "overdue", "--date", "15.12.2026"], "'15.12.2026' is not a date"),
        (["run", "overdue", "--date", "9999-12-31"], "9999-12-31 is more than a year away"),
        (["run", "overdue", "--force"], "--force needs --by NAME and --reason TEXT"),
        (["run", "overdue", "--force", "--by", "bo"], "--force needs --by NAME and --reason"),
        (["run", "overdue", "--force", "--by", "bo", "--reason", " "], "--force needs --by NAME"),
        (["confirm", "1"], "Missing option '--by'"),
        (["confirm", "1", "--by", "bo", "--reason", " "], "must say something"),
        (["show", "one"], "'one' is not a whole number"),
        (["pause", "0"], "0 is too small"),
    ],
)
def test_a_wrong_command_line(args: list[str], error: str) -> None:
    result = smsgw("notices", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert error in result.stderr


@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_run_that_can_not_be_right(verb: str, clock: Clock) -> None:
    refused = "there can be no run" if verb == "plan" else "not made"
    result = smsgw("notices", verb, "overdue")
    assert result.exit_code == 1
    assert result.stderr.endswith(
        "there are no billing data: take a feed first, by smsgw billing import FILE\n"
    )
    fed("2026-12-13T21:00")
    result = smsgw("notices", verb, "overdue")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"{refused}: the billing data are of 2026-12-13 21:00, older than billing.max_age (36 h):"
        " take a newer feed first\n"
    )
    fed()
    done("subscribers", "add", "0888123457", THIRD)
    result = smsgw("notices", verb, "overdue")
    assert result.exit_code == 1
    assert result.stderr == (
        f"{refused}: 1 of 1 bills have no due date, or one that can't be right (bill 0000000004):"
        " look at the billing feed\n"
    )


@pytest.mark.parametrize("verb", ["plan", "run"])
def test_without_the_key_nobody_is_noticed_anew(customers: None, verb: str) -> None:
    done("notices", "run", "overdue", "--force", "--by", "bo", "--reason", "winter")
    Path("data/secret.key").unlink()
    result = smsgw("notices", verb, "overdue")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "secret.key is missing" in result.stderr


def test_while_another_process_makes_one(customers: None) -> None:
    with lock.hold(Path("data"), "notices"):
        result = smsgw("notices", "run", "overdue")
    assert result.exit_code == 1
    assert "is making a run: wait until it is done" in result.stderr


def test_a_run_is_shown(customers: None) -> None:
    done("notices", "run", "overdue", "--force", "--by", "bo", "--reason", "winter")
    with closing(open_gateway(Path("data"))) as con, transaction(con):
        con.execute("UPDATE notice SET state = 'cancelled', reason = 'paid' WHERE id = 1")
    shown = as_json("notices", "show", "1")
    assert shown["left_by_carrier"] == {"mtel": 1, "telenor": 1}
    assert shown["forecast"] == {  # telenor has no limit: who knows
        "done_at": None,
        "this_window": False,
        "carriers": {"mtel": "2026-12-15T10:00:01+02:00", "telenor": None},
    }
    assert shown["waiting"] == [
        {"msisdn": "35989****456", "customer_number": HOME, "carrier": "telenor"},
        {"msisdn": "35988****457", "customer_number": OTHER, "carrier": "mtel"},
    ]
    assert done("notices", "show", "1") == (
        "overdue for 2026-12-15, made 2026-12-15 10:00:00\n"
        "run 1 is running: 0 sent, 2 left, 1 cancelled, of 3; when it will be done is not known"
        " yet\n"
        "cancelled: 1, paid in the meantime\n"
        "left over mtel: 1 notice, by 2026-12-15 10:00:01\n"
        "left over telenor: 1 notice\n"
        f"who is left: 35989****456 {HOME}, 35988****457 {OTHER}\n"
        "2026-12-15 10:00:00 making by bo: winter\n"
        "2026-12-15 10:00:00 running by bo: winter\n"
    )


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-12-15 17:59", "; done by 2026-12-15 17:59:02"),
        ("2026-12-15 17:59:59", "; done by 2026-12-16 09:00:01, not within these hours"),
        ("2026-12-15 18:01", "; goes on 2026-12-16 09:00:00"),
        ("2026-12-15 08:00", "; goes on 2026-12-15 09:00:00"),
        ("2026-12-16 18:01", "; waits: the billing data are of 2026-12-15 06:00, older than"),
    ],
)
def test_what_is_to_be_expected(customers: None, clock: Clock, at: str, said: str) -> None:
    config = Path("smsgw.yaml")
    config.write_text(config.read_text().replace("price: 5", "price: 5, throughput: 0.5"))
    done("notices", "run", "overdue", "--force", "--by", "bo", "--reason", "winter")
    clock.now = datetime.fromisoformat(at).replace(tzinfo=SOFIA).timestamp()
    assert said in done("notices", "show", "1").splitlines()[1]


def test_a_run_for_another_day(customers: None) -> None:
    done("notices", "run", "disconnection", "--date", "2026-12-18")
    assert done("notices", "show", "1").splitlines()[1] == (
        "run 1 is running: 0 sent, 2 left, 0 cancelled, of 2; goes on 2026-12-18 09:00:00"
    )
    shown = as_json("notices", "show", "1")
    assert shown["forecast"]["carriers"]["mtel"] == "2026-12-18T09:00:01+02:00"


def test_a_run_is_watched(customers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    done("notices", "run", "overdue", "--force", "--by", "bo", "--reason", "winter")
    looks = iter(
        [
            "UPDATE notice SET state = 'sent' WHERE id = 1",
            "SELECT 1",
            "UPDATE notice SET state = 'sent'",
            "UPDATE notice_run SET state = 'done'",
        ]
    )

    def goes_on(_: float) -> None:
        with closing(sqlite3.connect("data/gateway.db")) as con, con:
            con.execute(next(looks))

    monkeypatch.setattr("time.sleep", goes_on)
    lines = done("notices", "show", "1", "--watch").splitlines()
    assert [line for line in lines if line.startswith("run 1 is")] == [
        f"run 1 is running: {sent} sent, {3 - sent} left, 0 cancelled, of 3{end}"
        for sent, end in (
            (0, "; when it will be done is not known yet"),
            (1, "; when it will be done is not known yet"),
            (3, ""),
        )
    ] + ["run 1 is done: 3 sent, 0 left, 0 cancelled, of 3"]
    assert next(looks, None) is None
    assert done("notices", "show", "1", "--watch").splitlines()[1].startswith("run 1 is done")

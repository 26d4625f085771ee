"""`smsgw announce`: what it prints, where, and how it ends."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from smsgw.cli.main import app

NOW = datetime(2026, 12, 15, 10, tzinfo=ZoneInfo("Europe/Sofia")).timestamp()  # a Tuesday
HOME, OTHER = "300012345678", "300012345686"

CONFIGURATION = """\
shortcode: "170077"
data_dir: data
notices: {max_per_run: 2}
carriers:
  mtel: {host: h, port: 1, system_id: s, password: p, number_ranges: ["35988"], price: 4.5}
  telenor: {host: h, port: 1, system_id: s, password: p, number_ranges: ["35989"], price: 5}
"""
FEED = f"""\
customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status
{HOME},,,,,,,
{OTHER},,,,,,,
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """10:00 on a working day, in a folder with a configuration and no database yet."""
    (tmp_path / "smsgw.yaml").write_text(CONFIGURATION)
    (tmp_path / "feed.csv").write_text(FEED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSGW_CONFIG", "smsgw.yaml")
    monkeypatch.setattr("smsgw.clock.SystemClock.now", lambda _: NOW)


def smsgw(*args: str) -> Result:
    return CliRunner().invoke(app, args)


def done(*args: str) -> str:
    result = smsgw(*args)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def as_json(*args: str) -> Any:
    return json.loads(done(*args, "--json"))


@pytest.fixture
def customers() -> None:
    """Two phones for one number, one for another."""
    done("billing", "import", "feed.csv", "--as-of", "2026-12-15T06:00")
    for phone, number in (("0888123456", HOME), ("0898123456", HOME), ("0888123457", OTHER)):
        done("subscribers", "add", phone, number)


def test_an_announcement(customers: None) -> None:
    Path("list.txt").write_text(f"{HOME}\n{OTHER}\n300000000001\n")
    text = "Utre ot 9 do 12 ch. nyama da ima tok."
    planned = as_json("announce", "list.txt", text, "--plan")
    assert (planned["notices"], planned["hold"]) == (
        3,
        "3 notices are more than notices.max_per_run, which is 2",
    )
    assert done("notices", "list") == "there are none\n"
    Path("list.txt").write_text(f"{HOME}\n300000000001\n")
    assert done("announce", "list.txt", text) == (
        "run 1: 2 announcements for 2026-12-15 to 2 phones: 2 parts, 0.10 EUR; it goes out once"
        " the daemon runs: it does not now, smsgw run starts it\n"
        "left out, customer numbers that nobody has registered for: 1 (300000000001)\n"
    )
    Path("list.txt").write_text(f"customer_number,name\n{HOME},Ana\n{OTHER},\n")
    assert as_json("announce", "list.txt", text, "--by", "bo")["notices"] == 1
    shown = as_json("notices", "show", "2")
    assert (shown["kind"], shown["text"], shown["changes"][0]["who"]) == (
        "announcement",
        text,
        "bo",
    )
    assert f"text: {text}\n" in done("notices", "show", "2")


def test_announcements_need_no_billing_data() -> None:
    Path("list.txt").write_text(HOME)
    assert done("announce", "list.txt", "x") == (
        "nothing to send for 2026-12-15: no run was made\n"
        f"left out, customer numbers that nobody has registered for: 1 ({HOME})\n"
    )


@pytest.mark.parametrize(
    ("lines", "text", "error"),
    [
        (
            f"{HOME}\nx\n\n12\n",
            "x",
            "list.txt:2: customer_number: 'x' is not 12 digits\n"
            "list.txt:4: customer_number: '12' is not 12 digits\n"
            "list.txt: nothing was taken\n",
        ),
        ("\n", "x", "list.txt: there are no customer numbers in it\n"),
        (None, "x", "list.txt: there is no such file\n"),
        (HOME, " ", "not made: there is no text\n"),
        (
            HOME,
            "x" * 700,
            "not made: the text takes 5 parts, and replies.max_parts is 4: shorten it\n",
        ),
    ],
)
def test_an_announcement_that_is_refused(
    customers: None, lines: str | None, text: str, error: str
) -> None:
    if lines is not None:
        Path("list.txt").write_text(lines)
    result = smsgw("announce", "list.txt", text)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", error)
    assert done("notices", "list") == "there are none\n"

"""`smsgw send`: what it prints, where, and how it ends."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from smsgw.cli.main import app
from smsgw.storage.database import open_gateway

CONFIGURATION = """\
shortcode: "170077"
data_dir: data
carriers:
  mtel: {host: h, port: 1, system_id: s, password: p, number_ranges: ["35988"]}
  telenor: {host: h, port: 1, system_id: s, password: p}
  vivacom: {host: h, port: 1, system_id: s, password: p, enabled: false, number_ranges: ["35987"]}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a configuration and no database yet."""
    (tmp_path / "smsgw.yaml").write_text(CONFIGURATION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSGW_CONFIG", "smsgw.yaml")
    return tmp_path


def send(*args: str) -> Result:
    return CliRunner().invoke(app, ["send", *args])


def test_a_message() -> None:
    result = send("0888 123 456", "Taka e!")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "message 1 to 359888123456 over mtel: 1 part, gsm7\n"
    with closing(open_gateway(Path("data"))) as con:
        assert con.execute("SELECT kind, carrier, msisdn, text FROM mt").fetchall() == [
            (3, "mtel", "359888123456", "Taka e!")
        ]


def test_as_json() -> None:
    result = send("0898123456", "ж" * 71, "--carrier", "telenor", "--json")
    assert json.loads(result.stdout) == {
        "id": 1,
        "msisdn": "359898123456",
        "carrier": "telenor",
        "parts": 2,
        "encoding": "ucs2",
    }


def test_too_long_unless_forced() -> None:
    result = send("0888123456", "x" * 700)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "not sent: the text takes 5 parts, and replies.max_parts is 4: shorten it, or send it all"
        " the same with --force\n"
    )
    assert send("0888123456", "x" * 700, "--force").stdout == (
        "message 1 to 359888123456 over mtel: 5 parts, gsm7\n"
    )


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (
            ["0898123456", "x"],
            "not sent: nothing says which carrier 359898123456 is with: name one with --carrier\n",
        ),
        (
            ["0878123456", "x"],
            "not sent: 359878123456 is with vivacom, which is not enabled: name another carrier"
            " with --carrier\n",
        ),
        (
            ["0888123456", "x", "--carrier", "vivacom"],
            "not sent: carrier vivacom is not enabled: name another with --carrier\n",
        ),
        (
            ["0888123456", "caf\udce9"],
            "not sent: the text holds octets that are no characters: is it written in UTF-8?\n",
        ),
    ],
)
def test_what_is_refused(args: list[str], error: str) -> None:
    result = send(*args)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", error)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["12", "x"], "MSISDN: '12' is not a phone number, as 0888 123 456 is one"),
        (["029876543", "x"], "MSISDN: '029876543' is not a mobile number"),
        (["+4917012345678", "x"], "MSISDN: '+4917012345678' is not a Bulgarian phone number"),
        (["0888123456", ""], "TEXT: there is no text"),
        (["0888123456", " \n"], "TEXT: there is no text"),
        (["0888123456"], "Missing argument 'TEXT'"),
        (["0888123456", "not", "quoted"], "unexpected extra argument"),
        (["0888123456", "x", "--carrier", "mtl"], "there is no carrier 'mtl'; there are mtel, tel"),
    ],
)
def test_a_wrong_command_line(args: list[str], error: str, folder: Path) -> None:
    result = send(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert error in result.stderr
    assert not (folder / "data").exists()


def test_a_locked_database(monkeypatch: pytest.MonkeyPatch) -> None:
    send("0888123456", "x")
    monkeypatch.setattr("smsgw.storage.database.BUSY_TIMEOUT", 0.0)
    with closing(sqlite3.connect("data/gateway.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        result = send("0888123456", "x")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith(
        "/data: the database failed: database is locked; it is safe to try again\n"
    )

"""`smsgw keys`: what it prints, where, and how it ends."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from smsgw.cli.main import app

CONFIGURATION = """\
shortcode: "170077"
data_dir: data
carriers: {mtel: {host: h, port: 1, system_id: s, password: p}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a configuration and no database yet."""
    (tmp_path / "smsgw.yaml").write_text(CONFIGURATION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSGW_CONFIG", "smsgw.yaml")
    return tmp_path


def keys(*args: str) -> Result:
    return CliRunner().invoke(app, ["keys", *args])


def test_a_key_is_shown_once(folder: Path) -> None:
    made = keys("add", "web site", "--channel", "web")
    assert made.exit_code == 0
    key = made.stdout.strip()
    assert key.startswith("smsgw_")
    assert made.stderr == ("web site: web, registrations; keep it now, it can't be shown again\n")
    assert key not in keys("list").output
    for file in (folder / "data").iterdir():
        assert key.encode() not in file.read_bytes()
        assert key.removeprefix("smsgw_").encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("args", "scopes"),
    [
        (["--channel", "easypay"], ["registrations"]),
        (["--channel", "centre"], ["lookups", "registrations"]),
        (["--channel", "api", "--scope", "reports", "--scope", "billing"], ["billing", "reports"]),
    ],
)
def test_what_a_key_is_for(args: list[str], scopes: list[str]) -> None:
    made = json.loads(keys("add", "one", *args, "--json").stdout)
    assert (made["name"], made["scopes"]) == ("one", scopes)
    (listed,) = json.loads(keys("list", "--json").stdout)
    assert (listed["scopes"], listed["rate"], listed["revoked_at"]) == (scopes, None, None)


def test_revoking(folder: Path) -> None:
    keys("add", "one", "--channel", "web", "--rate", "2.5")
    assert keys("revoke", "one").output == "one: revoked\n"
    (listed,) = json.loads(keys("list", "--json").stdout)
    assert listed["rate"] == 2.5
    assert listed["revoked_at"] is not None
    assert "one" in keys("list").stdout
    assert keys("add", "one", "--channel", "web").exit_code == 0, "the name is free again"


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (["revoke", "nobody"], 1, "not revoked: there is no key 'nobody', or it is revoked"),
        (["add", "there", "--channel", "web"], 1, "not made: there is a key 'there' already"),
        (["add", "x", "--channel", "sms"], 2, "'sms' is none of web, centre, easypay, api"),
        (["add", "x", "--channel", "api"], 2, "a key of api needs one at least"),
        (["add", "x", "--channel", "api", "--scope", "all"], 2, "'all' is none of registrations"),
        (["add", "x", "--channel", "web", "--rate", "-1"], 2, "-1 is too small: the least is 0"),
        (["add", "x\ny", "--channel", "web"], 2, "a name has 1 to 64 printable characters"),
        (["add", " ", "--channel", "web"], 2, "a name has 1 to 64 printable characters"),
        (["add", "x"], 2, "Missing option '--channel'"),
    ],
)
def test_what_is_refused(args: list[str], status: int, said: str) -> None:
    keys("add", "there", "--channel", "web")
    result = keys(*args)
    assert (result.exit_code, result.stdout) == (status, "")
    assert said in " ".join(result.stderr.split())


def test_there_are_none(folder: Path) -> None:
    assert keys("list").output == "there are none\n"
    assert keys("list", "--json").output == "[]\n"
    assert not (folder / "data").exists()

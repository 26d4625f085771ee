"""`smsgw backup`: what it prints, and how it ends."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from smsgw.cli.main import app
from smsgw.service.feed import COLUMNS

CONFIGURATION = """\
shortcode: "170077"
data_dir: data
carriers:
  mtel: {host: h, port: 1, system_id: s, password: p, number_ranges: ["35988"]}
"""


def smsgw(*args: str) -> Result:
    return CliRunner().invoke(app, list(args))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "smsgw.yaml").write_text(CONFIGURATION)
    (tmp_path / "feed.csv").write_text(",".join(COLUMNS) + "\n300000000001,,,,,,,\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSGW_CONFIG", "smsgw.yaml")
    return tmp_path


def filled(folder: Path) -> None:
    assert smsgw("billing", "import", "feed.csv").exit_code == 0


def test_backup(folder: Path) -> None:
    filled(folder)
    result = smsgw("backup", "g.backup", "--billing", "b.backup")
    assert (result.exit_code, result.stderr) == (0, "")
    first, second = result.stdout.splitlines()
    assert first.startswith("g.backup: gateway.db, ")
    assert second.startswith("b.backup: billing-1.db, ")
    with closing(sqlite3.connect(folder / "b.backup")) as con:
        assert con.execute("SELECT number FROM customer").fetchall() == [(300000000001,)]


def test_backup_json(folder: Path) -> None:
    filled(folder)
    assert json.loads(smsgw("backup", "g.backup", "--json").stdout) == [
        {
            "file": "g.backup",
            "source": "gateway.db",
            "octets": (folder / "g.backup").stat().st_size,
        }
    ]


def test_one_that_is_there(folder: Path) -> None:
    filled(folder)
    assert smsgw("backup", "g.backup").exit_code == 0
    again = smsgw("backup", "g.backup")
    assert (again.exit_code, again.stderr) == (
        1,
        "g.backup is there already; --force replaces it\n",
    )
    assert smsgw("backup", "g.backup", "--force").exit_code == 0


@pytest.mark.parametrize(
    ("args", "code", "error"),
    [
        pytest.param(["none/g"], 1, "there is no folder none; make it first", id="folder"),
        pytest.param(
            ["g", "--billing", "n/b"], 1, "there is no folder n; make it", id="the second"
        ),
        pytest.param(["g" * 300], 1, "File name too long", id="a name that can't be"),
        pytest.param(["data/g"], 1, "data/g is in data_dir", id="data_dir"),
        pytest.param([], 2, "Missing argument 'FILE'", id="no argument"),
    ],
)
def test_refused(folder: Path, args: list[str], code: int, error: str) -> None:
    filled(folder)
    result = smsgw("backup", *args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert error in result.stderr


def test_nothing_to_back_up(folder: Path) -> None:
    result = smsgw("backup", "g.backup")
    assert result.exit_code == 1
    assert result.stderr == "there is no gateway.db in " + str(folder / "data") + (
        " yet: nothing to back up\n"
    )
    assert not (folder / "g.backup").exists()


def test_a_damaged_database(folder: Path) -> None:
    filled(folder)
    (folder / "data" / "gateway.db").write_bytes(b"not a database" * 100)
    result = smsgw("backup", "g.backup")
    assert result.exit_code == 1
    assert "file is not a database" in result.stderr
    assert not (folder / "g.backup").exists()

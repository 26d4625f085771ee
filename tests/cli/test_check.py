"""`smsgw check`: lines for people and editors, JSON for programs."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from smsgw.cli.main import app

GOOD = """\
shortcode: "170077"
data_dir: data
carriers:
  mtel: {host: 127.0.0.1, port: 2775, system_id: cez, password: {file: password}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "password").write_text("secret")
    path = tmp_path / "smsgw.yaml"
    path.write_text(GOOD)
    return path


def test_a_good_one(config: Path) -> None:
    result = CliRunner().invoke(app, ["check", "-c", str(config)])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{config}: ok, 1 carrier\n"


def test_a_doubtful_one(config: Path) -> None:
    telenor = "  telenor: {host: 127.0.0.1, port: 2776, system_id: cez, password: secret}\n"
    config.write_text(GOOD + telenor)
    result = CliRunner().invoke(app, ["check", "-c", str(config)])
    assert result.exit_code == 0
    assert result.stdout == f"{config}: ok, 2 carriers\n"
    assert result.stderr == (
        f"{config}:5:68: carriers.telenor.password: warning: stands in the file; "
        "{env: NAME} or {file: PATH} keeps it out\n"
    )


def test_a_bad_one(config: Path) -> None:
    config.write_text(GOOD.replace("2775", "0") + "log: {levle: info}\n")
    result = CliRunner().invoke(app, ["check", "-c", str(config)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"{config}:4:33: carriers.mtel.port: must be at least 1\n"
        f"{config}:5:7: log.levle: unknown key; did you mean level?\n"
    )


def test_none_at_all(tmp_path: Path) -> None:
    path = tmp_path / "smsgw.yaml"
    result = CliRunner().invoke(app, ["check", "-c", str(path)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"{path}: can't be read: No such file or directory\n"


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """No configuration in any of the places; what is said of that."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SMSGW_CONFIG", raising=False)
    monkeypatch.setattr("smsgw.settings.loader.DEFAULTS", (Path("a.yaml"), Path("b.yaml")))
    return (
        "there is no configuration: $SMSGW_CONFIG is not set, looked for a.yaml and b.yaml; "
        "name one with --config"
    )


def test_nowhere(nowhere: str) -> None:
    result = CliRunner().invoke(app, ["check"])
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{nowhere}\n")


def test_json_of_nowhere(nowhere: str) -> None:
    result = CliRunner().invoke(app, ["check", "--json"])
    assert (result.exit_code, result.stderr) == (1, "")
    problem = {"file": None, "line": 0, "column": 0, "path": "", "message": nowhere}
    assert json.loads(result.stdout) == {
        "file": None,
        "ok": False,
        "carriers": 0,
        "errors": [problem],
        "warnings": [],
    }


def test_json(config: Path) -> None:
    result = CliRunner().invoke(app, ["check", "--json", "-c", str(config)])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "file": str(config),
        "ok": True,
        "carriers": 1,
        "errors": [],
        "warnings": [],
    }


def test_json_of_a_bad_one(config: Path) -> None:
    config.write_text(GOOD.replace("2775", "0"))
    result = CliRunner().invoke(app, ["check", "--json", "-c", str(config)])
    assert (result.exit_code, result.stderr) == (1, "")
    assert json.loads(result.stdout) == {
        "file": str(config),
        "ok": False,
        "carriers": 0,
        "errors": [
            {
                "file": str(config),
                "line": 4,
                "column": 33,
                "path": "carriers.mtel.port",
                "message": "must be at least 1",
            }
        ],
        "warnings": [],
    }

"""`smsgw` itself: what it lists, how it fails, and what it leaves unimported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from smsgw import __version__
from smsgw.cli.main import NOUNS, app

HEAVY = ("aiosqlite", "asyncio", "fastapi", "pydantic", "rich", "smpplib", "uvicorn", "yaml")


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a Python of its own, with nothing imported yet."""
    return subprocess.run(
        [sys.executable, *arguments], check=False, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("noun", NOUNS)
def test_help_lists_the_noun(noun: str) -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert f"\n  {noun} " in result.stdout


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_has_its_own_help(noun: str) -> None:
    result = CliRunner().invoke(app, [noun, "--help"])
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: smsgw {noun} ")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]], ids=" ".join)
def test_nothing_heavy_is_imported_to_answer_at_once(arguments: list[str]) -> None:
    code = (
        "import sys, atexit\n"
        "from smsgw.cli.main import main\n"
        f"sys.argv = ['smsgw', *{arguments}]\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        f"    heavy = [name for name in {HEAVY} if name in sys.modules]\n"
        "    sys.exit(' '.join(heavy) or None)\n"
    )
    done = python("-c", code)
    assert (done.returncode, done.stderr) == (0, "")


def test_version() -> None:
    done = python("-m", "smsgw", "--version")
    assert (done.returncode, done.stdout) == (0, f"smsgw {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chekc"], "Did you mean 'check'?"),
        (["check", "--what"], "No such option: --what"),
        (["check", "more"], "Got unexpected extra argument"),
        ([], "Usage: smsgw"),
    ],
    ids=["noun", "option", "argument", "nothing"],
)
def test_a_wrong_command_line_is_2(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_configuration_is_named_before_or_after_the_command(tmp_path: Path) -> None:
    before, after = str(tmp_path / "before"), str(tmp_path / "after")
    run = CliRunner().invoke
    assert run(app, ["-c", before, "check"]).stderr.startswith(f"{before}: ")
    assert run(app, ["check", "--config", after]).stderr.startswith(f"{after}: ")
    assert run(app, ["-c", before, "check", "-c", after]).stderr.startswith(f"{after}: ")


def test_an_operating_system_error_is_one_line() -> None:
    code = (
        "from smsgw.cli import main, common\n"
        "common.print_json = lambda *_, **__: open('/no/such')\n"
        "import sys; sys.argv = ['smsgw', 'schema']\n"
        "main.main()\n"
    )
    done = python("-c", code)
    assert done.returncode == 1
    assert done.stderr == "smsgw: [Errno 2] No such file or directory: '/no/such'\n"


def test_an_interrupt_is_130_and_says_nothing() -> None:
    code = (
        "from smsgw.cli import main, common\n"
        "def interrupted(*_, **__): raise KeyboardInterrupt\n"
        "common.print_json = interrupted\n"
        "import sys; sys.argv = ['smsgw', 'schema']\n"
        "main.main()\n"
    )
    done = python("-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_reader_that_went_away_is_no_error_to_report() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "smsgw", "schema"],
            check=False,
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (1, "")

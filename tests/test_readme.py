"""What the README says exists: commands, files, configuration, pages."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from typer.main import get_command

from smsgw import settings
from smsgw.cli.main import NOUNS
from smsgw.web.health import State

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL))
CODE = re.findall(r"`([^`\n]+)`", README) + SHELL.splitlines()


def block(language: str) -> str:
    """The README's first block of a language."""
    found = re.search(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found.group(1)


def test_every_command_it_names_exists() -> None:
    named = {
        match.group(1)
        for code in CODE
        if (match := re.fullmatch(r"smsgw (?:-c \S+ )?([a-z]+)\b.*", code))
    }
    assert named
    assert named <= set(NOUNS)


def test_every_command_there_is_is_named() -> None:
    assert {noun for noun in NOUNS if f"smsgw {noun}" not in README} == set()


@pytest.mark.parametrize(
    ("noun", "verbs"),
    [
        ("billing", ["import", "show"]),
        ("carriers", ["drain", "resume"]),
        ("queue", ["list", "show", "retry", "cancel", "receipts"]),
        ("subscribers", ["add", "end", "move", "show", "list", "import", "export"]),
    ],
)
def test_the_verbs_it_names_are_those_there_are(noun: str, verbs: list[str]) -> None:
    group = get_command(import_module(NOUNS[noun][0]).app)
    assert sorted(group.commands) == sorted(verbs)  # type: ignore[attr-defined]


def test_every_file_it_names_exists() -> None:
    named = re.findall(r"`((?:config|scripts)/[\w./-]+)`", README)
    assert {"config/smsgw.example.yaml", "config/grafana-overview.json"} <= set(named)
    assert [name for name in named if not (ROOT / name).exists()] == ["config/smsgw.yaml"]


def test_the_shortest_configuration_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "telenor"
    secret.write_text("secret\n", encoding="ascii")
    monkeypatch.setenv("MTEL_PASSWORD", "secret")
    config = tmp_path / "smsgw.yaml"
    config.write_text(block("yaml").replace("/run/secrets/telenor", str(secret)), encoding="utf-8")

    assert list(settings.load(config).carriers) == ["mtel", "telenor", "vivacom"]


def test_what_it_says_of_readiness_is_what_is_judged() -> None:
    assert set(State.__dataclass_fields__) == {"now", "storage", "links", "feed"}

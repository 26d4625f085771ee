"""What the README says exists: commands, files, configuration, pages."""

import re
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
from typer.main import get_command

from smsgw import settings
from smsgw.cli.main import NOUNS
from smsgw.service.message import MessageKind
from smsgw.settings.carrier import CarrierSettings
from smsgw.web.health import State

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL))
CODE = re.findall(r"`([^`\n]+)`", README) + SHELL.splitlines()


def blocks(language: str) -> list[str]:
    """The README's blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


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
        ("billing", ["import", "status", "show", "export"]),
        ("carriers", ["drain", "resume"]),
        (
            "notices",
            ["plan", "run", "list", "show", "confirm", "pause", "resume", "cancel", "evidence"],
        ),
        ("keys", ["add", "list", "revoke"]),
        ("queue", ["list", "show", "retry", "cancel", "receipts"]),
        (
            "subscribers",
            ["add", "end", "move", "show", "list", "import", "export", "erase", "audit"],
        ),
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
    config.write_text(
        blocks("yaml")[0].replace("/run/secrets/telenor", str(secret)), encoding="utf-8"
    )

    assert list(settings.load(config).carriers) == ["mtel", "telenor", "vivacom"]


def test_what_carriers_want_otherwise_loads(tmp_path: Path) -> None:
    (ways,) = [block for block in blocks("yaml") if "kinds:" in block]
    bound = "host: 127.0.0.1\n    port: 2775\n    system_id: cez\n    password: secret\n"
    carriers = re.sub(r"^  \w+:.*\n", rf"\g<0>    {bound}", ways, flags=re.MULTILINE)
    config = tmp_path / "smsgw.yaml"
    config.write_text(f'shortcode: "170077"\ndata_dir: data\n{carriers}', encoding="utf-8")

    loaded = settings.load(config).carriers
    assert loaded["mtel"].marking(MessageKind.NOTICE).source.address == "CEZ"
    assert loaded["telenor"].marking(MessageKind.ANNOUNCEMENT).tlvs == {0x1401: b"\x02"}
    assert loaded["vivacom"].marking(MessageKind.CODE).source.address == "170077"


def test_the_values_it_names_are_those_there_are() -> None:
    rows = dict(re.findall(r"^\| `(long_messages|validity)` \| (.*) \|$", README, re.MULTILINE))
    for key, row in rows.items():
        values = get_args(CarrierSettings.model_fields[key].annotation)
        assert {value for value in values if f"(`{value}`)" not in row} == set()
    assert len(rows) == 2
    kinds = "`, `".join(kind.name.lower() for kind in MessageKind)
    assert f"`{kinds}`" in README


def test_what_it_says_of_readiness_is_what_is_judged() -> None:
    assert set(State.__dataclass_fields__) == {"now", "storage", "links", "feed"}


def test_every_metric_it_names_exists() -> None:
    named = {name for code in CODE if (name := code.removesuffix("*")).startswith("smsgw_")}
    assert "smsgw_held_segments" in named
    source = (ROOT / "smsgw/metrics.py").read_text(encoding="utf-8")
    assert {name for name in named if f'"{name}' not in source} == set()


def test_each_chapter_stands_apart() -> None:
    assert re.findall(r"[^\n]\n#+ .*", re.sub(r"^```.*?^```", "", README, flags=re.M | re.S)) == []

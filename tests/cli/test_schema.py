"""`smsgw schema`: a JSON Schema that helps an editor, and says no more than the file takes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from smsgw.cli.main import app


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    result = CliRunner().invoke(app, ["schema"])
    assert result.exit_code == 0
    printed: dict[str, Any] = json.loads(result.stdout)
    return printed


def key(schema: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = schema["$defs"][section]["properties"][name]
    return found


def test_what_must_be_there(schema: dict[str, Any]) -> None:
    assert schema["required"] == ["shortcode", "data_dir", "carriers"]
    assert [each["required"] for each in schema["$defs"]["CarrierSettings"]["anyOf"]] == [
        ["host", "port", "system_id", "password"],
        ["hosts", "system_id", "password"],
        ["outbind", "system_id", "password"],
        ["accept"],
    ]


def test_no_section_takes_an_unknown_key(schema: dict[str, Any]) -> None:
    sections = {"Settings": schema, **schema["$defs"]}
    assert len(sections) > 15
    assert [name for name, one in sections.items() if one["additionalProperties"]] == []


def test_a_carriers_id_is_no_key_of_it(schema: dict[str, Any]) -> None:
    assert "id" not in schema["$defs"]["CarrierSettings"]["properties"]


@pytest.mark.parametrize(
    ("section", "name", "default"),
    [
        ("CarrierSettings", "enquire_link", "30s"),
        ("CarrierSettings", "window", 50),
        ("CarrierSettings", "name", None),
        ("CarrierSettings", "tls", False),
        ("Listener", "bind_timeout", "10s"),
        ("CarrierSettings", "source", {}),
        ("Billing", "max_age", "36h"),
        ("Billing", "max_shrink", "10%"),
        ("Notices", "hours", "09:00-20:00"),
        ("Http", "listen", "127.0.0.1:8080"),
        ("Retention", "messages", "730d"),
    ],
)
def test_a_default_is_as_one_writes_it(
    schema: dict[str, Any], section: str, name: str, default: object
) -> None:
    assert key(schema, section, name)["default"] == default


def test_durations_are_texts_with_a_unit(schema: dict[str, Any]) -> None:
    assert key(schema, "Duplicates", "window")["anyOf"] == [
        {"type": "string", "pattern": "^[0-9]+[dhms]$"},
        {"const": 0},
    ]


def test_keys_are_described(schema: dict[str, Any]) -> None:
    window = key(schema, "CarrierSettings", "window")
    assert window["description"] == "submit_sm unanswered at once, per session."


def test_a_secret_is_a_text_or_says_where_it_is(schema: dict[str, Any]) -> None:
    kinds = key(schema, "CarrierSettings", "password")["anyOf"]
    assert [kind["type"] for kind in kinds] == ["string", "object", "object"]
    assert [kind["required"] for kind in kinds[1:]] == [["env"], ["file"]]


def test_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    def references(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                if name == "$ref":
                    yield inner
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    targets = {f"#/$defs/{name}" for name in schema["$defs"]}
    assert set(references(schema)) == targets

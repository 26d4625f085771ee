"""The example configuration: it loads, it names every key, and each with its default."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from smsgw import settings

EXAMPLE = Path(__file__).parents[2] / "config" / "smsgw.example.yaml"
SCHEMA = settings.schema()


def keys(section: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all keys of a section of the schema; `*` stands for a carrier's id."""
    if "$ref" in section:
        section = SCHEMA["$defs"][section["$ref"].rsplit("/", 1)[1]]
    if path == ("carriers",):
        (carrier,) = section["patternProperties"].values()
        yield from keys(carrier, (*path, "*"))
    for key, inner in section.get("properties", {}).items():
        yield (*path, key)
        yield from keys(inner, (*path, key))


@pytest.mark.parametrize("path", list(keys(SCHEMA)), ids=".".join)
def test_every_key_stands_in_it(path: tuple[str, ...]) -> None:
    value = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    for key in path:
        name = "mtel" if key == "*" else key
        assert name in value
        value = value[name]


def test_it_loads_with_the_defaults(tmp_path: Path) -> None:
    shortest = tmp_path / "smsgw.yaml"
    carriers = "".join(
        f"  {key}: {{name: {name}, port: {port}, "
        "host: 127.0.0.1, system_id: cez, password: secret}\n"
        for key, name, port in [
            ("mtel", "M-Tel", 2775),
            ("telenor", "Telenor", 2776),
            ("vivacom", "Vivacom", 2777),
        ]
    )
    shortest.write_text(f"shortcode: 170077\ndata_dir: /var/lib/smsgw\ncarriers:\n{carriers}")
    assert settings.load(EXAMPLE) == settings.load(shortest)


def test_only_its_passwords_are_doubtful() -> None:
    doubtful = [warning.path for warning in settings.examine(EXAMPLE).warnings]
    assert doubtful == [f"carriers.{key}.password" for key in ("mtel", "telenor", "vivacom")]

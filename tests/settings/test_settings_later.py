"""Keys of later versions: the table names keys there are, and the model takes only defaults."""

from typing import Any

import pytest

from smsgw import settings
from smsgw.settings.later import LATER, meaning

SCHEMA = settings.schema()


def property_at(path: str) -> dict[str, Any]:
    """The schema of one key."""
    section: dict[str, Any] = SCHEMA
    for key in path.split("."):
        if key == "*":
            (section,) = section["patternProperties"].values()
        else:
            section = section["properties"][key]
        if "$ref" in section:
            section = SCHEMA["$defs"][section["$ref"].rsplit("/", 1)[1]]
    return section


@pytest.mark.parametrize("path", LATER)
def test_the_schema_admits_nothing_but_the_default(path: str) -> None:
    key = property_at(path)
    assert key["type"] == "null" or "const" in key or key.get("maxProperties") == 0


@pytest.mark.parametrize(
    ("path", "later"),
    [
        (("carriers", "a", "statuses"), True),
        (("carriers", "a", "statuses", "0x45"), True),
        (("carriers", "statuses"), False),
        (("carriers", "a", "window"), False),
        (("statuses",), False),
        ((), False),
    ],
)
def test_meaning(path: tuple[str, ...], later: bool) -> None:
    assert (meaning(path) is not None) is later

"""Keys of later versions: the table names keys there are, and the model takes only defaults."""

from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from smsgw import settings
from smsgw.settings.document import Document
from smsgw.settings.later import LATER, meaning

EXAMPLE = Path(__file__).parents[2] / "config" / "smsgw.example.yaml"
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


def comment_at(path: str) -> str:
    """The comment in the example in the line of a key, and in those below that have no other."""
    document = Document(EXAMPLE.read_text(encoding="utf-8"))
    keys = tuple("mtel" if key == "*" else key for key in path.split("."))
    first, *below = EXAMPLE.read_text(encoding="utf-8").splitlines()[
        document.place_of_key(keys).line - 1 :
    ]
    more = takewhile(lambda line: line.strip().startswith("#"), below)
    return " ".join([first.partition("#")[2], *more])


@pytest.mark.parametrize("path", LATER)
def test_the_schema_admits_nothing_but_the_default(path: str) -> None:
    key = property_at(path)
    assert key["type"] == "null" or "const" in key or key.get("maxProperties") == 0


@pytest.mark.parametrize("path", LATER)
def test_the_example_marks_it(path: str) -> None:
    assert "(later)" in comment_at(path)


@pytest.mark.parametrize(
    ("path", "later"),
    [
        (("carriers", "a", "hats"), True),
        (("carriers", "a", "hats", "0x45"), True),
        (("carriers", "hats"), False),
        (("carriers", "a", "window"), False),
        (("hats",), False),
        ((), False),
    ],
)
def test_meaning(monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...], later: bool) -> None:
    monkeypatch.setitem(LATER, "carriers.*.hats", "nobody wears one")
    assert (meaning(path) is not None) is later

"""YAML as plain values that remember where they stood in the file.

Plain scalars are read by the core schema of YAML 1.2, not by 1.1: only `true` and `false` are
booleans, `09:00` is a text, and a number with a leading zero, which 1.1 takes for octal, is an
error that asks for quotes. Decimal fractions become `Decimal`, so that `1.50` stays `1.50`.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

import yaml
from yaml.error import Mark
from yaml.reader import ReaderError

Path = tuple[str | int, ...]

MERGE: Final = "<<"
OURS: Final = "tag:yaml.org,2002:"  # what !! stands for

WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}

# YAML's "\ud83d" makes one, which no encoding writes.
_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")
_NO_CHARACTER: Final = "half a surrogate pair is no character: write the whole one"


class Place(NamedTuple):
    """Line and column, from 1."""

    line: int
    column: int


START: Final = Place(1, 1)


class Fault(NamedTuple):
    """What the reader itself can't accept: syntax, a key written twice, an octal number."""

    place: Place
    path: Path
    message: str


class _Loader(yaml.SafeLoader):
    """PyYAML's composer, which also keeps which nodes had a tag written before them."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.tags: dict[yaml.Node, str] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        parser: Any = self  # whose methods have no types
        tag: str | None = getattr(parser.peek_event(), "tag", None)
        node = super().compose_node(parent, index)
        if tag is not None and node is not None:
            self.tags[node] = f"!!{tag.removeprefix(OURS)}" if tag.startswith(OURS) else tag
        return node


class Document:
    """A YAML document: `value` as dicts, lists and scalars, `faults` in the order of the file.

    `value` leaves out what a fault is about, save that of a key written twice the first counts.
    """

    def __init__(self, text: str) -> None:
        self.faults: list[Fault] = []
        self._keys: dict[Path, Place] = {}
        self._values: dict[Path, Place] = {}
        self._tags: dict[yaml.Node, str] = {}
        self.value: object = None
        try:
            loader = _Loader(text)
            self._tags = loader.tags
            root = loader.get_single_node()
            self.value = None if root is None else self._read(root, (), ())
        except yaml.YAMLError as error:
            self.faults.append(Fault(_place(error, text), (), _reason(error)))
        except RecursionError:
            self.faults.append(Fault(START, (), "is nested too deeply"))

    def place_of_key(self, path: Path) -> Place:
        """Where the key at `path` stands; of what is not there, where the nearest above it does."""
        return self._nearest(self._keys, path)

    def place_of_value(self, path: Path) -> Place:
        """Where the value at `path` begins; of what is not there, where the nearest key is."""
        return self._values.get(path) or self.place_of_key(path)

    def _nearest(self, places: dict[Path, Place], path: Path) -> Place:
        while path and path not in places:
            path = path[:-1]
        return places.get(path, START)

    def _read(self, node: yaml.Node, path: Path, above: tuple[yaml.Node, ...]) -> object:
        self._values[path] = _at(node.start_mark)
        if node in above:
            self._fault(node, path, "an alias stands inside what it refers to")
        elif node in self._tags:
            self._fault(node, path, f"the tag {self._tags[node]} means nothing here")
        elif isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, path, (*above, node)))
        elif isinstance(node, yaml.SequenceNode):
            self._keys |= {(*path, i): _at(item.start_mark) for i, item in enumerate(node.value)}
            return [
                self._read(item, (*path, i), (*above, node)) for i, item in enumerate(node.value)
            ]
        elif isinstance(node, yaml.ScalarNode) and _HALF_PAIR.search(node.value):
            self._fault(node, path, _NO_CHARACTER)
        elif isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        return None

    def _pairs(
        self, mapping: yaml.MappingNode, path: Path, above: tuple[yaml.Node, ...]
    ) -> Iterator[tuple[str, object]]:
        for key, value in mapping.value:
            if not isinstance(key, yaml.ScalarNode):
                self._fault(key, path, "a key must be a word")
                continue
            inner = (*path, key.value)
            if key in self._tags:
                self._fault(key, inner, f"the tag {self._tags[key]} means nothing here")
                continue
            if key.value == MERGE and key.style is None:
                self._fault(key, inner, "mappings are not merged; write out the keys")
                continue
            if _HALF_PAIR.search(key.value):
                self._fault(key, path, _NO_CHARACTER)
                continue
            if inner in self._keys:
                first = self._keys[inner].line
                self._fault(key, inner, f"is written twice, first in line {first}")
                continue
            self._keys[inner] = _at(key.start_mark)
            yield key.value, self._read(value, inner, above)

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> object:
        text: str = node.value
        if node.style is not None:
            return text
        if text in WORDS:
            return WORDS[text]
        if re.fullmatch(r"0|-?[1-9][0-9]*", text):
            return int(text) if len(text) < 40 else text
        if re.fullmatch(r"-?(0|[1-9][0-9]*)\.[0-9]+", text):
            return Decimal(text)
        if re.fullmatch(r"[-+]?0[0-9_]+", text):
            self._fault(node, path, f'a number with a leading zero must be quoted: "{text}"')
            return text
        return text

    def _fault(self, node: yaml.Node, path: Path, message: str) -> None:
        self.faults.append(Fault(_at(node.start_mark), path, message))


def _at(mark: Mark | None) -> Place:
    return START if mark is None else Place(mark.line + 1, mark.column + 1)


def _place(error: yaml.YAMLError, text: str) -> Place:
    if isinstance(error, yaml.MarkedYAMLError):
        return _at(error.problem_mark or error.context_mark)
    if isinstance(error, ReaderError):
        before = text[: error.position]
        return Place(before.count("\n") + 1, error.position - before.rfind("\n"))
    return START


def _reason(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError):
        parts = (error.context, error.problem)
        return "not YAML: " + ", ".join(part for part in parts if part)
    if isinstance(error, ReaderError):
        return f"not YAML: the character U+{error.character:04X} must not stand in a text"
    return "not YAML"

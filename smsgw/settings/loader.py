"""From a file to `Settings`: finds it, reads it, and gathers everything that is wrong with it."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import SecretStr, ValidationError

from smsgw.service import replies
from smsgw.settings import wording
from smsgw.settings.document import MERGE, Document, Place
from smsgw.settings.doubts import doubts
from smsgw.settings.model import Company, Replies, Settings
from smsgw.settings.problem import ConfigError, Problem

DEFAULTS: Final = (Path("config/smsgw.yaml"), Path("/etc/smsgw/smsgw.yaml"))
PASSWORD_OCTETS: Final = 8  # section 5.2.2, without the NUL

IN_THE_FILE: Final = "stands in the file; {env: NAME} or {file: PATH} keeps it out"
NOT_DIALLED: Final = "is not used: this carrier dials us"

S = TypeVar("S", Company, Replies)

Finding = tuple[Place, tuple[str | int, ...], str]  # where, of which key, what is wrong


class Loaded(NamedTuple):
    """A configuration that can be used, and what should be mended in it all the same."""

    settings: Settings
    warnings: list[Problem]


def find(option: Path | None) -> Path:
    """The configuration file: `option`, else `$SMSGW_CONFIG`, else the first default there is.

    Raises ConfigError if there is none.
    """
    if option is not None:
        return option
    if named := os.environ.get("SMSGW_CONFIG"):
        return Path(named)
    for path in DEFAULTS:
        if path.exists():
            return path
    tried = " and ".join(map(str, DEFAULTS))
    message = (
        f"there is no configuration: $SMSGW_CONFIG is not set, looked for {tried}; "
        "name one with --config"
    )
    raise ConfigError([Problem(None, 0, 0, "", message)])


def load(path: Path) -> Settings:
    """The settings in the file at `path`. Raises ConfigError with every problem in it."""
    return examine(path).settings


def examine(path: Path) -> Loaded:
    """The settings in the file at `path` with what is doubtful in them. Raises as `load` does."""
    document = Document(_text(path))
    body = {} if document.value is None else document.value
    faults = {fault.path for fault in document.faults}
    found = [(fault.place, fault.path, fault.message) for fault in document.faults]
    settings = None
    if () not in faults:
        try:
            settings = Settings.model_validate(body, context=path.parent.absolute())
        except ValidationError as error:
            found += [
                item
                for item in _errors(error, document)
                if item[1] not in faults and not _merged(item, faults)
            ]
        found += _texts(body, document)
    if found or settings is None:
        raise ConfigError([_problem(path, *item) for item in sorted(found, key=_by_place)])
    doubtful = sorted(_doubts(settings, body, document), key=_by_place)
    return Loaded(settings, [_problem(path, *item) for item in doubtful])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        message = "is not UTF-8 text"
    except OSError as error:
        message = f"can't be read: {error.strerror}"
    raise ConfigError([Problem(str(path), 0, 0, "", message)])


def _errors(error: ValidationError, document: Document) -> Iterator[Finding]:
    for detail in error.errors(include_url=False, include_input=False):
        path = detail["loc"]
        if path and path[-1] == "[key]":
            path = path[:-1]
            place = document.place_of_key(path)
        elif detail["type"] in ("extra_forbidden", "id_in_file"):
            place = document.place_of_key(path)
        else:
            place = document.place_of_value(path)
        yield place, path, wording.message(detail, path)


def _merged(finding: Finding, faults: Collection[tuple[str | int, ...]]) -> bool:
    """Whether a key is missed that somebody meant to merge in."""
    _, path, message = finding
    return message == wording.WORDS["missing"] and (*path[:-1], MERGE) in faults


def _texts(body: Any, document: Document) -> Iterator[Finding]:
    """What is wrong with the texts to customers and what fills them, where their shape is right.

    A value that is wrong by itself is no ground to find fault with a text.
    """
    if not isinstance(body, dict):
        return
    section, wrong = _sound(Replies, body.get("replies"))
    max_parts = 0 if "max_parts" in wrong else section.max_parts
    about, wrong = _sound(Company, body.get("company"))
    stand_ins = {key: "-" for key in Company.model_fields if key in wrong}
    company = replies.Company(**{**about.model_dump(), **stand_ins})
    found = [
        *(("company", *at, said) for at, said in replies.company_problems(company)),
        *(
            ("replies", "texts", *at, said)
            for at, said in replies.problems(section.texts, company, max_parts)
        ),
    ]
    for *path, message in found:
        yield document.place_of_value(tuple(path)), tuple(path), message


def _sound(section: type[S], body: Any) -> tuple[S, set[str | int]]:
    """The section without what is wrong in it, and the keys under which something was."""
    try:
        return section.model_validate(body), set()
    except ValidationError as error:
        paths = [detail["loc"] for detail in error.errors(include_url=False, include_input=False)]
    for path in paths:
        body = _without(body, path)
    return section.model_validate(body), {path[0] for path in paths if path}


def _without(value: Any, path: tuple[str | int, ...]) -> Any:
    """`value` less what is at `path` in it; None if that is all of it."""
    if not path:
        return None
    if path[0] not in value:
        return value  # more than one thing was wrong there
    rest = {key: inner for key, inner in value.items() if key != path[0]}
    inner = _without(value[path[0]], path[1:])
    return rest if inner is None else {**rest, path[0]: inner}


def _doubts(settings: Settings, body: Any, document: Document) -> Iterator[Finding]:
    for carrier in settings.carriers.values():
        written, path = body["carriers"][carrier.id], ("carriers", carrier.id)
        if "password" in written:
            where: tuple[str, ...] = (*path, "password")
            yield from _password(written["password"], carrier.password, where, document)
        if carrier.listener is None:
            continue
        way = "outbind" if carrier.accept is None else "accept"
        where = (*path, way, "password")
        yield from _password(written[way]["password"], carrier.listener.password, where, document)
        for where in ((*path, "host"), (*path, "hosts"), (*path, "port")):
            if written.get(where[-1]) is not None:
                yield document.place_of_key(where), where, NOT_DIALLED
    if isinstance(body.get("secret"), str):
        place = document.place_of_value(("secret",))
        yield place, ("secret",), IN_THE_FILE
    for doubt in doubts(settings):
        yield document.place_of_value(doubt.path), *doubt


def _password(
    written: object, password: SecretStr, path: tuple[str, ...], document: Document
) -> Iterator[Finding]:
    place = document.place_of_value(path)
    if isinstance(written, str):
        yield place, path, IN_THE_FILE
    if len(password.get_secret_value()) > PASSWORD_OCTETS:
        yield place, path, f"is longer than SMPP's {PASSWORD_OCTETS} octets"


def _by_place(finding: Finding) -> Place:
    return finding[0]


def _problem(file: Path, place: Place, path: tuple[str | int, ...], message: str) -> Problem:
    return Problem(str(file), place.line, place.column, ".".join(map(str, path)), message)

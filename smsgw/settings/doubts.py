"""What can be used as it is, but hardly means what somebody wrote it for."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from smsgw.settings.later import UNREAD
from smsgw.settings.model import Settings

Path = tuple[str | int, ...]


class Doubt(NamedTuple):
    """Something doubtful at one key."""

    path: Path
    message: str


def doubts(settings: Settings) -> Iterator[Doubt]:
    """All that is doubtful whatever way the values were written."""
    yield from _unread(settings)
    yield from _shared_ranges(settings)
    yield from _shared_logins(settings)


def _unread(settings: Settings) -> Iterator[Doubt]:
    """Values of keys that no part of this version reads, where they are not the default."""
    for pattern in UNREAD:
        *sections, key = pattern.split(".")
        for path, section in _at(settings, sections, ()):
            default = type(section).model_fields[key].get_default(call_default_factory=True)
            if getattr(section, key) != default:
                yield Doubt((*path, key), "has no effect in this version yet")


def _at(section: Any, keys: Sequence[str], path: Path) -> Iterator[tuple[Path, Any]]:
    """What stands below `section`; a `*` among the keys is each in turn."""
    if not keys:
        yield path, section
    elif keys[0] == "*":
        for key, inner in section.items():
            yield from _at(inner, keys[1:], (*path, key))
    else:
        yield from _at(getattr(section, keys[0]), keys[1:], (*path, keys[0]))


def _shared_ranges(settings: Settings) -> Iterator[Doubt]:
    first: dict[str, str] = {}
    for carrier in settings.carriers.values():
        for place, start in enumerate(carrier.number_ranges):
            owner = first.setdefault(start, carrier.id)
            if owner != carrier.id:
                path = ("carriers", carrier.id, "number_ranges", place)
                yield Doubt(path, f"is a range of {owner} too, whose numbers these stay")


def _shared_logins(settings: Settings) -> Iterator[Doubt]:
    """Two links that are one to the peer: often a line copied and not changed."""
    first: dict[tuple[str, int, str], str] = {}
    for carrier in settings.carriers.values():
        if not carrier.enabled or not carrier.host:
            continue
        login = (carrier.host.lower(), carrier.port, carrier.system_id)
        owner = first.setdefault(login, carrier.id)
        if owner != carrier.id:
            message = f"has the host, port and system_id of {owner}"
            yield Doubt(("carriers", carrier.id), message)

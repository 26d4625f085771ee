"""What can be used as it is, but hardly means what somebody wrote it for."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from smsgw.settings.model import Settings
from smsgw.settings.public_holidays import PublicHolidays
from smsgw.settings.types import Duration

Path = tuple[str | int, ...]


class Doubt(NamedTuple):
    """Something doubtful at one key."""

    path: Path
    message: str


def doubts(settings: Settings) -> Iterator[Doubt]:
    """All that is doubtful whatever way the values were written."""
    yield from _shared_ranges(settings)
    yield from _shared_logins(settings)
    yield from _slow_windows(settings)
    yield from _no_holidays(settings)
    yield from _no_feeds(settings)


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
        if not carrier.enabled or carrier.listener:
            continue
        logins = [(host.lower(), port, carrier.system_id) for host, port in carrier.addresses]
        owners = {first.setdefault(login, carrier.id) for login in logins} - {carrier.id}
        for owner in sorted(owners):
            message = f"has the host, port and system_id of {owner}"
            yield Doubt(("carriers", carrier.id), message)


def _slow_windows(settings: Settings) -> Iterator[Doubt]:
    """Carriers at whose pace the last submit of a full window can't be answered in time."""
    for carrier in settings.carriers.values():
        places = carrier.window * carrier.sessions
        if carrier.throughput and places / carrier.throughput > carrier.response_timeout:
            takes = Duration(math.ceil(places / carrier.throughput))
            message = (
                f"is {carrier.response_timeout}, and a window of {places} takes {takes} "
                f"at {carrier.throughput:g} a second: the last of them may count as lost"
            )
            yield Doubt(("carriers", carrier.id, "response_timeout"), message)


def _no_holidays(settings: Settings) -> Iterator[Doubt]:
    """Corrections of the calendar that correct nothing."""
    add, remove = settings.notices.holidays.add, settings.notices.holidays.remove
    holidays = PublicHolidays() if remove else None
    for place, day in enumerate(remove):
        path = ("notices", "holidays", "remove", place)
        if day in add:
            yield Doubt(path, f"{day} is added too: it stays a holiday")
        elif holidays is not None and not holidays.by_law(day):
            yield Doubt(path, f"{day} is no public holiday, and is no other day without this")


def _no_feeds(settings: Settings) -> Iterator[Doubt]:
    folder = settings.billing.feed_dir
    if folder is not None and not folder.is_dir():
        yield Doubt(("billing", "feed_dir"), f"{folder} is no folder: no feed is taken from there")

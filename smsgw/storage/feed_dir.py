"""The folder that feeds are dropped into: what waits there, and where it goes once looked at.

Only files whose name ends in `.csv` are feeds; those that begin with a dot and everything else
stay where they are. A feed goes to `done/` or `refused/` with a report beside it, under another
name where its own is taken there already.
"""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from smsgw.storage.disk import sync

DONE: Final = "done"
REFUSED: Final = "refused"
REPORT: Final = ".report.json"
_ENDS: Final = (".delta.csv", ".csv")


class Waiting(NamedTuple):
    """A feed in the folder. Equal ones are one file that nobody has written to."""

    name: str
    size: int
    mtime_ns: int
    inode: int


class ReplacedError(Exception):
    """Another file has a feed's name by now, or the feed was written to; the message says so."""


class Folder(NamedTuple):
    """What stands in the folder, in order of name."""

    feeds: list[Waiting]
    others: list[str]  # files that are not taken for what they are called


def look(folder: Path) -> Folder:
    """Raises OSError where the folder can't be read."""
    feeds, others = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                about = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if not stat.S_ISREG(about.st_mode):
                continue
            if entry.name.lower().endswith(_ENDS):
                feeds.append(Waiting(entry.name, about.st_size, about.st_mtime_ns, about.st_ino))
            else:
                others.append(entry.name)
    return Folder(sorted(feeds), sorted(others))


def prepare(folder: Path) -> None:
    """Make sure that feeds can be put away. Raises OSError."""
    for name in (DONE, REFUSED):
        (folder / name).mkdir(exist_ok=True)
        trial = folder / name / f".{os.getpid()}.trial"
        trial.touch()
        trial.unlink()
    moved = folder / f".{os.getpid()}.trial"
    moved.touch()
    moved.unlink()


def put_away(path: Path, to: str, report: Mapping[str, Any], was: os.stat_result) -> Path:
    """Move a feed to the folder `to` beside it, with its report, and return its place now.

    The report says the place too, and is there before the feed goes: no feed is ever without one.
    `was` is how the feed stood when its reading began: a file that came under its name since is
    another feed. Raises ReplacedError and OSError; what has the name is then where it was.
    """
    place = _free(path.parent / to, path.name)
    beside = place.with_name(place.name + REPORT)
    new = beside.with_name(f".{beside.name}")
    try:
        with new.open("w", encoding="utf-8") as file:
            json.dump({**report, "place": str(place)}, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        new.rename(beside)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    try:
        _refuse_other(path, was)
        path.rename(place)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    for folder in (place.parent, path.parent):
        sync(folder)
    return place


def _refuse_other(path: Path, was: os.stat_result) -> None:
    now = path.stat(follow_symlinks=False)
    if (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns) != (
        was.st_dev,
        was.st_ino,
        was.st_size,
        was.st_mtime_ns,
    ):
        raise ReplacedError(f"{path.name}: was written anew meanwhile; it is taken once more")


def _free(folder: Path, name: str) -> Path:
    """Where `name` can stand in the folder: a number is put before its end if it's taken."""
    end = next(end for end in _ENDS if name.lower().endswith(end))
    stem, end = name[: -len(end)], name[-len(end) :]
    number = 1
    place = folder / name
    while place.exists() or place.is_symlink():
        number += 1
        place = folder / f"{stem}-{number}{end}"
    return place


def last_report(folder: Path) -> dict[str, Any] | None:
    """The report of the feed that was put away last; None: there is none that can be read."""
    reports = [
        report
        for to in (DONE, REFUSED)
        for report in (folder / to).glob(f"*{REPORT}")
        if not report.name.startswith(".")
    ]
    try:
        newest = max(reports, key=lambda report: report.stat().st_mtime_ns, default=None)
        found = newest and json.loads(newest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None

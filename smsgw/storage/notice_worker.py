"""Making a daily run of notices, in a process of its own.

Killed at any moment it leaves a whole run, or one that the next who makes a run drops.
"""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import NamedTuple

from smsgw.service.notices import NoticeKind, NoticeRules
from smsgw.storage import runs
from smsgw.storage.database import CacheReader, StorageError, open_gateway
from smsgw.storage.keys import keyed
from smsgw.storage.pace import Pace
from smsgw.storage.planning import plan


class Task(NamedTuple):
    """A daily run that is to be made."""

    data_dir: Path
    kind: NoticeKind
    day: date
    rules: NoticeRules
    secret: str | None  # the key of the keyed digests; None: the one in `data_dir`
    now: float


class Report(NamedTuple):
    """What became of it."""

    refusal: str  # why there is none; empty: there is
    run: int | None = None
    state: str = ""
    notices: int = 0
    hold: str = ""


def make(task: Task) -> Report:
    """Make the run. What keeps it from being made is reported, not raised."""
    try:
        with closing(open_gateway(task.data_dir)) as con:
            CacheReader(con, task.data_dir).follow()
            digests = keyed(task.data_dir, task.secret)
            made = runs.make(
                con,
                lambda: plan(con, task.kind, task.day, task.rules, digests, task.now),
                digests,
                runs.Order(runs.DAEMON, automatic=True),
                task.now,
                Pace(),
            )
    except (runs.RunRefusedError, StorageError, sqlite3.Error, OSError) as error:
        return Report(str(error))
    return Report("", made.run, made.state.value, len(made.plan.notices), made.plan.hold)

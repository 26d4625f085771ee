"""The process that makes a daily run of notices, so that nobody else waits for it.

It ends when the daemon that started it does, however that ends. Killed at any moment it leaves a
whole run, or one that the next who makes a run drops.
"""

import multiprocessing
import os
import signal
import sqlite3
import threading
from contextlib import closing
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, NamedTuple

from smsgw.service.notices import NoticeKind, NoticeRules
from smsgw.storage import runs
from smsgw.storage.database import CacheReader, StorageError, open_gateway
from smsgw.storage.keys import keyed
from smsgw.storage.pace import Pace
from smsgw.storage.planning import plan

NICE: Final = 10  # customers are answered first


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


class Worker:
    """`make` in a process of its own. It ends with this one at the latest."""

    def __init__(self, task: Task) -> None:
        context = multiprocessing.get_context("spawn")
        self._told, self._tells = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(task, self._tells), daemon=True)

    def start(self) -> None:
        self._process.start()
        self._tells.close()

    def report(self) -> Report:
        """Wait for what it says."""
        with self._told:
            try:
                report = self._told.recv()
                assert isinstance(report, Report)
                return report
            except EOFError:
                self._process.join()
                status = self._process.exitcode
                return Report(f"the process that made it ended by itself ({status})")
            finally:
                self._process.join()

    def kill(self) -> None:
        """End it once it was started; `report` returns then."""
        self._process.kill()


def _work(task: Task, told: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's, which means the daemon
    os.nice(NICE)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    told.send(make(task))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

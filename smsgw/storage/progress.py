"""How far the runs of notices have come, read beside the daemon's own work."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import closing, suppress
from datetime import date
from json import dumps
from pathlib import Path
from typing import NamedTuple

from smsgw.service.message import SCRIPTS, Script
from smsgw.service.notices import NoticeKind, NoticeState, RunState
from smsgw.service.run_parts import LATELY, Lately, Sending
from smsgw.storage import billing
from smsgw.storage.database import CacheReader, StorageError, one_moment, open_read_only
from smsgw.storage.messages import last_id
from smsgw.storage.runs import ALIVE


class RunProgress(NamedTuple):
    """A run, and what became of its notices so far."""

    id: int
    kind: NoticeKind
    state: RunState
    notices: int  # that it was made with
    hold: str  # why it has to be, or had to be, confirmed
    text: str  # of an announcement
    counts: Mapping[tuple[str, Script, NoticeState], int]  # by carrier
    day: date  # nothing goes out before
    lately: Mapping[tuple[str, Script], Lately] = {}  # sent; by carrier

    def count(self, state: NoticeState) -> int:
        return sum(count for (_, _, each), count in self.counts.items() if each is state)

    @property
    def sending(self) -> Sending:
        left = {
            (carrier, script): count
            for (carrier, script, state), count in self.counts.items()
            if state is NoticeState.PLANNED
        }
        return Sending(self.kind, self.text, left, self.lately)


class Progress(NamedTuple):
    """All runs that may still send something, in the order in which they do, and some others."""

    runs: tuple[RunProgress, ...] = ()
    last: int = 0  # the highest number that a run has
    cache_as_of: float | None = None  # of the billing data; None: there are none


def observe(
    data_dir: Path, now: float, also: Collection[int] = (), after: int | None = None
) -> Progress:
    """Read the runs that are not over, those of `also`, and those that came after one, with a
    connection of its own.

    Raises StorageError and sqlite3.Error.
    """
    con = open_read_only(data_dir)
    if con is None:
        return Progress()
    with closing(con):
        cache = CacheReader(con, data_dir)
        with suppress(StorageError):  # the daemon says so
            cache.follow()
        with one_moment(con):
            as_of = billing.cache_as_of(con) if cache.attached else None
            last = last_id(con, "notice_run")
            new = () if after is None else range(after + 1, last + 1)
            return Progress(read(con, now, [*also, *new]), last, as_of)


def read(
    con: sqlite3.Connection, now: float, also: Collection[int] = ()
) -> tuple[RunProgress, ...]:
    """The runs that are not over, and those of `also`."""
    fields = "SELECT id, kind, state, notices, hold, coalesce(text, ''), day FROM notice_run"
    rows = con.execute(
        f"{fields} WHERE {ALIVE} UNION {fields} WHERE id IN (SELECT value FROM json_each(?))",
        (dumps(list(also)),),
    ).fetchall()
    runs = [id_ for id_, *_ in rows]
    counts, late = _counts(con, runs), lately(con, runs, now)
    found = [
        RunProgress(
            id_, NoticeKind(kind), RunState(state), made, hold, text, counts[id_],
            date.fromisoformat(day), late[id_],
        )
        for id_, kind, state, made, hold, text, day in rows
    ]  # fmt: skip
    order = list(NoticeKind)
    return tuple(sorted(found, key=lambda run: (order.index(run.kind), run.id)))


def _counts(
    con: sqlite3.Connection, runs: Collection[int]
) -> dict[int, Counter[tuple[str, Script, NoticeState]]]:
    counts = {run: Counter[tuple[str, Script, NoticeState]]() for run in runs}
    for run, carrier, script, state, count in con.execute(
        "SELECT run, carrier, script, state, count(*) FROM notice"
        " WHERE run IN (SELECT value FROM json_each(?)) GROUP BY 1, 2, 3, 4",
        (dumps(list(runs)),),
    ):
        counts[run][carrier, SCRIPTS[script], NoticeState(state)] = count
    return counts


def lately(
    con: sqlite3.Connection, runs: Collection[int], now: float
) -> dict[int, dict[tuple[str, Script], Lately]]:
    """What of the runs was sent in the last minute, by carrier and script."""
    found: dict[int, dict[tuple[str, Script], Lately]] = {run: {} for run in runs}
    for run, carrier, script, count, since in con.execute(
        "SELECT run, carrier, script, count(*), min(changed_at) FROM notice"
        f" WHERE run IN (SELECT value FROM json_each(?)) AND state = '{NoticeState.SENT}'"
        " AND changed_at > ? AND changed_at <= ? GROUP BY 1, 2, 3",
        (dumps(list(runs)), now - LATELY, now),
    ):
        found[run][carrier, SCRIPTS[script]] = Lately(count, since)
    return found

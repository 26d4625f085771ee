"""Notices whose turn it is: each is judged once more, and sent, moved, or cancelled.

A notice is a row of a run until there is a place for it in its carrier's window. Only then is
its message made, of what is due at that moment.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from smsgw.service.calendar import Window
from smsgw.service.message import SCRIPTS, Msisdn, Mt, Script
from smsgw.service.notices import (
    Cancelled,
    Due,
    LeftOut,
    NoticeKind,
    NoticeState,
    Verdict,
    judge,
    text,
)
from smsgw.storage import billing, runs
from smsgw.storage.messages import last_id
from smsgw.storage.notice_keys import Claim, digest
from smsgw.storage.policy import Policy
from smsgw.storage.runs import ALIVE, PLANNED, RUNNING
from smsgw.text.segmentation import MAX_PARTS

# Notices of a run and carrier that one transaction looks at, should most of them be cancelled.
LOOKED_AT: Final = 30

SELECT_PLANNED: Final = f"""
SELECT id, msisdn, customer_number, bills FROM notice
WHERE run = ? AND carrier = ? AND {PLANNED} ORDER BY id LIMIT ?
"""
SELECT_SUBSCRIPTION: Final = """
SELECT carrier, script FROM subscription
WHERE msisdn = ? AND customer_number = ? AND state IN ('pending', 'active') AND state = 'active'
"""
TAKE_OVER: Final = f"""
UPDATE notice_key SET notice = ?
WHERE digest = ? AND notice IN (SELECT id FROM notice WHERE id = notice_key.notice AND {PLANNED})
"""
ANY_PLANNED: Final = f"SELECT EXISTS (SELECT 1 FROM notice WHERE run = ? AND {PLANNED})"
ANY_PLANNED_FOR: Final = (
    f"SELECT EXISTS (SELECT 1 FROM notice WHERE run = ? AND carrier = ? AND {PLANNED})"
)

_RANK: Final = {kind.value: rank for rank, kind in enumerate(NoticeKind)}


class Run(NamedTuple):
    """A run that is under way."""

    id: int
    kind: NoticeKind
    text: str  # of an announcement


class Notice(NamedTuple):
    """One that is planned."""

    id: int
    msisdn: Msisdn
    customer_number: str
    bills: Mapping[str, int]  # which attempt it is for each


class Turn(NamedTuple):
    """A notice that is sent."""

    notice: int
    kind: NoticeKind
    mt: Mt
    script: Script
    bills: Mapping[str, int]
    parameters: Mapping[str, str]


class Taken(NamedTuple):
    """What became of the notices whose turn it was."""

    turns: Sequence[Turn]
    more: Collection[str]  # carriers for which there are more
    cancelled: Mapping[tuple[str, str], int]  # by kind and why


class _Desk:
    """Takes notices of the runs that are under way, in one transaction."""

    def __init__(self, con: sqlite3.Connection, window: Window, policy: Policy, now: float) -> None:
        self._con = con
        self._window = window
        self._policy = policy
        self._now = now
        self._day = policy.notices.calendar.day(now)
        self.turns: list[Turn] = []
        self.more: set[str] = set()
        self.cancelled: Counter[tuple[str, str]] = Counter()

    def take(self, run: Run, carrier: str, places: int) -> int:
        """Send the next notices of a run for a carrier; return how many of the places are left."""
        if places <= 0:
            if _any(self._con, ANY_PLANNED_FOR, run.id, carrier):
                self.more.add(carrier)
            return 0
        limit = max(places, LOOKED_AT)
        rows = self._con.execute(SELECT_PLANNED, (run.id, carrier, limit + 1)).fetchall()
        looked_at = 0
        for row in rows[:limit]:
            if places <= 0:
                break
            places -= self._turn(run, carrier, row)
            looked_at += 1
        if looked_at < len(rows):
            self.more.add(carrier)
            return 0  # of this run first
        return places

    def _turn(self, run: Run, carrier: str, row: tuple[int, str | None, str | None, str]) -> int:
        """Have a notice's turn; return how many segments it comes to."""
        id_, msisdn, number, bills = row
        if msisdn is None or number is None or bills is None:
            return self._cancel(run, id_, Cancelled.ERASED)
        notice = Notice(id_, Msisdn(msisdn), number, dict(json.loads(bills)))
        found = subscription(self._con, notice.msisdn, number)
        if found is None:
            return self._cancel(run, id_, Cancelled.ENDED)
        theirs, script = found
        if theirs != carrier:
            return self._move(run, id_, theirs)
        if run.kind is NoticeKind.ANNOUNCEMENT:
            return self._send(run, carrier, notice, script, run.text, {})
        notice = notice._replace(bills=self._own(run.kind, notice))
        due, left_out = verdict(self._con, run.kind, number, self._policy, self._day)
        if due is None or not notice.bills.keys() & set(due.bills):
            return self._cancel(run, id_, why(notice.bills, left_out))
        counted = self._recount(run.kind, notice, due)
        said = text(run.kind, due, script, self._policy.notices)
        return self._send(
            run, carrier, notice._replace(bills=counted), script, said, due.parameters
        )

    def _own(self, kind: NoticeKind, notice: Notice) -> dict[str, int]:
        """Those of a notice's bills that none has spoken of since it was planned."""
        rows = self._con.execute("SELECT digest FROM notice_key WHERE notice = ?", (notice.id,))
        own = {bytes(key) for (key,) in rows}
        return {
            bill: attempt
            for bill, attempt in notice.bills.items()
            if self._key(kind, notice, bill, attempt) in own
        }

    def _recount(self, kind: NoticeKind, notice: Notice, due: Due) -> dict[str, int]:
        """The bills that the message is counted against: those that it speaks of, but for what
        another notice has said. Those of its own that are no longer due it gives back."""
        counted = {}
        for bill in due.bills:
            attempt = notice.bills.get(bill) or self._take_over(kind, notice, bill)
            if attempt is not None:
                counted[bill] = attempt
        for bill, attempt in notice.bills.items():
            if bill not in counted:
                key = self._key(kind, notice, bill, attempt)
                self._con.execute("DELETE FROM notice_key WHERE digest = ?", (key,))
        return counted

    def _take_over(self, kind: NoticeKind, notice: Notice, bill: str) -> int | None:
        """Count a notice against a bill that it was not planned for: as the attempt that another
        one is planned to be, or else as the first, if there was none."""
        for attempt in (1, 2):
            if self._con.execute(
                TAKE_OVER, (notice.id, self._key(kind, notice, bill, attempt))
            ).rowcount:
                return attempt
        first = self._con.execute(
            "INSERT OR IGNORE INTO notice_key (digest, notice) VALUES (?, ?)",
            (self._key(kind, notice, bill, 1), notice.id),
        )
        return 1 if first.rowcount else None

    def _key(self, kind: NoticeKind, notice: Notice, bill: str, attempt: int) -> bytes:
        claim = Claim(notice.customer_number, bill, notice.msisdn)
        return digest(self._policy.keyed, kind, claim, attempt)

    def _send(
        self,
        run: Run,
        carrier: str,
        notice: Notice,
        script: Script,
        said: str,
        parameters: Mapping[str, str],
    ) -> int:
        parts = self._policy.encodings[carrier].count_parts(said)
        if parts > MAX_PARTS:
            return self._cancel(run, notice.id, Cancelled.NO_TEXT)
        kind, until = run.kind.message_kind, self._window.closes
        mt = Mt(carrier, kind, notice.msisdn, said, self._now, valid_until=until)
        self.turns.append(Turn(notice.id, run.kind, mt, script, notice.bills, parameters))
        return parts

    def _move(self, run: Run, notice: int, carrier: str | None) -> int:
        if carrier is None or carrier not in self._policy.encodings:
            return self._cancel(run, notice, Cancelled.UNREACHABLE)
        self._con.execute(
            "UPDATE notice SET carrier = ?, changed_at = ? WHERE id = ?",
            (carrier, self._now, notice),
        )
        self.more.add(carrier)
        return 0

    def _cancel(self, run: Run, notice: int, why: Cancelled) -> int:
        runs.cancelled(self._con, [notice], why, self._now)
        self.cancelled[run.kind.value, why.value] += 1
        return 0


def subscription(
    con: sqlite3.Connection, msisdn: Msisdn, number: str
) -> tuple[str | None, Script] | None:
    """Carrier and script of a phone's active subscription to a customer number, if it has one."""
    row = con.execute(SELECT_SUBSCRIPTION, (msisdn.digits, number)).fetchone()
    return None if row is None else (row[0], SCRIPTS[row[1]])


def verdict(
    con: sqlite3.Connection, kind: NoticeKind, number: str, policy: Policy, day: date
) -> Verdict:
    """What a customer number is to be noticed of by the billing cache as it is now."""
    account = billing.accounts(con, [number]).get(number)
    return Verdict(None) if account is None else judge(kind, account, day, policy.notices)


def why(bills: Collection[str], left_out: Mapping[str, LeftOut]) -> Cancelled:
    """Why there is no notice of these bills any more."""
    if not bills:
        return Cancelled.SPOKEN_OF
    late = LeftOut.CUT_OFF_PASSED in [left_out.get(bill) for bill in bills]
    return Cancelled.TOO_LATE if late else Cancelled.PAID


def take(
    con: sqlite3.Connection,
    room: Mapping[str, int],
    window: Window,
    cache: bool,
    policy: Policy,
    now: float,
) -> Taken:
    """Judge the next notices of each carrier, as many as there is room for: disconnection notices
    first, then the older run's. The caller stores their messages, and calls `note`.

    What depends on bills waits while there is no billing cache, or one that is too old.
    """
    desk = _Desk(con, window, policy, now)
    going = under_way(con, policy.notices.calendar.day(now))
    judged = bool(going) and young(con, cache, policy.notices.max_age, now)
    places = dict(room)
    for run in going:
        if judged or run.kind is NoticeKind.ANNOUNCEMENT:
            places = {carrier: desk.take(run, carrier, left) for carrier, left in places.items()}
    return Taken(desk.turns, desk.more, desk.cancelled)


def note(con: sqlite3.Connection, taken: Taken, now: float) -> None:
    """Write down that these notices are sent, after their messages were stored, in this order; and
    end the runs that have no more."""
    first = last_id(con, "mt") + 1 - len(taken.turns)
    con.executemany(
        f"UPDATE notice SET state = '{NoticeState.SENT}', changed_at = ?, mt_id = ?, script = ?,"
        " bills = ?, parameters = ? WHERE id = ?",
        [
            (now, mt_id, turn.script.value, json.dumps(list(turn.bills.items())),
             json.dumps(dict(turn.parameters)), turn.notice)
            for mt_id, turn in enumerate(taken.turns, start=first)
        ],
    )  # fmt: skip
    runs.finish(con, now)


def under_way(con: sqlite3.Connection, day: date) -> list[Run]:
    """The runs whose notices go out on `day`, those first that go first."""
    rows = con.execute(
        f"SELECT id, kind, coalesce(text, '') FROM notice_run WHERE {RUNNING} AND day <= ?",
        (day.isoformat(),),
    )
    going = [Run(id_, NoticeKind(kind), said) for id_, kind, said in rows]
    return sorted(going, key=lambda run: (_RANK[run.kind], run.id))


def automatic_run(con: sqlite3.Connection, kind: NoticeKind, day: date) -> int | None:
    """The daily run of a kind, if it is there."""
    row = con.execute(
        "SELECT id FROM notice_run WHERE automatic = 1 AND kind = ? AND day = ?",
        (kind.value, day.isoformat()),
    ).fetchone()
    return None if row is None else int(row[0])


def young(con: sqlite3.Connection, cache: bool, max_age: float, now: float) -> bool:
    """Whether there is a billing cache that may be relied on."""
    as_of = billing.cache_as_of(con) if cache else None
    return as_of is not None and (not max_age or now - as_of <= max_age)


def any_planned(con: sqlite3.Connection) -> bool:
    """Whether a run that is under way has a notice that is still to be sent."""
    going = con.execute(f"SELECT id FROM notice_run WHERE {RUNNING}").fetchall()
    return any(_any(con, ANY_PLANNED, run) for (run,) in going)


def readdress(con: sqlite3.Connection, carriers: Collection[str], now: float) -> int:
    """Give notices that are planned for another carrier than `carriers`, for one that is no longer
    in the configuration or not enabled, to any of these: when their turn comes, they are moved to
    their phone's carrier, or cancelled. Inside the caller's transaction; returns how many."""
    if not carriers:
        return 0
    return con.execute(
        "UPDATE notice SET carrier = ?, changed_at = ?"
        f" WHERE {PLANNED} AND run IN (SELECT id FROM notice_run WHERE {ALIVE})"
        " AND carrier NOT IN (SELECT value FROM json_each(?))",
        (min(carriers), now, json.dumps(list(carriers))),
    ).rowcount


def _any(con: sqlite3.Connection, query: str, *values: object) -> bool:
    (there,) = con.execute(query, values).fetchone()
    return bool(there)

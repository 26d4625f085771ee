"""Bulk that was made a while ago and has not gone out: its link was down, say, or its carrier had
no room for it. Whether it is still wanted is asked once more before it goes.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from smsgw.service.message import MtState, Segment
from smsgw.service.notices import Cancelled, NoticeKind, NoticeState, RunState
from smsgw.service.retry import too_late
from smsgw.storage import subjects, turns
from smsgw.storage.policy import Policy
from smsgw.storage.subjects import NoticeOf

# Seconds until it is asked again of what has to wait: for a feed, or for its run to go on.
ASK_AGAIN: Final = 300.0

_BEGUN: Final = (
    "SELECT DISTINCT mt_id FROM segment WHERE mt_id IN (SELECT value FROM json_each(?))"
    f" AND state NOT IN ('{MtState.QUEUED}', '{MtState.WAITING}', '{MtState.CANCELLED}')"
)
_UNSENT: Final = f"mt_id = ? AND state IN ('{MtState.QUEUED}', '{MtState.WAITING}')"


class Looked(NamedTuple):
    """What is left of some queued segments, and what became of the messages taken out."""

    going: Sequence[Segment]
    final: Counter[tuple[str, MtState]]  # segments, by carrier
    cancelled: Counter[tuple[str, str]]  # messages, by kind of the notice and why


def look_at(
    con: sqlite3.Connection, queued: Sequence[Segment], cache: bool, policy: Policy, now: float
) -> Looked:
    """Cancel those of `queued` that nobody is to get any more: the bill was paid, say, or the
    phone has said stop. Let those wait that can't be judged by the billing data as they are, and
    those of paused runs. A part follows another that is out.
    """
    final = Counter[tuple[str, MtState]]()
    cancelled = Counter[tuple[str, str]]()
    out: set[int] = set()
    waiting = _not_begun(con, {one.key.mt for one in queued}) if queued else ()
    if not waiting:
        return Looked(queued, final, cancelled)
    young = turns.young(con, cache, policy.notices.max_age, now)
    phones = {one.key.mt: one for one in queued}
    for mt_id, subject in subjects.of(con, sorted(waiting)).items():
        notice = subject.notice
        if notice is None:
            continue
        why = _why_not(con, phones[mt_id], notice, young, policy, now)
        if isinstance(why, Cancelled):
            states = _end(con, mt_id, notice, why, now)
            final.update((phones[mt_id].carrier, state) for state in states)
            cancelled[notice.kind, why.value] += 1
        elif why is not None:
            con.execute(
                f"UPDATE segment SET state = '{MtState.WAITING}', not_before = ?, changed_at = ?"
                f" WHERE {_UNSENT}",
                (why, now, mt_id),
            )
        if why is not None:
            out.add(mt_id)
    return Looked([one for one in queued if one.key.mt not in out], final, cancelled)


def _not_begun(con: sqlite3.Connection, messages: Collection[int]) -> set[int]:
    begun = {mt_id for (mt_id,) in con.execute(_BEGUN, (json.dumps(list(messages)),))}
    return {*messages} - begun


def _why_not(
    con: sqlite3.Connection,
    one: Segment,
    notice: NoticeOf,
    young: bool,
    policy: Policy,
    now: float,
) -> Cancelled | float | None:
    """Why a message does not go, or when that is asked again; None: it goes."""
    (state,) = con.execute("SELECT state FROM notice_run WHERE id = ?", (notice.run,)).fetchone()
    if state == RunState.CANCELLED:
        return Cancelled.RUN
    if notice.customer_number is None:
        return Cancelled.ERASED
    if turns.subscription(con, one.destination, notice.customer_number) is None:
        return Cancelled.ENDED
    judged = notice.kind != NoticeKind.ANNOUNCEMENT
    if state == RunState.PAUSED or (judged and not young):
        return now + ASK_AGAIN
    return _settled(con, notice, notice.customer_number, policy, now) if judged else None


def _settled(
    con: sqlite3.Connection, notice: NoticeOf, number: str, policy: Policy, now: float
) -> Cancelled | None:
    """Why what a notice says is not true any more; None: it is."""
    day = policy.notices.calendar.day(now)
    verdict = turns.verdict(con, NoticeKind(notice.kind), number, policy, day)
    if verdict.due is None:
        return turns.why(dict(json.loads(notice.bills or "[]")), verdict.left_out)
    # What is left of it is for another run to say.
    said = json.loads(notice.parameters or "{}")
    return None if verdict.due.parameters == said else Cancelled.PAID


def _end(
    con: sqlite3.Connection, mt_id: int, notice: NoticeOf, why: Cancelled, now: float
) -> list[MtState]:
    """Send no more of a message; what became of its segments. Its notice is cancelled, unless it
    may have been delivered: then it has been noticed."""
    unsent = con.execute(f"SELECT part, lost FROM segment WHERE {_UNSENT}", (mt_id,)).fetchall()
    states = [too_late(lost) if lost else MtState.CANCELLED for _, lost in unsent]
    con.executemany(
        "UPDATE segment SET state = ?, not_before = NULL, changed_at = ?"
        " WHERE mt_id = ? AND part = ?",
        [(state, now, mt_id, part) for state, (part, _) in zip(states, unsent, strict=True)],
    )
    if not any(lost for _, lost in unsent):
        _never_sent(con, notice.id, mt_id, why, now)
    return states


def _never_sent(
    con: sqlite3.Connection, notice: int, mt_id: int, why: Cancelled, now: float
) -> None:
    """Cancel a notice and give back its keys, but for one whose message is only repeated by this:
    that was sent, and refused."""
    if con.execute(
        f"UPDATE notice SET state = '{NoticeState.CANCELLED}', reason = ?, changed_at = ?"
        " WHERE id = ? AND mt_id = ?",
        (why.value, now, notice, mt_id),
    ).rowcount:
        con.execute("DELETE FROM notice_key WHERE notice = ?", (notice,))

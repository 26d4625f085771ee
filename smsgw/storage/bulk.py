"""Sending what nobody waits for: notices and announcements, inside the calendar's hours, with what
more urgent messages leave of the room."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from smsgw.service.calendar import Calendar
from smsgw.service.message import MessageKind, MtState, Segment, SegmentKey
from smsgw.storage import second_look, turns
from smsgw.storage.claims import SELECT_BULK, expire, mark_claimed, read_queued
from smsgw.storage.messages import cut, insert_segments
from smsgw.storage.policy import Policy

# What one transaction claims at most, over all carriers: 10 ms, for answers may wait for it.
AT_ONCE: Final = 40
EXPIRED_AT_ONCE: Final = 500

# The state stands in the SQL as a literal: only then is the partial index used.
_QUEUED: Final = f"state = '{MtState.QUEUED}' AND segment.kind >= {int(MessageKind.NOTICE)}"
ANY_QUEUED: Final = f"SELECT EXISTS (SELECT 1 FROM segment WHERE {_QUEUED} AND carrier = ?)"

# What is no longer worth sending, of messages that say themselves until when they are.
SELECT_LATE: Final = f"""
SELECT mt_id, part, segment.carrier, lost FROM segment JOIN mt ON mt.id = mt_id
WHERE {_QUEUED} AND segment.carrier = ? AND valid_until <= ?
LIMIT ?
"""


class Sent(NamedTuple):
    """What a transaction sent of it."""

    segments: Sequence[Segment]
    more: Collection[str]  # carriers for which there is more that may go now
    made: Counter[tuple[str, MessageKind]]  # messages by carrier and kind
    final: Counter[tuple[str, MtState]]  # queued segments no longer worth sending, by carrier
    noticed: Mapping[tuple[str, str], int] = {}  # notices by carrier and kind
    cancelled: Mapping[tuple[str, str], int] = {}  # notices by kind and why


def claim(
    con: sqlite3.Connection, room: Mapping[str, int], cache: bool, policy: Policy, now: float
) -> Sent:
    """Claim what was queued, then notices whose turn it is, as many segments of a carrier as
    `room` has places for it. `cache` says whether a billing cache is attached.

    Outside the hours nothing goes; what can't go any more when they are over is expired.
    """
    calendar = policy.notices.calendar
    window = calendar.window(now)
    if window is None:
        final = Counter[tuple[str, MtState]]()
        if not _lasts(calendar, now):
            final = _expire(con, policy.encodings, now)
        return Sent((), (), Counter(), final)
    if not room:
        return Sent((), (), Counter(), Counter())
    share = max(AT_ONCE // len(room), 1)
    left = {carrier: max(min(places, share), 0) for carrier, places in room.items()}
    claimed, more, final, dropped = _queued(con, left, cache, policy, now)
    taken = turns.take(con, left, window, cache, policy, now)
    fresh = cut(con, [turn.mt for turn in taken.turns], policy.encodings)
    turns.note(con, taken, now)
    sent = [one for carrier, segments in fresh.items() for one in segments[: left[carrier]]]
    insert_segments(con, fresh, {one.key for one in sent}, now)
    return Sent(
        [*claimed, *sent],
        {*more, *taken.more, *(key for key in fresh if len(fresh[key]) > left[key])},
        Counter((turn.mt.carrier, turn.mt.kind) for turn in taken.turns),
        final,
        Counter((turn.mt.carrier, turn.kind.value) for turn in taken.turns),
        Counter(taken.cancelled) + dropped,
    )


def _queued(
    con: sqlite3.Connection, left: dict[str, int], cache: bool, policy: Policy, now: float
) -> tuple[list[Segment], set[str], Counter[tuple[str, MtState]], Counter[tuple[str, str]]]:
    """Claim of the carriers' queues, and take that off the places that are `left`; also where
    there is more, which segments have ended, and which messages were cancelled."""
    claimed: list[Segment] = []
    more = set()
    final: Counter[tuple[str, MtState]] = Counter()
    dropped: Counter[tuple[str, str]] = Counter()
    for carrier, places in left.items():
        queued, stale = read_queued(con, SELECT_BULK, carrier, places + 1, now)
        final.update((carrier, state) for state in stale)
        if len(queued) + len(stale) > places:
            more.add(carrier)
        looked = second_look.look_at(con, queued, cache, policy, now)
        final += looked.final
        dropped += looked.cancelled
        chosen = looked.going[:places]
        mark_claimed(con, chosen, now)
        claimed += chosen
        left[carrier] -= len(chosen)
    return claimed, more, final, dropped


def _lasts(calendar: Calendar, now: float) -> bool:
    """Whether it is too late to submit, and not yet too late for what was."""
    today = calendar.on(calendar.day(now))
    return today is not None and today.opens <= now < today.closes


def _expire(
    con: sqlite3.Connection, carriers: Collection[str], now: float
) -> Counter[tuple[str, MtState]]:
    final: Counter[tuple[str, MtState]] = Counter()
    for carrier in carriers:
        rows = con.execute(SELECT_LATE, (carrier, now, EXPIRED_AT_ONCE)).fetchall()
        keys = [(SegmentKey(mt_id, part), lost) for mt_id, part, _, lost in rows]
        final.update((carrier, state) for state in expire(con, keys, now))
    return final


def wake_at(con: sqlite3.Connection, policy: Policy, now: float) -> float | None:
    """When there is something to do for bulk without anyone's asking; None: there is none, or no
    day is ever open."""
    if not (_any_queued(con, policy.encodings) or turns.any_planned(con)):
        return None
    calendar = policy.notices.calendar
    if _lasts(calendar, now) and (today := calendar.on(calendar.day(now))) is not None:
        return today.closes
    return next((one.opens for one in calendar.windows(now) if one.opens > now), None)


def _any_queued(con: sqlite3.Connection, carriers: Collection[str]) -> bool:
    return any(con.execute(ANY_QUEUED, (carrier,)).fetchone()[0] for carrier in carriers)

"""Which notices there have been, by keyed digests, and which attempt of one would be next.

A digest outlives its notice, the notice's message and the erasing of the person. Where nothing but
the digest is left, there was a notice, and there is no other.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple

from smsgw.service.keyed import Keyed
from smsgw.service.message import Msisdn, MtState, ReceiptState
from smsgw.service.message_state import message_state
from smsgw.service.notices import LeftOut, NoticeKind, Planned

# What a receipt says of a message that may be tried a second time.
FAILED: Final = frozenset({ReceiptState.EXPIRED, ReceiptState.UNDELIVERABLE})

LOOKED_UP: Final = 500  # digests in one query
REPEATS: Final = 20  # of one message over other carriers, at most


class Claim(NamedTuple):
    """What one notice says to one phone, as it is counted."""

    customer_number: str  # of an announcement empty: a phone with several numbers gets it once
    bill: str
    msisdn: Msisdn


def digest(keyed: Keyed, kind: NoticeKind, claim: Claim, attempt: int) -> bytes:
    """What (kind, customer number, bill, attempt, MSISDN) is known by for good."""
    number, bill, msisdn = claim
    return keyed.digest("notice", kind.value, number, bill, str(attempt), msisdn.digits)


def claims(kind: NoticeKind, planned: Planned) -> list[Claim]:
    """What a notice is counted against, in the order of its bills."""
    msisdn, number = planned.recipient.msisdn, planned.recipient.customer_number
    counted_for = "" if kind is NoticeKind.ANNOUNCEMENT else number
    return [Claim(counted_for, bill, msisdn) for bill in planned.due.bills]


def digests(keyed: Keyed, kind: NoticeKind, planned: Planned) -> list[bytes]:
    return [
        digest(keyed, kind, claim, attempt)
        for claim, attempt in zip(claims(kind, planned), planned.attempts, strict=True)
    ]


def next_attempts(
    con: sqlite3.Connection,
    keyed: Keyed,
    kind: NoticeKind,
    wanted: Sequence[Claim],
    day: date,
    local_day: Callable[[float], date],
) -> list[int | LeftOut]:
    """Which attempt comes next of each on `day`, or why none does.

    The second comes after a first that failed, on a later day than that. An announcement has none:
    its day is part of what it is counted by.
    """
    first = _messages(con, [digest(keyed, kind, claim, 1) for claim in wanted])
    failed = _failed(con, {mt_id for mt_id in first if mt_id})
    doubtful = [
        (claim, mt_id) for claim, mt_id in zip(wanted, first, strict=True) if mt_id in failed
    ]
    failed |= _repeated(con, doubtful)
    second = _messages(con, [digest(keyed, kind, claim, 2) for claim, _ in doubtful])
    failed_again = _failed(con, {mt_id for mt_id in second if mt_id})
    seconds = iter(second)
    found: list[int | LeftOut] = []
    for mt_id in first:
        if mt_id is None:
            found.append(1)
        elif mt_id not in failed:
            found.append(LeftOut.NOTICED)
        elif (again := next(seconds)) is not None:
            found.append(LeftOut.TRIED_TWICE if again in failed_again else LeftOut.NOTICED)
        else:
            found.append(_after(failed[mt_id], kind, day, local_day))
    return found


def _after(
    failed_at: float | None, kind: NoticeKind, day: date, local_day: Callable[[float], date]
) -> int | LeftOut:
    if failed_at is None or kind is NoticeKind.ANNOUNCEMENT:
        return LeftOut.NOTICED
    return 2 if local_day(failed_at) < day else LeftOut.WAITS


def _messages(con: sqlite3.Connection, wanted: Sequence[bytes]) -> list[int | None]:
    """The message of the notice that has each digest; 0: it has none yet, or no more is known of
    it; None: there is no such notice."""
    found: dict[bytes, int] = {}
    for start in range(0, len(wanted), LOOKED_UP):
        some = wanted[start : start + LOOKED_UP]
        places = ", ".join("?" * len(some))
        found |= dict(
            con.execute(
                "SELECT digest, ifnull(mt_id, 0)"
                " FROM notice_key LEFT JOIN notice ON notice.id = notice_key.notice"
                f" WHERE digest IN ({places})",
                some,
            )
        )
    return [found.get(one) for one in wanted]


def _failed(con: sqlite3.Connection, messages: Iterable[int]) -> dict[int, float | None]:
    """When those of the messages failed that did so as EXPIRED or UNDELIV."""
    wanted = json.dumps(list(messages))
    bad = f"state IN ('{MtState.EXPIRED}', '{MtState.UNDELIVERED}')"
    segments: dict[int, list[tuple[str, str | None, float]]] = {}
    for mt_id, *segment in con.execute(
        "SELECT mt_id, state, receipt, changed_at FROM segment WHERE mt_id IN"
        " (SELECT mt_id FROM segment"
        f" WHERE mt_id IN (SELECT value FROM json_each(?)) AND {bad})",
        (wanted,),
    ):
        segments.setdefault(mt_id, []).append(tuple(segment))
    for mt_id, kept in con.execute(
        "SELECT id, segments FROM history_mt"
        f" WHERE id IN (SELECT value FROM json_each(?)) AND {bad}",
        (wanted,),
    ):
        segments[mt_id] = [
            (one["state"], one.get("receipt"), one["changed_at"]) for one in json.loads(kept)
        ]
    return {
        mt_id: max(changed_at for *_, changed_at in theirs)
        for mt_id, theirs in segments.items()
        if _may_be_repeated(theirs)
    }


def _may_be_repeated(segments: Sequence[tuple[str, str | None, float]]) -> bool:
    """Whether all that went wrong is that nobody could be reached in time."""
    state = message_state([MtState(state) for state, *_ in segments])
    return state in (MtState.EXPIRED, MtState.UNDELIVERED) and all(
        receipt in FAILED for state, receipt, _ in segments if state == MtState.UNDELIVERED
    )


def _repeated(
    con: sqlite3.Connection, doubtful: Iterable[tuple[Claim, int | None]]
) -> dict[int, float | None]:
    """When those failed that were repeated over other carriers; None: the last repetition didn't,
    or has not ended."""
    live = dict(con.execute("SELECT found_from, id FROM mt WHERE found_from IS NOT NULL"))
    found: dict[int, float | None] = {}
    for claim, mt_id in doubtful:
        if mt_id is None:
            continue
        last = mt_id
        for _ in range(REPEATS):
            repeat = live.get(last) or _moved_repeat(con, claim.msisdn, last)
            if repeat is None:
                break
            last = repeat
        if last != mt_id:
            found[mt_id] = _failed(con, [last]).get(last)
    return found


def _moved_repeat(con: sqlite3.Connection, msisdn: Msisdn, mt_id: int) -> int | None:
    row = con.execute(
        "SELECT id FROM history_mt WHERE msisdn = ? AND found_from = ?", (msisdn.digits, mt_id)
    ).fetchone()
    return None if row is None else int(row[0])

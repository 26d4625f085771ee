"""Everything that happened to a phone, or to a customer number, in the order of time.

Read from where it stands: messages on their way, the history of those that are finished, notices,
the audit of registrations, and receipts that belong to nothing yet, or never did. The caller sees
to it that all of it is read at one moment: messages move from one place to the other.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from smsgw.service.keyed import Keyed
from smsgw.service.message import Msisdn, MtState
from smsgw.service.notices import Cancelled, NoticeState, RunState
from smsgw.service.record import MessageRecord, SegmentRecord
from smsgw.storage import audit, queue, requests, stops
from smsgw.storage.history import ABOUT_NUMBERS, numbers_asked_for, numbers_in_answer


class What(StrEnum):
    """What an event is of. Of one moment, they are told in this order."""

    MESSAGE_IN = "message_in"
    REGISTRATION = "registration"
    STOP = "stop"  # that still holds
    NOTICE = "notice"  # planned by a run, or what became of it then
    REQUEST = "request"  # that a partner made about the phone, over HTTP
    MESSAGE_OUT = "message_out"
    SUBMIT = "submit"  # of one segment, the last time
    RECEIPT = "receipt"  # one that is parked, or an orphan
    STATE = "state"  # of one segment: what it has come to


class Event(NamedTuple):
    """One thing that happened. `details` are plain values by the names of what they are."""

    at: float
    what: What
    msisdn: Msisdn | None  # None: erased
    details: Mapping[str, Any]
    message: MessageRecord | None = None  # of MESSAGE_OUT, SUBMIT, STATE
    segment: SegmentRecord | None = None  # of SUBMIT, STATE

    @property
    def current(self) -> bool:
        """Whether it is the last that happened to its segment."""
        if self.segment is None:
            return False
        return self.what is What.STATE or self.segment.state is MtState.CLAIMED


_ORDER: Final = {what: place for place, what in enumerate(What)}


def of(
    con: sqlite3.Connection,
    msisdn: Msisdn | None,
    customer_number: str | None,
    keyed: Keyed | None,
) -> list[Event]:
    """All that is known of a phone, of a customer number, or of what may be either, the oldest
    first. `keyed` knows phones that said stop; None: there are none.

    Of a customer number: its registrations, messages that name it, and what those answer.
    """
    mos: set[int] = set()
    mts: set[int] = set()
    entries: dict[int, audit.Recorded] = {}
    notices: dict[int, _Notice] = {}
    alone: list[Event] = []
    if msisdn is not None:
        for table, ids in (("mo", mos), ("history_mo", mos), ("mt", mts), ("history_mt", mts)):
            ids.update(_ids(con, f"SELECT id FROM {table} WHERE msisdn = ?", msisdn.digits))
        entries |= {one.id: one for one in audit.of_phone(con, msisdn)}
        alone += _receipts(con, msisdn)
        notices |= _notices(con, "msisdn", msisdn.digits)
        if keyed is not None:
            alone += _requests(con, msisdn, keyed)
        if keyed is not None and (since := stops.since(con, keyed, msisdn)) is not None:
            alone.append(Event(since, What.STOP, msisdn, {}))
    if customer_number is not None:
        entries |= {one.id: one for one in audit.of_number(con, customer_number)}
        theirs = _notices(con, "customer_number", customer_number)
        notices |= theirs
        naming = _naming(con, customer_number) | {one.mt for one in theirs.values() if one.mt}
        mts |= naming
        mos |= _asking(con, customer_number) | _answered(con, naming)
    events = [
        *_messages_in(con, mos),
        *_registrations(entries.values()),
        *_messages_out(queue.records(con, list(mts)), entries.values()),
        *_notices_told(con, notices.values()),
        *alone,
    ]
    return sorted(events, key=_place)


def _place(event: Event) -> tuple[float, int, int, int]:
    details = event.details
    return event.at, _ORDER[event.what], details.get("id", 0), details.get("part", 0)


def _ids(con: sqlite3.Connection, query: str, *values: object) -> Iterator[int]:
    return (id_ for (id_,) in con.execute(query, values) if id_ is not None)


def _naming(con: sqlite3.Connection, customer_number: str) -> set[int]:
    """The messages of ours that name a customer number."""
    live = con.execute("SELECT id, text FROM mt WHERE text LIKE ?", (f"%{customer_number}%",))
    moved = "SELECT mt_id FROM history_number WHERE customer_number = ?"
    return {
        *(id_ for id_, text in live if customer_number in numbers_in_answer(text)),
        *_ids(con, moved, customer_number),
    }


def _asking(con: sqlite3.Connection, customer_number: str) -> set[int]:
    """The messages of customers that name it."""
    intents = ", ".join(f"'{intent}'" for intent in sorted(ABOUT_NUMBERS))
    live = con.execute(f"SELECT id, intent, text FROM mo WHERE intent IN ({intents})")
    moved = "SELECT mo_id FROM history_number WHERE customer_number = ?"
    return {
        *(
            id_
            for id_, intent, text in live
            if _may_name(text, customer_number)
            and customer_number in numbers_asked_for(intent, text)
        ),
        *_ids(con, moved, customer_number),
    }


def _may_name(text: str, customer_number: str) -> bool:
    """Whether a text is worth reading for a number: its own digits, where it has no others."""
    return not text.isascii() or customer_number in re.sub("[^0-9]", "", text)


def _answered(con: sqlite3.Connection, mts: Iterable[int]) -> set[int]:
    """What these messages are answers to."""
    wanted = json.dumps(list(mts))
    return {
        mo
        for table in ("mt", "history_mt")
        for mo in _ids(
            con, f"SELECT mo_id FROM {table} WHERE id IN (SELECT value FROM json_each(?))", wanted
        )
    }


# Of a long message that is whole, as of one in the history, only the row that stands for it.
_MESSAGES_IN: Final = """
SELECT id, received_at, carrier, msisdn, text, intent, silence, tried,
       (SELECT count(*) FROM mo AS part WHERE part.id = mo.id OR part.assembly = whole),
       (SELECT count(*) FROM redelivery WHERE mo_id IN
        (SELECT id FROM mo AS part WHERE part.id = mo.id OR part.assembly = whole))
FROM (SELECT *, CASE WHEN intent IS NOT NULL THEN assembly END AS whole FROM mo
      WHERE id IN (SELECT value FROM json_each(?1))) AS mo
WHERE intent IS NOT NULL
   OR NOT EXISTS (SELECT 1 FROM mo AS other
                  WHERE other.assembly = mo.assembly AND other.intent IS NOT NULL)
UNION ALL
SELECT id, received_at, carrier, msisdn, text, intent, silence, tried, parts, repeats
FROM history_mo WHERE id IN (SELECT value FROM json_each(?1))
"""


def _messages_in(con: sqlite3.Connection, mos: Iterable[int]) -> Iterator[Event]:
    for id_, at, carrier, msisdn, text, intent, silence, tried, parts, repeats in con.execute(
        _MESSAGES_IN, (json.dumps(list(mos)),)
    ):
        details = {
            "id": id_,
            "carrier": carrier,
            "text": text,
            "intent": intent,  # None: a part of a long message; what it says stands with the whole
            "silence": silence,
            "wrong_codes": (tried or "").split(),  # the customer numbers that they were given for
            "parts": parts,
            "repeats": repeats,
        }
        yield Event(at, What.MESSAGE_IN, None if msisdn is None else Msisdn(msisdn), details)


# Seconds within which a message from a customer is decided, where anything works at all.
DECIDED_WITHIN: Final = 10.0


def _messages_out(
    messages: Iterable[MessageRecord], entries: Iterable[audit.Recorded]
) -> Iterator[Event]:
    by_message = [(one.msisdn, one.at) for one in entries if one.origin == audit.CUSTOMER]
    for message in messages:
        details = {
            "id": message.id,
            "carrier": message.carrier,
            "kind": message.kind.name.lower(),
            "text": message.text,
            "parts": len(message.segments),
            "state": message.shown,
            "answers": message.mo,
            "repeat_of": message.repeat_of,
        }
        at = _answered_at(message, by_message)
        yield Event(at, What.MESSAGE_OUT, message.msisdn, details, message)
        for segment in message.segments:
            yield from _segment(message, segment)


def _answered_at(
    message: MessageRecord, by_message: Iterable[tuple[Msisdn | None, float]]
) -> float:
    """An answer is told behind what the message that it answers did, though its time is that at
    which this one came."""
    if message.mo is None:
        return message.created_at
    sent = [one.claimed_at for one in message.segments if one.claimed_at is not None]
    latest = min([message.created_at + DECIDED_WITHIN, *sent])
    return max(
        [
            message.created_at,
            *(at for phone, at in by_message if phone == message.msisdn and at <= latest),
        ]
    )


def _segment(message: MessageRecord, segment: SegmentRecord) -> Iterator[Event]:
    named = {"id": message.id, "part": segment.part, "carrier": message.carrier}
    if segment.claimed_at is not None:
        said = {**named, "attempts": segment.attempts, "lost": segment.lost}
        yield Event(segment.claimed_at, What.SUBMIT, message.msisdn, said, message, segment)
    if segment.state is not MtState.CLAIMED:
        said = {
            **named,
            "state": segment.shown,
            "attempts": segment.attempts,
            "message_id": segment.message_id,
            "error": segment.error,
            "receipt": segment.receipt,
            "done_date": segment.done_date,
        }
        yield Event(segment.changed_at, What.STATE, message.msisdn, said, message, segment)


def _registrations(entries: Iterable[audit.Recorded]) -> Iterator[Event]:
    for entry in entries:
        details = {
            "id": entry.id,
            "change": entry.change,
            "customer_number": entry.customer_number,
            "value": entry.value,
            "channel": entry.origin.channel,
            "who": entry.origin.who,
        }
        yield Event(entry.at, What.REGISTRATION, entry.msisdn, details)


def _receipts(con: sqlite3.Connection, msisdn: Msisdn) -> Iterator[Event]:
    columns = ("carrier", "message_id", "state", "error", "done_date")
    for table, orphan in (("parked_receipt", False), ("orphan_receipt", True)):
        for at, *values in con.execute(
            f"SELECT received_at, {', '.join(columns)} FROM {table} WHERE msisdn = ?",
            (msisdn.digits,),
        ):
            details = dict(zip(columns, values, strict=True))
            yield Event(at, What.RECEIPT, msisdn, {**details, "orphan": orphan})


def _requests(con: sqlite3.Connection, msisdn: Msisdn, keyed: Keyed) -> Iterator[Event]:
    for one in requests.of_person(con, requests.person(keyed, msisdn)):
        details = {
            "id": one.id,
            "partner": one.partner,
            "channel": one.channel,
            "operation": one.operation,
            "status": one.status,  # None: it was cut off
            "reason": one.reason or None,
            "message": one.mt,
        }
        yield Event(one.at, What.REQUEST, msisdn, details)


class _Notice(NamedTuple):
    id: int
    run: int
    kind: str
    made_at: float  # of its run, as the two behind it
    run_state: str
    hold: str
    digits: str | None
    customer_number: str | None
    bills: str | None
    carrier: str
    state: str
    reason: str
    changed_at: float
    mt: int | None


def _notices(con: sqlite3.Connection, column: str, value: str) -> dict[int, _Notice]:
    """The notices of a phone or of a customer number, by id."""
    return {
        row[0]: _Notice(*row)
        for row in con.execute(
            "SELECT notice.id, run, kind, made_at, notice_run.state, hold, msisdn,"
            " customer_number, bills, carrier, notice.state, reason, changed_at, mt_id"
            f" FROM notice JOIN notice_run ON notice_run.id = run WHERE notice.{column} = ?",
            (value,),
        )
    }


def _notices_told(con: sqlite3.Connection, notices: Iterable[_Notice]) -> Iterator[Event]:
    """Each notice twice: when its run was made, and when it was sent or cancelled."""
    for one in notices:
        phone = None if one.digits is None else Msisdn(one.digits)
        planned = one.state == NoticeState.PLANNED
        details: dict[str, Any] = {
            "id": one.id,
            "run": one.run,
            "kind": one.kind,
            "customer_number": one.customer_number,
            "carrier": one.carrier,
            "state": NoticeState.PLANNED,
            "bills": None if one.bills is None else json.loads(one.bills),
            "run_state": one.run_state if planned else None,  # what it waits for
            "hold": one.hold if planned and one.run_state == RunState.HELD else None,
            "reason": None,
            "message": None,
        }
        yield Event(one.made_at, What.NOTICE, phone, details)
        if not planned:
            became = {"state": one.state, "reason": one.reason or None, "message": one.mt}
            changed = {**details, "bills": None, **became, **_cancelled_by(con, one)}
            yield Event(one.changed_at, What.NOTICE, phone, changed)


def _cancelled_by(con: sqlite3.Connection, one: _Notice) -> dict[str, str]:
    """Who cancelled the run of a notice that was cancelled with it, and why."""
    if one.reason != Cancelled.RUN:
        return {}
    row = con.execute(
        "SELECT who, reason FROM notice_run_change WHERE run = ? AND state = ?"
        " ORDER BY at DESC LIMIT 1",
        (one.run, RunState.CANCELLED),
    ).fetchone()
    return {} if row is None else {"by": row[0], "because": row[1]}

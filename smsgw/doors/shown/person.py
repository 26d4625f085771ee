"""All that is stored about a person."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import tzinfo
from functools import partial
from typing import Any

from smsgw.doors.shown.events import as_row
from smsgw.doors.shown.times import iso
from smsgw.service.keyed import Keyed
from smsgw.service.message import Msisdn
from smsgw.storage import evidence, subscriptions, timeline
from smsgw.storage.database import one_moment
from smsgw.storage.evidence import Recorded, Which
from smsgw.storage.subscriptions import Record
from smsgw.storage.timeline import What

Row = dict[str, Any]


def export(
    con: sqlite3.Connection, msisdn: Msisdn, keyed: Keyed | None, timezone: tzinfo
) -> Row | None:
    """All about a phone, as it is at one moment; None: nothing is known."""
    written = partial(iso, timezone=timezone)
    with one_moment(con):
        records = list(subscriptions.records_of_phone(con, msisdn))
        events = timeline.of(con, msisdn, None, keyed)
        proofs = list(evidence.records(con, Which(msisdn=msisdn)))
    if not (records or events or proofs):
        return None
    stops = [one.at for one in events if one.what is What.STOP]

    def told(*kinds: What) -> list[Mapping[str, Any]]:
        return [as_row(one, timezone) for one in events if one.what in kinds]

    return {
        "msisdn": msisdn.digits,
        "stopped_at": written(stops[0]) if stops else None,
        "subscriptions": [registration(one, written) for one in records],
        "audit": told(What.REGISTRATION),
        "messages": told(What.MESSAGE_IN, What.MESSAGE_OUT),
        "notices": told(What.NOTICE),
        "evidence": [_proof(one, written) for one in proofs],
        "receipts": told(What.RECEIPT),
        "requests": told(What.REQUEST),
    }


def registration(record: Record, written: Callable[[float], str]) -> dict[str, str | None]:
    """A registration; `written` writes a moment."""
    one = record.subscription

    def when(at: float | None) -> str | None:
        return None if at is None else written(at)

    return {
        "msisdn": one.msisdn.digits,
        "customer_number": one.customer_number,
        "state": one.state,
        "carrier": one.carrier,
        "script": one.script,
        "channel": one.channel,
        "requested_at": when(one.requested_at),
        "activated_at": when(record.activated_at),
        "ended_at": when(record.ended_at),
        "suspect_at": when(one.suspect_at),
    }


def _proof(recorded: Recorded, written: Callable[[float], str]) -> Row:
    one = recorded.entry
    return {
        "notice": one.notice,
        "kind": one.kind,
        "customer_number": one.customer_number,
        "carrier": one.carrier,
        "made_at": written(one.made_at),
        "state": one.state,
        "final_at": written(one.final_at),
        "bills": None if one.bills is None else json.loads(one.bills),
        "parameters": None if one.parameters is None else json.loads(one.parameters),
        "text": one.text,
    }

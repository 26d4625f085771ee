"""The billing cache: its state, and bills by the names, and in the writing, of the feed."""

import sqlite3
from collections.abc import Sequence
from datetime import date, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from smsgw.doors.shown.times import iso, iso_or_none
from smsgw.service.customer import Bill, BillStatus
from smsgw.service.feed import COLUMNS
from smsgw.settings.model import Settings
from smsgw.storage import billing, feed_dir
from smsgw.storage.database import current_snapshot
from smsgw.storage.feed import LOCK
from smsgw.storage.lock import holder

FEEDS_SHOWN: Final = 10

Row = dict[str, Any]


def state(con: sqlite3.Connection | None, settings: Settings, now: float) -> Row:
    """How old the cache is, what it was made of, and what waits in the feed folder. It is attached
    to `con`; None: there is none."""
    zone, max_age = settings.timezone, settings.billing.max_age
    feeds = [] if con is None else billing.last_feeds(con, FEEDS_SHOWN)
    last = feeds[0] if feeds else None
    age = last and now - last.as_of
    return {
        "cache": con and current_snapshot(con),
        "as_of": last and iso(last.as_of, zone),
        "age_seconds": age and round(age),
        "stale": age is None or bool(max_age and age >= max_age),
        "customers": last.customers if last else 0,
        "bills": last.bills if last else 0,
        "feeds": [
            {
                **feed._asdict(),
                "as_of": iso(feed.as_of, zone),
                "taken_at": iso(feed.taken_at, zone),
            }
            for feed in feeds
        ],
        "importing": holder(settings.data_dir, LOCK),
        "feed_dir": _feed_dir(settings.billing.feed_dir),
    }


def _feed_dir(folder: Path | None) -> dict[str, Any] | None:
    """What stands in the feed folder; None where there is none in the configuration."""
    if folder is None:
        return None
    found: dict[str, Any] = {"path": str(folder), "waiting": [], "last": None, "error": None}
    try:
        found["waiting"] = [feed.name for feed in feed_dir.look(folder).feeds]
        found["last"] = feed_dir.last_report(folder)
    except OSError as error:
        found["error"] = error.strerror
    return found


def customer(number: str, as_of: float | None, bills: Sequence[Row], timezone: tzinfo) -> Row:
    """A customer number with its bills."""
    return {"customer_number": number, "as_of": iso_or_none(as_of, timezone), "bills": bills}


def bill_row(bill: Bill, status: BillStatus) -> dict[str, str | None]:
    """A bill."""
    return {
        "bill_number": bill.number,
        "issued_on": _iso(bill.issued_on),
        "due_on": _iso(bill.due_on),
        "cut_off_on": _iso(bill.cut_off_on),
        "amount": f"{Decimal(bill.amount) / 100:.2f}",
        "currency": bill.currency,
        "status": status,
    }


def feed_row(number: str, bill: Bill | None, status: BillStatus | None) -> list[str]:
    """A line of a feed."""
    if bill is None or status is None:
        return [number, *[""] * (len(COLUMNS) - 1)]
    row = bill_row(bill, status)
    return [number, *[row[name] or "" for name in COLUMNS[1:]]]


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()

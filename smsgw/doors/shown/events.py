"""The events of a timeline."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from smsgw.doors.shown.times import iso
from smsgw.service.masking import masked
from smsgw.storage.timeline import Event

Details = Mapping[str, Any]


def as_row(event: Event, timezone: tzinfo, comes_next: str = "", *, full: bool = True) -> Details:
    """An event for programs; phone numbers are masked unless they are wanted in `full`."""
    row = {
        "at": iso(event.at, timezone),
        "what": event.what.value,
        "msisdn": phone(event, full),
        **details(event, full),
    }
    return row if event.segment is None else {**row, "next": comes_next or None}


def phone(event: Event, full: bool) -> str | None:
    """The phone of an event, masked unless it is wanted in `full`; None: it is erased."""
    if event.msisdn is None:
        return None
    return event.msisdn.digits if full else str(event.msisdn)


def details(event: Event, full: bool) -> Details:
    """What is said of an event, with phones in the texts masked as well."""
    text = event.details.get("text")
    if full or text is None:
        return event.details
    return {**event.details, "text": masked(text)}

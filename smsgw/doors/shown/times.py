"""Moments as programs read them."""

from datetime import datetime, tzinfo


def iso(at: float, timezone: tzinfo) -> str:
    """ISO 8601, to the second, with its offset from UTC."""
    return datetime.fromtimestamp(at, timezone).isoformat(timespec="seconds")


def iso_or_none(at: float | None, timezone: tzinfo) -> str | None:
    return None if at is None else iso(at, timezone)

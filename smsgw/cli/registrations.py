"""Registrations as clerks see them: a table or JSON, printed as they are read."""

from collections.abc import Iterable
from datetime import tzinfo
from json import dumps
from typing import TYPE_CHECKING, Final

from smsgw.cli.stores import Written, iso, to_read
from smsgw.service.subscribers import OPTIONAL, REQUIRED

if TYPE_CHECKING:
    from smsgw.storage.subscriptions import Record

_COLUMNS: Final = (
    "msisdn", "customer", "state", "carrier", "script", "channel", "requested", "active since",
    "ended", "carrier suspect since",
)  # fmt: skip
_LINE: Final = "{:<12}  {:<12}  {:<8}  {:<12}  {:<8}  {:<7}  {:<16}  {:<16}  {:<16}  {}"


def print_records(records: Iterable["Record"], timezone: tzinfo) -> None:
    """A table whose rows are printed as they are read: there may be many."""
    print(_LINE.format(*_COLUMNS))
    for record in records:
        row = _row(record, timezone, to_read)
        print(_LINE.format(*[value or "-" for value in row.values()]))


def print_array(records: Iterable["Record"], timezone: tzinfo) -> None:
    """A JSON array with a registration a line, printed as they are read."""
    separator = "["
    for record in records:
        row = _row(record, timezone, iso)
        print(separator, dumps(row, ensure_ascii=False), sep="\n", end="")
        separator = ","
    print("\n]" if separator == "," else "[]")


def print_csv(records: Iterable["Record"]) -> None:
    """The subscribers file: none of its values can hold a comma or a quote."""
    print(",".join(REQUIRED + OPTIONAL))
    for record in records:
        one = record.subscription
        values = (one.msisdn.digits, one.customer_number, one.carrier or "", one.script)
        print(*values, one.channel, "", sep=",")


def _row(record: "Record", timezone: tzinfo, written: Written) -> dict[str, str | None]:
    one = record.subscription

    def when(at: float | None) -> str | None:
        return None if at is None else written(at, timezone)

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

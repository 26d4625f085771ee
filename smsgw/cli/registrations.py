"""Registrations as clerks see them: a table or JSON, printed as they are read."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from json import dumps
from typing import TYPE_CHECKING, Any, Final

from smsgw.cli.events import as_row
from smsgw.cli.stores import Written, to_read
from smsgw.doors.shown.times import iso
from smsgw.service.subscribers import OPTIONAL, REQUIRED

if TYPE_CHECKING:
    from smsgw.service.message import Msisdn
    from smsgw.storage.subscriptions import Record
    from smsgw.storage.timeline import Event

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


def person(
    msisdn: "Msisdn",
    records: Iterable["Record"],
    events: Sequence["Event"],
    timezone: tzinfo,
) -> dict[str, Any]:
    """All that is stored about a phone."""
    from smsgw.storage.timeline import What

    stops = [one.at for one in events if one.what is What.STOP]

    def told(*kinds: What) -> list[Mapping[str, Any]]:
        return [as_row(one, timezone) for one in events if one.what in kinds]

    return {
        "msisdn": msisdn.digits,
        "stopped_at": iso(stops[0], timezone) if stops else None,
        "subscriptions": [_row(one, timezone, iso) for one in records],
        "audit": told(What.REGISTRATION),
        "messages": told(What.MESSAGE_IN, What.MESSAGE_OUT),
        "notices": told(What.NOTICE),
        "receipts": told(What.RECEIPT),
    }


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

"""Registrations as clerks see them: a table or JSON, printed as they are read."""

from collections.abc import Iterable
from datetime import tzinfo
from functools import partial
from json import dumps
from typing import TYPE_CHECKING, Final

from smsgw.cli.stores import to_read
from smsgw.doors.shown.times import iso
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
    from smsgw.doors.shown.person import registration

    print(_LINE.format(*_COLUMNS))
    for record in records:
        row = registration(record, partial(to_read, timezone=timezone))
        print(_LINE.format(*[value or "-" for value in row.values()]))


def print_array(records: Iterable["Record"], timezone: tzinfo) -> None:
    """A JSON array with a registration a line, printed as they are read."""
    from smsgw.doors.shown.person import registration

    separator = "["
    for record in records:
        row = registration(record, partial(iso, timezone=timezone))
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

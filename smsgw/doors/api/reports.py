"""The published figures over HTTP."""

from datetime import date
from typing import Annotated, Final

from fastapi import Depends, FastAPI, Query
from pydantic import ConfigDict, Field

from smsgw.doors import jobs
from smsgw.doors.api.description import problems
from smsgw.doors.api.desk import Desk, may, out_of_range
from smsgw.doors.api.fields import Day, Told
from smsgw.doors.api.gate import PREFIX
from smsgw.doors.shown.times import iso
from smsgw.service.partner import Scope

ALLOWED: Final = [Depends(may(Scope.REPORTS))]
MOST_YEARS: Final = 20


class Active(Told):
    """Active registrations at the end of a day."""

    day: date
    customer_numbers: int
    phones: int
    registrations: int


class Registrations(Told):
    """Registrations of a month by channel."""

    month: str
    channel: str
    new: int
    ended: int
    rejected: int


class MessagesByKind(Told):
    """Messages to customers by what they are, and what they answer or announce."""

    kind: str
    purpose: str
    messages: int
    share: float | None
    parts: int
    cost_eur: float


class Reminders(Told):
    """Reminders of a month."""

    month: str
    messages: int
    overdue: int
    disconnection: int
    delivered: int
    customer_numbers: int = Field(description="Different ones, of the whole month.")


class BillChecks(Told):
    """Bill checks of a month."""

    month: str
    messages: int
    different_phones: int = Field(description="Of the whole month.")


class Delivery(Told):
    """Delivery and cost by carrier."""

    carrier: str
    messages: int
    delivered: int
    undelivered: int
    refused: int
    expired: int
    unconfirmed: int
    cancelled: int
    on_the_way: int
    delivery_rate: float | None
    parts: int
    cost_eur: float


class Messages(Told):
    """Messages to customers by month, kind and carrier."""

    month: str
    kind: str
    purpose: str
    carrier: str
    messages: int
    delivered: int
    parts: int
    cost_eur: float


class Report(Told):
    """All figures of a period, both its days included."""

    model_config = ConfigDict(populate_by_name=True)

    from_: date = Field(alias="from")
    to: date
    as_of: str
    active_registrations: list[Active]
    registrations: list[Registrations]
    messages_by_kind: list[MessagesByKind]
    reminders: list[Reminders]
    bill_checks: list[BillChecks]
    carriers: list[Delivery]
    messages: list[Messages]


def add(app: FastAPI, desk: Desk) -> None:
    """Add the route."""
    office = desk.office
    timezone = office.settings.timezone

    async def show(
        first: Annotated[
            Day | None, Query(alias="from", description="The first day; of this month else.")
        ] = None,
        last: Annotated[
            Day | None, Query(alias="to", description="The last day; else today.")
        ] = None,
    ) -> Report:
        """The figures that the company publishes. Different customers are counted by the month: of
        a month that the period cuts, too, all of it."""
        now = office.clock.now()
        today = date.fromisoformat(iso(now, timezone)[:10])
        last = last or (today if first is None else max(first, today))
        first = first or last.replace(day=1)
        if first > last:
            raise out_of_range("to", f"{last} is before {first}")
        if last.year - first.year > MOST_YEARS:
            raise out_of_range("from", f"a report is of {MOST_YEARS} years at most")
        task = jobs.ReportTask(office.settings, now, first, last)
        return Report.model_validate(await desk.job(jobs.report, task))

    app.get(
        f"{PREFIX}reports",
        responses=problems(409),
        dependencies=ALLOWED,
        operation_id="report",
        summary="Report figures",
    )(show)

"""The billing system's door: feeds and payments, and what the cache holds."""

from collections import Counter
from datetime import datetime
from http import HTTPStatus
from sqlite3 import Connection
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import Field

from smsgw.doors import jobs
from smsgw.doors.api.description import problems
from smsgw.doors.api.desk import Desk, Who, may, out_of_range
from smsgw.doors.api.fields import Asked, CustomerNumber, Json, Moment, Once, Told
from smsgw.doors.api.gate import FEEDS, PREFIX
from smsgw.doors.api.uploads import Uploads
from smsgw.doors.shown.billing import bill_row, customer, state
from smsgw.service.partner import Scope
from smsgw.storage import billing, payments
from smsgw.storage.payments import Outcome, Payment
from smsgw.storage.requests import Answer
from smsgw.web.problem import FieldError, ProblemError

ALLOWED: Final = [Depends(may(Scope.BILLING))]
LOOKING: Final = [Depends(may(Scope.BILLING, Scope.LOOKUPS))]
TOMORROW: Final = 24 * 3600.0

Kind = Literal["snapshot", "delta"]


class Taken(Told):
    """A feed that was taken."""

    kind: Kind
    as_of: str
    customers: int
    bills: int
    customers_before: int | None
    bills_before: int | None


class NewPayment(Asked):
    """What is left of a bill after somebody paid."""

    customer_number: CustomerNumber
    bill_number: Annotated[str, Field(min_length=1, max_length=40)]
    remaining: Annotated[
        str,
        Field(
            pattern=r"^[0-9]{1,10}(\.[0-9]{1,2})?$",
            description="What is left to pay, in the bill's currency: 0 where it is paid.",
        ),
    ] = "0.00"
    at: Moment | None = Field(None, description="When it was paid; else now.")

    def cents(self) -> int:
        whole, _, hundredths = self.remaining.partition(".")
        return int(whole + hundredths.ljust(2, "0"))


class NewPayments(Asked):
    """Payments, in the order in which they were made."""

    payments: list[NewPayment] = Field(min_length=1, max_length=payments.MOST)


class Named(Told):
    """One of the payments that were sent."""

    index: int = Field(description="Its place, from 0.")
    customer_number: str
    bill_number: str


class Paid(Told):
    """What became of payments."""

    paid: int
    reduced: int
    settled: int = Field(description="Of bills that were paid before.")
    cancelled: list[Named] = Field(description="Of bills that are cancelled: without effect.")
    unknown: list[Named] = Field(
        description="Of bills that the cache doesn't know yet: kept for the next feed."
    )


class FeedTaken(Told):
    """A feed that the cache is made of."""

    as_of: str
    taken_at: str
    kind: Kind
    file: str
    customers: int
    bills: int


class Status(Told):
    """How old the cache is, what it was made of, and what waits in the feed folder."""

    cache: str | None
    as_of: str | None
    age_seconds: int | None
    stale: bool
    customers: int
    bills: int
    feeds: list[FeedTaken]
    importing: str | None = Field(description="The process that imports a feed now.")
    feed_dir: dict[str, Any] | None


class Bill(Told):
    """A bill as the last feed has it."""

    bill_number: str
    issued_on: str | None
    due_on: str | None
    cut_off_on: str | None
    amount: str
    currency: str
    status: Literal["open", "paid", "cancelled"]


class Customer(Told):
    """A customer number with its bills, settled ones too."""

    customer_number: str
    as_of: str | None
    bills: list[Bill]


class Billing:
    """What can be asked of the billing cache."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._office = desk.office
        self._settings = desk.office.settings
        self._uploads = Uploads(self._settings.data_dir)

    async def feed(
        self,
        request: Request,
        who: Who,
        kind: Annotated[Kind, Query(description="The whole state, or changes to it.")],
        as_of: Annotated[
            Moment | None, Query(description="The moment that it tells of; else now.")
        ] = None,
        force: Annotated[
            bool, Query(description="Take it though it loses many customers.")
        ] = False,
        once: Once = None,
    ) -> Response:
        """Take a billing feed whole, or refuse it whole with its wrong lines: CSV in UTF-8 with a
        header, a line a bill. Customers are answered from it within a second."""
        moment = self._office.clock.now() if as_of is None else _seconds("as_of", as_of)
        async with self._uploads.received(request) as upload:
            task = jobs.FeedTask(
                self._settings,
                self._office.clock.now(),
                upload.path,
                kind == "delta",
                moment,
                force,
            )

            async def taken() -> Answer:
                return _feed_answer(await self._desk.job(jobs.feed, task))

            said = {
                "kind": kind,
                "as_of": as_of and as_of.isoformat(),
                "force": force,
                "body": upload.digest,
            }
            return await self._desk.do_apart(self._desk.asked(who, "feed", once, said), taken)

    async def pay(self, body: NewPayments, who: Who, once: Once = None) -> Response:
        """Say of bills what is left to pay. Notices and answers go by that at once, and so does a
        feed that is of an older state than the payment. Told twice it does no harm."""
        now = self._office.clock.now()
        told = [
            Payment(
                one.customer_number,
                one.bill_number,
                one.cents(),
                now if one.at is None else _seconds(f"payments.{place}.at", one.at),
            )
            for place, one in enumerate(body.payments)
        ]
        for place, one in enumerate(told):
            if one.at > now + TOMORROW:
                raise out_of_range(f"payments.{place}.at", "is still to come")

        async def paid() -> Answer:
            await self._office.write(payments.note, told, now)
            found = await self._office.read(payments.pay, self._settings.data_dir, told)
            return Answer(HTTPStatus.OK, _paid(told, found).model_dump())

        return await self._desk.do_apart(self._desk.asked(who, "pay", once, body), paid)

    async def status(self) -> Status:
        """How old the billing data are, and what they were made of."""

        def look(con: Connection, cached: bool) -> Json:
            now = self._office.clock.now()
            return state(con if cached else None, self._settings, now)

        return Status.model_validate(await self._office.read_bills(look))

    async def customer(self, customer_number: CustomerNumber) -> Customer:
        """The bills of a customer number as the cache has them."""

        def look(con: Connection, cached: bool) -> Json | None:
            bills = billing.statement(con, customer_number) if cached else None
            if bills is None:
                return None
            rows = [bill_row(*one) for one in bills]
            as_of = billing.cache_as_of(con)
            return customer(customer_number, as_of, rows, self._settings.timezone)

        found = await self._office.read_bills(look)
        if found is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "the billing data have no such customer")
        return Customer.model_validate(found)


def add(app: FastAPI, desk: Desk) -> None:
    """Add the routes."""
    doing = Billing(desk)
    csv: dict[str, Any] = {
        "requestBody": {
            "required": True,
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    }
    app.post(
        FEEDS, status_code=201, response_model=Taken, responses=problems(409), openapi_extra=csv,
        dependencies=ALLOWED, operation_id="take_feed", summary="Take a billing feed",
    )(doing.feed)  # fmt: skip
    app.post(
        f"{PREFIX}billing/payments", response_model=Paid, responses=problems(409),
        dependencies=ALLOWED, operation_id="pay", summary="Tell of payments",
    )(doing.pay)  # fmt: skip
    app.get(
        f"{PREFIX}billing/status", dependencies=ALLOWED, operation_id="billing_status",
        summary="Show the state of the billing data",
    )(doing.status)  # fmt: skip
    app.get(
        f"{PREFIX}billing/customers/{{customer_number}}", responses=problems(404),
        dependencies=LOOKING, operation_id="show_bills", summary="Show a customer's bills",
    )(doing.customer)  # fmt: skip


def _seconds(field: str, moment: datetime) -> float:
    if not 1970 < moment.year < 9999:
        raise out_of_range(field, f"{moment.year} is no year that is meant")
    return moment.timestamp()


def _feed_answer(report: Json) -> Answer:
    """What is answered for a feed: 422 where it was refused, with its wrong lines."""
    if report.pop("verdict") == "taken":
        return Answer(HTTPStatus.CREATED, report)
    wrong = [
        FieldError(field=f"line {one['line']}", detail=one["reason"])
        for one in report.get("first_wrong_lines", ())
    ]
    raise ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.CONFLICT,
        report["reason"],
        word="refused",
        errors=wrong,
    )


def _paid(told: list[Payment], found: list[Outcome]) -> Paid:
    count = Counter(found)

    def named(outcome: Outcome) -> list[Named]:
        return [
            Named(index=place, customer_number=one[0], bill_number=one[1])
            for place, (one, its) in enumerate(zip(told, found, strict=True))
            if its is outcome
        ]

    return Paid(
        paid=count[Outcome.PAID],
        reduced=count[Outcome.REDUCED],
        settled=count[Outcome.SETTLED],
        cancelled=named(Outcome.CANCELLED),
        unknown=named(Outcome.UNKNOWN),
    )

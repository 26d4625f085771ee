"""Registrations over HTTP: made, seen and ended by partners."""

from http import HTTPStatus
from sqlite3 import Connection
from typing import Annotated, Final

from fastapi import Depends, FastAPI, Query, Response
from pydantic import Field

from smsgw.doors.api.description import problems
from smsgw.doors.api.desk import Desk, Who, may, wrong
from smsgw.doors.api.fields import (
    After,
    Asked,
    CarrierId,
    CustomerNumber,
    Id,
    Limit,
    Once,
    Page,
    Phone,
    Told,
)
from smsgw.doors.api.gate import PREFIX
from smsgw.doors.shown.times import iso, iso_or_none
from smsgw.service.customer import SubscriptionState
from smsgw.service.message import Channel, Script
from smsgw.service.partner import Partner, Scope
from smsgw.settings import derive
from smsgw.storage import registry, subscriptions
from smsgw.storage.registration import RegistrationRefusedError, Request, register
from smsgw.storage.requests import Answer
from smsgw.storage.subscriptions import Record
from smsgw.web.problem import ProblemError

ALLOWED: Final = [Depends(may(Scope.REGISTRATIONS))]


class NewRegistration(Asked):
    """A phone that wants to be registered for a customer number."""

    msisdn: Phone
    customer_number: CustomerNumber
    carrier: CarrierId | None = Field(
        None, description="The phone's carrier, where it is known; else its first digits say."
    )
    script: Script | None = Field(None, strict=False, description="What it is written to in.")
    channel: Channel | None = Field(
        None, strict=False, description="The key's own channel, where it is said at all."
    )


class Registration(Told):
    """A phone registered for a customer number, with what has become of that."""

    id: int
    msisdn: str
    customer_number: str
    state: SubscriptionState
    carrier: str | None
    script: Script
    channel: Channel
    requested_at: str
    activated_at: str | None
    ended_at: str | None
    suspect_at: str | None = Field(
        description="Since when its carrier says that the phone is not its own."
    )


class Registered(Registration):
    """What became of a request to register."""

    created: bool = Field(description="false: the phone was registered for it already.")
    changed: list[str] = Field(description="Of one that was there: carrier, script.")
    confirmation: bool = Field(description="Whether a message to the phone is on its way.")


def add(app: FastAPI, desk: Desk) -> None:
    """Add the routes."""
    office = desk.office
    settings, timezone = office.settings, office.settings.timezone
    rules = office.policy.rules
    encodings = office.policy.encodings
    ranges = derive.number_ranges(settings)

    def told(record: Record) -> Registration:
        one = record.subscription
        return Registration(
            id=record.id,
            msisdn=one.msisdn.digits,
            customer_number=one.customer_number,
            state=one.state,
            carrier=one.carrier,
            script=one.script,
            channel=one.channel,
            requested_at=iso(one.requested_at, timezone),
            activated_at=iso_or_none(record.activated_at, timezone),
            ended_at=iso_or_none(record.ended_at, timezone),
            suspect_at=iso_or_none(one.suspect_at, timezone),
        )

    async def make(body: NewRegistration, who: Who, once: Once = None) -> Response:
        """Register a phone: active at once if the billing cache knows the number, else with the
        next feed that does. Being registered already is no error."""
        if body.channel not in (None, who.channel):
            raise wrong(
                "channel",
                f"the key {who.name!r} registers by {who.channel} only",
                "channel",
                HTTPStatus.FORBIDDEN,
            )
        if body.carrier is not None and body.carrier not in settings.carriers:
            raise wrong("carrier", f"must be one of {', '.join(settings.carriers)}")
        request = Request(
            body.msisdn,
            body.customer_number,
            body.carrier,
            body.script,
            who.channel,
            usual_carrier=ranges.carrier(body.msisdn),
        )
        author = desk.author(who)

        def registered(con: Connection) -> Answer:
            try:
                done = register(con, office.cached, request, rules, encodings, author)
            except RegistrationRefusedError as error:
                raise ProblemError(
                    HTTPStatus.CONFLICT, str(error), word=error.reason.value
                ) from None
            record = registry.live(con, request.msisdn, request.customer_number)
            assert record is not None
            answer = Registered(
                **told(record).model_dump(),
                created=done.made,
                changed=list(done.changed),
                confirmation=done.told,
            )
            status = HTTPStatus.CREATED if done.made else HTTPStatus.OK
            return Answer(status, answer.model_dump(mode="json"))

        asked = desk.asked(who, "register", once, body, body.msisdn)
        return await desk.do(asked, registered)

    async def find(
        who: Who,
        msisdn: Phone | None = None,
        customer_number: CustomerNumber | None = None,
        state: Annotated[
            SubscriptionState | None, Query(description="Those pending and active by default.")
        ] = None,
        suspect: Annotated[
            bool, Query(description="Only those whose carrier says that the phone is not its own.")
        ] = False,
        after: After = 0,
        limit: Limit = 50,
    ) -> Page[Registration]:
        """Registrations by id: those of the key's own channel, or all for a customer centre's."""
        channel = None if who.sees_all else who.channel
        which = registry.Which(msisdn, customer_number, state, channel, suspect)
        found = await office.read(registry.page, which, after, limit + 1)
        items = [told(record) for record in found[:limit]]
        return Page(items=items, next=items[-1].id if len(found) > limit else None)

    async def one(id_: Id, who: Who) -> Registration:
        """A registration."""
        record = await office.read(registry.one, id_)
        return told(_theirs(record, who))

    async def end(id_: Id, who: Who, once: Once = None) -> Response:
        """End a registration; the phone is not told. One that has ended stays as it is."""
        record = _theirs(await office.read(registry.one, id_), who)
        author = desk.author(who)

        def stopped(con: Connection) -> Answer:
            now = registry.one(con, id_)
            if now is not None and now.ended_at is None:
                subscriptions.end(con, *now.subscription[:2], author)
            return Answer(HTTPStatus.NO_CONTENT, {})

        asked = desk.asked(who, "end", once, {"id": id_}, record.subscription.msisdn)
        return await desk.do(asked, stopped)

    path = f"{PREFIX}registrations"
    made = {200: {"model": Registered, "description": "It was there already"}, **problems(409)}
    app.post(
        path, status_code=201, response_model=Registered, responses=made, dependencies=ALLOWED,
        operation_id="register", summary="Register a phone",
    )(make)  # fmt: skip
    app.get(
        path, dependencies=ALLOWED, operation_id="list_registrations", summary="List registrations"
    )(find)
    app.get(
        path + "/{id_}", responses=problems(404), dependencies=ALLOWED,
        operation_id="show_registration", summary="Show a registration",
    )(one)  # fmt: skip
    app.delete(
        path + "/{id_}", status_code=204, responses=problems(404, 409), dependencies=ALLOWED,
        operation_id="end_registration", summary="End a registration",
    )(end)  # fmt: skip


def _theirs(record: Record | None, who: Partner) -> Record:
    """One that a partner may see: of another's it isn't even said that it is there."""
    if record is None or not (who.sees_all or record.subscription.channel is who.channel):
        raise ProblemError(HTTPStatus.NOT_FOUND, "there is no such registration")
    return record

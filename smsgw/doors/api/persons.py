"""Look-ups for clerks, and a person's data: told, exported, erased."""

from http import HTTPStatus
from sqlite3 import Connection
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Query, Response
from pydantic import ConfigDict, Field

from smsgw.doors import jobs
from smsgw.doors.api.description import problems
from smsgw.doors.api.desk import Desk, Who, may, out_of_range
from smsgw.doors.api.fields import CustomerNumber, Json, Once, Phone, Told
from smsgw.doors.api.gate import PREFIX
from smsgw.doors.shown import person
from smsgw.doors.shown.events import as_row
from smsgw.doors.shown.times import iso
from smsgw.service.partner import Scope
from smsgw.service.record import Ways, outlook
from smsgw.storage import timeline
from smsgw.storage.database import one_moment
from smsgw.storage.requests import Answer
from smsgw.storage.timeline import Event
from smsgw.web.problem import ProblemError

LOOKING: Final = [Depends(may(Scope.LOOKUPS))]
PERSONAL: Final = [Depends(may(Scope.PERSONS))]
MOST_EVENTS: Final = 1000


class Happened(Told):
    """One thing that happened; which other fields there are depends on `what`."""

    model_config = ConfigDict(extra="allow")

    at: str
    what: str
    msisdn: str | None = Field(description="Masked, unless it is asked for in full.")


class Timeline(Told):
    """What happened to a phone or a customer number, the oldest first."""

    events: list[Happened]
    left_out: int = Field(description="Earlier ones.")


class Person(Told):
    """All that is stored about a person."""

    msisdn: str
    stopped_at: str | None
    subscriptions: list[dict[str, Any]]
    audit: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    notices: list[dict[str, Any]]
    evidence: list[dict[str, Any]]
    receipts: list[dict[str, Any]]
    requests: list[dict[str, Any]]


class Erased(Told):
    """What was removed, or emptied."""

    registrations: int
    messages_in: int
    messages_out: int
    on_the_way: int = Field(description="Of those out: they end without a name.")
    notices: int
    audit: int = Field(description="Entries that have no name any more.")
    others: int = Field(description="Texts of others that named the phone.")


class Persons:
    """What can be asked about people."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._office = desk.office
        self._settings = desk.office.settings
        policy = desk.office.policy
        self._ways = Ways(policy.encodings, policy.losses.resend)

    async def timeline(
        self,
        who: Who,
        msisdn: Phone | None = None,
        customer_number: CustomerNumber | None = None,
        last: Annotated[int, Query(ge=1, le=MOST_EVENTS)] = 100,
        full: Annotated[
            bool, Query(description="Phones in full: needs the scope persons.")
        ] = False,
    ) -> Timeline:
        """One timeline of a phone or a customer number, as `smsgw explain` has it: messages,
        decisions, states, receipts, and who changed what. One of the two must be named."""
        if msisdn is None and customer_number is None:
            raise out_of_range("msisdn", "name a phone or a customer number")
        if full and Scope.PERSONS not in who.scopes:
            raise ProblemError(
                HTTPStatus.FORBIDDEN, "phones in full need the scope persons", word="scope"
            )
        keyed = self._office.policy.keyed

        def read(con: Connection) -> list[Event]:
            with one_moment(con):
                return timeline.of(con, msisdn, customer_number, keyed)

        events = await self._office.read(read)
        shown = events[-last:]
        rows = [self._row(one, full) for one in shown]
        return Timeline(
            events=[Happened.model_validate(row) for row in rows],
            left_out=len(events) - len(shown),
        )

    def _row(self, event: Event, full: bool) -> Json:
        zone, then = self._settings.timezone, ""
        if event.message is not None and event.segment is not None and event.current:
            now = self._office.clock.now()
            then = outlook(event.message, event.segment, self._ways, now, lambda at: iso(at, zone))
        return dict(as_row(event, zone, then, full=full))

    async def export(self, msisdn: Phone) -> Person:
        """All that is stored about a person."""
        keyed, zone = self._office.policy.keyed, self._settings.timezone
        found = await self._office.read(person.export, msisdn, keyed, zone)
        if found is None:
            raise _nobody()
        return Person.model_validate(found)

    async def erase(self, msisdn: Phone, who: Who, once: Once = None) -> Response:
        """Erase a person: the phone, its texts and its registrations. Counts, and the digests that
        prove what was sent, stay; so does a stop."""
        author = self._desk.author(who)
        task = jobs.EraseTask(self._settings, author.now, msisdn, author.origin)

        async def erased() -> Answer:
            done = await self._desk.job(jobs.erase, task)
            if not any(done.values()):
                raise _nobody()
            return Answer(HTTPStatus.OK, done)

        # Nothing of it is noted with the phone: that is what is to be gone.
        asked = self._desk.asked(who, "erase", once, {"msisdn": msisdn.digits})
        return await self._desk.do_apart(asked, erased)


def add(app: FastAPI, desk: Desk) -> None:
    """Add the routes."""
    persons = Persons(desk)
    app.get(
        f"{PREFIX}timeline", responses=problems(409), dependencies=LOOKING,
        operation_id="timeline", summary="Tell what happened",
    )(persons.timeline)  # fmt: skip
    path = f"{PREFIX}persons/{{msisdn}}"
    app.get(
        path, responses=problems(404), dependencies=PERSONAL,
        operation_id="export_person", summary="Export a person's data",
    )(persons.export)  # fmt: skip
    app.delete(
        path, response_model=Erased, responses=problems(404, 409), dependencies=PERSONAL,
        operation_id="erase_person", summary="Erase a person",
    )(persons.erase)  # fmt: skip


def _nobody() -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, "nothing is known of this phone")

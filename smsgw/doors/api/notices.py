"""Runs of notices over HTTP: planned, made, watched and stopped; and announcements."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from http import HTTPStatus
from sqlite3 import Connection
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, FastAPI, Query, Response
from pydantic import Field

from smsgw.doors import jobs
from smsgw.doors.api.description import problems
from smsgw.doors.api.desk import Desk, Who, may, out_of_range
from smsgw.doors.api.fields import (
    LARGEST_ID,
    Asked,
    CustomerNumber,
    Day,
    Id,
    Json,
    Limit,
    Once,
    Page,
)
from smsgw.doors.api.gate import PREFIX
from smsgw.doors.api.notice_models import Cancelled, Made, Plan, Run, RunLine
from smsgw.doors.shown import runs as shown
from smsgw.doors.shown.times import iso
from smsgw.service.notices import NoticeKind
from smsgw.service.partner import Partner, Scope
from smsgw.storage import run_records, runs
from smsgw.storage.requests import Answer
from smsgw.storage.runs import Order, RunRefusedError
from smsgw.web.problem import ProblemError

ALLOWED: Final = [Depends(may(Scope.NOTICES))]
FAR: Final = timedelta(days=366)  # a day further off is a mistake

Kind = Literal["overdue", "disconnection"]
By = Annotated[
    str | None,
    Field(
        min_length=1, max_length=100, pattern=r"\S", description="Who says so; else the key's name."
    ),
]
Said = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


class NewRun(Asked):
    """A run that is wanted."""

    kind: Kind
    date_: Day | None = Field(None, alias="date", description="The day it is for; else today.")
    force: bool = Field(False, description="Without the hold: needs a reason.")
    by: By = None
    reason: Said | None = None


class NewAnnouncement(Asked):
    """One text to the phones of a list of customer numbers."""

    text: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S")]
    customer_numbers: list[CustomerNumber] = Field(min_length=1, max_length=10_000)
    plan: bool = Field(False, description="Show to how many it would go, and send nothing.")
    by: By = None


class Confirmation(Asked):
    """Who lets a held run go, and why."""

    by: By = None
    reason: Said


class Stopping(Asked):
    """Who stops a run, or lets it go on, and why."""

    by: By = None
    reason: Said | None = None


Answers = dict[int | str, dict[str, Any]]
Doing = Callable[[Connection, int, str, str, float], None]  # an order of storage.runs


class Notices:
    """What can be asked of notices."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._office = desk.office
        self._settings = desk.office.settings
        self._rules = desk.office.policy.notices
        self._written = partial(iso, timezone=self._settings.timezone)

    def _day_of(self, day: date | None, now: float) -> date:
        today = self._rules.calendar.day(now)
        if day is not None and abs(day - today) > FAR:
            raise out_of_range("date", f"{day} is more than a year away")
        return day or today

    async def plan(
        self,
        kind: Kind,
        day: Annotated[Day | None, Query(alias="date", description="Else today.")] = None,
    ) -> Plan:
        """What a run would hold: how many, over which carriers, at what cost, with sample texts,
        and who is left out and why. None is made."""
        now = self._office.clock.now()
        task = jobs.NoticeTask(self._settings, now, NoticeKind(kind), self._day_of(day, now))
        return Plan.model_validate(await self._desk.job(jobs.notices, task))

    async def make(self, body: NewRun, who: Who, once: Once = None) -> Response:
        """Make a run of all who are to be noticed and that no earlier run has. The daemon sends it:
        at once inside the hours, else at the next opening. A run that is too large is held."""
        now = self._office.clock.now()
        day = self._day_of(body.date_, now)
        if day < self._rules.calendar.day(now):
            raise out_of_range("date", f"{day} is past")
        if body.force and body.reason is None:
            raise out_of_range("reason", "a run that is forced needs a reason")
        order = Order(_signed(body.by, who), body.reason or "", force=body.force)
        task = jobs.NoticeTask(self._settings, now, NoticeKind(body.kind), day, order)

        async def made() -> Answer:
            return _made(await self._desk.job(jobs.notices, task))

        return await self._desk.do_apart(self._desk.asked(who, "run", once, body), made)

    async def announce(self, body: NewAnnouncement, who: Who, once: Once = None) -> Response:
        """Send one text to the phones registered for a list of customer numbers: a planned outage,
        say. It is a run like that of notices; the same text on the same day goes only to those who
        have not had it."""
        order = None if body.plan else Order(_signed(body.by, who))
        numbers = tuple(body.customer_numbers)
        task = jobs.AnnouncementTask(
            self._settings, self._office.clock.now(), body.text, numbers, order
        )

        async def made() -> Answer:
            return _made(await self._desk.job(jobs.announcement, task))

        return await self._desk.do_apart(self._desk.asked(who, "announce", once, body), made)

    async def find(
        self,
        limit: Limit = 20,
        before: Annotated[
            int, Query(ge=1, le=LARGEST_ID, description="`next` of the page before this one.")
        ] = LARGEST_ID,
    ) -> Page[RunLine]:
        """Runs, the last first."""
        found = await self._office.read(run_records.find, limit + 1, before)
        items = [RunLine.model_validate(shown.line(one, self._written)) for one in found[:limit]]
        return Page(items=items, next=items[-1].run if len(found) > limit else None)

    async def _seen(self, run: int) -> Json:
        def look(con: Connection, _cached: bool) -> Json | None:
            now = self._office.clock.now()
            return shown.look(con, self._settings, run, now, self._written)

        found = await self._office.read_bills(look)
        if found is None:
            raise _unknown(run)
        return found

    async def one(self, run: Id) -> Run:
        """A run: how far it is, what became of its messages, when it will be done, who is left."""
        return Run.model_validate(await self._seen(run))

    async def _ordered(
        self, run: int, order: Doing, by: str | None, reason: str | None, who: Partner
    ) -> Run:
        now = self._office.clock.now()
        try:
            await self._office.write(order, run, _signed(by, who), reason or "", now)
        except RunRefusedError as error:
            await self._seen(run)
            raise ProblemError(HTTPStatus.CONFLICT, str(error), word="refused") from None
        self._office.queued()
        return await self.one(run)

    async def confirm(self, run: Id, body: Confirmation, who: Who) -> Run:
        """Let a held run go."""
        return await self._ordered(run, runs.confirm, body.by, body.reason, who)

    async def pause(self, run: Id, body: Stopping, who: Who) -> Run:
        """Send nothing more of a run, until it is resumed."""
        return await self._ordered(run, runs.pause, body.by, body.reason, who)

    async def resume(self, run: Id, body: Stopping, who: Who) -> Run:
        """Go on with a paused run."""
        return await self._ordered(run, runs.resume, body.by, body.reason, who)

    async def cancel(self, run: Id, body: Stopping, who: Who) -> Cancelled:
        """Send nothing more of a run, ever. Who was not noticed yet may be by another run."""
        await self._seen(run)
        task = jobs.CancelTask(
            self._settings, self._office.clock.now(), run, _signed(body.by, who), body.reason or ""
        )
        done = await self._desk.job(jobs.cancel, task)
        return Cancelled(run=run, **done)


def add(app: FastAPI, desk: Desk) -> None:
    """Add the routes."""
    notices = Notices(desk)
    base = f"{PREFIX}notices"
    nobody: Answers = {200: {"model": Made, "description": "Nobody to tell, or only a plan"}}
    app.get(
        f"{base}/plan",
        responses=problems(409),
        dependencies=ALLOWED,
        operation_id="plan_notices",
        summary="Plan a run",
    )(notices.plan)
    app.get(
        f"{base}/runs", dependencies=ALLOWED, operation_id="list_runs", summary="List runs"
    )(notices.find)  # fmt: skip
    app.post(
        f"{base}/runs", status_code=201, response_model=Made, dependencies=ALLOWED,
        responses={**nobody, **problems(409)},
        operation_id="make_run", summary="Make a run",
    )(notices.make)  # fmt: skip
    app.post(
        f"{PREFIX}announcements", status_code=201, response_model=Made, dependencies=ALLOWED,
        responses={**nobody, **problems(409)},
        operation_id="announce", summary="Announce something",
    )(notices.announce)  # fmt: skip
    app.get(
        f"{base}/runs/{{run}}", responses=problems(404), dependencies=ALLOWED,
        operation_id="show_run", summary="Show a run",
    )(notices.one)  # fmt: skip
    for order in (notices.confirm, notices.pause, notices.resume, notices.cancel):
        app.post(
            f"{base}/runs/{{run}}/{order.__name__}", responses=problems(404, 409),
            dependencies=ALLOWED, operation_id=f"{order.__name__}_run",
            summary=f"{order.__name__.capitalize()} a run",
        )(order)  # fmt: skip


def _signed(by: str | None, who: Partner) -> str:
    """Who an order is by: whoever the partner names, and the partner."""
    return who.name if by is None else f"{by} ({who.name})"


def _unknown(run: int) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, f"there is no run {run}")


def _made(found: Json) -> Answer:
    """What is answered for a run that was to be made; 200 where there is none."""
    if found.get("refusal"):
        raise ProblemError(HTTPStatus.CONFLICT, found["refusal"], word="refused")
    made = Made.model_validate({"run": None, "state": None, **found})
    status = HTTPStatus.OK if made.run is None else HTTPStatus.CREATED
    return Answer(status, made.model_dump(mode="json"))

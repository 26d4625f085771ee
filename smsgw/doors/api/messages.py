"""Messages over HTTP: sent by partners, and what became of them."""

from http import HTTPStatus
from sqlite3 import Connection
from typing import Annotated, Final, Literal

from fastapi import Depends, FastAPI, Query, Response
from pydantic import Field

from smsgw.doors.api.description import problems
from smsgw.doors.api.desk import Desk, Who, may, wrong
from smsgw.doors.api.fields import (
    After,
    Asked,
    CarrierId,
    Id,
    Limit,
    Once,
    Page,
    Phone,
    Told,
)
from smsgw.doors.api.gate import PREFIX
from smsgw.doors.shown.times import iso, iso_or_none
from smsgw.service.masking import masked
from smsgw.service.partner import Partner, Scope
from smsgw.service.record import MessageRecord, SegmentRecord
from smsgw.settings import derive
from smsgw.storage import queue, requests, sending
from smsgw.storage.requests import Answer
from smsgw.web.problem import ProblemError

LONGEST_TEXT: Final = 1000  # characters: more parts than anybody pays for

ALLOWED: Final = [Depends(may(Scope.MESSAGES))]
LOOKING: Final = [Depends(may(Scope.LOOKUPS))]
EITHER: Final = [Depends(may(Scope.MESSAGES, Scope.LOOKUPS))]

Kind = Literal["code", "answer", "confirmation", "manual", "notice", "announcement"]
State = Literal["queued", "waiting", "claimed", "accepted", "unknown", "held"]


class NewMessage(Asked):
    """One message to a phone."""

    msisdn: Phone
    text: str = Field(
        min_length=1,
        max_length=LONGEST_TEXT,
        pattern=r"\S",
        description="At most as many parts long as replies.max_parts says.",
    )
    carrier: CarrierId | None = Field(
        None, description="Else that of the phone's registrations, else by its first digits."
    )


class Sent(Told):
    """A message that is queued: it goes out as soon as its carrier has a place for it."""

    id: int
    carrier: str
    parts: int
    encoding: Literal["gsm7", "ucs2"]


class Segment(Told):
    """One part of a message, as it stands."""

    part: int
    state: str
    attempts: int
    sent_at: str | None = Field(description="The last time.")
    changed_at: str
    message_id: str | None = Field(description="The carrier's id.")
    receipt: str | None
    error: str | None


class Message(Told):
    """A message to a phone, and what became of it. Of what is erased or no longer kept, null."""

    id: int
    kind: Kind
    state: str
    carrier: str
    msisdn: str | None = Field(description="Masked, unless the key has the scope persons.")
    text: str | None
    created_at: str
    valid_until: str
    segments: list[Segment]


def add(app: FastAPI, desk: Desk) -> None:
    """Add the routes."""
    office = desk.office
    settings, timezone = office.settings, office.settings.timezone
    ranges = derive.number_ranges(settings)

    def told(one: MessageRecord, who: Partner) -> Message:
        full = Scope.PERSONS in who.scopes
        phone, text = one.msisdn, one.text
        return Message(
            id=one.id,
            kind=one.kind.name.lower(),
            state=one.shown,
            carrier=one.carrier,
            msisdn=phone and (phone.digits if full else str(phone)),
            text=text if full or text is None else masked(text),
            created_at=iso(one.created_at, timezone),
            valid_until=iso(one.valid_until, timezone),
            segments=[segment(part) for part in one.segments],
        )

    def segment(one: SegmentRecord) -> Segment:
        return Segment(
            part=one.part,
            state=one.shown,
            attempts=one.attempts,
            sent_at=iso_or_none(one.claimed_at, timezone),
            changed_at=iso(one.changed_at, timezone),
            message_id=one.message_id,
            receipt=one.receipt,
            error=one.error,
        )

    async def send(body: NewMessage, who: Who, once: Once = None) -> Response:
        """Send one message by hand. It goes out at any hour."""
        if body.carrier is not None and body.carrier not in settings.carriers:
            raise wrong("carrier", f"must be one of {', '.join(settings.carriers)}")
        request = sending.Request(body.msisdn, body.text, body.carrier, ranges.carrier(body.msisdn))

        def sent(con: Connection) -> Answer:
            try:
                done = sending.send(
                    con,
                    request,
                    office.policy.encodings,
                    settings.replies.max_parts,
                    office.clock.now(),
                )
            except sending.SendRefusedError as error:
                raise wrong(error.field, str(error), "not_sent", HTTPStatus.CONFLICT) from None
            return Answer(HTTPStatus.CREATED, done._asdict(), mt=done.id)

        asked = desk.asked(who, "send", once, body, body.msisdn)
        return await desk.do(asked, sent)

    async def find(
        who: Who,
        state: Annotated[
            State | None, Query(description="All that are on their way but not accepted, else.")
        ] = None,
        carrier: Annotated[str | None, Query(max_length=32)] = None,
        after: After = 0,
        limit: Limit = 50,
    ) -> Page[Message]:
        """Messages on their way, the oldest first."""
        states = queue.ON_THEIR_WAY if state is None else (state,)
        which = queue.Filter(states, carrier)
        found = await office.read(queue.find, which, limit, after)
        items = [told(one, who) for one in found.messages]
        return Page(items=items, next=items[-1].id if found.more else None)

    async def one(id_: Id, who: Who) -> Message:
        """A message: one that the key itself has sent, or any for who may look things up."""
        mine = Scope.LOOKUPS in who.scopes or await office.read(requests.made, who.id, id_)
        found = await office.read(queue.records, [id_]) if mine else []
        if not found:
            raise ProblemError(HTTPStatus.NOT_FOUND, "there is no such message")
        return told(found[0], who)

    path = f"{PREFIX}messages"
    app.post(
        path, status_code=201, response_model=Sent, responses=problems(409), dependencies=ALLOWED,
        operation_id="send", summary="Send a message",
    )(send)  # fmt: skip
    app.get(
        path,
        dependencies=LOOKING,
        operation_id="list_messages",
        summary="List messages on their way",
    )(find)
    app.get(
        path + "/{id_}", responses=problems(404), dependencies=EITHER,
        operation_id="show_message", summary="Show a message",
    )(one)  # fmt: skip

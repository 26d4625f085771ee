"""Where requests that were let in are carried out: who may ask for what, and once each."""

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from sqlite3 import Connection
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from smsgw.doors.api.fields import Json
from smsgw.doors.api.gate import PARTNER
from smsgw.doors.jobs import Done
from smsgw.doors.office import Office
from smsgw.service.message import Msisdn
from smsgw.service.partner import Partner, Scope
from smsgw.service.ports import StorageUnavailableError
from smsgw.storage import requests
from smsgw.storage.audit import Author, Origin
from smsgw.storage.requests import Answer, RepeatedError
from smsgw.web.problem import PROBLEM, FieldError, ProblemError, described

Task = TypeVar("Task")

REPLAYED: Final = {"Idempotent-Replayed": "true"}


def _who(request: Request) -> Partner:
    partner: Partner = request.scope[PARTNER]
    return partner


Who = Annotated[Partner, Depends(_who)]


def may(*scopes: Scope) -> Callable[[Request], None]:
    """A dependency of routes for keys that have one of `scopes`."""

    def allowed(request: Request) -> None:
        partner = _who(request)
        if not partner.scopes.intersection(scopes):
            wanted = " or ".join(scopes)
            raise ProblemError(
                HTTPStatus.FORBIDDEN,
                f"the key {partner.name!r} has not the scope {wanted}",
                word="scope",
            )

    return allowed


def wrong(field: str, detail: str, word: str = "field", status: int = 422) -> ProblemError:
    """What is answered where one field is in the way."""
    return ProblemError(status, detail, word=word, errors=[FieldError(field=field, detail=detail)])


def out_of_range(field: str, detail: str) -> ProblemError:
    """What is answered where a field fits its description, and can't be taken all the same."""
    return wrong(field, detail, "out_of_range", HTTPStatus.CONFLICT)


class Desk:
    """Carries out requests of partners."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self._under_way: set[int] = set()

    def author(self, partner: Partner) -> Author:
        """With what changes are signed that a partner asks for."""
        origin = Origin(partner.channel, partner.name)
        return Author(self.office.policy.keyed, origin, self.office.clock.now())

    def asked(
        self,
        partner: Partner,
        operation: str,
        once: str | None,
        said: BaseModel | Json,
        about: Msisdn | None = None,
    ) -> requests.Asked:
        """A request as it is noted. `about` is the phone that it is about."""
        keyed = self.office.policy.keyed
        words = json.dumps(said if isinstance(said, dict) else said.model_dump(mode="json"))
        return requests.Asked(
            self.office.clock.now(),
            partner.id,
            operation,
            once,
            keyed.digest("request", operation, words),
            None if about is None else requests.person(keyed, about),
        )

    async def do(self, asked: requests.Asked, effect: Callable[[Connection], Answer]) -> Response:
        """Have `effect` done in one transaction, once; a ProblemError of its own is an answer."""
        try:
            done = await self.office.write(requests.carry_out, asked, _refusable(effect))
        except RepeatedError as error:
            raise _repeated(error) from None
        self.office.queued()
        return _response(done)

    async def do_apart(
        self, asked: requests.Asked, work: Callable[[], Awaitable[Answer]]
    ) -> Response:
        """Have what takes longer than a transaction done, once. It must do no harm where it is done
        twice: cut off by a crash, it is begun anew when it is asked for again."""
        write = self.office.write
        try:
            begun = await write(requests.begin, asked, frozenset(self._under_way))
        except RepeatedError as error:
            raise _repeated(error) from None
        if isinstance(begun, Answer):
            return _response(begun)
        self._under_way.add(begun)
        try:
            answer = await self._worked(work, begun)
            await write(requests.end, begun, answer)
        finally:
            self._under_way.discard(begun)
        self.office.queued()
        return _response(answer)

    async def _worked(self, work: Callable[[], Awaitable[Answer]], begun: int) -> Answer:
        try:
            return await work()
        except ProblemError as error:
            return refused(error)
        except Exception:  # nothing came of it: it may be asked for again under the same key
            await self.office.write(requests.give_up, begun)
            raise

    async def job(self, function: Callable[[Task], Done], task: Task) -> Json:
        """What a job of doors.jobs shows. Raises ProblemError where it is refused."""
        done = await self.office.aside(function, task)
        if done.failure:
            raise StorageUnavailableError(done.failure)
        if done.refusal:
            raise ProblemError(HTTPStatus.CONFLICT, done.refusal, word="refused")
        return done.shown


def _refusable(effect: Callable[[Connection], Answer]) -> Callable[[Connection], Answer]:
    """`effect` that leaves nothing where it is refused."""

    def carried_out(con: Connection) -> Answer:
        con.execute("SAVEPOINT effect")
        try:
            answer = effect(con)
        except ProblemError as error:
            con.execute("ROLLBACK TO effect")
            answer = refused(error)
        con.execute("RELEASE effect")
        return answer

    return carried_out


def refused(error: ProblemError) -> Answer:
    """An answer that is a problem."""
    body = described(error).model_dump(exclude_none=True)
    return Answer(error.status_code, body, error.word)


def _repeated(error: RepeatedError) -> ProblemError:
    return wrong("Idempotency-Key", str(error), error.reason, HTTPStatus.CONFLICT)


def _response(answer: Answer) -> Response:
    if answer.status == HTTPStatus.NO_CONTENT:
        return Response(status_code=answer.status, headers=REPLAYED if answer.again else None)
    kind = PROBLEM if answer.status >= HTTPStatus.BAD_REQUEST else None
    headers = REPLAYED if answer.again else None
    return JSONResponse(answer.body, answer.status, headers, media_type=kind)

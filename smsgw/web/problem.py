"""Errors over HTTP as problem details (RFC 9457), those of a request's fields by their names."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match

PROBLEM: Final = "application/problem+json"
UNNAMED: Final = "about:blank"  # of a problem that its status says all about


class FieldError(BaseModel):
    """What is wrong with one field, named by its path: `msisdn`, `payments.3.bill_number`."""

    field: str
    detail: str


class Problem(BaseModel):
    """An error. `type` is `about:blank`, or `urn:smsgw:` with a word for programs."""

    type: str = UNNAMED
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldError] | None = None


class ProblemError(HTTPException):
    """An error to be told: `word` is its type, for programs."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        word: str = "",
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail or None, headers)
        self.word = word
        self.errors = tuple(errors)

    @property
    def problem(self) -> Problem:
        return described(self)


def described(error: HTTPException) -> Problem:
    """The problem that an error is told as."""
    status = HTTPStatus(error.status_code)
    word = errors = None
    if isinstance(error, ProblemError):
        word, errors = error.word, list(error.errors)
    return Problem(
        type=f"urn:smsgw:{word}" if word else UNNAMED,
        title=status.phrase,
        status=status.value,
        detail=error.detail if error.detail != status.phrase else None,
        errors=errors or None,
    )


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The response that tells a problem."""
    body = problem.model_dump(exclude_none=True)
    return JSONResponse(body, problem.status, headers, media_type=PROBLEM)


def answer_with_problems(app: FastAPI, headers: Mapping[str, str]) -> None:
    """Have `app` say every error so; `headers` go with those that no middleware sees any more."""

    async def failure(_request: Request, _error: Exception) -> JSONResponse:
        """What a client learns of an error of ours: the log has the rest."""
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return answer(Problem(title=status.phrase, status=status.value), headers)

    app.add_exception_handler(HTTPException, _refusal)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, failure)


async def _refusal(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_allowed(request))
    return answer(described(error), headers)


def _allowed(request: Request) -> list[str]:
    """The methods that there are for a path: Starlette names those of its first route alone."""
    found = {
        method
        for route in request.app.routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }
    return sorted(found)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """A request that doesn't fit its description: each field that doesn't, by its name."""
    if not isinstance(error, RequestValidationError):
        raise error
    found = [_field_error(one) for one in error.errors()]
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    named = ", ".join(dict.fromkeys(one.field for one in found))
    return answer(described(ProblemError(status, f"look at {named}", word="field", errors=found)))


def _field_error(found: Mapping[str, Any]) -> FieldError:
    if found["type"] == "json_invalid":  # its place is one in the text
        return FieldError(field="body", detail=f"is no JSON: {found['ctx']['error']}")
    return FieldError(field=_field(found["loc"]), detail=found["msg"].removeprefix("Value error, "))


def _field(place: Sequence[int | str]) -> str:
    """A field's path as the client knows it: without the part of the request that it stands in."""
    path = place[1:] if place and place[0] in ("body", "query", "path", "header") else place
    return ".".join(map(str, path)) or "body"

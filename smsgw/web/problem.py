"""Errors over HTTP as problem details (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

PROBLEM: Final = "application/problem+json"


def answer_with_problems(app: FastAPI, headers: Mapping[str, str]) -> None:
    """Have `app` say every error so; `headers` go with those that no middleware sees any more."""

    async def failure(_request: Request, _error: Exception) -> JSONResponse:
        """What a client learns of an error of ours: the log has the rest."""
        return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "", headers)

    app.add_exception_handler(HTTPException, _refusal)
    app.add_exception_handler(Exception, failure)


async def _refusal(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    return _problem(HTTPStatus(error.status_code), error.detail, error.headers or {})


def _problem(status: HTTPStatus, detail: str, headers: Mapping[str, str]) -> JSONResponse:
    body: dict[str, str | int] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
    }
    if detail and detail != status.phrase:
        body["detail"] = detail
    return JSONResponse(body, status.value, headers, media_type=PROBLEM)

"""The API as a part of what `http.listen` serves."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from smsgw.doors.api import (
    billing,
    description,
    messages,
    notices,
    persons,
    registrations,
    reports,
)
from smsgw.doors.api.desk import Desk
from smsgw.doors.api.gate import Gate, unavailable
from smsgw.doors.office import BusyError, Office
from smsgw.service.ports import StorageUnavailableError
from smsgw.web.problem import ProblemError, answer, described


def api(
    office: Office, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Callable[[FastAPI], None]:
    """What adds the API to an application: its routes, their description, and the gate before
    them, which answers with a `pause` what comes past a bound."""

    def extend(app: FastAPI) -> None:
        desk = Desk(office)
        for noun in (registrations, billing, messages, notices, reports, persons):
            noun.add(app, desk)
        app.add_exception_handler(StorageUnavailableError, _unavailable)
        app.add_exception_handler(BusyError, _busy)
        app.add_middleware(Gate, office=office, pause=pause)
        description.describe(app, office.settings)

    return extend


async def _unavailable(_request: Request, _error: Exception) -> JSONResponse:
    return _told(unavailable())


async def _busy(_request: Request, _error: Exception) -> JSONResponse:
    after = {"Retry-After": "5"}
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return _told(ProblemError(status, "too many wait already", word="busy", headers=after))


def _told(error: ProblemError) -> JSONResponse:
    return answer(described(error), error.headers)

"""Commands on the living process, as an ASGI application: its links, drained and resumed.

It asks for no credentials: it is served on a Unix socket that only the daemon's user can open.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol

from fastapi import FastAPI, HTTPException, Response

from smsgw import __version__
from smsgw.clock import utc
from smsgw.service.ports import LinkState, LinkStatus
from smsgw.web.problem import answer_with_problems

PATIENCE: Final = 45.0  # seconds that a request waits for a drain: within server.LIFETIME


class Fleet(Protocol):
    """What the commands ask of the daemon. An id that isn't a link's raises KeyError."""

    def links(self) -> Sequence[LinkState]:
        """The links of the carriers that are enabled."""

    async def drain(self, carrier: str) -> None:
        """Take a link out; back when nothing is on its way any more and it has unbound.

        Once begun it goes on, also when the caller is cancelled.
        """

    def resume(self, carrier: str) -> None:
        """Have a link bind again; one that isn't drained goes on as it is."""


@dataclass(frozen=True, slots=True)
class CarrierState:
    """A link to a carrier as it stands now."""

    id: str
    name: str
    status: LinkStatus
    since: str  # when this status began, in UTC
    sessions: int  # that are bound
    in_flight: int  # submits without a response
    window: int  # how many there may be, over all sessions
    throughput: float  # submits a second allowed; 0: no limit
    pace: float  # submits a second that the carrier was found to take; 0: nothing limits them
    last_error: str  # why the last session or try ended; empty: none did


def create_control(fleet: Fleet) -> FastAPI:
    """The application. Errors are problem details (RFC 9457)."""
    app = FastAPI(title="smsgw control", version=__version__, openapi_url=None)
    answer_with_problems(app, {})

    async def carriers() -> list[CarrierState]:
        return [_shown(link) for link in fleet.links()]

    async def drain(carrier: str, response: Response) -> CarrierState:
        """202 where the last submits are still waited for: it goes on without the caller."""
        _find(fleet, carrier)
        try:
            async with asyncio.timeout(PATIENCE):
                await fleet.drain(carrier)
        except TimeoutError:
            response.status_code = HTTPStatus.ACCEPTED
        return _find(fleet, carrier)

    async def resume(carrier: str) -> CarrierState:
        _find(fleet, carrier)
        fleet.resume(carrier)
        return _find(fleet, carrier)

    app.get("/carriers")(carriers)
    app.post("/carriers/{carrier:path}/drain")(drain)
    app.post("/carriers/{carrier:path}/resume")(resume)
    return app


def _find(fleet: Fleet, carrier: str) -> CarrierState:
    links = {link.carrier: link for link in fleet.links()}
    if carrier not in links:
        raise HTTPException(
            HTTPStatus.NOT_FOUND,
            f"no carrier {carrier!r} is enabled; there are: {', '.join(links) or 'none'}",
        )
    return _shown(links[carrier])


def _shown(link: LinkState) -> CarrierState:
    fields: dict[str, Any] = link._asdict()
    since = utc(fields.pop("since")).strftime("%Y-%m-%dT%H:%M:%SZ")
    return CarrierState(id=fields.pop("carrier"), since=since, **fields)

"""Who comes in: every request to the API passes here first, before any of its body is read.

Past a bound a request is answered late: who hammers is slowed down, and costs no more than the
connections that the server gives away.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smsgw import metrics
from smsgw.doors import bodies
from smsgw.doors.limits import Bucket, Buckets
from smsgw.doors.office import Office
from smsgw.service.partner import Partner
from smsgw.service.ports import StorageUnavailableError
from smsgw.storage import partners
from smsgw.web.problem import ProblemError, answer, described

PREFIX: Final = "/api/v1/"
DESCRIPTION: Final = "/api/v1/openapi.json"  # who has no key yet may read what there is
PARTNER: Final = "smsgw.partner"  # in the scope: who asks

JSON_OCTETS: Final = 256 * 1024
FEED_OCTETS: Final = 256 * 1024 * 1024
FEEDS: Final = "/api/v1/billing/feeds"
FEED_PATIENCE: Final = 60.0  # seconds for a feed: the server's for a whole connection

AT_ONCE: Final = 32  # requests under way
LATE: Final = 1.0  # seconds after which one is refused that came past a bound
CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="smsgw"'}


class Gate:
    """Lets requests through to the API that have a key and are within their bounds."""

    def __init__(
        self,
        app: ASGIApp,
        office: Office,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._app = app
        self._office = office
        self._pause = pause
        http = office.settings.http
        self._all = Bucket(http.rate_in_all, office.clock.monotonic())
        self._partners = Buckets(http.rate)
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(PREFIX) or path == DESCRIPTION:
            await self._app(scope, receive, send)
            return
        told = _Told(send)
        began = self._office.clock.monotonic()
        try:
            partner = scope[PARTNER] = await self._partner(Headers(scope=scope))
            await self._within_bounds(partner)
            self._under_way += 1
            try:
                await self._app(scope, _body(scope, receive), told)
            finally:
                self._under_way -= 1
        except HTTPException as error:
            headers = dict(error.headers or {}) | (bodies.CLOSE if bodies.expected(scope) else {})
            await answer(described(error), headers)(scope, receive, told)
        finally:
            _count(scope, told.status, self._office.clock.monotonic() - began)

    async def _within_bounds(self, partner: Partner) -> None:
        """Refuse, late, what comes past a bound."""
        now = self._office.clock.monotonic()
        if self._under_way >= AT_ONCE:
            await self._refuse_late("busy", 1.0, HTTPStatus.SERVICE_UNAVAILABLE)
        if wait := self._partners.take(str(partner.id), now, partner.rate):
            await self._refuse_late("rate", wait)
        if wait := self._all.take(now):
            await self._refuse_late("rate_in_all", wait)

    async def _partner(self, headers: Headers) -> Partner:
        """Who asks. Refused without a key that is good."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        detail = "send your key, as in Authorization: Bearer smsgw_…"
        if scheme.lower() == "bearer" and key.strip():
            try:
                found = await self._office.write(
                    partners.find, self._office.policy.keyed, key.strip()
                )
            except StorageUnavailableError as error:
                raise unavailable() from error
            if found is not None and found.revoked_at is None:
                return found
            detail = "this key is revoked" if found else "nobody has this key"
        await self._pause(LATE)
        raise ProblemError(HTTPStatus.UNAUTHORIZED, detail, headers=CHALLENGE)

    async def _refuse_late(
        self, word: str, wait: float, status: int = HTTPStatus.TOO_MANY_REQUESTS
    ) -> None:
        await self._pause(LATE)
        said = {
            "rate": "this key asks more often than it may",
            "rate_in_all": "all keys together ask more often than they may",
            "busy": "too many requests are under way",
        }
        after = {"Retry-After": str(max(round(wait), 1))}
        raise ProblemError(status, said[word], word=word, headers=after)


def unavailable() -> ProblemError:
    """What is answered while the databases can't be used: the log says why."""
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "the database can't be used now: try again",
        word="storage",
        headers={"Retry-After": "5"},
    )


def _body(scope: Scope, receive: Receive) -> Receive:
    """The body of a request, within its bounds. Raises ProblemError for one that says of itself
    that it is too long, or of another kind than is read."""
    feed = scope["path"] == FEEDS
    limit = FEED_OCTETS if feed else JSON_OCTETS
    bodies.refuse_long(scope, limit)
    if bodies.expected(scope):
        bodies.refuse_other(scope, "text/csv" if feed else "application/json")
    return bodies.bounded(receive, limit, FEED_PATIENCE if feed else bodies.PATIENCE)


class _Told:
    """`send` that remembers with which status the answer began."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


def _count(scope: Scope, status: int, seconds: float) -> None:
    """Count a request that was answered: by whom, what, and how it went."""
    partner, route = scope.get(PARTNER), scope.get("route")
    operation = getattr(route, "operation_id", None) or ""
    name = partner.name if partner is not None else ""
    metrics.API_REQUESTS.labels(name, operation, str(status)).inc()
    if operation:
        metrics.API_SECONDS.labels(operation).observe(seconds)

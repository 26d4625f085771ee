"""The pages on `http.listen`, as an ASGI application."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import FastAPI, Header, Response
from fastapi.responses import HTMLResponse
from prometheus_client.exposition import choose_encoder
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smsgw import __version__
from smsgw.metrics import REGISTRY
from smsgw.web.health import Health, Readiness, Status, readiness
from smsgw.web.page import INDEX, POLICY
from smsgw.web.problem import answer_with_problems

_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_app(health: Health, *extensions: Callable[[FastAPI], None]) -> FastAPI:
    """The application; it asks `health` anew at every request for `/readyz`.

    `/readyz` answers 200 or 503 with a `Readiness`; `/healthz` answers as long as the event loop
    turns. Errors are problem details (RFC 9457). Each of `extensions` adds what it serves.
    """
    app = FastAPI(
        title="smsgw",
        version=__version__,
        docs_url=None,  # both pages load their scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        redirect_slashes=False,
    )
    for extend in extensions:
        extend(app)
    app.add_middleware(_SafeHeaders)
    answer_with_problems(app, _HEADERS)

    async def healthz() -> dict[str, str]:
        """The process lives and its event loop turns."""
        return {"status": "ok"}

    async def readyz(response: Response) -> Readiness:
        """Whether storage writes, every carrier in service is bound and the billing data is fresh.

        Customers' messages are answered, as far as they come in, whatever this says.
        """
        verdict = readiness(health.state())
        if verdict.status is not Status.OK:
            response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return verdict

    async def metrics(accept: Annotated[str, Header()] = "") -> Response:
        encode, media_type = choose_encoder(accept)
        return Response(encode(REGISTRY), media_type=media_type)

    async def index() -> HTMLResponse:
        return HTMLResponse(INDEX)

    not_ready: dict[int | str, dict[str, Any]] = {
        503: {"model": Readiness, "description": "Not ready, and why"}
    }
    app.get("/healthz", summary="Liveness")(healthz)
    app.get("/readyz", summary="Readiness", responses=not_ready)(readyz)
    app.get("/metrics", include_in_schema=False)(metrics)
    app.get("/", include_in_schema=False)(index)
    for path, page in (("/healthz", healthz), ("/readyz", readyz), ("/", index)):
        app.head(path, include_in_schema=False)(page)  # what load balancers like to ask
    return app


class _SafeHeaders:
    """Puts the headers that keep browsers careful on every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return send_with_headers

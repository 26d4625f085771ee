"""Serves an ASGI application inside the daemon's own event loop, within bounds.

What a client may cost: one of 100 connections for at most 70 s, 16 KiB of a request's head, and
of a body what uvicorn reads before it waits for the application to ask for more (64 KiB and one
read).
"""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from smsgw.web import unix

CONNECTIONS: Final = 100
BACKLOG: Final = 64
HEAD_OCTETS: Final = 16 * 1024
KEEP_ALIVE: Final = 5  # seconds between two requests
LIFETIME: Final = 60.0  # seconds of a connection, after which it takes no further request
LAST_CALL: Final = 10.0  # seconds more for the request under way
GRACE: Final = 2  # seconds for the responses under way when we stop


class ListenError(OSError):
    """The address can't be listened on; the message names it and says what to do."""


async def serve(
    app: ASGIApp, host: str, port: int, ready: Callable[[int], None], key: str = "http.listen"
) -> None:
    """Serve `app` on `host`:`port` until cancelled; then stop within about three seconds.

    `ready` is called once, with the port (the one the system gave if `port` is 0), when clients
    can connect. Signals stay the caller's. `key` is where the configuration has the address.
    Raises ListenError.
    """
    listener = await _listen(host, port, key)
    await _serve(app, listener, lambda: ready(listener.getsockname()[1]))


async def serve_unix(app: ASGIApp, path: Path, ready: Callable[[], None]) -> None:
    """As `serve`, on a Unix socket at `path`, of mode 0600 and gone at the end.

    A socket that is there is taken to be left over: that nobody serves it is the caller's care.
    """
    try:
        listener = unix.listening(path, BACKLOG)
    except OSError as error:
        raise ListenError(f"can't listen on {path}: {error.strerror}") from error
    try:
        await _serve(app, listener, ready)
    finally:
        unix.remove(path)


async def _serve(app: ASGIApp, listener: socket.socket, ready: Callable[[], None]) -> None:
    server = _Server(_config(app))
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    try:
        ready()
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        try:
            await asyncio.wait({serving}, timeout=GRACE + 1)
        finally:
            serving.cancel()
            server.drop_connections()
            listener.close()


async def _listen(host: str, port: int, key: str) -> socket.socket:
    """One listening socket, on the first IPv4 address of `host`, else on its first."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        raise ListenError(_advice(host, port, key, error)) from error


def _advice(host: str, port: int, key: str, error: OSError) -> str:
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    number = error.errno or 0  # below zero where a name didn't resolve
    reason = os.strerror(number) if number > 0 else error.strerror
    remedy = f"set another {key}"
    if number == errno.EADDRINUSE:
        remedy = f"stop what listens there or {remedy}"
    return f"can't listen on {where}: {reason}; {remedy}"


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Connection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        h11_max_incomplete_event_size=HEAD_OCTETS,
    )


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals to the daemon."""
        yield

    def drop_connections(self) -> None:
        """Cuts those that outlived the grace."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class _Connection(H11Protocol):
    """A connection that ends: uvicorn sets no time for the first request's head, or for a body."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._ends = (
            self.loop.call_later(LIFETIME, self.shutdown),
            self.loop.call_later(LIFETIME + LAST_CALL, transport.abort),
        )

    def connection_lost(self, exc: Exception | None) -> None:
        for end in self._ends:
            end.cancel()
        super().connection_lost(exc)

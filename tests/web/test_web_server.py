"""The HTTP server, through real sockets on loopback."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from smsgw.web import server
from smsgw.web.server import ListenError, serve

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
ENOUGH = 5.0  # seconds after which a test gives up

hello = PlainTextResponse("hello")


class Stuck:
    """Never answers; `asked` is set when a request has come."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        await asyncio.Event().wait()


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[tuple[int, asyncio.Task[None]]]:
    """The port and the task of a server that is stopped at the end."""
    port = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve(app, "127.0.0.1", 0, port.set_result))
    try:
        yield await port, task
    finally:
        await stop(task)


async def stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task}, timeout=ENOUGH)
    assert task.cancelled()


async def exchange(port: int, octets: bytes) -> bytes:
    """All that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(octets)
        return await reader.read(-1)
    finally:
        writer.close()


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(4 * ENOUGH):
            await test()

    asyncio.run(bounded())


def test_announces_the_port_it_was_given_and_answers() -> None:
    async def test() -> None:
        async with serving(hello) as (port, _):
            answer = await exchange(port, LAST_REQUEST)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert answer.endswith(b"\r\n\r\nhello")
            assert b"server:" not in answer.lower()

    run(test)


def test_can_be_had_on_ipv6() -> None:
    async def test() -> None:
        port = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(serve(hello, "::1", 0, port.set_result))
        reader, writer = await asyncio.open_connection("::1", await port)
        writer.write(LAST_REQUEST)
        assert (await reader.read(-1)).endswith(b"hello")
        writer.close()
        await stop(task)

    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 on this machine")
    run(test)


def test_leaves_signals_alone() -> None:
    async def test() -> None:
        before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
        async with serving(hello) as (port, _):
            await exchange(port, LAST_REQUEST)
            assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before

    run(test)


class TestStops:
    def test_and_frees_the_port(self) -> None:
        async def test() -> None:
            async with serving(hello) as (port, _):
                await exchange(port, LAST_REQUEST)
            socket.create_server(("127.0.0.1", port)).close()

        run(test)

    def test_with_an_idle_connection_open(self) -> None:
        async def test() -> None:
            async with serving(hello) as (port, task):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(REQUEST)
                await reader.readuntil(b"hello")
                await stop(task)
                assert await reader.read(-1) == b""
                writer.close()

        run(test)

    def test_with_a_request_that_never_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "GRACE", 0)

        async def test() -> None:
            app = Stuck()
            async with serving(app) as (port, task):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(REQUEST)
                await app.asked.wait()
                await stop(task)
                await reader.read(-1)
                writer.close()

        run(test)

    def test_when_cancelled_twice(self) -> None:
        async def test() -> None:
            app = Stuck()
            async with serving(app) as (port, task):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(REQUEST)
                await app.asked.wait()
                task.cancel()
                await asyncio.sleep(0)
                await stop(task)
                writer.close()

        run(test)

    def test_when_the_caller_fails_on_hearing_the_port(self) -> None:
        async def test() -> None:
            ports: list[int] = []

            def fail(port: int) -> None:
                ports.append(port)
                raise RuntimeError("nobody wanted to know")

            with pytest.raises(RuntimeError, match="nobody wanted to know"):
                await serve(hello, "127.0.0.1", 0, fail)
            socket.create_server(("127.0.0.1", ports[0])).close()

        run(test)


class TestAddressThatCannotBeHad:
    def refusal(self, host: str, port: int) -> str:
        with pytest.raises(ListenError) as refused:
            asyncio.run(serve(hello, host, port, lambda _: None))
        assert isinstance(refused.value, OSError)
        return str(refused.value)

    def test_taken(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as holder:
            port = holder.getsockname()[1]
            assert self.refusal("127.0.0.1", port) == (
                f"can't listen on 127.0.0.1:{port}: Address already in use; "
                "stop what listens there or set another http.listen"
            )

    def test_not_of_this_machine(self) -> None:
        assert self.refusal("192.0.2.1", 8080) == (  # TEST-NET-1, RFC 5737
            "can't listen on 192.0.2.1:8080: Cannot assign requested address; "
            "set another http.listen"
        )

    def test_not_of_this_machine_ipv6(self) -> None:
        assert self.refusal("2001:db8::1", 8080).startswith("can't listen on [2001:db8::1]:8080: ")

    def test_unheard_of(self) -> None:
        message = self.refusal("no host of this name", 8080)
        assert message.startswith("can't listen on no host of this name:8080: ")
        assert message.endswith("; set another http.listen")


class TestBounds:
    def test_head(self) -> None:
        async def test() -> None:
            async with serving(hello) as (port, _):
                long = b"GET /" + b"a" * 2 * server.HEAD_OCTETS
                assert (await exchange(port, long)).startswith(b"HTTP/1.1 400 ")

        run(test)

    @pytest.mark.parametrize(
        "octets",
        [b"\x00\x00\x00\x10\x00\x00\x00\x15\x00\x00\x00\x00", b"\r\r\n\n\n", b"GET\r\n\r\n"],
    )
    def test_what_is_not_http(self, octets: bytes) -> None:
        async def test() -> None:
            async with serving(hello) as (port, _):
                assert (await exchange(port, octets + LAST_REQUEST)).startswith(b"HTTP/1.1 400 ")
                assert (await exchange(port, LAST_REQUEST)).endswith(b"hello")

        run(test)

    def test_body_that_nobody_reads_is_passed_over(self) -> None:
        async def test() -> None:
            async with serving(hello) as (port, _):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                length = 1_000_000
                writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\n")
                writer.write(f"Content-Length: {length}\r\n\r\n".encode() + bytes(length))
                await reader.readuntil(b"hello")
                writer.write(LAST_REQUEST)
                assert (await reader.read(-1)).endswith(b"hello")
                writer.close()

        run(test)

    def test_connections(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "CONNECTIONS", 2)

        async def test() -> None:
            async with serving(hello) as (port, _):
                _, idle = await asyncio.open_connection("127.0.0.1", port)
                assert (await exchange(port, LAST_REQUEST)).startswith(b"HTTP/1.1 503 ")
                idle.close()

        run(test)

    @pytest.mark.parametrize("sent", [b"", b"GET / HT"], ids=["silent", "slow"])
    def test_time_of_a_connection(self, sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "LIFETIME", 0.01)

        async def test() -> None:
            async with serving(hello) as (port, _):
                assert await exchange(port, sent) == b""

        run(test)

    def test_time_of_a_request(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(server, "LIFETIME", 0.01)
        monkeypatch.setattr(server, "LAST_CALL", 0.01)
        monkeypatch.setattr(server, "GRACE", 0)

        async def test() -> None:
            async with serving(Stuck()) as (port, _):
                assert await exchange(port, REQUEST) == b""

        run(test)

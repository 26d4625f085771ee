"""An ESME for the simulator's tests: binds, answers as told, remembers everything."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from smsgw.simulator import Smsc
from smsgw.smpp.codec import Pdu
from smsgw.smpp.names import Command, Status
from smsgw.smpp.session import (
    Answered,
    BindRefused,
    BindRequested,
    Bound,
    Ended,
    Limits,
    Lost,
    Received,
    Role,
    Session,
)

WITHIN = 5.0


class Esme(asyncio.Protocol):
    """Answers each deliver_sm with what `answer` gives for it; None: not at all.

    As the SMSC of a session it takes every bind, and `delivered` is what was submitted.
    """

    def __init__(self, answer: Callable[[Pdu], int | None], role: Role = Role.ESME) -> None:
        self.answer = answer
        self.connected: Callable[[], None] = lambda: None
        self.delivered: list[Pdu] = []
        self.octets = b""  # all that came
        self.heard = asyncio.Event()  # anything
        self.session = Session(role, Limits(), 0.0)
        self.ended = asyncio.Event()
        self.reset = False
        self._bound: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.connected()

    def data_received(self, data: bytes) -> None:
        self.octets += data
        self._take(self.session.receive(data, 0.0))
        self.heard.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.reset = isinstance(exc, ConnectionResetError)
        self._take(self.session.lost(0.0))

    def _take(self, events: list[Any]) -> None:
        for event in events:
            match event:
                case Bound():
                    self._bound.set_result(Status.ROK)
                case BindRefused(refusal):
                    self._bound.set_result(refusal)
                case BindRequested(pdu):
                    self.delivered.append(pdu)
                    self.session.accept_bind(pdu, "gateway", 0.0)
                case Answered(asyncio.Future() as future, pdu):
                    future.set_result(pdu)
                case Lost(asyncio.Future() as future):
                    future.set_result(None)
                case Received(pdu):
                    self.delivered.append(pdu)
                    status = self.answer(pdu)
                    if status is not None:
                        self.session.respond(pdu, status, 0.0)
                case Ended():
                    self.ended.set()
                    if not self._bound.done():
                        self._bound.set_result(-1)
        self.write()

    def write(self) -> None:
        if octets := self.session.take_output():
            self.transport.write(octets)

    async def bind(self, command: int, system_id: str, password: str) -> int:
        """The status of the bind_resp; -1: the connection ended without one."""
        self._bound = asyncio.get_running_loop().create_future()
        self.session.bind(command, 0.0, system_id=system_id, password=password)
        self.write()
        return await asyncio.wait_for(self._bound, WITHIN)

    def post(self, **fields: Any) -> asyncio.Future[Pdu | None]:
        """Send a submit_sm; what it gives is its response, None if that never comes."""
        response: asyncio.Future[Pdu | None] = asyncio.get_running_loop().create_future()
        standard = {"source_addr": "170077", "destination_addr": "359888123456"}
        tlvs = fields.pop("tlvs", ())
        command = fields.pop("command", Command.SUBMIT_SM)
        self.session.request(command, {**standard, **fields}, tlvs, 0.0, response)
        self.write()
        return response

    async def submit(self, **fields: Any) -> Pdu | None:
        return await asyncio.wait_for(self.post(**fields), WITHIN)


@asynccontextmanager
async def _esme(
    smsc: Smsc,
    *,
    command: int = Command.BIND_TRANSCEIVER,
    system_id: str = "cez",
    password: str = "secret",
    status: int = Status.ROK,
    answer: Callable[[Pdu], int | None] = lambda pdu: Status.ROK,
) -> AsyncIterator[Esme]:
    loop = asyncio.get_running_loop()
    transport, esme = await loop.create_connection(lambda: Esme(answer), *smsc.address)
    try:
        assert await esme.bind(command, system_id, password) == status
        yield esme
    finally:
        transport.close()
        await asyncio.wait_for(esme.ended.wait(), WITHIN)


@pytest.fixture
def esme() -> Callable[..., AbstractAsyncContextManager[Esme]]:
    """`async with esme(smsc, command=…, answer=…) as bound:` an ESME at a simulator."""
    return _esme


@asynccontextmanager
async def _listening(
    role: Role = Role.ESME, context: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[int, asyncio.Queue[Esme]]]:
    loop = asyncio.get_running_loop()
    dialled: asyncio.Queue[Esme] = asyncio.Queue()

    def connection() -> Esme:
        made = Esme(lambda _: Status.ROK, role)
        made.connected = lambda: dialled.put_nowait(made)
        return made

    server = await loop.create_server(connection, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], dialled


@pytest.fixture
def listening() -> Callable[..., AbstractAsyncContextManager[tuple[int, asyncio.Queue[Esme]]]]:
    """`async with listening(role) as (port, dialled):` a gateway to be dialled by a simulator."""
    return _listening

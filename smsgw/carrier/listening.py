"""How a link's sessions come to be by the carrier dialling us, with `accept` or `outbind`.

One task for each listening socket and one for each connection. A connection costs nothing before
the gate has let it in, and is cut if it isn't bound in time; what fails slows its address down.
"""

import asyncio
import hmac
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from random import Random
from typing import Final, NamedTuple

from pydantic import SecretStr

from smsgw import metrics
from smsgw.carrier import gate, tls
from smsgw.carrier.backoff import REFUSED, Backoff, Trouble
from smsgw.carrier.connection import Connection
from smsgw.carrier.gate import Gate, IpAddress, Refused
from smsgw.carrier.translate import refusal
from smsgw.carrier.ways import Failure, Holder
from smsgw.carrier.wording import said
from smsgw.clock import Clock
from smsgw.service.ports import LinkStatus
from smsgw.settings.carrier import CarrierSettings
from smsgw.settings.transport import Listener
from smsgw.settings.types import Address
from smsgw.smpp.codec import Pdu
from smsgw.smpp.session import Role
from smsgw.smpp.status import bind_reaction
from smsgw.smpp.tables import Command, Status

BACKLOG: Final = 100
SHORTAGE_SECONDS: Final = 1.0
SAID_EVERY: Final = 60.0  # seconds between two log lines on the same sort of refusal

# How connections end that never were of any use.
# Silence is no reason: it is bounded by time and number, and a monitor of the same address that
# only connects must not keep the carrier out.
_USELESS: Final = frozenset({"stream lost"})


class Claim(NamedTuple):
    """What a session is there for, as we see it."""

    sends: bool
    receives: bool


# By the bind_* that is asked for, and the role in which we hear of it or send it.
CLAIMS: Final[Mapping[tuple[Role, int], Claim]] = {
    (Role.SMSC, Command.BIND_TRANSMITTER): Claim(sends=False, receives=True),
    (Role.SMSC, Command.BIND_RECEIVER): Claim(sends=True, receives=False),
    (Role.SMSC, Command.BIND_TRANSCEIVER): Claim(sends=True, receives=True),
    (Role.ESME, Command.BIND_TRANSMITTER): Claim(sends=True, receives=False),
    (Role.ESME, Command.BIND_RECEIVER): Claim(sends=False, receives=True),
    (Role.ESME, Command.BIND_TRANSCEIVER): Claim(sends=True, receives=True),
}
# What we bind after an outbind, the first for which there is place. SMPP 3.4 section 2.2.1 knows
# outbind for receivers; the transmitter needs a second connection.
TRANSCEIVER: Final = (Command.BIND_TRANSCEIVER,)
PAIR: Final = (Command.BIND_RECEIVER, Command.BIND_TRANSMITTER)


class Listening:
    """Keeps a carrier's listener open (`ways.Way`)."""

    def __init__(
        self,
        settings: CarrierSettings,
        listener: Listener,
        holder: Holder,
        clock: Clock,
        random: Random,
    ) -> None:
        self._settings = settings
        self._listener = listener
        self._holder = holder
        self._clock = clock
        self._backoff = Backoff(random)
        self._hurried = asyncio.Event()
        self._log = holder.log
        self._gate = Gate(listener)
        self._contexts = tls.contexts(tls.listening, settings.tls, holder.log)
        self._asking = self._asked_to_accept if settings.accept else self._asked_by_outbind
        self._role = Role.SMSC if settings.accept else Role.ESME
        self._binds: Sequence[Command] = TRANSCEIVER if settings.bind == "transceiver" else PAIR
        self._peers: dict[Connection, IpAddress] = {}
        self._claims: dict[Connection, Claim] = {}
        self._told: dict[Refused, float] = {}  # when a log line was last written
        self.addresses: Sequence[Address] = ()  # port 0 is the port that was free

    # -- the sockets -----------------------------------------------------------------------

    async def run(self) -> None:
        while True:
            self._holder.turn(LinkStatus.WAITING)
            try:
                async with self._open() as sockets, asyncio.TaskGroup() as group:
                    self._backoff.reset()
                    for each in sockets:
                        group.create_task(self._accept(each, group))
            except OSError as error:
                delay = self._backoff.next(Trouble.UNREACHABLE)
                listen = str(self._listener.listen)
                failure = Failure("link.not_listening", Trouble.UNREACHABLE, said(error))
                self._holder.failed(failure)
                self._log.error(
                    failure.event, reason=failure.reason, listen=listen, retry_in=round(delay, 1)
                )
                with suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await self._hurried.wait()

    def hurry(self) -> None:
        self._hurried.set()
        self._hurried.clear()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[list[socket.socket]]:
        sockets: list[socket.socket] = []
        try:
            if self._contexts is not None:
                self._contexts.current()  # raises where the files are no good
            for family, address in await _resolved(self._listener.listen):
                opened = socket.create_server(address, family=family, backlog=BACKLOG)
                sockets.append(opened)
                opened.setblocking(False)
            self.addresses = [Address(*each.getsockname()[:2]) for each in sockets]
            self._log.info("link.listening", listen=", ".join(map(str, self.addresses)))
            yield sockets
        finally:
            self.addresses = ()
            for each in sockets:
                each.close()

    async def _accept(self, listening: socket.socket, group: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        while True:
            # One connection a turn of the loop: `sock_accept` doesn't wait while more are there.
            await asyncio.sleep(0)
            try:
                accepted, name = await loop.sock_accept(listening)
            except ConnectionError:
                continue  # it left before it was let in
            except OSError as error:  # no descriptors, or no memory, are left
                self._log.error("link.can_not_accept", reason=said(error))
                await asyncio.sleep(SHORTAGE_SECONDS)
                continue
            address = gate.read(name[0])
            refused = self._gate.refusal(address, self._clock.monotonic())
            if not self._holder.wanted.is_set():
                refused = Refused.DRAINED
            if refused is not None:
                accepted.close()
                self._tell(refused, address)
            else:
                self._gate.entered(address)
                group.create_task(self._serve(accepted, address))

    # -- one connection --------------------------------------------------------------------

    async def _serve(self, accepted: socket.socket, address: IpAddress) -> None:
        """Hold a connection until it is closed. A fault of ours ends it, and nothing else."""
        try:
            connection = await self._connected(accepted, address)
            if connection is not None:
                await self._hold(connection)
        except Exception:
            self._log.exception("link.connection_failed")
        finally:
            accepted.close()
            self._gate.left(address)

    async def _connected(self, accepted: socket.socket, address: IpAddress) -> Connection | None:
        loop = asyncio.get_running_loop()
        log = self._log.bind(peer=str(address))
        connection = self._holder.connection(self._role, log, self._asking)
        self._peers[connection] = address
        try:
            context = self._contexts.current() if self._contexts else None
            await loop.connect_accepted_socket(
                lambda: connection,
                accepted,
                ssl=context,
                ssl_handshake_timeout=self._listener.bind_timeout if context else None,
            )
        except OSError as error:
            del self._peers[connection]
            self._fail(Refused.TLS, address, reason=said(error))
            return None
        return connection

    async def _hold(self, connection: Connection) -> None:
        try:
            await asyncio.shield(connection.opened)
            if connection.refusal is not None:
                self._refused(connection.refusal)
            await asyncio.shield(connection.closed)
        finally:
            connection.abort()
            address = self._peers.pop(connection)
            self._claims.pop(connection, None)
        if connection.id is None and connection.reason in _USELESS:
            self._fail(Refused.UNUSABLE, address, reason=connection.reason)

    def _refused(self, status: int) -> None:
        """The carrier dialled us and refused our bind all the same."""
        self._holder.bind_refused(status)
        trouble = REFUSED[bind_reaction(status)]
        if trouble is Trouble.VERSION:
            self._binds = PAIR
        failure = Failure("link.bind_refused", trouble, refusal(status))
        self._holder.failed(failure)
        self._log.error(failure.event, reason=failure.reason)

    # -- what the peer asks before it is bound -----------------------------------------------

    def _asked_to_accept(self, connection: Connection, request: Pdu) -> None:
        """SMPP 3.4 section 4.1: a bind_* of the carrier's."""
        wrong = self._wrong(connection, request)
        claim = CLAIMS[Role.SMSC, request.command]
        if wrong is not None:
            connection.refuse_bind(request, wrong)
        elif not self._holder.wanted.is_set():
            self._turn_away(Refused.DRAINED, connection, request)
            connection.refuse_bind(request, Status.RBINDFAIL)
        elif not self._room(claim):
            self._turn_away(Refused.HELD, connection, request)
            connection.refuse_bind(request, Status.RALYBND)
        else:
            self._claims[connection] = claim
            connection.accept_bind(request, self._settings.system_id)

    def _asked_by_outbind(self, connection: Connection, request: Pdu) -> None:
        """SMPP 3.4 section 4.1.7: an outbind is answered by our bind, or not at all."""
        if connection in self._claims:
            return  # it said so twice
        room = (each for each in self._binds if self._room(CLAIMS[Role.ESME, each]))
        if self._wrong(connection, request) is not None:
            connection.dismiss("outbind refused")
        elif not self._holder.wanted.is_set():
            self._turn_away(Refused.DRAINED, connection, request)
            connection.dismiss("not in service")
        elif (command := next(room, None)) is None:
            self._turn_away(Refused.HELD, connection, request)
            connection.dismiss("all sessions are held")
        else:
            self._claims[connection] = CLAIMS[Role.ESME, command]
            self._holder.bind_tried()
            password = self._settings.password.get_secret_value()
            connection.bind(command, self._settings.system_id, password, self._settings.system_type)

    def _wrong(self, connection: Connection, request: Pdu) -> Status | None:
        """The status that wrong credentials deserve. Time says nothing about them."""
        named = _same(request.text("system_id"), self._listener.system_id)
        known = _same(request.text("password"), self._listener.password)
        address = self._peers[connection]
        if named and known:
            self._gate.succeeded(address)
            return None
        self._fail(Refused.CREDENTIALS, address, system_id=request.text("system_id"))
        return Status.RINVPASWD if named else Status.RINVSYSID

    def _room(self, claim: Claim) -> bool:
        held = self._claims.values()
        most = self._settings.sessions
        return not (
            (claim.sends and sum(each.sends for each in held) >= most)
            or (claim.receives and sum(each.receives for each in held) >= most)
        )

    # -- what is said of it ------------------------------------------------------------------

    def _fail(self, refused: Refused, address: IpAddress, **fields: str) -> None:
        """Slow an address down, and say why."""
        pause = self._gate.failed(address, self._clock.monotonic())
        self._tell(refused, address, paused=pause, **fields)

    def _turn_away(self, refused: Refused, connection: Connection, request: Pdu) -> None:
        self._tell(refused, self._peers[connection], system_id=request.text("system_id"))

    def _tell(self, refused: Refused, address: IpAddress, **fields: str | float) -> None:
        """Count, and log one of many: a flood of connections is none of lines."""
        metrics.TURNED_AWAY.labels(self._settings.id, str(refused)).inc()
        now = self._clock.monotonic()
        if now - self._told.get(refused, -SAID_EVERY) >= SAID_EVERY:
            self._told[refused] = now
            self._log.warning("link.turned_away", why=str(refused), peer=str(address), **fields)


def _same(given: str, expected: str | SecretStr) -> bool:
    secret = expected.get_secret_value() if isinstance(expected, SecretStr) else expected
    return hmac.compare_digest(given.encode("latin-1"), secret.encode("latin-1"))


async def _resolved(listen: Address) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    """What to listen on for an address: all that a name stands for. Raises OSError."""
    try:
        family = socket.AF_INET if ip_address(listen.host).version == 4 else socket.AF_INET6
    except ValueError:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        return [(each[0], (str(each[4][0]), int(each[4][1]))) for each in found]
    return [(family, (listen.host, listen.port))]

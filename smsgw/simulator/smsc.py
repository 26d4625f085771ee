"""The simulated SMSC: binds ESMEs, takes their messages, sends them customers'.

async with Smsc(SmscSettings(system_id="cez")) as smsc:
    await smsc.bound()
    mo = smsc.send("359888123456", "smetka")
    await smsc.acknowledged(mo)
    answer = await smsc.answer_to("359888123456")
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, NoReturn, Self

from smsgw.clock import Clock, SystemClock
from smsgw.simulator import tls, wire
from smsgw.simulator.connection import Connection
from smsgw.simulator.deliveries import Delivery, MoPart
from smsgw.simulator.dialling import keep_dialling
from smsgw.simulator.faults import Faults
from smsgw.simulator.happenings import Connected, Happening, Oddity, OutbindSent, SessionEnded
from smsgw.simulator.intake import Intake
from smsgw.simulator.outgoing import Outgoing
from smsgw.simulator.records import Mo, MoState, Mt
from smsgw.simulator.settings import Connect, Outbind, SmscSettings
from smsgw.simulator.tampering import Tampering
from smsgw.simulator.watch import NotSeenError, Watch
from smsgw.smpp.codec import Pdu, encode
from smsgw.smpp.names import Command, status_name
from smsgw.smpp.session import (
    Answered,
    BindRefused,
    BindRequested,
    Bound,
    Ended,
    Event,
    Lost,
    Received,
    Role,
    Violation,
)

# How long `stop` waits for the peers to answer its unbind, and the waiting calls, unless told
# otherwise, for what they wait for: far longer than anything on loopback takes.
STOPPING: Final = 1.0
WITHIN: Final = 5.0


class Smsc:
    """An SMSC on a TCP port, or one that dials. What it saw is in the lists; they only grow.

    `watch` is called with everything that happens, as it happens. It may be stopped and
    started again: it keeps its port, its records and what it has still to send.
    """

    def __init__(
        self,
        settings: SmscSettings | None = None,
        faults: Faults | None = None,
        *,
        clock: Clock | None = None,
        watch: Callable[[Happening], None] | None = None,
    ) -> None:
        self.settings = settings or SmscSettings()
        self.mos: list[Mo] = []
        self._clock = clock or SystemClock()
        self._watch = watch
        self._changes = Watch()
        self._connections: list[Connection] = []
        self._outgoing = Outgoing(self.settings, self._clock, self._connections, self._tell)
        self._intake = Intake(
            self.settings, faults or Faults(), self._clock, self._outgoing, self._tell
        )
        self.binds = self._intake.binds
        self.submits = self._intake.submits
        self.mts = self._intake.mts
        self.receipts = self._intake.receipts
        self._references: Counter[str] = Counter()
        self._answers_taken: Counter[str] = Counter()
        self._sessions = 0
        self._running = False
        self._server: asyncio.Server | None = None
        self._dialling: asyncio.Task[NoReturn] | None = None
        self._port = self.settings.port

    # -- its life --------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen, or begin to dial. Raises OSError if the port or a TLS file can't be had."""
        loop = asyncio.get_running_loop()
        settings = self.settings
        if settings.dials is None:
            self._server = await loop.create_server(
                self._connection,
                settings.host,
                self._port,
                ssl=tls.listening(settings.tls) if settings.tls else None,
            )
            self._port = self._server.sockets[0].getsockname()[1]
        else:
            context = tls.dialling(settings.tls) if settings.tls else None
            self._dialling = loop.create_task(
                keep_dialling(
                    settings.dials,
                    context,
                    settings.redial,
                    self._connection,
                    self._clock,
                    self._tell,
                )
            )
        self._running = True

    async def stop(self) -> None:
        """Take no more connections and unbind; who doesn't answer within a second is cut off."""
        if not self._running:
            return
        self._running = False
        if self._dialling is not None:
            self._dialling.cancel()
            await asyncio.wait({self._dialling})
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for connection in list(self._connections):
            connection.unbind()
        try:
            await self._until(lambda: not self._connections, "end of all sessions", STOPPING)
        except NotSeenError:
            self.drop(reset=True)
            await self._until(lambda: not self._connections, "end of all sessions", STOPPING)
        if server is not None:
            await server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens, or would if it had been started with a port."""
        return self.settings.host, self._port

    @property
    def port(self) -> int:
        return self._port

    @property
    def faults(self) -> Faults:
        return self._intake.mischief.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        """Other faults from now on; what they count begins anew."""
        self._intake.ask_for(faults)

    def drop(self, *, reset: bool = False) -> None:
        """Cut all connections without a word, by RST or by FIN."""
        for connection in list(self._connections):
            connection.drop(reset=reset)

    # -- what it sends ---------------------------------------------------------------------

    def send(self, source: str, text: str, destination: str | None = None) -> Mo:
        """Send `text` from a customer, in parts if need be; it waits for a bind.

        Raises EncodeError if an address doesn't fit, ValueError if the text can't be sent.
        """
        reference = self._references[source]
        self._references[source] += 1
        form, alphabet = self.settings.long_messages, self.settings.default_alphabet
        bodies = wire.bodies(text, reference, alphabet, form)
        wanted = self.settings.parts if len(bodies) > 1 else ()
        numbers = [number for number in wanted if number <= len(bodies)]
        if wanted and not numbers:
            raise ValueError(f"{text!r} has {len(bodies)} parts, and none of those to be sent")
        return self._post(source, destination, text, bodies, numbers)

    def send_octets(
        self,
        source: str,
        octets: bytes,
        *,
        data_coding: int = 4,
        esm_class: int = 0,
        destination: str | None = None,
    ) -> Mo:
        """Send one deliver_sm with these very octets from a customer."""
        body = wire.Body(octets, data_coding, esm_class)
        return self._post(source, destination, octets.hex(), [body])

    def _post(
        self,
        source: str,
        destination: str | None,
        text: str,
        bodies: list[wire.Body],
        numbers: Sequence[int] = (),
    ) -> Mo:
        """Send `bodies`, or those of these numbers, in this order."""
        destination = self.settings.shortcode if destination is None else destination
        wires = [wire.from_customer(source, destination, body) for body in bodies]
        for fields, tlvs in wires:  # the caller's mistake shows here, not when it goes out
            encode(Pdu(Command.DELIVER_SM, 0, 1, fields, list(tlvs)))
        numbers = numbers or range(1, len(wires) + 1)
        mo = Mo(len(self.mos) + 1, source, destination, text, len(numbers))
        self.mos.append(mo)
        for number in numbers:
            self._outgoing.add(MoPart(wires[number - 1], mo, number, len(wires)))
        self._outgoing.pump()
        return mo

    # -- what can be waited for ------------------------------------------------------------

    async def bound(self, sessions: int = 1, *, within: float = WITHIN) -> None:
        """Wait until as many sessions are bound."""
        await self._until(lambda: self.sessions >= sessions, f"{sessions} bound sessions", within)

    async def unbound(self, *, within: float = WITHIN) -> None:
        """Wait until no session is bound."""
        await self._until(lambda: not self.sessions, "end of the sessions", within)

    async def acknowledged(self, *mos: Mo, within: float = WITHIN) -> None:
        """Wait until each of `mos`, or of all, is acknowledged with ESME_ROK.

        Raises NotSeenError at once if one is refused for good or given up.
        """
        await self.settled(*mos, within=within)
        for mo in mos or self.mos:
            if mo.state is not MoState.ACKNOWLEDGED:
                raise NotSeenError(f"no acknowledgement of {_told(mo)}")

    async def settled(self, *mos: Mo, within: float = WITHIN) -> None:
        """Wait until nothing is to be sent any more for each of `mos`, or of all."""
        wanted = list(mos or self.mos)

        def look() -> bool:
            while wanted and wanted[-1].state.final:
                wanted.pop()
            return not wanted

        await self._until(look, "final answer to each customer's message", within)

    async def answered(self, mo: Mo, *, within: float = WITHIN) -> int:
        """Wait for the first answer to `mo`, whatever it is, and return its status."""
        await self._until(lambda: bool(mo.statuses), f"answer to {_told(mo)}", within)
        return mo.statuses[0]

    async def answer_to(self, number: str, *, within: float = WITHIN) -> Mt:
        """Wait for the next message to a customer that no call before this one returned."""
        nth = self._answers_taken[number]

        def look() -> Mt | None:
            return next(iter([mt for mt in self.mts if mt.destination == number][nth:]), None)

        wanted = f"message to {number}" if not nth else f"message {nth + 1} to {number}"
        found = await self._changes.until(look, wanted, self._seen, within)
        self._answers_taken[number] += 1
        return found

    async def received(self, messages: int, *, within: float = WITHIN) -> None:
        """Wait until there were as many messages to customers."""
        await self._until(lambda: len(self.mts) >= messages, f"{messages} messages", within)

    async def receipted(self, *, within: float = WITHIN) -> None:
        """Wait until each receipt that was due has been answered for good."""
        await self._until(
            lambda: all(each.settled for each in self.receipts), "answer to each receipt", within
        )

    @property
    def sessions(self) -> int:
        """How many are bound."""
        return sum(connection.bound for connection in self._connections)

    async def _until(self, look: Callable[[], bool], wanted: str, within: float) -> None:
        await self._changes.until(lambda: look() or None, wanted, self._seen, within)

    def _seen(self) -> str:
        states = Counter(mo.state.value for mo in self.mos)
        taken = sum(submit.taken for submit in self.submits)
        latest = [f"to {mt.destination}: {mt.text!r}" for mt in self.mts[-5:]]
        return (
            f"{len(self.binds)} binds asked for, {self.sessions} sessions bound; "
            f"customers' messages: {dict(states) or 'none'}; "
            f"{taken} submits taken, {len(self.submits) - taken} refused; "
            f"receipts: {len(self.receipts)}; messages to customers: {len(self.mts)}"
            + "".join(f"\n  {line}" for line in latest)
        )

    # -- what its connections tell ---------------------------------------------------------

    def _connection(self) -> Connection:
        self._sessions += 1
        number, settings = self._sessions, self.settings
        role = Role.ESME if isinstance(settings.dials, Connect) else Role.SMSC
        tampering = Tampering(
            number, role, settings.version, lambda: self._intake.mischief, self._clock, self._tell
        )
        return Connection(number, role, settings.limits, self._clock, self, tampering)

    def connected(self, connection: Connection) -> None:
        self._connections.append(connection)
        self._tell(Connected(self._clock.now(), connection.number, connection.peer))
        if not self._running:  # accepted while it was being stopped
            connection.drop(reset=False)
        elif self.faults.mute:
            connection.mute()
        else:
            self._begin(connection)

    def _begin(self, connection: Connection) -> None:
        """Say the first word, where that is ours."""
        match self.settings.dials:
            case Outbind(_, _, system_id, password):
                fields = {"system_id": system_id, "password": password}
                connection.request(Command.OUTBIND, fields, (), None)
                self._tell(OutbindSent(self._clock.now(), connection.number, system_id))
            case Connect(_, _, system_id, password):
                connection.bind(system_id, password)
            case None:
                pass

    def heard(self, connection: Connection, event: Event) -> None:
        self._count(connection, event)
        match event:
            case Answered(Delivery() as delivery) if connection.dropped:
                self._outgoing.lost(delivery, "connection cut before its answer was read")
            case Answered(Delivery() as delivery, pdu):
                self._outgoing.answered(delivery, pdu.status)
            case Lost(Delivery() as delivery, reason):
                self._outgoing.lost(delivery, reason)
            case BindRequested(pdu) if not connection.dropped:
                self._intake.bind(connection, pdu)
            case Bound():
                self._intake.bound(connection, Command.BIND_TRANSCEIVER, connection.bound_as)
            case BindRefused(status):
                self._intake.not_bound(
                    connection, Command.BIND_TRANSCEIVER, connection.bound_as, status
                )
                connection.drop(reset=False)
            case Received(pdu) if not connection.dropped:
                self._intake.serve(connection, pdu)
            case Violation(reason, octets):
                self._tell(Oddity(self._clock.now(), connection.number, reason, octets.hex()))
            case Ended(reason):
                self._connections.remove(connection)
                self._tell(SessionEnded(self._clock.now(), connection.number, reason))
            case _:
                pass  # unheard on a connection that was cut
        self._outgoing.pump()

    def _count(self, connection: Connection, event: Event) -> None:
        if isinstance(event, BindRequested | Received | Answered):
            connection.read += 1
            if self._intake.mischief.drops(connection.read):
                connection.drop(reset=self.faults.drop_by_reset)

    def _tell(self, happening: Happening) -> None:
        if self._watch is not None:
            self._watch(happening)
        self._changes.changed()


def _told(mo: Mo) -> str:
    answers = ", ".join(status_name(status) for status in mo.statuses) or "none"
    return f"message {mo.number} from {mo.source} ({mo.text!r}; {mo.state}; answers: {answers})"

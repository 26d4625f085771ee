"""One TCP connection with the SMPP session on it, as asyncio drives them.

What one read brings goes on together: all messages to the exchange in one call, all responses
to the link in one. Everything that is to be sent within one turn of the loop, answers and
submits alike, leaves in one write. A fault of ours ends this connection, and nothing else.
"""

import asyncio
import math
import socket
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, Final, ParamSpec, cast

from structlog.typing import FilteringBoundLogger

from smsgw.carrier.batch import Batch
from smsgw.carrier.complaints import Complaints
from smsgw.carrier.drain import Drain
from smsgw.carrier.ends import ENDS
from smsgw.carrier.keeper import Asked, Keeper, not_asked
from smsgw.carrier.meter import Meter
from smsgw.carrier.questions import Reply
from smsgw.carrier.timer import Timer
from smsgw.carrier.translate import NotOurs, Translator
from smsgw.carrier.valve import Valve
from smsgw.carrier.wording import said
from smsgw.clock import Clock
from smsgw.service.message import Acceptance, Ack, Inquiry, Outcome, Segment, Verdict
from smsgw.service.ports import Exchange
from smsgw.smpp.codec import EncodeError, Pdu
from smsgw.smpp.session import (
    Answered,
    AnsweredLate,
    BindRefused,
    BindRequested,
    Bound,
    Ended,
    Event,
    Lost,
    Received,
    Session,
    SessionError,
    State,
    Violation,
)
from smsgw.smpp.tables import Command

CLOSE_SECONDS: Final = 5.0  # for a peer to take the last octets; then the connection is cut
_PARTING: Final = frozenset({State.UNBINDING, State.UNBOUND})
_P = ParamSpec("_P")


def _guarded(
    method: "Callable[Concatenate[Connection, _P], None]",
) -> "Callable[Concatenate[Connection, _P], None]":
    @wraps(method)
    def call(connection: "Connection", /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        try:
            method(connection, *args, **kwargs)
        except Exception:
            connection.fail()

    return call


class Connection(asyncio.Protocol):
    """Moves octets and the moment into a session, and its events on to those who act on them.

    More than `inbound_window` messages without a verdict, or a peer that doesn't read, stop the
    reading until that is better.
    """

    def __init__(
        self,
        session: Session,
        translator: Translator,
        exchange: Exchange,
        keeper: Keeper,
        *,
        clock: Clock,
        meter: Meter,
        log: FilteringBoundLogger,
        inbound_window: int = 1000,
        asked: Asked = not_asked,
    ) -> None:
        self._session = session
        self._end = ENDS[session.role]
        self._asked = asked
        self._translator = translator
        self._exchange = exchange
        self._keeper = keeper
        self._clock = clock
        self._meter = meter
        self.log = log
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._unanswered: dict[int, Pdu] = {}
        self._token = 0
        self._valve = Valve(inbound_window)
        self._flushing = False
        self._ticker = Timer(clock, self._tick)
        self._cutter = Timer(clock, self.abort)
        self._drain = Drain()
        self._parting = ""
        self._dismissal = ""  # why the session ends before it began
        self._complaints = Complaints(log)
        self._failed = False
        self.id: int | None = None  # of the session, once it is bound
        self.refusal: int | None = None  # the status that refused the bind
        self.reason = ""  # why the session ended
        self.answered_at = -math.inf  # when the last response to a submit came, monotonic seconds
        self.opened: asyncio.Future[None] = self._loop.create_future()  # bound, or never
        self.closed: asyncio.Future[None] = self._loop.create_future()

    # -- what the link asks ----------------------------------------------------------------

    @property
    def sends(self) -> bool:
        """Whether the session is bound so that segments may be submitted."""
        return self._session.state in self._end.sends

    @property
    def receives(self) -> bool:
        """Whether the session is bound so that messages come in."""
        return self._session.state in self._end.receives

    @property
    def free(self) -> int:
        """How many segments may be submitted now."""
        if self._valve.blocked or not self.sends:
            return 0
        return self._session.window_free

    @property
    def in_flight(self) -> int:
        return self._session.outstanding

    def bind(self, command: int, system_id: str, password: str, system_type: str) -> None:
        """Ask the SMSC to bind. Raises EncodeError if a name doesn't fit."""
        now = self._clock.monotonic()
        self._session.bind(
            command, now, system_id=system_id, password=password, system_type=system_type
        )
        self._flush_soon()

    def accept_bind(self, request: Pdu, system_id: str) -> None:
        """Let the peer bind as it asked to. Raises EncodeError if the name doesn't fit."""
        self._session.accept_bind(request, system_id, self._clock.monotonic())
        if self.sends or self.receives:
            self._begin()

    def refuse_bind(self, request: Pdu, status: int) -> None:
        """Refuse what the peer asked for, and close."""
        self._session.refuse_bind(request, status, self._clock.monotonic())
        self._flush()
        self.dismiss("bind refused")

    def dismiss(self, reason: str) -> None:
        """Close, without an answer, once what asks for it is through."""
        self._dismissal = reason

    def submit(self, segments: Sequence[Segment]) -> None:
        """Send segments; each comes back once through `Keeper.settled`."""
        now, at = self._clock.monotonic(), self._clock.now()
        takes_tlvs = self._session.takes_tlvs
        unsent: list[Outcome] = []
        for segment in segments:
            try:
                fields, tlvs = self._end.form(self._translator, segment, at, takes_tlvs)
                self._session.request(self._end.command, fields, tlvs, now, segment)
            except SessionError as error:
                unsent.append(Outcome(segment, Acceptance.NOT_SENT, at, error=str(error)))
            except EncodeError as error:
                self.log.error("link.segment_unfit", reason=str(error))
                unsent.append(Outcome(segment, Acceptance.PERMANENT, at, error=str(error)))
        self._flush_soon()
        if unsent:
            self._keeper.settled(self, unsent)

    def ask(self, inquiries: Sequence[Inquiry]) -> None:
        """Ask an SMSC about segments; each comes back once through `Keeper.replied`.

        A late reply follows one that said nothing.
        """
        now = self._clock.monotonic()
        unsaid: list[Reply] = []
        for inquiry in inquiries:
            try:
                fields = self._translator.query(inquiry)
                self._session.request(Command.QUERY_SM, fields, (), now, inquiry)
            except (SessionError, EncodeError) as error:
                self.log.debug("link.question_unfit", reason=str(error))
                unsaid.append(Reply())
        self._flush_soon()
        if unsaid:
            self._keeper.replied(self, unsaid)

    async def drained(self) -> None:
        """Wait until all responses are there, and all messages that came until now answered."""
        waiter = self._drain.wait(self._token)
        self._look_whether_drained()
        await waiter

    def unbind(self, reason: str = "") -> None:
        """End the session as the protocol wants it; the connection closes after it.

        `reason` stands for the session's own word on its end.
        """
        if self._session.state in _PARTING:
            return
        self._parting = reason
        try:
            self._session.unbind(self._clock.monotonic())
        except SessionError:
            self._lose("closed")
        self._flush_soon()

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def fail(self) -> None:
        """After a fault of ours, in an `except`: log it once and cut the connection."""
        if not self._failed:
            self._failed = True
            self.log.exception("link.connection_failed")
        self.abort()

    # -- what asyncio calls ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass
        self._valve.attach(self._transport)
        connected = transport.get_extra_info("socket")
        if connected is not None:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._flush_soon()

    @_guarded
    def data_received(self, data: bytes) -> None:
        self._handle(self._session.receive(data, self._clock.monotonic()))
        self._valve.turn(len(self._unanswered))
        self._flush_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._failed:
            reason = "internal error"
        else:
            reason = "connection closed by the peer" if exc is None else said(exc)
        try:
            self._lose(reason)
        except Exception:
            self.fail()
        finally:
            self._ticker.stop()
            self._cutter.stop()
            if not self.opened.done():
                self.opened.set_result(None)
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        self._valve.blocked = True
        self._valve.turn(len(self._unanswered))

    @_guarded
    def resume_writing(self) -> None:
        self._valve.blocked = False
        self._valve.turn(len(self._unanswered))
        self._keeper.writable(self)

    # -- what comes in ---------------------------------------------------------------------

    def _handle(self, events: Sequence[Event]) -> None:
        batch = Batch(self._clock.now(), self._end, self._translator)
        for event in events:
            try:
                self._sort(event, batch)
            except Exception:
                self.fail()
                if isinstance(event, Answered):
                    batch.lost(event.context, "not understood")
        if batch.incoming:
            self._exchange.received(batch.incoming, self._answer)
        if batch.seconds:
            self.answered_at = self._clock.monotonic()
        if batch.ended:
            self._unanswered.clear()
            self._keeper.ended(self)
        if batch.statuses:
            self._keeper.answered(self, batch.statuses)
        if batch.outcomes:
            self._keeper.settled(self, batch.outcomes)
        if batch.replies:
            self._keeper.replied(self, batch.replies)
        self._meter.batch(batch.seconds, batch.aside, batch.violations)
        if batch.ended:
            self._close()
        elif self._dismissal:
            self._lose(self._dismissal)
        self._look_whether_drained()

    def _sort(self, event: Event, batch: Batch) -> None:
        if isinstance(event, Received):
            self._take(event.pdu, batch)
        elif isinstance(event, Answered | AnsweredLate):
            batch.answered(event)
        elif isinstance(event, Lost):
            batch.lost(event.context, event.reason)
        elif isinstance(event, Violation):
            batch.violations += 1
            self._complaints.make(event)
        elif isinstance(event, Bound):
            self._begin()
        elif isinstance(event, BindRefused):
            self.refusal = event.status
            self._dismissal = "bind refused"
        elif isinstance(event, BindRequested):
            self._asked(self, event.pdu)
        elif isinstance(event, Ended):
            batch.ended = True
            self.reason = self._parting or event.reason

    def _take(self, pdu: Pdu, batch: Batch) -> None:
        if self.id is None:
            self._asked(self, pdu)  # an outbind
            return
        if pdu.command not in self._end.brings:
            # alert_notification asks for nothing
            if (status := self._end.refuses.get(pdu.command)) is not None:
                self._session.respond(pdu, status, self._clock.monotonic())
            return
        what = self._translator.incoming(pdu, self.id, batch.at)
        self._token += 1
        if isinstance(what, NotOurs):
            batch.aside.append(what.reason)
            self._acknowledge(pdu, self._token, what.ack, self._clock.monotonic())
        else:
            self._unanswered[self._token] = pdu
            batch.incoming.append((self._token, what))

    @_guarded
    def _answer(self, verdicts: Sequence[Verdict]) -> None:
        now = self._clock.monotonic()
        for token, ack in verdicts:
            if (pdu := self._unanswered.pop(token, None)) is not None:
                self._acknowledge(pdu, token, ack, now)
        self._valve.turn(len(self._unanswered))
        self._flush_soon()
        self._look_whether_drained()

    def _acknowledge(self, pdu: Pdu, token: int, ack: Ack, now: float) -> None:
        body = self._end.accepted(self.id or 0, token)
        self._session.respond(pdu, self._end.verdicts[ack], now, body)

    def _begin(self) -> None:
        self.id = self._keeper.bound(self)
        self.opened.set_result(None)

    def _lose(self, reason: str) -> None:
        if events := self._session.lost(self._clock.monotonic(), reason):
            self._handle(events)

    def _look_whether_drained(self) -> None:
        if not self.in_flight:
            self._drain.look(next(iter(self._unanswered), math.inf))

    # -- what goes out ---------------------------------------------------------------------

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    @_guarded
    def _flush(self) -> None:
        self._flushing = False
        output = self._session.take_output()
        self._meter.traffic(self._session.take_traffic())
        if output and self._transport is not None:
            self._transport.write(output)
        if not self._valve.full:
            self._ticker.by(self._session.deadline)

    def _close(self) -> None:
        self._flush()
        if self._transport is not None:
            self._transport.close()
            self._cutter.by(self._clock.monotonic() + CLOSE_SECONDS)

    @_guarded
    def _tick(self) -> None:
        # While messages wait for their verdicts nothing is late: what would prove the peer
        # alive may stand unread.
        if not self._valve.full:
            self._handle(self._session.tick(self._clock.monotonic()))
            self._flush_soon()

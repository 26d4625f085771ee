"""One deliver_sm on its way: a part of a customer's message, or a receipt."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from smsgw.simulator.happenings import (
    Happening,
    MoAnswered,
    MoSent,
    MoUnanswered,
    ReceiptAnswered,
    ReceiptSent,
)
from smsgw.simulator.records import Mo, MoState, Receipt
from smsgw.simulator.wire import Wire
from smsgw.smpp.names import Status, status_name

# Answers to a deliver_sm that ask for another try; all others but ESME_ROK are for good.
NOT_NOW: Final = frozenset({Status.RX_T_APPN, Status.RTHROTTLED, Status.RMSGQFUL, Status.RSYSERR})


@dataclass(slots=True, eq=False)
class Delivery(ABC):
    """Keeps the record of what it carries up to date; each call says what there is to tell."""

    wire: Wire
    attempts: int = field(default=0, init=False)
    refusals: int = field(default=0, init=False)  # for now

    @abstractmethod
    def sent(self, at: float, session: int) -> Happening: ...

    @abstractmethod
    def answered(self, at: float, status: int, *, again: bool) -> Happening:
        """It was answered, and will be sent `again` or not."""

    @abstractmethod
    def lost(self, at: float, reason: str) -> Happening | None: ...


@dataclass(slots=True, eq=False)
class MoPart(Delivery):
    """A part of a customer's message, or the whole of it."""

    mo: Mo
    number: int
    total: int  # of the parts that the text has

    def sent(self, at: float, session: int) -> Happening:
        mo = self.mo
        mo.attempts += 1
        if mo.sent_at is None:
            mo.sent_at = at
        if not mo.state.final:
            mo.state = MoState.SENT
        return MoSent(
            at,
            session,
            mo.number,
            self.number,
            self.total,
            self.attempts,
            mo.source,
            mo.destination,
            mo.text,
        )

    def answered(self, at: float, status: int, *, again: bool) -> Happening:
        mo = self.mo
        mo.statuses += (status,)
        mo.acknowledged += status == Status.ROK
        if not mo.state.final:
            mo.state = self._state(status, again=again)
            mo.settled_at = at if mo.state.final else None
        return MoAnswered(
            at,
            mo.number,
            self.number,
            self.total,
            mo.source,
            mo.text,
            status,
            status_name(status),
            mo.state,
        )

    def _state(self, status: int, *, again: bool) -> MoState:
        if again:
            return MoState.WAITING
        if status == Status.ROK:
            whole = self.mo.acknowledged == self.mo.parts
            return MoState.ACKNOWLEDGED if whole else self.mo.state
        return MoState.GIVEN_UP if status in NOT_NOW else MoState.REFUSED

    def lost(self, at: float, reason: str) -> Happening | None:
        if not self.mo.state.final:
            self.mo.state = MoState.WAITING
        return MoUnanswered(at, self.mo.number, self.number, self.mo.source, reason)


@dataclass(slots=True, eq=False)
class ReceiptDelivery(Delivery):
    """A receipt. `first_sent` is called once, after it went out for the first time."""

    receipt: Receipt
    first_sent: Callable[[], None] | None = None

    def sent(self, at: float, session: int) -> Happening:
        receipt = self.receipt
        if receipt.sent_at is None:
            receipt.sent_at = at
            if self.first_sent is not None:
                self.first_sent()
        return ReceiptSent(at, session, receipt.message_id, receipt.destination, receipt.stat)

    def answered(self, at: float, status: int, *, again: bool) -> Happening:
        self.receipt.status = status
        self.receipt.settled = not again
        return ReceiptAnswered(at, self.receipt.message_id, status, status_name(status))

    def lost(self, at: float, reason: str) -> Happening | None:
        return None

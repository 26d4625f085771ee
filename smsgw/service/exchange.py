"""The exchange between the carriers' links and the store: natural group commit.

Whatever came in while one transaction ran goes into the next; nothing lingers, so an idle
gateway answers at once and a busy one gets faster by the batch. One task owns all writing.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from smsgw import metrics
from smsgw.clock import Clock
from smsgw.log import get_logger
from smsgw.service.duplicates import Recent
from smsgw.service.inbox import Answer, Batch, Inbox
from smsgw.service.message import Outcome, Receipt
from smsgw.service.meter import Meter
from smsgw.service.outbox import Outbox
from smsgw.service.ports import (
    Carrier,
    Done,
    Incoming,
    Messages,
    SessionEnd,
    Settlement,
    StorageUnavailableError,
    Work,
)
from smsgw.service.retry import HOLD, Losses

log = get_logger(__name__)

# Seconds between two tries while the database can't be written and no MO asks for one.
STORAGE_PAUSE: Final = 1.0

# The longest sleep, so that a clock that was set back holds nothing up for longer.
LONGEST_PAUSE: Final = 60.0


class Exchange:
    """Takes messages from links, has them decided and stored, acknowledges, sends the answers.

    Implements `ports.Exchange`. `run` must be running for anything to move. An error of the
    store that is not StorageUnavailableError is an error of this program: it ends `run`, and so the
    daemon, for a gateway whose answers silently stop is worse than one that is restarted.
    """

    def __init__(
        self,
        messages: Messages,
        recent: Recent,
        clock: Clock,
        losses: Losses = HOLD,
    ) -> None:
        self._messages = messages
        self._recent = recent
        self._clock = clock
        self._inbox = Inbox(recent)
        self._outbox = Outbox(losses)
        self._ended: list[SessionEnd] = []
        self._learned: list[Receipt] = []
        self._wake = asyncio.Event()
        self._wake_at: float | None = None
        self._told_at = 0.0  # when the transaction that told `_wake_at` began
        self._retry_at = 0.0  # while the database fails: when to try again unasked
        self._draining = False
        self._meter = Meter()
        self.storage_error = ""  # why the last transaction was not stored; empty if it was

    def add(self, carrier: Carrier) -> None:
        self._outbox.add(carrier)

    # What the links call.

    def received(self, items: Sequence[Incoming], answer: Answer) -> None:
        self._inbox.add(items, answer)
        self._wake.set()

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        self._outbox.settled(outcomes)
        self._meter.outcomes(outcomes)
        self._wake.set()

    def learned(self, receipts: Sequence[Receipt]) -> None:
        self._learned += receipts
        self._wake.set()

    def session_ended(self, carrier: str, session: int, at: float) -> None:
        self._recent.session_ended(session, at)
        self._ended.append(SessionEnd(session, carrier, at))
        self._wake.set()

    def ready(self, carrier: str) -> None:
        self._wake.set()

    # What the program calls.

    @property
    def waiting(self) -> int:
        """Messages that came in and that no transaction has taken yet."""
        return len(self._inbox)

    def look_again(self) -> None:
        """Look for messages that another process has queued."""
        self._outbox.look_again()
        self._wake.set()

    async def run(self) -> None:
        """Work until `drain` and everything at hand is stored."""
        while True:
            await self._until_something_to_do()
            if self._something_to_do():
                await self._turn()
            elif self._draining:
                return
            elif self.storage_error and self._clock.monotonic() >= self._retry_at:
                await self._probe()

    def drain(self) -> None:
        """Make `run` return once what the links handed over is on disk, or can't be put there.

        Call it after the links have stopped.
        """
        self._draining = True
        self._wake.set()

    def _something_to_do(self) -> bool:
        if self._inbox:
            return True
        if self.storage_error and self._clock.monotonic() < self._retry_at:
            return False
        return bool(
            self._due() or self._outbox or self._ended or self._learned or self._outbox.sendable()
        )

    def _due(self) -> bool:
        """Whether it is time for something that waits, or the clock was set back meanwhile, so
        that only another transaction can tell when that is."""
        return self._wake_at is not None and not self._told_at <= self._clock.now() < self._wake_at

    async def _until_something_to_do(self) -> None:
        self._wake.clear()
        if self._something_to_do() or self._draining:
            return
        try:
            async with asyncio.timeout(self._pause()):
                await self._wake.wait()
        except TimeoutError:
            return

    def _pause(self) -> float:
        """Seconds until there may be something to do without anyone's asking."""
        if self.storage_error:
            return max(self._retry_at - self._clock.monotonic(), 0.0)
        if self._wake_at is not None:
            return min(max(self._wake_at - self._clock.now(), 0.0), LONGEST_PAUSE)
        return LONGEST_PAUSE

    async def _probe(self) -> None:
        """See whether the database can be written again, while nobody asks for it."""
        try:
            await self._messages.probe()
        except StorageUnavailableError as error:
            self._storage_failed(str(error))
        else:
            self._storage_worked()

    async def _turn(self) -> None:
        """One transaction, and what follows from it."""
        now = self._clock.now()
        if self._due():
            self._outbox.look_again()
        self._recent.sweep(now)
        batch = self._inbox.take()
        settlements = self._outbox.take()
        late = self._inbox.take_late()
        ended, self._ended = self._ended, []
        learned, self._learned = self._learned, []  # lost with the transaction: asked for again
        work = Work(
            now=now,
            ended=ended,
            late=late,
            settlements=settlements,
            receipts=batch.receipts,
            mos=batch.mos,
            redeliveries=batch.redeliveries,
            free=self._outbox.free(),
            learned=learned,
            bulk=self._outbox.spare(),
        )
        started = self._clock.monotonic()
        try:
            done = await self._messages.commit(work)
        except StorageUnavailableError as error:
            self._put_back(settlements, late, ended)
            self._storage_failed(str(error))
            self._inbox.failed(batch)
            self._meter.refused(batch.mos)
        else:
            self._storage_worked()
            self._after(batch, done, now)
            self._meter.committed(work, done, self._clock.monotonic() - started, self._clock.now())

    def _after(self, batch: Batch, done: Done, now: float) -> None:
        """Acknowledge and send; the links write both with one call."""
        self._wake_at, self._told_at = done.wake_at, now
        self._inbox.done(batch, done, self._clock.now())
        self._outbox.noted(done.backlog, done.bulk)
        self._outbox.dispatch(done.claimed)

    def _put_back(
        self, settlements: Sequence[Settlement], late: Sequence[int], ended: Sequence[SessionEnd]
    ) -> None:
        self._outbox.give_back(settlements)
        self._inbox.give_back_late(late)
        self._ended[:0] = ended

    def _storage_failed(self, reason: str) -> None:
        metrics.COMMIT_FAILURES.labels("unavailable").inc()
        self._retry_at = self._clock.monotonic() + STORAGE_PAUSE
        if not self.storage_error:
            log.error("storage.unavailable", reason=reason)
        self.storage_error = reason

    def _storage_worked(self) -> None:
        if self.storage_error:
            log.info("storage.recovered", was=self.storage_error)
            self.storage_error = ""

"""What came in and waits to be stored, and the verdicts it gets: acknowledged only when on disk."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from smsgw.service.duplicates import LATE, Recent, Stored
from smsgw.service.message import Ack, Mo, Receipt, Verdict
from smsgw.service.ports import Done, Incoming, Redelivery

Answer = Callable[[Sequence[Verdict]], None]

# How much one transaction takes at most: at 100 µs an MO it holds the write lock for 50 ms.
BATCH: Final = 500
# Characters that cost as much as another MO: a payload of 65,535 octets is a message too, and
# takes up to 0.4 s to read.
CHARACTERS: Final = 200


class Delivery(NamedTuple):
    """What one read of a connection brought."""

    items: Sequence[Incoming]
    answer: Answer


class Batch:
    """What one transaction takes, sorted for it, with all it needs to be acknowledged."""

    __slots__ = ("deliveries", "mos", "new", "receipts", "redelivered", "redeliveries")

    def __init__(self, deliveries: Sequence[Delivery], recent: Recent) -> None:
        self.deliveries = deliveries
        self.mos: list[Mo] = []
        self.receipts: list[Receipt] = []
        self.redeliveries: list[Redelivery] = []
        self.new: list[Stored] = []  # in step with mos
        self.redelivered: list[tuple[Stored, Mo]] = []
        place_of: dict[int, int] = {}
        for delivery in deliveries:
            for _, item in delivery.items:
                if isinstance(item, Receipt):
                    self.receipts.append(item)
                elif (stored := recent.absorb(item)) is not None:
                    stored.waiting = True
                    self.redelivered.append((stored, item))
                    self.redeliveries.append(
                        Redelivery(
                            stored.mo,
                            place_of.get(id(stored), -1),
                            item.carrier,
                            item.received_at,
                            item.session,
                        )
                    )
                else:
                    entry = recent.remember(item)
                    entry.waiting = True
                    place_of[id(entry)] = len(self.mos)
                    self.new.append(entry)
                    self.mos.append(item)

    def undecided(self, places: Sequence[int]) -> frozenset[int]:
        """The id() of each MO of these places, and of those that they would have absorbed."""
        lost = {id(self.new[place]) for place in places}
        return frozenset(
            {id(self.mos[place]) for place in places}
            | {id(mo) for stored, mo in self.redelivered if id(stored) in lost}
        )


class Inbox:
    """Collects what the links read; hands it on in batches; acknowledges what was stored."""

    def __init__(self, recent: Recent) -> None:
        self._recent = recent
        self._waiting: dict[str, deque[Delivery]] = {}  # by carrier, the next in turn first
        self._late: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def __len__(self) -> int:
        """Messages that no transaction has taken yet."""
        return sum(len(one.items) for waiting in self._waiting.values() for one in waiting)

    def add(self, items: Sequence[Incoming], answer: Answer) -> None:
        """Take what one read brought, which is of one carrier."""
        carrier = items[0][1].carrier
        self._waiting.setdefault(carrier, deque()).append(Delivery(items, answer))

    def take(self) -> Batch:
        """Whole reads that cost as much as about BATCH MOs together.

        Of one carrier the oldest come first. The carriers take turns, so that none waits longer
        for what another one floods us with.
        """
        cost = 0
        taken = []
        while self._waiting and cost < BATCH:
            carrier = next(iter(self._waiting))
            waiting = self._waiting.pop(carrier)
            delivery = waiting.popleft()
            if waiting:
                self._waiting[carrier] = waiting
            cost += sum(_cost(item) for _, item in delivery.items)
            taken.append(delivery)
        return Batch(taken, self._recent)

    def take_late(self) -> list[int]:
        """Ids of MOs that were acknowledged late and aren't on disk as such."""
        late, self._late = self._late, []
        return late

    def give_back_late(self, late: Sequence[int]) -> None:
        self._late.extend(late)

    def done(self, batch: Batch, done: Done, now: float) -> None:
        """Acknowledge a batch that is on disk, but for what could not be decided."""
        for number, entry in enumerate(batch.new, start=done.first_mo):
            entry.mo = number
        for entry in [*batch.new, *(entry for entry, _ in batch.redelivered)]:
            entry.waiting = False
            if now - entry.received_at > LATE and entry.mo is not None:
                entry.late = True
                self._late.append(entry.mo)
        for index in done.undecided:
            self._recent.forget(batch.new[index])
        undecided = batch.undecided(done.undecided)
        for delivery in batch.deliveries:
            delivery.answer(
                [
                    Verdict(token, Ack.RETRY if id(item) in undecided else Ack.DONE)
                    for token, item in delivery.items
                ]
            )

    def failed(self, batch: Batch) -> None:
        """Ask for all of a batch again: nothing of it was stored, nothing may be absorbed by it.

        What stored MOs absorbed is asked for again too, and must be absorbed again.
        """
        for entry in batch.new:
            self._recent.forget(entry)
        for entry, _ in batch.redelivered:
            entry.late, entry.waiting = True, False
        for delivery in batch.deliveries:
            delivery.answer([Verdict(token, Ack.RETRY) for token, _ in delivery.items])


def _cost(item: Mo | Receipt) -> int:
    return 1 + len(item.text) // CHARACTERS if isinstance(item, Mo) else 1

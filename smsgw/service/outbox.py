"""Messages on their way out: who may send how much, and what became of each submit."""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby

from smsgw.service.message import BULK, MtState, Outcome, Segment
from smsgw.service.ports import Carrier, Settlement
from smsgw.service.retry import HOLD, Losses, settle


class Outbox:
    """Spreads claimed segments over the carriers and collects what becomes of them.

    What it keeps is bounded by the carriers' windows: each settlement is of a segment that
    took a place in one. `losses` says what follows where a response was lost.

    Bulk has a backlog of its own: while only that is left, and no room for it, there is nothing
    to do.
    """

    def __init__(self, losses: Losses = HOLD) -> None:
        self._losses = losses
        self._carriers: dict[str, Carrier] = {}
        self._settlements: list[Settlement] = []
        self._backlog: dict[str, bool] = {}
        self._bulk: dict[str, bool] = {}

    def add(self, carrier: Carrier) -> None:
        """Use this link; what is queued for it is unknown, so it is looked for."""
        self._carriers[carrier.id] = carrier
        self._backlog[carrier.id] = self._bulk[carrier.id] = True

    def __bool__(self) -> bool:
        return bool(self._settlements)

    def settled(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            settlement = settle(outcome, self._losses)
            self._settlements.append(settlement)
            if settlement.state is MtState.QUEUED:
                backlog = self._bulk if outcome.segment.kind in BULK else self._backlog
                backlog[settlement.carrier] = True

    def take(self) -> list[Settlement]:
        settlements, self._settlements = self._settlements, []
        return settlements

    def give_back(self, settlements: Sequence[Settlement]) -> None:
        """Keep what could not be written for the next transaction, in its old place."""
        self._settlements[:0] = settlements
        self.look_again()

    def look_again(self) -> None:
        """Expect queued segments for every carrier: someone else may have written some, or the
        time has come for some."""
        self._backlog = dict.fromkeys(self._carriers, True)
        self._bulk = dict.fromkeys(self._carriers, True)

    def free(self) -> dict[str, int]:
        """How many segments may be claimed, by carrier; carriers without a free place are out.

        The transaction that is told will say what is left: until then nothing is expected.
        """
        free = {
            carrier.id: places
            for carrier in self._carriers.values()
            if (places := carrier.capacity()) > 0
        }
        self._backlog.update(dict.fromkeys(free, False))
        return free

    def spare(self) -> dict[str, int]:
        """How many of these may be bulk, by carrier; the rest as with `free`.

        None while no bulk is expected anywhere. Where some is, any carrier may have it: a phone
        that moves takes its notices along.
        """
        if not any(self._bulk.values()):
            return {}
        spare = {
            carrier.id: places
            for carrier in self._carriers.values()
            if (places := carrier.spare()) > 0
        }
        self._bulk.update(dict.fromkeys(spare, False))
        return spare

    def noted(self, backlog: Collection[str], bulk: Collection[str]) -> None:
        """Expect queued segments for these carriers: some that aren't bulk, and bulk."""
        self._backlog.update(dict.fromkeys(backlog, True))
        self._bulk.update(dict.fromkeys(bulk, True))

    def sendable(self) -> bool:
        """Whether something is queued, as far as is known, for a carrier with a place for it."""
        return any(
            (self._backlog[carrier.id] and carrier.capacity() > 0)
            or (self._bulk[carrier.id] and carrier.spare() > 0)
            for carrier in self._carriers.values()
        )

    def dispatch(self, claimed: Sequence[Segment]) -> None:
        """Submit segments that are on disk as claimed, grouped by carrier in their order."""
        for carrier, segments in groupby(claimed, key=lambda segment: segment.carrier):
            self._carriers[carrier].submit(list(segments))

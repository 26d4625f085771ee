"""What the service asks of the rooms above it, and what it offers them: one protocol a user."""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from smsgw.service.message import (
    Inquiry,
    MessageKind,
    Mo,
    MtState,
    Outcome,
    Receipt,
    Segment,
    SegmentKey,
    Verdict,
)
from smsgw.service.today import Silence
from smsgw.text.reassembly import Closing


class LinkStatus(StrEnum):
    """How a link to a carrier stands."""

    CONNECTING = "connecting"
    BOUND = "bound"
    WAITING = "waiting"  # between two tries
    DRAINED = "drained"  # out for maintenance, by an operator
    STOPPED = "stopped"


class LinkState(NamedTuple):
    """A link as it stands at one moment, for those who watch it."""

    carrier: str
    name: str
    status: LinkStatus
    since: float  # when this status began, seconds since 1970
    sessions: int  # that are bound
    in_flight: int  # submits without a response
    window: int  # how many there may be, over all sessions
    throughput: float  # submits a second allowed; 0: no limit
    last_error: str  # why the last session or try ended; empty: none did
    pace: float = 0.0  # submits a second that the carrier was found to take; 0: nothing limits them


class Carrier(Protocol):
    """A link to one carrier, as the outbox uses it."""

    @property
    def id(self) -> str: ...

    def capacity(self) -> int:
        """How many segments may be submitted at this moment; 0 while nothing is bound."""

    def spare(self) -> int:
        """How many of these may be bulk: what nobody waits for leaves room for an answer."""

    def submit(self, segments: Sequence[Segment]) -> None:
        """Send `segments`, each of which is on disk as claimed, and no more than `capacity()`.

        Each comes back exactly once through `Exchange.settled`, also when its session ends.
        """

    def ask(self, inquiries: Sequence[Inquiry]) -> int:
        """Ask the carrier what became of segments, and return of how many: the first of them.

        0 while there is no room, and where a carrier can't be asked. What it says comes through
        `Exchange.learned`, if it says anything.
        """

    def state(self) -> LinkState: ...


Incoming = tuple[int, Mo | Receipt]  # a token of the connection's, and what it stands for


class Exchange(Protocol):
    """What a link hands its messages to. All calls return at once; none raises."""

    def received(
        self, items: Sequence[Incoming], answer: Callable[[Sequence[Verdict]], None]
    ) -> None:
        """Take what one read brought, in its order; `answer` is called once all is decided.

        `answer` gets a verdict for each token, after its effect is on disk or could not be
        put there. It is called in the event loop, and may be called after the session's end.
        """

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        """Take what became of submitted segments."""

    def learned(self, receipts: Sequence[Receipt]) -> None:
        """Take what a carrier said when it was asked."""

    def session_ended(self, carrier: str, session: int, at: float) -> None:
        """Note that an SMPP session ended at `at`, for the rule on redeliveries."""

    def ready(self, carrier: str) -> None:
        """Say that a carrier's room grew by something else than an outcome: a bind, say."""


class Redelivery(NamedTuple):
    """An MO that a stored one absorbs."""

    mo: int | None  # that one's id; None: it is in the same transaction
    place: int  # then its index in Work.mos
    carrier: str
    received_at: float
    session: int


class SessionEnd(NamedTuple):
    session: int
    carrier: str
    at: float


class Settlement(NamedTuple):
    """What is to be written of a segment after a submit."""

    key: SegmentKey
    carrier: str
    state: MtState
    not_before: float | None  # set with MtState.WAITING; with UNKNOWN: when its wait ends
    message_id: str
    error: str
    attempts: int
    lost: int
    response_id: str = ""
    late: bool = False  # of attempt `attempts`, given up before; no other may have begun since
    bare: bool = False
    unnamed: bool = False  # the carrier may have it, by an id that isn't known
    not_ours: bool = False  # refused, for the number is not the carrier's own


class Work(NamedTuple):
    """What one transaction does, in the order of its fields."""

    now: float
    ended: Sequence[SessionEnd]
    late: Sequence[int]  # ids of MOs whose acknowledgement went out late
    settlements: Sequence[Settlement]
    receipts: Sequence[Receipt]
    mos: Sequence[Mo]
    redeliveries: Sequence[Redelivery]
    free: Mapping[str, int]  # segments to claim at most, by carrier; a carrier not named: none
    learned: Sequence[Receipt] = ()  # by asking: never parked
    bulk: Mapping[str, int] = {}  # of `free`, places that bulk may have too (message.BULK)


class Tally(NamedTuple):
    """What a transaction did, for the metrics: counts by carrier and what is named."""

    intents: Mapping[tuple[str, str], int]  # MOs by carrier and intent
    silences: Mapping[tuple[str, Silence], int]  # MOs without an answer, by carrier and why
    parts: Mapping[str, int]  # parts of long MOs
    repeats: Mapping[str, int]  # of these, how many had come before
    closed: Mapping[tuple[str, Closing], int]  # long MOs, by why no more parts are waited for
    created: Mapping[tuple[str, MessageKind], int]  # messages by carrier and kind
    final: Mapping[tuple[str, MtState], int]  # segments by carrier and final state
    parked: Mapping[str, int]  # receipts that matched nothing
    matched: Mapping[tuple[str, str], int] = {}  # final ones that settled a segment, by how
    late: Mapping[tuple[str, str], int] = {}  # responses given up before: used or too_late
    noticed: Mapping[tuple[str, str], int] = {}  # notices sent, by carrier and kind
    cancelled: Mapping[tuple[str, str], int] = {}  # notices not sent, by kind and why


class Done(NamedTuple):
    """What a transaction left behind; all of it is on disk."""

    first_mo: int  # id of Work.mos[0]; the others follow it, whether stored or not
    undecided: Sequence[int]  # indexes of MOs not stored, as deciding them raised an error
    claimed: Sequence[Segment]  # to be submitted, in this order, those of a carrier together
    backlog: Collection[str]  # carriers for which queued segments remain that aren't bulk
    wake_at: float | None  # when something is due that waits: a segment, a long MO
    tally: Tally
    bulk: Collection[str] = ()  # carriers for which bulk remains that may go now


class StorageUnavailableError(Exception):
    """The database can't be written now (full disk, locked, I/O error): later it may."""


class Messages(Protocol):
    """The store as the exchange uses it."""

    async def commit(self, work: Work) -> Done:
        """Do `work` in one transaction: all of it or, with an exception, nothing.

        Raises StorageUnavailableError where trying again later makes sense.
        """

    async def probe(self) -> None:
        """Write something that changes nothing. Raises StorageUnavailableError."""

"""Which MOs are redeliveries: those whose first acknowledgement may not have arrived.

An SMSC sends a deliver_sm again when it saw no response to it. The customer who writes
`smetka` twice is no such case: each gets its answer. So equality alone is not enough; the
acknowledgement of the stored MO must be in doubt, because its session ended soon after it or
because it went out late. What is remembered here is rebuilt from the database at start.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final, NamedTuple

from smsgw.service.message import Mo

LATE: Final = 10.0  # seconds after which an SMSC may have given up on a response
# Octets kept of a message: all that one SMS holds. A payload may have 65,535 of them, and with as
# many entries as `limit` allows they would fill any memory.
MOST_OCTETS: Final = 160

# Equal MOs remembered. All of them are looked through for each that comes, and an SMSC repeats no
# more than it had unanswered.
EQUAL: Final = 100


class Key(NamedTuple):
    """What two deliveries of the same message have in common."""

    carrier: str
    source: str
    destination: str
    esm_class: int
    data_coding: int
    octets: bytes  # a digest if they are many
    part: tuple[int, int, int] | None = None  # of a long message, which TLVs may say, not octets

    @classmethod
    def of(
        cls,
        carrier: str,
        source: str,
        destination: str,
        esm_class: int,
        data_coding: int,
        octets: bytes,
    ) -> "Key":
        if len(octets) > MOST_OCTETS:
            octets = blake2b(octets).digest()
        return cls(carrier, source, destination, esm_class, data_coding, octets)


def key(mo: Mo) -> Key:
    """The key of an MO."""
    same = Key.of(mo.carrier, mo.source, mo.destination, mo.esm_class, mo.data_coding, mo.octets)
    return same if mo.part is None else same._replace(part=mo.part[:3])


class Remembered(NamedTuple):
    """A stored MO as the database remembers it, for the start."""

    mo: int
    key: Key
    stored_at: float
    session: int  # of its last delivery
    received_at: float  # of its last delivery
    late: bool


class Stored:
    """A stored MO and the delivery of it whose acknowledgement counts: the last one."""

    __slots__ = ("key", "late", "mo", "received_at", "session", "stored_at", "waiting")

    def __init__(
        self, key: Key, stored_at: float, session: int, received_at: float, mo: int | None
    ) -> None:
        self.key = key
        self.stored_at = stored_at
        self.session = session
        self.received_at = received_at
        self.late = False
        self.waiting = False  # for its acknowledgement: the transaction is not through
        self.mo = mo  # None until its transaction is through


class Recent:
    """The stored MOs that may still absorb a redelivery.

    Not thread-safe. Its size is bounded by `limit`: past it the oldest are forgotten.
    """

    def __init__(self, window: float, response_timeout: Mapping[str, float], limit: int) -> None:
        self._window = window
        self._timeout = response_timeout
        self._limit = limit
        self._by_key: dict[Key, list[Stored]] = {}
        # Deliveries whose acknowledgement may still come into doubt, each with its time.
        self._fresh: deque[tuple[float, Stored]] = deque()
        self._doubtful: deque[Stored] = deque()  # in doubt until the window closes
        self._ended: dict[int, float] = {}  # sessions that ended, and when
        self._lasting: set[int] = set()  # sessions that live; in neither: died with its process

    def __len__(self) -> int:
        return len(self._fresh) + len(self._doubtful)

    def restore(self, stored: Iterable[Remembered], ended: Mapping[int, float]) -> None:
        """Take what the database remembers, oldest first, and the ends of sessions it knows.

        A session without an end there ended with its process, whenever that was.
        """
        self._ended.update(ended)
        for one in stored:
            entry = Stored(one.key, one.stored_at, one.session, one.received_at, one.mo)
            entry.late = one.late
            self._add(entry)

    def session_ended(self, session: int, at: float) -> None:
        self._lasting.discard(session)
        self._ended[session] = at

    def absorb(self, mo: Mo) -> Stored | None:
        """The stored MO that `mo` is a redelivery of, which now waits for this one's
        acknowledgement instead; None: `mo` is new."""
        for entry in self._by_key.get(key(mo), ()):
            doubtful = self._in_doubt(entry) or _late_by_then(entry, mo)
            if doubtful and mo.received_at - entry.stored_at <= self._window:
                self._note_session(mo)
                entry.session, entry.received_at, entry.late = mo.session, mo.received_at, False
                self._fresh.append((entry.received_at, entry))
                return entry
        return None

    def remember(self, mo: Mo) -> Stored:
        """Take `mo` as a new message. Call `forget` if it could not be stored."""
        entry = Stored(key(mo), mo.received_at, mo.session, mo.received_at, None)
        self._note_session(mo)
        self._add(entry)
        return entry

    def forget(self, entry: Stored) -> None:
        """Drop an entry, so that it absorbs nothing any more."""
        entries = self._by_key.get(entry.key)
        if entries and entry in entries:
            entries.remove(entry)
            if not entries:
                del self._by_key[entry.key]

    def sweep(self, now: float) -> None:
        """Forget what can't absorb anything any more. Costs little for each MO ever taken."""
        while self._fresh:
            delivered_at, entry = self._fresh[0]
            crowded = len(self) > self._limit
            if not crowded and now - delivered_at <= self._timeout_of(entry):
                break
            self._fresh.popleft()
            if crowded:
                self.forget(entry)
            elif delivered_at == entry.received_at:  # else it was delivered again since
                if self._in_doubt(entry):
                    self._doubtful.append(entry)
                else:
                    self.forget(entry)
        while self._doubtful and now - self._doubtful[0].stored_at > self._window:
            self.forget(self._doubtful.popleft())
        for session in [s for s, at in self._ended.items() if now - at > self._window]:
            del self._ended[session]

    def _add(self, entry: Stored) -> None:
        equal = self._by_key.setdefault(entry.key, [])
        equal.append(entry)
        if len(equal) > EQUAL:
            del equal[0]
        self._fresh.append((entry.received_at, entry))

    def _note_session(self, mo: Mo) -> None:
        if mo.session not in self._ended:
            self._lasting.add(mo.session)

    def _timeout_of(self, entry: Stored) -> float:
        return self._timeout.get(entry.key.carrier, self._window)

    def _in_doubt(self, entry: Stored) -> bool:
        """Whether the acknowledgement of the entry's last delivery may not have arrived."""
        if entry.late:
            return True
        if entry.session in self._lasting:
            return False
        ended = self._ended.get(entry.session)
        return ended is None or ended - entry.received_at <= self._timeout_of(entry)


def _late_by_then(entry: Stored, mo: Mo) -> bool:
    """Whether the entry's last delivery was still unacknowledged when it was late already."""
    return entry.waiting and mo.received_at - entry.received_at > LATE

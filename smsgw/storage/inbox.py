"""Storing what customers sent: each MO is decided on what is stored, and the decision applied."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

from smsgw.log import get_logger
from smsgw.service.conversation import decide
from smsgw.service.customer import Subscription
from smsgw.service.decision import Block, Change, Move, Subscribe
from smsgw.service.duplicates import Key, Remembered
from smsgw.service.keywords import Intent, read
from smsgw.service.message import Channel, Encoding, Mo, Mt
from smsgw.service.ports import Redelivery, SessionEnd
from smsgw.service.today import NOTHING, Day, Page, Silence, Used, day_of, midnight
from smsgw.storage import stops, subscriptions
from smsgw.storage.assembly import Assemblies, Assembly, piece_of
from smsgw.storage.audit import CUSTOMER, Author
from smsgw.storage.lookup import Lookup
from smsgw.storage.messages import last_id
from smsgw.storage.policy import Policy
from smsgw.storage.telling import tell
from smsgw.text.alphabets import decode_mo
from smsgw.text.reassembly import MOST_OCTETS, Closing, Piece, Place, join
from smsgw.text.userdata import Part

log = get_logger(__name__)

INSERT_MO: Final = """
INSERT INTO mo (id, received_at, carrier, session, msisdn, destination, esm_class, data_coding,
                octets, text, intent, silence, used, tried, reference, total, part, assembly)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

# Seconds by which MOs may stand out of order of time in the table: the clock was set back, say.
DISORDER: Final = 60.0


class Taken(NamedTuple):
    """What a batch of MOs came to."""

    first_mo: int
    undecided: Sequence[int]
    answers: Sequence[Mt]
    unawaited: Sequence[Mt]  # to others than the senders
    intents: Counter[tuple[str, str]]
    silences: Counter[tuple[str, Silence]]
    parts: Counter[str]
    repeats: Counter[str]
    closed: Counter[tuple[str, Closing]]
    wake_at: float | None  # when a long message will have waited long enough for its parts


def take(
    con: sqlite3.Connection,
    mos: Sequence[Mo],
    now: float,
    cache: bool,
    policy: Policy,
    today: Page,
) -> Taken:
    """Decide MOs in their order, each seeing what the one before changed, and store them.

    `cache` says whether a billing cache is attached; `today` is what phones have had of this day,
    and takes what they get now. Parts of a long message are stored; the one
    that completes it stands for the whole, which is decided in its place. What has waited too
    long for its parts is decided first, as what came of it.

    An MO that can't be decided (an error of this program's) is left out and listed.
    """
    first = last_id(con, "mo") + 1
    desk = _Desk(con, now, cache, policy, today)
    desk.close_overdue()
    undecided = [index for index, mo in enumerate(mos) if not desk.take(first + index, mo)]
    desk.store()
    return Taken(
        first,
        undecided,
        desk.answers,
        desk.unawaited,
        desk.intents,
        desk.silences,
        desk.parts,
        desk.repeats,
        desk.closed,
        desk.wake_at(),
    )


class _Decided(NamedTuple):
    """What a row of mo says of the decision."""

    intent: Intent | None
    silence: Silence | None = None
    used: Used = NOTHING
    tried: tuple[str, ...] = ()

    def columns(self) -> tuple[str | None, str | None, str | None, str | None]:
        """intent, silence, used, tried."""
        used = None if self.used == NOTHING else "".join([str(int(count)) for count in self.used])
        return self.intent, self.silence, used, " ".join(self.tried) or None


_UNDECIDED: Final = _Decided(None)


class _Desk:
    """Decides messages one after another, within one transaction, and counts what they are."""

    def __init__(
        self, con: sqlite3.Connection, now: float, cache: bool, policy: Policy, today: Page
    ) -> None:
        self._con = con
        self._now = now
        self._policy = policy
        self._today = today
        self._lookup = Lookup(con, cache, today, policy.codes_by)
        self._author = Author(policy.keyed, CUSTOMER, now)
        self._assemblies = Assemblies(con, policy.reassembly, now)
        self._rows: list[tuple[object, ...]] = []
        self.answers: list[Mt] = []
        self.unawaited: list[Mt] = []
        self.intents: Counter[tuple[str, str]] = Counter()
        self.silences: Counter[tuple[str, Silence]] = Counter()
        self.parts: Counter[str] = Counter()
        self.repeats: Counter[str] = Counter()
        self.closed: Counter[tuple[str, Closing]] = Counter()

    def take(self, mo_id: int, mo: Mo) -> bool:
        """Decide an MO, or keep it as a part of one; False if it can't be decided."""
        if mo.part is not None:
            return self._take_part(mo_id, mo, mo.part)
        decided = self._decide(mo_id, mo)
        if decided is not None:
            self._rows.append(_row(mo_id, mo, decided))
        return decided is not None

    def close_overdue(self) -> None:
        for one in self._assemblies.overdue():
            self._close(one, Closing.TIME)

    def store(self) -> None:
        """Store the MOs that aren't yet: all but the parts that wait for others."""
        self._con.executemany(INSERT_MO, self._rows)

    def wake_at(self) -> float | None:
        return self._assemblies.wake_at()

    def _decide(self, mo_id: int, mo: Mo) -> _Decided | None:
        """Decide a message and do what follows from it; None if it can't be decided."""
        try:
            reading = read(mo.text)
            known = self._lookup.known(mo.source, reading)
            decision = decide(mo, reading, known, self._now, self._policy.rules)
        except (sqlite3.Error, MemoryError):
            raise  # SQLite may have rolled the transaction back by itself
        except Exception:
            log.exception("mo.undecided", carrier=mo.carrier, msisdn=mo.source)
            return None
        for change in decision.changes:
            _apply(self._con, mo, change, self._author)
        self.answers.extend(
            Mt(mo.carrier, reply.kind, mo.source, reply.text, mo.received_at, mo_id)
            for reply in decision.replies
        )
        if decision.told:
            self.unawaited.extend(
                tell(decision.told, self._policy.encodings, self._policy.rules, self._now)
            )
        self._today.add(mo.source.digits, decision.used, decision.tried)
        self.intents[mo.carrier, reading.intent] += 1
        if decision.silence is not None:
            self.silences[mo.carrier, decision.silence] += 1
        return _Decided(reading.intent, decision.silence, decision.used, decision.tried)

    def _take_part(self, mo_id: int, mo: Mo, part: Part) -> bool:
        place, waiting = self._assemblies.place(mo, part)
        if place is Place.REPEAT:
            self.repeats[mo.carrier] += 1
            self.parts[mo.carrier] += 1
            self._rows.append(_row(mo_id, mo, None))
            return True
        if waiting is not None and place is Place.CONTRADICTION:
            self._close(waiting, Closing.CONTRADICTION)
            waiting = None
        elif waiting is not None and waiting.octets + len(mo.octets) > MOST_OCTETS:
            self._close(waiting, Closing.BOUND)
            waiting = None
        if waiting is None:
            waiting = self._assemblies.begin(mo, part)
        elif waiting.came + 1 == part.total:
            return self._complete(mo_id, mo, part, waiting)
        self._keep(waiting, mo, _row(mo_id, mo, None, waiting.id))
        while (oldest := self._assemblies.crowded_out()) is not None:
            self._close(oldest, Closing.BOUND)
        return True

    def _complete(self, mo_id: int, mo: Mo, part: Part, waiting: Assembly) -> bool:
        """Decide a message whose last part came; False, and nothing changed, if it can't be."""
        _, pieces = self._assemblies.pieces(waiting)
        whole = mo._replace(text=self._text(mo.carrier, [*pieces, piece_of(mo, part)]))
        decided = self._decide(mo_id, whole)
        if decided is None:
            return False
        self._assemblies.close(self._keep(waiting, mo, _row(mo_id, whole, decided, waiting.id)))
        self.closed[mo.carrier, Closing.WHOLE] += 1
        return True

    def _keep(self, waiting: Assembly, mo: Mo, row: tuple[object, ...]) -> Assembly:
        """Store a part at once: the next one of this transaction is joined to it."""
        self._con.execute(INSERT_MO, row)
        self.parts[mo.carrier] += 1
        return self._assemblies.add(waiting, mo)

    def _close(self, waiting: Assembly, why: Closing) -> None:
        """Wait no longer for the other parts of a message: decide what came of it.

        Nobody can be asked again for what can't be decided: it is closed all the same.
        """
        mo_id, pieces = self._assemblies.pieces(waiting)
        mo = Mo(
            waiting.carrier,
            session=0,
            received_at=self._now,
            source=waiting.source,
            destination=waiting.destination,
            esm_class=0,
            data_coding=0,
            octets=b"",
            text=self._text(waiting.carrier, pieces),
        )
        decided = self._decide(mo_id, mo) or _UNDECIDED
        self._con.execute(
            "UPDATE mo SET text = ?, intent = ?, silence = ?, used = ?, tried = ? WHERE id = ?",
            (mo.text, *decided.columns(), mo_id),
        )
        self._assemblies.close(waiting)
        self.closed[waiting.carrier, why] += 1

    def _text(self, carrier: str, pieces: Iterable[Piece]) -> str:
        alphabet = self._policy.encodings.get(carrier, Encoding()).default_alphabet
        return join(pieces, lambda octets, coding: decode_mo(octets, coding, alphabet) or "")


def _apply(con: sqlite3.Connection, mo: Mo, change: Change, author: Author) -> None:
    if isinstance(change, Subscribe):
        stops.lift(con, author.keyed, mo.source)
        subscriptions.subscribe(
            con,
            Subscription(
                mo.source,
                change.customer_number,
                change.state,
                mo.carrier,
                change.script,
                Channel.SMS,
                author.now,
            ),
            notify=True,
            author=author,
            code=author.keyed.code(change.customer_number, change.code) if change.code else None,
        )
    elif isinstance(change, Move):
        subscriptions.move(con, mo.source, change.carrier, author)
    elif isinstance(change, Block):
        stops.enter(con, author.keyed, change.msisdn, author.now)
    else:
        subscriptions.end(con, mo.source, change.customer_number, author)


def _row(
    mo_id: int, mo: Mo, decided: _Decided | None, assembly: int | None = None
) -> tuple[object, ...]:
    return (
        mo_id,
        mo.received_at,
        mo.carrier,
        mo.session,
        mo.source.digits,
        mo.destination,
        mo.esm_class,
        mo.data_coding,
        mo.octets,
        mo.text,
        *(decided or _UNDECIDED).columns(),
        *(mo.part[:3] if mo.part else (None, None, None)),
        assembly,
    )


def note_redeliveries(
    con: sqlite3.Connection, redeliveries: Sequence[Redelivery], taken: Taken
) -> None:
    """Note redeliveries; of the MOs they repeat, the last delivery's acknowledgement counts."""
    rows = [
        (
            taken.first_mo + again.place if again.mo is None else again.mo,
            again.received_at,
            again.session,
        )
        for again in redeliveries
        if again.mo is not None or again.place not in taken.undecided
    ]
    con.executemany("INSERT INTO redelivery (mo_id, received_at, session) VALUES (?, ?, ?)", rows)
    con.executemany("UPDATE mo SET late = 0 WHERE id = ?", [row[:1] for row in rows])


def note_sessions(con: sqlite3.Connection, ended: Sequence[SessionEnd]) -> None:
    con.executemany(
        "INSERT OR REPLACE INTO session_end (session, carrier, ended_at) VALUES (?, ?, ?)", ended
    )


def note_late(con: sqlite3.Connection, late: Sequence[int]) -> None:
    """Mark MOs whose last delivery was acknowledged late."""
    con.executemany("UPDATE mo SET late = 1 WHERE id = ?", [(mo,) for mo in late])


def counted_today(con: sqlite3.Connection, counted: Day, timezone: tzinfo, now: float) -> None:
    """Count what phones have had since the day began, as the MOs at the table's tail tell."""
    since = midnight(now, timezone)
    today = counted.page(day_of(now, timezone))
    for received_at, msisdn, used, tried in con.execute(
        "SELECT received_at, msisdn, used, tried FROM mo ORDER BY id DESC"
    ):
        if received_at < since - DISORDER:
            break
        if received_at >= since:
            counts = Used(*map(int, used)) if used else NOTHING
            today.add(msisdn, counts, tried.split() if tried else ())
    counted.keep(today)


def remembered(
    con: sqlite3.Connection, since: float, limit: int
) -> tuple[list[Remembered], dict[int, float]]:
    """What the rule on redeliveries needs at start: the last MOs stored since then, `limit` at
    most, and sessions' ends.

    Read backwards from the table's tail: ids grow with time.
    """
    stored = []
    for mo, received_at, session, late, *same, reference, total, number in con.execute(
        "SELECT id, received_at, session, late, carrier, msisdn, destination, esm_class,"
        " data_coding, octets, reference, total, part FROM mo ORDER BY id DESC LIMIT ?",
        (limit,),
    ):
        if received_at < since - DISORDER:
            break
        again = con.execute(
            "SELECT session, received_at FROM redelivery WHERE mo_id = ?"
            " ORDER BY rowid DESC LIMIT 1",
            (mo,),
        ).fetchone()
        last_session, last_at = again or (session, received_at)
        key = Key.of(*same)
        if number is not None:
            key = key._replace(part=(reference, total, number))
        stored.append(Remembered(mo, key, received_at, last_session, last_at, bool(late)))
    ended = con.execute(
        "SELECT session, ended_at FROM session_end WHERE ended_at >= ?", (since,)
    ).fetchall()
    stored.reverse()
    return stored, dict(ended)

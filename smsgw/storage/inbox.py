"""Storing what customers sent: each MO is decided on what is stored, and the decision applied."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from smsgw.log import get_logger
from smsgw.service.conversation import decide
from smsgw.service.customer import Subscription
from smsgw.service.decision import Block, Change, Decision, Move, Rules, Subscribe
from smsgw.service.duplicates import Key, Remembered
from smsgw.service.keyed import Keyed
from smsgw.service.keywords import Reading, read
from smsgw.service.message import Channel, Encoding, MessageKind, Mo, Mt
from smsgw.service.ports import Redelivery, SessionEnd
from smsgw.service.retry import SENT_ONCE_MORE
from smsgw.storage import stops, subscriptions
from smsgw.storage.audit import CUSTOMER, Author
from smsgw.storage.lookup import known
from smsgw.storage.messages import last_id

log = get_logger(__name__)

INSERT_MO: Final = """
INSERT INTO mo (id, received_at, carrier, session, msisdn, destination, esm_class, data_coding,
                octets, text, intent, reference, total, part)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

# Seconds by which MOs may stand out of order of time in the table: the clock was set back, say.
DISORDER: Final = 60.0


class Policy(NamedTuple):
    """What the configuration says about deciding and writing messages."""

    rules: Rules
    encodings: Mapping[str, Encoding]  # by carrier
    keyed: Keyed
    sent_once_more: Collection[MessageKind] = SENT_ONCE_MORE  # when a response was lost


class Taken(NamedTuple):
    """What a batch of MOs came to."""

    first_mo: int
    undecided: Sequence[int]
    answers: Sequence[Mt]
    intents: Counter[tuple[str, str]]
    parts: Counter[str]


def take(
    con: sqlite3.Connection, mos: Sequence[Mo], now: float, cache: bool, policy: Policy
) -> Taken:
    """Decide MOs in their order, each seeing what the one before changed, and store them.

    `cache` says whether a billing cache is attached.

    An MO that can't be decided (an error of this program's) is left out and listed.
    """
    first = last_id(con, "mo") + 1
    rows: list[tuple[object, ...]] = []
    undecided: list[int] = []
    answers: list[Mt] = []
    intents: Counter[tuple[str, str]] = Counter()
    parts: Counter[str] = Counter()
    for index, mo in enumerate(mos):
        mo_id = first + index
        if mo.part is not None:
            parts[mo.carrier] += 1
            rows.append(_row(mo_id, mo, None))
            continue
        try:
            reading, decision = _decide(con, mo, now, cache, policy.rules)
        except (sqlite3.Error, MemoryError):
            raise  # SQLite may have rolled the transaction back by itself
        except Exception:
            log.exception("mo.undecided", carrier=mo.carrier, msisdn=mo.source)
            undecided.append(index)
            continue
        for change in decision.changes:
            _apply(con, mo, change, Author(policy.keyed, CUSTOMER, now))
        answers.extend(
            Mt(mo.carrier, reply.kind, mo.source, reply.text, mo.received_at, mo_id)
            for reply in decision.replies
        )
        intents[mo.carrier, reading.intent] += 1
        rows.append(_row(mo_id, mo, reading.intent))
    con.executemany(INSERT_MO, rows)
    return Taken(first, undecided, answers, intents, parts)


def _decide(
    con: sqlite3.Connection, mo: Mo, now: float, cache: bool, rules: Rules
) -> tuple[Reading, Decision]:
    reading = read(mo.text)
    return reading, decide(mo, reading, known(con, cache, mo.source, reading), now, rules)


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
        )
    elif isinstance(change, Move):
        subscriptions.move(con, mo.source, change.carrier, author)
    elif isinstance(change, Block):
        stops.enter(con, author.keyed, change.msisdn, author.now)
    else:
        subscriptions.end(con, mo.source, change.customer_number, author)


def _row(mo_id: int, mo: Mo, intent: str | None) -> tuple[object, ...]:
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
        intent,
        *(mo.part[:3] if mo.part else (None, None, None)),
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


def remembered(
    con: sqlite3.Connection, since: float, limit: int
) -> tuple[list[Remembered], dict[int, float]]:
    """What the rule on redeliveries needs at start: the last MOs stored since then, `limit` at
    most, and sessions' ends.

    Read backwards from the table's tail: ids grow with time.
    """
    stored = []
    for mo, received_at, session, late, *key in con.execute(
        "SELECT id, received_at, session, late, carrier, msisdn, destination, esm_class,"
        " data_coding, octets FROM mo ORDER BY id DESC LIMIT ?",
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
        stored.append(Remembered(mo, Key.of(*key), received_at, last_session, last_at, bool(late)))
    ended = con.execute(
        "SELECT session, ended_at FROM session_end WHERE ended_at >= ?", (since,)
    ).fetchall()
    stored.reverse()
    return stored, dict(ended)

"""What partners asked to be done: once each, however often they say it, and told afterwards.

A request under an Idempotency-Key is carried out once; who repeats it is answered as before. What
fits into one transaction is noted in the same one as its effect, so that a crash leaves both or
neither. What takes longer is noted when it begins and when it has ended; each of these operations
does no harm when it is done twice, and is begun anew where it was cut off.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final, NamedTuple

from smsgw.service.keyed import Keyed
from smsgw.service.message import Msisdn
from smsgw.storage.database import transaction

KEPT: Final = 24 * 3600.0  # seconds for which an answer can be given again


class Asked(NamedTuple):
    """A request: who asks, what for, and by which words it is known again."""

    at: float
    partner: int  # the id of its key
    operation: str
    once: str | None  # the Idempotency-Key
    fingerprint: bytes  # of all that was asked
    person: bytes | None = None  # the phone that it is about


class Answer(NamedTuple):
    """What is answered, as JSON with a status of HTTP."""

    status: int
    body: dict[str, Any]
    reason: str = ""  # why it was refused, in a word
    mt: int | None = None  # the message that came of it
    again: bool = False  # it was answered before


class RepeatedError(Exception):
    """An Idempotency-Key that can't be answered as before; `reason` says why in a word."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Request(NamedTuple):
    """A request as it was noted, for those who look at it."""

    id: int
    at: float
    partner: str
    channel: str
    operation: str
    status: int | None  # None: it was cut off, or is under way
    reason: str
    mt: int | None


def person(keyed: Keyed, msisdn: Msisdn) -> bytes:
    """What a phone is known by here."""
    return keyed.digest("request.person", msisdn.digits)


def carry_out(
    con: sqlite3.Connection, asked: Asked, effect: Callable[[sqlite3.Connection], Answer]
) -> Answer:
    """Do what was asked, unless it was done before, in one transaction.

    `effect` works inside of it; where it raises, nothing is noted. Raises RepeatedError.
    """
    with transaction(con):
        before = _before(con, asked)
        if isinstance(before, Answer):
            return before
        answer = effect(con)
        _end(con, before or _begin(con, asked), answer)
    return answer


def begin(con: sqlite3.Connection, asked: Asked, under_way: Collection[int]) -> int | Answer:
    """Note that a request is begun, and return its id; or what it was answered before.

    `under_way` has the ids of those that this daemon has begun and not ended. Raises
    RepeatedError.
    """
    with transaction(con):
        before = _before(con, asked)
        if isinstance(before, Answer):
            return before
        if before in under_way:
            raise RepeatedError("under_way", "the first request under this key is still under way")
        return before or _begin(con, asked)


def end(con: sqlite3.Connection, request: int, answer: Answer) -> None:
    """Note what a request that was begun is answered."""
    with transaction(con):
        _end(con, request, answer)


def give_up(con: sqlite3.Connection, request: int) -> None:
    """Forget a request that came to nothing: it may be made again under the same key."""
    with transaction(con):
        con.execute("DELETE FROM request WHERE id = ?", (request,))


def of_person(con: sqlite3.Connection, digest: bytes) -> Iterator[Request]:
    """The requests about a phone, oldest first."""
    for row in con.execute(
        "SELECT request.id, at, name, channel, operation, status, reason, mt_id"
        " FROM request JOIN api_key ON api_key.id = key WHERE person = ? ORDER BY request.id",
        (digest,),
    ):
        yield Request(*row)


def made(con: sqlite3.Connection, partner: int, mt: int) -> bool:
    """Whether a message came of a request under this key."""
    row = con.execute("SELECT 1 FROM request WHERE key = ? AND mt_id = ?", (partner, mt)).fetchone()
    return row is not None


def erase(con: sqlite3.Connection, keyed: Keyed, msisdn: Msisdn) -> None:
    """Keep of the requests about a phone nothing that leads to it, inside the caller's
    transaction."""
    con.execute(
        "UPDATE request SET person = NULL, answer = NULL WHERE person = ?", (person(keyed, msisdn),)
    )


def drop_answers(con: sqlite3.Connection, now: float, limit: int) -> int:
    """Drop answers that were kept long enough, so many at the most; how many they were."""
    with transaction(con):
        return con.execute(
            "UPDATE request SET answer = NULL WHERE id IN (SELECT id FROM request"
            " WHERE answer IS NOT NULL AND at < ? LIMIT ?)",
            (now - KEPT, limit),
        ).rowcount


def _before(con: sqlite3.Connection, asked: Asked) -> Answer | int | None:
    """What stands under the Idempotency-Key: an answer, the id of a request that has none yet, or
    nothing."""
    if asked.once is None:
        return None
    row = con.execute(
        "SELECT id, fingerprint, status, reason, mt_id, answer FROM request"
        " WHERE key = ? AND once = ?",
        (asked.partner, asked.once),
    ).fetchone()
    if row is None:
        return None
    id_, fingerprint, status, reason, mt_id, answer = row
    if fingerprint != asked.fingerprint:
        raise RepeatedError("key_reused", "this key was used for another request")
    if status is None:
        return int(id_)
    if answer is None:
        raise RepeatedError(
            "answer_dropped", "this was done before, and what was answered is no longer kept"
        )
    return Answer(status, json.loads(answer), reason, mt_id, again=True)


def _begin(con: sqlite3.Connection, asked: Asked) -> int:
    (id_,) = con.execute(
        "INSERT INTO request (at, key, operation, once, fingerprint, person)"
        " VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
        asked,
    ).fetchone()
    return int(id_)


def _end(con: sqlite3.Connection, request: int, answer: Answer) -> None:
    con.execute(
        "UPDATE request SET status = ?, reason = ?, mt_id = ?,"
        " answer = iif(once IS NULL, NULL, ?) WHERE id = ?",
        (
            answer.status,
            answer.reason,
            answer.mt,
            json.dumps(answer.body, ensure_ascii=False, separators=(",", ":")),
            request,
        ),
    )

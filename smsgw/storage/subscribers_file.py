"""Importing the subscribers file: checked whole, then written in short transactions.

Running an import again finishes what was cut off: a pair that is there is not made, and not told,
a second time.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import BinaryIO, Final, NamedTuple

from smsgw.service.conversation import Rules
from smsgw.service.lines import Problems
from smsgw.service.message import Encoding, Msisdn
from smsgw.service.subscribers import SubscriberRow, read
from smsgw.storage import billing
from smsgw.storage.database import transaction
from smsgw.storage.messages import enqueue, last_id
from smsgw.storage.pace import Pace
from smsgw.storage.subscriptions import LIVE, confirmation

CHECKED: Final = 2000  # rows between two reports of progress
# Rows sorted by phone before they are written: so a transaction touches few pages of the indexes
# by phone, and takes a third of the time. At some 400 octets a row they come to 16 MB.
SORTED: Final = 40_000

_ADD: Final = (
    "INSERT INTO main.subscription"
    " (msisdn, customer_number, state, carrier, script, channel, notify, requested_at,"
    " activated_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    f" ON CONFLICT (msisdn, customer_number) WHERE {LIVE} DO NOTHING"
)
_CORRECT: Final = (
    "UPDATE main.subscription"
    " SET carrier = ifnull(:carrier, carrier), script = ifnull(:script, script)"
    f" WHERE msisdn = :msisdn AND customer_number = :number AND {LIVE}"
    " AND (carrier IS NOT ifnull(:carrier, carrier) OR script <> ifnull(:script, script))"
)

Progress = Callable[[int], None]  # is told how many octets have been read; all are read twice


@dataclass(frozen=True, slots=True)
class Terms:
    """What an import goes by."""

    carriers: Collection[str]  # ids that rows may name
    carrier_of: Callable[[Msisdn], str | None]  # for a new pair whose row names none
    rules: Rules
    encodings: Mapping[str, Encoding]
    notify: bool  # tell phones of subscriptions that become active, now or later
    now: float


class Imported(NamedTuple):
    """What became of the rows of a file."""

    active: int  # made, and active
    pending: int  # made, and waiting for a feed that knows the customer number
    changed: int  # there before, and now with the carrier or script of their row
    unchanged: int
    told: int


def import_file(
    con: sqlite3.Connection,
    cache: bool,
    file: BinaryIO,
    terms: Terms,
    *,
    progress: Progress,
    pace: Pace,
) -> Imported:
    """Take a subscribers file. `cache` says whether a billing cache is attached to `con`.

    Raises FileError, before anything is written, if lines are wrong.
    """
    _check(file, terms.carriers, progress)
    octets = file.tell()
    file.seek(0)
    problems = Problems()
    rows = read(file, terms.carriers, problems)
    counts: Counter[str] = Counter()
    while chunk := sorted(islice(rows, SORTED), key=itemgetter(0)):
        while batch := chunk[: pace.size]:
            known = billing.known(con, [row.customer_number for row in batch]) if cache else ()
            values = [_values(row, row[1] in known, terms) for row in batch]
            with pace.turn(), transaction(con):
                counts += _write(con, batch, values, terms)
            del chunk[: len(batch)]
        progress(octets + file.tell())
    problems.refuse()  # of lines that were written anew since they were checked
    return Imported(*[counts[field] for field in Imported._fields])


def _check(file: BinaryIO, carriers: Collection[str], progress: Progress) -> None:
    problems = Problems()
    rows = read(file, carriers, problems)
    while sum(1 for _ in islice(rows, CHECKED)):
        progress(file.tell())
    problems.refuse()


def _write(
    con: sqlite3.Connection,
    batch: Sequence[SubscriberRow],
    values: Sequence[tuple[object, ...]],
    terms: Terms,
) -> Counter[str]:
    """Write rows and what their phones are told; the later of two rows on one pair counts."""
    before = last_id(con, "subscription")
    made = con.executemany(_ADD, values).rowcount
    changed = 0
    if made < len(batch):
        changed = con.executemany(_CORRECT, [_corrections(row) for row in batch]).rowcount
    counts = Counter[str](changed=changed, unchanged=len(batch) - made - changed)
    for state, count in con.execute(
        "SELECT state, count(*) FROM main.subscription WHERE id > ? GROUP BY state", (before,)
    ):
        counts[state] = count
    if terms.notify:
        counts["told"] = enqueue(
            con,
            [
                confirmation(Msisdn(msisdn), number, carrier, script, terms.rules, terms.now)
                for msisdn, number, carrier, script in con.execute(
                    "SELECT msisdn, customer_number, carrier, script FROM main.subscription"
                    " WHERE id > ? AND state = 'active' AND carrier IS NOT NULL",
                    (before,),
                )
            ],
            terms.encodings,
            terms.now,
        )
    return counts


def _values(row: SubscriberRow, known: bool, terms: Terms) -> tuple[object, ...]:
    msisdn, customer_number, carrier, script, channel = row
    return (
        msisdn.digits,
        customer_number,
        "active" if known else "pending",
        carrier or terms.carrier_of(msisdn),
        "latin" if script is None else script.value,
        "import" if channel is None else channel.value,
        terms.notify,
        terms.now,
        terms.now if known else None,
    )


def _corrections(row: SubscriberRow) -> dict[str, object]:
    return {
        "msisdn": row.msisdn.digits,
        "number": row.customer_number,
        "carrier": row.carrier,
        "script": row.script and row.script.value,
    }

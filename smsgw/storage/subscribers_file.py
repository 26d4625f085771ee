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

from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.decision import Rules, Told
from smsgw.service.lines import Problems
from smsgw.service.message import CHANNELS, SCRIPTS, Encoding, Msisdn
from smsgw.service.registering import activated
from smsgw.service.subscribers import SubscriberRow, read
from smsgw.storage import audit, billing, stops, subscriptions
from smsgw.storage.audit import Author, Change, Entry
from smsgw.storage.database import checkpoint, many_written, transaction
from smsgw.storage.messages import enqueue, last_id
from smsgw.storage.pace import Pace
from smsgw.storage.subscriptions import LIVE
from smsgw.storage.telling import tell

CHECKED: Final = 2000  # rows between two reports of progress
# Rows sorted by phone before they are written: so a transaction touches few pages of the indexes
# by phone, and takes a third of the time. At some 400 octets a row they come to 16 MB.
SORTED: Final = 40_000

# Rows whose phones are told, in one transaction at most: 60 ms, where those before were there
# already and took a fifth of that each.
TOLD: Final = 300

_ADD: Final = (
    "INSERT INTO main.subscription"
    " (msisdn, customer_number, state, carrier, script, channel, notify, requested_at,"
    " activated_at)"
    f" VALUES (?1, ?2, ?3, coalesce(?4, ({subscriptions.CARRIER_OF_PHONE}), ?10), ?5, ?6, ?7, ?8,"
    " ?9)"
    f" ON CONFLICT (msisdn, customer_number) WHERE {LIVE} DO NOTHING"
)
Progress = Callable[[int], None]  # is told how many octets have been read; all are read twice


@dataclass(frozen=True, slots=True)
class Terms:
    """What an import goes by."""

    carriers: Collection[str]  # ids that rows may name
    carrier_of: Callable[[Msisdn], str | None]  # for a new phone whose row names none
    rules: Rules
    encodings: Mapping[str, Encoding]  # of the carriers that messages can go out over
    notify: bool  # tell phones of subscriptions that become active, now or later
    author: Author


class Imported(NamedTuple):
    """What became of the rows of a file."""

    active: int  # made, and active
    pending: int  # made, and waiting for a feed that knows the customer number
    changed: int  # there before, and now with the carrier or script of their row
    unchanged: int
    told: int
    untold: int  # made active, to be told, but over whose carrier nothing can go out
    stopped: int  # of phones that said stop: passed over


def import_file(
    con: sqlite3.Connection,
    cache: bool,
    file: BinaryIO,
    terms: Terms,
    *,
    progress: Progress,
    stopped: Callable[[SubscriberRow], None],
    pace: Pace,
) -> Imported:
    """Take a subscribers file. `cache` says whether a billing cache is attached to `con`.

    `stopped` is told of each row of a phone that said stop: it is passed over.

    Raises FileError, before anything is written, if lines are wrong.
    """
    _check(file, terms.carriers, progress)
    octets = file.tell()
    file.seek(0)
    problems = Problems()
    rows = read(file, terms.carriers, problems)
    counts: Counter[str] = Counter()
    with many_written(con):
        while chunk := sorted(islice(rows, SORTED), key=itemgetter(0)):
            while batch := chunk[: min(pace.size, TOLD) if terms.notify else pace.size]:
                del chunk[: len(batch)]
                feeds = billing.feeds_taken(con) if cache else 0
                prepared = _prepared(con, cache, batch, terms)
                with pace.turn(), transaction(con):
                    if cache and feeds != billing.feeds_taken(con):
                        # A delta came: nobody else looks at these again.
                        prepared = _prepared(con, cache, batch, terms)
                    barred = stops.among(con, [one.person for one in prepared])
                    counts += _write(
                        con, [one for one in prepared if one.person not in barred], terms
                    )
                for one in prepared if barred else ():
                    if one.person in barred:
                        counts["stopped"] += 1
                        stopped(one.row)
                checkpoint(con)
            progress(octets + file.tell())
    problems.refuse()  # of lines that were written anew since they were checked
    return Imported(*[counts[field] for field in Imported._fields])


def _check(file: BinaryIO, carriers: Collection[str], progress: Progress) -> None:
    problems = Problems()
    rows = read(file, carriers, problems)
    while sum(1 for _ in islice(rows, CHECKED)):
        progress(file.tell())
    problems.refuse()


class _Prepared(NamedTuple):
    """A row, and what is made of it before the lock is taken: that takes as long as the writing."""

    row: SubscriberRow
    values: tuple[object, ...]  # of the table, in the order of _ADD
    person: bytes  # by which a stop of the phone would stand
    digests: audit.Digests


def _prepared(
    con: sqlite3.Connection, cache: bool, rows: Sequence[SubscriberRow], terms: Terms
) -> list[_Prepared]:
    # It may be thousands of pages from the disk: another reason not to hold the lock meanwhile.
    known = billing.known(con, [row.customer_number for row in rows]) if cache else ()
    keyed = terms.author.keyed
    return [
        _Prepared(
            row,
            _values(row, row.customer_number in known, terms),
            stops.person(keyed, row.msisdn),
            audit.digests(keyed, row.msisdn, row.customer_number),
        )
        for row in rows
    ]


def _write(con: sqlite3.Connection, batch: Sequence[_Prepared], terms: Terms) -> Counter[str]:
    """Write rows and what their phones are told; the later of two rows on one pair counts."""
    author = terms.author
    before = last_id(con, "subscription")
    con.executemany(_ADD, [one.values for one in batch])
    made = [
        _Made(Msisdn(msisdn), *rest)
        for msisdn, *rest in con.execute(
            "SELECT msisdn, customer_number, state, carrier, script, channel, requested_at"
            " FROM main.subscription"
            " WHERE id > ? ORDER BY id",
            (before,),
        )
    ]
    digests = {one.row[:2]: one.digests for one in batch}
    audit.record(con, author, [one.entry() for one in made], digests)
    changed = 0
    if len(made) < len(batch):
        corrected = [subscriptions.correct(con, *one.row[:4], author) for one in batch]
        changed = sum(map(bool, corrected))
    counts = Counter[str](changed=changed, unchanged=len(batch) - len(made) - changed)
    counts.update(one.state for one in made)
    if terms.notify:
        told = [one.told(terms.rules) for one in made if one.state == "active"]
        messages = tell(told, terms.encodings, terms.rules, author.now)
        enqueue(con, messages, terms.encodings, author.now)
        counts["told"] = len(messages)
        counts["untold"] = counts["active"] - len(messages)
    return counts


class _Made(NamedTuple):
    """A subscription that a row made."""

    msisdn: Msisdn
    customer_number: str
    state: str
    carrier: str | None
    script: str
    channel: str
    requested_at: float

    def entry(self) -> Entry:
        change = Change.ACTIVATED if self.state == "active" else Change.REQUESTED
        return Entry(change, self.msisdn, self.customer_number, self.carrier or "")

    def told(self, rules: Rules) -> Told:
        subscription = Subscription(
            self.msisdn,
            self.customer_number,
            SubscriptionState(self.state),
            self.carrier,
            SCRIPTS[self.script],
            CHANNELS[self.channel],
            self.requested_at,
        )
        reply = activated(self.customer_number, subscription.script, rules, self.carrier)
        return Told(reply, subscription)


def _values(row: SubscriberRow, known: bool, terms: Terms) -> tuple[object, ...]:
    msisdn, customer_number, carrier, script, channel = row
    return (
        msisdn.digits,
        customer_number,
        "active" if known else "pending",
        carrier,
        "latin" if script is None else script.value,
        "import" if channel is None else channel.value,
        terms.notify,
        terms.author.now,
        terms.author.now if known else None,
        None if carrier else terms.carrier_of(msisdn),
    )

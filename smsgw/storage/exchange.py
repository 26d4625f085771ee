"""The daemon's one transaction: all that came in since the last, and what goes out next."""

import sqlite3
from collections import Counter
from operator import attrgetter

from smsgw.service.message import MtState
from smsgw.service.ports import Done, Tally, Work
from smsgw.service.today import Day, day_of
from smsgw.storage import bulk, claims, erased, foreign, inbox, settlements, turns
from smsgw.storage.database import transaction
from smsgw.storage.messages import enqueue
from smsgw.storage.policy import Policy
from smsgw.storage.receipts import Found


def commit(con: sqlite3.Connection, work: Work, cache: bool, policy: Policy, counted: Day) -> Done:
    """Do `work`, all of it or nothing. `cache` says whether a billing cache is attached; `counted`
    is what phones have had on this day.

    Outcomes and receipts come first, so that what they free or finish is seen; then the MOs
    are decided; last, the places that are free are given to the most urgent segments, and what
    bulk may have of the rest to notices.
    """
    today = counted.page(day_of(work.now, policy.rules.timezone))
    with transaction(con):
        inbox.note_sessions(con, work.ended)
        inbox.note_late(con, work.late)
        came = erased.nameless(con, policy.keyed, work.receipts)
        found = settlements.settle(
            con, work.settlements, came, work.learned, policy.encodings, work.now
        )
        again = foreign.settle(con, found, policy, work.now)
        taken = inbox.take(con, work.mos, work.now, cache, policy, today)
        inbox.note_redeliveries(con, work.redeliveries, taken)
        claimed = claims.claim(con, taken.answers, work.free, policy, work.now)
        enqueue(con, taken.unawaited, policy.encodings, work.now)
        sent = bulk.claim(con, _left(work, claimed), cache, policy, work.now)
        waits = {*claimed.due, *(mt.carrier for mt in again)}
        made = (*again, *taken.answers, *taken.unawaited)
        done = Done(
            first_mo=taken.first_mo,
            undecided=taken.undecided,
            claimed=sorted([*claimed.segments, *sent.segments], key=attrgetter("carrier")),
            backlog={*claimed.backlog, *(mt.carrier for mt in again)},
            bulk={*sent.more, *(waits - work.bulk.keys())},
            wake_at=_first(
                claims.wake_at(con),
                taken.wake_at,
                bulk.wake_at(con, policy, work.now),
            ),
            tally=Tally(
                intents=taken.intents,
                silences=taken.silences,
                parts=taken.parts,
                repeats=taken.repeats,
                closed=taken.closed,
                created=Counter((mt.carrier, mt.kind) for mt in made) + sent.made,
                final=found.final + claimed.final + sent.final,
                parked=found.parked,
                matched=found.matched,
                late=found.late,
                noticed=sent.noticed,
                cancelled=sent.cancelled,
            ),
        )
    counted.keep(today)
    return done


def _left(work: Work, claimed: claims.Claims) -> dict[str, int]:
    """What bulk may have of the places, after what is more urgent."""
    taken = Counter(segment.carrier for segment in claimed.segments)
    return {carrier: places - taken[carrier] for carrier, places in work.bulk.items()}


def _first(*moments: float | None) -> float | None:
    return min((each for each in moments if each is not None), default=None)


def recover(con: sqlite3.Connection, now: float, policy: Policy) -> Counter[MtState]:
    """Sort out what a daemon that died left claimed, and notices and searches that stand at
    carriers which this one doesn't have; count what became of the first."""
    found = Found.nothing()
    with transaction(con):
        states = settlements.recover(con, now, policy.losses, found)
        foreign.settle(con, found, policy, now)
        foreign.go_round(con, policy, now)
        turns.readdress(con, policy.encodings, now)
    return states

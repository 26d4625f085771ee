"""The daemon's one transaction: all that came in since the last, and what goes out next."""

import sqlite3
from collections import Counter

from smsgw.service.message import MtState
from smsgw.service.ports import Done, Tally, Work
from smsgw.service.today import Day, day_of
from smsgw.storage import claims, foreign, inbox, settlements
from smsgw.storage.database import transaction
from smsgw.storage.messages import enqueue
from smsgw.storage.policy import Policy
from smsgw.storage.receipts import Found


def commit(con: sqlite3.Connection, work: Work, cache: bool, policy: Policy, counted: Day) -> Done:
    """Do `work`, all of it or nothing. `cache` says whether a billing cache is attached; `counted`
    is what phones have had on this day.

    Outcomes and receipts come first, so that what they free or finish is seen; then the MOs
    are decided; last, the places that are free are given to the most urgent segments.
    """
    today = counted.page(day_of(work.now, policy.rules.timezone))
    with transaction(con):
        inbox.note_sessions(con, work.ended)
        inbox.note_late(con, work.late)
        found = settlements.settle(
            con, work.settlements, work.receipts, work.learned, policy.encodings, work.now
        )
        again = foreign.settle(con, found, policy, work.now)
        taken = inbox.take(con, work.mos, work.now, cache, policy, today)
        inbox.note_redeliveries(con, work.redeliveries, taken)
        claimed = claims.claim(
            con, taken.answers, work.free, policy.encodings, work.now, policy.losses
        )
        enqueue(con, taken.unawaited, policy.encodings, work.now)
        made = (*again, *taken.answers, *taken.unawaited)
        done = Done(
            first_mo=taken.first_mo,
            undecided=taken.undecided,
            claimed=claimed.segments,
            backlog={*claimed.backlog, *(mt.carrier for mt in again)},
            wake_at=min(filter(None, (claims.wake_at(con), taken.wake_at)), default=None),
            tally=Tally(
                intents=taken.intents,
                silences=taken.silences,
                parts=taken.parts,
                repeats=taken.repeats,
                closed=taken.closed,
                created=Counter((mt.carrier, mt.kind) for mt in made),
                final=found.final + claimed.final,
                parked=found.parked,
                matched=found.matched,
                late=found.late,
            ),
        )
    counted.keep(today)
    return done


def recover(con: sqlite3.Connection, now: float, policy: Policy) -> Counter[MtState]:
    """Sort out what a daemon that died left claimed; count what became of it."""
    found = Found.nothing()
    with transaction(con):
        states = settlements.recover(con, now, policy.losses, found)
        foreign.settle(con, found, policy, now)
    return states

"""The daemon's one transaction: all that came in since the last, and what goes out next."""

import sqlite3
from collections import Counter

from smsgw.service.ports import Done, Tally, Work
from smsgw.storage import claims, inbox, settlements
from smsgw.storage.database import transaction
from smsgw.storage.inbox import Policy


def commit(con: sqlite3.Connection, work: Work, cache: bool, policy: Policy) -> Done:
    """Do `work`, all of it or nothing. `cache` says whether a billing cache is attached.

    Outcomes and receipts come first, so that what they free or finish is seen; then the MOs
    are decided; last, the places that are free are given to the most urgent segments.
    """
    with transaction(con):
        inbox.note_sessions(con, work.ended)
        inbox.note_late(con, work.late)
        found = settlements.settle(
            con, work.settlements, work.receipts, work.learned, policy.encodings, work.now
        )
        taken = inbox.take(con, work.mos, work.now, cache, policy)
        inbox.note_redeliveries(con, work.redeliveries, taken)
        claimed = claims.claim(
            con, taken.answers, work.free, policy.encodings, work.now, policy.losses
        )
        return Done(
            first_mo=taken.first_mo,
            undecided=taken.undecided,
            claimed=claimed.segments,
            backlog=claimed.backlog,
            wake_at=min(filter(None, (claims.wake_at(con), taken.wake_at)), default=None),
            tally=Tally(
                intents=taken.intents,
                parts=taken.parts,
                repeats=taken.repeats,
                closed=taken.closed,
                created=Counter((mt.carrier, mt.kind) for mt in taken.answers),
                final=found.final + claimed.final,
                parked=found.parked,
                matched=found.matched,
                late=found.late,
            ),
        )

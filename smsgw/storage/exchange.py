"""The daemon's one transaction: all that came in since the last, and what goes out next."""

import sqlite3
from collections import Counter

from smsgw.service.message import MtState
from smsgw.service.ports import Done, Tally, Work
from smsgw.storage import inbox, outbox
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
        final, parked = outbox.settle(con, work.settlements, work.receipts, work.now)
        taken = inbox.take(con, work.mos, work.now, cache, policy)
        inbox.note_redeliveries(con, work.redeliveries, taken)
        claims = outbox.claim(con, taken.answers, work.free, policy.encodings, work.now)
        for carrier, count in claims.expired.items():
            final[carrier, MtState.EXPIRED] += count
        return Done(
            first_mo=taken.first_mo,
            undecided=taken.undecided,
            claimed=claims.segments,
            backlog=claims.backlog,
            wake_at=min(filter(None, (outbox.wake_at(con), taken.wake_at)), default=None),
            tally=Tally(
                intents=taken.intents,
                parts=taken.parts,
                repeats=taken.repeats,
                closed=taken.closed,
                created=Counter((mt.carrier, mt.kind) for mt in taken.answers),
                final=final,
                parked=parked,
            ),
        )

"""What the metrics and `/readyz` show of the databases, read beside the daemon's own work."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

from smsgw import metrics
from smsgw.service.customer import SubscriptionState
from smsgw.service.message import MtState
from smsgw.storage import subscriptions
from smsgw.storage.database import CACHE_SCHEMA, CacheReader, StorageError, open_read_only

LIVE: Final = (
    MtState.QUEUED,
    MtState.WAITING,
    MtState.CLAIMED,
    MtState.ACCEPTED,
    MtState.UNKNOWN,
)


class Feed(NamedTuple):
    """The last billing feed that was taken."""

    as_of: float
    customers: int
    bills: int


class Observed(NamedTuple):
    """The databases at one moment."""

    queue: Mapping[tuple[str, MtState], int]  # live segments by carrier and state
    oldest: Mapping[str, float]  # when the oldest queued message was made, by carrier
    subscriptions: Mapping[SubscriptionState, int]
    feed: Feed | None
    held: Mapping[str, int] = {}  # unknown segments whose wait is over, by carrier
    suspects: int = 0  # subscriptions whose carrier is in doubt
    current: Mapping[str, int] = {}  # messages that are not in the history yet, by direction


def observe(data_dir: Path) -> Observed:
    """Read it all with a connection of its own. Raises StorageError and sqlite3.Error."""
    con = open_read_only(data_dir)
    if con is None:
        return Observed({}, {}, {}, None)
    with closing(con):
        cache = CacheReader(con, data_dir)
        with suppress(StorageError):  # the daemon says so
            cache.follow()
        return Observed(
            queue=_queue(con),
            oldest=_oldest(con),
            subscriptions=subscriptions.counts(con),
            feed=_feed(con) if cache.attached else None,
            held=_held(con),
            suspects=subscriptions.suspects(con),
            current={
                direction: con.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for direction, table in (("in", "mo"), ("out", "mt"))
            },
        )


def _queue(con: sqlite3.Connection) -> dict[tuple[str, MtState], int]:
    """Each state by a query of its own, with the literal that lets it use its partial index."""
    return {
        (carrier, state): count
        for state in LIVE
        for carrier, count in con.execute(
            f"SELECT carrier, count(*) FROM segment WHERE state = '{state}' GROUP BY carrier"
        )
    }


def _oldest(con: sqlite3.Connection) -> dict[str, float]:
    return dict(
        con.execute(
            "SELECT segment.carrier, min(created_at) FROM segment JOIN mt ON mt.id = mt_id"
            f" WHERE state = '{MtState.QUEUED}' GROUP BY segment.carrier"
        )
    )


def _held(con: sqlite3.Connection) -> dict[str, int]:
    return dict(
        con.execute(
            "SELECT carrier, count(*) FROM segment"
            f" WHERE state = '{MtState.UNKNOWN}' AND not_before IS NULL GROUP BY carrier"
        )
    )


def _feed(con: sqlite3.Connection) -> Feed | None:
    row = con.execute(
        f"SELECT as_of, customers, bills FROM {CACHE_SCHEMA}.feed ORDER BY rowid DESC LIMIT 1"
    ).fetchone()
    return None if row is None else Feed(*row)


def publish(observed: Observed, carriers: Sequence[str], now: float) -> None:
    """Show a reading of the databases in the metrics."""
    for carrier in carriers:
        for state in LIVE:
            metrics.QUEUE.labels(carrier, state.value).set(observed.queue.get((carrier, state), 0))
        metrics.HELD.labels(carrier).set(observed.held.get(carrier, 0))
        oldest = observed.oldest.get(carrier)
        metrics.QUEUE_OLDEST.labels(carrier).set(0.0 if oldest is None else now - oldest)
    for direction, count in observed.current.items():
        metrics.MESSAGES_CURRENT.labels(direction).set(count)
    for registered, count in observed.subscriptions.items():
        metrics.SUBSCRIPTIONS.labels(registered.value).set(count)
    metrics.SUSPECTS.set(observed.suspects)
    if (feed := observed.feed) is not None:
        metrics.BILLING_AS_OF.set(feed.as_of)
        metrics.BILLING_CUSTOMERS.set(feed.customers)
        metrics.BILLING_BILLS.set(feed.bills)

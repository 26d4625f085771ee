"""Registrations as partners ask for them: one by its id, or page by page."""

import sqlite3
from typing import NamedTuple

from smsgw.service.customer import SubscriptionState
from smsgw.service.message import Channel, Msisdn
from smsgw.storage.subscriptions import LIVE, Record, found_by


class Which(NamedTuple):
    """Those that fit all of these that are given."""

    msisdn: Msisdn | None = None
    customer_number: str | None = None
    state: SubscriptionState | None = None  # None: pending and active ones
    channel: Channel | None = None
    suspect: bool = False  # only those whose carrier is in doubt


def page(con: sqlite3.Connection, which: Which, after: int, limit: int) -> list[Record]:
    """The first `limit` of those with an id above `after`, by id."""
    values: dict[str, object] = {
        "msisdn": None if which.msisdn is None else which.msisdn.digits,
        "customer_number": which.customer_number,
        "state": None if which.state is None else which.state.value,
        "channel": None if which.channel is None else which.channel.value,
    }
    given = {name: value for name, value in values.items() if value is not None}
    conditions = [f"{name} = :{name}" for name in given]
    if which.state is None:
        conditions.append(LIVE)
    if which.suspect:
        conditions.append("suspect_at IS NOT NULL")
    place = {"after": after, "limit": limit}
    where = " AND ".join(["id > :after", *conditions])
    return list(found_by(con, f"{where} ORDER BY id LIMIT :limit", given | place))


def one(con: sqlite3.Connection, id_: int) -> Record | None:
    return next(found_by(con, "id = :id", {"id": id_}), None)


def live(con: sqlite3.Connection, msisdn: Msisdn, customer_number: str) -> Record | None:
    """The pending or active registration of a phone for a customer number."""
    values = {"msisdn": msisdn.digits, "number": customer_number}
    where = f"msisdn = :msisdn AND customer_number = :number AND {LIVE}"
    return next(found_by(con, where, values), None)

"""What is looked up before a message is decided."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from smsgw.service.customer import Account, Subscription, SubscriptionState
from smsgw.service.decision import Known
from smsgw.service.keyed import Keyed
from smsgw.service.keywords import read
from smsgw.service.message import Channel, Msisdn, Script
from smsgw.service.today import Page
from smsgw.storage import billing, subscriptions
from smsgw.storage.audit import CUSTOMER, Author
from smsgw.storage.database import CACHE_SCHEMA, open_gateway
from smsgw.storage.lookup import Lookup

ANNA, BORIS = Msisdn("359888000001"), Msisdn("359888000002")
HOME, SHOP, NEW, STRANGE = (f"30000000000{n}" for n in range(4))


AUTHOR = Author(Keyed(b"key"), CUSTOMER, 1.0)


def subscription(msisdn: Msisdn, number: str, state: str = "active") -> Subscription:
    return Subscription(
        msisdn, number, SubscriptionState(state), "mtel", Script.LATIN, Channel.SMS, 1.0
    )


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Anna is registered for HOME and, pending, for SHOP; Boris for NEW."""
    with closing(open_gateway(tmp_path)) as con:
        con.execute(f"ATTACH ':memory:' AS {CACHE_SCHEMA}")
        for table in billing.SCHEMA.split("CREATE TABLE ")[1:]:
            con.execute(f"CREATE TABLE {CACHE_SCHEMA}.{table.rpartition(';')[0]}")
        con.executemany(
            f"INSERT INTO {CACHE_SCHEMA}.customer VALUES (?)",
            [(int(number),) for number in (HOME, NEW)],
        )
        con.execute(f"INSERT INTO {CACHE_SCHEMA}.feed VALUES (50.0, 60.0, 'snapshot', 'f', 2, 0)")
        for one in (
            subscription(ANNA, HOME),
            subscription(ANNA, SHOP, "pending"),
            subscription(BORIS, NEW),
        ):
            subscriptions.add(con, one, True, AUTHOR)
        yield con


THEIRS = (subscription(ANNA, HOME), subscription(ANNA, SHOP, "pending"))
BORIS_FOR_NEW = (subscription(BORIS, NEW),)
Others = dict[str, tuple[Subscription, ...]]


@pytest.mark.parametrize(
    ("text", "accounts", "others"),
    [
        pytest.param("smetka", [HOME], {}, id="bill check: the active ones"),
        pytest.param(f"smetka {HOME}", [HOME], {}, id="of one"),
        pytest.param(f"smetka {NEW}", [], {}, id="of a stranger: nothing"),
        pytest.param(
            f"{NEW} {STRANGE}", [NEW], {NEW: BORIS_FOR_NEW, STRANGE: ()}, id="registration"
        ),
        pytest.param("stop", [], {}, id="stop"),
        pytest.param("?", [], {}, id="help"),
        pytest.param("hello", [], {}, id="unknown"),
    ],
)
def test_what_is_known(
    con: sqlite3.Connection, text: str, accounts: list[str], others: Others
) -> None:
    assert Lookup(con, True, Page({}, {})).known(ANNA, read(text)) == Known(
        THEIRS, {number: Account(number, ()) for number in accounts}, others, 50.0
    )


def test_without_a_cache(con: sqlite3.Connection) -> None:
    con.execute(f"DETACH {CACHE_SCHEMA}")
    lookup = Lookup(con, False, Page({}, {}))
    assert lookup.known(ANNA, read("smetka")) == Known(THEIRS, {}, {}, None)
    assert lookup.known(ANNA, read(NEW)) == Known(THEIRS, {}, {NEW: BORIS_FOR_NEW}, None)


def test_the_time_of_the_feed_is_asked_for_once(con: sqlite3.Connection) -> None:
    asked: list[str] = []
    lookup = Lookup(con, True, Page({}, {}))
    con.set_trace_callback(lambda sql: asked.append(sql) if "as_of" in sql else None)
    assert {lookup.known(one, read("smetka")).cache_as_of for one in (ANNA, BORIS)} == {50.0}
    assert len(asked) == 1

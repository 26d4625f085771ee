"""The use-cases on registrations."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.decision import Rules
from smsgw.service.keyed import Keyed
from smsgw.service.message import Channel, Encoding, MessageKind, Msisdn, Script
from smsgw.service.registering import activated
from smsgw.service.replies import Replies
from smsgw.storage import audit, billing, pending, stops, subscriptions
from smsgw.storage.audit import Author, Change, Origin
from smsgw.storage.database import CACHE_SCHEMA, open_gateway
from smsgw.storage.pace import Pace
from smsgw.storage.pending import Outcome
from smsgw.storage.registration import RegistrationRefusedError, Request, register

ANNA, BORIS = Msisdn("359888000001"), Msisdn("359888000002")
HOME, SHOP = "300000000001", "300000000002"
PENDING, ACTIVE = SubscriptionState.PENDING, SubscriptionState.ACTIVE
RULES = Rules(
    replies=Replies(),
    numbers_per_phone=3,
    phones_per_number=2,
    sms=True,
    max_age=0.0,
    max_parts=4,
    timezone=ZoneInfo("Europe/Sofia"),
)

KEYED = Keyed(b"key")


def by(now: float) -> Author:
    return Author(KEYED, Origin(Channel.CENTRE, "maria"), now)


ENCODINGS = {carrier: Encoding() for carrier in ("mtel", "telenor")}


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """`gateway.db` with an empty cache attached, which tests may write."""
    with closing(open_gateway(tmp_path)) as con:
        con.execute(f"ATTACH ':memory:' AS {CACHE_SCHEMA}")
        for table in billing.SCHEMA.split("CREATE TABLE ")[1:]:
            con.execute(f"CREATE TABLE {CACHE_SCHEMA}.{table.rpartition(';')[0]}")
        yield con


def feed(con: sqlite3.Connection, *numbers: str) -> None:
    con.executemany(
        f"INSERT INTO {CACHE_SCHEMA}.customer VALUES (?)", [(int(number),) for number in numbers]
    )


def subscription(
    msisdn: Msisdn = ANNA,
    number: str = HOME,
    state: SubscriptionState = ACTIVE,
    carrier: str | None = "mtel",
    script: Script = Script.LATIN,
    at: float = 100.0,
) -> Subscription:
    return Subscription(msisdn, number, state, carrier, script, Channel.SMS, at)


def store(con: sqlite3.Connection, *all_: Subscription, notify: bool = True) -> None:
    for one in all_:
        subscriptions.subscribe(con, one, notify, by(one.requested_at))


def told(con: sqlite3.Connection) -> list[tuple[str, str, int, str]]:
    """What waits to be sent: phone, carrier, kind, text."""
    return con.execute(
        "SELECT msisdn, mt.carrier, mt.kind, text FROM mt JOIN segment ON mt_id = mt.id"
        " WHERE state = 'queued' ORDER BY mt.id"
    ).fetchall()


def test_a_subscription_comes_back_as_it_was_stored(con: sqlite3.Connection) -> None:
    one = subscription(script=Script.CYRILLIC, carrier=None, state=PENDING)
    store(con, one)
    assert subscriptions.of_phone(con, ANNA) == (one,)
    (back,) = subscriptions.of_phone(con, ANNA)
    assert isinstance(back.msisdn, Msisdn)


def test_of_phone_has_the_live_ones_oldest_first(con: sqlite3.Connection) -> None:
    first, second = subscription(number=SHOP), subscription(number=HOME, state=PENDING)
    store(con, first, subscription(BORIS), second, subscription(number="300000000003"))
    subscriptions.end(con, ANNA, "300000000003", by(200.0))
    assert subscriptions.of_phone(con, ANNA) == (first, second)


def test_the_other_phones_of_a_number(con: sqlite3.Connection) -> None:
    assert subscriptions.of_others(con, HOME, ANNA) == ()
    store(con, subscription(ANNA), subscription(BORIS, state=PENDING), subscription(BORIS, SHOP))
    assert [one.msisdn for one in subscriptions.of_others(con, HOME, ANNA)] == [BORIS]
    subscriptions.end(con, BORIS, HOME, by(200.0))
    assert subscriptions.of_others(con, HOME, ANNA) == ()


def test_a_pending_one_becomes_active(con: sqlite3.Connection) -> None:
    store(con, subscription(state=PENDING), subscription(at=300.0, carrier="telenor"))
    (record,) = subscriptions.records_of_phone(con, ANNA)
    assert record.subscription == subscription()
    assert record.activated_at == 300.0


def test_an_active_one_stays_as_it_is(con: sqlite3.Connection) -> None:
    store(con, subscription(), subscription(at=300.0), subscription(state=PENDING, at=400.0))
    (record,) = subscriptions.records_of_phone(con, ANNA)
    assert (record.subscription, record.activated_at) == (subscription(), 100.0)


def test_add_says_whether_it_was_new(con: sqlite3.Connection) -> None:
    assert subscriptions.add(con, subscription(), False, by(100.0))
    assert not subscriptions.add(con, subscription(), False, by(100.0))


@pytest.mark.parametrize(
    ("number", "ended", "left"),
    [
        pytest.param(HOME, 1, [SHOP], id="one"),
        pytest.param(None, 2, [], id="all"),
        pytest.param("300000000009", 0, [HOME, SHOP], id="one that is not there"),
    ],
)
def test_end(con: sqlite3.Connection, number: str | None, ended: int, left: list[str]) -> None:
    store(con, subscription(), subscription(number=SHOP, state=PENDING), subscription(BORIS))
    assert subscriptions.end(con, ANNA, number, by(200.0)) == ended
    assert [one.customer_number for one in subscriptions.of_phone(con, ANNA)] == left
    assert subscriptions.of_phone(con, BORIS) == (subscription(BORIS),)
    assert subscriptions.end(con, ANNA, number, by(300.0)) == 0


def test_after_the_end_a_new_one_can_begin(con: sqlite3.Connection) -> None:
    store(con, subscription())
    subscriptions.end(con, ANNA, None, by(200.0))
    store(con, subscription(at=300.0))
    old, new = subscriptions.records_of_phone(con, ANNA)
    assert (old.subscription.state, old.ended_at) == (SubscriptionState.ENDED, 200.0)
    assert (new.subscription, new.ended_at) == (subscription(at=300.0), None)


def test_move_counts_those_that_were_elsewhere(con: sqlite3.Connection) -> None:
    store(
        con,
        subscription(number=HOME, carrier="mtel"),
        subscription(number=SHOP, carrier=None),
        subscription(number="300000000003", carrier="telenor"),
        subscription(BORIS),
    )
    assert subscriptions.move(con, ANNA, "telenor", by(200.0)) == 2
    assert {one.carrier for one in subscriptions.of_phone(con, ANNA)} == {"telenor"}
    assert subscriptions.of_phone(con, BORIS)[0].carrier == "mtel"
    assert subscriptions.move(con, ANNA, "telenor", by(200.0)) == 0


def test_records_and_counts(con: sqlite3.Connection) -> None:
    store(con, subscription(), subscription(BORIS, state=PENDING), subscription(BORIS, SHOP))
    subscriptions.end(con, ANNA, None, by(200.0))
    live = [record.subscription for record in subscriptions.records(con)]
    assert live == [subscription(BORIS, state=PENDING), subscription(BORIS, SHOP)]
    of_home = [record.subscription.msisdn for record in subscriptions.records_of_number(con, HOME)]
    assert of_home == [BORIS]
    assert subscriptions.counts(con) == {
        SubscriptionState.PENDING: 1,
        SubscriptionState.ACTIVE: 1,
        SubscriptionState.ENDED: 1,
        SubscriptionState.REJECTED: 0,
    }


# Activation by a feed.


def activate(con: sqlite3.Connection, now: float = 500.0) -> Outcome:
    return pending.activate_all(con, RULES, ENCODINGS, by(now), Pace(sleep=lambda _: None))


def test_a_feed_makes_pending_ones_active_and_tells_them_once(con: sqlite3.Connection) -> None:
    store(con, subscription(state=PENDING), subscription(BORIS, SHOP, PENDING))
    feed(con, HOME)
    assert activate(con) == Outcome(changed=1, told=1, untold=0, last=None)
    (record,) = subscriptions.records_of_phone(con, ANNA)
    assert (record.subscription.state, record.activated_at) == (ACTIVE, 500.0)
    assert subscriptions.of_phone(con, BORIS)[0].state is PENDING
    text = activated(HOME, Script.LATIN, RULES).text
    assert told(con) == [(ANNA.digits, "mtel", MessageKind.CONFIRMATION, text)]
    assert activate(con, now=600.0) == Outcome(0, 0, 0, None)
    assert len(told(con)) == 1


@pytest.mark.parametrize(
    ("carrier", "notify", "untold"),
    [
        pytest.param("mtel", False, 0, id="not asked for"),
        pytest.param(None, True, 1, id="no carrier"),
        pytest.param("vivacom", True, 1, id="a carrier that is not enabled"),
    ],
)
def test_an_activation_that_is_not_told(
    con: sqlite3.Connection, carrier: str | None, notify: bool, untold: int
) -> None:
    store(con, subscription(state=PENDING, carrier=carrier), notify=notify)
    feed(con, HOME)
    assert activate(con) == Outcome(changed=1, told=0, untold=untold, last=None)
    assert told(con) == []


def test_the_script_of_the_subscription(con: sqlite3.Connection) -> None:
    store(con, subscription(state=PENDING, script=Script.CYRILLIC))
    feed(con, HOME)
    activate(con)
    assert "активна" in told(con)[0][3]


def test_activation_goes_on_where_a_batch_ended(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "BATCH", 2)
    phones = [Msisdn(f"35988800000{n}") for n in range(5)]
    store(con, *[subscription(phone, state=PENDING) for phone in phones])
    feed(con, HOME)
    first = pending.activate(con, 0, RULES, ENCODINGS, by(500.0))
    assert (first.changed, subscriptions.counts(con)[PENDING]) == (2, 3)
    assert activate(con) == Outcome(changed=3, told=3, untold=0, last=None)
    assert {row[0] for row in told(con)} == {phone.digits for phone in phones}


def test_one_that_ended_in_the_meantime_stays_ended(con: sqlite3.Connection) -> None:
    """The phone sends `stop` after the pending ones were read, before they are written."""
    store(con, subscription(state=PENDING))
    feed(con, HOME)
    statements: list[str] = []

    def on_statement(statement: str) -> None:
        statements.append(statement)
        if statement == "BEGIN IMMEDIATE":
            con.set_trace_callback(None)
            subscriptions.end(con, ANNA, None, by(400.0))

    con.set_trace_callback(on_statement)
    assert pending.activate(con, 0, RULES, ENCODINGS, by(500.0)) == Outcome(0, 0, 0, None)
    assert statements[-1] == "BEGIN IMMEDIATE"
    assert told(con) == []


# Registering by hand.


def clerk(
    con: sqlite3.Connection,
    msisdn: Msisdn = ANNA,
    number: str = HOME,
    carrier: str | None = "mtel",
    channel: Channel = Channel.CENTRE,
    cache: bool = True,
    script: Script = Script.LATIN,
) -> tuple[SubscriptionState, bool, bool]:
    """Asks for a registration and gives its state, whether it was made, and told."""
    request = Request(msisdn, number, carrier, script, channel)
    registered = register(con, cache, request, RULES, ENCODINGS, by(100.0))
    return registered.subscription.state, registered.made, registered.told


def test_a_known_number_is_active_at_once(con: sqlite3.Connection) -> None:
    feed(con, HOME)
    assert clerk(con) == (ACTIVE, True, True)
    assert [row[:3] for row in told(con)] == [(ANNA.digits, "mtel", MessageKind.CONFIRMATION)]
    (stored,) = subscriptions.of_phone(con, ANNA)
    assert (stored.channel, stored.requested_at) == (Channel.CENTRE, 100.0)


def test_an_unknown_number_waits_and_is_told_later(con: sqlite3.Connection) -> None:
    assert clerk(con) == (PENDING, True, False)
    assert told(con) == []
    feed(con, HOME)
    assert activate(con).told == 1


def test_without_a_cache_all_numbers_are_unknown(con: sqlite3.Connection) -> None:
    con.execute(f"DETACH {CACHE_SCHEMA}")
    assert clerk(con, cache=False) == (PENDING, True, False)


@pytest.mark.parametrize(
    ("carrier", "channel"),
    [
        pytest.param("mtel", Channel.IMPORT, id="an import"),
        pytest.param(None, Channel.CENTRE, id="no carrier"),
    ],
)
def test_a_registration_that_is_not_told(
    con: sqlite3.Connection, carrier: str | None, channel: Channel
) -> None:
    feed(con, HOME)
    assert clerk(con, carrier=carrier, channel=channel) == (ACTIVE, True, False)


def test_being_registered_already_changes_only_what_is_named(con: sqlite3.Connection) -> None:
    store(con, *[subscription(ANNA, f"30000000000{n}", PENDING) for n in range(3)])
    feed(con, HOME)
    assert clerk(con, carrier=None) == (PENDING, False, False)
    assert {one.carrier for one in subscriptions.of_phone(con, ANNA)} == {"mtel"}
    assert clerk(con, carrier="telenor") == (PENDING, False, False)
    carriers = {one.customer_number: one.carrier for one in subscriptions.of_phone(con, ANNA)}
    assert carriers.pop(HOME) == "telenor"
    assert set(carriers.values()) == {"mtel"}


@pytest.mark.parametrize(
    ("stored", "number", "reason"),
    [
        pytest.param(
            [subscription(ANNA, f"30000000000{n}") for n in range(3)],
            "300000000009",
            "359888000001 is registered for 3 customer numbers,"
            " and subscriptions.numbers_per_phone is 3",
            id="too many numbers",
        ),
        pytest.param(
            [subscription(Msisdn(f"35988900000{n}")) for n in range(2)],
            HOME,
            "300000000001 has 2 phones, and subscriptions.phones_per_number is 2",
            id="too many phones",
        ),
        pytest.param(
            [],
            "359888123456",
            "359888123456 looks like a phone number, and no customer is known by it",
            id="a phone number",
        ),
    ],
)
def test_a_refused_registration(
    con: sqlite3.Connection, stored: list[Subscription], number: str, reason: str
) -> None:
    store(con, *stored)
    before = subscriptions.of_phone(con, ANNA)
    with pytest.raises(RegistrationRefusedError) as caught:
        clerk(con, number=number)
    assert str(caught.value) == reason
    assert subscriptions.of_phone(con, ANNA) == before


def test_a_customer_number_may_look_like_a_phone_number(con: sqlite3.Connection) -> None:
    feed(con, "359888123456")
    assert clerk(con, number="359888123456") == (ACTIVE, True, True)


# The audit.


def changes(con: sqlite3.Connection, msisdn: Msisdn = ANNA) -> list[tuple[Change, str, str]]:
    assert audit.broken(con, KEYED) is None
    return [(one.change, one.customer_number, one.value) for one in audit.of_phone(con, msisdn)]


def test_each_change_is_in_the_audit_once(con: sqlite3.Connection) -> None:
    store(con, subscription(state=PENDING), subscription(state=PENDING))
    feed(con, HOME)
    activate(con)
    activate(con)
    assert clerk(con, carrier="telenor", script=Script.CYRILLIC)[1:] == (False, False)
    assert clerk(con, carrier="telenor", script=Script.CYRILLIC)[1:] == (False, False)
    subscriptions.move(con, ANNA, "mtel", by(300.0))
    subscriptions.move(con, ANNA, "mtel", by(300.0))
    subscriptions.end(con, ANNA, None, by(400.0))
    subscriptions.end(con, ANNA, None, by(400.0))
    assert changes(con) == [
        (Change.REQUESTED, HOME, "mtel"),
        (Change.ACTIVATED, HOME, ""),
        (Change.MOVED, HOME, "telenor"),
        (Change.SCRIPT, HOME, "cyrillic"),
        (Change.MOVED, HOME, "mtel"),
        (Change.ENDED, HOME, ""),
    ]


def test_a_message_that_makes_a_pending_one_active_is_in_the_audit(
    con: sqlite3.Connection,
) -> None:
    store(con, subscription(state=PENDING), subscription(state=ACTIVE))
    assert changes(con) == [(Change.REQUESTED, HOME, "mtel"), (Change.ACTIVATED, HOME, "")]


def test_a_stop_bars_registrations_from_elsewhere_until_the_phone_asks_itself(
    con: sqlite3.Connection,
) -> None:
    stops.enter(con, KEYED, ANNA, 50.0)
    stops.enter(con, KEYED, ANNA, 60.0)
    assert (stops.since(con, KEYED, ANNA), stops.since(con, KEYED, BORIS)) == (50.0, None)
    with pytest.raises(RegistrationRefusedError, match="said stop"):
        clerk(con)
    stops.lift(con, KEYED, ANNA)
    assert clerk(con) == (PENDING, True, False)
    rows = con.execute("SELECT count(*) FROM stop").fetchone()
    assert rows == (0,)

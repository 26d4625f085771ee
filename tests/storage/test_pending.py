"""What becomes of registrations that wait, and who is told, and when."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.decision import Rules
from smsgw.service.hours import Hours
from smsgw.service.keyed import Keyed
from smsgw.service.message import (
    Channel,
    Encoding,
    MessageKind,
    Mo,
    Msisdn,
    Mt,
    MtState,
    Script,
    Segment,
)
from smsgw.service.ports import Done, Work
from smsgw.service.replies import Replies
from smsgw.service.today import Day
from smsgw.storage import audit, billing, exchange, inbox, pending, subscriptions
from smsgw.storage.audit import DAEMON, Author, Change, Origin
from smsgw.storage.database import CACHE_SCHEMA, open_gateway
from smsgw.storage.messages import enqueue
from smsgw.storage.pending import Outcome
from smsgw.storage.policy import Policy
from smsgw.storage.registration import Request, register

SOFIA = ZoneInfo("Europe/Sofia")
NOON = datetime(2026, 12, 18, 12, tzinfo=SOFIA).timestamp()
NIGHT = datetime(2026, 12, 18, 22, tzinfo=SOFIA).timestamp()
NEXT_OPENING = datetime(2026, 12, 19, 9, tzinfo=SOFIA).timestamp()
DAY = 24 * 3600.0
ANNA, BORIS = Msisdn("359888000001"), Msisdn("359888000002")
HOME = "300000000001"
KEYED = Keyed(b"key")
ENCODINGS = {"mtel": Encoding()}
RULES = Rules(
    replies=Replies(),
    numbers_per_phone=10,
    phones_per_number=5,
    sms=True,
    max_age=0.0,
    max_parts=4,
    timezone=SOFIA,
    activation_limit=DAY,
    hours=Hours(time(9), time(20)),
)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_gateway(tmp_path)) as con:
        con.execute(f"ATTACH ':memory:' AS {CACHE_SCHEMA}")
        for table in billing.SCHEMA.split("CREATE TABLE ")[1:]:
            con.execute(f"CREATE TABLE {CACHE_SCHEMA}.{table.rpartition(';')[0]}")
        yield con


def by(now: float, origin: Origin = DAEMON) -> Author:
    return Author(KEYED, origin, now)


def store(
    con: sqlite3.Connection,
    msisdn: Msisdn = ANNA,
    state: SubscriptionState = SubscriptionState.PENDING,
    at: float = NOON,
    carrier: str | None = "mtel",
    channel: Channel = Channel.SMS,
    notify: bool = True,
    door: Channel | None = None,  # by which it was asked for, if that is another
) -> None:
    one = Subscription(msisdn, HOME, state, carrier, Script.LATIN, channel, at)
    assert subscriptions.add(con, one, notify, by(at, Origin(door or channel, "maria")))


def feed(con: sqlite3.Connection) -> None:
    con.execute(f"INSERT INTO {CACHE_SCHEMA}.customer VALUES (?)", (int(HOME),))


def reject(con: sqlite3.Connection, now: float, rules: Rules = RULES) -> Outcome:
    return pending.reject(con, True, rules, ENCODINGS, by(now))


def activate(con: sqlite3.Connection, now: float = NOON) -> Outcome:
    return pending.activate(con, 0, RULES, ENCODINGS, by(now))


def waiting(con: sqlite3.Connection) -> list[tuple[str, str, str, float | None]]:
    """Phone, text, state and time of what goes out."""
    return con.execute(
        "SELECT msisdn, text, state, not_before FROM mt JOIN segment ON mt_id = id ORDER BY id"
    ).fetchall()


REJECTED = f"Registratsiyata na {HOME} e otkazana: nyama takav klientski nomer."
FURTHER = f"Oshte edin telefon (...001) e registriran za {HOME}."


def test_what_no_feed_knew_in_time_is_rejected_and_told(con: sqlite3.Connection) -> None:
    store(con)
    assert reject(con, NOON + DAY - 1) == Outcome(0, 0, 0)
    assert reject(con, NOON + DAY) == Outcome(1, 1, 0)
    assert reject(con, NOON + DAY) == Outcome(0, 0, 0)
    assert waiting(con) == [(ANNA.digits, REJECTED, MtState.QUEUED, None)]
    (record,) = subscriptions.records_of_phone(con, ANNA)
    assert (record.subscription.state, record.ended_at) == ("rejected", NOON + DAY)
    assert [one.change for one in audit.of_phone(con, ANNA)] == [
        Change.REQUESTED,
        Change.REJECTED,
    ]
    assert subscriptions.of_phone(con, ANNA) == ()


def test_what_the_cache_knows_is_not_rejected(con: sqlite3.Connection) -> None:
    store(con)
    feed(con)
    assert reject(con, NOON + 2 * DAY) == Outcome(0, 0, 0)
    assert activate(con, NOON + 2 * DAY).changed == 1


def test_one_of_a_clock_that_was_set_back_holds_up_no_others(con: sqlite3.Connection) -> None:
    store(con, BORIS, at=NOON + 30 * DAY)
    store(con)
    assert reject(con, NOON + DAY) == Outcome(1, 1, 0)
    assert [one.state for one in subscriptions.of_phone(con, BORIS)] == ["pending"]


def test_without_a_limit_nothing_is_rejected(con: sqlite3.Connection) -> None:
    store(con)
    assert reject(con, NOON + 1000 * DAY, replace(RULES, activation_limit=0.0)).changed == 0


@pytest.mark.parametrize(
    ("carrier", "notify", "outcome"),
    [
        pytest.param("mtel", False, Outcome(1, 0, 0), id="an import: not told"),
        pytest.param(None, True, Outcome(1, 0, 1), id="no carrier"),
        pytest.param("gone", True, Outcome(1, 0, 1), id="a carrier that is not there"),
    ],
)
def test_who_is_not_told(
    con: sqlite3.Connection, carrier: str | None, notify: bool, outcome: Outcome
) -> None:
    store(con, carrier=carrier, notify=notify)
    assert reject(con, NOON + DAY) == outcome
    assert waiting(con) == []


def test_what_nobody_waits_for_waits_for_the_next_opening(con: sqlite3.Connection) -> None:
    store(con)
    feed(con)
    activate(con, NIGHT)
    ((phone, _, state, not_before),) = waiting(con)
    assert (phone, state, not_before) == (ANNA.digits, MtState.WAITING, NEXT_OPENING)
    assert commit(con, NEXT_OPENING - 1, free=1).claimed == []
    (segment,) = commit(con, NEXT_OPENING, free=1).claimed
    assert segment.destination == ANNA


def test_what_was_not_out_by_closing_time_waits_too(con: sqlite3.Connection) -> None:
    """Its carrier was not there until the middle of the night."""
    store(con)
    feed(con)
    activate(con, NOON)
    done = commit(con, NIGHT, free=1)
    assert (done.claimed, done.wake_at) == ([], NEXT_OPENING)
    assert [row[2:] for row in waiting(con)] == [(MtState.WAITING, NEXT_OPENING)]
    assert commit(con, NEXT_OPENING - 1, free=1).claimed == []
    assert [one.destination for one in commit(con, NEXT_OPENING, free=1).claimed] == [ANNA]


def test_what_is_put_off_gives_its_place_to_what_is_behind_it(con: sqlite3.Connection) -> None:
    for phone in (ANNA, BORIS):
        store(con, phone)
    feed(con)
    activate(con, NOON)
    enqueue(con, [Mt("mtel", MessageKind.MANUAL, ANNA, "x", NIGHT)], ENCODINGS, NIGHT)
    claimed: list[Segment] = []
    for _ in range(3):
        done = commit(con, NIGHT, free=1)
        claimed += done.claimed
        if not done.backlog:
            break
    assert [one.kind for one in claimed] == [MessageKind.MANUAL]


@pytest.mark.parametrize(
    ("stop", "told"),
    [
        pytest.param("stop", False, id="all"),
        pytest.param("stop 300000000009", True, id="another number"),
        pytest.param("help", True, id="no stop"),
    ],
)
def test_who_said_stop_by_night_is_not_told_in_the_morning_that_it_is_registered(
    con: sqlite3.Connection, stop: str, told: bool
) -> None:
    store(con)
    feed(con)
    activate(con, NIGHT)
    commit(con, NIGHT + 60, stop)
    con.execute("DELETE FROM segment WHERE mt_id > 1")  # the answer
    done = commit(con, NEXT_OPENING, free=1)
    assert [one.key.mt for one in done.claimed] == [1] * told
    if not told:
        assert done.tally.final == {("mtel", MtState.CANCELLED): 1}
        assert [row[2:] for row in waiting(con)] == [(MtState.CANCELLED, None)]


def test_who_registers_again_after_a_stop_is_told(con: sqlite3.Connection) -> None:
    store(con)
    feed(con)
    commit(con, NOON, "stop")
    store(con, at=NIGHT)
    activate(con, NIGHT)
    con.execute("DELETE FROM segment WHERE mt_id = 1")  # the answer to the stop
    assert len(commit(con, NEXT_OPENING, free=1).claimed) == 1


def test_a_part_follows_another_that_is_out(con: sqlite3.Connection) -> None:
    text = "дълъг текст " * 10
    enqueue(con, [Mt("mtel", MessageKind.CONFIRMATION, ANNA, text, NOON)], ENCODINGS, NOON)
    assert [one.key.part for one in commit(con, NOON, free=1).claimed] == [1]
    assert [one.key.part for one in commit(con, NIGHT, free=1).claimed] == [2]


def test_a_clerk_s_customer_is_told_at_any_hour(con: sqlite3.Connection) -> None:
    feed(con)
    request = Request(ANNA, HOME, "mtel", None, Channel.CENTRE)
    assert register(con, True, request, RULES, ENCODINGS, by(NIGHT)).told
    assert [row[2:] for row in waiting(con)] == [(MtState.QUEUED, None)]
    assert len(commit(con, NIGHT + 60, free=1).claimed) == 1


@pytest.mark.parametrize("way", ["feed", "clerk", "message"])
def test_the_phones_that_a_number_has_are_told_of_a_further_one(
    con: sqlite3.Connection, way: str
) -> None:
    store(con, BORIS, SubscriptionState.ACTIVE)
    if way == "feed":
        store(con)
        feed(con)
        activate(con)
    else:
        feed(con)
        if way == "clerk":
            request = Request(ANNA, HOME, "mtel", None, Channel.EASYPAY)
            register(con, True, request, RULES, ENCODINGS, by(NOON))
        else:
            commit(con, NOON, HOME)
    assert (BORIS.digits, FURTHER) in [row[:2] for row in waiting(con)]


@pytest.mark.parametrize("way", ["feed", "clerk"])
def test_an_import_tells_no_other_phone(con: sqlite3.Connection, way: str) -> None:
    store(con, BORIS, SubscriptionState.ACTIVE)
    if way == "feed":
        store(con, channel=Channel.IMPORT, notify=False)
        feed(con)
        activate(con)
    else:
        feed(con)
        request = Request(ANNA, HOME, "mtel", None, Channel.IMPORT)
        register(con, True, request, RULES, ENCODINGS, by(NOON))
    assert waiting(con) == []


def test_many_who_are_told_are_told_in_several_transactions(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever answers a customer waits for the lock no longer than one of them takes."""
    monkeypatch.setattr(pending, "MESSAGES", 4)
    phones = [Msisdn(f"35988700000{n}") for n in range(7)]
    store(con, BORIS, SubscriptionState.ACTIVE)
    for phone in phones:
        store(con, phone)
    feed(con)
    after: int | None = 0
    told = []
    while after is not None:
        batch = pending.activate(con, after, RULES, ENCODINGS, by(NOON))
        told.append(batch.told)
        after = batch.last
    assert told == [2, 1, 1, 1, 1, 1]  # the number has more phones by each
    messages = [row[0] for row in waiting(con)]
    assert [messages.count(phone.digits) for phone in (BORIS, *phones)] == [7, *range(7, 0, -1)]


@pytest.mark.parametrize("notify", [False, True])
@pytest.mark.parametrize("channel", [Channel.CENTRE, Channel.SMS])
def test_an_import_tells_no_other_phone_whatever_channel_its_rows_name(
    con: sqlite3.Connection, channel: Channel, notify: bool
) -> None:
    store(con, BORIS, SubscriptionState.ACTIVE)
    store(con, channel=channel, notify=notify, door=Channel.IMPORT)
    feed(con)
    assert activate(con) == Outcome(1, notify, 0)
    assert [row[0] for row in waiting(con)] == [ANNA.digits] * notify


@pytest.mark.parametrize("asks", [False, True])
def test_who_asks_for_what_an_import_asked_for_is_told(con: sqlite3.Connection, asks: bool) -> None:
    store(con, channel=Channel.IMPORT, notify=False)
    if asks:
        commit(con, NOON, HOME)
        con.execute("DELETE FROM segment")  # the answer: it is still being worked on
    feed(con)
    assert activate(con) == Outcome(1, asks, 0)
    assert [row[0] for row in waiting(con)] == [ANNA.digits] * asks


# Daily bounds, from transaction to transaction and over a restart.

BOUND = replace(RULES, answers_per_day=3, hints_per_day=1, unknown_numbers_per_day=1)


def commit(
    con: sqlite3.Connection,
    now: float,
    *texts: str,
    counted: Day | None = None,
    rules: Rules = RULES,
    free: int = 0,
) -> Done:
    mos = [Mo("mtel", 1, now, ANNA, "170077", 0, 0, text.encode(), text) for text in texts]
    work = Work(now, (), (), (), (), mos, (), {"mtel": free} if free else {})
    return exchange.commit(con, work, True, Policy(rules, ENCODINGS, KEYED), counted or Day())


def silences(done: Done) -> dict[str, int]:
    return {why.value: count for (_, why), count in done.tally.silences.items()}


def test_bounds_count_within_and_between_transactions(con: sqlite3.Connection) -> None:
    day = Day()
    first = commit(con, NOON, "dobar den", "dobar den", counted=day, rules=BOUND)
    assert silences(first) == {"hints": 1}
    second = commit(con, NOON, "help", "help", "help", counted=day, rules=BOUND)
    assert silences(second) == {"answers": 1}
    assert con.execute("SELECT count(*) FROM mt").fetchone() == (3,)
    assert con.execute("SELECT silence FROM mo ORDER BY id").fetchall() == [
        (None,), ("hints",), (None,), (None,), ("answers",),
    ]  # fmt: skip


def test_counts_survive_a_restart_and_end_with_the_day(con: sqlite3.Connection) -> None:
    commit(con, NOON, "help", "help", "help", rules=BOUND)
    day = Day()
    inbox.counted_today(con, day, SOFIA, NOON + 60)
    assert silences(commit(con, NOON + 60, "help", counted=day, rules=BOUND)) == {"answers": 1}
    midnight = datetime(2026, 12, 19, tzinfo=SOFIA).timestamp()
    assert silences(commit(con, midnight, "help", counted=day, rules=BOUND)) == {}


def test_a_restart_after_midnight_counts_nothing_of_yesterday(con: sqlite3.Connection) -> None:
    commit(con, NOON, "help", "help", "help", rules=BOUND)
    day = Day()
    inbox.counted_today(con, day, SOFIA, NOON + DAY)
    assert silences(commit(con, NOON + DAY, "help", counted=day, rules=BOUND)) == {}


def test_what_is_not_stored_is_not_counted(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = Day()

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(inbox, "note_redeliveries", fail)
        for _ in range(5):
            with pytest.raises(sqlite3.OperationalError):
                commit(con, NOON, "help", counted=day, rules=BOUND)
    assert silences(commit(con, NOON, "help", "help", "help", counted=day, rules=BOUND)) == {}


def test_unknown_numbers_are_registered_up_to_the_bound(con: sqlite3.Connection) -> None:
    day = Day()
    numbers = [f"30000000000{n}" for n in range(4)]
    done = commit(con, NOON, *numbers[:3], counted=day, rules=BOUND)
    assert silences(done) == {"unknown_numbers": 1}
    assert [one.customer_number for one in subscriptions.of_phone(con, ANNA)] == numbers[:1]

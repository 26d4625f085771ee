"""The daemon's transaction over a real database: what is decided, stored, claimed and settled."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from smsgw.service.decision import Rules
from smsgw.service.keyed import Keyed
from smsgw.service.message import (
    Acceptance,
    Encoding,
    Layout,
    MessageKind,
    Mo,
    Msisdn,
    Mt,
    MtState,
    Outcome,
    Receipt,
    ReceiptState,
    Segment,
)
from smsgw.service.ports import Done, Redelivery, SessionEnd, Work
from smsgw.service.replies import Company, Replies
from smsgw.service.retry import VALIDITY, settle
from smsgw.service.today import Day
from smsgw.storage import claims, exchange, inbox, stops
from smsgw.storage.billing import SCHEMA
from smsgw.storage.database import CacheReader, open_gateway, transaction
from smsgw.storage.messages import enqueue
from smsgw.storage.policy import Policy
from smsgw.storage.settlements import recover
from smsgw.storage.tidy import PARKED_FOR, tidy
from smsgw.text.userdata import Part

T = 1_800_000_000.0
PHONE, OTHER = Msisdn("359888123456"), Msisdn("359888123457")
NUMBER = "300012345678"

POLICY = Policy(
    Rules(
        replies=Replies({}, Company(None, None, None, None)),
        numbers_per_phone=10,
        phones_per_number=5,
        sms=True,
        max_age=36 * 3600.0,
        max_parts=4,
        timezone=UTC,
    ),
    {"mtel": Encoding()},
    Keyed(b"key"),
)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """gateway.db with a cache attached that knows NUMBER, with a bill of 45.20 EUR."""
    with closing(sqlite3.connect(tmp_path / "cache.db")) as cache:
        cache.executescript(SCHEMA)
        cache.execute("INSERT INTO customer VALUES (?)", (int(NUMBER),))
        cache.execute(
            "INSERT INTO bill VALUES (?, '1', NULL, '2099-12-20', NULL, 4520, 'EUR', 'open', NULL)",
            (int(NUMBER),),
        )
        cache.execute("INSERT INTO feed VALUES (?, ?, 'snapshot', 'a.csv', 1, 1)", (T, T))
        cache.commit()
    with closing(open_gateway(tmp_path)) as gateway:
        gateway.execute("INSERT INTO snapshot (file, imported_at) VALUES ('cache.db', ?)", (T,))
        CacheReader(gateway, tmp_path).follow()
        yield gateway


def mo(text: str, source: Msisdn = PHONE, **changes: object) -> Mo:
    one = Mo("mtel", 1, T, source, "170077", 0, 0, text.encode(), text)
    return one._replace(**changes)  # type: ignore[arg-type]


def commit(con: sqlite3.Connection, now: float = T, free: int = 0, **work: object) -> Done:
    """A transaction of just what is named; `free` places at the carrier mtel."""
    places = {"mtel": free} if free else {}
    nothing = Work(now, (), (), (), (), (), (), places, bulk=places)
    return exchange.commit(con, nothing._replace(**work), True, POLICY, Day())  # type: ignore[arg-type]


def states(con: sqlite3.Connection) -> list[tuple[int, int, str]]:
    return con.execute("SELECT mt_id, part, state FROM segment ORDER BY 1, 2").fetchall()


def outcome(segment: Segment, acceptance: Acceptance, message_id: str = "") -> Outcome:
    return Outcome(segment, acceptance, T, message_id)


def receipt(message_id: str, state: ReceiptState = ReceiptState.DELIVERED) -> Receipt:
    return Receipt("mtel", T, message_id, state, "000")


def test_an_mo_is_stored_with_its_decision_and_its_answer_claimed(con: sqlite3.Connection) -> None:
    done = commit(con, mos=[mo(NUMBER), mo("smetka")], free=10)

    assert con.execute("SELECT id, intent FROM mo").fetchall() == [
        (1, "register"),
        (2, "bill_check"),
    ]
    assert con.execute("SELECT msisdn, state, carrier, channel FROM subscription").fetchall() == [
        (PHONE.digits, "active", "mtel", "sms")
    ]
    assert [one.destination.digits for one in done.claimed] == [PHONE.digits] * 2
    assert b"45,20 EUR" in done.claimed[1].octets  # it saw what the MO before it changed
    assert states(con) == [(1, 1, "claimed"), (2, 1, "claimed")]
    assert done.tally.intents == {("mtel", "register"): 1, ("mtel", "bill_check"): 1}
    assert done.tally.created == {("mtel", MessageKind.ANSWER): 2}


def test_what_has_no_free_place_is_queued_and_claimed_later_oldest_first(
    con: sqlite3.Connection,
) -> None:
    first = commit(con, mos=[mo("smetka"), mo("help"), mo("stop")], free=1)
    second = commit(con, mos=[mo("smetka", OTHER)], free=2)
    none = commit(con)

    assert [one.key.mt for one in first.claimed] == [1]
    assert [one.key.mt for one in second.claimed] == [2, 3]
    assert first.backlog == {"mtel"}
    assert second.backlog == {"mtel"}
    assert (none.claimed, none.backlog) == ([], set())
    assert commit(con, free=5).backlog == set()


def test_without_a_bound_carrier_everything_waits_in_the_queue(con: sqlite3.Connection) -> None:
    done = commit(con, mos=[mo("smetka")])

    assert not done.claimed
    assert done.backlog == {"mtel"}
    assert states(con) == [(1, 1, "queued")]


def test_answers_go_before_what_was_queued_of_less_urgent_kinds(con: sqlite3.Connection) -> None:
    with transaction(con):
        enqueue(con, [Mt("mtel", MessageKind.NOTICE, OTHER, "x", T)] * 3, {}, T)

    done = commit(con, mos=[mo("smetka")], free=2)

    assert [one.kind for one in done.claimed] == [MessageKind.ANSWER, MessageKind.NOTICE]
    assert [state for _, _, state in states(con)] == ["claimed", "queued", "queued", "claimed"]


def test_a_part_of_a_long_mo_is_stored_and_not_answered(con: sqlite3.Connection) -> None:
    done = commit(con, mos=[mo("smet", part=Part(5, 2, 1))], free=5)

    assert not done.claimed
    assert con.execute("SELECT intent, reference, total, part FROM mo").fetchall() == [
        (None, 5, 2, 1)
    ]
    assert done.tally.parts == {"mtel": 1}


def test_an_mo_that_cannot_be_decided_leaves_the_others_alone(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(text: str) -> object:
        if text == "poison":
            raise ZeroDivisionError
        return read(text)

    read = inbox.read
    monkeypatch.setattr(inbox, "read", poisoned)

    done = commit(con, mos=[mo("smetka"), mo("poison"), mo("help")], free=5)

    assert done.undecided == [1]
    assert con.execute("SELECT id, text FROM mo").fetchall() == [(1, "smetka"), (3, "help")]
    assert len(done.claimed) == 2


@pytest.fixture
def sent(con: sqlite3.Connection) -> Segment:
    (segment,) = commit(con, mos=[mo("smetka")], free=1).claimed
    return segment


def settled(con: sqlite3.Connection, one: Segment, acceptance: Acceptance, **more: object) -> Done:
    return commit(con, settlements=[settle(outcome(one, acceptance, "A1"))], **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("acceptance", "state"),
    [
        (Acceptance.ACCEPTED, "accepted"),
        (Acceptance.PERMANENT, "refused"),
        (Acceptance.TEMPORARY, "waiting"),
        (Acceptance.THROTTLED, "queued"),
        (Acceptance.LOST, "queued"),
    ],
)
def test_an_outcome_is_written(
    con: sqlite3.Connection, sent: Segment, acceptance: Acceptance, state: str
) -> None:
    settled(con, sent, acceptance)

    assert states(con) == [(1, 1, state)]


def test_a_segment_refused_for_now_is_sent_again_when_its_time_has_come(
    con: sqlite3.Connection, sent: Segment
) -> None:
    done = settled(con, sent, Acceptance.TEMPORARY, free=5)

    assert done.wake_at == T + 5
    assert not done.claimed
    again = commit(con, now=T + 5, free=5)
    assert [one.key for one in again.claimed] == [sent.key]
    assert again.claimed[0].attempts == 1
    assert again.wake_at is None


def test_a_receipt_settles_an_accepted_segment(con: sqlite3.Connection, sent: Segment) -> None:
    settled(con, sent, Acceptance.ACCEPTED)
    done = commit(con, receipts=[receipt("A1", ReceiptState.EXPIRED)])

    assert states(con) == [(1, 1, "undelivered")]
    assert done.tally.final == {("mtel", MtState.UNDELIVERED): 1}


def test_a_response_and_its_receipt_in_one_transaction(
    con: sqlite3.Connection, sent: Segment
) -> None:
    settled(con, sent, Acceptance.ACCEPTED, receipts=[receipt("A1")])

    assert states(con) == [(1, 1, "delivered")]


def test_a_receipt_that_outruns_its_response_is_parked_and_matched_later(
    con: sqlite3.Connection, sent: Segment
) -> None:
    early = commit(con, receipts=[receipt("A1")])
    assert early.tally.parked == {"mtel": 1}
    settled(con, sent, Acceptance.ACCEPTED)

    assert states(con) == [(1, 1, "delivered")]
    assert con.execute("SELECT count(*) FROM parked_receipt").fetchone() == (0,)


def test_a_receipt_of_another_carrier_with_the_same_id_is_another(
    con: sqlite3.Connection, sent: Segment
) -> None:
    settled(con, sent, Acceptance.ACCEPTED)
    commit(con, receipts=[receipt("A1")._replace(carrier="vivacom")])

    assert states(con) == [(1, 1, "accepted")]


def test_a_final_state_stays_whatever_receipts_follow(
    con: sqlite3.Connection, sent: Segment
) -> None:
    settled(con, sent, Acceptance.ACCEPTED)
    commit(con, receipts=[receipt("A1"), receipt("A1", ReceiptState.EXPIRED)])
    commit(con, receipts=[receipt("A1", ReceiptState.ENROUTE)])
    commit(con, receipts=[receipt("A1", ReceiptState.REJECTED)])

    assert states(con) == [(1, 1, "delivered")]


def test_an_intermediate_receipt_settles_nothing(con: sqlite3.Connection, sent: Segment) -> None:
    settled(con, sent, Acceptance.ACCEPTED)
    commit(con, receipts=[receipt("A1", ReceiptState.ENROUTE)])

    assert states(con) == [(1, 1, "accepted")]


def test_of_an_id_that_a_carrier_uses_again_the_newest_is_meant(con: sqlite3.Connection) -> None:
    for _ in range(2):
        (one,) = commit(con, mos=[mo("smetka")], free=1).claimed
        settled(con, one, Acceptance.ACCEPTED)
    commit(con, receipts=[receipt("A1")])

    assert [state for _, _, state in states(con)] == ["accepted", "delivered"]


def test_an_answer_is_bounded_as_its_carrier_counts_parts(con: sqlite3.Connection) -> None:
    encodings = {"mtel": Encoding("gsm7", "udh16")}
    replies = Replies({"help": {"latin": "x" * 306}}, Company(None, None, None, None))
    rules = replace(POLICY.rules, max_parts=2, replies=replies, encodings=encodings)
    policy = POLICY._replace(rules=rules, encodings=encodings)
    work = Work(T, (), (), (), (), [mo("help")], (), {"mtel": 5})
    claimed = exchange.commit(con, work, True, policy, Day()).claimed

    assert [len(one.octets) for one in claimed] == [7 + 152, 7 + 152]


def test_what_is_no_longer_worth_sending_is_expired(con: sqlite3.Connection) -> None:
    commit(con, mos=[mo("smetka")])
    done = commit(con, now=T + VALIDITY[MessageKind.ANSWER] + 1, free=5)

    assert not done.claimed
    assert states(con) == [(1, 1, "expired")]
    assert done.tally.final[("mtel", MtState.EXPIRED)] == 1


def test_after_a_crash_a_claimed_answer_is_sent_once_more_and_never_again(
    con: sqlite3.Connection, sent: Segment
) -> None:
    assert recover(con, T) == {MtState.QUEUED: 1}
    (again,) = commit(con, free=5).claimed
    assert again.key == sent.key
    assert again.octets == sent.octets

    assert recover(con, T) == {MtState.UNKNOWN: 1}
    assert not commit(con, free=5).claimed


def test_after_a_crash_a_claimed_confirmation_is_held(con: sqlite3.Connection) -> None:
    with transaction(con):
        enqueue(con, [Mt("mtel", MessageKind.CONFIRMATION, PHONE, "x", T)], {}, T)
    commit(con, free=5)

    assert recover(con, T) == {MtState.UNKNOWN: 1}


def test_a_part_that_was_accepted_is_not_repeated(con: sqlite3.Connection) -> None:
    with transaction(con):
        enqueue(con, [Mt("mtel", MessageKind.ANSWER, PHONE, "x" * 200, T)], {}, T)
    first, second = commit(con, free=5).claimed
    assert first.layout is Layout.UDH
    commit(
        con,
        settlements=[
            settle(outcome(first, Acceptance.ACCEPTED, "A1")),
            settle(outcome(second, Acceptance.LOST)),
        ],
    )

    assert [one.key for one in commit(con, free=5).claimed] == [second.key]


def test_a_transaction_that_fails_leaves_nothing(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(claims, "wake_at", full)
    with pytest.raises(sqlite3.OperationalError):
        commit(con, mos=[mo(NUMBER)], free=5)

    assert not con.in_transaction
    for table in ("mo", "mt", "segment", "subscription"):
        assert con.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_what_the_rule_on_redeliveries_needs_survives(con: sqlite3.Connection) -> None:
    commit(con, mos=[mo("smetka", received_at=T - 900)])
    commit(con, mos=[mo("smetka"), mo("help"), mo("help", OTHER)])
    commit(
        con,
        ended=[SessionEnd(1, "mtel", T + 5)],
        late=[3],
        redeliveries=[Redelivery(2, -1, "mtel", T + 6, 9)],
    )
    commit(con, mos=[mo("info")], redeliveries=[Redelivery(None, 0, "mtel", T + 7, 9)])

    stored, ended = inbox.remembered(con, T - 600, 100)

    assert [(one.mo, one.session, one.received_at, one.late) for one in stored] == [
        (2, 9, T + 6, False),
        (3, 1, T, True),
        (4, 1, T, False),
        (5, 9, T + 7, False),
    ]
    assert ended == {1: T + 5}
    assert [one.mo for one in inbox.remembered(con, T - 600, 2)[0]] == [4, 5]
    assert stored[2].key == (
        "mtel", OTHER.digits, "170077", 0, 0, b"help", None,
    )  # fmt: skip


def test_tidying_drops_orphans_and_keeps_what_may_still_match(con: sqlite3.Connection) -> None:
    commit(con, receipts=[receipt("old")._replace(received_at=T - PARKED_FOR - 1)])
    commit(con, receipts=[receipt("young")])

    assert tidy(con, T).orphans == {"mtel": 1}
    assert con.execute("SELECT message_id FROM parked_receipt").fetchall() == [("young",)]


def test_a_segment_that_is_due_while_nothing_is_bound_is_known_to_wait(
    con: sqlite3.Connection, sent: Segment
) -> None:
    settled(con, sent, Acceptance.TEMPORARY)

    assert commit(con, now=T + 5).backlog == {"mtel"}


def test_a_clock_that_was_set_back_holds_nothing_up(con: sqlite3.Connection, sent: Segment) -> None:
    settled(con, sent, Acceptance.TEMPORARY)

    assert commit(con, now=T - 86_400, free=5).claimed


def test_a_stale_head_of_the_queue_does_not_hide_what_follows(con: sqlite3.Connection) -> None:
    late = T + VALIDITY[MessageKind.ANSWER] + 1
    commit(con, mos=[mo("smetka")] * 5)
    commit(con, mos=[mo("help", received_at=late)])

    first = commit(con, now=late, free=2)
    second = commit(con, now=late, free=2)

    assert (first.claimed, first.backlog) == ([], {"mtel"})
    assert [one.key.mt for one in second.claimed] == [6]


def test_a_receipt_repeated_for_an_older_message_does_not_settle_a_newer_one(
    con: sqlite3.Connection,
) -> None:
    commit(con, receipts=[receipt("A1", ReceiptState.UNDELIVERABLE)])
    (one,) = commit(con, now=T + 3600, mos=[mo("smetka")], free=1).claimed
    settled(con, one, Acceptance.ACCEPTED, now=T + 3600)
    assert states(con) == [(1, 1, "accepted")]

    commit(con, receipts=[receipt("A2")._replace(received_at=T + 3601)])
    (other,) = commit(con, now=T + 3600, mos=[mo("smetka")], free=1).claimed
    commit(con, settlements=[settle(outcome(other, Acceptance.ACCEPTED, "A2"))])
    assert states(con)[1] == (2, 1, "delivered")


def test_a_database_error_while_deciding_fails_the_whole_transaction(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(text: str) -> object:
        con.execute("ROLLBACK")  # as SQLite does by itself
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(inbox, "read", no_memory)
    with pytest.raises(sqlite3.OperationalError):
        commit(con, mos=[mo("smetka"), mo("help")], free=5)

    assert con.execute("SELECT count(*) FROM segment").fetchone() == (0,)


def test_a_redelivery_of_what_could_not_be_decided_is_not_noted(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "read", lambda text: 1 / 0)
    commit(con, mos=[mo("help")], redeliveries=[Redelivery(None, 0, "mtel", T + 1, 2)])

    assert con.execute("SELECT count(*) FROM redelivery").fetchone() == (0,)


def test_what_waits_for_a_carrier_that_is_gone_expires(con: sqlite3.Connection) -> None:
    commit(con, mos=[mo("smetka"), mo("help", received_at=T + 10)])
    tidy(con, T + VALIDITY[MessageKind.ANSWER] + 5)

    assert [state for _, _, state in states(con)] == ["expired", "queued"]


def test_the_partial_indexes_are_used(con: sqlite3.Connection) -> None:
    def plan(query: str, *values: object) -> str:
        return " ".join(
            row[3] for row in con.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
        )

    assert "segment_queued" in plan(claims.SELECT_QUEUED, "mtel", 10)
    assert "TEMP B-TREE" not in plan(claims.SELECT_QUEUED, "mtel", 10)


def test_a_stop_by_message_and_a_registration_that_lifts_it(con: sqlite3.Connection) -> None:
    commit(con, mos=[mo("stop")])
    assert stops.since(con, POLICY.keyed, PHONE) == T
    commit(con, mos=[mo("stop 300012345678")])
    commit(con, mos=[mo("smetka")])
    assert stops.since(con, POLICY.keyed, PHONE) == T
    commit(con, mos=[mo("300012345678")])
    assert stops.since(con, POLICY.keyed, PHONE) is None

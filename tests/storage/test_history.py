"""Finished messages move to the history: all of them, once, and nothing that still matters."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from smsgw.service.keyed import Keyed
from smsgw.service.message import (
    MessageKind,
    Mo,
    Msisdn,
    Mt,
    MtState,
    Receipt,
    ReceiptState,
)
from smsgw.service.ports import Redelivery
from smsgw.service.report import Books, Counts
from smsgw.storage import history, queue, reports
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.history import BATCH, FINISHED_FOR, LOOKED_AT, Batch
from smsgw.storage.messages import enqueue
from smsgw.storage.tidy import UNNAMED_FOR, tidy
from smsgw.text.reassembly import Bounds
from smsgw.text.userdata import Joining, Part

T = 1_800_000_000.0
PHONE, OTHER = Msisdn("359888123456"), Msisdn("359888123457")
NUMBER, SECOND = "300012345678", "300012345679"
MANUAL = MessageKind.MANUAL
LATER = T + FINISHED_FOR + 100  # all that became final in the first seconds is finished by then
WAIT = Bounds().wait
DAY = 24 * 3600.0
BOOKS = Books(Keyed(b"k"))


def mo(text: str, at: float = T, source: Msisdn = PHONE, part: Part | None = None) -> Mo:
    octets = text.encode("latin-1", "replace")
    return Mo("mtel", 1, at, source, "170077", 0, 0, octets, text, part)


def parts(*texts: str, reference: int = 7, total: int | None = None) -> list[Mo]:
    """The parts of a long message; `total`: not all of them."""
    of = total or len(texts)
    return [
        mo(text, part=Part(reference, of, number, Joining.SAR))
        for number, text in enumerate(texts, start=1)
    ]


def out(con: sqlite3.Connection, now: float = LATER) -> int:
    """Move all that is finished; how many that were."""
    return _all(lambda after: history.move_outgoing(con, after, now, BOOKS))


def into(con: sqlite3.Connection, before: float = LATER, now: float = LATER) -> int:
    return _all(lambda after: history.move_incoming(con, after, before, now, BOOKS))


def _all(move: Any) -> int:
    moved, after = 0, 0
    while after is not None:
        batch: Batch = move(after)
        assert batch.last is None or batch.last > after
        moved, after = moved + batch.moved, batch.last
    return moved


def rows(con: sqlite3.Connection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()


def ids(con: sqlite3.Connection, table: str) -> list[int]:
    return [id_ for (id_,) in rows(con, f"SELECT id FROM {table} ORDER BY id")]


def delivered(gateway: Any, text: str = "x", message_id: str = "A", at: float = T) -> int:
    """A message that is delivered by `at` + 2; its id."""
    segments = gateway.send(MANUAL, text=text, now=at)
    for segment in segments:
        name = f"{message_id}.{segment.key.part}"
        gateway.accepted(segment, name, now=at + 1)
        receipt = Receipt("mtel", at + 2, name, ReceiptState.DELIVERED, "000", PHONE, "2701151000")
        gateway.received(receipt)
    mt: int = segments[0].key.mt
    return mt


# -- messages to customers ----------------------------------------------------------------------


def test_what_is_kept_of_a_message_to_a_customer(gateway: Any) -> None:
    text = f"Dlazhite 45,20 EUR za {NUMBER}; {NUMBER}, {SECOND}. " + "y" * 150
    delivered(gateway, text)
    (before,) = queue.records(gateway.con, [1])

    assert out(gateway.con) == 1

    assert (ids(gateway.con, "mt"), gateway.states()) == ([], [])
    assert queue.records(gateway.con, [1]) == [before]
    assert rows(gateway.con, "SELECT state, final_at, msisdn FROM history_mt") == [
        ("delivered", T + 2, PHONE.digits)
    ]
    assert rows(gateway.con, "SELECT * FROM history_number ORDER BY 1") == [
        (NUMBER, T, None, 1),
        (SECOND, T, None, 1),
    ]


def test_every_column_of_a_segment_is_kept_or_of_no_more_use(gateway: Any) -> None:
    delivered(gateway)
    gateway.con.execute(
        "UPDATE segment SET response_id = '0A', asked = 2, asked_at = 7.0, bare = 1"
    )
    out(gateway.con)
    ((kept,),) = rows(gateway.con, "SELECT segments FROM history_mt")
    columns = {row[1] for row in rows(gateway.con, "PRAGMA table_info(segment)")}
    # The message's, what is made of its text, what only a live one has, and what was 0.
    left_out = {"mt_id", "carrier", "kind", "total", "octets", "not_before", "lost"}
    assert columns - json.loads(kept)[0].keys() == left_out
    assert json.loads(kept)[0]["response_id"] == "0A"


FINISHED = [
    MtState.DELIVERED,
    MtState.UNDELIVERED,
    MtState.REFUSED,
    MtState.EXPIRED,
    MtState.CANCELLED,
    MtState.UNCONFIRMED,
]


@pytest.mark.parametrize("state", MtState)
def test_only_what_is_final_moves(gateway: Any, state: MtState) -> None:
    gateway.send(MANUAL)
    gateway.con.execute("UPDATE segment SET state = ?", (state,))
    assert out(gateway.con) == (1 if state in FINISHED else 0)
    (found,) = queue.records(gateway.con, [1])
    assert found.state is state


@pytest.mark.parametrize("state", [MtState.UNKNOWN, MtState.ACCEPTED, MtState.QUEUED])
def test_a_message_stays_for_one_of_its_parts(gateway: Any, state: MtState) -> None:
    delivered(gateway, "x" * 300)
    gateway.con.execute("UPDATE segment SET state = ? WHERE part = 2", (state,))
    assert out(gateway.con) == 0
    assert gateway.count("segment") == 2


def test_what_became_final_lately_stays(gateway: Any) -> None:
    delivered(gateway)
    assert out(gateway.con, T + 2 + FINISHED_FOR) == 0
    assert out(gateway.con, T + 2.5 + FINISHED_FOR) == 1


def test_a_lost_submit_stays_while_its_receipt_may_come(gateway: Any) -> None:
    (first,) = gateway.send(MessageKind.ANSWER)
    again = gateway.settled(first, now=T + 1, free=1)
    (second,) = again.claimed
    gateway.accepted(second, "B", now=T + 2)
    gateway.received(Receipt("mtel", T + 3, "B", ReceiptState.DELIVERED, "", PHONE))
    assert gateway.states() == ["delivered"]
    assert out(gateway.con) == 0

    tidy(gateway.con, T + UNNAMED_FOR + 100)
    assert out(gateway.con) == 1


def test_a_receipt_that_is_repeated_settles_no_lost_submit(gateway: Any) -> None:
    """Its message has moved, but is known all the same."""
    delivered(gateway)
    assert out(gateway.con) == 1
    (lost,) = gateway.send(MANUAL, now=LATER)
    gateway.settled(lost, now=LATER + 60)
    receipt = Receipt("mtel", LATER + 70, "A.1", ReceiptState.DELIVERED, "000", PHONE, "x")
    gateway.received(receipt)
    assert gateway.states() == ["unknown"]
    gateway.received(receipt._replace(message_id="B"))
    assert gateway.states() == ["delivered"]


def test_the_young_end_is_not_looked_at(gateway: Any) -> None:
    many = [Mt("mtel", MANUAL, PHONE, "x", T) for _ in range(LOOKED_AT + 5)]
    with transaction(gateway.con):
        enqueue(gateway.con, many, {}, T)
    assert history.move_outgoing(gateway.con, 0, T + 60, BOOKS) == Batch(0, None)
    assert history.move_outgoing(gateway.con, 0, LATER, BOOKS) == Batch(0, LOOKED_AT)
    assert history.move_outgoing(gateway.con, LOOKED_AT, LATER, BOOKS) == Batch(0, None)


def test_messages_of_a_clock_that_was_set_back_hold_up_no_others(gateway: Any) -> None:
    ahead = [Mt("mtel", MANUAL, PHONE, "x", T + 365 * DAY) for _ in range(LOOKED_AT)]
    with transaction(gateway.con):
        enqueue(gateway.con, ahead, {}, T)
    gateway.con.execute("UPDATE segment SET state = 'delivered', changed_at = ?", (T + 365 * DAY,))
    delivered(gateway)
    assert out(gateway.con) == 1
    assert ids(gateway.con, "history_mt") == [LOOKED_AT + 1]


def test_ids_are_never_given_again(gateway: Any) -> None:
    assert [delivered(gateway, message_id=name) for name in "ABC"] == [1, 2, 3]
    assert out(gateway.con) == 3
    assert delivered(gateway, message_id="D") == 4


# -- messages from customers --------------------------------------------------------------------


def test_what_is_kept_of_a_message_from_a_customer(gateway: Any) -> None:
    gateway.commit(mos=[mo(f"abonat 3000 1234 5678, {SECOND}"), mo("abrakadabra 123456789012345")])
    again = Redelivery(1, 0, "mtel", T + 5, 2)
    gateway.commit(redeliveries=[again, again])
    gateway.con.execute("UPDATE mo SET silence = 'hints' WHERE id = 2")

    assert into(gateway.con) == 2

    assert rows(
        gateway.con,
        "SELECT id, received_at, msisdn, text, intent, silence, parts, repeats FROM history_mo",
    ) == [
        (1, T, PHONE.digits, f"abonat 3000 1234 5678, {SECOND}", "register", None, 1, 2),
        (2, T, PHONE.digits, "abrakadabra 123456789012345", "unknown", "hints", 1, 0),
    ]
    assert rows(gateway.con, "SELECT * FROM history_number ORDER BY 1") == [
        (NUMBER, T, 1, None),
        (SECOND, T, 1, None),
    ]
    assert (ids(gateway.con, "mo"), gateway.count("redelivery")) == ([], 0)


def test_young_ones_stay(gateway: Any) -> None:
    gateway.commit(mos=[mo("help", T), mo("help", T + 1)])
    assert into(gateway.con, before=T + 1) == 1
    assert (ids(gateway.con, "history_mo"), ids(gateway.con, "mo")) == ([1], [2])


def test_an_answer_finds_what_it_answers_in_either_place(gateway: Any) -> None:
    gateway.commit(mos=[mo("help")])
    assert queue.question(gateway.con, 1) == (1, T, "help")
    into(gateway.con)
    assert queue.question(gateway.con, 1) == (1, T, "help")
    assert queue.question(gateway.con, 2) is None


def test_parts_leave_with_the_whole(gateway: Any) -> None:
    first, second, third = parts("smetka ", "3000", "12345678")
    gateway.commit(mos=[first, mo("help", source=OTHER), third])
    gateway.commit(redeliveries=[Redelivery(1, 0, "mtel", T + 5, 2)])
    assert into(gateway.con) == 1  # the other phone's
    gateway.commit(mos=[second])
    assert into(gateway.con) == 0  # a part may be repeated
    gateway.commit(now=T + WAIT + 1)  # forgets the assembly

    assert into(gateway.con) == 1

    assert rows(gateway.con, "SELECT id, text, parts, repeats FROM history_mo ORDER BY id") == [
        (2, "help", 1, 0),
        (4, "smetka 300012345678", 3, 1),
    ]
    assert (ids(gateway.con, "mo"), gateway.count("redelivery")) == ([], 0)


def test_an_old_part_waits_for_a_young_whole(gateway: Any) -> None:
    first, second = parts("sme", "tka")
    gateway.commit(mos=[first])
    gateway.commit(mos=[second._replace(received_at=T + 100)], now=T + 100)
    gateway.commit(now=T + WAIT + 101)
    assert into(gateway.con, before=T + 50) == 0
    assert into(gateway.con, before=T + 101) == 1
    assert rows(gateway.con, "SELECT text, parts FROM history_mo") == [("smetka", 2)]


def test_repeats_and_parts_that_nothing_stands_for_go_by_themselves(gateway: Any) -> None:
    gateway.commit(mos=parts("sme", "tka"))
    gateway.commit(mos=parts("sme", total=2))  # a repeat of what was closed lately
    gateway.commit(mos=parts("alone", total=2, reference=8))
    gateway.commit(now=T + WAIT + 1)
    gateway.con.execute("DELETE FROM assembly")
    gateway.con.execute("UPDATE mo SET intent = NULL WHERE id = 4")  # it couldn't be decided

    assert into(gateway.con) == 3

    assert rows(gateway.con, "SELECT id, intent, parts FROM history_mo ORDER BY id") == [
        (2, "bill_check", 2),
        (3, None, 1),
        (4, None, 1),
    ]
    assert ids(gateway.con, "mo") == []


def test_a_long_message_takes_the_place_of_many(gateway: Any) -> None:
    """A transaction must stay short."""
    gateway.commit(mos=[mo("x" * 16_000, T), mo("help", T), mo("help", T)])
    assert history.move_incoming(gateway.con, 0, LATER, LATER, BOOKS) == Batch(1, 1)
    assert history.move_incoming(gateway.con, 1, LATER, LATER, BOOKS) == Batch(2, None)


# -- batches ------------------------------------------------------------------------------------


class Killed(BaseException):
    pass


class Mortal(sqlite3.Connection):
    """Dies before the statement number `dies_at`, as a process may."""

    dies_at = -1

    def execute(self, *args: Any) -> sqlite3.Cursor:
        self._step()
        return super().execute(*args)

    def executemany(self, *args: Any) -> sqlite3.Cursor:
        self._step()
        return super().executemany(*args)

    def _step(self) -> None:
        self.dies_at -= 1
        if self.dies_at == 0:
            raise Killed


@pytest.fixture
def mortal(tmp_path: Path, gateway: Any) -> Iterator[Mortal]:
    """A connection to a database with a little of everything, all of which is finished."""
    gateway.commit(mos=[*parts("smetka ", NUMBER), mo(SECOND, source=OTHER)])
    gateway.commit(redeliveries=[Redelivery(3, 0, "mtel", T + 5, 2)])
    gateway.con.execute("UPDATE segment SET state = 'delivered'")
    of_notice = delivered(gateway, f"{NUMBER} " + "x" * 300)
    gateway.con.execute(
        "INSERT INTO notice_run (id, kind, day, state, automatic, made_at)"
        " VALUES (1, 'overdue', '2027-01-15', 'running', 0, 0)"
    )
    gateway.con.execute(
        "INSERT INTO notice (run, customer_number, carrier, script, state, changed_at, mt_id)"
        " VALUES (1, ?, 'mtel', 'latin', 'sent', 0, ?)",
        (NUMBER, of_notice),
    )
    gateway.con.execute("DELETE FROM assembly")
    with closing(open_gateway(tmp_path, factory=Mortal)) as con:
        assert isinstance(con, Mortal)
        yield con


TABLES = (
    "mo", "redelivery", "mt", "segment", "history_mo", "history_mt", "history_number", "count_sent",
    "count_received", "count_customer", "evidence",
)  # fmt: skip


def report(con: sqlite3.Connection) -> Counts:
    """What was received and sent, in either place."""
    return reports.read(con, date(2027, 1, 1), date(2027, 12, 31), BOOKS, LATER)


def contents(con: sqlite3.Connection) -> list[list[tuple[Any, ...]]]:
    return [rows(con, f"SELECT * FROM {table}") for table in TABLES]


def test_a_kill_at_any_statement_leaves_all_or_nothing(mortal: Mortal, gateway: Any) -> None:
    for move, moved in ((into, 2), (out, 3)):
        before = contents(gateway.con), report(gateway.con)
        for statement in count(1):
            mortal.dies_at = statement
            try:
                done = move(mortal)
            except Killed:
                assert (contents(gateway.con), report(gateway.con)) == before
            else:
                break
        assert statement > 6
        assert done == moved
        assert contents(gateway.con) != before[0]
        assert report(gateway.con) == before[1]
    assert [len(rows(gateway.con, f"SELECT * FROM {table}")) for table in TABLES[:4]] == [0] * 4


def test_batch_by_batch_everything_moves_once(gateway: Any) -> None:
    many = 2 * LOOKED_AT + 7
    gateway.commit(mos=[mo("help", source=Msisdn(f"3598880{n:05}")) for n in range(many)])
    live = range(1, many, 50)
    gateway.con.execute("UPDATE segment SET state = 'delivered'")
    gateway.con.executemany(
        "UPDATE segment SET state = 'accepted' WHERE mt_id = ?", [(id_,) for id_ in live]
    )
    first = history.move_outgoing(gateway.con, 0, LATER, BOOKS)
    assert first.moved == BATCH
    assert out(gateway.con) == many - len(live) - BATCH  # from the beginning, as after a crash
    assert out(gateway.con) == 0
    assert ids(gateway.con, "mt") == list(live)
    assert sorted(ids(gateway.con, "mt") + ids(gateway.con, "history_mt")) == [*range(1, many + 1)]
    assert gateway.count("segment") == len(live)

    assert into(gateway.con) == many
    assert ids(gateway.con, "history_mo") == [*range(1, many + 1)]


def test_where_nothing_is_finished_the_lock_is_not_taken(gateway: Any, tmp_path: Path) -> None:
    gateway.send(MANUAL)
    gateway.commit(mos=[mo("help")])
    with closing(open_gateway(tmp_path)) as other, transaction(other):
        assert out(gateway.con) == 0
        assert into(gateway.con, before=T) == 0


@pytest.mark.parametrize("query", ["_FINISHED", "_PAST"])
def test_what_is_finished_is_found_by_indexes(gateway: Any, query: str) -> None:
    sql: str = getattr(history, query)
    plan = rows(gateway.con, f"EXPLAIN QUERY PLAN {sql.replace('?', '1')}")
    assert [step for *_, step in plan if step.startswith("SCAN")] == []

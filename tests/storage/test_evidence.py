"""The evidence of notices: any change to it is seen, and emptying its personal values breaks
nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from smsgw.service.keyed import Keyed
from smsgw.service.message import Msisdn
from smsgw.storage import evidence
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.evidence import Entry, Which

T = 1_800_000_000.0
KEYED = Keyed(b"k" * 32)
PHONE, OTHER = Msisdn("359888123456"), Msisdn("359888123457")
NUMBER, SECOND = "300012345678", "300012345679"
ALL = Which()
FIRST = Entry(
    1, 1, "overdue", 11, "mtel", T, "delivered", T + 9, '[{"part":1,"state":"delivered"}]', PHONE,
    NUMBER, '[["17",1]]', '{"amount":"1,20 EUR"}', "Dalzhite 1,20 EUR",
)  # fmt: skip
ENTRIES = [
    FIRST,
    FIRST._replace(notice=2, mt=12, msisdn=OTHER),
    FIRST._replace(notice=3, run=2, mt=13, customer_number=SECOND),
]


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_gateway(tmp_path)) as con:
        con.executemany(
            "INSERT INTO notice_run (id, kind, day, state, automatic, made_at)"
            " VALUES (?, 'overdue', '2027-01-15', 'done', 0, ?)",
            [(1, T), (2, T)],
        )
        con.executemany(
            "INSERT INTO notice (id, run, msisdn, customer_number, carrier, script, state,"
            " changed_at, mt_id) VALUES (?, ?, ?, ?, 'mtel', 'latin', 'sent', ?, ?)",
            [(e.notice, e.run, e.msisdn and e.msisdn.digits, e.customer_number, T, e.mt)
             for e in ENTRIES],
        )  # fmt: skip
        for entry in ENTRIES:
            with transaction(con):
                evidence.record(con, KEYED, [entry])
        yield con


def found(con: sqlite3.Connection, which: Which = ALL) -> list[Entry]:
    return [one.entry for one in evidence.records(con, which)]


@pytest.mark.parametrize(
    ("which", "ids"),
    [
        (Which(), [1, 2, 3]),
        (Which(run=1), [1, 2]),
        (Which(customer_number=NUMBER), [1, 2]),
        (Which(msisdn=PHONE), [1, 3]),
        (Which(run=1, msisdn=PHONE), [1]),
        (Which(run=3), []),
    ],
)
def test_entries_are_found(con: sqlite3.Connection, which: Which, ids: list[int]) -> None:
    assert found(con, which) == [ENTRIES[id_ - 1] for id_ in ids]


@pytest.mark.parametrize("which", [Which(run=1), Which(msisdn=PHONE), Which(None, NUMBER)])
def test_they_are_found_by_indexes(con: sqlite3.Connection, which: Which) -> None:
    asked: list[str] = []
    con.set_trace_callback(asked.append)
    found(con, which)
    evidence.unsealed(con, which)
    con.set_trace_callback(None)
    plan = [step for sql in asked for *_, step in con.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert plan
    assert [step for step in plan if step.startswith("SCAN")] == []


COLUMNS = [
    "notice", "run", "kind", "mt_id", "carrier", "made_at", "state", "final_at", "segments",
    "msisdn", "customer_number", "bills", "parameters", "text", "person", "customer", "said",
    "digest",
]  # fmt: skip


def free(con: sqlite3.Connection) -> None:
    """As somebody does who can write the file."""
    con.execute("DROP TRIGGER evidence_stays")
    con.execute("DROP TRIGGER evidence_is_not_changed")


WRONG = [f"{column} = {value}" for column in COLUMNS for value in ("77", "'x'", "X'ff'")]


@pytest.mark.parametrize("wrong", WRONG)
def test_what_fits_no_column_is_seen_too(con: sqlite3.Connection, wrong: str) -> None:
    free(con)
    con.execute(f"UPDATE evidence SET {wrong} WHERE id = 2")
    assert evidence.broken(con, KEYED) == 2


@pytest.mark.parametrize("column", ["bills", "parameters"])
def test_what_was_said_is_not_changed_behind_an_emptied_text(
    con: sqlite3.Connection, column: str
) -> None:
    free(con)
    con.execute(f"UPDATE evidence SET text = NULL, {column} = '[]' WHERE id = 2")
    assert evidence.broken(con, KEYED) == 2


@pytest.mark.parametrize(
    ("change", "first"),
    [
        ("DELETE FROM evidence WHERE id = 3", 3),
        ("DELETE FROM evidence WHERE id > 1", 2),
        ("DELETE FROM evidence", 1),
        ("UPDATE evidence SET id = 9 WHERE id = 3", 3),
    ],
)
def test_what_is_missing_at_the_end_is_missed(
    con: sqlite3.Connection, change: str, first: int
) -> None:
    free(con)
    con.execute(change)
    assert evidence.broken(con, KEYED) == first


def test_what_was_not_written_after_all_is_not_missed(con: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError), transaction(con):
        evidence.record(con, KEYED, [FIRST._replace(notice=4, mt=14), FIRST])
    assert evidence.broken(con, KEYED) is None


@pytest.mark.parametrize("column", COLUMNS)
def test_a_change_is_refused_and_one_by_force_is_seen(con: sqlite3.Connection, column: str) -> None:
    assert evidence.broken(con, KEYED) is None
    change = f"UPDATE evidence SET {column} = 77 WHERE id = 2"
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        con.execute(change)
    free(con)
    con.execute(change)
    assert evidence.broken(con, KEYED) == 2


def test_every_column_is_guarded(con: sqlite3.Connection) -> None:
    there = [row[1] for row in con.execute("PRAGMA table_info(evidence)")]
    assert there == ["id", *COLUMNS]


def test_an_entry_that_is_taken_away_is_missed(con: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        con.execute("DELETE FROM evidence WHERE id = 2")
    free(con)
    con.execute("DELETE FROM evidence WHERE id = 2")
    assert evidence.broken(con, KEYED) == 2


def test_emptying_breaks_nothing(con: sqlite3.Connection) -> None:
    con.execute(
        "UPDATE evidence SET msisdn = NULL, customer_number = NULL, bills = NULL,"
        " parameters = NULL, text = NULL WHERE id = 2"
    )
    assert evidence.broken(con, KEYED) is None
    with transaction(con):
        evidence.record(con, KEYED, [FIRST._replace(notice=4, mt=14, bills=None, parameters=None)])
    assert evidence.broken(con, KEYED) is None
    assert found(con)[1] == ENTRIES[1]._replace(
        msisdn=None, customer_number=None, bills=None, parameters=None, text=None
    )
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        con.execute("UPDATE evidence SET text = 'Nishto' WHERE id = 2")


def test_another_key_knows_nothing(con: sqlite3.Connection) -> None:
    assert evidence.broken(con, Keyed(b"another")) == 1


def test_a_message_has_one_entry(con: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError), transaction(con):
        evidence.record(con, KEYED, [FIRST])
    assert evidence.count(con) == 3

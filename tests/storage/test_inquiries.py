"""Which accepted segments a carrier is asked about, and when, over a real database."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from smsgw.service.message import Inquiry, MessageKind, Msisdn, Mt, SegmentKey
from smsgw.storage import inquiries
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.inquiries import START, due, note
from smsgw.storage.messages import enqueue

T = 1_800_000_000.0
HOUR = 3600.0
PHONE = Msisdn("359888123456")


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_gateway(tmp_path)) as con:
        yield con


def accepted(con: sqlite3.Connection, *ids: str | None, text: str = "x", at: float = T) -> None:
    """Messages that the carrier accepted at `at`, with these ids."""
    with transaction(con):
        kind = MessageKind.NOTICE
        enqueue(con, [Mt("mtel", kind, PHONE, text, T) for _ in ids], {}, T)
        con.executemany(
            "UPDATE segment SET state = 'accepted', message_id = ?, changed_at = ?"
            " WHERE (mt_id, part) ="
            " (SELECT mt_id, part FROM segment WHERE state = 'queued' LIMIT 1)",
            [(each, at) for each in ids],
        )


def asked(con: sqlite3.Connection, now: float, limit: int = 100, **keys: str) -> list[str]:
    """The ids to ask about, over all slices."""
    found: list[str] = []
    after: inquiries.Place | None = START
    while after is not None:
        part, after = due(con, keys.get("carrier", "mtel"), HOUR, now, limit, after)
        found += [each.message_id for each in part]
    return found


def test_an_inquiry_has_what_is_asked_and_what_is_matched(con: sqlite3.Connection) -> None:
    accepted(con, "26")
    con.execute("UPDATE segment SET response_id = '1a'")
    accepted(con, "27")
    assert due(con, "mtel", HOUR, T + HOUR, 5).inquiries == [
        Inquiry(SegmentKey(1, 1), "mtel", MessageKind.NOTICE, PHONE, "26", "1a"),
        Inquiry(SegmentKey(2, 1), "mtel", MessageKind.NOTICE, PHONE, "27", "27"),
    ]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("state = 'accepted'", ["7"]),
        ("state = 'delivered'", []),
        ("state = 'unknown'", []),
        ("message_id = NULL", []),
        ("carrier = 'telenor'", []),
        ("receipt = 'enroute'", ["7"]),
        (f"changed_at = {T + 1}", []),
        ("asked = 3", []),
    ],
)
def test_whom_to_ask_about(con: sqlite3.Connection, change: str, found: list[str]) -> None:
    accepted(con, "7")
    con.execute(f"UPDATE segment SET {change}")
    assert asked(con, T + HOUR) == found


def test_each_is_asked_about_three_times_with_growing_pauses(con: sqlite3.Connection) -> None:
    accepted(con, "7", at=T)
    at = []
    for minute in range(48 * 60):
        now = T + 60.0 * minute
        if found := due(con, "mtel", HOUR, now, 5).inquiries:
            at.append(minute // 60)
            note(con, found, now)
    assert at == [1, 5, 21]


def test_after_a_long_pause_they_are_not_asked_all_at_once(con: sqlite3.Connection) -> None:
    accepted(con, "7")
    late = T + 100 * HOUR
    note(con, due(con, "mtel", HOUR, late, 5).inquiries, late)
    assert asked(con, late + 3 * HOUR) == []
    assert asked(con, late + 4 * HOUR) == ["7"]


def test_a_clock_set_back_only_makes_it_later(con: sqlite3.Connection) -> None:
    accepted(con, "7", at=T + 1000.0)
    assert asked(con, T + HOUR) == []
    assert asked(con, T + HOUR + 1000.0) == ["7"]


def test_no_more_than_the_limit_and_the_rest_next(con: sqlite3.Connection) -> None:
    accepted(con, *[f"{number:04}" for number in range(25)])
    found, after = due(con, "mtel", HOUR, T + HOUR, 10)
    assert (len(found), after) == (10, ("0009", 10, 1))
    note(con, found, T + HOUR)
    assert asked(con, T + HOUR) == [f"{number:04}" for number in range(10, 25)]


def test_slices_miss_nothing_and_repeat_nothing(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiries, "SLICE", 7)
    accepted(con, *["same"] * 20, *[f"{number}" for number in range(22)])
    assert len(asked(con, T + HOUR)) == 42
    assert sorted(asked(con, T + HOUR, limit=3)) == sorted(
        [*["same"] * 20, *[f"{number}" for number in range(22)]]
    )
    keys = [each.key for each in due(con, "mtel", HOUR, T + HOUR, 100).inquiries]
    assert len(keys) == 7, "one slice a hop"


def test_each_segment_of_a_long_message_is_asked_about(con: sqlite3.Connection) -> None:
    accepted(con, "1", text="x" * 200)
    con.execute("UPDATE segment SET state = 'accepted', message_id = '2' WHERE part = 2")
    found = due(con, "mtel", HOUR, T + HOUR, 5).inquiries
    assert [each.key for each in found] == [(1, 1), (1, 2)]


def test_the_index_on_accepted_segments_is_enough(con: sqlite3.Connection) -> None:
    plan = con.execute(
        f"EXPLAIN QUERY PLAN {inquiries.SELECT_ACCEPTED}", ("mtel", *START, 10)
    ).fetchall()
    (step,) = [detail for *_, detail in plan]
    assert "segment_accepted (carrier=? AND (message_id,mt_id,part)>" in step

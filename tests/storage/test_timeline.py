"""A timeline is read by indexes, however long the history is."""

import sqlite3
from typing import Any

import pytest

from smsgw.service.keyed import Keyed
from smsgw.service.message import Mo, Msisdn
from smsgw.service.report import Books
from smsgw.storage import history, timeline
from smsgw.storage.timeline import What

T = 1_800_000_000.0
PHONE = Msisdn("359888123456")
NUMBER = "300012345678"
SMALL = ("mo", "mt", "segment", "parked_receipt", "orphan_receipt", "json_each", "redelivery")


def plans(con: sqlite3.Connection, msisdn: Msisdn | None, number: str | None) -> list[str]:
    """The steps of all queries that a timeline makes."""
    asked: list[str] = []
    con.set_trace_callback(asked.append)
    timeline.of(con, msisdn, number, Keyed(b"k"))
    con.set_trace_callback(None)
    return [
        step for sql in asked for *_, step in con.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall()
    ]


@pytest.mark.parametrize(("msisdn", "number"), [(PHONE, None), (None, NUMBER), (PHONE, NUMBER)])
def test_only_small_tables_are_read_whole(
    gateway: Any, msisdn: Msisdn | None, number: str | None
) -> None:
    found = plans(gateway.con, msisdn, number)
    assert any("history_m" in step for step in found)
    scans = [step for step in found if step.startswith("SCAN")]
    assert [step for step in scans if step.split()[1] not in SMALL] == []


def test_numbers_are_found_as_they_are_read(gateway: Any) -> None:
    texts = ["3000 1234 5678", "абонат ３０００12345678", "3000123456789", "smetka 300012345678"]
    mos = [Mo("mtel", 1, T, PHONE, "170077", 0, 0, text.encode(), text) for text in texts]
    gateway.commit(mos=mos)
    gateway.con.execute("UPDATE mt SET text = 'x'")
    before = timeline.of(gateway.con, None, NUMBER, None)
    assert [one.details["text"] for one in before if one.what is What.MESSAGE_IN] == [
        texts[0],
        texts[1],
        texts[3],
    ]
    history.move_incoming(gateway.con, 0, T + 1, T + 1, Books(Keyed(b"k")))
    assert timeline.of(gateway.con, None, NUMBER, None) == before

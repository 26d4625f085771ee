"""Tidying a step at a time: short transactions, and all of it in the end."""

from typing import Any

import pytest

from smsgw.service.message import MtState, SegmentKey
from smsgw.storage.database import transaction
from smsgw.storage.tidy import MARGIN, SELECT_NEXT, START, Tidied, tidy

T = 1_800_000_000.0
DAY = 86_400.0
COUNT = 25


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsgw.storage.tidy.LOOKED_AT", 10)


def steps(con: Any, now: float) -> list[Tidied]:
    found = []
    after: SegmentKey | None = START
    while after is not None:
        found.append(tidy(con, now, after))
        after = found[-1].after
        assert len(found) < 100
    return found


def messages(con: Any, state: str, lost: int = 0) -> None:
    with transaction(con):
        for mt_id in range(1, COUNT + 1):
            con.execute(
                "INSERT INTO mt (id, kind, carrier, msisdn, text, data_coding, created_at)"
                f" VALUES ({mt_id}, 1, 'mtel', '359888123456', 'x', 0, {T})"
            )
            for part in (1, 2):
                con.execute(
                    "INSERT INTO segment (mt_id, part, total, carrier, kind, octets, state, lost,"
                    " changed_at) VALUES (?, ?, 2, 'mtel', 1, x'', ?, ?, 0)",
                    (mt_id, part, state, lost),
                )


@pytest.mark.parametrize(
    ("state", "lost", "at", "after"),
    [
        ("queued", 0, DAY + 1, "expired"),
        ("queued", 1, DAY + 1, "unconfirmed"),
        ("queued", 0, DAY, "queued"),
        ("unknown", 2, DAY + 1, "unconfirmed"),
        ("accepted", 0, DAY + MARGIN + 1, "unconfirmed"),
        ("accepted", 0, DAY + MARGIN, "accepted"),
        ("waiting", 0, 9 * DAY, "waiting"),
        ("delivered", 0, 9 * DAY, "delivered"),
    ],
)
def test_all_segments_have_their_step(
    gateway: Any, state: str, lost: int, at: float, after: str
) -> None:
    messages(gateway.con, state, lost)
    done = steps(gateway.con, T + at)
    assert gateway.states() == [after] * 2 * COUNT
    ended = [step.final["mtel", MtState(after)] for step in done]
    assert sum(ended) == (0 if after == state else 2 * COUNT)
    assert max(ended) <= 10
    assert len(done) >= 5


def test_receipts_and_submits_that_are_many_take_more_steps(gateway: Any) -> None:
    with transaction(gateway.con):
        for index in range(COUNT):
            gateway.con.execute(
                "INSERT INTO parked_receipt (carrier, message_id, state, error, received_at)"
                f" VALUES ('mtel', 'A{index}', 'delivered', '', {T + index})"
            )
            gateway.con.execute(
                f"INSERT INTO unnamed_submit VALUES ('mtel', '359888123456', {index}, 1, 1, {T})"
            )
    done = steps(gateway.con, T + 30 * DAY)
    assert [step.orphans["mtel"] for step in done] == [10, 10, 5, 0, 0]
    assert [gateway.count(table) for table in ("parked_receipt", "unnamed_submit")] == [0, 0]
    assert gateway.count("orphan_receipt") == COUNT


def test_a_step_reads_on_where_the_last_one_ended(gateway: Any) -> None:
    plan = str(gateway.con.execute(f"EXPLAIN QUERY PLAN {SELECT_NEXT}", (0, 0, 10)).fetchall())
    assert "SEARCH segment USING PRIMARY KEY" in plan
    assert "TEMP B-TREE" not in plan

"""The queue as an operator finds it and changes it, with the daemon's transactions between."""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from smsgw.service.by_hand import CANCEL, RETRY, Order
from smsgw.service.message import (
    Encoding,
    MessageKind,
    Msisdn,
    Mt,
    MtState,
    ReceiptState,
)
from smsgw.service.retry import VALIDITY
from smsgw.storage import queue
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.messages import enqueue
from smsgw.storage.pace import Pace
from smsgw.storage.queue import Changed, Filter

T = 1_800_000_000.0
PHONE = Msisdn("359888123456")
MANUAL, NOTICE = MessageKind.MANUAL, MessageKind.NOTICE
ENCODINGS = {"mtel": Encoding(), "telenor": Encoding()}


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_gateway(tmp_path)) as gateway:
        yield gateway


def put(con: sqlite3.Connection, *messages: Mt) -> None:
    with transaction(con):
        enqueue(con, messages, ENCODINGS, T)


def mt(carrier: str = "mtel", kind: MessageKind = MANUAL, text: str = "x") -> Mt:
    return Mt(carrier, kind, PHONE, text, T)


def set_state(
    con: sqlite3.Connection, mt_id: int, part: int, state: str, not_before: float | None = None
) -> None:
    con.execute(
        "UPDATE segment SET state = ?, not_before = ? WHERE mt_id = ? AND part = ?",
        (state, not_before, mt_id, part),
    )


def several(con: sqlite3.Connection) -> None:
    """One message in each live state, and one that is through: ids 1 to 7."""
    put(con, *[mt() for _ in range(7)])
    set_state(con, 2, 1, "waiting", T + 5)
    set_state(con, 3, 1, "claimed")
    set_state(con, 4, 1, "unknown", T + 900)
    set_state(con, 5, 1, "unknown")
    set_state(con, 6, 1, "accepted")
    set_state(con, 7, 1, "delivered")


def states(con: sqlite3.Connection) -> list[str]:
    return [state for (state,) in con.execute("SELECT state FROM segment ORDER BY mt_id, part")]


def change(
    con: sqlite3.Connection, order: Order, *ids: int, now: float = T, **more: bool
) -> list[Changed]:
    return list(queue.change(con, order, ids, now, Pace(sleep=lambda _: None), **more))


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (queue.ON_THEIR_WAY, [1, 2, 3, 4, 5]),
        (["queued"], [1]),
        (["waiting"], [2]),
        (["claimed"], [3]),
        (["unknown"], [4]),
        (["held"], [5]),
        (["accepted"], [6]),
        (["held", "unknown"], [4, 5]),
    ],
)
def test_find_by_state(con: sqlite3.Connection, names: Collection[str], ids: list[int]) -> None:
    several(con)
    page = queue.find(con, Filter(names), 10)
    assert ([one.id for one in page.messages], page.more) == (ids, 0)
    assert queue.find_ids(con, Filter(names)) == ids


def test_find_by_carrier_and_kind(con: sqlite3.Connection) -> None:
    put(con, mt(), mt("telenor"), mt("telenor", NOTICE), mt(kind=NOTICE))
    assert queue.find_ids(con, Filter(carrier="telenor")) == [2, 3]
    assert queue.find_ids(con, Filter(kind=NOTICE)) == [3, 4]
    assert queue.find_ids(con, Filter(carrier="telenor", kind=NOTICE)) == [3]
    assert queue.find_ids(con, Filter(carrier="gone")) == []
    assert queue.carriers(con) == {"mtel", "telenor"}


def test_a_message_of_several_parts_is_found_once_and_bounded(con: sqlite3.Connection) -> None:
    put(con, mt(text="x" * 400), mt(), mt())
    set_state(con, 1, 2, "waiting", T + 5)
    set_state(con, 1, 3, "delivered")
    page = queue.find(con, Filter(), 1)
    assert page.more == 2
    (one,) = page.messages
    assert [segment.state for segment in one.segments] == ["queued", "waiting", "delivered"]


@pytest.mark.parametrize("names", [queue.ON_THEIR_WAY, ["accepted"]])
@pytest.mark.parametrize("carrier", [None, "mtel"])
@pytest.mark.parametrize("kind", [None, MANUAL])
def test_what_is_through_is_never_looked_at(
    con: sqlite3.Connection, names: Collection[str], carrier: str | None, kind: MessageKind | None
) -> None:
    """Each select goes by a partial index over one live state."""
    query, values = queue._ids(Filter(names, carrier, kind))
    plan = [row[3] for row in con.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    used = [line for line in plan if "segment" in line]
    assert len(used) == len(names)
    assert all(" INDEX segment_" in line for line in used), plan


def test_all_of_one_message(con: sqlite3.Connection) -> None:
    con.execute(
        "INSERT INTO mo (id, received_at, carrier, session, msisdn, destination, esm_class,"
        " data_coding, octets, text, intent) VALUES (3, ?, 'mtel', 1, ?, '170077', 0, 0, x'', 'Y',"
        " 'help')",
        (T - 1, PHONE.digits),
    )
    put(con, mt(kind=MessageKind.ANSWER, text="зз")._replace(mo=3))
    con.execute(
        "UPDATE segment SET state = 'delivered', attempts = 2, lost = 1, claimed_at = ?,"
        " message_id = '17', error = '000', receipt = 'delivered', done_date = '2611221413'",
        (T + 1,),
    )
    (one,) = queue.records(con, [1, 2])
    assert one.mo is not None
    assert queue.question(con, one.mo) == (3, T - 1, "Y")
    assert (one.kind, one.msisdn, one.text) == (MessageKind.ANSWER, PHONE, "зз")
    assert one.valid_until == T + VALIDITY[MessageKind.ANSWER]
    (segment,) = one.segments
    assert segment._asdict() == {
        "state": MtState.DELIVERED,
        "receipt": ReceiptState.DELIVERED,
        "part": 1,
        "attempts": 2,
        "lost": 1,
        "claimed_at": T + 1,
        "changed_at": T,
        "not_before": None,
        "message_id": "17",
        "error": "000",
        "done_date": "2611221413",
    }
    assert queue.question(con, 99) is None


def test_retry_each_state(con: sqlite3.Connection) -> None:
    several(con)
    assert change(con, RETRY, 1, 2, 3, 4, 5, 6, 7, 99) == [
        Changed(1, 0, (MtState.QUEUED,)),
        Changed(2, 1, ()),
        Changed(3, 0, (MtState.CLAIMED,)),
        Changed(4, 1, ()),
        Changed(5, 1, ()),
        Changed(6, 0, (MtState.ACCEPTED,)),
        Changed(7, 0, (MtState.DELIVERED,)),
        Changed(99, 0, ()),
    ]
    assert states(con) == [
        "queued",
        "queued",
        "claimed",
        "queued",
        "queued",
        "accepted",
        "delivered",
    ]
    assert con.execute("SELECT count(*) FROM segment WHERE not_before > 0").fetchone() == (0,)


def test_cancel_each_state(con: sqlite3.Connection) -> None:
    several(con)
    changed = change(con, CANCEL, 1, 2, 3, 4, 5, 6, 7)
    assert [one.parts for one in changed] == [1, 1, 0, 1, 1, 0, 0]
    assert states(con) == (
        ["cancelled", "cancelled", "claimed", "cancelled", "cancelled", "accepted", "delivered"]
    )


def test_only_what_is_held(con: sqlite3.Connection) -> None:
    put(con, mt(text="x" * 400))
    set_state(con, 1, 2, "unknown", T + 900)
    set_state(con, 1, 3, "unknown")
    assert change(con, CANCEL, 1, held_only=True) == [
        Changed(1, 1, (MtState.QUEUED, MtState.UNKNOWN))
    ]
    assert states(con) == ["queued", "unknown", "cancelled"]


def test_a_retry_repeats_no_part_that_was_accepted(con: sqlite3.Connection) -> None:
    put(con, mt(text="x" * 400))
    for part, state in enumerate(("accepted", "unknown", "refused"), start=1):
        set_state(con, 1, part, state)
    con.execute("UPDATE segment SET attempts = 1, lost = 1 WHERE part = 2")
    octets = con.execute("SELECT octets FROM segment").fetchall()
    assert change(con, RETRY, 1) == [Changed(1, 1, (MtState.ACCEPTED, MtState.REFUSED))]
    assert states(con) == ["accepted", "queued", "refused"]
    assert con.execute("SELECT octets FROM segment").fetchall() == octets
    # What was, stays known: a response may still come that names the attempt.
    assert con.execute("SELECT attempts, lost FROM segment WHERE part = 2").fetchone() == (1, 1)


def test_past_its_time_a_retry_is_refused_unless_forced(con: sqlite3.Connection) -> None:
    put(con, mt(), mt())
    late = T + VALIDITY[MANUAL] + 1
    set_state(con, 1, 1, "unknown")
    assert change(con, RETRY, 1, 2, now=late) == [
        Changed(1, 0, (MtState.UNKNOWN,), late=True),
        Changed(2, 0, (MtState.QUEUED,)),
    ]
    assert states(con) == ["unknown", "queued"]
    assert change(con, RETRY, 1, now=late, force=True) == [Changed(1, 1, ())]
    (one,) = queue.records(con, [1])
    assert one.valid_until == late + VALIDITY[MANUAL]


def test_force_leaves_the_time_of_others_alone(con: sqlite3.Connection) -> None:
    put(con, mt())
    set_state(con, 1, 1, "unknown")
    change(con, RETRY, 1, force=True)
    assert con.execute("SELECT valid_until FROM mt").fetchall() == [(None,)]


def test_what_is_late_can_be_cancelled(con: sqlite3.Connection) -> None:
    put(con, mt())
    set_state(con, 1, 1, "unknown")
    assert change(con, CANCEL, 1, now=T + VALIDITY[MANUAL] + 1) == [Changed(1, 1, ())]


def test_many_are_changed_in_short_transactions(con: sqlite3.Connection) -> None:
    """Another writer gets its turn between two of them, and what it does then counts."""
    put(con, *[mt() for _ in range(500)])
    with transaction(con):
        con.execute("UPDATE segment SET state = 'unknown'")
    turns = []

    def rest(_: float) -> None:
        assert not con.in_transaction
        turns.append(states(con).count("queued"))
        set_state(con, 500, 1, "delivered")

    ids = queue.find_ids(con, Filter(["held"]))
    changed = list(queue.change(con, RETRY, ids, T, Pace(monotonic=lambda: 0.0, sleep=rest)))
    assert turns == [200]
    assert changed[-1] == Changed(500, 0, (MtState.DELIVERED,))
    assert sum(one.parts for one in changed) == 499


def test_stray_receipts(con: sqlite3.Connection) -> None:
    con.execute(
        "INSERT INTO parked_receipt (carrier, message_id, state, error, received_at, msisdn,"
        " done_date) VALUES ('mtel', '8', 'delivered', '000', ?, NULL, '')",
        (T,),
    )
    con.executemany(
        "INSERT INTO orphan_receipt (carrier, message_id, msisdn, state, error, done_date,"
        " received_at, given_up_at) VALUES (?, '9', ?, 'expired', '69', '2611221413', ?, ?)",
        [("mtel", PHONE.digits, T - 9, T), ("telenor", PHONE.digits, T + 9, T + 10)],
    )
    found, more = queue.strays(con, None, 2)
    assert more == 1
    assert [(one.carrier, one.given_up_at) for one in found] == [
        ("telenor", T + 10),
        ("mtel", None),
    ]
    assert (found[0].msisdn, found[0].state) == (PHONE, ReceiptState.EXPIRED)
    assert (found[1].msisdn, found[1].message_id) == (None, "8")
    assert [one.carrier for one in queue.strays(con, "telenor", 9)[0]] == ["telenor"]

"""Long messages of which not every part comes: closed for their time, or for a bound."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC
from pathlib import Path

import pytest

from smsgw.service.conversation import Rules
from smsgw.service.keyed import Keyed
from smsgw.service.message import Encoding, Mo, Msisdn
from smsgw.service.ports import Done, Work
from smsgw.service.replies import Company, Replies
from smsgw.service.today import Day
from smsgw.storage import assembly, exchange
from smsgw.storage.database import open_gateway
from smsgw.storage.policy import Policy
from smsgw.text.reassembly import MOST_OCTETS, Bounds, Closing
from smsgw.text.userdata import Joining, Part

T = 1_800_000_000.0
WAIT = 600.0
PHONE, OTHER = Msisdn("359888123456"), Msisdn("359888123457")
NUMBER = "300012345678"
POLICY = Policy(
    Rules(Replies({}, Company(None, None, None, None)), 10, 5, True, 0.0, 4, UTC),
    {"mtel": Encoding()},
    Keyed(b"secret"),
)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_gateway(tmp_path)) as gateway:
        yield gateway


def mo(text: str) -> Mo:
    return Mo("mtel", 1, T, PHONE, "170077", 0, 0, text.encode(), text)


def part(number: int, octets: bytes = b"x", of: int = 9, **changes: object) -> Mo:
    """One part by SAR."""
    one = mo("a part")._replace(octets=octets, part=Part(1, of, number, Joining.SAR))
    return one._replace(**changes)  # type: ignore[arg-type]


def commit(con: sqlite3.Connection, *mos: Mo, now: float = T, bounds: Bounds | None = None) -> Done:
    work = Work(now, (), (), (), (), mos, (), {})
    return exchange.commit(
        con, work, False, POLICY._replace(reassembly=bounds or Bounds(WAIT)), Day()
    )


def decided(con: sqlite3.Connection) -> list[tuple[int, str, str]]:
    return con.execute(
        "SELECT id, intent, text FROM mo WHERE intent IS NOT NULL ORDER BY id"
    ).fetchall()


def test_what_never_becomes_whole_is_handled_as_what_came(con: sqlite3.Connection) -> None:
    begun = commit(con, part(3, b"smetka", received_at=T - 3), part(7, NUMBER.encode()))
    early = commit(con, now=T + WAIT - 0.001)
    done = commit(con, now=T + WAIT)

    assert begun.wake_at == early.wake_at == T + WAIT
    assert (begun.tally.intents, early.tally.intents) == ({}, {})
    assert done.tally.closed == {("mtel", Closing.TIME): 1}
    assert decided(con) == [(2, "bill_check_for", f"smetka\n{NUMBER}")]
    assert con.execute("SELECT mo_id, created_at FROM mt").fetchall() == [(2, T + WAIT)]
    assert done.wake_at is None
    assert commit(con, now=T + 2 * WAIT).tally.closed == {}


def test_of_255_parts_one_comes(con: sqlite3.Connection) -> None:
    commit(con, part(200, NUMBER.encode(), of=255))
    commit(con, now=T + WAIT)

    assert decided(con) == [(1, "register", NUMBER)]
    assert con.execute("SELECT customer_number FROM subscription").fetchall() == [(NUMBER,)]


def test_a_part_that_comes_after_that_begins_anew(con: sqlite3.Connection) -> None:
    commit(con, part(1, of=2))
    commit(con, now=T + WAIT)
    done = commit(con, part(2, of=2), now=T + WAIT + 1)

    assert done.wake_at == T + WAIT + 1 + WAIT
    assert len(decided(con)) == 1


def test_past_the_number_of_messages_the_oldest_is_closed(con: sqlite3.Connection) -> None:
    bounds = Bounds(WAIT, messages=2)
    phones = [Msisdn(f"35988800000{n}") for n in range(4)]
    done = commit(con, *[part(1, b"stop", source=phone) for phone in phones], bounds=bounds)

    assert done.tally.parts == {"mtel": 4}
    assert done.tally.closed == {("mtel", Closing.BOUND): 2}
    assert [number for number, _, _ in decided(con)] == [1, 2]
    again = commit(con, part(2, source=phones[2]), bounds=bounds)
    assert again.tally.closed == {}


def test_past_the_octets_the_oldest_is_closed(con: sqlite3.Connection) -> None:
    bounds = Bounds(WAIT, octets=100)
    first, second = part(1, b"a" * 60), part(1, b"b" * 30, source=OTHER)
    assert commit(con, first, second, bounds=bounds).tally.closed == {}
    done = commit(con, part(2, b"c" * 11, source=OTHER), bounds=bounds)

    assert done.tally.closed == {("mtel", Closing.BOUND): 1}
    assert [text for _, _, text in decided(con)] == ["a" * 60]
    alone = commit(con, part(3, b"d" * 101, source=OTHER), bounds=bounds)
    assert alone.tally.closed == {("mtel", Closing.BOUND): 1}
    assert alone.wake_at is None


def test_one_message_has_no_more_octets_than_the_largest_single_one(
    con: sqlite3.Connection,
) -> None:
    bounds = Bounds(WAIT, octets=1_000_000)
    large = b"a" * (MOST_OCTETS - 1)
    assert commit(con, part(1, large), part(2, b"b"), bounds=bounds).tally.closed == {}
    done = commit(con, part(3, b"c"), bounds=bounds)

    assert done.tally.closed == {("mtel", Closing.BOUND): 1}
    assert [len(text) for _, _, text in decided(con)] == [MOST_OCTETS]
    assert done.wake_at is not None


def test_what_came_of_one_that_cannot_be_decided_is_closed_all_the_same(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(text: str) -> object:
        raise ZeroDivisionError

    commit(con, part(1, b"help"))
    monkeypatch.setattr("smsgw.storage.inbox.read", poisoned)
    done = commit(con, now=T + WAIT)

    assert done.tally.closed == {("mtel", Closing.TIME): 1}
    assert (done.undecided, done.wake_at) == ([], None)
    assert con.execute("SELECT intent, text FROM mo").fetchall() == [(None, "help")]


def test_what_is_overdue_is_decided_before_what_came_later(con: sqlite3.Connection) -> None:
    commit(con, mo(NUMBER), part(1, b"stop"))
    commit(con, mo(NUMBER), now=T + WAIT)

    assert con.execute("SELECT state FROM subscription ORDER BY id").fetchall() == [
        ("ended",),
        ("pending",),
    ]


def test_one_transaction_closes_no_more_than_it_has_time_for(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "CLOSED_AT_ONCE", 2)
    monkeypatch.setattr(assembly, "OCTETS_AT_ONCE", 10)
    octets = (1, 1, 1, 11, 1, 1)
    commit(
        con, *[part(1, b"x" * n, source=Msisdn(f"3598880000{i:02}")) for i, n in enumerate(octets)]
    )

    later = T + WAIT
    counts = []
    while (done := commit(con, now=later)).tally.closed:
        counts.append(done.tally.closed["mtel", Closing.TIME])
        assert done.wake_at in (later, None)
    assert counts == [2, 2, 2]
    assert done.wake_at is None


def test_what_was_closed_is_forgotten(con: sqlite3.Connection) -> None:
    commit(con, part(1, of=2), part(2, of=2))
    assert commit(con, part(1, of=2), now=T + WAIT - 1).tally.repeats == {"mtel": 1}
    assert commit(con, part(1, of=2), now=T + WAIT).tally.repeats == {}
    assert con.execute("SELECT closed_at FROM assembly").fetchall() == [(None,)]


def test_a_clock_that_is_set_back_keeps_nothing_open_for_longer(con: sqlite3.Connection) -> None:
    commit(con, part(1, of=2), part(2, of=2), part(1, b"help"))
    year_ago = T - 365 * 86400
    assert commit(con, now=year_ago).wake_at == year_ago + WAIT
    assert con.execute("SELECT count(*) FROM assembly").fetchone() == (1,)
    assert commit(con, now=year_ago + WAIT).tally.closed == {("mtel", Closing.TIME): 1}


def test_who_contradicts_himself_without_end_makes_no_part_dearer(con: sqlite3.Connection) -> None:
    for number in range(3 * assembly.OF_ONE_KEY):
        commit(con, part(1, b"%d" % number))
    looked_at = con.execute(
        assembly.FIND, (1, PHONE.digits, 1, 9, "sar", "mtel", "170077", assembly.OF_ONE_KEY)
    )
    assert len(looked_at.fetchall()) == assembly.OF_ONE_KEY
    assert commit(con, part(2)).tally.closed == {}


def test_indexes_serve_each_question(con: sqlite3.Connection) -> None:
    def plan(query: str, values: int) -> str:
        rows = con.execute(f"EXPLAIN QUERY PLAN {query}", (0,) * values).fetchall()
        return "; ".join(row[3] for row in rows)

    assert plan(assembly.FIND, 8) == (
        "SEARCH assembly USING INDEX assembly_key (msisdn=? AND reference=?); "
        "SEARCH mo USING INDEX mo_assembly (assembly=? AND part=?) LEFT-JOIN"
    )
    assert plan(assembly.WAITING, 1) == "SCAN assembly USING INDEX assembly_open"

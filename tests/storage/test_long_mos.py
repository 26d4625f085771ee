"""Long messages from customers in a real database: joined, answered once, closed in the end."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsgw.service.conversation import Rules
from smsgw.service.duplicates import key
from smsgw.service.keyed import Keyed
from smsgw.service.message import Encoding, Mo, Msisdn
from smsgw.service.ports import Done, Work
from smsgw.service.replies import Company, Replies
from smsgw.service.today import Day
from smsgw.storage import assembly, exchange, inbox
from smsgw.storage.billing import SCHEMA
from smsgw.storage.database import CacheReader, open_gateway
from smsgw.storage.policy import Policy
from smsgw.text.alphabets import DefaultAlphabet
from smsgw.text.reassembly import Bounds, Closing
from smsgw.text.segmentation import segment
from smsgw.text.userdata import Joining, Part

T = 1_800_000_000.0
WAIT = 600.0
PHONE, OTHER = Msisdn("359888123456"), Msisdn("359888123457")
NUMBER = "300012345678"
POLICY = Policy(
    Rules(Replies({}, Company(None, None, None, None)), 10, 5, True, 0.0, 4, UTC),
    {"mtel": Encoding(), "vivacom": Encoding("latin1")},
    Keyed(b"secret"),
)
HEADERS = {Joining.UDH8: 6, Joining.UDH16: 7, Joining.SAR: 0}

# Three parts of UCS-2, with the last customer number cut between the first and the second.
NUMBERS = ["300000000001", "300000000002", "300000000003", NUMBER]
LONG = f"Клиентски номера: {', '.join(NUMBERS)}. " + "Благодаря! " * 8


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """gateway.db with a cache attached that knows NUMBER."""
    with closing(sqlite3.connect(tmp_path / "cache.db")) as cache:
        cache.executescript(SCHEMA)
        cache.execute("INSERT INTO customer VALUES (?)", (int(NUMBER),))
        cache.execute("INSERT INTO feed VALUES (?, ?, 'snapshot', 'a.csv', 1, 1)", (T, T))
        cache.commit()
    with closing(open_gateway(tmp_path)) as gateway:
        gateway.execute("INSERT INTO snapshot (file, imported_at) VALUES ('cache.db', ?)", (T,))
        CacheReader(gateway, tmp_path).follow()
        yield gateway


def mo(text: str, source: Msisdn = PHONE, carrier: str = "mtel", **changes: object) -> Mo:
    one = Mo(carrier, 1, T, source, "170077", 0, 0, text.encode("latin-1", "replace"), text)
    return one._replace(**changes)  # type: ignore[arg-type]


def parts(
    text: str,
    reference: int = 7,
    source: Msisdn = PHONE,
    carrier: str = "mtel",
    joining: Joining = Joining.UDH8,
    alphabet: DefaultAlphabet = "gsm7",
) -> list[Mo]:
    """The parts of `text` as a link hands them over."""
    cut = segment(text, reference, 16 if joining is Joining.UDH16 else 8, alphabet)
    octets = [one[6:] if joining is Joining.SAR else one for one in cut.parts]
    return [
        mo("a part", source, carrier)._replace(
            esm_class=0 if joining is Joining.SAR else 0x40,
            data_coding=cut.data_coding,
            octets=one,
            part=Part(reference, len(octets), number, joining),
        )
        for number, one in enumerate(octets, 1)
    ]


def part(number: int, octets: bytes = b"x", of: int = 9, **changes: object) -> Mo:
    """One part by SAR, of a message that never becomes whole."""
    one = mo("a part")._replace(octets=octets, part=Part(1, of, number, Joining.SAR))
    return one._replace(**changes)  # type: ignore[arg-type]


def commit(con: sqlite3.Connection, *mos: Mo, now: float = T, free: int = 0) -> Done:
    work = Work(now, (), (), (), (), mos, (), {"mtel": free} if free else {})
    policy = POLICY._replace(reassembly=Bounds(WAIT))
    return exchange.commit(con, work, "billing" in attached(con), policy, Day())


def attached(con: sqlite3.Connection) -> set[str]:
    return {name for _, name, _ in con.execute("PRAGMA database_list")}


def decided(con: sqlite3.Connection) -> list[tuple[int, str, str]]:
    return con.execute(
        "SELECT id, intent, text FROM mo WHERE intent IS NOT NULL ORDER BY id"
    ).fetchall()


def registered(con: sqlite3.Connection) -> list[tuple[str, str]]:
    return con.execute("SELECT msisdn, customer_number FROM subscription ORDER BY id").fetchall()


@pytest.mark.parametrize("joining", Joining)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0)])
@pytest.mark.parametrize("apart", [True, False], ids=["in three transactions", "in one"])
def test_the_last_part_stands_for_the_whole(
    con: sqlite3.Connection, order: Sequence[int], apart: bool, joining: Joining
) -> None:
    came = [parts(LONG, joining=joining)[number] for number in order]
    assert len(came) == len(parts(LONG)) == 3
    if apart:
        assert commit(con, came[0]).tally.intents == {}
        assert commit(con, came[1]).tally.closed == {}
    done = commit(con, *(came[2:] if apart else came), free=9)

    assert decided(con) == [(3, "register", LONG)]
    assert registered(con) == [(PHONE.digits, number) for number in NUMBERS]
    assert con.execute("SELECT assembly, part FROM mo").fetchall() == [
        (1, number + 1) for number in order
    ]
    assert con.execute("SELECT mo_id FROM mt").fetchall() == [(3,)]
    assert {one.destination for one in done.claimed} == {PHONE}
    assert done.tally.closed == {("mtel", Closing.WHOLE): 1}
    assert done.tally.parts == {"mtel": 1 if apart else 3}
    assert done.wake_at is None


@pytest.mark.parametrize(
    "batches",
    [
        pytest.param([[0, 0, 1, 2]], id="in the same read"),
        pytest.param([[0], [0], [1, 2]], id="later"),
        pytest.param([[0, 1, 2, 2]], id="the last one"),
        pytest.param([[0, 1, 2], [2], [0, 1]], id="after it was whole"),
        pytest.param([[2, 1], [1, 1, 2], [2, 1, 0, 0, 1, 2]], id="again and again"),
    ],
)
def test_a_part_that_comes_again_changes_nothing(
    con: sqlite3.Connection, batches: Sequence[Sequence[int]]
) -> None:
    repeats = 0
    for batch in batches:
        done = commit(con, *[parts(LONG)[number] for number in batch])
        repeats += done.tally.repeats.get("mtel", 0)

    assert [text for _, _, text in decided(con)] == [LONG]
    assert repeats == sum(map(len, batches)) - 3
    assert con.execute("SELECT count(*) FROM mo WHERE assembly IS NULL").fetchone() == (repeats,)
    assert con.execute("SELECT count(*) FROM mt").fetchone() == (1,)


TWO = "a" * 200
APART = [
    pytest.param(parts(TWO, source=OTHER), id="another handset"),
    pytest.param(parts(TWO, carrier="vivacom"), id="over another carrier"),
    pytest.param(parts(TWO, joining=Joining.UDH16), id="16 bits"),
    pytest.param(parts(TWO, joining=Joining.SAR), id="SAR"),
    pytest.param(parts(TWO, reference=8), id="another reference"),
    pytest.param(parts("b" * 400), id="another total"),
    pytest.param([one._replace(destination="1700") for one in parts(TWO)], id="another number"),
]


@pytest.mark.parametrize("others", APART)
def test_parts_of_other_messages_are_kept_apart(con: sqlite3.Connection, others: list[Mo]) -> None:
    mine = parts("c" * 200)
    done = commit(con, mine[0], *others[:-1], mine[1], others[-1])

    whole = "b" * 400 if len(others) == 3 else TWO
    assert [text for _, _, text in decided(con)] == ["c" * 200, whole]
    assert sum(done.tally.closed.values()) == 2
    assert done.tally.repeats == {}


def test_a_reference_may_be_used_again(con: sqlite3.Connection) -> None:
    commit(con, *parts("a" * 200))
    commit(con, *parts("b" * 200))

    assert [text for _, _, text in decided(con)] == ["a" * 200, "b" * 200]


def test_a_contradiction_ends_what_waited_and_begins_another(con: sqlite3.Connection) -> None:
    stop, register = parts("stop" + " " * 200), parts(f"{NUMBER} " + "x" * 180)
    commit(con, mo(NUMBER))
    done = commit(con, stop[0], register[0])

    assert done.tally.closed == {("mtel", Closing.CONTRADICTION): 1}
    assert [intent for _, intent, _ in decided(con)] == ["register", "stop"]
    assert done.wake_at == T + WAIT
    assert commit(con, stop[0]).tally.repeats == {"mtel": 1}
    assert commit(con, register[1]).tally.closed == {("mtel", Closing.WHOLE): 1}
    assert [intent for _, intent, _ in decided(con)] == ["register", "stop", "register"]


def test_a_whole_that_cannot_be_decided_is_asked_for_again(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(text: str) -> object:
        raise ZeroDivisionError

    first, second, third = parts(LONG)
    with monkeypatch.context() as patch:
        patch.setattr("smsgw.storage.inbox.read", poisoned)
        done = commit(con, first, third, second, mo("help"))
    assert (done.undecided, done.tally.closed, done.tally.parts) == ([2, 3], {}, {"mtel": 2})
    assert con.execute("SELECT part FROM mo").fetchall() == [(1,), (3,)]

    assert commit(con, second).undecided == []
    assert [text for _, _, text in decided(con)] == [LONG]


def test_messages_of_one_sender_are_decided_in_their_order(con: sqlite3.Connection) -> None:
    first, second = parts(f"{NUMBER} " + "моля " * 20)
    commit(con, first)
    done = commit(con, second, mo("smetka"), mo("stop"), mo("smetka"), free=9)

    said = [
        one.octets.decode("utf-16-be" if one.data_coding else "latin-1") for one in done.claimed
    ]
    assert "регистриран" in said[0]
    assert "Nyamate zadalzhenia" in said[1]
    assert "Nyamate registratsia" in said[3]


def test_a_restart_changes_nothing_but_begins_the_wait_anew(tmp_path: Path) -> None:
    first, second, third = parts(LONG)
    for number, one in enumerate((third, first)):
        with closing(open_gateway(tmp_path)) as con:
            assembly.resume(con, T + number * 1000)
            assert commit(con, one, now=T + number * 1000).tally.parts == {"mtel": 1}
    with closing(open_gateway(tmp_path)) as con:
        assembly.resume(con, T + 5000)
        assert commit(con, now=T + 5000).wake_at == T + 5000 + WAIT
        commit(con, second, now=T + 5001)
        assert [text for _, _, text in decided(con)] == [LONG]
        assembly.resume(con, T + 5002)
        assert commit(con, second, now=T + 5002).tally.repeats == {"mtel": 1}


def test_the_rule_on_redeliveries_tells_parts_apart_after_a_restart(
    con: sqlite3.Connection,
) -> None:
    twins = [part(1, of=2), part(2, of=2)]
    commit(con, *twins, mo("help"))
    stored, _ = inbox.remembered(con, T - 600, 9)
    assert [one.key for one in stored] == [key(one) for one in (*twins, mo("help"))]


@pytest.mark.parametrize(
    ("carrier", "octets", "data_coding", "expected"),
    [
        ("mtel", (b"smetk\x1b", b"\x65"), (0, 0), "smetk€"),
        ("vivacom", (b"smetka \xe0", b"\xe1"), (0, 0), "smetka àá"),
        ("mtel", (b"\x04\x41\x04\x3c\x04", b"\x35\x04\x42"), (8, 8), "смет"),
        ("mtel", (b"smetka ", "за".encode("utf-16-be")), (0, 8), "smetka за"),
        ("mtel", (b"\xd8\x3d\xde", b"\x00"), (8, 8), "😀"),
        ("mtel", ("за".encode("utf-16-be"), b"\xe0"), (8, 3), "заà"),
    ],
)
def test_octets_are_joined_and_then_read(
    con: sqlite3.Connection,
    carrier: str,
    octets: Sequence[bytes],
    data_coding: Sequence[int],
    expected: str,
) -> None:
    commit(
        con,
        *[
            part(
                number, octets[number - 1], 2, carrier=carrier, data_coding=data_coding[number - 1]
            )
            for number in (2, 1)
        ],
    )
    assert [text for _, _, text in decided(con)] == [expected]


MESSAGES = [
    (PHONE, "mtel", 1, "Моля, за 300012345678 " * 8),
    (PHONE, "mtel", 2, "smetka 300012345678 " * 20),
    (OTHER, "mtel", 1, "😀€[]" * 60),
    (OTHER, "vivacom", 1, "stop" + "!" * 320),
]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_in_whatever_batches_parts_come_each_text_is_decided_once(data: st.DataObject) -> None:
    joining = data.draw(st.sampled_from(Joining))
    sent = [
        one
        for source, carrier, reference, text in MESSAGES
        for one in parts(
            text, reference, source, carrier, joining, "latin1" if carrier == "vivacom" else "gsm7"
        )
    ]
    again = data.draw(st.lists(st.sampled_from(sent), max_size=10))
    came = data.draw(st.permutations([*sent, *again]))
    with TemporaryDirectory() as folder:
        while came:
            size = data.draw(st.integers(1, len(came)))
            with closing(open_gateway(Path(folder))) as con:
                commit(con, *came[:size])
            came = came[size:]
        with closing(open_gateway(Path(folder))) as con:
            assert sorted(text for _, _, text in decided(con)) == sorted(
                text for *_, text in MESSAGES
            )
            assert commit(con).wake_at is None

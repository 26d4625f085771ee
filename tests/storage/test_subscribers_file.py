"""Importing the subscribers file, at once or after a kill."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from smsgw.service.decision import Rules
from smsgw.service.keyed import Keyed
from smsgw.service.lines import FileError
from smsgw.service.message import Channel, Encoding, Msisdn, Script
from smsgw.service.registering import activated
from smsgw.service.replies import Replies
from smsgw.service.subscribers import SubscriberRow
from smsgw.storage import audit, billing, stops, subscribers_file
from smsgw.storage.audit import Author, Change, Origin
from smsgw.storage.database import CACHE_SCHEMA, checkpoint, open_gateway
from smsgw.storage.pace import FEWEST, HELD, MOST, Pace
from smsgw.storage.subscribers_file import Imported, Terms, import_file

RULES = Rules(Replies(), 1, 1, True, 0.0, 4, ZoneInfo("Europe/Sofia"))
HEADER = "msisdn,customer_number,carrier,script,channel"
KEYED, IMPORT = Keyed(b"key"), Origin(Channel.IMPORT, "ivan")
KNOWN, UNKNOWN = "300000000001", "300000000009"


@pytest.fixture
def con(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """`gateway.db` with a cache attached that knows one customer."""
    with closing(open_gateway(tmp_path)) as con:
        con.execute(f"ATTACH ':memory:' AS {CACHE_SCHEMA}")
        for table in billing.SCHEMA.split("CREATE TABLE ")[1:]:
            con.execute(f"CREATE TABLE {CACHE_SCHEMA}.{table.rpartition(';')[0]}")
        con.execute(f"INSERT INTO {CACHE_SCHEMA}.customer VALUES (?)", (int(KNOWN),))
        yield con


def carrier_of(msisdn: Msisdn) -> str | None:
    return "vivacom" if msisdn.digits.startswith("35987") else None


def take(
    con: sqlite3.Connection,
    *lines: str,
    notify: bool = False,
    cache: bool = True,
    pace: Pace | None = None,
    stopped: list[SubscriberRow] | None = None,
) -> Imported:
    content = "".join(f"{line}\n" for line in (HEADER, *lines)).encode()
    terms = Terms(
        carriers=("mtel", "telenor", "vivacom"),
        carrier_of=carrier_of,
        rules=RULES,
        encodings={"mtel": Encoding(), "telenor": Encoding()},
        notify=notify,
        author=Author(KEYED, IMPORT, 100.0),
    )
    return import_file(
        con,
        cache,
        BytesIO(content),
        terms,
        progress=lambda _: None,
        stopped=(stopped if stopped is not None else []).append,
        pace=pace or Pace(sleep=lambda _: None),
    )


def stored(con: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return con.execute(
        "SELECT msisdn, customer_number, state, carrier, script, channel FROM subscription"
        " ORDER BY msisdn, customer_number"
    ).fetchall()


def told(con: sqlite3.Connection) -> list[tuple[str, str]]:
    return con.execute("SELECT msisdn, text FROM mt ORDER BY id").fetchall()


def test_known_numbers_are_active_and_others_pending(con: sqlite3.Connection) -> None:
    imported = take(
        con,
        f"359888000002,{UNKNOWN},telenor,cyrillic,web",
        f"359888000001,{KNOWN},mtel,latin,centre",
    )
    assert imported == Imported(
        active=1, pending=1, changed=0, unchanged=0, told=0, untold=0, stopped=0
    )
    assert stored(con) == [
        ("359888000001", KNOWN, "active", "mtel", "latin", "centre"),
        ("359888000002", UNKNOWN, "pending", "telenor", "cyrillic", "web"),
    ]
    times = "SELECT requested_at, activated_at, notify FROM subscription ORDER BY msisdn"
    assert con.execute(times).fetchall() == [(100.0, 100.0, 0), (100.0, None, 0)]


def test_without_a_cache_all_are_pending(con: sqlite3.Connection) -> None:
    con.execute(f"DETACH {CACHE_SCHEMA}")
    assert take(con, f"359888000001,{KNOWN},,,", cache=False).pending == 1


def test_what_a_row_leaves_out(con: sqlite3.Connection) -> None:
    take(con, f"359888000001,{KNOWN},,,", f"359878000002,{KNOWN},,,")
    assert [row[3:] for row in stored(con)] == [
        ("vivacom", "latin", "import"),  # its number range
        (None, "latin", "import"),
    ]


def test_a_further_number_goes_where_the_phone_s_others_are(con: sqlite3.Connection) -> None:
    phone = "359878000001"  # of vivacom's range, and taken along to telenor
    take(con, f"{phone},{KNOWN},telenor,,")
    take(con, f"{phone},{UNKNOWN},,,", f"{phone},300000000008,mtel,,", f"{phone},300000000007,,,")
    assert [row[1:4:2] for row in stored(con)] == [
        (KNOWN, "telenor"),
        ("300000000007", "mtel"),  # by the row before it
        ("300000000008", "mtel"),
        (UNKNOWN, "telenor"),
    ]


@pytest.mark.parametrize("state", ["ended", "suspect"])
def test_a_number_that_is_no_longer_sure_says_nothing_of_the_next(
    con: sqlite3.Connection, state: str
) -> None:
    phone = "359878000001"
    take(con, f"{phone},{KNOWN},telenor,,")
    column, value = ("state", "ended") if state == "ended" else ("suspect_at", 7.0)
    con.execute(f"UPDATE subscription SET {column} = ?", (value,))
    take(con, f"{phone},{UNKNOWN},,,")
    assert stored(con)[-1][3] == "vivacom"


def test_a_delta_that_comes_between_is_seen(con: sqlite3.Connection) -> None:
    """After the cache was asked, before the row is written: nobody looks at it again."""

    def on_statement(statement: str) -> None:
        if statement == "BEGIN IMMEDIATE":
            con.set_trace_callback(None)
            con.execute(f"INSERT INTO {CACHE_SCHEMA}.customer VALUES (?)", (int(UNKNOWN),))
            con.execute(f"INSERT INTO {CACHE_SCHEMA}.feed VALUES (1, 1, 'delta', 'a', 2, 0)")

    con.set_trace_callback(on_statement)
    assert take(con, f"359888000001,{UNKNOWN},,,").active == 1


@pytest.mark.parametrize(
    ("line", "imported", "row"),
    [
        pytest.param(
            f"359888000001,{KNOWN},telenor,cyrillic,web",
            Imported(0, 0, changed=1, unchanged=0, told=0, untold=0, stopped=0),
            ("telenor", "cyrillic", "centre"),
            id="carrier and script",
        ),
        pytest.param(
            f"359888000001,{KNOWN},,cyrillic,",
            Imported(0, 0, changed=1, unchanged=0, told=0, untold=0, stopped=0),
            ("mtel", "cyrillic", "centre"),
            id="script only",
        ),
        pytest.param(
            f"359888000001,{KNOWN},mtel,latin,",
            Imported(0, 0, changed=0, unchanged=1, told=0, untold=0, stopped=0),
            ("mtel", "latin", "centre"),
            id="the same",
        ),
        pytest.param(
            f"359888000001,{KNOWN},,,",
            Imported(0, 0, changed=0, unchanged=1, told=0, untold=0, stopped=0),
            ("mtel", "latin", "centre"),
            id="nothing",
        ),
    ],
)
def test_a_pair_that_exists_takes_what_its_row_names(
    con: sqlite3.Connection, line: str, imported: Imported, row: tuple[str, str, str]
) -> None:
    take(con, f"359888000001,{KNOWN},mtel,latin,centre")
    assert take(con, line, notify=True) == imported
    assert [one[3:] for one in stored(con)] == [row]
    assert told(con) == []


def test_of_two_rows_on_one_pair_the_later_counts(con: sqlite3.Connection) -> None:
    first, second = f"359888000001,{KNOWN},mtel,,", f"359888000001,{KNOWN},telenor,,"
    imported = take(con, first, f"359888000000,{KNOWN},,,", second)
    assert imported == Imported(
        active=2, pending=0, changed=1, unchanged=0, told=0, untold=0, stopped=0
    )
    assert [row[3] for row in stored(con)] == [None, "telenor"]


def test_one_that_had_ended_begins_anew(con: sqlite3.Connection) -> None:
    take(con, f"359888000001,{KNOWN},,,")
    con.execute("UPDATE subscription SET state = 'ended'")
    assert take(con, f"359888000001,{KNOWN},,,").active == 1
    assert [row[2] for row in stored(con)] == ["ended", "active"]


def test_phones_are_told_only_if_wanted_and_only_once(con: sqlite3.Connection) -> None:
    lines = (
        f"359888000001,{KNOWN},mtel,latin,",
        f"359888000002,{UNKNOWN},mtel,latin,",  # when a feed knows it
        f"359888000003,{KNOWN},,latin,",  # no carrier
        f"359888000004,{KNOWN},vivacom,latin,",  # one that is not enabled
    )
    assert take(con, *lines, notify=True)[4:6] == (1, 2)
    text = activated(KNOWN, Script.LATIN, RULES).text
    assert told(con) == [("359888000001", text)]
    assert con.execute("SELECT DISTINCT notify FROM subscription").fetchall() == [(1,)]
    assert take(con, *lines, notify=True) == Imported(
        0, 0, 0, unchanged=4, told=0, untold=0, stopped=0
    )
    assert len(told(con)) == 1


def test_bounds_dont_apply(con: sqlite3.Connection) -> None:
    lines = [f"35988800000{phone},{KNOWN},,," for phone in range(5)]
    assert take(con, *lines, f"359888000000,{UNKNOWN},,,").active == 5


def test_a_file_with_wrong_lines_changes_nothing(con: sqlite3.Connection) -> None:
    with pytest.raises(FileError) as caught:
        take(con, f"359888000001,{KNOWN},,,", "x,y,,,", f"359888000002,{KNOWN},a1,,")
    assert [problem.line for problem in caught.value.problems] == [3, 4]
    assert stored(con) == []


class KilledError(Exception):
    """Stands for a kill between two transactions."""


def test_running_it_again_finishes_what_was_cut_off(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscribers_file, "SORTED", 7)
    lines = [f"3598880000{n:02},{KNOWN},mtel,," for n in reversed(range(20))]
    turns = 0

    def between(_: sqlite3.Connection) -> None:
        nonlocal turns
        turns += 1
        if turns == 2:
            raise KilledError

    pace = Pace(sleep=lambda _: None)
    pace.size = 5
    with monkeypatch.context() as killed:
        killed.setattr(subscribers_file, "checkpoint", between)
        with pytest.raises(KilledError):
            take(con, *lines, notify=True, pace=pace)
    assert 0 < len(stored(con)) < 20
    imported = take(con, *lines, notify=True)
    assert imported.active + imported.unchanged == 20
    assert len(stored(con)) == 20
    assert sorted(phone for phone, _ in told(con)) == sorted(line[:12] for line in lines)


@pytest.mark.parametrize(("notify", "turns"), [(False, 1), (True, 3)])
def test_rows_whose_phones_are_told_come_in_small_transactions(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, notify: bool, turns: int
) -> None:
    """However fast those before them went."""
    monkeypatch.setattr(subscribers_file, "TOLD", 3)
    ended: list[sqlite3.Connection] = []
    monkeypatch.setattr(subscribers_file, "checkpoint", ended.append)
    pace = Pace(sleep=lambda _: None)
    pace.size = MOST
    take(con, *[f"35988000000{n},{KNOWN},mtel,," for n in range(7)], notify=notify, pace=pace)
    assert len(ended) == turns


def test_progress_counts_both_readings(con: sqlite3.Connection) -> None:
    content = f"{HEADER}\n359888000001,{KNOWN},,,\n".encode()
    heard: list[int] = []
    terms = Terms((), carrier_of, RULES, {}, False, Author(KEYED, IMPORT, 100.0))
    import_file(
        con, True, BytesIO(content), terms, progress=heard.append, stopped=print, pace=Pace()
    )
    assert heard == [len(content), 2 * len(content)]


def test_the_log_is_emptied_between_transactions_without_the_lock(
    con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []

    def looked(con: sqlite3.Connection) -> None:
        held.append(con.in_transaction)
        checkpoint(con)

    monkeypatch.setattr(subscribers_file, "checkpoint", looked)
    pragmas = "PRAGMA main.cache_size", "PRAGMA wal_autocheckpoint"
    before = [con.execute(pragma).fetchone() for pragma in pragmas]
    pace = Pace(sleep=lambda _: None)
    pace.size = 5
    take(con, *[f"3598880000{n:02},{KNOWN},,," for n in range(20)], pace=pace)
    assert len(held) > 1
    assert not any(held)
    with pytest.raises(FileError):
        take(con, "x")
    assert [con.execute(pragma).fetchone() for pragma in pragmas] == before


# The pace.


class FakeTime:
    """A clock that transactions move on by what they are said to take."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []


def paced(*took: float) -> tuple[Pace, FakeTime]:
    fake = FakeTime()
    pace = Pace(monotonic=lambda: fake.now, sleep=fake.slept.append)
    for seconds in took:
        with pace.turn():
            fake.now += seconds
    return pace, fake


def test_between_two_turns_is_a_gap_half_as_long_as_the_first() -> None:
    _, fake = paced(0.02, 0.04, 0.01)
    assert fake.slept == pytest.approx([0.01, 0.02])


@pytest.mark.parametrize(
    ("between", "slept"),
    [
        pytest.param(0.004, [0.006], id="a part of the gap"),
        pytest.param(0.01, [], id="all of it"),
        pytest.param(5.0, [], id="more"),
    ],
)
def test_what_is_done_between_turns_is_part_of_the_gap(between: float, slept: list[float]) -> None:
    pace, fake = paced(0.02)
    fake.now += between
    with pace.turn():
        pass
    assert fake.slept == pytest.approx(slept)


@pytest.mark.parametrize(
    ("took", "size"),
    [
        pytest.param([], 200, id="at first"),
        pytest.param([HELD], 200, id="as long as it should"),
        pytest.param([HELD * 2], 100, id="too long"),
        pytest.param([HELD / 1.5], 300, id="too short"),
        pytest.param([HELD / 1000], 400, id="growing slowly"),
        pytest.param([HELD * 1000], 50, id="shrinking fast"),
        pytest.param([HELD / 1000] * 10, MOST, id="the most"),
        pytest.param([HELD * 1000] * 10, FEWEST, id="the fewest"),
    ],
)
def test_the_next_transaction_is_sized_by_the_last(took: list[float], size: int) -> None:
    pace, _ = paced(*took)
    assert pace.size == pytest.approx(size, abs=1)


def test_what_an_import_changes_is_in_the_audit(con: sqlite3.Connection) -> None:
    take(con, f"359888000001,{KNOWN},mtel,latin,", f"359888000002,{UNKNOWN},,,")
    take(con, f"359888000001,{KNOWN},telenor,latin,", f"359888000002,{UNKNOWN},,,")
    assert audit.broken(con, KEYED) is None
    assert [
        (one.change, one.value, one.origin)
        for msisdn in ("359888000001", "359888000002")
        for one in audit.of_phone(con, Msisdn(msisdn))
    ] == [
        (Change.ACTIVATED, "mtel", IMPORT),
        (Change.MOVED, "telenor", IMPORT),
        (Change.REQUESTED, "", IMPORT),
    ]


def test_a_phone_that_said_stop_is_passed_over_and_listed(con: sqlite3.Connection) -> None:
    stops.enter(con, KEYED, Msisdn("359888000001"), 50.0)
    stopped: list[SubscriberRow] = []
    lines = [f"359888000001,{KNOWN},,,", f"359888000002,{KNOWN},,,"]
    imported = take(con, *lines, stopped=stopped)
    assert (imported.active, imported.unchanged, imported.stopped) == (1, 0, 1)
    assert [(row.msisdn.digits, row.customer_number) for row in stopped] == [
        ("359888000001", KNOWN)
    ]
    assert [row[0] for row in stored(con)] == ["359888000002"]
    stops.lift(con, KEYED, Msisdn("359888000001"))
    assert take(con, *lines).active == 1

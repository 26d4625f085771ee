"""Invoices' codes: how a feed brings them, what they prove, and that nobody can read them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.decision import Rules
from smsgw.service.feed import COLUMNS
from smsgw.service.keyed import Keyed
from smsgw.service.keywords import read
from smsgw.service.message import Channel, Encoding, Mo, Msisdn, Script
from smsgw.service.ports import Work
from smsgw.service.replies import Replies
from smsgw.service.report import Books
from smsgw.service.today import CODE_TRIES, Day
from smsgw.storage import billing, exchange, history, inbox, pending, subscriptions, timeline
from smsgw.storage.audit import FEED, Author
from smsgw.storage.database import CACHE_SCHEMA, CacheReader, current_snapshot, open_gateway
from smsgw.storage.feed import Feed, take_delta, take_snapshot
from smsgw.storage.lookup import Lookup
from smsgw.storage.policy import Policy
from smsgw.storage.timeline import What

SOFIA = ZoneInfo("Europe/Sofia")
NOON = 1_790_500_000.0  # 2026-09-27, 12:06 in Sofia
DAY = 86_400.0
KEYED = Keyed(b"key")
ENCODINGS = {"mtel": Encoding()}
RULES = Rules(
    Replies(), 10, 5, True, 0.0, 4, SOFIA, activation_limit=DAY, require_code=True
)  # fmt: skip
POLICY = Policy(RULES, ENCODINGS, KEYED)
PHONE = "359888000001"
ANNA = Msisdn(PHONE)
NUMBER, LEADING, OTHER = "300000000001", "000000000012", "300000000003"
RIGHT, OLDER, VOID, WRONG = "XK42B7", "AB12CD", "VO1D00", "WR0NG1"
HEADER = ",".join((*COLUMNS, "code"))
BILL = "2026-08-20,2026-09-10,,45.20,EUR"

OPEN = f"{NUMBER},B2,{BILL},open,{RIGHT}"
BILLS = (
    OPEN,
    f"{NUMBER},B1,{BILL},paid,{OLDER.lower()}",
    f"{NUMBER},B0,{BILL},cancelled,{VOID}",
    f"{LEADING},B1,{BILL},open,{RIGHT}",
    f"{OTHER},B1,{BILL},open,",
    f"{OTHER},B2,{BILL},cancelled,{RIGHT}",
)


class Desk:
    """`gateway.db` with the cache that feeds have made."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.con = open_gateway(data_dir)
        self.cache = CacheReader(self.con, data_dir)
        self.counted = Day()
        self.now = NOON

    def feed(self, *lines: str, header: str = HEADER, delta: bool = False) -> None:
        path = self.data_dir.parent / "feed.csv"
        path.write_text("".join(f"{one}\n" for one in (header, *lines)))
        feed = Feed(path, NOON, forced=True, keyed=KEYED)
        if delta:
            take_delta(self.con, self.data_dir, feed, now=NOON, progress=lambda *_: None)
        else:
            take_snapshot(
                self.con, self.data_dir, feed, max_shrink=0, now=NOON, progress=lambda *_: None
            )
        self.cache.follow()

    def age_cache(self) -> None:
        """Take from the cache what versions before codes didn't have."""
        name = current_snapshot(self.con)
        assert name is not None
        with closing(sqlite3.connect(self.data_dir / name)) as con:
            con.execute("ALTER TABLE bill DROP COLUMN code")

    def stored(self, number: str = NUMBER, bill: str = "B2") -> bytes | None:
        row = self.con.execute(
            f"SELECT code FROM {CACHE_SCHEMA}.bill WHERE customer = ? AND number = ?",
            (int(number), bill),
        ).fetchone()
        return row[0] and bytes(row[0])

    def say(self, text: str, phone: str = PHONE, policy: Policy = POLICY) -> str:
        """What a message is answered."""
        mo = Mo("mtel", 1, self.now, Msisdn(phone), "170077", 0, 0, text.encode(), text)
        work = Work(self.now, (), (), (), (), (mo,), (), {"mtel": 100})
        cached = self.cache.attached is not None
        done = exchange.commit(self.con, work, cached, policy, self.counted)
        (text,) = self.con.execute(
            "SELECT text FROM mt WHERE mo_id = ?", (done.first_mo,)
        ).fetchone()
        return str(text)

    def restart(self) -> None:
        self.counted = Day()
        inbox.counted_today(self.con, self.counted, SOFIA, self.now)

    def held(self, phone: str = PHONE) -> tuple[str, bytes | None]:
        """The state and the code of the phone's last subscription."""
        state, code = self.con.execute(
            "SELECT state, code FROM subscription WHERE msisdn = ? ORDER BY id DESC", (phone,)
        ).fetchone()
        return state, code

    def activate(self, rules: Rules = RULES) -> int:
        author = Author(KEYED, FEED, self.now)
        return pending.activate(self.con, 0, rules, ENCODINGS, author).changed

    def reject(self, rules: Rules = RULES) -> int:
        author = Author(KEYED, FEED, self.now)
        cached = self.cache.attached is not None
        return pending.reject(self.con, cached, rules, ENCODINGS, author).changed


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "data")
    with closing(desk.con):
        yield desk


# What feeds bring.


def test_a_code_is_in_the_cache_as_its_digest(desk: Desk) -> None:
    desk.feed(*BILLS)
    assert desk.stored() == KEYED.code(NUMBER, RIGHT)
    assert desk.stored(bill="B1") == KEYED.code(NUMBER, OLDER)
    assert desk.stored(LEADING, "B1") == KEYED.code(LEADING, RIGHT)
    assert desk.stored(OTHER, "B1") is None


def test_rows_in_no_order_keep_their_codes(desk: Desk) -> None:
    desk.feed(*reversed(BILLS))
    assert desk.stored() == KEYED.code(NUMBER, RIGHT)


@pytest.mark.parametrize(
    ("header", "line", "code"),
    [
        pytest.param(",".join(COLUMNS), f"{NUMBER},B2,{BILL},paid", RIGHT, id="no column: stays"),
        pytest.param(HEADER, f"{NUMBER},B2,{BILL},paid,", RIGHT, id="an empty one: stays"),
        pytest.param(HEADER, f"{NUMBER},B2,{BILL},paid,{WRONG}", WRONG, id="another"),
    ],
)
@pytest.mark.parametrize("delta", [True, False])
def test_a_delta_keeps_codes_and_a_snapshot_is_the_whole_state(
    desk: Desk, header: str, line: str, code: str, delta: bool
) -> None:
    desk.feed(*BILLS)
    desk.feed(line, header=header, delta=delta)
    kept = delta or code is WRONG
    assert desk.stored() == (KEYED.code(NUMBER, code) if kept else None)


def test_a_delta_adds_bills_with_codes(desk: Desk) -> None:
    desk.feed(f"{NUMBER},,,,,,,,")
    desk.feed(OPEN, delta=True)
    assert desk.stored() == KEYED.code(NUMBER, RIGHT)


def test_a_cache_from_before_codes_is_read_and_changed(desk: Desk) -> None:
    desk.feed(*BILLS)
    desk.age_cache()
    assert billing.accounts(desk.con, [NUMBER])[NUMBER].bills[0].amount == 4520
    assert len(billing.statement(desk.con, NUMBER) or ()) == 3
    assert billing.codes(desk.con, KEYED, [NUMBER], RIGHT) == {}
    assert "Priehme zayavka" in desk.say(f"{NUMBER} {RIGHT}")
    assert desk.activate() == 0
    desk.feed(OPEN, delta=True)
    assert billing.codes(desk.con, KEYED, [NUMBER], RIGHT) == {NUMBER: True}
    assert desk.activate() == 1


# What a code proves.


@pytest.mark.parametrize(
    ("number", "code", "found"),
    [
        pytest.param(NUMBER, RIGHT, True, id="of an open bill"),
        pytest.param(NUMBER, OLDER, True, id="of a paid one, in lower case in the feed"),
        pytest.param(NUMBER, VOID, False, id="of a cancelled one"),
        pytest.param(NUMBER, WRONG, False, id="of none"),
        pytest.param(LEADING, RIGHT, True, id="leading zeros"),
        pytest.param(LEADING, OLDER, False, id="of another customer"),
        pytest.param(OTHER, RIGHT, None, id="no code that counts"),
        pytest.param("300000000009", RIGHT, None, id="no such customer"),
    ],
)
def test_codes(desk: Desk, number: str, code: str, found: bool | None) -> None:
    desk.feed(*BILLS)
    expected = {} if found is None else {number: found}
    assert billing.codes(desk.con, KEYED, [number], code) == expected


@pytest.mark.parametrize(
    ("text", "keyed", "codes"),
    [
        pytest.param(f"{NUMBER} {RIGHT}", KEYED, {NUMBER: True}, id="right"),
        pytest.param(f"{NUMBER} {WRONG}", KEYED, {NUMBER: False}, id="wrong"),
        pytest.param(NUMBER, KEYED, {}, id="none in the message"),
        pytest.param(f"{NUMBER} {RIGHT}", None, {}, id="none required"),
        pytest.param(f"smetka {NUMBER} {RIGHT}", KEYED, {}, id="no registration"),
    ],
)
def test_codes_are_looked_up_where_they_are_required(
    desk: Desk, text: str, keyed: Keyed | None, codes: dict[str, bool]
) -> None:
    desk.feed(*BILLS)
    lookup = Lookup(desk.con, True, Day().page(1), keyed)
    assert lookup.known(ANNA, read(text)).codes == codes


@pytest.mark.parametrize("written", [RIGHT, RIGHT.lower(), f"kod {RIGHT}", "хк42в7"])
def test_a_right_code_registers(desk: Desk, written: str) -> None:
    desk.feed(*BILLS)
    answer = desk.say(f"{NUMBER} {written}")
    assert "registriran" in answer or "регистриран" in answer
    assert desk.held() == ("active", None)


# Five wrong tries of a number a day.


def test_wrong_codes_lock_a_number_for_all_phones_until_the_next_day(desk: Desk) -> None:
    desk.feed(*BILLS)
    for phone in range(CODE_TRIES):
        assert "greshen kod" in desk.say(f"{NUMBER} {WRONG}", f"35988800000{phone}")
        if phone == CODE_TRIES // 2:
            desk.restart()
    for _ in range(2):
        assert "opitayte utre" in desk.say(f"{NUMBER} {RIGHT}", "359888000009")
        desk.restart()
    assert "registriran" in desk.say(f"{LEADING} {RIGHT}", "359888000009")
    desk.now += DAY
    assert "registriran" in desk.say(f"{NUMBER} {RIGHT}", "359888000009")


def test_a_timeline_tells_of_wrong_codes_as_long_as_of_the_message(desk: Desk) -> None:
    desk.feed(*BILLS)
    for text in (f"{NUMBER} {WRONG}", f"{NUMBER} {RIGHT}"):
        desk.say(text)
    for _ in range(2):
        told = timeline.of(desk.con, ANNA, None, None)
        came = [one.details["wrong_codes"] for one in told if one.what is What.MESSAGE_IN]
        assert came == [[NUMBER], []]
        history.move_incoming(desk.con, 0, NOON + DAY, NOON + DAY, Books(Keyed(b"k")))
    assert desk.con.execute("SELECT tried FROM history_mo").fetchall() == [(NUMBER,), (None,)]


def test_tries_that_a_transaction_loses_are_not_counted(desk: Desk) -> None:
    desk.feed(*BILLS)
    desk.con.execute("CREATE TRIGGER full BEFORE INSERT ON mo BEGIN SELECT raise(ABORT, ''); END")
    for _ in range(CODE_TRIES):
        with pytest.raises(sqlite3.IntegrityError):
            desk.say(f"{NUMBER} {WRONG}")
    desk.con.execute("DROP TRIGGER full")
    assert "registriran" in desk.say(f"{NUMBER} {RIGHT}")


# What waits for a feed.

NOT_REQUIRED = replace(RULES, require_code=False)


@pytest.mark.parametrize(
    ("code", "rules", "state"),
    [
        pytest.param(RIGHT, RULES, "active", id="right"),
        pytest.param(OLDER, RULES, "active", id="of a bill that was paid"),
        pytest.param(WRONG, RULES, "pending", id="wrong"),
        pytest.param(VOID, RULES, "pending", id="of a cancelled bill"),
        pytest.param(WRONG, NOT_REQUIRED, "active", id="wrong, and none required any more"),
    ],
)
def test_a_feed_makes_active_what_its_codes_prove(
    desk: Desk, code: str, rules: Rules, state: str
) -> None:
    assert "Priehme zayavka" in desk.say(f"{NUMBER} {code}")
    assert desk.held() == ("pending", KEYED.code(NUMBER, code))
    desk.feed(*BILLS)
    assert desk.activate(rules) == (state == "active")
    assert desk.held() == (state, None if state == "active" else KEYED.code(NUMBER, code))


@pytest.mark.parametrize(
    ("channel", "state"),
    [(Channel.SMS, "pending"), (Channel.CENTRE, "active"), (Channel.IMPORT, "active")],
)
@pytest.mark.parametrize("aged", [True, False])
def test_who_registers_elsewhere_needs_no_code(
    desk: Desk, channel: Channel, state: str, aged: bool
) -> None:
    subscriptions.add(
        desk.con,
        Subscription(
            ANNA, NUMBER, SubscriptionState.PENDING, "mtel", Script.LATIN, channel, desk.now
        ),
        True,
        Author(KEYED, FEED, desk.now),
    )
    desk.feed(*BILLS)
    if aged:
        desk.age_cache()
    desk.activate()
    assert desk.held()[0] == state


def test_a_wrong_code_is_rejected_when_its_time_is_up(desk: Desk) -> None:
    desk.say(f"{NUMBER} {WRONG}")
    desk.say(f"{OTHER} {WRONG}", "359888000002")
    desk.feed(OPEN)
    assert (desk.activate(), desk.reject()) == (0, 0)
    desk.now += DAY
    assert desk.reject() == 2
    assert desk.held() == ("rejected", None)
    told = [text for (text,) in desk.con.execute("SELECT text FROM mt ORDER BY id DESC LIMIT 2")]
    assert [text.partition(": ")[2] for text in sorted(told)] == [
        "kodat ne e potvarden.",
        "nyama takav klientski nomer.",
    ]


def test_a_right_code_is_not_rejected_though_its_time_is_up(desk: Desk) -> None:
    desk.say(f"{NUMBER} {RIGHT}")
    desk.feed(*BILLS)
    desk.now += DAY
    assert (desk.reject(), desk.activate()) == (0, 1)


def test_the_last_code_of_a_pending_registration_counts(desk: Desk) -> None:
    desk.say(f"{NUMBER} {WRONG}")
    assert "oshte se obrabotva" in desk.say(f"{NUMBER} {RIGHT}")
    assert "oshte se obrabotva" in desk.say(NUMBER)
    desk.feed(*BILLS)
    assert desk.activate() == 1


def test_what_is_pending_by_a_wrong_code_becomes_active_by_a_message(desk: Desk) -> None:
    desk.say(f"{NUMBER} {WRONG}")
    desk.feed(*BILLS)
    assert "greshen kod" in desk.say(f"{NUMBER} {WRONG}")
    assert "registriran" in desk.say(f"{NUMBER} {RIGHT}")
    assert desk.held() == ("active", None)


def test_a_pending_registration_that_ends_leaves_no_digest(desk: Desk) -> None:
    desk.say(f"{NUMBER} {WRONG}")
    desk.say("stop")
    assert desk.held() == ("ended", None)


# Nobody can read them.


def test_no_code_stands_anywhere_but_in_the_message_it_came_in(desk: Desk) -> None:
    desk.feed(*BILLS, f"300000000004,B1,{BILL},open,{RIGHT}")
    desk.feed(f"{NUMBER},B3,{BILL},open,ZZ99ZZ", delta=True)
    desk.say(f"{NUMBER} {WRONG}")
    desk.say(f"{NUMBER} {RIGHT}")
    desk.say(f"300000000009 {OLDER}")
    desk.con.execute("UPDATE mo SET text = '', octets = x''")
    desk.con.execute("VACUUM")
    desk.con.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    files = [path.read_bytes().upper() for path in desk.data_dir.iterdir()]
    assert sum(map(len, files)) > 10_000
    for code in (RIGHT, OLDER, VOID, WRONG, "ZZ99ZZ"):
        assert not any(code.encode() in octets for octets in files)

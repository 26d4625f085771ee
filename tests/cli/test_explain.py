"""`smsgw explain` and what else tells all there is of a person, as a clerk uses them."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from smsgw import settings
from smsgw.cli.events import CHANGES, SILENCE, STATES
from smsgw.cli.main import app
from smsgw.service.keyed import Keyed
from smsgw.service.message import (
    Acceptance,
    MessageKind,
    Mo,
    Msisdn,
    Mt,
    MtState,
    Outcome,
    Receipt,
    ReceiptState,
    Segment,
)
from smsgw.service.ports import Done, Redelivery, Work
from smsgw.service.record import HELD
from smsgw.service.report import Books
from smsgw.service.retry import settle
from smsgw.service.today import Day, Silence
from smsgw.settings import derive
from smsgw.storage import exchange, history
from smsgw.storage.audit import Change
from smsgw.storage.database import CacheReader, open_gateway, transaction
from smsgw.storage.keys import keyed
from smsgw.storage.messages import enqueue
from smsgw.storage.policy import Policy
from smsgw.storage.tidy import PARKED_FOR, tidy
from smsgw.text.userdata import Joining, Part

CONFIGURATION = """\
shortcode: "170077"
data_dir: data
subscriptions: {hints_per_day: 1}
replies: {texts: {help: {latin: "Pomosht"}, unknown: {latin: "Ne razbrahme"}}}
carriers:
  mtel: {host: h, port: 1, system_id: s, password: p}
  telenor: {host: h, port: 1, system_id: s, password: p}
"""
FEED = """\
customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status
300000000001,,,,,,,
359888123456,,,,,,,
"""
AT = 1_800_000_000.0  # 2027-01-15 10:00:00 in Sofia
PHONE, OTHER = Msisdn("359888123456"), Msisdn("359888123457")
HOME, SHOP = "300000000001", "300000000002"
BOOKS = Books(Keyed(b"k"))


class Daemon:
    """Its transactions, over the real database; `now` is its clock."""

    def __init__(self, con: sqlite3.Connection, folder: Path) -> None:
        loaded = settings.load(folder / "smsgw.yaml")
        self.con = con
        self.now = AT
        self._policy = Policy(
            derive.rules(loaded), derive.encodings(loaded), keyed(loaded.data_dir, None)
        )
        self._day = Day()
        CacheReader(con, loaded.data_dir).follow()

    def commit(self, free: str = "", **work: object) -> Done:
        places = {free: 9} if free else {}
        nothing = Work(self.now, (), (), (), (), (), (), places, bulk=places)
        done = nothing._replace(**work)  # type: ignore[arg-type]
        return exchange.commit(self.con, done, True, self._policy, self._day)

    def writes(
        self, text: str, source: Msisdn = PHONE, carrier: str = "mtel", at: float = AT
    ) -> list[Segment]:
        """A customer writes; the segments of the answer, which go out at once."""
        self.now = at
        mo = Mo(carrier, 1, at, source, "170077", 0, 0, text.encode(), text)
        return list(self.commit(carrier, mos=[mo]).claimed)

    def settles(
        self,
        segment: Segment,
        acceptance: Acceptance,
        at: float,
        message_id: str = "",
        error: str = "",
    ) -> None:
        self.now = at
        self.commit(settlements=[settle(Outcome(segment, acceptance, at, message_id, error))])

    def receives(self, message_id: str, at: float, state: ReceiptState, error: str = "000") -> None:
        self.now = at
        receipt = Receipt("mtel", at, message_id, state, error, PHONE, "2701151000")
        self.commit(receipts=[receipt])

    def move(self, now: float) -> None:
        """To the history, all that is finished."""
        history.move_outgoing(self.con, 0, now, BOOKS)
        history.move_incoming(self.con, 0, now, now, BOOKS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a configuration and a cache; it is AT, and maria is logged in."""
    (tmp_path / "smsgw.yaml").write_text(CONFIGURATION)
    (tmp_path / "feed.csv").write_text(FEED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSGW_CONFIG", "smsgw.yaml")
    monkeypatch.setenv("SUDO_USER", "maria")
    monkeypatch.setattr("smsgw.clock.SystemClock.now", lambda _: AT + 100)
    return tmp_path


@pytest.fixture
def daemon(folder: Path) -> Iterator[Daemon]:
    assert CliRunner().invoke(app, ["billing", "import", "feed.csv"]).exit_code == 0
    with closing(open_gateway(folder / "data")) as con:
        yield Daemon(con, folder)


def smsgw(*args: str) -> Result:
    return CliRunner().invoke(app, list(args))


def told(*args: str) -> list[str]:
    """The lines of `explain`, without the date."""
    result = smsgw("explain", *args)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert all(line.startswith("2027-01-15 10:") for line in lines)
    return [line.removeprefix("2027-01-15 10:") for line in lines]


def conversation(daemon: Daemon) -> None:
    """A customer registers, is answered, and gets it."""
    (answer,) = daemon.writes(HOME)
    daemon.settles(answer, Acceptance.ACCEPTED, AT + 1, "A7")
    daemon.receives("A7", AT + 5, ReceiptState.DELIVERED)


CONVERSATION = [
    f'00:00  35988****456  wrote over mtel: "{HOME}" (message 1, read as register)',
    f"00:00  35988****456  registration for {HOME} active over mtel (by customer, sms)",
    '00:00  35988****456  answer 1 to message 1 over mtel: "TEXT" (N parts, delivered)',
    "00:00  35988****456    part 1 of 1 was sent to mtel",
    "00:05  35988****456    part 1 of 1 was delivered, the carrier's id A7,"
    " receipt delivered of 2701151000",
]


def without_texts(lines: list[str]) -> list[str]:
    """What is said of answers, but not what they say: other tests do."""
    return [_without_text(line) for line in lines]


def _without_text(line: str) -> str:
    if ': "' not in line or " wrote over " in line:
        return line
    head, tail = line[: line.index(': "')], line[line.rindex('" (') :]
    parts = tail.split(" ")[1].lstrip("(")
    noun = tail.split(" ")[2]
    return f'{head}: "TEXT{tail.replace(f"({parts} {noun}", "(N parts,", 1)}'


def test_a_conversation(daemon: Daemon) -> None:
    conversation(daemon)
    assert without_texts(told("0888123456")) == CONVERSATION


def test_it_is_told_the_same_of_the_history(daemon: Daemon) -> None:
    conversation(daemon)
    before = told("0888 123 456", "--full")
    daemon.move(AT + 2 * 3600)
    assert daemon.con.execute("SELECT count(*) FROM mo").fetchone() == (0,)
    assert told("0888 123 456", "--full") == before


def test_in_full(daemon: Daemon) -> None:
    conversation(daemon)
    daemon.writes("obadete se na 0899 555 444", OTHER)
    masked, full = told("0888123457"), told("0888123457", "--full")
    assert '35988****457  wrote over mtel: "obadete se na 35989****444"' in masked[0]
    assert '359888123457  wrote over mtel: "obadete se na 0899 555 444"' in full[0]
    assert [PHONE.digits in line for line in told("359888123456", "--full")].count(False) == 0


def test_a_customer_number(daemon: Daemon) -> None:
    conversation(daemon)
    daemon.writes("help", OTHER)  # names no number
    daemon.writes("абонат 3000-0000-0001", OTHER, at=AT + 20)
    before = told(HOME)
    assert [
        line.split("  ", 2)[1:] for line in before if "wrote" in line or "registration" in line
    ] == [
        ["35988****456", f'wrote over mtel: "{HOME}" (message 1, read as register)'],
        ["35988****456", f"registration for {HOME} active over mtel (by customer, sms)"],
        ["35988****457", 'wrote over mtel: "абонат 3000-0000-0001" (message 3, read as register)'],
        ["35988****457", f"registration for {HOME} active over mtel (by customer, sms)"],
    ]
    daemon.con.execute("UPDATE segment SET state = 'delivered'")
    before = told(HOME)
    daemon.move(AT + 2 * 3600)
    assert told(HOME) == before


def test_what_may_be_either_is_told_once(daemon: Daemon) -> None:
    daemon.writes(PHONE.digits)  # registers for a customer number that looks as the phone
    lines = told(PHONE.digits)
    assert len(lines) == len(set(lines)) == len(told("0888123456"))


# -- why ----------------------------------------------------------------------------------------


def test_silence(daemon: Daemon) -> None:
    daemon.writes("blah")
    daemon.writes("blah blah", at=AT + 1)
    assert told("0888123456")[-1] == (
        '00:01  35988****456  wrote over mtel: "blah blah" (message 2, read as unknown;'
        " not answered: the phone has had its hints for the day)"
    )


def test_wrong_codes(daemon: Daemon) -> None:
    """Also once the message has moved to the history."""
    daemon.writes(HOME)
    daemon.con.execute("UPDATE mo SET tried = ?", (f"{HOME} {SHOP}",))
    expected = (
        f'00:00  35988****456  wrote over mtel: "{HOME}" (message 1, read as register;'
        f" wrong code for {HOME}, {SHOP})"
    )
    assert told("0888123456")[0] == expected
    daemon.move(AT + 86_400)
    assert daemon.con.execute("SELECT count(*) FROM mo").fetchone() == (0,)
    assert told("0888123456")[0] == expected


def test_redeliveries(daemon: Daemon) -> None:
    daemon.writes("help")
    daemon.commit(redeliveries=[Redelivery(1, 0, "mtel", AT + n, 2) for n in (1, 2)])
    assert told("0888123456")[0] == (
        '00:00  35988****456  wrote over mtel: "help" (message 1, read as help;'
        " came 2 more times, without effect)"
    )


LOST = "00:01  35988****456    part 1 of 1 was sent, and the response lost: "


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (
            "unknown",
            f"{LOST}unknown → waits until 2027-01-15 10:15:00 for a receipt, then is held",
        ),
        (
            "held",
            f"{LOST}held → held: smsgw queue retry 1 sends it again, smsgw queue cancel 1 ends it",
        ),
    ],
)
def test_a_lost_response(daemon: Daemon, state: str, expected: str) -> None:
    with transaction(daemon.con):
        enqueue(daemon.con, [Mt("mtel", MessageKind.MANUAL, PHONE, "x", AT)], {}, AT)
    (segment,) = daemon.commit("mtel").claimed
    daemon.settles(segment, Acceptance.LOST, AT + 1)
    daemon.con.execute(
        "UPDATE segment SET not_before = ?", (AT + 900 if state == "unknown" else None,)
    )
    assert told("0888123456") == [
        f'00:00  35988****456  manual 1 over mtel: "x" (1 part, {state})',
        "00:00  35988****456    part 1 of 1 was sent to mtel (1 response lost)",
        expected,
    ]


def test_what_waits(daemon: Daemon) -> None:
    with transaction(daemon.con):
        enqueue(daemon.con, [Mt("mtel", MessageKind.MANUAL, PHONE, "x", AT)], {}, AT)
    assert told("0888123456")[1] == (
        "00:00  35988****456    part 1 of 1 is queued for mtel → goes out as soon as mtel has a"
        " place for it, until 2027-01-18 10:00:00"
    )
    (segment,) = daemon.commit("mtel").claimed
    assert told("0888123456")[1] == (
        "00:00  35988****456    part 1 of 1 was sent to mtel → being sent; the carrier's response"
        " is waited for"
    )
    daemon.settles(segment, Acceptance.TEMPORARY, AT + 1, error="0x00000058 ESME_RTHROTTLED")
    assert told("0888123456")[2] == (
        "00:01  35988****456    part 1 of 1 waits for its next try, error 0x00000058"
        " ESME_RTHROTTLED → is tried again from 2027-01-15 10:00:06"
    )


def test_what_nobody_waits_for_waits_for_the_opening(daemon: Daemon) -> None:
    later = Mt("mtel", MessageKind.CONFIRMATION, PHONE, "x", AT, not_before=AT + 60)
    with transaction(daemon.con):
        enqueue(daemon.con, [later], {}, AT)
    assert told("0888123456")[1] == (
        "00:00  35988****456    part 1 of 1 waits for the hours in which it may go out → goes out"
        " from 2027-01-15 10:01:00"
    )


def test_refused_and_undelivered(daemon: Daemon) -> None:
    (first,) = daemon.writes("help")
    daemon.settles(first, Acceptance.PERMANENT, AT + 1, error="0x0000000B ESME_RINVDSTADR")
    (second,) = daemon.writes("help", at=AT + 10)
    daemon.settles(second, Acceptance.ACCEPTED, AT + 11, "B")
    daemon.receives("B", AT + 12, ReceiptState.UNDELIVERABLE, "069")
    lines = told("0888123456")
    assert lines[3].endswith("part 1 of 1 was refused by mtel, error 0x0000000B ESME_RINVDSTADR")
    assert lines[7].endswith(
        "part 1 of 2 was not delivered, the carrier's id B, receipt undeliverable of 2701151000,"
        " error 069"
    )


def test_receipts_that_belong_to_nothing(daemon: Daemon) -> None:
    daemon.receives("C", AT, ReceiptState.DELIVERED)
    line = "00:00  35988****456  receipt from mtel for id C: delivered of 2701151000, error 000"
    assert told("0888123456") == [f"{line} (waits for its message)"]
    tidy(daemon.con, AT + PARKED_FOR + 1)
    assert told("0888123456") == [f"{line} (belongs to no message of ours)"]


def test_who_changed_what(daemon: Daemon) -> None:
    assert smsgw("subscribers", "add", "0888123456", HOME, "--carrier", "mtel").exit_code == 0
    assert smsgw("subscribers", "add", "0888123456", SHOP, "--carrier", "mtel").exit_code == 0
    assert smsgw("subscribers", "move", "0888123456", "telenor").exit_code == 0
    assert smsgw("subscribers", "end", "0888123456", SHOP).exit_code == 0
    registrations = [
        line.removeprefix("01:40  35988****456  ")
        for line in told("0888123456")
        if "registration" in line and "by maria, centre" in line
    ]
    assert registrations == [
        f"registration for {HOME} active over mtel (by maria, centre)",
        f"registration for {SHOP} requested over mtel (by maria, centre)",
        f"registration for {HOME} moved to telenor (by maria, centre)",
        f"registration for {SHOP} moved to telenor (by maria, centre)",
        f"registration for {SHOP} ended (by maria, centre)",
    ]


def test_a_stop(daemon: Daemon) -> None:
    daemon.writes("stop")
    assert (
        "00:00  35988****456  said stop: registered by no import and no partner until it asks"
        " itself"
    ) in told("0888123456")


def test_a_long_message(daemon: Daemon) -> None:
    mos = [
        Mo("mtel", 1, AT, PHONE, "170077", 0, 0, text.encode(), text, Part(7, 2, n, Joining.SAR))
        for n, text in ((1, "he"), (2, "lp"))
    ]
    daemon.commit(mos=mos[:1])
    assert told("0888123456") == [
        '00:00  35988****456  wrote over mtel: "he" (message 1, a part of a long message)'
    ]
    daemon.commit(mos=mos[1:])
    assert told("0888123456")[0] == (
        '00:00  35988****456  wrote over mtel: "help" (message 2, 2 parts, read as help)'
    )


def test_texts_that_terminals_obey(daemon: Daemon) -> None:
    daemon.writes("he\x1b[31mlp\nx")
    assert '"he [31mlp x"' in told("0888123456")[0]


def test_there_are_words_for_everything() -> None:
    assert SILENCE.keys() == set(Silence)
    assert STATES.keys() == {*MtState, HELD} - {MtState.CLAIMED}
    assert CHANGES.keys() == set(Change)


def test_what_was_erased_or_dropped(daemon: Daemon) -> None:
    conversation(daemon)
    daemon.move(AT + 2 * 3600)
    daemon.con.execute("UPDATE history_mo SET msisdn = NULL, text = NULL")
    daemon.con.execute("UPDATE history_mt SET msisdn = NULL, text = NULL")
    daemon.con.execute("UPDATE audit SET msisdn = NULL")
    assert told(HOME) == [
        "00:00  erased        wrote over mtel: (text no longer kept) (message 1, read as register)",
        f"00:00  erased        registration for {HOME} active over mtel (by customer, sms)",
        told(HOME)[2],
        "00:00  erased          part 1 of 1 was sent to mtel",
        "00:05  erased          part 1 of 1 was delivered, the carrier's id A7,"
        " receipt delivered of 2701151000",
    ]
    shown = smsgw("queue", "show", "1").stdout
    assert "to an erased phone over mtel: delivered" in shown
    assert "(no longer kept)" in shown


# -- how it is asked ----------------------------------------------------------------------------


def test_as_json(daemon: Daemon) -> None:
    conversation(daemon)
    daemon.writes("help 0888123456", at=AT + 50)
    rows = [
        json.loads(line) for line in smsgw("explain", "0888123456", "--json").stdout.splitlines()
    ]
    assert [row["what"] for row in rows] == [
        "message_in", "registration", "message_out", "submit", "state",
        "message_in", "message_out", "submit",
    ]  # fmt: skip
    assert rows[0] == {
        "at": "2027-01-15T10:00:00+02:00",
        "what": "message_in",
        "msisdn": "35988****456",
        "id": 1,
        "carrier": "mtel",
        "text": HOME,
        "intent": "register",
        "silence": None,
        "wrong_codes": [],
        "parts": 1,
        "repeats": 0,
    }
    assert rows[1]["who"] == "customer"
    assert rows[2]["answers"] == 1
    assert (rows[4]["state"], rows[4]["message_id"], rows[4]["next"]) == ("delivered", "A7", None)
    assert rows[5]["text"] == "help 35988****456"
    assert rows[7]["next"] == "being sent; the carrier's response is waited for"


@pytest.mark.parametrize(("last", "shown", "left_out"), [("2", 2, 3), ("5", 5, 0), ("0", 5, 0)])
def test_only_the_last(daemon: Daemon, last: str, shown: int, left_out: int) -> None:
    conversation(daemon)
    result = smsgw("explain", "0888123456", "--last", last)
    assert (
        without_texts([line[14:] for line in result.stdout.splitlines()]) == CONVERSATION[-shown:]
    )
    note = f"{left_out} earlier events are left out; --last 0 shows all\n"
    assert result.stderr == (note if left_out else "")


@pytest.mark.parametrize("known", ["folder", "daemon"])
@pytest.mark.parametrize("who", ["0888999999", "300000000009"])
def test_nothing_is_known(request: pytest.FixtureRequest, known: str, who: str) -> None:
    request.getfixturevalue(known)
    result = smsgw("explain", who)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"{who}: nothing is known\n"


def test_it_makes_nothing(folder: Path) -> None:
    for arguments in (
        ["explain", HOME],
        ["subscribers", "audit"],
        ["subscribers", "export", "0888123456"],
    ):
        smsgw(*arguments)
    assert not (folder / "data").exists()


@pytest.mark.parametrize("who", ["12345", "blah", "30000000000", ""])
def test_what_is_no_number(folder: Path, who: str) -> None:
    result = smsgw("explain", who)
    assert result.exit_code == 2
    assert "is neither a phone number nor a customer number" in " ".join(result.stderr.split())


def test_a_finished_message_is_shown_out_of_the_history(daemon: Daemon) -> None:
    conversation(daemon)
    before = smsgw("queue", "show", "1")
    assert (before.exit_code, "delivered" in before.stdout) == (0, True)
    daemon.move(AT + 2 * 3600)
    assert smsgw("queue", "show", "1").stdout == before.stdout
    cancelled = smsgw("queue", "cancel", "1")
    assert (cancelled.exit_code, cancelled.stderr) == (
        1,
        "message 1: not cancelled: delivered already\n",
    )


# -- a person's data, and the audit's chain -------------------------------------------------------


def test_export_of_a_person(daemon: Daemon) -> None:
    conversation(daemon)
    daemon.move(AT + 2 * 3600)
    daemon.writes("stop 0888123457", at=AT + 50)
    result = smsgw("subscribers", "export", "0888 123 456")
    assert result.exit_code == 0
    found: dict[str, Any] = json.loads(result.stdout)
    assert found["msisdn"] == PHONE.digits
    assert found["stopped_at"] is None or found["stopped_at"].startswith("2027-01-15T10:00:50")
    assert [(one["customer_number"], one["channel"]) for one in found["subscriptions"]] == [
        (HOME, "sms")
    ]
    assert found["audit"][0]["change"] == "activated"
    texts = [one["text"] for one in found["messages"] if one["what"] == "message_in"]
    assert texts == [HOME, "stop 0888123457"]  # hers, and so in full
    assert all(one["msisdn"] == PHONE.digits for one in found["messages"])
    assert found["receipts"] == []


def test_export_of_a_stop_alone(daemon: Daemon) -> None:
    daemon.writes("stop")
    daemon.con.execute("DELETE FROM segment")
    daemon.con.execute("DELETE FROM mt")
    daemon.con.execute("DELETE FROM mo")
    assert json.loads(smsgw("subscribers", "export", "0888123456").stdout) == {
        "msisdn": PHONE.digits,
        "stopped_at": "2027-01-15T10:00:00+02:00",
        "subscriptions": [],
        "audit": [],
        "messages": [],
        "notices": [],
        "evidence": [],
        "receipts": [],
        "requests": [],
    }


@pytest.mark.parametrize("known", ["folder", "daemon"])
def test_export_of_nobody(request: pytest.FixtureRequest, known: str) -> None:
    request.getfixturevalue(known)
    result = smsgw("subscribers", "export", "0888123456")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"{PHONE.digits}: nothing is known\n"


def test_export_without_a_phone_is_the_file(daemon: Daemon) -> None:
    conversation(daemon)
    assert smsgw("subscribers", "export").stdout.splitlines() == [
        "msisdn,customer_number,carrier,script,channel,code",
        f"{PHONE.digits},{HOME},mtel,latin,sms,",
    ]


def test_the_audit_holds(daemon: Daemon) -> None:
    assert smsgw("subscribers", "audit").stdout == "the audit is empty\n"
    conversation(daemon)
    result = smsgw("subscribers", "audit")
    assert (result.exit_code, result.stdout) == (0, "the chain of the audit holds; entries: 1\n")
    found = {"holds": True, "entries": 1, "broken_from": None}
    assert json.loads(smsgw("subscribers", "audit", "--json").stdout) == found


def test_the_audit_is_broken(daemon: Daemon, folder: Path) -> None:
    conversation(daemon)
    smsgw("subscribers", "end", "0888123456")
    daemon.con.execute("DROP TRIGGER audit_is_not_changed")
    daemon.con.execute("UPDATE audit SET who = 'nobody' WHERE id = 2")
    result = smsgw("subscribers", "audit")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "the audit is broken from entry 2 on: it is not what was written there, or is missing, or"
        " the key is another; compare with a backup\n"
    )
    result = smsgw("subscribers", "audit", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"holds": False, "entries": 2, "broken_from": 2}
    (folder / "data" / "secret.key").unlink()
    result = smsgw("subscribers", "audit")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the key of the audit is missing" in result.stderr

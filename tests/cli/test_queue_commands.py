"""`smsgw queue`: what it prints, where, and how it ends."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from smsgw.cli.main import app
from smsgw.service.message import Encoding, MessageKind, Msisdn, Mt
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.messages import enqueue

CONFIGURATION = """\
shortcode: "170077"
data_dir: data
carriers:
  mtel: {host: h, port: 1, system_id: s, password: p}
  telenor: {host: h, port: 1, system_id: s, password: p}
"""
AT = 1_800_000_000.0  # 2027-01-15 10:00 in Sofia
PHONE = Msisdn("359888123456")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a configuration and no database yet; it is AT."""
    (tmp_path / "smsgw.yaml").write_text(CONFIGURATION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSGW_CONFIG", "smsgw.yaml")
    monkeypatch.setattr("smsgw.clock.SystemClock.now", lambda _: AT)
    return tmp_path


@pytest.fixture
def con() -> Iterator[sqlite3.Connection]:
    with closing(open_gateway(Path("data"))) as gateway:
        yield gateway


def queue(*args: str) -> Result:
    return CliRunner().invoke(app, ["queue", *args])


def put(con: sqlite3.Connection, *states: str, age: float = 60.0, carrier: str = "mtel") -> None:
    """A message of as many parts as there are `states`, a word of `queue list --state` each."""
    text = "x" if len(states) == 1 else "x" * 153 * len(states)
    one = Mt(carrier, MessageKind.MANUAL, PHONE, text, AT - age)
    with transaction(con):
        enqueue(con, [one], {"mtel": Encoding()}, AT - age)
    (mt_id,) = con.execute("SELECT max(id) FROM mt").fetchone()
    for part, word in enumerate(states, start=1):
        waits = word in ("waiting", "unknown")
        con.execute(
            "UPDATE segment SET state = ?, not_before = ? WHERE mt_id = ? AND part = ?",
            ("unknown" if word == "held" else word, AT + 300 if waits else None, mt_id, part),
        )


def states(con: sqlite3.Connection) -> list[str]:
    return [state for (state,) in con.execute("SELECT state FROM segment ORDER BY mt_id, part")]


def table(result: Result) -> list[str]:
    """The header and the rows, with one blank between columns."""
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    return [line for line in lines if line and "─" not in line]


def ended(result: Result) -> tuple[int, str, str]:
    return result.exit_code, result.stdout, result.stderr


def test_list(con: sqlite3.Connection) -> None:
    put(con, "delivered")
    put(con, "accepted")
    put(con, "queued", age=3 * 3600.0)
    put(con, "delivered", "waiting")
    con.execute("UPDATE segment SET attempts = 2, error = '0x58' WHERE mt_id = 4 AND part = 2")
    assert table(queue("list")) == [
        "id carrier kind msisdn state parts created age attempts next error",
        "3 mtel manual 359888123456 queued 1 2027-01-15 07:00:00 3 h 0 - -",
        "4 mtel manual 359888123456 waiting 2 2027-01-15 09:59:00 60 s 2 2027-01-15 10:05:00 0x58",
    ]


def test_list_as_json(con: sqlite3.Connection) -> None:
    put(con, "held")
    assert json.loads(queue("list", "--json").stdout) == [
        {
            "id": 1,
            "carrier": "mtel",
            "kind": "manual",
            "msisdn": PHONE.digits,
            "state": "held",
            "parts": 1,
            "created_at": "2027-01-15T09:59:00+02:00",
            "age": 60,
            "attempts": 0,
            "next_at": None,
            "error": None,
        }
    ]


@pytest.mark.parametrize(
    ("args", "ids"),
    [
        ("", [1, 2]),
        ("--state accepted", [3]),
        ("--state held --state accepted", [2, 3]),
        ("--carrier telenor", [2]),
        ("--carrier gone", [1]),
        ("--kind manual --state queued", [1]),
        ("--kind notice", []),
    ],
)
def test_list_some(con: sqlite3.Connection, args: str, ids: list[int]) -> None:
    put(con, "queued", carrier="gone")  # a carrier may leave the configuration
    put(con, "held", carrier="telenor")
    put(con, "accepted")
    result = queue("list", "--json", *args.split())
    assert [one["id"] for one in json.loads(result.stdout)] == ids


def test_list_says_how_many_more(con: sqlite3.Connection) -> None:
    for _ in range(103):
        put(con, "queued")
    result = queue("list", "--json")
    assert len(json.loads(result.stdout)) == 100
    assert result.stderr == "and 3 more; --limit N shows more\n"
    assert len(json.loads(queue("list", "--json", "--limit", "200").stdout)) == 103


def test_show(con: sqlite3.Connection) -> None:
    con.execute(
        "INSERT INTO mo (id, received_at, carrier, session, msisdn, destination, esm_class,"
        " data_coding, octets, text, intent) VALUES (3, ?, 'mtel', 1, ?, '170077', 0, 0, x'',"
        " 'red' || char(27) || '[31m', 'unknown')",
        (AT - 61, PHONE.digits),
    )
    put(con, "accepted", "unknown")
    con.execute("UPDATE mt SET mo_id = 3, text = 'one' || char(10) || 'two'")
    con.execute(
        "UPDATE segment SET message_id = '17', attempts = 1, claimed_at = ? WHERE part = 1", (AT,)
    )
    result = queue("show", "1")
    assert result.stdout.splitlines()[:5] == [
        "message 1 (manual) to 359888123456 over mtel: unknown",
        "  made     2027-01-15 09:59:00, worth sending until 2027-01-18 09:59:00",
        "  answers  3 of 2027-01-15 09:58:59: red\\x1b[31m",
        "  text     one",
        "           two",
    ]
    form, columns, *rest = table(result)[5:]
    assert form.startswith("form gsm7, 2 parts, ")
    assert columns == "part state attempts lost message id claimed changed not before"
    assert rest == [
        "1 accepted 1 0 17 2027-01-15 10:00:00 2027-01-15 09:59:00 -",
        "2 unknown 0 0 - - 2027-01-15 09:59:00 2027-01-15 10:05:00",
        "part 1: the carrier has it; its receipt is waited for, until 2027-01-18 09:59:00 at least",
        "part 2: waits until 2027-01-15 10:05:00 for a receipt, then is held",
    ]


def test_show_as_json(con: sqlite3.Connection) -> None:
    put(con, "held")
    shown = json.loads(queue("show", "1", "--json").stdout)
    (part,) = shown.pop("parts")
    assert shown.pop("layout")
    assert shown == {
        "id": 1,
        "kind": "manual",
        "msisdn": PHONE.digits,
        "carrier": "mtel",
        "state": "held",
        "text": "x",
        "encoding": "gsm7",
        "created_at": "2027-01-15T09:59:00+02:00",
        "valid_until": "2027-01-18T09:59:00+02:00",
        "answers": None,
        "reference": 0,
    }
    assert (part["part"], part["state"], part["not_before"]) == (1, "held", None)
    assert part["next"] == (
        "held: smsgw queue retry 1 sends it again, smsgw queue cancel 1 ends it"
    )


def test_retry(con: sqlite3.Connection) -> None:
    put(con, "held")
    put(con, "delivered", "waiting", "accepted")
    assert ended(queue("retry", "1", "2")) == (
        0,
        "message 1: queued again\n"
        "message 2: 1 of 3 parts queued again; 1 delivered already; 1 accepted by the carrier"
        " already\n",
        "",
    )
    assert states(con) == ["queued", "delivered", "queued", "accepted"]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("queued", "queued already"),
        ("claimed", "being sent, and the carrier's response is waited for"),
        ("accepted", "accepted by the carrier already"),
        ("refused", "refused already"),
    ],
)
def test_not_retried(con: sqlite3.Connection, state: str, reason: str) -> None:
    put(con, state)
    put(con, "held")
    assert ended(queue("retry", "1", "2")) == (
        1,
        "message 2: queued again\n",
        f"message 1: not queued again: {reason}\n",
    )


def test_retry_what_is_no_longer_worth_sending(con: sqlite3.Connection) -> None:
    put(con, "held", age=4 * 86400.0)
    reason = "no longer worth sending; --force sends it all the same\n"
    assert ended(queue("retry", "1")) == (1, "", f"message 1: not queued again: {reason}")
    assert ended(queue("retry", "--held")) == (
        1,
        "0 messages queued again\n",
        f"1 message not queued again: {reason}",
    )
    assert ended(queue("retry", "1", "--force")) == (0, "message 1: queued again\n", "")
    assert json.loads(queue("show", "1", "--json").stdout)["valid_until"].startswith("2027-01-18")


def test_retry_all_that_is_held(con: sqlite3.Connection) -> None:
    put(con, "held")
    put(con, "held", "accepted", carrier="telenor")
    put(con, "unknown")
    assert ended(queue("retry", "--held", "--carrier", "telenor")) == (
        0,
        "1 message queued again\n",
        "",
    )
    assert states(con) == ["unknown", "queued", "accepted", "unknown"]
    assert ended(queue("retry", "--held")) == (0, "1 message queued again\n", "")
    assert ended(queue("retry", "--held")) == (1, "", "nothing is held\n")


def test_cancel(con: sqlite3.Connection) -> None:
    put(con, "queued", "cancelled")
    put(con, "claimed")
    put(con, "accepted", "held")
    assert ended(queue("cancel", "1", "1")) == (
        0,
        "message 1: 1 of 2 parts cancelled; 1 cancelled already\n",
        "",
    )
    assert ended(queue("cancel", "2")) == (
        1,
        "",
        "message 2: not cancelled: being sent, and can't be taken back\n",
    )
    assert ended(queue("cancel", "3")) == (
        1,
        "message 3: 1 of 2 parts cancelled; 1 accepted by the carrier, and can't be taken back\n",
        "",
    )
    assert ended(queue("cancel", "1")) == (
        1,
        "",
        "message 1: not cancelled: cancelled already\n",
    )


def test_cancel_a_carriers(con: sqlite3.Connection) -> None:
    put(con, "queued", carrier="gone")
    put(con, "held", "accepted", carrier="gone")
    put(con, "claimed", carrier="gone")
    put(con, "queued")
    assert ended(queue("cancel", "--held", "--carrier", "gone")) == (0, "1 message cancelled\n", "")
    assert ended(queue("cancel", "--carrier", "gone")) == (
        1,
        "1 message cancelled\n",
        "1 message not cancelled: being sent, and can't be taken back\n",
    )
    assert states(con) == ["cancelled", "cancelled", "accepted", "claimed", "queued"]
    assert ended(queue("cancel", "--carrier", "telenor")) == (1, "", "nothing is on its way\n")


def test_receipts(con: sqlite3.Connection) -> None:
    con.execute(
        "INSERT INTO parked_receipt (carrier, message_id, state, error, received_at, msisdn,"
        " done_date) VALUES ('mtel', '8' || char(27), 'delivered', '', ?, ?, '')",
        (AT, PHONE.digits),
    )
    con.execute(
        "INSERT INTO orphan_receipt (carrier, message_id, msisdn, state, error, done_date,"
        " received_at, given_up_at) VALUES ('telenor', '9', NULL, 'expired', '69', '2611221413',"
        " ?, ?)",
        (AT - 9, AT),
    )
    assert table(queue("receipts")) == [
        "carrier message id msisdn state error done date received given up",
        "mtel 8\\x1b 359888123456 delivered - - 2027-01-15 10:00:00 -",
        "telenor 9 - expired 69 2611221413 2027-01-15 09:59:51 2027-01-15 10:00:00",
    ]
    result = queue("receipts", "--json", "--limit", "1")
    assert [one["given_up_at"] for one in json.loads(result.stdout)] == [None]
    assert result.stderr == "and 1 more; --limit N shows more\n"
    (orphan,) = json.loads(queue("receipts", "--json", "--carrier", "telenor").stdout)
    assert orphan["given_up_at"] == "2027-01-15T10:00:00+02:00"


NONE_YET = [
    ("list", 0, "nothing is on its way\n", ""),
    ("list --json", 0, "[]\n", ""),
    ("list --state held", 0, "there are none\n", ""),
    ("show 1", 1, "", "there is no message 1\n"),
    ("retry 1", 1, "", "message 1: not queued again: there is no such message\n"),
    ("retry --held", 1, "", "nothing is held\n"),
    ("cancel 1", 1, "", "message 1: not cancelled: there is no such message\n"),
    ("cancel --carrier mtel", 1, "", "nothing is on its way\n"),
    ("receipts", 0, "there are none\n", ""),
    ("receipts --json", 0, "[]\n", ""),
]


@pytest.mark.parametrize(("command", "code", "stdout", "stderr"), NONE_YET)
def test_no_database_yet(command: str, code: int, stdout: str, stderr: str, folder: Path) -> None:
    assert ended(queue(*command.split())) == (code, stdout, stderr)
    assert not (folder / "data").exists()


@pytest.mark.parametrize(("command", "code", "stdout", "stderr"), NONE_YET)
def test_an_empty_database(
    command: str, code: int, stdout: str, stderr: str, con: sqlite3.Connection
) -> None:
    assert ended(queue(*command.split())) == (code, stdout, stderr)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (
            "list --state hold",
            "is none of queued, waiting, claimed, accepted, unknown, held",
        ),
        ("list --kind manuel", "'manuel' is none of code, answer, confirmation, manual, notice"),
        ("list --carrier mtl", "there is no carrier 'mtl'; there are mtel, telenor"),
        ("list --limit 0", "0 is too small: the least is 1"),
        ("list --limit x", "'x' is not a whole number"),
        ("show", "Missing argument 'ID'"),
        ("show x", "'x' is not a whole number"),
        ("show 0", "0 is too small"),
        ("show -1", "No such option: -1"),
        (
            "show 9223372036854775808",
            "9223372036854775808 is too large: the most is 9223372036854775807",
        ),
        ("retry", "give either IDs, or --held and if wanted --carrier ID"),
        ("retry 1 --held", "give either IDs, or --held"),
        ("retry 1 --carrier mtel", "give either IDs, or --held"),
        ("retry --carrier mtel", "give either IDs, or --held"),
        ("retry --held --carrier mtl", "there is no carrier 'mtl'"),
        ("retry 1 x", "'x' is not a whole number"),
        ("cancel", "give either IDs, or --held, --carrier ID or both"),
        ("cancel 1 --carrier mtel", "give either IDs, or --held, --carrier ID or both"),
        ("cancel --carrier mtl", "there is no carrier 'mtl'"),
        ("receipts --carrier mtl", "there is no carrier 'mtl'"),
        ("lst", "No such command 'lst'"),
    ],
)
def test_a_wrong_command_line(command: str, error: str) -> None:
    result = queue(*command.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert error in " ".join(result.stderr.split())


def test_a_locked_database(con: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be read all the same."""
    put(con, "held")
    monkeypatch.setattr("smsgw.storage.database.BUSY_TIMEOUT", 0.0)
    con.execute("BEGIN IMMEDIATE")
    for command in ("retry 1", "cancel --held"):
        code, stdout, stderr = ended(queue(*command.split()))
        assert (code, stdout) == (1, "")
        assert stderr.endswith(
            "/data: the database failed: database is locked; it is safe to try again\n"
        )
    assert queue("list").exit_code == queue("show", "1").exit_code == 0

"""`smsgw notices evidence`, as whoever has to prove a notice uses it."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from smsgw import settings
from smsgw.cli.notices import app
from smsgw.service.message import MessageKind, Msisdn, Mt
from smsgw.settings import derive
from smsgw.storage import history
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.keys import KEY_FILE, keyed
from smsgw.storage.messages import enqueue

CONFIGURATION = """\
shortcode: "170077"
data_dir: data
carriers:
  mtel: {host: h, port: 1, system_id: s, password: p}
"""
AT = 1_800_000_000.0  # 2027-01-15 10:00:00 in Sofia
DAY = 24 * 3600.0
PHONES = [Msisdn("359888123456"), Msisdn("359888123457"), Msisdn("359888123458")]
NUMBER = "300012345678"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "smsgw.yaml").write_text(CONFIGURATION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSGW_CONFIG", "smsgw.yaml")
    return tmp_path


@pytest.fixture
def con(folder: Path) -> Iterator[sqlite3.Connection]:
    """Three notices of two runs: two in the history, the third on its way."""
    loaded = settings.load(folder / "smsgw.yaml")
    with closing(open_gateway(folder / "data")) as con:
        with transaction(con):
            texts = [f"Klient {NUMBER}: 1,20 EUR. Info {phone.digits}" for phone in PHONES]
            new = [
                Mt("mtel", MessageKind.NOTICE, phone, text, AT)
                for phone, text in zip(PHONES, texts, strict=True)
            ]
            enqueue(con, new, {}, AT)
        con.executemany(
            "INSERT INTO notice_run (id, kind, day, state, automatic, made_at)"
            " VALUES (?, 'overdue', '2027-01-15', 'running', 0, 0)",
            [(1,), (2,)],
        )
        con.executemany(
            "INSERT INTO notice (run, msisdn, customer_number, carrier, script, state,"
            " changed_at, bills, parameters, mt_id)"
            " VALUES (?, ?, ?, 'mtel', 'latin', 'sent', 0, ?, ?, ?)",
            [
                (run, phone.digits, NUMBER, '[["17", 1]]', '{"amount": "1,20 EUR"}', mt)
                for mt, (run, phone) in enumerate(zip((1, 2, 2), PHONES, strict=True), start=1)
            ],
        )
        con.execute(
            "UPDATE segment SET state = 'delivered', message_id = 'A', receipt = 'delivered',"
            " changed_at = ? WHERE mt_id < 3",
            (AT + 9,),
        )
        books = derive.books(loaded, keyed(loaded.data_dir, None))
        assert history.move_outgoing(con, 0, AT + DAY, books).moved == 2
        yield con


def run(*args: str) -> Result:
    return CliRunner().invoke(app, ["evidence", *args])


def lines(*args: str) -> list[Any]:
    done = run(*args)
    assert done.exit_code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.usefixtures("con")
def test_all_there_is_of_a_notice() -> None:
    (found,) = lines("--run", "1", "--full")
    assert found == {
        "entry": 1,
        "notice": 1,
        "run": 1,
        "kind": "overdue",
        "message": 1,
        "carrier": "mtel",
        "made_at": "2027-01-15T10:00:00+02:00",
        "state": "delivered",
        "final_at": "2027-01-15T10:00:09+02:00",
        "msisdn": "359888123456",
        "customer_number": NUMBER,
        "bills": [["17", 1]],
        "parameters": {"amount": "1,20 EUR"},
        "text": f"Klient {NUMBER}: 1,20 EUR. Info 359888123456",
        "segments": [
            {
                "part": 1,
                "state": "delivered",
                "changed_at": "2027-01-15T10:00:09+02:00",
                "message_id": "A",
                "receipt": "delivered",
            }
        ],
    }


@pytest.mark.usefixtures("con")
def test_what_is_on_its_way_has_no_entry_yet() -> None:
    found = lines("--run", "2")
    assert [(one["entry"], one["notice"], one["state"]) for one in found] == [
        (2, 2, "delivered"),
        (None, 3, "queued"),
    ]


@pytest.mark.usefixtures("con")
@pytest.mark.parametrize(
    ("args", "notices"),
    [
        ((), [1, 2, 3]),
        (("--number", NUMBER), [1, 2, 3]),
        (("--number", "300012345679"), []),
        (("--msisdn", "0888 123 457"), [2]),
        (("--run", "1", "--msisdn", "0888123457"), []),
    ],
)
def test_which_notices(args: tuple[str, ...], notices: list[int]) -> None:
    assert [one["notice"] for one in lines(*args)] == notices


@pytest.mark.usefixtures("con")
def test_phones_are_masked_in_texts_too() -> None:
    shown = run().stdout
    assert "35988****456" in shown
    assert all(phone.digits not in shown for phone in PHONES)


def test_the_chain_is_checked(con: sqlite3.Connection, folder: Path) -> None:
    done = run("--verify")
    assert (done.exit_code, done.stdout) == (0, "the chain of the evidence holds; entries: 2\n")
    con.execute("UPDATE evidence SET msisdn = NULL, bills = NULL, parameters = NULL, text = NULL")
    assert run("--verify").exit_code == 0

    con.execute("DROP TRIGGER evidence_is_not_changed")
    con.execute("UPDATE evidence SET state = 'delivered ' WHERE id = 2")
    done = run("--verify")
    assert done.exit_code == 1
    assert "broken from entry 2 on" in done.stderr

    (folder / "data" / KEY_FILE).unlink()
    done = run("--verify")
    assert (done.exit_code, "put secret.key back" in done.stderr) == (1, True)


def test_the_chain_is_checked_for_programs(con: sqlite3.Connection) -> None:
    assert lines("--verify", "--json") == [{"holds": True, "entries": 2, "broken_from": None}]
    con.execute("DROP TRIGGER evidence_stays")
    con.execute("DELETE FROM evidence")
    done = run("--verify", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout) == {"holds": False, "entries": 0, "broken_from": 1}
    assert "broken from entry 1 on" in run("--verify").stderr


@pytest.mark.parametrize(
    "change",
    ["final_at = 1e300", "segments = '['", "text = X'ff'", "bills = X'ff'"],
)
def test_what_somebody_made_unreadable_is_named(con: sqlite3.Connection, change: str) -> None:
    con.execute("DROP TRIGGER evidence_is_not_changed")
    con.execute(f"UPDATE evidence SET {change} WHERE id = 2")
    done = run("--json")
    assert done.exit_code == 1
    assert done.stderr == "entry 2 can't be read: --verify says whether it was changed\n"
    assert [json.loads(line)["entry"] for line in done.stdout.splitlines()] == [1]
    assert run("--verify").exit_code == 1


@pytest.mark.usefixtures("folder")
def test_without_any() -> None:
    assert run("--verify").stdout == "the evidence is empty\n"
    assert lines() == []
    with closing(open_gateway(Path("data"))):
        assert run("--verify").stdout == "the evidence is empty\n"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "args",
    [
        ("--run", "0"),
        ("--run", "9" * 20),
        ("--number", "12"),
        ("--msisdn", "x"),
        ("--verify", "--run", "1"),
    ],
)
def test_what_names_nothing_is_refused(args: tuple[str, ...]) -> None:
    assert run(*args).exit_code == 2

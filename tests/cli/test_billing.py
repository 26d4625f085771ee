"""`smsgw billing`: what it prints, where, and how it ends."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from smsgw.cli.main import app
from smsgw.service.keyed import Keyed
from smsgw.storage import feed_worker
from smsgw.storage.database import open_gateway
from smsgw.storage.lock import hold

CONFIGURATION = """\
shortcode: "170077"
data_dir: data
carriers:
  mtel: {host: h, port: 1, system_id: s, password: p, number_ranges: ["35988"]}
  telenor: {host: h, port: 1, system_id: s, password: p}
"""
HEADER = "customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status\n"
FEED = (
    HEADER
    + """\
300000000001,B1,2026-11-20,2026-12-10,2026-12-20,45.20,EUR,open
300000000001,B0,2026-10-20,2026-11-10,,-0.05,EUR,paid
300000000002,,,,,,,
"""
)
TIME = "2026-11-22T10:00"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a configuration that is found by its variable."""
    (tmp_path / "smsgw.yaml").write_text(CONFIGURATION)
    (tmp_path / "feed.csv").write_text(FEED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSGW_CONFIG", "smsgw.yaml")
    return tmp_path


def smsgw(*args: str) -> Result:
    return CliRunner().invoke(app, list(args))


def take(file: str = "feed.csv", *options: str, as_of: str = TIME) -> Result:
    return smsgw("billing", "import", file, "--as-of", as_of, *options)


def test_import(folder: Path) -> None:
    result = take()
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == ("feed.csv: snapshot of 2026-11-22 10:00 EET: 2 customers; 2 bills\n")


CODED = HEADER.replace("\n", ",code\n") + "300000000001,B1,,,,45.20,EUR,open,{}\n"


@pytest.mark.parametrize(
    ("feed", "required", "warned"),
    [
        pytest.param(CODED.format("XK42B7"), "true", False, id="codes"),
        pytest.param(CODED.format(""), "true", True, id="an empty column"),
        pytest.param(FEED, "true", True, id="no column"),
        pytest.param(FEED, "false", False, id="none required"),
        pytest.param(f"{HEADER}300000000001,,,,,,,\n", "true", False, id="no bills"),
    ],
)
def test_feeds_without_the_codes_that_are_required(
    folder: Path, feed: str, required: str, warned: bool
) -> None:
    (folder / "smsgw.yaml").write_text(
        f"{CONFIGURATION}subscriptions: {{require_code: {required}}}\n"
    )
    (folder / "feed.csv").write_text(feed)
    result = take()
    assert result.exit_code == 0
    assert ("bills have no code" in result.stderr) is warned


def test_codes_are_kept_by_the_key_that_is_configured(folder: Path) -> None:
    (folder / "smsgw.yaml").write_text(f"{CONFIGURATION}secret: {{env: OUR_KEY}}\n")
    (folder / "feed.csv").write_text(CODED.format("xk42b7"))
    result = CliRunner(env={"OUR_KEY": "key"}).invoke(app, ["billing", "import", "feed.csv"])
    assert result.exit_code == 0
    with closing(sqlite3.connect(folder / "data" / "billing-1.db")) as cache:
        (code,) = cache.execute("SELECT code FROM bill").fetchone()
    assert code == Keyed(b"key").code("300000000001", "XK42B7")


def test_a_wrong_code_is_not_repeated(folder: Path) -> None:
    (folder / "feed.csv").write_text(CODED.format("XK42B77"))
    result = take()
    assert result.exit_code == 1
    assert result.stderr.startswith("feed.csv:2: code: is not six Latin letters or digits")
    assert "XK42" not in result.output


def test_import_again(folder: Path) -> None:
    take()
    result = take()
    assert result.stdout == (
        "feed.csv: snapshot of 2026-11-22 10:00 EET: 2 customers, before 2; 2 bills\n"
    )


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("changes.csv", ["--delta"], id="by the option"),
        pytest.param("changes.delta.csv", [], id="by the name"),
    ],
)
def test_import_a_delta(folder: Path, name: str, options: list[str]) -> None:
    take()
    (folder / name).write_text(HEADER + "300000000003,,,,,,,\n")
    result = take(name, *options)
    assert (result.exit_code, result.stdout) == (
        0,
        f"{name}: delta of 2026-11-22 10:00 EET: 3 customers, before 2; 2 bills\n",
    )


def test_import_makes_pending_registrations_active(folder: Path) -> None:
    for phone in ("0888000001", "0898000002"):
        assert smsgw("subscribers", "add", phone, "300000000002").exit_code == 0
    assert take().stdout.splitlines()[1:] == [
        "pending registrations now active: 2; 1 phone told, 1 not (carrier not known, or not"
        " enabled)"
    ]
    with closing(open_gateway(folder / "data")) as con:
        assert con.execute("SELECT msisdn, carrier FROM mt").fetchall() == [
            ("359888000001", "mtel"),  # it is active
            ("359888000001", "mtel"),  # and so is another phone of its number
        ]


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-07-01T06:30", "2026-07-01 06:30 EEST"),
        ("2026-07-01T06:30Z", "2026-07-01 09:30 EEST"),
        ("2026-07-01T06:30+02:00", "2026-07-01 07:30 EEST"),
        ("2026-12-01", "2026-12-01 00:00 EET"),
    ],
)
def test_as_of(folder: Path, written: str, moment: str) -> None:
    assert f"snapshot of {moment}:" in take(as_of=written).stdout


def test_a_time_that_is_still_to_come(folder: Path) -> None:
    result = take(as_of="2998-01-01")
    assert result.exit_code == 0
    assert result.stderr == (
        "feed.csv: warning: it tells of 2998-01-01 00:00 EET, which is still to come;"
        " --as-of TIME says it rightly\n"
    )
    assert json.loads(smsgw("billing", "status", "--json").stdout)["stale"] is False
    assert "of a time that is still to come" in smsgw("billing", "status").stdout


def test_a_time_before_that_of_the_cache(folder: Path) -> None:
    take(as_of="2026-07-02T06:30")
    result = take(as_of="2026-07-01T06:30")
    assert result.exit_code == 0
    assert result.stderr == (
        "feed.csv: warning: it tells of 2026-07-01 06:30 EEST, and the cache told of"
        " 2026-07-02 06:30 EEST already; --as-of TIME says it rightly\n"
    )


def test_wrong_lines(folder: Path) -> None:
    take()
    (folder / "bad.csv").write_text(FEED.replace("45.20", "x").replace("paid", "y"))
    result = take("bad.csv")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "bad.csv:2: amount: 'x' is not an amount as in 45.20\n"
        "bad.csv:3: status: 'y' is none of open, paid, cancelled\n"
        "bad.csv: nothing was taken\n"
    )
    assert smsgw("billing", "show", "300000000001").exit_code == 0


def test_very_many_wrong_lines(folder: Path) -> None:
    (folder / "bad.csv").write_text(HEADER + "x\n" * 25)
    lines = take("bad.csv").stderr.splitlines()
    assert lines[19:] == [
        "bad.csv:21: 1 fields instead of 8",
        "bad.csv: and 5 more",
        "bad.csv: nothing was taken",
    ]


@pytest.mark.parametrize(
    ("args", "code", "error"),
    [
        pytest.param(
            ["none.csv"], 1, "none.csv: can't be read: No such file or directory", id="no file"
        ),
        pytest.param(["."], 1, ".: can't be read: Is a directory", id="a folder"),
        pytest.param(
            ["feed.csv", "--delta"],
            1,
            "feed.csv: there is no cache that could be changed; import a whole feed first",
            id="a delta to nothing",
        ),
        pytest.param(["feed.csv", "--as-of", "noon"], 2, "'noon' is not a time", id="no time"),
        pytest.param(
            ["feed.csv", "--as-of", "0001-01-01"], 2, "is not a time", id="no zone has it"
        ),
        pytest.param(["feed.csv", "--as-of", "9999-12-31"], 2, "is not a time", id="nor that"),
        pytest.param([], 2, "Missing argument 'FILE'", id="no argument"),
    ],
)
def test_refused(folder: Path, args: list[str], code: int, error: str) -> None:
    result = smsgw("billing", "import", *args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert error in result.stderr


def test_what_may_not_be_read_is_no_wrong_command_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # what the command line goes by
    (folder / "s.csv").write_text("msisdn,customer_number\n")
    for command in ("check -c smsgw.yaml", "billing import feed.csv", "subscribers import s.csv"):
        result = smsgw(*command.split())
        assert (result.exit_code, "not readable" in result.output) == (0, False), command


def test_one_that_shrinks_can_be_forced(folder: Path) -> None:
    take()
    (folder / "small.csv").write_text(HEADER + "300000000002,,,,,,,\n")
    refused = take("small.csv")
    assert refused.exit_code == 1
    assert "billing.max_shrink is 10%; --force takes it all the same" in refused.stderr
    assert take("small.csv", "--force").exit_code == 0


def test_two_at_once(folder: Path) -> None:
    with hold(folder / "data", "import"):
        result = take()
    assert result.exit_code == 1
    assert result.stderr == (
        f"{folder / 'data'} is in use by another smsgw import (process {os.getpid()}): wait until"
        " it has ended, smsgw billing status shows it\n"
    )


def test_a_busy_database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsgw.storage.database.BUSY_TIMEOUT", 0.0)
    with closing(open_gateway(folder / "data")) as con:
        con.execute("BEGIN IMMEDIATE")
        result = take()
    assert (result.exit_code, result.stdout) == (1, "")
    assert "database is locked; it is safe to try again" in result.stderr


def test_a_database_that_fails(folder: Path) -> None:
    with closing(open_gateway(folder / "data")) as con:
        con.execute("DROP TABLE snapshot")
    data = folder / "data"
    assert take().stderr == (
        f"{data}: the database failed: no such table: main.snapshot; it is safe to try again\n"
    )
    result = smsgw("billing", "show", "300000000001")
    assert result.stderr == f"{data}: the database failed: no such table: main.snapshot\n"


def test_a_damaged_database(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "gateway.db").write_bytes(b"not a database" * 100)
    for result in (take(), smsgw("billing", "show", "300000000001")):
        assert result.exit_code == 1
        assert result.stderr.endswith(
            "gateway.db: file is not a database; put a backup in its place\n"
        )


def test_show_json(folder: Path) -> None:
    take()
    result = smsgw("billing", "show", "3000 0000 0001", "--json")
    assert json.loads(result.stdout) == {
        "customer_number": "300000000001",
        "as_of": "2026-11-22T10:00:00+02:00",
        "bills": [
            {
                "bill_number": "B0",
                "issued_on": "2026-10-20",
                "due_on": "2026-11-10",
                "cut_off_on": None,
                "amount": "-0.05",
                "currency": "EUR",
                "status": "paid",
            },
            {
                "bill_number": "B1",
                "issued_on": "2026-11-20",
                "due_on": "2026-12-10",
                "cut_off_on": "2026-12-20",
                "amount": "45.20",
                "currency": "EUR",
                "status": "open",
            },
        ],
    }


def test_show(folder: Path) -> None:
    take()
    lines = smsgw("billing", "show", "300000000001").stdout.splitlines()
    assert lines[0] == "300000000001, as of 2026-11-22 10:00 EET: 2 bills"
    rows = [line.split() for line in lines if "EUR" in line]
    assert rows == [
        ["B0", "2026-10-20", "2026-11-10", "-0.05", "EUR", "paid"],
        ["B1", "2026-11-20", "2026-12-10", "2026-12-20", "45.20", "EUR", "open"],
    ]


def test_show_nothing_open(folder: Path) -> None:
    take()
    result = smsgw("billing", "show", "300000000002")
    assert result.stdout == "300000000002, as of 2026-11-22 10:00 EET: 0 bills\n"


def test_show_what_is_not_there(folder: Path) -> None:
    result = smsgw("billing", "show", "300000000003")
    assert (result.exit_code, result.stderr) == (
        1,
        "there is no billing cache yet; make it by smsgw billing import FILE\n",
    )
    assert not (folder / "data").exists()
    take()
    result = smsgw("billing", "show", "300000000003")
    assert (result.exit_code, result.stderr) == (
        1,
        "the billing cache of 2026-11-22 10:00 EET does not know 300000000003\n",
    )
    assert smsgw("billing", "show", "30000000000").exit_code == 2


def test_a_daemon_in_the_middle_of_its_work_can_read_on(folder: Path) -> None:
    take()
    with closing(sqlite3.connect(folder / "data" / "billing-1.db")) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM customer").fetchone() == (2,)
        (folder / "c.delta.csv").write_text(HEADER + "300000000003,,,,,,,\n")
        assert take("c.delta.csv").exit_code == 0
        assert reader.execute("SELECT count(*) FROM customer").fetchone() == (2,)


def test_a_data_dir_that_can_not_be_made(folder: Path) -> None:
    (folder / "smsgw.yaml").write_text(
        CONFIGURATION.replace("data_dir: data", "data_dir: feed.csv/data")
    )
    result = CliRunner().invoke(app, ["billing", "import", "feed.csv"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"data_dir {folder}/feed.csv/data can't be made: Not a directory;"
        " create it or change data_dir\n"
    )


def test_a_cache_that_cannot_be_read_says_what_makes_another(folder: Path) -> None:
    take()
    assert smsgw("subscribers", "add", "0888000001", "300000000001").exit_code == 0
    (folder / "data" / "billing-1.db").write_bytes(b"x" * 5000)
    needy = (
        ["billing", "status"],
        ["billing", "show", "300000000001"],
        ["subscribers", "add", "0888000002", "300000000001"],
    )
    for command in needy:
        result = smsgw(*command)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == (
            f"{folder / 'data' / 'billing-1.db'}: file is not a database; a whole feed makes a new"
            " one: smsgw billing import FILE\n"
        )
    for words in ("show 0888000001", "list", "export", "move 0888000001 telenor", "end 0888000001"):
        assert smsgw("subscribers", *words.split()).exit_code == 0, words
    assert take().exit_code == 0
    assert smsgw("billing", "show", "300000000001").exit_code == 0


def test_status_before_any_feed(folder: Path) -> None:
    assert smsgw("billing", "status").stdout == "no billing feed was ever taken\n"
    assert json.loads(smsgw("billing", "status", "--json").stdout) == {
        "cache": None,
        "as_of": None,
        "age_seconds": None,
        "stale": True,
        "customers": 0,
        "bills": 0,
        "feeds": [],
        "importing": None,
        "feed_dir": None,
    }


def test_status(folder: Path) -> None:
    (folder / "smsgw.yaml").write_text(CONFIGURATION + "billing: {feed_dir: feeds, max_age: 0}\n")
    take()
    (folder / "c.delta.csv").write_text(HEADER + "300000000003,,,,,,,\n")
    take("c.delta.csv", as_of="2026-11-22T12:00")
    missing = smsgw("billing", "status").stdout
    assert f"{folder}/feeds: can't be read: No such file or directory" in missing
    (folder / "feeds" / "refused").mkdir(parents=True)
    (folder / "feeds" / "b.csv").touch()
    (folder / "feeds" / "refused" / "a.csv.report.json").write_text(
        json.dumps({"file": "a.csv", "verdict": "refused", "reason": "1 line is wrong"})
    )
    with hold(folder / "data", "import"):
        lines = smsgw("billing", "status").stdout.splitlines()
        found = json.loads(smsgw("billing", "status", "--json").stdout)
    assert lines[0] == "billing-1.db: 3 customers; 2 bills"
    assert lines[1].startswith("as of 2026-11-22 12:00 EET: ")
    assert [line.split()[-4:] for line in lines if "EET  " in line] == [
        ["delta", "c.delta.csv", "3", "2"],
        ["snapshot", "feed.csv", "2", "2"],
    ]
    assert lines[-2] == f"an import is under way: process {os.getpid()}"
    assert lines[-1] == (f"{folder}/feeds: b.csv waits; last, a.csv was refused: 1 line is wrong")
    assert (found["cache"], found["as_of"]) == ("billing-1.db", "2026-11-22T12:00:00+02:00")
    assert (found["customers"], found["bills"], found["stale"]) == (3, 2, False)
    assert found["importing"] == str(os.getpid())
    assert [feed["file"] for feed in found["feeds"]] == ["c.delta.csv", "feed.csv"]
    assert found["feed_dir"]["waiting"] == ["b.csv"]


def test_status_has_the_wrong_lines_of_the_last_feed(folder: Path) -> None:
    (folder / "smsgw.yaml").write_text(CONFIGURATION + "billing: {feed_dir: feeds}\n")
    feeds = folder / "feeds"
    feeds.mkdir()
    bad = feeds / "bad.csv"
    bad.write_text(FEED.replace("45.20", "x").replace("paid", "y"))
    feed_worker.take(bad, folder / "data", 0.1, None, lambda _: None)
    assert smsgw("billing", "status").stdout.splitlines()[-3:] == [
        f"{feeds}: nothing waits; last, bad.csv was refused: 2 lines are wrong",
        f"{feeds}/refused/bad.csv:2: amount: 'x' is not an amount as in 45.20",
        f"{feeds}/refused/bad.csv:3: status: 'y' is none of open, paid, cancelled",
    ]


def test_status_of_a_cache_that_is_old(folder: Path) -> None:
    take(as_of="2020-01-01T00:00")
    assert "h old, and billing.max_age is 36h" in smsgw("billing", "status").stdout
    assert json.loads(smsgw("billing", "status", "--json").stdout)["stale"] is True


def test_export_is_a_feed(folder: Path) -> None:
    none = smsgw("billing", "export")
    assert (none.exit_code, none.stdout) == (1, "")
    assert "smsgw billing import FILE" in none.stderr
    odd = '300000000003,"a, ""b""",,,,0.10,EUR,cancelled\n'
    (folder / "feed.csv").write_text(FEED + odd)
    smsgw("billing", "import", "feed.csv", "--as-of", TIME)
    exported = smsgw("billing", "export")
    lines = exported.stdout.splitlines(keepends=True)
    assert lines[0] == HEADER
    assert sorted(lines[1:]) == sorted((FEED + odd).splitlines(keepends=True)[1:])
    assert lines[1].startswith("300000000001,B0,"), "by customer and bill"
    (folder / "again.csv").write_text(exported.stdout)
    smsgw("billing", "import", "again.csv", "--as-of", TIME)
    assert smsgw("billing", "export").stdout == exported.stdout

"""`smsgw subscribers`: what it prints, where, and how it ends."""

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from smsgw.cli.main import app
from smsgw.storage.database import open_gateway

CONFIGURATION = """\
shortcode: "170077"
data_dir: data
subscriptions: {numbers_per_phone: 2}
carriers:
  mtel: {host: h, port: 1, system_id: s, password: p, number_ranges: ["35988"]}
  telenor: {host: h, port: 1, system_id: s, password: p}
  vivacom: {host: h, port: 1, system_id: s, password: p, enabled: false}
"""
FEED = """\
customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status
300000000001,,,,,,,
"""
HOME, OTHER = "300000000001", "300000000009"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a configuration and a cache that knows one customer."""
    (tmp_path / "smsgw.yaml").write_text(CONFIGURATION)
    (tmp_path / "feed.csv").write_text(FEED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSGW_CONFIG", "smsgw.yaml")
    assert CliRunner().invoke(app, ["billing", "import", "feed.csv"]).exit_code == 0
    return tmp_path


def smsgw(*args: str) -> Result:
    return CliRunner().invoke(app, ["subscribers", *args])


def listed() -> list[dict[str, str | None]]:
    found: list[dict[str, str | None]] = json.loads(smsgw("list", "--json").stdout)
    return found


def told(folder: Path) -> list[tuple[str, str]]:
    with closing(open_gateway(folder / "data")) as con:
        return con.execute("SELECT msisdn, carrier FROM mt").fetchall()


def test_add(folder: Path) -> None:
    result = smsgw("add", "0888 123 456", HOME)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (f"359888123456 is registered for {HOME}: active, carrier mtel, told\n")
    assert told(folder) == [("359888123456", "mtel")]
    (record,) = listed()
    requested_at = record.pop("requested_at") or ""
    assert record.pop("activated_at") == requested_at
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0[23]:00", requested_at)
    assert record == {
        "msisdn": "359888123456",
        "customer_number": HOME,
        "state": "active",
        "carrier": "mtel",
        "script": "latin",
        "channel": "centre",
        "ended_at": None,
        "suspect_at": None,
    }


def test_add_with_all_options(folder: Path) -> None:
    result = smsgw(
        "add", "+359888123456", OTHER, "--carrier", "telenor", "--script", "cyrillic",
        "--channel", "easypay",
    )  # fmt: skip
    assert result.stdout == (
        f"359888123456 is registered for {OTHER}: pending until a feed knows that number,"
        " carrier telenor\n"
    )
    (record,) = listed()
    assert (record["script"], record["channel"]) == ("cyrillic", "easypay")


def test_add_without_a_carrier(folder: Path) -> None:
    result = smsgw("add", "0898123456", HOME)
    assert result.stdout == (
        f"359898123456 is registered for {HOME}: active, carrier not known yet, so it is not told\n"
    )
    assert told(folder) == []


def test_add_again(folder: Path) -> None:
    smsgw("add", "0888123456", HOME)
    result = smsgw("add", "0888123456", HOME, "--carrier", "telenor")
    assert (result.exit_code, result.stdout) == (
        0,
        f"359888123456 was already registered for {HOME}: active, carrier telenor;"
        " carrier changed to telenor\n",
    )
    assert smsgw("add", "0888123456", HOME, "--script", "cyrillic").stdout.endswith(
        "; script changed to cyrillic\n"
    )
    assert smsgw("add", "0888123456", HOME, "--script", "cyrillic").stdout == (
        f"359888123456 was already registered for {HOME}: active, carrier telenor\n"
    )
    (record,) = listed()
    assert (record["carrier"], record["script"]) == ("telenor", "cyrillic")
    assert len(told(folder)) == 1


def test_add_over_a_carrier_that_is_not_enabled(folder: Path) -> None:
    result = smsgw("add", "0888123456", HOME, "--carrier", "vivacom")
    assert (result.exit_code, result.stdout) == (
        0,
        f"359888123456 is registered for {HOME}: active, carrier vivacom, which is not enabled,"
        " so it is not told\n",
    )
    assert told(folder) == []


def test_add_past_a_bound(folder: Path) -> None:
    for number in (HOME, OTHER):
        smsgw("add", "0888123456", number)
    result = smsgw("add", "0888123456", "300000000008")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "not registered: 359888123456 is registered for 2 customer numbers, and"
        " subscriptions.numbers_per_phone is 2\n"
    )


@pytest.mark.parametrize(
    ("args", "error"),
    [
        pytest.param(["add", "12", HOME], "'12' is not a phone number", id="phone"),
        pytest.param(["add", "35988812345", HOME], "is not a phone number", id="a digit missing"),
        pytest.param(["add", "029876543", HOME], "is not a mobile number", id="a landline"),
        pytest.param(["add", "0888123456", "12"], "'12' is not a customer number", id="number"),
        pytest.param(
            ["add", "0888123456", HOME, "--carrier", "a1"],
            "there is no carrier 'a1'; there are mtel, telenor, vivacom",
            id="carrier",
        ),
        pytest.param(
            ["add", "0888123456", HOME, "--script", "x"],
            "'--script': 'x' is none of latin, cyrillic",
            id="script",
        ),
        pytest.param(
            ["add", "0888123456", HOME, "--channel", "fax"],
            "'--channel': 'fax' is none of sms, web, centre, easypay, api, import",
            id="no channel",
        ),
        pytest.param(["add", "0888123456"], "Missing argument 'NUMBER'", id="too few"),
        pytest.param(["end", "0888123456", ""], "'' is not a customer number", id="an empty one"),
        pytest.param(["show", "12"], "'12' is neither a phone number nor", id="show"),
    ],
)
def test_a_wrong_command_line(folder: Path, args: list[str], error: str) -> None:
    result = smsgw(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert error in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("args", "printed", "left"),
    [
        pytest.param([HOME], "359888123456: 1 ended\n", [OTHER], id="one"),
        pytest.param([], "359888123456: 2 ended\n", [], id="all"),
    ],
)
def test_end(folder: Path, args: list[str], printed: str, left: list[str]) -> None:
    for number in (HOME, OTHER):
        smsgw("add", "0888123456", number)
    result = smsgw("end", "0888123456", *args)
    assert (result.exit_code, result.stdout) == (0, printed)
    assert [record["customer_number"] for record in listed()] == left


def test_end_what_is_not_there(folder: Path) -> None:
    result = smsgw("end", "0888123456", HOME)
    assert (result.exit_code, result.stderr) == (
        1,
        f"359888123456 is not registered for {HOME}\n",
    )
    assert smsgw("end", "0888123456").stderr == "359888123456 is not registered\n"


def test_a_landline_that_wrote_is_found_and_ended(folder: Path) -> None:
    with closing(open_gateway(folder / "data")) as con:
        con.execute(
            "INSERT INTO subscription (msisdn, customer_number, state, carrier, script, channel,"
            " notify, requested_at) VALUES ('35929876543', ?, 'active', 'mtel', 'latin', 'sms',"
            " 0, 0)",
            (HOME,),
        )
    (shown,) = json.loads(smsgw("show", "029876543", "--json").stdout)
    assert shown["msisdn"] == "35929876543"
    assert smsgw("end", "35929876543").stdout == "35929876543: 1 ended\n"


def test_show_a_phone_has_its_past(folder: Path) -> None:
    smsgw("add", "0888123456", HOME)
    smsgw("end", "0888123456")
    smsgw("add", "0888123456", HOME)
    states = [one["state"] for one in json.loads(smsgw("show", "0888123456", "--json").stdout)]
    assert states == ["ended", "active"]
    assert [one["state"] for one in json.loads(smsgw("show", HOME, "--json").stdout)] == ["active"]


def test_show_a_number_that_may_be_either(folder: Path) -> None:
    smsgw("add", "0888123456", HOME)
    (folder / "more.csv").write_text("msisdn,customer_number\n359888000001,359888123456\n")
    smsgw("import", "more.csv")
    shown = json.loads(smsgw("show", "359888123456", "--json").stdout)
    assert [(one["msisdn"], one["customer_number"]) for one in shown] == [
        ("359888123456", HOME),
        ("359888000001", "359888123456"),
    ]


def test_show_and_list_as_tables(folder: Path) -> None:
    smsgw("add", "0888123456", HOME)
    for args in (["show", "0888123456"], ["list"]):
        header, row = smsgw(*args).stdout.splitlines()
        assert header.split()[:4] == ["msisdn", "customer", "state", "carrier"]
        assert row.split()[:6] == ["359888123456", HOME, "active", "mtel", "latin", "centre"]


def test_those_whose_carrier_is_in_doubt(folder: Path) -> None:
    smsgw("add", "0888123456", HOME)
    smsgw("add", "0888123457", HOME)
    assert json.loads(smsgw("list", "--suspect", "--json").stdout) == []
    with closing(open_gateway(folder / "data")) as con:
        con.execute("UPDATE subscription SET suspect_at = 1.8e9 WHERE msisdn = '359888123456'")
    since = "2027-01-15T10:00:00+02:00"
    (record,) = json.loads(smsgw("list", "--suspect", "--json").stdout)
    assert (record["msisdn"], record["suspect_at"]) == ("359888123456", since)
    _, row = smsgw("list", "--suspect").stdout.splitlines()
    assert row.endswith("2027-01-15 10:00")
    shown = json.loads(smsgw("show", HOME, "--json").stdout)
    assert [record["suspect_at"] for record in shown] == [since, None]

    result = smsgw("move", "0888123456", "mtel")
    assert result.stdout == "359888123456: 0 moved to mtel, 1 there already\n"
    assert json.loads(smsgw("list", "--suspect", "--json").stdout) == []


def test_show_nothing(folder: Path) -> None:
    result = smsgw("show", "0888123456")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "0888123456: no registrations\n"
    assert smsgw("show", "0888123456", "--json").stdout == "[]\n"
    assert smsgw("list", "--json").stdout == "[]\n"


def test_reading_makes_no_database(folder: Path) -> None:
    (folder / "smsgw.yaml").write_text(CONFIGURATION.replace("data_dir: data", "data_dir: none"))
    assert smsgw("list", "--json").stdout == "[]\n"
    assert smsgw("show", HOME, "--json").stdout == "[]\n"
    assert not (folder / "none").exists()


@pytest.mark.parametrize(
    ("command", "trouble"),
    [
        ("list", "read: it is a file; change data_dir"),
        ("list --json", "read: it is a file; change data_dir"),
        (f"show {HOME}", "read: it is a file; change data_dir"),
        (f"add 0888123456 {HOME}", "made: it is a file; create it or change data_dir"),
        ("end 0888123456", "made: it is a file; create it or change data_dir"),
        ("import feed.csv", "made: it is a file; create it or change data_dir"),
    ],
)
def test_a_data_dir_that_is_a_file(folder: Path, command: str, trouble: str) -> None:
    (folder / "smsgw.yaml").write_text(CONFIGURATION.replace("data_dir: data", "data_dir: s.csv"))
    (folder / "s.csv").touch()
    result = smsgw(*command.split())
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"data_dir {folder / 's.csv'} can't be {trouble}\n"


def test_import(folder: Path) -> None:
    (folder / "s.csv").write_text(
        "msisdn,customer_number,carrier\n"
        f"359888000001,{HOME},mtel\n0888 000 002,{HOME},\n359888000003,{OTHER},telenor\n"
    )
    result = smsgw("import", "s.csv")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "s.csv: 2 new and active, 1 new and pending, 0 changed, 0 as they were; 0 phones told\n"
    )
    assert {record["channel"] for record in listed()} == {"import"}
    assert told(folder) == []
    assert smsgw("import", "s.csv", "--notify").stdout == (
        "s.csv: 0 new and active, 0 new and pending, 0 changed, 3 as they were; 0 phones told\n"
    )


def test_import_and_tell(folder: Path) -> None:
    (folder / "s.csv").write_text(f"msisdn,customer_number\n359888000001,{HOME}\n")
    assert "; 1 phone told\n" in smsgw("import", "s.csv", "--notify").stdout
    assert told(folder) == [("359888000001", "mtel")]


def test_import_again_after_a_feed_that_came_while_it_was_killed(folder: Path) -> None:
    """Its rows were pending by the old cache, and nobody has looked at them since."""
    file = folder / "subscribers.csv"
    file.write_text(f"msisdn,customer_number\n0888123456,{HOME}\n")
    assert smsgw("import", "subscribers.csv").exit_code == 0
    with closing(open_gateway(folder / "data")) as con:
        con.execute("UPDATE subscription SET state = 'pending', activated_at = NULL")
    assert smsgw("import", "subscribers.csv").exit_code == 0
    assert [record["state"] for record in listed()] == ["active"]


def test_a_clerk_ends_and_moves_also_while_the_cache_is_damaged(folder: Path) -> None:
    assert smsgw("add", "0888123456", HOME).exit_code == 0
    (folder / "data" / "billing-1.db").write_bytes(b"no database" * 100)
    for args in (("move", "0888123456", "telenor"), ("end", "0888123456")):
        result = smsgw(*args)
        assert (result.exit_code, result.stderr) == (0, "")


def test_import_says_who_is_not_told(folder: Path) -> None:
    (folder / "s.csv").write_text(
        "msisdn,customer_number,carrier\n"
        f"359888000001,{HOME},mtel\n359888000002,{HOME},vivacom\n359898000003,{HOME},\n"
    )
    assert smsgw("import", "s.csv", "--notify").stdout.endswith(
        "; 1 phone told, 2 not (carrier not known, or not enabled)\n"
    )
    assert told(folder) == [("359888000001", "mtel")]


def test_import_wrong_lines(folder: Path) -> None:
    (folder / "s.csv").write_text(f"msisdn,customer_number\n1,{HOME}\n359888000001,{HOME}\n2,3\n")
    result = smsgw("import", "s.csv")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "s.csv:2: msisdn: '1' is not a Bulgarian mobile number\n"
        "s.csv:4: msisdn: '2' is not a Bulgarian mobile number;"
        " customer_number: '3' is not 12 digits\n"
        "s.csv: nothing was taken\n"
    )
    assert listed() == []


@pytest.mark.parametrize(
    ("file", "error"),
    [
        pytest.param("none.csv", "none.csv: there is no such file\n", id="no file"),
        pytest.param(".", ".: is no ordinary file\n", id="a folder"),
    ],
)
def test_import_nothing(folder: Path, file: str, error: str) -> None:
    result = smsgw("import", file)
    assert (result.exit_code, result.stderr) == (1, error)


def test_import_what_can_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "s.csv").touch()
    opened = Path.open

    def refused(path: Path, *how: str, **more: Any) -> Any:
        if path.name == "s.csv":
            raise PermissionError(13, "Permission denied")
        return opened(path, *how, **more)

    monkeypatch.setattr(Path, "open", refused)
    result = smsgw("import", "s.csv")
    assert (result.exit_code, result.stderr) == (1, "s.csv: can't be read: Permission denied\n")


def test_move(folder: Path) -> None:
    smsgw("add", "0888123456", HOME)
    smsgw("add", "0888123456", OTHER, "--carrier", "telenor")
    result = smsgw("move", "0888123456", "telenor")
    assert (result.exit_code, result.stdout) == (
        0,
        "359888123456: 1 moved to telenor, 1 there already\n",
    )
    assert {record["carrier"] for record in listed()} == {"telenor"}


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        pytest.param(["0888123456", "mtel"], 1, "359888123456 is not registered", id="nobody"),
        pytest.param(["0888123456", "a1"], 2, "there is no carrier 'a1'", id="no carrier"),
        pytest.param(["12", "mtel"], 2, "Invalid value for MSISDN", id="no phone"),
    ],
)
def test_who_can_not_be_moved(folder: Path, args: list[str], status: int, words: str) -> None:
    result = smsgw("move", *args)
    assert (result.exit_code, result.stdout) == (status, "")
    assert words in result.stderr


def test_what_is_exported_is_taken_again(folder: Path) -> None:
    smsgw("add", "0888123456", HOME, "--script", "cyrillic")
    smsgw("add", "0877123456", OTHER)
    exported = smsgw("export").stdout
    assert exported == (
        "msisdn,customer_number,carrier,script,channel,code\n"
        f"359888123456,{HOME},mtel,cyrillic,centre,\n"
        f"359877123456,{OTHER},,latin,centre,\n"
    )
    (folder / "again.csv").write_text(exported)
    smsgw("end", "0888123456")
    smsgw("end", "0877123456")
    assert smsgw("import", "again.csv").exit_code == 0
    assert {record["customer_number"]: record["script"] for record in listed()} == {
        HOME: "cyrillic",
        OTHER: "latin",
    }


def test_without_a_database_an_export_has_no_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "smsgw.yaml").write_text(CONFIGURATION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSGW_CONFIG", "smsgw.yaml")
    assert smsgw("export").stdout == "msisdn,customer_number,carrier,script,channel,code\n"

"""`smsgw report`, as whoever publishes the figures uses it."""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from smsgw import settings
from smsgw.cli.main import app
from smsgw.cli.report import SORTS
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
  mtel: {host: h, port: 1, system_id: s, password: p, price: 1.25}
  telenor: {host: h, port: 1, system_id: s, password: p, enabled: false, price: 2}
"""
AT = 1_800_000_000.0  # 2027-01-15 10:00:00 in Sofia
DAY = 24 * 3600.0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder; it is ten days after AT."""
    (tmp_path / "smsgw.yaml").write_text(CONFIGURATION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSGW_CONFIG", "smsgw.yaml")
    monkeypatch.setattr("smsgw.clock.SystemClock.now", lambda _: AT + 10 * DAY)
    return tmp_path


@pytest.fixture
def sent(folder: Path) -> Iterator[None]:
    """A notice over each carrier, and another one month before; two are in the history."""
    loaded = settings.load(folder / "smsgw.yaml")
    phone = Msisdn("359888123456")
    with closing(open_gateway(folder / "data")) as con:
        for carrier, at in (("mtel", AT - 31 * DAY), ("telenor", AT), ("mtel", AT)):
            with transaction(con):
                enqueue(con, [Mt(carrier, MessageKind.NOTICE, phone, "x", at)], {}, at)
        con.execute(
            "INSERT INTO notice_run (id, kind, day, state, automatic, made_at)"
            " VALUES (1, 'overdue', '2027-01-15', 'done', 0, 0)"
        )
        con.executemany(
            "INSERT INTO notice (run, customer_number, carrier, script, state, changed_at, mt_id)"
            " VALUES (1, '300012345678', 'mtel', 'latin', 'sent', 0, ?)",
            [(1,), (2,), (3,)],
        )
        con.execute("UPDATE segment SET state = 'delivered' WHERE mt_id < 3")
        books = derive.books(loaded, keyed(loaded.data_dir, None))
        assert history.move_outgoing(con, 0, AT + DAY, books).moved == 2
        yield


def report(*args: str) -> Result:
    return CliRunner().invoke(app, ["report", *args])


def told(*args: str) -> Any:
    done = report(*args, "--format", "json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.usefixtures("sent")
def test_json_of_a_period() -> None:
    found = told("--from", "2026-12-01", "--to", "2027-01-31")
    assert (found["from"], found["to"]) == ("2026-12-01", "2027-01-31")
    assert found["as_of"] == "2027-01-25T10:00:00+02:00"
    assert found["reminders"] == [
        {"month": "2026-12", "messages": 1, "overdue": 1, "disconnection": 0, "delivered": 1,
         "customer_numbers": 1},
        {"month": "2027-01", "messages": 2, "overdue": 2, "disconnection": 0, "delivered": 1,
         "customer_numbers": 1},
    ]  # fmt: skip
    assert [(one["carrier"], one["cost_eur"]) for one in found["carriers"]] == [
        ("mtel", 0.0125),
        ("telenor", 0.02),  # also of a carrier that is no longer enabled
    ]
    (kind,) = found["messages_by_kind"]
    assert (kind["kind"], kind["purpose"], kind["share"]) == ("notice", "overdue", 1.0)


@pytest.mark.usefixtures("sent")
def test_json_is_asked_for_as_everywhere() -> None:
    assert report("--json").stdout == report("--format", "json").stdout
    assert report("--json", "--format", "json").exit_code == 0


def test_without_the_key_of_what_was_counted_there_is_none(folder: Path, sent: None) -> None:
    """Customers who are counted and others who are not yet could not be told apart."""
    (folder / "data" / KEY_FILE).unlink()
    done = report()
    assert done.exit_code == 1
    assert "put secret.key back" in done.stderr


@pytest.mark.usefixtures("sent")
def test_csv_has_a_figure_a_line() -> None:
    found = list(csv.DictReader(io.StringIO(report("--format", "csv").stdout)))
    assert found[0].keys() == {"table", *SORTS, "figure", "value"}
    costs = [
        (one["month"], one["carrier"], one["value"])
        for one in found
        if one["table"] == "messages" and one["figure"] == "cost_eur"
    ]
    assert costs == [("2027-01", "mtel", "0.00000"), ("2027-01", "telenor", "0.02000")]


@pytest.mark.usefixtures("sent")
def test_tables_for_people() -> None:
    shown = report("--from", "2026-12-01").stdout
    assert "Reminders a month, 2026-12-01 to 2027-01-25:" in shown
    assert "100.0%" in shown
    assert "0.02 EUR" in shown


@pytest.mark.usefixtures("folder")
def test_where_nothing_is_stored_all_figures_are_none() -> None:
    found = told("--from", "2027-01-01", "--to", "2027-01-31")
    assert found["active_registrations"] == []
    assert found["bill_checks"] == [{"month": "2027-01", "messages": 0, "different_phones": 0}]


@pytest.mark.usefixtures("folder")
def test_without_dates_it_is_this_month_so_far() -> None:
    found = told()
    assert (found["from"], found["to"]) == ("2027-01-01", "2027-01-25")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "args",
    [
        ("--from", "31.01.2027"),
        ("--from", "2027-02-01", "--to", "2027-01-31"),
        ("--format", "xml"),
        ("--json", "--format", "csv"),
    ],
)
def test_what_is_no_period_is_refused(args: tuple[str, ...]) -> None:
    assert report(*args).exit_code == 2

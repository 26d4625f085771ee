"""The daemon in trouble: no place on the disk, a locked database, a second daemon, bad files."""

import json
import resource
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

CONFIG = """\
shortcode: "170077"
data_dir: {data_dir}
carriers:
  mtel: {{host: 127.0.0.1, port: {port}, system_id: cez, password: secret}}
http: {{listen: "127.0.0.1:0"}}
"""

RX_T_APPN = 0x64


@pytest.fixture
def carrier(simulate: Callable[..., Any]) -> Any:
    """A simulator that takes customers' messages on its stdin."""
    return simulate("--mo-file", "-", "--retry-interval", "0.2")


@pytest.fixture
def config(tmp_path: Path, carrier: Any) -> Path:
    path = tmp_path / "smsgw.yaml"
    port = carrier.wait_for("listening")["port"]
    path.write_text(CONFIG.format(data_dir=tmp_path / "data", port=port), encoding="utf-8")
    return path


def statuses(carrier: Any) -> list[int]:
    return [each["status"] for each in carrier.of("mo_answered")]


def storage_reasons(daemon: Any) -> list[str]:
    _, body = daemon.get("/readyz")
    return [
        each["reason"] for each in json.loads(body)["reasons"] if each["component"] == "storage"
    ]


def test_a_full_disk_is_said_and_survived(
    config: Path, carrier: Any, run: Callable[..., Any]
) -> None:
    daemon = run(config)
    carrier.tell("359888123456\thelp")
    carrier.wait_for("mt")

    # To SQLite a file that may not grow is a full disk.
    unlimited = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (8192, unlimited[1]))
    carrier.tell("359888123457\thelp")
    carrier.wait_for("mo_answered", 3)
    assert statuses(carrier)[1:3] == [RX_T_APPN, RX_T_APPN]
    assert storage_reasons(daemon)
    daemon.wait_for("storage.unavailable")

    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, unlimited)
    carrier.wait_for("mt", 2)
    daemon.wait_for("storage.recovered")
    assert statuses(carrier)[-1] == 0
    assert not storage_reasons(daemon)
    assert len(daemon.of("storage.unavailable")) == 1


def test_a_locked_database_is_said_and_survived(
    config: Path, carrier: Any, run: Callable[..., Any], tmp_path: Path
) -> None:
    daemon = run(config)
    carrier.wait_for("bound")
    with closing(sqlite3.connect(tmp_path / "data" / "gateway.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        carrier.tell("359888123457\thelp")
        carrier.wait_for("mo_answered")
        assert statuses(carrier) == [RX_T_APPN]
        assert storage_reasons(daemon) == ["database is locked"]
        other.execute("ROLLBACK")
    carrier.wait_for("mt")
    assert statuses(carrier)[-1] == 0


def test_a_second_daemon_is_refused(
    config: Path, carrier: Any, run: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    first = run(config)
    carrier.wait_for("bound")
    second = run(config)

    second.wait_for("daemon.refused")
    assert second.end() == 1
    reason = second.of("daemon.refused")[0]["reason"]
    assert f"process {first.process.pid}" in reason
    carrier.tell("359888123456\thelp")
    carrier.wait_for("mt")


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections: taken, and not listened on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_carrier_that_is_away_leaves_the_others_alone(
    config: Path, carrier: Any, run: Callable[..., Any], closed_port: int
) -> None:
    config.write_text(
        config.read_text(encoding="utf-8").replace(
            "http:",
            f"  away: {{host: 127.0.0.1, port: {closed_port}, system_id: cez, password: x}}\nhttp:",
        ),
        encoding="utf-8",
    )
    daemon = run(config)
    carrier.tell("359888123456\thelp")
    carrier.wait_for("mt")

    away = daemon.wait_for("link.unreachable")
    assert away["carrier"] == "away"
    assert "refused" in away["reason"]
    status, body = daemon.get("/readyz")
    assert status == 503
    assert [each["carrier"] for each in json.loads(body)["reasons"]] == ["away", None]
    assert daemon.get("/healthz")[0] == 200


def test_a_refused_bind_is_said_and_tried_again(
    config: Path, simulate: Callable[..., Any], run: Callable[..., Any]
) -> None:
    strict = simulate("--password", "other")
    port = strict.wait_for("listening")["port"]
    lines = config.read_text(encoding="utf-8").splitlines()
    lines[3] = f"  mtel: {{host: 127.0.0.1, port: {port}, system_id: cez, password: secret}}"
    config.write_text("\n".join(lines), encoding="utf-8")

    refused = run(config).wait_for("link.bind_refused")

    assert refused["level"] == "error"
    assert "ESME_RINVPASWD" in refused["reason"]
    assert refused["retry_in"] >= 60


def test_a_damaged_database_is_refused_in_one_line(
    config: Path, run: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "gateway.db").write_text("no database", encoding="ascii")
    daemon = run(config)

    assert daemon.end() == 1
    assert [each["event"] for each in daemon.events] == [
        "configuration.doubtful",
        "daemon.refused",
    ]
    assert "gateway.db: file is not a database" in daemon.events[1]["reason"]


def test_a_data_dir_that_is_a_file_is_refused_in_one_line(
    config: Path, run: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "data").touch()
    daemon = run(config)

    assert daemon.end() == 1
    assert [each["event"] for each in daemon.events] == [
        "configuration.doubtful",
        "daemon.refused",
    ]
    assert daemon.events[1]["reason"] == (
        f"data_dir {tmp_path}/data can't be made: it is a file; create it or change data_dir"
    )

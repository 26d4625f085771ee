"""A carrier out for maintenance and back, by the real commands at a real daemon."""

import json
import stat
import subprocess
import sys
from collections.abc import Callable
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


@pytest.fixture
def carrier(simulate: Callable[..., Any]) -> Any:
    return simulate("--mo-file", "-")


@pytest.fixture
def config(tmp_path: Path, carrier: Any) -> Path:
    path = tmp_path / "smsgw.yaml"
    port = carrier.wait_for("listening")["port"]
    path.write_text(CONFIG.format(data_dir=tmp_path / "data", port=port), encoding="utf-8")
    return path


def carriers(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "smsgw", "-c", str(config), "carriers", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def link_reasons(daemon: Any) -> list[str]:
    _, body = daemon.get("/readyz")
    return [each["reason"] for each in json.loads(body)["reasons"] if each["component"] == "links"]


def test_a_carrier_is_drained_and_resumed(
    config: Path, carrier: Any, run: Callable[..., Any], tmp_path: Path
) -> None:
    daemon = run(config)
    carrier.tell("359888123456\thelp")
    carrier.wait_for("mt")

    drained = carriers(config, "drain", "mtel")

    assert (drained.returncode, drained.stdout, drained.stderr) == (0, "mtel is drained\n", "")
    assert carrier.wait_for("session_ended")["reason"] == "unbound by the peer"
    (state,) = json.loads(carriers(config, "--json").stdout)
    assert (state["id"], state["status"], state["sessions"]) == ("mtel", "drained", 0)
    assert not link_reasons(daemon)
    assert carriers(config, "drain", "mtel").returncode == 0

    carrier.tell("359888123457\thelp")
    assert carriers(config, "resume", "mtel").returncode == 0
    carrier.wait_for("mt", 2)
    assert len(carrier.of("bound")) == 2

    socket = tmp_path / "data" / "control.sock"
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert daemon.terminate() == 0
    assert not socket.exists()
    gone = carriers(config)
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr == f"no daemon runs on {tmp_path / 'data'}: start it with `smsgw run`\n"


def test_a_daemon_that_was_killed_leaves_nothing_in_the_way(
    config: Path, carrier: Any, run: Callable[..., Any], tmp_path: Path
) -> None:
    killed = run(config)
    carrier.wait_for("bound")
    assert carriers(config, "drain", "mtel").returncode == 0
    killed.kill()
    assert (tmp_path / "data" / "control.sock").exists()
    assert "no daemon runs" in carriers(config).stderr

    run(config)

    carrier.wait_for("bound", 2)  # drained it was until then
    assert carriers(config).returncode == 0

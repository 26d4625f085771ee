"""kill -9 at any step of making a run: what is left goes nowhere, and the next run is whole."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

KILLED = Path(__file__).with_name("killed_runs.py")
PATIENCE = 120


@pytest.mark.parametrize(
    "stride", [7, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "each"]
)
def test_killed_before_a_step(world: Any, tmp_path: Path, stride: int) -> None:
    world.customers(8)
    world.con.execute("PRAGMA main.wal_checkpoint(TRUNCATE)")
    base = tmp_path / "killed" / "base"
    shutil.copytree(world.folder, base, ignore=shutil.ignore_patterns("killed"))
    found = subprocess.run(
        [sys.executable, KILLED, base.parent, str(stride)],
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    results = [json.loads(line) for line in found.stdout.splitlines()]
    assert len(results) > 40 / stride
    assert {tuple(result["left"]) for result in results} == {(), ("making",), ("running",)}
    for result in results:
        # Whoever comes next makes the run, unless it was whole.
        assert result["made"] is (result["left"] != ["running"]), result
        assert result["runs"] == ["running"]
        assert result["phones"] == [f"35988{each:07}" for each in range(8)]
        assert result["keys"] == 8

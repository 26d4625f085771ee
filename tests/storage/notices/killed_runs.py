"""Makes one run again and again, killed by -9 one step later each time, and looks what is left.

`killed_runs.py FOLDER STRIDE`: FOLDER/base holds the databases, with customers for a run on DAY.
A step is a call out of Python into SQLite or the system: a child kills itself before its n-th one,
and n grows by STRIDE. Each result is printed as a JSON line; the last child comes to its end. A
program of its own, because it forks.
"""

import json
import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from datetime import date
from pathlib import Path
from types import FrameType
from typing import Any, Final

from smsgw.service.keyed import Keyed
from smsgw.service.message import Encoding
from smsgw.service.notices import NoticeKind, NoticeRules
from smsgw.storage import planning, runs
from smsgw.storage.database import CacheReader, open_gateway
from smsgw.storage.pace import Pace

NOW: Final = 1_797_328_800.0
DAY: Final = date(2026, 12, 15)
RULES: Final = NoticeRules(encodings={"mtel": Encoding()})
KEYED: Final = Keyed(b"k" * 32)
STEPS: Final = frozenset(
    {"execute", "executemany", "close", "open", "flock", "ftruncate", "pwrite"}
)


def make(con: sqlite3.Connection, data_dir: Path) -> runs.Made:
    CacheReader(con, data_dir).follow()
    pace = Pace(sleep=lambda _: None)
    pace.size = 3
    return runs.make(
        con,
        lambda: planning.plan(con, NoticeKind.OVERDUE, DAY, RULES, KEYED, NOW),
        KEYED,
        runs.Order("ana"),
        NOW,
        pace,
    )


def child(data_dir: Path, last: int) -> None:
    """Make the run; die before step `last`."""
    step = 0

    def count(_frame: FrameType, event: str, called: Any) -> None:
        nonlocal step
        if event == "c_call" and called.__name__ in STEPS:
            step += 1
            if step == last:
                os.kill(os.getpid(), signal.SIGKILL)

    con = open_gateway(data_dir)
    sys.setprofile(count)
    make(con, data_dir)
    sys.setprofile(None)
    os._exit(0)


def main() -> None:
    folder, stride = Path(sys.argv[1]), int(sys.argv[2])
    step, status = 0, 1
    while status:
        step += stride
        data_dir = folder / "data"
        shutil.rmtree(data_dir, ignore_errors=True)
        shutil.copytree(folder / "base", data_dir)
        process = os.fork()
        if not process:
            child(data_dir, step)
        status = os.waitpid(process, 0)[1]
        assert status in (0, signal.SIGKILL), status
        with closing(open_gateway(data_dir)) as con:
            left = [state for (state,) in con.execute("SELECT state FROM notice_run")]
            made = make(con, data_dir)
            result = {
                "step": step,
                "left": left,
                "made": made.run is not None,
                "runs": [state for (state,) in con.execute("SELECT state FROM notice_run")],
                "phones": [
                    msisdn for (msisdn,) in con.execute("SELECT msisdn FROM notice ORDER BY msisdn")
                ],
                "keys": con.execute("SELECT count(DISTINCT notice) FROM notice_key").fetchone()[0],
            }
        print(json.dumps(result), flush=True)


main()

"""A long message over the real commands: out of order, with a kill -9 between its parts."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

PHONE = "359888123456"
NUMBERS = ["300000000001", "300000000002", "300000000003", "300012345678"]
# Three parts: the last number stands in the first two.
TEXT = f"Клиентски номера: {', '.join(NUMBERS)}. " + "Благодаря! " * 7 + "Край"

CONFIGURATION = """\
shortcode: "170077"
data_dir: {data_dir}
carriers:
  mtel: {{host: 127.0.0.1, port: {port}, system_id: cez, password: secret}}
http: {{listen: "127.0.0.1:0"}}
"""


@pytest.mark.parametrize("form", ["udh", "sar"])
def test_its_parts_are_joined_over_a_kill_and_answered_once(
    tmp_path: Path, simulate: Callable[..., Any], run: Callable[..., Any], form: str
) -> None:
    messages = tmp_path / "messages"
    messages.write_text(f"{PHONE}\t{TEXT}\n", encoding="utf-8")
    # Both number their messages from the same reference on, as one SMSC would.
    options = ("--long-messages", form, "--retry-interval", "0.2", "--mo-file", str(messages))
    before = simulate("--parts", "3,1", *options)
    port = before.wait_for("listening")["port"]
    config = tmp_path / "smsgw.yaml"
    config.write_text(CONFIGURATION.format(data_dir=tmp_path / "data", port=port), encoding="utf-8")

    daemon = run(config)
    before.wait_for("mo_answered", 2)
    daemon.kill()
    assert (before.terminate(), before.of("mt")) == (0, [])
    after = simulate("--port", str(port), "--parts", "1,2,3,2", *options)
    daemon = run(config)
    answer = after.wait_for("mt")
    after.wait_for("mo_answered", 4)

    assert daemon.terminate() == 0
    assert [each["status"] for each in after.of("mo_answered")] == [0] * 4
    assert [each["destination"] for each in after.of("mt")] == [PHONE]
    assert all(number in answer["text"] for number in NUMBERS)
    with closing(sqlite3.connect(tmp_path / "data" / "gateway.db")) as con:
        assert con.execute("SELECT intent, text FROM mo WHERE intent IS NOT NULL").fetchall() == [
            ("register", TEXT)
        ]
        assert con.execute("SELECT customer_number FROM subscription").fetchall() == [
            (number,) for number in NUMBERS
        ]

"""The real daemon at an SMSC that shares no line with it: npm's `smpp`, as a server."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

CONFIG = """\
shortcode: "170077"
data_dir: {data_dir}
carriers:
  mtel: {{host: 127.0.0.1, port: {port}, system_id: cez, password: secret, enquire_link: 1s}}
http: {{listen: "127.0.0.1:0"}}
"""
LATIN, CYRILLIC = "359888123456", "359888123457"
GSM, UCS2 = 0, 8


def answers(submits: list[dict[str, Any]]) -> dict[str, tuple[int, str]]:
    """Data coding and text by phone, of the answers whose parts are all there."""
    parts: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for each in submits:
        parts[each["destination"]][each["part"][1]] = each
    return {
        phone: (first["data_coding"], "".join(found[n]["text"] for n in range(1, len(found) + 1)))
        for phone, found in parts.items()
        for first in found.values()
        if len(found) == first["part"][0]
    }


@pytest.mark.slow
def test_messages_are_answered_and_receipts_taken(
    tmp_path: Path, foreign: Any, run: Callable[..., Any]
) -> None:
    config = tmp_path / "smsgw.yaml"
    port = foreign.wait_for("listening")["port"]
    config.write_text(CONFIG.format(data_dir=tmp_path / "data", port=port), encoding="utf-8")
    daemon = run(config)

    bound = foreign.wait_for("bound")
    assert (bound["system_id"], bound["interface_version"]) == ("cez", 0x34)
    foreign.wait_for("enquire_link_answered")
    foreign.wait_for("mo_answered", 2)
    assert [each["status"] for each in foreign.of("mo_answered")] == [0, 0]

    submits: list[dict[str, Any]] = []
    while len(answers(submits)) < 2:
        foreign.wait_for("submit", len(submits) + 1)
        submits = foreign.of("submit")
    told = answers(submits)
    assert {phone: coding for phone, (coding, _) in told.items()} == {LATIN: GSM, CYRILLIC: UCS2}
    assert told[LATIN][1].startswith("Pratete: smetka - ")
    assert told[CYRILLIC][1].startswith("Пратете: сметка - ")
    assert {each["source"] for each in submits} == {"170077"}

    foreign.wait_for("receipt_answered", len(submits))
    assert {each["status"] for each in foreign.of("receipt_answered")} == {0}
    foreign.process.stdin.close()
    foreign.wait_for("unbound")
    assert foreign.end() == 0
    assert daemon.terminate() == 0
    assert not foreign.of("error")

    with closing(sqlite3.connect(tmp_path / "data" / "gateway.db")) as con:
        segments = con.execute("SELECT message_id, state FROM segment").fetchall()
        mos = con.execute("SELECT msisdn, text FROM mo ORDER BY id").fetchall()
    assert mos == [(LATIN, "help"), (CYRILLIC, "помощ")]
    ids = [f"foreign-{number}" for number in range(1, len(submits) + 1)]
    assert sorted(segments) == [(each, "delivered") for each in ids]

"""What the daemon makes of messages that the last one left half sent, as its configuration says."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from smsgw.app import App
from smsgw.service.message import MessageKind, Msisdn, Mt
from smsgw.settings.model import Settings
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.messages import enqueue

T = 1_800_000_000.0
PHONE = Msisdn("359888123456")
KINDS = (MessageKind.ANSWER, MessageKind.CONFIRMATION, MessageKind.NOTICE)


@pytest.mark.parametrize(("unknown", "wait"), [({}, 900.0), ({"wait": "1h"}, 3600.0)])
def test_a_lost_response(tmp_path: Path, unknown: dict[str, str], wait: float) -> None:
    with closing(open_gateway(tmp_path)) as con, transaction(con):
        enqueue(con, [Mt("mtel", kind, PHONE, "x", T) for kind in KINDS], {}, T)
        con.execute("UPDATE segment SET state = 'claimed', claimed_at = ?", (T,))
    carrier = {"enabled": False, "host": "h", "port": 1, "system_id": "s", "password": "p"}
    settings = Settings.model_validate(
        {
            "shortcode": "170077",
            "data_dir": tmp_path,
            "carriers": {"mtel": carrier},
            "http": {"listen": "127.0.0.1:0"},
            "unknown": unknown,
        }
    )

    async def started() -> None:
        async with App(settings):
            pass

    asyncio.run(started())
    with closing(open_gateway(tmp_path)) as con:
        found = con.execute(
            "SELECT state, not_before - changed_at FROM segment ORDER BY mt_id"
        ).fetchall()
    assert found == [("queued", None), ("unknown", wait), ("unknown", wait)]

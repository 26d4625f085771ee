"""The daemon moves finished messages by itself, and says how many are left."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from smsgw import metrics
from smsgw.app import App
from smsgw.service.message import MessageKind, Msisdn, Mt
from smsgw.settings.model import Settings
from smsgw.storage import archive
from smsgw.storage.archive import Archive
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.messages import enqueue

T = 1_700_000_000.0
PHONE = Msisdn("359888123456")


def test_the_daemon_moves_what_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_gateway(tmp_path)) as con, transaction(con):
        enqueue(con, [Mt("mtel", MessageKind.MANUAL, PHONE, "x", T)] * 3, {}, T)
        con.execute("UPDATE segment SET state = 'delivered' WHERE mt_id < 3")
    carrier = {"enabled": False, "host": "h", "port": 1, "system_id": "s", "password": "p"}
    settings = Settings.model_validate(
        {
            "shortcode": "170077",
            "data_dir": tmp_path,
            "carriers": {"mtel": carrier},
            "http": {"listen": "127.0.0.1:0"},
        }
    )
    monkeypatch.setattr(archive, "EVERY", 0.0)
    moved = asyncio.Event()
    move = Archive.move

    async def and_say_so(self: Archive) -> None:
        await move(self)
        moved.set()

    monkeypatch.setattr(Archive, "move", and_say_so)

    async def until_moved() -> None:
        async with App(settings):
            assert metrics.MESSAGES_CURRENT.labels("out")._value.get() == 3
            await asyncio.wait_for(moved.wait(), 60)

    asyncio.run(until_moved())
    with closing(open_gateway(tmp_path)) as con:
        assert con.execute("SELECT id FROM mt").fetchall() == [(3,)]
        assert con.execute("SELECT id FROM history_mt").fetchall() == [(1,), (2,)]

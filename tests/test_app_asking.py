"""A message whose receipt is lost: the daemon asks the carrier, and hands on what it says."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from smsgw import app
from smsgw.app import App
from smsgw.service.exchange import Exchange
from smsgw.service.message import MessageKind, Msisdn, Mt, Receipt, ReceiptState
from smsgw.settings.model import Settings
from smsgw.simulator import Smsc
from smsgw.simulator.faults import Faults, Pick
from smsgw.simulator.settings import SmscSettings
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.messages import enqueue

PHONE = Msisdn("359888123456")


def configured(tmp_path: Path, port: int, **keys: Any) -> Settings:
    carrier = {"host": "127.0.0.1", "port": port, "system_id": "s", "password": "p", **keys}
    return Settings.model_validate(
        {
            "shortcode": "170077",
            "data_dir": tmp_path,
            "carriers": {"mtel": carrier},
            "http": {"listen": "127.0.0.1:0"},
        }
    )


class Told:
    """What the exchange was told that carriers said."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.news = asyncio.Event()

    async def about(self, messages: int) -> None:
        async with asyncio.timeout(5):
            while len({each.message_id for each in self.receipts}) < messages:
                self.news.clear()
                await self.news.wait()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """The daemon looks for questions all the time."""
    told = Told()
    tell = Exchange.learned

    def learned(exchange: Exchange, receipts: list[Receipt]) -> None:
        told.receipts.extend(receipts)
        told.news.set()
        tell(exchange, receipts)

    monkeypatch.setattr(Exchange, "learned", learned)
    monkeypatch.setattr(app, "ASK_EVERY", 0.01)
    monkeypatch.setattr(app, "ASK_AGAIN", 0.0)
    return told


def queue(tmp_path: Path, count: int, now: float) -> None:
    con = open_gateway(tmp_path)
    with transaction(con):
        enqueue(con, [Mt("mtel", MessageKind.MANUAL, PHONE, "x", now)] * count, {}, now)
    con.close()


def column(tmp_path: Path, name: str) -> list[Any]:
    con = open_gateway(tmp_path)
    found = [value for (value,) in con.execute(f"SELECT {name} FROM segment ORDER BY mt_id")]
    con.close()
    return found


@pytest.mark.parametrize("count", [1, 12])
def test_the_carrier_is_asked_and_its_word_handed_on(
    tmp_path: Path, told: Told, count: int
) -> None:
    async def scenario() -> None:
        faults = Faults(lose_receipts=Pick(each=1), receipt_stat="UNDELIV", receipt_err="69")
        async with Smsc(SmscSettings(receipt_delay=0.0), faults) as smsc:
            settings = configured(tmp_path, smsc.port, query_after=0.001)
            async with App(settings) as daemon:
                queue(tmp_path, count, daemon._clock.now())
                await smsc.received(count)
                await told.about(count)

    asyncio.run(scenario())
    assert {each.state for each in told.receipts} == {ReceiptState.UNDELIVERABLE}
    assert {(each.source, each.error) for each in told.receipts} == {(PHONE, "69")}
    assert all(1 <= times <= 3 for times in column(tmp_path, "asked"))


@pytest.mark.parametrize(
    ("keys", "faults"),
    [
        ({"query_after": 0.0}, Faults(lose_receipts=Pick(each=1))),
        ({"query_after": 3600.0}, Faults(lose_receipts=Pick(each=1))),
        ({"query_after": 0.001}, Faults(lose_receipts=Pick(each=1), no_queries=True)),
    ],
    ids=["never", "not yet", "it knows no query"],
)
def test_nothing_is_learned(
    tmp_path: Path, told: Told, keys: dict[str, float], faults: Faults
) -> None:
    async def scenario() -> None:
        async with (
            Smsc(SmscSettings(receipt_delay=0.0), faults) as smsc,
            App(configured(tmp_path, smsc.port, **keys)) as daemon,
        ):
            queue(tmp_path, 1, daemon._clock.now())
            await smsc.received(1)
            for _ in range(3):
                await daemon._ask(daemon._links[0])

    asyncio.run(scenario())
    assert told.receipts == []
    assert column(tmp_path, "state") == ["accepted"]

"""Registrations by the real daemon: who is told, what is counted, and what a restart remembers."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from smsgw.simulator import Smsc, SmscSettings
from smsgw.storage.database import open_gateway

PATIENCE = 60.0  # seconds: machines are shared
ANNA, BORIS = "359888123456", "359888123789"
HOME, NEW = "300000000001", "300000000002"
FEED = """\
customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status
{},,,,,,,
"""
CONFIG = """\
shortcode: "170077"
data_dir: {data_dir}
timezone: {timezone}
carriers:
  mtel: {{host: 127.0.0.1, port: {port}, system_id: cez, password: secret}}
subscriptions: {{hints_per_day: 1}}
http: {{listen: "127.0.0.1:0"}}
"""


class Gateway:
    """A daemon with one carrier."""

    def __init__(self, config: Path, run: Callable[..., Any], smsc: Smsc) -> None:
        self.config = config
        self._run = run
        self.smsc = smsc
        self.daemon = run(config)
        self._feeds = 0

    async def restart(self) -> None:
        self.daemon.kill()
        self.daemon = self._run(self.config)
        await self.smsc.bound(within=PATIENCE)

    async def ask(self, phone: str, text: str) -> str:
        self.smsc.send(phone, text)
        return (await self.smsc.answer_to(phone, within=PATIENCE)).text

    async def silence_on(self, phone: str, text: str) -> str | None:
        """Why a message has no answer, as it stands on disk once it is acknowledged."""
        await self.smsc.acknowledged(self.smsc.send(phone, text), within=PATIENCE)
        ((silence,),) = self.stored("SELECT silence FROM mo ORDER BY id DESC LIMIT 1")
        return None if silence is None else str(silence)

    def feed(self, *numbers: str) -> None:
        path = self.config.with_name("feed.csv")
        path.write_text(FEED.format(",,,,,,,\n".join(numbers)), encoding="utf-8")
        command = (sys.executable, "-m", "smsgw", "billing", "import", str(path), "--force")
        subprocess.run((*command, "-c", str(self.config)), check=True, timeout=PATIENCE)
        self._feeds += 1
        self.daemon.wait_for("billing.taken", self._feeds)

    def stored(self, query: str) -> list[tuple[Any, ...]]:
        with closing(open_gateway(self.config.with_name("data"))) as con:
            return con.execute(query).fetchall()


Scenario = Callable[[Gateway], Coroutine[Any, Any, None]]


@pytest.fixture
def play(tmp_path: Path, noon_zone: str, run: Callable[..., Any]) -> Callable[[Scenario], None]:
    async def whole(scenario: Scenario) -> None:
        async with Smsc(SmscSettings()) as smsc:
            config = tmp_path / "smsgw.yaml"
            data = {"data_dir": tmp_path / "data", "timezone": noon_zone, "port": smsc.port}
            config.write_text(CONFIG.format(**data), encoding="utf-8")
            gateway = Gateway(config, run, smsc)
            await smsc.bound(within=PATIENCE)
            await scenario(gateway)

    return lambda scenario: asyncio.run(whole(scenario))


def test_a_number_s_phones_learn_of_each_other_and_a_feed_makes_active(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(gateway: Gateway) -> None:
        gateway.feed(HOME)
        assert "e registriran" in await gateway.ask(ANNA, HOME)
        assert "e registriran" in await gateway.ask(BORIS, HOME)
        told = await gateway.smsc.answer_to(ANNA, within=PATIENCE)
        assert told.text == f"Oshte edin telefon (...789) e registriran za {HOME}."
        assert "Priehme zayavka" in await gateway.ask(BORIS, NEW)
        gateway.feed(HOME, NEW)
        active = await gateway.smsc.answer_to(BORIS, within=PATIENCE)
        assert active.text.startswith(f"Registratsiyata na {NEW} e aktivna.")
        assert gateway.stored("SELECT change, who FROM audit ORDER BY id") == [
            ("activated", "customer"),
            ("activated", "customer"),
            ("requested", "customer"),
            ("activated", "billing feed"),
        ]

    play(scenario)


def test_bounds_hold_over_a_kill_and_a_stop_is_always_answered(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(gateway: Gateway) -> None:
        assert "Ne razbrahme" in await gateway.ask(ANNA, "dobar den")
        assert await gateway.silence_on(ANNA, "dobar den") == "hints"
        await gateway.restart()
        assert await gateway.silence_on(ANNA, "dobro utro") == "hints"
        assert "Nyamate registratsia" in await gateway.ask(ANNA, "stop")
        _, metrics = gateway.daemon.get("/metrics")
        line = 'smsgw_answers_withheld_total{carrier="mtel",reason="hints"} 1.0'
        assert line in metrics

    play(scenario)

"""What customers may send, through the real daemon: each decision of the service once, with its
bounds; what is delivered again; what is not ours; and a registration that no feed ever knew."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from smsgw.service.today import Silence
from smsgw.simulator import Smsc, SmscSettings
from smsgw.simulator.records import Mo, MoState
from smsgw.storage.database import open_gateway

PATIENCE = 60.0  # seconds: machines are shared
BORIS = "359887123456"
OWES, LATE, PAID, CREDIT = [f"30000000000{digit}" for digit in range(1, 5)]
UNKNOWN = [f"30000000009{digit}" for digit in range(10)]
FEED = f"""\
customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status
{OWES},B1,,2999-12-10,,45.20,EUR,open
{LATE},B1,,2026-01-20,,12.80,EUR,open
{LATE},B2,,2999-12-10,,7.20,EUR,open
{PAID},B1,,2026-01-20,,99.00,EUR,paid
{CREDIT},B1,,,,-15.00,EUR,open
"""
CONFIG = """\
shortcode: "170077"
data_dir: {data_dir}
timezone: {timezone}
carriers:
  mtel: {{host: 127.0.0.1, port: {port}, system_id: cez, password: secret}}
subscriptions: {{numbers_per_phone: 3, phones_per_number: 3, unknown_numbers_per_day: 2,
                hints_per_day: 1, answers_per_day: 6}}
http: {{listen: "127.0.0.1:0"}}
"""
REJECTED = "e otkazana: nyama takav klientski nomer"

# A phone's messages, each with a part of its answer, or why it has none.
CONVERSATIONS: dict[str, list[tuple[str, str | Silence]]] = {
    "bill check: not registered": [("smetka", "Nyamate registratsia. Pratete")],
    "bill check: what is owed": [
        (OWES, f"{OWES} e registriran."),
        ("Smetka, molya!", f"Zadalzhenie po {OWES}: 45,20 EUR, srok 10.12.2999."),
    ],
    "bill check: overdue first, a credit is named, settled bills don't count": [
        (f"{CREDIT}, {PAID}; {LATE}", f"{PAID} e registriran."),
        (
            "smetka",
            f"Po {LATE}: 20,00 EUR, srok 20.01.2026, prosrocheni 12,80 EUR.\n"
            f"Nyamate zadalzhenia po {CREDIT}. Nadvnesena suma: 15,00 EUR.\n"
            f"Nyamate zadalzhenia po {PAID}.",
        ),
    ],
    "bill check: the same text again is another message": [
        ("smetka", "Nyamate registratsia."),
        ("smetka", "Nyamate registratsia."),
    ],
    "bill check for a stranger's number": [(f"smetka {OWES}", f"Nyamate registratsia za {OWES}.")],
    "bill check for one's own, in Cyrillic": [
        (f"клиентски номер {OWES[:4]}-{OWES[4:]}", f"{OWES} е регистриран."),
        (f"сметка {OWES}", f"Задължение по {OWES}: 45,20 EUR, срок 10.12.2999."),
    ],
    "register: what is registered already": [
        (CREDIT, f"{CREDIT} e registriran."),
        (CREDIT, f"{CREDIT} veche e registriran."),
    ],
    "register: a number that no feed knows": [
        (UNKNOWN[0], f"Priehme zayavka za {UNKNOWN[0]}."),
        (UNKNOWN[0], f"Registratsiyata na {UNKNOWN[0]} oshte se obrabotva."),
        ("smetka", f"Registratsiyata na {UNKNOWN[0]} oshte se obrabotva."),
    ],
    "register: numbers of a phone": [
        (f"{LATE}, {PAID}, {UNKNOWN[1]}, {OWES}", f"{OWES}: otkaz, maks. broy nomera: 3."),
    ],
    "register: phones of a number": [(CREDIT, f"{CREDIT} e registriran.")],
    "register: one phone more": [(CREDIT, f"{CREDIT}: otkaz, maks. broy telefoni: 3.")],
    "register: a phone's number": [("359888123456", "359888123456 prilicha na telefon.")],
    "register: a code that nobody asked for": [(f"{PAID} XK42B7", f"{PAID} e registriran.")],
    "register: too many unknown numbers, then silence": [
        (f"{UNKNOWN[2]}, {UNKNOWN[3]}", f"Priehme zayavka za {UNKNOWN[3]}."),
        (UNKNOWN[4], f"{UNKNOWN[4]}: otkaz, tvarde mnogo nepoznati nomera"),
        (UNKNOWN[5], Silence.UNKNOWN_NUMBERS),
    ],
    "stop: one, then all": [
        (f"{UNKNOWN[6]} {UNKNOWN[7]}", f"Priehme zayavka za {UNKNOWN[7]}."),
        (f"stop {UNKNOWN[6]}", f"Spryahme uslugata za {UNKNOWN[6]}."),
        ("СТОП!", f"Спряхме услугата за {UNKNOWN[7]}."),
        ("stop", "Nyamate registratsia za spirane."),
    ],
    "help": [("pomosht", "Pratete: smetka - za zadalzhenieto;")],
    "help: in Cyrillic": [("инфо", "Пратете: сметка - за задължението;")],
    "unknown: what was wrong, then silence": [
        ("30000000001", "ima 12 tsifri, prateni sa 11."),
        ("dobar den", Silence.HINTS),
        ("help", "Pratete: smetka"),
    ],
    "no more answers, but what is asked for is done": [
        *[("help", "Pratete: smetka")] * 6,
        (UNKNOWN[8], Silence.ANSWERS),
        ("stop", f"Spryahme uslugata za {UNKNOWN[8]}."),
        ("stop", Silence.ANSWERS),
    ],
}


class Gateway:
    """A daemon with one carrier, and a cache that knows four customers."""

    def __init__(self, config: Path, run: Callable[..., Any], smsc: Smsc) -> None:
        self._config = config
        self._run = run
        self.smsc = smsc
        feed = config.with_name("feed.csv")
        feed.write_text(FEED, encoding="utf-8")
        command = (sys.executable, "-m", "smsgw", "billing", "import", str(feed))
        subprocess.run((*command, "-c", str(config)), check=True, timeout=PATIENCE)
        self.daemon = run(config)

    async def restart(self) -> None:
        self.daemon.kill()
        self.daemon = self._run(self._config)
        await self.smsc.bound(within=PATIENCE)

    async def taken(self, phone: str, text: str) -> Silence | None:
        """Send a message; why it has no answer, as it stands on disk once it is acknowledged."""
        await self.smsc.acknowledged(self.smsc.send(phone, text), within=PATIENCE)
        ((silence,),) = self.stored("SELECT silence FROM mo ORDER BY id DESC LIMIT 1")
        return None if silence is None else Silence(silence)

    async def heard(self, phone: str) -> str:
        return (await self.smsc.answer_to(phone, within=PATIENCE)).text

    def stored(self, query: str) -> list[tuple[Any, ...]]:
        with closing(open_gateway(self._config.with_name("data"))) as con:
            return con.execute(query).fetchall()

    def counted(self, line: str) -> bool:
        """Whether `/metrics` has a line."""
        return line in self.daemon.get("/metrics")[1].splitlines()


Scenario = Callable[[Gateway], Coroutine[Any, Any, None]]
Play = Callable[[Scenario], None]


@pytest.fixture
def play(tmp_path: Path, noon_zone: str, run: Callable[..., Any]) -> Play:
    async def whole(scenario: Scenario) -> None:
        async with Smsc(SmscSettings()) as smsc:
            config = tmp_path / "smsgw.yaml"
            data = {"data_dir": tmp_path / "data", "timezone": noon_zone, "port": smsc.port}
            config.write_text(CONFIG.format(**data), encoding="utf-8")
            gateway = Gateway(config, run, smsc)
            await smsc.bound(within=PATIENCE)
            await scenario(gateway)

    return lambda scenario: asyncio.run(whole(scenario))


def phones(count: int) -> Sequence[str]:
    return [f"3598880000{place:02}" for place in range(count)]


def test_every_decision(play: Play) -> None:
    async def scenario(gateway: Gateway) -> None:
        wrong = {}
        for phone, (about, said) in zip(
            phones(len(CONVERSATIONS)), CONVERSATIONS.items(), strict=True
        ):
            for text, expected in said:
                found: str | None = await gateway.taken(phone, text)
                if found is None:
                    found = await gateway.heard(phone)
                if found != expected and expected not in found:
                    wrong[f"{about}: {text}"] = found
        assert wrong == {}
        last = phones(len(CONVERSATIONS))[-1]
        audit = f"SELECT change FROM audit WHERE msisdn = '{last}' ORDER BY id"
        assert gateway.stored(audit) == [("requested",), ("ended",)]
        for reason, count in {"hints": 1, "unknown_numbers": 1, "answers": 2}.items():
            labels = f'carrier="mtel",reason="{reason}"'
            assert gateway.counted(f"smsgw_answers_withheld_total{{{labels}}} {count}.0")

    play(scenario)


def test_what_is_delivered_again_has_no_effect(play: Play) -> None:
    async def scenario(gateway: Gateway) -> None:
        (phone,) = phones(1)
        assert await gateway.taken(phone, "smetka") is None
        assert "Nyamate registratsia." in await gateway.heard(phone)
        gateway.smsc.drop()
        await gateway.smsc.unbound(within=PATIENCE)
        await gateway.smsc.bound(within=PATIENCE)
        again = gateway.smsc.send(phone, "smetka")  # its session ended: it may not know
        await gateway.smsc.acknowledged(again, within=PATIENCE)
        assert gateway.stored("SELECT count(*) FROM mo") == [(1,)]
        assert gateway.counted('smsgw_mo_redeliveries_total{carrier="mtel"} 1.0')
        assert await gateway.taken(phone, "smetka") is None  # one that lasts has been told so
        await gateway.heard(phone)
        assert gateway.stored("SELECT count(*) FROM mo") == [(2,)]

    play(scenario)


NOT_OURS: dict[str, tuple[Callable[[Smsc], Mo], MoState]] = {
    "alphanumeric": (lambda smsc: smsc.send("CEZ", "smetka"), MoState.ACKNOWLEDGED),
    "foreign": (lambda smsc: smsc.send("4915112345678", "smetka"), MoState.ACKNOWLEDGED),
    "binary": (lambda smsc: smsc.send_octets("359888000000", b"\x01\x02"), MoState.ACKNOWLEDGED),
    "destination": (lambda smsc: smsc.send("359888000000", "smetka", "170078"), MoState.REFUSED),
}


def test_what_is_not_ours_is_never_answered(play: Play) -> None:
    async def scenario(gateway: Gateway) -> None:
        states = {}
        for reason, (send, _) in NOT_OURS.items():
            mo = send(gateway.smsc)
            await gateway.smsc.settled(mo, within=PATIENCE)
            states[reason] = mo.state
        assert states == {reason: state for reason, (_, state) in NOT_OURS.items()}
        for reason in NOT_OURS:
            labels = f'carrier="mtel",reason="{reason}"'
            assert gateway.counted(f"smsgw_mos_not_ours_total{{{labels}}} 1.0")
        await gateway.taken("359888000000", "help")
        assert "Pratete: smetka" in await gateway.heard("359888000000")
        assert [mt.destination for mt in gateway.smsc.mts] == ["359888000000"]

    play(scenario)


def test_what_no_feed_knew_in_time_is_rejected_also_by_a_daemon_that_was_away(play: Play) -> None:
    async def scenario(gateway: Gateway) -> None:
        (phone,) = phones(1)
        await gateway.taken(phone, UNKNOWN[0])
        assert "Priehme zayavka" in await gateway.heard(phone)
        gateway.daemon.kill()
        gateway.stored("UPDATE subscription SET requested_at = requested_at - 24 * 3600")
        gateway.stored("INSERT INTO snapshot (file, imported_at) VALUES ('gone.db', 1)")
        await gateway.restart()
        await gateway.taken(BORIS, "help")  # by now it has looked; the number may be in that cache
        assert gateway.stored("SELECT state FROM subscription") == [("pending",)]
        gateway.daemon.kill()
        gateway.stored("DELETE FROM snapshot WHERE file = 'gone.db'")
        await gateway.restart()
        assert f"{UNKNOWN[0]} {REJECTED}" in await gateway.heard(phone)
        assert gateway.stored("SELECT state FROM subscription") == [("rejected",)]
        assert gateway.stored("SELECT change, who FROM audit ORDER BY id") == [
            ("requested", "customer"),
            ("rejected", "daemon"),
        ]

    play(scenario)

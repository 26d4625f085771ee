"""The stock client of smpplib at our simulator: both ends of our tests share no mistake here."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from smpplib import consts
from smpplib.client import Client

from smsgw.simulator import Smsc, SmscSettings
from smsgw.smpp.session import Limits

SETTINGS = SmscSettings(
    system_id="cez", password="secret", receipt_delay=0.0, limits=Limits(window=3)
)
WITHIN = 5.0


class Foreign:
    """A blocking client in a thread of its own; `script` runs there once it is connected."""

    def __init__(self, port: int, script: Callable[["Foreign"], None]) -> None:
        self.client = Client("127.0.0.1", port, timeout=WITHIN, allow_unknown_opt_params=True)
        self.client.set_message_received_handler(self._received)
        self.client.set_message_sent_handler(self._sent)
        self.received: list[Any] = []
        self.responses: list[Any] = []
        self.error: BaseException | None = None
        self._script = script
        self._thread = threading.Thread(target=self._run)

    def _received(self, pdu: Any) -> int:
        self.received.append(pdu)
        return int(consts.SMPP_ESME_ROK)

    def _sent(self, pdu: Any) -> None:
        self.responses.append(pdu)

    def _run(self) -> None:
        try:
            self.client.connect()
            self._script(self)
            self.client.unbind()
        except BaseException as error:
            self.error = error
        finally:
            self.client.disconnect()

    def read_until(self, enough: Callable[[], bool]) -> None:
        """Read PDUs until `enough()`; each wait for one is bounded by the client's timeout."""
        deadline = time.monotonic() + WITHIN
        while not enough():
            assert time.monotonic() < deadline, (self.received, self.responses)
            self.client.read_once(auto_send_enquire_link=False)

    async def __aenter__(self) -> "Foreign":
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self._thread.join, WITHIN)
        if self.error is not None:
            raise self.error


def test_the_stock_client_exchanges_messages_with_the_simulator() -> None:
    def converse(foreign: Foreign) -> None:
        client = foreign.client
        client.bind_transceiver(system_id="cez", password="secret")
        foreign.read_until(lambda: len(foreign.received) == 1)
        client.send_message(
            source_addr_ton=3,
            source_addr_npi=0,
            source_addr="170077",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr="359888123456",
            data_coding=8,
            short_message="Нямате задължения.".encode("utf-16-be"),
            registered_delivery=1,
        )
        foreign.read_until(lambda: len(foreign.received) == 2 and len(foreign.responses) == 1)

    async def scenario() -> None:
        async with Smsc(SETTINGS) as smsc:
            mo = smsc.send("359888123456", "smetka")
            async with Foreign(smsc.port, converse) as foreign:
                await smsc.acknowledged(mo)
                answer = await smsc.answer_to("359888123456")
                await smsc.receipted()
            sent, receipt = foreign.received
            assert (sent.source_addr, sent.destination_addr) == (b"359888123456", b"170077")
            assert (sent.short_message, sent.esm_class, sent.data_coding) == (b"smetka", 0, 0)
            assert (answer.text, answer.source) == ("Нямате задължения.", "170077")
            (response,) = foreign.responses
            assert response.message_id.decode() == answer.message_ids[0]
            assert receipt.esm_class == 0x04
            assert receipt.receipted_message_id == response.message_id
            assert receipt.message_state == consts.SMPP_MESSAGE_STATE_DELIVERED
            assert receipt.short_message.startswith(b"id:" + response.message_id + b" sub:001 ")
            await smsc.unbound()

    asyncio.run(scenario())


def test_the_stock_client_binds_as_transmitter_and_receiver() -> None:
    def send(foreign: Foreign) -> None:
        foreign.client.bind_transmitter(system_id="cez", password="secret")
        foreign.client.send_message(
            source_addr="170077", destination_addr="359888123456", short_message=b"ok"
        )
        foreign.read_until(lambda: len(foreign.responses) == 1)

    def receive(foreign: Foreign) -> None:
        foreign.client.bind_receiver(system_id="cez", password="secret")
        foreign.read_until(lambda: len(foreign.received) == 5)

    async def scenario() -> None:
        async with Smsc(SETTINGS) as smsc:
            mos = [smsc.send("359888123456", f"smetka {n}") for n in range(5)]
            async with Foreign(smsc.port, send), Foreign(smsc.port, receive):
                await smsc.acknowledged(*mos)
                assert (await smsc.answer_to("359888123456")).text == "ok"
            assert sorted(bind.command for bind in smsc.binds) == [
                "bind_receiver",
                "bind_transmitter",
            ]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [("other", "secret", 0x0F), ("cez", "wrong", 0x0E)],
    ids=["system_id", "password"],
)
def test_the_stock_client_is_refused(system_id: str, password: str, status: int) -> None:
    def bind(foreign: Foreign) -> None:
        foreign.client.bind_transceiver(system_id=system_id, password=password)

    async def scenario() -> None:
        async with Smsc(SETTINGS) as smsc, Foreign(smsc.port, bind):
            pass

    with pytest.raises(Exception, match="bind_transceiver_resp") as refused:
        asyncio.run(scenario())
    assert refused.value.args[1] == status

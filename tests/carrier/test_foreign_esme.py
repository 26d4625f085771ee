"""The stock client of smpplib binds to our listener: both ends share no mistake here."""

import asyncio
import ssl
from pathlib import Path
from random import Random
from typing import Any

import pytest
from smpplib.client import Client

from smsgw.carrier.ids import SessionIds
from smsgw.carrier.link import Link
from smsgw.clock import SystemClock
from smsgw.service.message import Mo

WITHIN = 5.0
CERTIFICATES = Path(__file__).with_name("certificates")
ACCEPT = {"listen": "127.0.0.1:0", "system_id": "mtel", "password": "hush"}


def converse(port: int, context: ssl.SSLContext | None) -> dict[str, Any]:
    """Bind, submit, wait for the answer and for a message, unbind; what came."""
    came: dict[str, Any] = {}
    client = Client(
        "127.0.0.1", port, timeout=WITHIN, allow_unknown_opt_params=True, ssl_context=context
    )
    client.set_message_sent_handler(lambda pdu: came.update(response=pdu))

    def take(pdu: Any) -> int:
        came["message"] = pdu
        return 0

    client.set_message_received_handler(take)
    client.connect()
    try:
        client.bind_transceiver(system_id="mtel", password="hush")
        client.send_message(
            source_addr_ton=1,
            source_addr="359888123456",
            dest_addr_ton=3,
            destination_addr="170077",
            short_message=b"smetka",
        )
        while len(came) < 2:
            client.read_once()
        client.unbind()
    finally:
        client.disconnect()
    return came


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_the_stock_client_binds_to_us(world: Any, tls: bool) -> None:
    context = None
    keys: dict[str, Any] = {}
    if tls:
        keys["tls"] = {"cert_file": CERTIFICATES / "server.pem"}
        context = ssl.create_default_context(cafile=CERTIFICATES / "authority.pem")
        context.check_hostname = False  # that client gives no name to check

    async def scenario() -> None:
        link = Link(
            world.settings(accept=ACCEPT, **keys),
            "170077",
            world.diary,
            SystemClock(),
            ids=SessionIds(),
            random=Random(1),
        )
        world.diary.ready = lambda carrier: link.submit([world.segment(5)])
        running = asyncio.ensure_future(link.run())
        for _ in range(5):  # turns of the loop, in which nothing waits for anything
            await asyncio.sleep(0)
        (address,) = link.listens_on
        async with asyncio.timeout(WITHIN):
            came = await asyncio.to_thread(converse, address.port, context)
            await link.stop(1)
            await running
        ((_, mo),) = world.diary.items
        assert isinstance(mo, Mo)
        assert mo.text == "smetka"
        assert came["response"].status == 0
        assert came["response"].message_id
        assert came["message"].short_message == world.segment().octets
        assert came["message"].receipted_message_id == b"5-1-0"
        (outcome,) = world.diary.outcomes
        assert outcome.message_id == "5-1-0"

    asyncio.run(scenario())

"""The daemon and a carrier that binds to it: a conversation, and the receipt that ends it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smpplib import consts
from smpplib.client import Client

CONFIG = """\
shortcode: "170077"
data_dir: {folder}/data
http: {{listen: "127.0.0.1:0"}}
log: {{format: json}}
carriers:
  mtel: {{accept: {{listen: "127.0.0.1:0", system_id: mtel, password: hush}}}}
"""
WITHIN = 30.0


def submit(client: Client, text: bytes, esm_class: int = 0) -> None:
    client.send_message(
        source_addr_ton=1,
        source_addr="359888123456",
        dest_addr_ton=3,
        destination_addr="170077",
        short_message=text,
        esm_class=esm_class,
    )


def test_a_conversation_with_a_carrier_that_binds_to_us(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    config = tmp_path / "smsgw.yaml"
    config.write_text(CONFIG.format(folder=tmp_path))
    daemon = run(config)
    daemon.wait_for("daemon.started")
    port = int(daemon.wait_for("link.listening")["listen"].rpartition(":")[2])
    messages: list[Any] = []
    responses: list[int] = []
    client = Client("127.0.0.1", port, timeout=WITHIN, allow_unknown_opt_params=True)
    client.set_message_received_handler(lambda pdu: messages.append(pdu) or consts.SMPP_ESME_ROK)
    client.set_message_sent_handler(lambda pdu: responses.append(pdu.status))
    client.connect()
    client.bind_transceiver(system_id="mtel", password="hush")
    assert '"links":"ok"' in daemon.get("/readyz")[1]
    submit(client, b"help")
    while not (messages and responses):
        client.read_once()
    message_id = messages[0].receipted_message_id
    assert messages[0].destination_addr == b"359888123456"
    submit(client, b"id:%s stat:DELIVRD err:000" % message_id, esm_class=0x04)
    while len(responses) < 2:
        client.read_once()
    assert responses == [0, 0]
    client.unbind()
    client.disconnect()
    delivered = 'smsgw_segments_total{carrier="mtel",state="delivered"} 1.0'
    deadline = time.monotonic() + WITHIN
    while delivered not in daemon.get("/metrics")[1]:
        assert time.monotonic() < deadline
    assert daemon.terminate() == 0

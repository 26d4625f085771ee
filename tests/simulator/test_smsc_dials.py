"""A simulator that dials the gateway, and one that is encrypted, on real sockets."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import pytest

from smsgw.simulator import Connect, Outbind, Smsc, SmscSettings
from smsgw.simulator.happenings import BindRefused, BindTaken, Happening, NotConnected
from smsgw.smpp.names import Command, Status, Tlv
from smsgw.smpp.session import Role

Listening = Callable[..., AbstractAsyncContextManager[Any]]

PHONE = "359888123456"
QUICK = SmscSettings(
    system_id="cez", password="secret", receipt_delay=0.0, retry_interval=0.01, redial=0.01
)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10.0):
            await scenario

    asyncio.run(bounded())


def test_outbind_is_sent_and_the_bind_that_follows_is_taken(listening: Listening) -> None:
    async def scenario() -> None:
        async with listening() as (port, dialled):
            outbind = Outbind("127.0.0.1", port, "smsc", "ours")
            async with Smsc(replace(QUICK, dials=outbind)) as smsc:
                gateway = await dialled.get()
                await gateway.heard.wait()
                assert await gateway.bind(Command.BIND_RECEIVER, "cez", "wrong") == Status.RINVPASWD
                assert await gateway.bind(Command.BIND_TRANSCEIVER, "cez", "secret") == Status.ROK
                (first,) = gateway.delivered
                assert first.command == Command.OUTBIND
                assert (first.text("system_id"), first.text("password")) == ("smsc", "ours")
                await smsc.acknowledged(smsc.send(PHONE, "smetka"))
                await gateway.submit(short_message=b"ok")
                assert (await smsc.answer_to(PHONE)).text == "ok"

    run(scenario())


def test_it_binds_as_an_esme_and_its_messages_are_submits(listening: Listening) -> None:
    async def scenario() -> None:
        async with listening(Role.SMSC) as (port, dialled):
            connect = Connect("127.0.0.1", port, "mtel", "ours")
            async with Smsc(replace(QUICK, dials=connect)) as smsc:
                gateway = await dialled.get()
                await smsc.bound()
                await smsc.acknowledged(smsc.send(PHONE, "smetka"))
                response = await gateway.submit(
                    command=Command.DELIVER_SM,
                    short_message="Нямате задължения.".encode("utf-16-be"),
                    data_coding=8,
                    registered_delivery=1,
                    tlvs=[(Tlv.RECEIPTED_MESSAGE_ID, b"7-1\0")],
                )
                # SMPP 3.4, 4.6.2: there is no id in a deliver_sm_resp.
                assert (response.status, response.text("message_id")) == (Status.ROK, "")
                answer = await smsc.answer_to(PHONE)
                assert (answer.text, answer.message_ids) == ("Нямате задължения.", ("7-1",))
                await smsc.receipted()
            bind, mo, receipt = gateway.delivered
            assert bind.command == Command.BIND_TRANSCEIVER
            assert (bind.text("system_id"), bind.text("password")) == ("mtel", "ours")
            assert (mo.command, mo.number("esm_class")) == (Command.SUBMIT_SM, 0)
            assert (mo.text("source_addr"), mo.text("destination_addr")) == (PHONE, "170077")
            assert (receipt.command, receipt.number("esm_class")) == (Command.SUBMIT_SM, 0x04)
            assert receipt.tlv(Tlv.RECEIPTED_MESSAGE_ID) == b"7-1\0"
            assert gateway.ended.is_set()

    run(scenario())


@pytest.mark.parametrize("sort", [Outbind, Connect], ids=["outbind", "connect"])
def test_it_dials_again_until_it_is_stopped(
    listening: Listening, sort: type[Outbind] | type[Connect]
) -> None:
    async def scenario() -> None:
        async with listening(Role.SMSC if sort is Connect else Role.ESME) as (port, dialled):
            async with Smsc(replace(QUICK, dials=sort("127.0.0.1", port))):
                for _ in range(3):
                    (await dialled.get()).transport.close()
            while not dialled.empty():  # one may have come while it was being stopped
                dialled.get_nowait()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(dialled.get(), 0.05)

    run(scenario())


def test_a_gateway_that_is_away_is_told_and_dialled_again(listening: Listening) -> None:
    async def scenario() -> None:
        seen: asyncio.Queue[Happening] = asyncio.Queue()
        async with listening() as (port, _):
            pass
        dials = Connect("127.0.0.1", port)
        async with Smsc(replace(QUICK, dials=dials), watch=seen.put_nowait):
            for _ in range(2):
                told = await seen.get()
                assert isinstance(told, NotConnected)
                assert (told.host, told.port) == ("127.0.0.1", port)
                assert told.reason == "Connection refused"

    run(scenario())


def test_a_bind_that_the_gateway_refuses_is_told_and_tried_again() -> None:
    async def scenario() -> None:
        seen: asyncio.Queue[Happening] = asyncio.Queue()
        async with Smsc(QUICK) as gateway:  # another simulator, which knows no such system_id
            dials = Connect(*gateway.address, "stranger", "secret")
            async with Smsc(replace(QUICK, dials=dials), watch=seen.put_nowait):
                refused = 0
                while refused < 2:
                    told = await seen.get()
                    assert not isinstance(told, BindTaken)
                    if isinstance(told, BindRefused):
                        refused += 1
                        assert told.system_id == "stranger"
                        assert told.status_name == "ESME_RINVSYSID"

    run(scenario())

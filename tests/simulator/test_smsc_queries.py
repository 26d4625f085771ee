"""What the simulator says when it is asked what became of a message, and receipts it loses."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from smsgw.clock import SystemClock
from smsgw.simulator import Smsc
from smsgw.simulator.faults import Faults, Pick
from smsgw.simulator.happenings import Happening, QueryAnswered
from smsgw.simulator.settings import SmscSettings
from smsgw.smpp.codec import Pdu
from smsgw.smpp.names import Command, MessageState, Status

Bound = Callable[..., Any]
QUICK = SmscSettings(receipt_delay=0.0)
LATER = replace(QUICK, receipt_delay=60.0)


class Moved(SystemClock):
    """A clock that people can set; timers don't notice."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:  # type: ignore[override]
        return 1_800_000_000.0 + self.ahead


async def asked(bound: Any, message_id: str, source: str = "170077") -> Pdu:
    response: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
    fields = {"message_id": message_id, "source_addr": source}
    bound.session.request(Command.QUERY_SM, fields, (), 0.0, response)
    bound.write()
    return await asyncio.wait_for(response, 5.0)


@pytest.mark.parametrize(
    ("stat", "err", "state", "error"),
    [
        ("DELIVRD", "000", MessageState.DELIVERED, 0),
        ("UNDELIV", "069", MessageState.UNDELIVERABLE, 69),
        ("EXPIRED", "A4B", MessageState.EXPIRED, 0),
        ("REJECTD", "4096", MessageState.REJECTED, 255),
        ("ODD", "1", MessageState.UNKNOWN, 1),
    ],
)
def test_a_message_is_on_its_way_and_then_what_its_receipt_says(
    esme: Bound, stat: str, err: str, state: int, error: int
) -> None:
    clock = Moved()
    seen: list[Happening] = []

    async def scenario() -> None:
        faults = Faults(receipt_stat=stat, receipt_err=err)
        async with (
            Smsc(LATER, faults, clock=clock, watch=seen.append) as smsc,
            esme(smsc) as bound,
        ):
            taken = await bound.submit(short_message=b"ok")
            message_id = taken.text("message_id")
            early = await asked(bound, message_id)
            assert early.status == Status.ROK
            assert early.fields == {
                "message_id": message_id,
                "final_date": "",
                "message_state": MessageState.ENROUTE,
                "error_code": 0,
            }
            clock.ahead = 61.0
            final = await asked(bound, message_id)
            assert final.fields == {
                "message_id": message_id,
                "final_date": "270115080100000+",
                "message_state": state,
                "error_code": error,
            }

    asyncio.run(scenario())
    said = [each.stat for each in seen if isinstance(each, QueryAnswered)]
    assert said == ["ENROUTE", stat]


@pytest.mark.parametrize(
    ("message_id", "source"), [("2", "170077"), ("1", "1234"), ("", "")], ids=["id", "source", "no"]
)
def test_of_other_messages_it_knows_nothing(esme: Bound, message_id: str, source: str) -> None:
    async def scenario() -> None:
        async with Smsc(QUICK) as smsc, esme(smsc) as bound:
            await bound.submit(short_message=b"ok")
            assert (await asked(bound, message_id, source)).status == Status.RQUERYFAIL

    asyncio.run(scenario())


def test_it_may_know_no_query(esme: Bound) -> None:
    async def scenario() -> None:
        async with Smsc(QUICK, Faults(no_queries=True)) as smsc, esme(smsc) as bound:
            await bound.submit(short_message=b"ok")
            nack = await asked(bound, "1")
            assert (nack.command, nack.status) == (Command.GENERIC_NACK, Status.RINVCMDID)

    asyncio.run(scenario())


def test_receipts_get_lost(esme: Bound) -> None:
    async def scenario() -> None:
        faults = Faults(lose_receipts=Pick(first=1))
        async with Smsc(QUICK, faults) as smsc, esme(smsc) as bound:
            for _ in range(2):
                await bound.submit(short_message=b"ok", registered_delivery=1)
            await smsc.receipted()
            assert [receipt.message_id for receipt in smsc.receipts] == ["2"]
            assert (await asked(bound, "1")).number("message_state") == MessageState.DELIVERED

    asyncio.run(scenario())

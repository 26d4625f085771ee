"""The simulator's habits on real sockets: an ESME of ours at the other end."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import pytest

from smsgw.simulator import Bodies, Faults, Pick, Sequences, Smsc, SmscSettings, Version
from smsgw.simulator.happenings import BindRefused, Happening, MalformedAnswered, SubmitFrozen
from smsgw.smpp.codec import Pdu
from smsgw.smpp.names import Command, Status
from smsgw.smpp.session import Limits

Bound = Callable[..., AbstractAsyncContextManager[Any]]

PHONE = "359888123456"
QUICK = SmscSettings(
    system_id="cez",
    password="secret",
    receipt_delay=0.0,
    retry_interval=0.01,
    limits=Limits(window=4),
)
OLD = replace(QUICK, version=Version.V3_3)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10.0):
            await scenario

    asyncio.run(bounded())


def asked_whether_it_is_there(bound: Any) -> None:
    """Have the ESME send an enquire_link, as after 30 s of silence."""
    bound.session.tick(31.0)
    bound.write()


ENQUIRE_LINK_RESP = bytes.fromhex("00000010 80000015 00000000")
UNBIND = bytes.fromhex("00000010 00000006 00000000")


# -- version 3.3 -----------------------------------------------------------------------------


def test_3_3_nacks_a_transceiver_and_takes_the_pair(esme: Bound) -> None:
    seen: list[Happening] = []

    async def scenario() -> None:
        async with Smsc(OLD, watch=seen.append) as smsc:
            async with esme(smsc, status=Status.RINVCMDID):
                pass
            async with (
                esme(smsc, command=Command.BIND_TRANSMITTER) as transmitter,
                esme(smsc, command=Command.BIND_RECEIVER) as receiver,
            ):
                assert transmitter.session.peer_version is None
                await transmitter.submit(short_message=b"ok", registered_delivery=1)
                await smsc.receipted()
                (receipt,) = receiver.delivered
                assert not receipt.tlvs
                assert receipt.octets("short_message").startswith(b"id:1 ")

    run(scenario())
    (refused,) = [each for each in seen if isinstance(each, BindRefused)]
    assert (refused.command, refused.status) == ("bind_transceiver", Status.RINVCMDID)


# -- silence ---------------------------------------------------------------------------------


@pytest.mark.parametrize("silent", [False, True], ids=["answered", "not answered"])
def test_enquire_links_can_be_left_unanswered(esme: Bound, silent: bool) -> None:
    async def scenario() -> None:
        faults = Faults(no_enquire_link_resp=silent)
        async with Smsc(QUICK, faults) as smsc, esme(smsc) as bound:
            asked_whether_it_is_there(bound)
            assert (await bound.submit(short_message=b"ok")).status == Status.ROK
            assert (ENQUIRE_LINK_RESP in bound.octets) is not silent

    run(scenario())


def test_submits_freeze_and_enquire_links_are_still_answered(esme: Bound) -> None:
    seen: list[Happening] = []

    async def scenario() -> None:
        async with Smsc(QUICK, Faults(freeze_after=2), watch=seen.append) as smsc:
            for _ in range(2):  # each session by itself
                async with esme(smsc) as bound:
                    assert (await bound.submit(short_message=b"ok")).status == Status.ROK
                    frozen = bound.post(short_message=b"ok")
                    asked_whether_it_is_there(bound)
                    await smsc.acknowledged(smsc.send(PHONE, "smetka"))
                    assert not frozen.done()
                    assert ENQUIRE_LINK_RESP in bound.octets
            assert len(smsc.submits) == 2

    run(scenario())
    assert sum(isinstance(each, SubmitFrozen) for each in seen) == 2


def test_it_stops_reading_and_goes_on_sending(esme: Bound) -> None:
    async def scenario() -> None:
        delivered = asyncio.Event()

        def answer(_: Pdu) -> int:
            delivered.set()
            return Status.ROK

        async with (
            Smsc(QUICK, Faults(stop_reading=True)) as smsc,
            esme(smsc, answer=answer) as bound,
        ):
            response = bound.post(short_message=b"ok")
            mo = smsc.send(PHONE, "smetka")
            await delivered.wait()
            await asyncio.sleep(0)
            assert (smsc.submits, mo.statuses, response.done()) == ([], (), False)
            smsc.drop(reset=True)
            await bound.ended.wait()

    run(scenario())


def test_it_unbinds_each_session_after_a_while(esme: Bound) -> None:
    async def scenario() -> None:
        async with Smsc(QUICK, Faults(unbind_after=0.01)) as smsc:
            for _ in range(2):
                async with esme(smsc) as bound:
                    await bound.ended.wait()
                    assert UNBIND in bound.octets

    run(scenario())


# -- refusals --------------------------------------------------------------------------------


def test_the_queue_is_full_until_what_is_in_it_is_delivered(esme: Bound) -> None:
    async def scenario() -> None:
        settings = replace(QUICK, receipt_delay=0.02)
        async with Smsc(settings, Faults(queue=1)) as smsc, esme(smsc) as bound:
            statuses = [
                (await bound.submit(short_message=b"ok", registered_delivery=1)).status
                for _ in range(2)
            ]
            assert statuses == [Status.ROK, Status.RMSGQFUL]
            await smsc.receipted()
            assert (await bound.submit(short_message=b"ok")).status == Status.ROK

    run(scenario())


@pytest.mark.parametrize(
    ("bodies", "message_ids"),
    [
        (Bodies.PLAIN, ["", "1"]),
        (Bodies.NONE, ["", ""]),
        (Bodies.NUL, ["", ""]),
        (Bodies.ALWAYS, ["0", "1"]),
    ],
    ids=str,
)
def test_responses_have_the_body_asked_for(
    esme: Bound, bodies: Bodies, message_ids: list[str]
) -> None:
    async def scenario() -> None:
        faults = Faults(refuse=Pick(first=1), bodies=bodies)
        async with Smsc(QUICK, faults) as smsc, esme(smsc) as bound:
            responses = [await bound.submit(short_message=b"ok") for _ in range(2)]
            assert [each.status for each in responses] == [Status.RSYSERR, Status.ROK]
            assert [each.text("message_id") for each in responses] == message_ids

    run(scenario())


# -- numbers and malformed PDUs --------------------------------------------------------------


@pytest.mark.parametrize("sequences", Sequences, ids=str)
def test_messages_with_strange_numbers_are_acknowledged(esme: Bound, sequences: Sequences) -> None:
    shown = {
        Sequences.PLAIN: lambda number: number,
        Sequences.ZERO: lambda _: 0,
        Sequences.SAME: lambda _: 1,
        Sequences.LARGE: lambda number: 0x8000_0000 + number,
    }

    async def scenario() -> None:
        async with Smsc(QUICK, Faults(sequences=sequences)) as smsc, esme(smsc) as bound:
            mos = [smsc.send(PHONE, f"smetka {n}") for n in range(6)]
            await smsc.acknowledged(*mos)
            assert [pdu.sequence for pdu in bound.delivered] == [
                shown[sequences](number) for number in range(1, 7)
            ]
            assert {mo.attempts for mo in mos} == {1}

    run(scenario())


def test_malformed_pdus_are_refused_and_the_session_goes_on(esme: Bound) -> None:
    seen: list[Happening] = []

    async def scenario() -> None:
        faults = Faults(malform=Pick(each=1))
        async with Smsc(QUICK, faults, watch=seen.append) as smsc, esme(smsc) as bound:
            mos = [smsc.send(PHONE, f"smetka {n}") for n in range(6)]
            await smsc.acknowledged(*mos)
            assert len(bound.delivered) == 6

    run(scenario())
    answers = [each for each in seen if isinstance(each, MalformedAnswered)]
    assert [(each.command, each.status_name) for each in answers] == [
        ("generic_nack", "ESME_RINVCMDID"),
        ("deliver_sm_resp", "ESME_RSYSERR"),
        ("deliver_sm_resp", "ESME_RINVOPTPARSTREAM"),
        ("deliver_sm_resp", "ESME_RINVSRCADR"),
        ("enquire_link_resp", "ESME_ROK"),
    ]

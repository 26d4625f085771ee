"""The simulator on real sockets, with an ESME of ours at the other end."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

import pytest

from smsgw.simulator import (
    Faults,
    IdForm,
    LongMessages,
    MoState,
    NotSeenError,
    Pick,
    Smsc,
    SmscSettings,
)
from smsgw.simulator.happenings import Happening, MoSent, MoUnanswered
from smsgw.smpp.codec import EncodeError, Pdu
from smsgw.smpp.names import Command, Status, Tlv
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


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def answers(*statuses: int | None, then: int | None = Status.ROK) -> Callable[[Pdu], int | None]:
    """Answer the first deliver_sm with these statuses in turn, all others with `then`."""
    each: Iterator[int | None] = chain(statuses, repeat(then))
    return lambda _: next(each)


# -- binding -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "credentials", "status"),
    [
        (QUICK, {}, Status.ROK),
        (QUICK, {"system_id": "other"}, Status.RINVSYSID),
        (QUICK, {"password": "wrong"}, Status.RINVPASWD),
        (SmscSettings(), {"system_id": "anyone", "password": "any"}, Status.ROK),
    ],
    ids=["right", "system_id", "password", "open to all"],
)
def test_binds_are_checked(
    esme: Bound, settings: SmscSettings, credentials: dict[str, str], status: int
) -> None:
    async def scenario() -> None:
        async with Smsc(settings) as smsc, esme(smsc, status=status, **credentials):
            (bind,) = smsc.binds
            assert (bind.command, bind.status) == ("bind_transceiver", status)
            assert smsc.sessions == (status == Status.ROK)

    run(scenario())


def test_several_binds_share_the_messages_and_a_transmitter_gets_none(esme: Bound) -> None:
    async def scenario() -> None:
        async with (
            Smsc(QUICK) as smsc,
            esme(smsc, command=Command.BIND_TRANSMITTER) as transmitter,
            esme(smsc, command=Command.BIND_RECEIVER) as receiver,
            esme(smsc) as transceiver,
        ):
            await smsc.bound(3)
            mos = [smsc.send(PHONE, f"smetka {n}") for n in range(40)]
            await smsc.acknowledged(*mos)
            assert not transmitter.delivered
            assert receiver.delivered
            assert transceiver.delivered
            assert len(receiver.delivered) + len(transceiver.delivered) == 40

    run(scenario())


def test_it_can_be_stopped_and_started_on_its_port(esme: Bound) -> None:
    async def scenario() -> None:
        smsc = Smsc(QUICK)
        await smsc.start()
        address = smsc.address
        async with esme(smsc) as bound:
            await smsc.stop()
            assert bound.ended.is_set()
        mo = smsc.send(PHONE, "smetka")
        await smsc.start()
        assert smsc.address == address
        async with esme(smsc):
            await smsc.acknowledged(mo)
        await smsc.stop()

    run(scenario())


# -- customers' messages -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "state", "attempts"),
    [
        ([Status.ROK], MoState.ACKNOWLEDGED, 1),
        ([Status.RX_T_APPN, Status.RTHROTTLED, Status.ROK], MoState.ACKNOWLEDGED, 3),
        ([Status.RX_R_APPN], MoState.REFUSED, 1),
        ([Status.RX_P_APPN], MoState.REFUSED, 1),
        ([Status.RX_T_APPN] * 3, MoState.GIVEN_UP, 3),
    ],
    ids=["taken", "not now", "refused", "permanent", "never"],
)
def test_a_message_is_sent_until_it_is_answered_for_good(
    esme: Bound, statuses: list[int], state: MoState, attempts: int
) -> None:
    async def scenario() -> None:
        async with (
            Smsc(replace(QUICK, tries=3)) as smsc,
            esme(smsc, answer=answers(*statuses)) as bound,
        ):
            mo = smsc.send(PHONE, "smetka")
            assert await smsc.answered(mo) == statuses[0]
            await smsc.settled(mo)
            assert (mo.state, mo.attempts, mo.statuses) == (state, attempts, tuple(statuses))
            first, *others = bound.delivered
            assert all(other.fields == first.fields for other in others)
            if state is not MoState.ACKNOWLEDGED:
                with pytest.raises(NotSeenError, match="no acknowledgement of message 1 from"):
                    await smsc.acknowledged(mo)

    run(scenario())


@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
def test_what_a_session_left_unanswered_is_sent_on_the_next(esme: Bound, reset: bool) -> None:
    seen: list[Happening] = []

    async def scenario() -> None:
        async with Smsc(QUICK, watch=seen.append) as smsc:
            mos = [smsc.send(PHONE, f"smetka {n}") for n in range(6)]
            async with esme(smsc, answer=answers(Status.ROK, then=None)) as first:
                await smsc.acknowledged(mos[0])
                smsc.drop(reset=reset)
                await first.ended.wait()
            assert first.reset is reset
            async with esme(smsc) as second:
                await smsc.acknowledged(*mos)
        assert len(first.delivered) == 5  # the first, and then as many as the window holds
        assert sorted(pdu.octets("short_message")[-1:] for pdu in second.delivered) == [
            b"1", b"2", b"3", b"4", b"5",
        ]  # fmt: skip
        assert sum(isinstance(each, MoUnanswered) for each in seen) == 4
        assert max(each.attempt for each in seen if isinstance(each, MoSent)) == 2

    run(scenario())


def test_what_is_not_answered_in_time_is_sent_again(esme: Bound) -> None:
    limits = Limits(window=4, response_timeout=0.05)

    async def scenario() -> None:
        async with (
            Smsc(replace(QUICK, limits=limits)) as smsc,
            esme(smsc, answer=answers(None)) as bound,
        ):
            mo = smsc.send(PHONE, "smetka")
            await smsc.acknowledged(mo)
            assert len(bound.delivered) == 2

    run(scenario())


@pytest.mark.parametrize(
    ("text", "form", "deliveries"),
    [
        ("smetka", LongMessages.UDH, 1),
        ("Сметка", LongMessages.UDH, 1),
        ("s" * 161, LongMessages.UDH, 2),
        ("ж" * 135, LongMessages.UDH, 3),
        ("ж" * 135, LongMessages.UDH16, 3),
        ("ж" * 135, LongMessages.SAR, 3),
        ("ж" * 135, LongMessages.PAYLOAD, 1),
    ],
    ids=["GSM", "UCS-2", "GSM in parts", "UCS-2 in parts", "16 bits", "SAR", "payload"],
)
def test_texts_go_out_as_they_need(
    esme: Bound, text: str, form: LongMessages, deliveries: int
) -> None:
    async def scenario() -> None:
        async with Smsc(replace(QUICK, long_messages=form)) as smsc, esme(smsc) as bound:
            mo = smsc.send(PHONE, text)
            await smsc.acknowledged(mo)
            assert mo.parts == mo.acknowledged == len(bound.delivered) == deliveries

    run(scenario())


@pytest.mark.parametrize(
    ("parts", "text", "sent"),
    [
        ((3, 1, 2), "ж" * 135, [3, 1, 2]),
        ((3, 1), "ж" * 135, [3, 1]),
        ((2, 2, 7), "ж" * 135, [2, 2]),
        ((2,), "ж", [1]),
    ],
    ids=["another order", "one left out", "one twice, one there isn't", "not in parts"],
)
def test_parts_go_out_as_asked_for(
    esme: Bound, parts: tuple[int, ...], text: str, sent: list[int]
) -> None:
    seen: list[int] = []

    def watch(happening: Happening) -> None:
        if isinstance(happening, MoSent):
            seen.append(happening.part)

    async def scenario() -> None:
        async with Smsc(replace(QUICK, parts=parts), watch=watch) as smsc, esme(smsc):
            await smsc.acknowledged(smsc.send(PHONE, text))

    run(scenario())
    assert seen == sent


def test_of_parts_that_there_are_not_none_can_be_sent() -> None:
    with pytest.raises(ValueError, match="has 3 parts, and none of those to be sent"):
        Smsc(replace(QUICK, parts=(4, 5))).send(PHONE, "ж" * 135)


def test_octets_go_out_as_they_are(esme: Bound) -> None:
    async def scenario() -> None:
        async with Smsc(QUICK) as smsc, esme(smsc) as bound:
            mo = smsc.send_octets("CEZ", b"\x00\xff", data_coding=4, destination="1700")
            await smsc.acknowledged(mo)
            (pdu,) = bound.delivered
            assert pdu.octets("short_message") == b"\x00\xff"
            assert pdu.number("data_coding") == 4
            assert (pdu.text("source_addr"), pdu.text("destination_addr")) == ("CEZ", "1700")

    run(scenario())


def test_what_cannot_be_sent_is_refused_at_once() -> None:
    smsc = Smsc(QUICK)
    with pytest.raises(EncodeError):
        smsc.send("3" * 21, "smetka")
    assert not smsc.mos


def test_a_pace_is_kept(esme: Bound) -> None:
    async def scenario() -> None:
        async with Smsc(replace(QUICK, rate=100.0)) as smsc, esme(smsc):
            mos = [smsc.send(PHONE, str(n)) for n in range(31)]
            await smsc.acknowledged(*mos)
            sent = [mo.sent_at or 0.0 for mo in mos]
            # 30 intervals of 10 ms, less what it may catch up.
            assert sent[-1] - sent[0] >= 0.3 - 0.06

    run(scenario())


# -- messages to customers -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "in_response", "in_receipt"),
    [
        (IdForm.DECIMAL, "26", b"26"),
        (IdForm.HEX, "1a", b"1a"),
        (IdForm.HEX_IN_RESPONSE, "1a", b"26"),
        (IdForm.HEX_IN_RECEIPT, "26", b"1a"),
    ],
    ids=str,
)
def test_a_submit_is_taken_and_receipted(
    esme: Bound, ids: IdForm, in_response: str, in_receipt: bytes
) -> None:
    async def scenario() -> None:
        async with Smsc(replace(QUICK, ids=ids, first_id=26)) as smsc, esme(smsc) as bound:
            response = await bound.submit(short_message=b"ok", registered_delivery=1)
            assert response.text("message_id") == in_response
            answer = await smsc.answer_to(PHONE)
            assert (answer.text, answer.message_ids) == ("ok", (in_response,))
            await smsc.receipted()
            (receipt,) = bound.delivered
            assert receipt.tlv(Tlv.RECEIPTED_MESSAGE_ID) == in_receipt + b"\0"
            assert receipt.octets("short_message").startswith(b"id:" + in_receipt + b" ")

    run(scenario())


@pytest.mark.parametrize(
    ("registered_delivery", "faults", "receipts"),
    [
        (0, Faults(), 0),
        (1, Faults(), 1),
        (1, Faults(receipt_stat="UNDELIV"), 1),
        (2, Faults(), 0),
        (2, Faults(receipt_stat="EXPIRED"), 1),
        (0x11, Faults(), 1),
        (1, Faults(no_receipts=True), 0),
    ],
    ids=["none", "any", "any failed", "failure", "failed", "intermediate too", "fault"],
)
def test_receipts_are_sent_as_asked_for(
    esme: Bound, registered_delivery: int, faults: Faults, receipts: int
) -> None:
    async def scenario() -> None:
        async with Smsc(QUICK, faults) as smsc, esme(smsc) as bound:
            await bound.submit(short_message=b"ok", registered_delivery=registered_delivery)
            await smsc.receipted()
            assert [receipt.stat for receipt in smsc.receipts] == [faults.receipt_stat] * receipts

    run(scenario())


def test_a_receipt_is_sent_until_it_is_answered(esme: Bound) -> None:
    async def scenario() -> None:
        async with Smsc(QUICK) as smsc:
            async with esme(smsc, answer=answers(then=None)) as first:
                await first.submit(short_message=b"ok", registered_delivery=1)
            async with esme(smsc, answer=answers(Status.RX_T_APPN)) as second:
                await smsc.receipted()
                assert len(second.delivered) == 2
            assert smsc.receipts[0].status == Status.ROK

    run(scenario())


def test_data_sm_is_taken_too(esme: Bound) -> None:
    async def scenario() -> None:
        async with Smsc(QUICK) as smsc, esme(smsc) as bound:
            payload = [(Tlv.MESSAGE_PAYLOAD, b"ok")]
            response = await bound.submit(command=Command.DATA_SM, tlvs=payload)
            assert response.text("message_id") == "1"
            assert (await smsc.answer_to(PHONE)).text == "ok"

    run(scenario())


@pytest.mark.parametrize(
    ("command", "fields", "status"),
    [
        (Command.CANCEL_SM, {"message_id": "1"}, Status.RCANCELFAIL),
        (Command.REPLACE_SM, {"message_id": "1"}, Status.RREPLACEFAIL),
    ],
    ids=lambda value: value.name if isinstance(value, Command) else "",
)
def test_what_it_cannot_do_it_says(
    esme: Bound, command: Command, fields: dict[str, str], status: int
) -> None:
    async def scenario() -> None:
        async with Smsc(QUICK) as smsc, esme(smsc) as bound:
            loop = asyncio.get_running_loop()
            response: asyncio.Future[Pdu] = loop.create_future()
            bound.session.request(command, fields, (), 0.0, response)
            bound.write()
            assert (await asyncio.wait_for(response, 5.0)).status == status

    run(scenario())


# -- faults --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("faults", "statuses"),
    [
        (Faults(refuse=Pick(first=1), refuse_status=0x14), [0x14, 0, 0]),
        (Faults(refuse=Pick(each=3)), [0, 0, 0x08]),
        (Faults(throttle=2), [0, 0, 0x58]),
        (Faults(lose=Pick(first=1)), [None, 0, 0]),
        (Faults(delay=0.02), [0, 0, 0]),
        (Faults(drop_after=3), [0, None, None]),  # the bind is the first PDU
        (Faults(drop_after=3, drop_by_reset=True), [0, None, None]),
        (Faults(early_receipts=True), [0, 0, 0]),
    ],
    ids=["refuse", "refuse each third", "throttle", "lose", "delay", "drop", "reset", "early"],
)
def test_submits_meet_the_fault(esme: Bound, faults: Faults, statuses: list[int | None]) -> None:
    async def scenario() -> None:
        async with Smsc(QUICK, faults) as smsc, esme(smsc) as bound:
            responses = [bound.post(short_message=b"ok")]
            # One at a time: what was answered before a connection is cut has arrived.
            for _ in statuses[1:]:
                if statuses[0] is not None:
                    await asyncio.wait(responses, timeout=5.0)
                if not bound.ended.is_set():
                    responses.append(bound.post(short_message=b"ok"))
            await asyncio.wait(responses[statuses[0] is None :], timeout=5.0)
            taken = [submit.status for submit in smsc.submits]
        answered = [each.result() for each in responses]
        assert [each and each.status for each in answered] == statuses[: len(answered)]
        assert taken == [status or 0 for status in statuses if not faults.drop_after or status == 0]

    run(scenario())


def test_a_receipt_can_come_before_its_response(esme: Bound) -> None:
    async def scenario() -> None:
        async with (
            Smsc(QUICK, Faults(early_receipts=True)) as smsc,
            esme(smsc) as bound,
        ):
            order: list[str] = []

            def receipt(_: Pdu) -> int:
                order.append("receipt")
                return Status.ROK

            bound.answer = receipt
            response = bound.post(short_message=b"ok", registered_delivery=1)
            response.add_done_callback(lambda _: order.append("response"))
            await asyncio.wait_for(response, 5.0)
            await smsc.receipted()
            assert order == ["receipt", "response"]

    run(scenario())


@pytest.mark.parametrize(
    ("faults", "status"),
    [
        (Faults(refuse_binds=Pick(first=1)), Status.RBINDFAIL),
        (Faults(refuse_binds=Pick(each=1), refuse_bind_status=0x58), 0x58),
        (Faults(drop_after=1), -1),
    ],
    ids=["first", "all throttled", "dropped"],
)
def test_binds_meet_the_fault(esme: Bound, faults: Faults, status: int) -> None:
    async def scenario() -> None:
        async with Smsc(QUICK, faults) as smsc:
            async with esme(smsc, status=status):
                pass
            smsc.faults = Faults()
            async with esme(smsc):
                await smsc.bound()

    run(scenario())


def test_a_mute_connection_says_nothing(esme: Bound) -> None:
    async def scenario() -> None:
        async with Smsc(QUICK, Faults(mute=True)) as smsc:
            loop = asyncio.get_running_loop()
            reader, writer = await asyncio.open_connection(*smsc.address)
            writer.write(bytes.fromhex("00000010000000150000000000000001"))  # enquire_link
            smsc.faults = Faults()
            async with esme(smsc):
                await smsc.bound()
            silence = loop.create_task(reader.read(1))
            done, _ = await asyncio.wait({silence}, timeout=0.05)
            assert not done
            smsc.drop()
            assert await asyncio.wait_for(silence, 5.0) == b""
            writer.close()
            await writer.wait_closed()

    run(scenario())


def test_answers_lost_with_the_connection_are_not_heard(esme: Bound) -> None:
    async def scenario() -> None:
        async with Smsc(QUICK) as smsc:
            mos = [smsc.send(PHONE, "smetka"), smsc.send(PHONE, "stop")]
            smsc.faults = Faults(drop_after=3)  # the bind, the first answer, the second
            async with esme(smsc) as bound:
                await bound.ended.wait()
            smsc.faults = Faults()
            assert [mo.statuses for mo in mos] == [(0,), ()]
            async with esme(smsc) as second:
                await smsc.acknowledged(*mos)
            assert [pdu.octets("short_message") for pdu in second.delivered] == [b"stop"]

    run(scenario())


# -- waiting -------------------------------------------------------------------------------


def test_answers_to_one_customer_come_in_turn(esme: Bound) -> None:
    async def scenario() -> None:
        async with Smsc(QUICK) as smsc, esme(smsc) as bound:
            for text in (b"one", b"two"):
                await bound.submit(short_message=text)
            assert (await smsc.answer_to(PHONE)).text == "one"
            assert (await smsc.answer_to(PHONE)).text == "two"
            with pytest.raises(NotSeenError, match=f"no message 3 to {PHONE} within 0.01 s"):
                await smsc.answer_to(PHONE, within=0.01)

    run(scenario())


def test_waiting_in_vain_says_what_was_seen(esme: Bound) -> None:
    async def scenario() -> None:
        async with Smsc(QUICK) as smsc:
            smsc.send(PHONE, "smetka")
            with pytest.raises(NotSeenError) as unseen:
                await smsc.bound(within=0.01)
            assert str(unseen.value) == (
                "no 1 bound sessions within 0.01 s; seen: 0 binds asked for, 0 sessions bound; "
                "customers' messages: {'waiting': 1}; 0 submits taken, 0 refused; "
                "receipts: 0; messages to customers: 0"
            )
            async with esme(smsc) as bound:
                await bound.submit(short_message=b"ok")
                with pytest.raises(NotSeenError, match=r"1 bind.*\n  to 359888123456: 'ok'$"):
                    await smsc.received(2, within=0.01)

    run(scenario())

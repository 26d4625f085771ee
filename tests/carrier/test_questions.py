"""query_sm: what is asked, what the replies say, and how few places it takes."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.carrier.questions import Questions, Reply
from smsgw.carrier.translate import Translator
from smsgw.metrics import REGISTRY
from smsgw.service.message import (
    Inquiry,
    MessageKind,
    Msisdn,
    Receipt,
    ReceiptState,
    SegmentKey,
)
from smsgw.settings.carrier import CarrierSettings
from smsgw.smpp.codec import Pdu, encode
from smsgw.smpp.session import Received, State
from smsgw.smpp.tables import Command, Status

Play = Callable[..., list[Any]]
AT = 1_800_000_000.0
PHONE = Msisdn("359888123456")


def inquiry(number: int = 1, **changes: Any) -> Inquiry:
    asked = Inquiry(
        SegmentKey(number, 1), "mtel", MessageKind.NOTICE, PHONE, f"{number}", f"0{number}"
    )
    return asked._replace(**changes)


def translator(**keys: Any) -> Translator:
    login = {"id": "mtel", "host": "h", "port": 1, "system_id": "cez", "password": "secret"}
    return Translator(CarrierSettings.model_validate({**login, **keys}), "170077")


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, {"carrier": "mtel", **labels}) or 0.0


# -- what is asked, and what is said ---------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "source"),
    [
        ({}, (3, 0, "170077")),
        ({"source": {"address": "CEZ", "ton": 5}}, (5, 0, "CEZ")),
        ({"kinds": {"notice": {"source": {"address": "1700", "npi": 1}}}}, (3, 1, "1700")),
    ],
    ids=["shortcode", "carrier's", "kind's"],
)
def test_a_question_has_the_id_and_the_source_of_its_submit(
    keys: dict[str, Any], source: tuple[int, int, str]
) -> None:
    fields = dict(translator(**keys).query(inquiry()))
    assert fields == {
        "message_id": "01",
        "source_addr_ton": source[0],
        "source_addr_npi": source[1],
        "source_addr": source[2],
    }
    assert encode(Pdu(Command.QUERY_SM, 0, 1, fields))


def said(state: int, **fields: Any) -> Pdu:
    body = {"message_id": "01", "message_state": state, **fields}
    return Pdu(Command.QUERY_SM_RESP, 0, 1, body)


def learned(state: ReceiptState, error: str = "", done_date: str = "") -> Reply:
    return Reply(Receipt("mtel", AT, "1", state, error, PHONE, done_date))


NOTHING = Reply()


@pytest.mark.parametrize(
    ("response", "reply"),
    [
        (said(0), learned(ReceiptState.ENROUTE)),
        (said(1), learned(ReceiptState.ENROUTE)),
        (
            said(2, final_date="261122141300008+"),
            learned(ReceiptState.DELIVERED, done_date="261122141300008+"),
        ),
        (said(3), learned(ReceiptState.EXPIRED)),
        (said(4), learned(ReceiptState.DELETED)),
        (said(5, error_code=69), learned(ReceiptState.UNDELIVERABLE, "69")),
        (said(6), learned(ReceiptState.ACCEPTED)),
        (said(7), NOTHING),
        (said(8), learned(ReceiptState.REJECTED)),
        (said(9), learned(ReceiptState.UNDELIVERABLE)),
        (said(10), NOTHING),
        (Pdu(Command.QUERY_SM_RESP, 0, 1), NOTHING),
        (Pdu(Command.QUERY_SM_RESP, 0, 1, {"message_id": "01"}), NOTHING),
        (Pdu(Command.QUERY_SM_RESP, Status.RQUERYFAIL, 1), NOTHING),
        (Pdu(Command.QUERY_SM_RESP, Status.RINVMSGID, 1), NOTHING),
        (Pdu(Command.QUERY_SM_RESP, Status.RTHROTTLED, 1), Reply(throttled=True)),
        (Pdu(Command.GENERIC_NACK, Status.RTHROTTLED, 1), Reply(throttled=True)),
        (Pdu(Command.GENERIC_NACK, Status.RINVCMDID, 1), Reply(unserved=True)),
        (Pdu(Command.QUERY_SM_RESP, Status.RINVCMDID, 1), Reply(unserved=True)),
        (Pdu(Command.GENERIC_NACK, 0, 1), NOTHING),
        (Pdu(Command.GENERIC_NACK, Status.RSYSERR, 1), NOTHING),
    ],
)
def test_what_a_reply_says(response: Pdu, reply: Reply) -> None:
    assert translator().reply(inquiry(), response, AT) == reply


# -- how many --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free", "in_flight", "places"),
    [
        (50, 0, 5),
        (49, 1, 4),
        (10, 40, 1),
        (9, 41, 0),
        (0, 50, 0),
        (9, 0, 1),
        (1, 0, 1),
        (0, 0, 0),
        (5, 4, 0),
    ],
)
def test_a_tenth_of_what_is_free(free: int, in_flight: int, places: int) -> None:
    assert Questions(served=True).places(free, in_flight) == places


def test_those_on_their_way_are_of_the_same_tenth() -> None:
    questions = Questions(served=True)
    questions.asked(3)
    assert questions.places(47, 3) == 2
    questions.asked(2)
    assert questions.places(45, 5) == 0
    questions.answered(1)
    assert questions.places(46, 4) == 1


@given(st.integers(1, 300), st.data())
def test_never_more_than_a_tenth(window: int, data: st.DataObject) -> None:
    questions, asked, submits = Questions(served=True), 0, 0
    for _ in range(30):
        submits = data.draw(st.integers(0, window - asked))
        free = window - asked - submits
        places = questions.places(free, asked + submits)
        assert 0 <= places <= free
        count = data.draw(st.integers(0, places))
        questions.asked(count)
        asked += count
        assert not count or asked <= max((free + asked - count) / 10, 1)
        done = data.draw(st.integers(0, asked))
        questions.answered(done)
        asked -= done


def test_who_knows_no_query_is_asked_nothing_until_the_next_bind() -> None:
    questions = Questions(served=True)
    assert questions.unserved()
    assert not questions.unserved(), "no news"
    assert questions.places(50, 0) == 0
    questions.bound()
    assert questions.places(50, 0) == 5
    never = Questions(served=False)
    never.bound()
    assert never.places(50, 0) == 0


# -- on a link -------------------------------------------------------------------------------


class Oracle:
    """Takes what a link's peer received apart: queries here, submits as the peer does."""

    def __init__(self, peer: Any) -> None:
        self.queries: list[Pdu] = []
        self.peer = peer
        self._act = peer.act
        peer.act = self.act

    def act(self, events: Any, now: float) -> None:
        mine = [each for each in events if isinstance(each, Received) and each.pdu.command == 3]
        self.queries += [each.pdu for each in mine]
        self._act([each for each in events if each not in mine], now)

    def reply(self, query: Pdu, status: int = 0, **fields: Any) -> None:
        now = asyncio.get_running_loop().time()
        self.peer.session.respond(query, status, now, None if status else fields)
        self.peer.flush()

    def nack(self, query: Pdu, status: int) -> None:
        self.reply(Pdu(0, sequence=query.sequence), status)


async def oracle_of(bench: Any) -> Oracle:
    await bench.bound()
    return Oracle(bench.smsc.peer)


MANY = [inquiry(number) for number in range(1, 100)]


def test_what_is_asked_is_learned(world: Any, play: Play) -> None:
    before = metric("smsgw_questions_total", state="delivered")

    async def scenario(bench: Any) -> None:
        oracle = await oracle_of(bench)
        assert bench.link.ask(MANY) == 5
        assert bench.link.state().in_flight == 5
        await bench.until(lambda: len(oracle.queries) == 5)
        assert [each.text("message_id") for each in oracle.queries] == [
            "01",
            "02",
            "03",
            "04",
            "05",
        ]
        assert bench.link.ask(MANY) == 0
        for query in oracle.queries:
            oracle.reply(query, message_id=query.text("message_id"), message_state=2)
        await bench.until(lambda: len(world.diary.receipts) == 5)
        assert [each.message_id for each in world.diary.receipts] == ["1", "2", "3", "4", "5"]
        assert {each.source for each in world.diary.receipts} == {PHONE}
        assert world.diary.named("settled") == []
        assert bench.link.capacity() == 50
        assert bench.link.ask(MANY) == 5
        assert metric("smsgw_questions_total", state="delivered") == before + 5

    play(scenario)


def test_without_a_session_nobody_is_asked(world: Any, play: Play) -> None:
    world.smsc.mute = True

    async def scenario(bench: Any) -> None:
        assert bench.link.ask(MANY) == 0

    play(scenario)


def test_over_several_sessions_each_is_asked_its_share(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        await bench.until(lambda: bench.link.capacity() == 100)
        oracles = [Oracle(peer) for peer in bench.smsc.peers]
        assert bench.link.ask(MANY) == 10
        await bench.until(lambda: all(len(each.queries) == 5 for each in oracles))

    play(scenario, sessions=2)


def test_questions_take_tokens(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        oracle = await oracle_of(bench)
        assert bench.link.ask(MANY) == 1
        assert (bench.link.capacity(), bench.link.ask(MANY)) == (0, 0)
        await bench.until(lambda: len(oracle.queries) == 1)
        await asyncio.sleep(0.2)
        assert bench.link.capacity() == 1
        oracle.reply(oracle.queries[0], Status.RTHROTTLED)
        await bench.until(lambda: not bench.link.state().in_flight)
        assert bench.link.capacity() == 0, "the link rests"
        assert world.diary.receipts == []

    play(scenario, throughput=10)


@pytest.mark.parametrize("how", ["nack", "response"])
def test_a_carrier_that_knows_no_query_is_asked_no_more(world: Any, play: Play, how: str) -> None:
    async def scenario(bench: Any) -> None:
        oracle = await oracle_of(bench)
        bench.link.ask(MANY)
        await bench.until(lambda: len(oracle.queries) == 5)
        for query in oracle.queries:
            answer = oracle.nack if how == "nack" else oracle.reply
            answer(query, Status.RINVCMDID)
        await bench.until(lambda: not bench.link.state().in_flight)
        assert bench.link.ask(MANY) == 0
        assert (bench.link.capacity(), world.diary.entries) == (50, [("ready", "mtel", 0.0)] * 2)
        bench.smsc.peer.transport.abort()
        await bench.bound(sessions=2)
        assert bench.link.ask(MANY) == 5, "perhaps it has learned it"

    logs = play(scenario)
    assert [each["event"] for each in logs].count("link.questions_unserved") == 1


def test_a_question_without_an_answer_costs_its_place_for_a_while_and_no_more(
    world: Any, play: Play
) -> None:
    before = metric("smsgw_questions_total", state="nothing")

    async def scenario(bench: Any) -> None:
        oracle = await oracle_of(bench)
        bench.link.ask(MANY)
        await asyncio.sleep(61)
        assert bench.link.state().in_flight == 0
        assert bench.status.value == "bound", "submits are answered, as far as is known"
        assert len(bench.smsc.dials) == 1
        assert world.diary.named("settled") == world.diary.named("learned") == []
        assert metric("smsgw_questions_total", state="nothing") == before + 5
        oracle.reply(oracle.queries[0], message_id="1", message_state=5, error_code=1)
        await bench.until(lambda: world.diary.receipts)
        assert world.diary.named("learned") == [("learned", ["undeliverable"])], "late, and true"
        assert bench.link.ask(MANY) == 5

    play(scenario)


def test_a_question_that_can_not_be_written_is_none(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        oracle = await oracle_of(bench)
        asked = [inquiry(1, response_id="x" * 66), inquiry(2)]
        assert bench.link.ask(asked) == 2
        await bench.until(lambda: len(oracle.queries) == 1)
        assert bench.link.state().in_flight == 1

    play(scenario)


def test_a_session_unfit_to_send_is_unbound_after_its_last_reply(world: Any, play: Play) -> None:
    world.smsc.submit_status = Status.RINVBNDSTS

    async def scenario(bench: Any) -> None:
        oracle = await oracle_of(bench)
        bench.link.ask(MANY[:1])
        bench.submit(1)
        await bench.until(lambda: oracle.queries and world.diary.outcomes)
        await asyncio.sleep(5)
        assert bench.smsc.peer.session.state is State.BOUND_TRX
        oracle.reply(oracle.queries[0], message_id="1", message_state=2)
        await bench.bound(sessions=2)
        assert world.diary.receipts

    play(scenario)


def test_whoever_waits_for_a_place_is_told_when_a_reply_frees_it(world: Any, play: Play) -> None:
    async def scenario(bench: Any) -> None:
        oracle = await oracle_of(bench)
        assert bench.link.ask(MANY) == 1, "of a small window one, while nothing else goes on"
        assert bench.link.capacity() == 0
        await bench.until(lambda: oracle.queries)
        ready = len(world.diary.named("ready"))
        oracle.reply(oracle.queries[0], Status.RQUERYFAIL)
        await bench.until(lambda: len(world.diary.named("ready")) == ready + 1)
        assert bench.link.capacity() == 1

    play(scenario, window=1)

"""Requests that are made again: done once, and answered as before."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from doors.bench import Bench

from smsgw.service.message import Channel
from smsgw.storage import requests

Play = Callable[..., None]
NEW = {"msisdn": "359888123456", "text": "Taka e"}
KEY = {"idempotency-key": "order-17"}


async def sent(bench: Bench) -> int:
    (count,) = await bench.database.run(
        lambda con: con.execute("SELECT count(*) FROM mt").fetchone()
    )
    return int(count)


def test_it_is_done_once(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        first = await bench.ask("POST", "/messages", NEW, headers=KEY)
        again = await bench.ask("POST", "/messages", NEW, headers=KEY)
        assert (first.status, again.status, again.json) == (201, 201, first.json)
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        assert await sent(bench) == 1
        await bench.ask("POST", "/messages", NEW)
        assert await sent(bench) == 2, "without a key each is another"

    play(scenario)


def test_at_the_same_moment(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.key()
        asked = [bench.ask("POST", "/messages", NEW, headers=KEY) for _ in range(8)]
        answers = await asyncio.gather(*asked)
        assert {(one.status, one.body) for one in answers} == {(201, answers[0].body)}
        assert await sent(bench) == 1

    play(scenario)


def test_another_request_under_the_same_key(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask("POST", "/messages", NEW, headers=KEY)
        for other in ({"text": "other"}, {"msisdn": "359888123457"}, {"carrier": "mtel"}):
            answer = await bench.ask("POST", "/messages", NEW | other, headers=KEY)
            assert (answer.status, answer.json["type"]) == (409, "urn:smsgw:key_reused")
            assert answer.fields == ["Idempotency-Key"]
        registration = {"msisdn": NEW["msisdn"], "customer_number": "300012345678"}
        answer = await bench.ask("POST", "/registrations", registration, headers=KEY)
        assert answer.status == 409
        assert await sent(bench) == 1

    play(scenario)


def test_keys_of_two_partners_are_two(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        other = await bench.key("other", Channel.API)
        await bench.ask("POST", "/messages", NEW, headers=KEY)
        answer = await bench.ask("POST", "/messages", NEW | {"text": "x"}, headers=KEY, key=other)
        assert answer.status == 201

    play(scenario)


def test_a_refusal_is_answered_again_too(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        long = NEW | {"text": "x" * 700}
        first = await bench.ask("POST", "/messages", long, headers=KEY)
        again = await bench.ask("POST", "/messages", long, headers=KEY)
        assert (first.status, first.fields) == (409, ["text"])
        assert (again.status, again.json) == (409, first.json)
        assert again.headers["content-type"] == "application/problem+json"

    play(scenario)


def test_an_answer_that_is_no_longer_kept(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask("POST", "/messages", NEW, headers=KEY)
        bench.clock.at += requests.KEPT + 1
        dropped = await bench.database.run(requests.drop_answers, bench.clock.at, 100)
        assert dropped == 1
        answer = await bench.ask("POST", "/messages", NEW, headers=KEY)
        assert (answer.status, answer.json["type"]) == (409, "urn:smsgw:answer_dropped")
        assert await sent(bench) == 1

    play(scenario)


@pytest.mark.parametrize("value", ["", "with blanks", "x" * 129, "ж"])
def test_keys_that_are_none(play: Play, value: str) -> None:
    async def scenario(bench: Bench) -> None:
        headers = {"idempotency-key": value or " "}
        answer = await bench.ask("POST", "/messages", NEW, headers=headers)
        assert (answer.status, answer.fields) == (422, ["Idempotency-Key"])

    play(scenario)


def test_what_is_begun_is_begun_once(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.key()
        asked = requests.Asked(bench.clock.at, 1, "run", "once", b"f")

        async def begin(*under_way: int) -> Any:
            return await bench.database.run(requests.begin, asked, under_way)

        first = await begin()
        with pytest.raises(requests.RepeatedError, match="still under way"):
            await begin(first)
        assert await begin() == first, "it was cut off: it is taken up again"
        done = requests.Answer(201, {"run": 7})
        await bench.database.run(requests.end, first, done)
        assert await begin(first) == done._replace(again=True)

    play(scenario)

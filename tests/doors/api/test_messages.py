"""Messages over HTTP."""

from collections.abc import Callable
from typing import Any, get_args

import pytest
from doors.bench import Bench

from smsgw.doors.api.messages import Kind, State
from smsgw.service.message import Channel, MessageKind
from smsgw.service.partner import Scope
from smsgw.service.record import LIVE

Play = Callable[..., None]
NEW = {"msisdn": "359888123456", "text": "Taka e"}


def test_the_words_are_all_there_are() -> None:
    assert set(get_args(State)) == set(LIVE)
    assert set(get_args(Kind)) == {kind.name.lower() for kind in MessageKind}


def test_it_is_queued_and_seen(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        answer = await bench.ask("POST", "/messages", NEW | {"text": "ж" * 71})
        assert (answer.status, answer.json) == (
            201, {"id": 1, "carrier": "mtel", "parts": 2, "encoding": "ucs2"},
        )  # fmt: skip
        assert bench.queued
        seen = (await bench.ask("GET", "/messages/1")).json
        assert (seen["kind"], seen["state"], len(seen["segments"])) == ("manual", "queued", 2)
        assert seen["valid_until"] == "2027-01-18T10:00:00+02:00"

    play(scenario)


@pytest.mark.parametrize(
    ("change", "status", "field", "detail"),
    [
        ({"text": ""}, 422, "text", "should have at least 1 character"),
        ({"text": " \n"}, 422, "text", "should match pattern"),
        ({"text": "x" * 1001}, 422, "text", "should have at most 1000 characters"),
        ({"text": "x" * 613}, 409, "text", "takes 5 parts, and replies.max_parts is 4: shorten it"),
        ({"text": 17}, 422, "text", "should be a valid string"),
        ({"carrier": "vivacom"}, 409, "carrier", "carrier vivacom is not enabled: name another"),
        ({"carrier": "x"}, 422, "carrier", "must be one of mtel, telenor, vivacom"),
        ({"msisdn": "359878123456"}, 409, "carrier", "nothing says which carrier"),
    ],
)
def test_what_is_not_sent(
    play: Play, change: dict[str, Any], status: int, field: str, detail: str
) -> None:
    async def scenario(bench: Bench) -> None:
        answer = await bench.ask("POST", "/messages", NEW | change)
        assert (answer.status, answer.fields) == (status, [field])
        assert detail in answer.json["errors"][0]["detail"]

    play(scenario)


def test_half_a_character_is_no_text(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        raw = b'{"msisdn": "359888123456", "text": "\\ud83d"}'
        headers = {"content-type": "application/json"}
        answer = await bench.ask("POST", "/messages", raw=[raw], headers=headers)
        assert (answer.status, answer.fields) == (422, ["text"])

    play(scenario)


def test_who_sees_what(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        sender = await bench.key("sender", Channel.API, {Scope.MESSAGES})
        other = await bench.key("other", Channel.API, {Scope.MESSAGES})
        clerk = await bench.key("clerk", Channel.CENTRE, {Scope.LOOKUPS})
        await bench.ask("POST", "/messages", NEW | {"text": "Call 0888123456"}, key=sender)
        statuses = [
            (await bench.ask("GET", path, key=key)).status
            for path in ("/messages/1", "/messages")
            for key in (sender, other, clerk)
        ]
        assert statuses == [200, 404, 200, 403, 403, 200]
        seen = (await bench.ask("GET", "/messages/1", key=clerk)).json
        assert seen["msisdn"] == "35988****456"
        assert "123" not in seen["text"]
        everything = await bench.key("everything")
        assert (await bench.ask("GET", "/messages/1", key=everything)).json["msisdn"] == (
            "359888123456"
        )

    play(scenario)


def test_page_by_page(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        for carrier in ("mtel", "telenor", "mtel"):
            await bench.ask("POST", "/messages", NEW | {"carrier": carrier})

        async def page(query: str) -> tuple[list[int], int | None]:
            answer = (await bench.ask("GET", f"/messages?{query}")).json
            return [one["id"] for one in answer["items"]], answer["next"]

        assert await page("limit=2") == ([1, 2], 2)
        assert await page("limit=2&after=2") == ([3], None)
        assert await page("carrier=telenor") == ([2], None)
        assert await page("state=held") == ([], None)

    play(scenario)

"""Who is let in, how often, and with what."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from doors.bench import Bench

from smsgw.doors import bodies
from smsgw.doors.api import gate
from smsgw.service.message import Channel
from smsgw.service.partner import Scope
from smsgw.storage import partners

Play = Callable[..., None]
JSON = {"content-type": "application/json"}
NEW = {"msisdn": "359888123456", "customer_number": "300012345678"}


@pytest.mark.parametrize(
    ("authorization", "detail"),
    [
        ("", "send your key, as in Authorization: Bearer smsgw_…"),
        ("Basic dXNlcjpwYXNz", "send your key, as in Authorization: Bearer smsgw_…"),
        ("Bearer ", "send your key, as in Authorization: Bearer smsgw_…"),
        ("Bearer smsgw_none", "nobody has this key"),
        ("Bearer something", "nobody has this key"),
        (f"Bearer smsgw_{'x' * 1000}", "nobody has this key"),
    ],
)
def test_without_a_key(play: Play, authorization: str, detail: str) -> None:
    async def scenario(bench: Bench) -> None:
        answer = await bench.ask("GET", "/registrations", headers={"authorization": authorization})
        assert (answer.status, answer.json["detail"]) == (401, detail)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == 'Bearer realm="smsgw"'
        assert answer.headers["content-security-policy"]
        assert bench.paused == [gate.LATE], "who tries keys is slowed down"

    play(scenario)


def test_a_revoked_key(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        key = await bench.key("easy")
        assert (await bench.ask("GET", "/registrations", key=key)).status == 200
        await bench.database.run(partners.revoke, "easy", "ana", bench.clock.at)
        answer = await bench.ask("GET", "/registrations", key=key)
        assert (answer.status, answer.json["detail"]) == (401, "this key is revoked")

    play(scenario)


def test_a_key_for_something_else(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        key = await bench.key("reports", Channel.API, {Scope.REPORTS})
        answer = await bench.ask("POST", "/registrations", NEW, key=key)
        assert answer.status == 403
        assert answer.json["type"] == "urn:smsgw:scope"
        assert answer.json["detail"] == "the key 'reports' has not the scope registrations"
        rows = await bench.database.run(lambda con: con.execute("SELECT 1 FROM request").fetchall())
        assert rows == []

    play(scenario)


def test_the_description_needs_no_key(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        answer = await bench.ask("GET", "/openapi.json", headers={"authorization": ""})
        assert answer.status == 200
        assert "/api/v1/registrations" in answer.json["paths"]

    play(scenario)


def test_what_there_is_not(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        for path in ("/nothing", "/registrations/../../etc/passwd", "/registrations/1/2"):
            answer = await bench.ask("GET", path)
            assert (answer.status, answer.json["title"]) == (404, "Not Found")
        answer = await bench.ask("PUT", "/registrations")
        assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")

    play(scenario)


def test_the_rate_of_a_key(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        often = await bench.key("often", rate=None)  # as http.rate has it
        seldom = await bench.key("seldom", rate=1.0)
        asked = [(await bench.ask("GET", "/registrations", key=seldom)).status for _ in range(4)]
        assert asked == [200, 200, 429, 429]
        refused = await bench.ask("GET", "/registrations", key=seldom)
        assert refused.json["type"] == "urn:smsgw:rate"
        assert refused.headers["retry-after"] == "1"
        assert bench.paused == [gate.LATE] * 3
        assert (await bench.ask("GET", "/registrations", key=often)).status == 200
        bench.clock.at += 1
        assert (await bench.ask("GET", "/registrations", key=seldom)).status == 200

    play(scenario)


def test_the_rate_in_all(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        asked = [await bench.ask("GET", "/registrations") for _ in range(7)]
        assert [one.status for one in asked] == [200] * 6 + [429]
        assert asked[-1].json["type"] == "urn:smsgw:rate_in_all"

    play(scenario, "http: {rate_in_all: 3}\n")


def test_so_many_at_once(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "AT_ONCE", 2)

    async def scenario(bench: Bench) -> None:
        await bench.key()
        asked = [bench.ask("GET", "/registrations") for _ in range(6)]
        answers = await asyncio.gather(*asked)
        assert sorted({one.status for one in answers}) == [200, 503]
        assert {one.json["type"] for one in answers if one.status == 503} == {"urn:smsgw:busy"}

    play(scenario)


@pytest.mark.parametrize(
    ("kind", "body", "status", "field", "detail"),
    [
        ("text/plain", b"{}", 415, "Content-Type", "send the body as application/json"),
        ("", b"{}", 415, "Content-Type", "send the body as application/json"),
        ("application/json; charset=windows-1251", b"{}", 415, "Content-Type", "send the body in"),
        ("application/json", b"\xff\xfe\xfd", 400, None, "There was an error parsing the body"),
        ("application/json", b"{", 422, "body", "is no JSON: Expecting property name"),
        ("application/json", b"[]", 422, "body", "Input should be"),
        ("application/json", b"null", 422, "body", ""),
        ("application/json", b'{"msisdn": "\xd0\xb0"}', 422, "msisdn", "is not a phone number"),
        ("application/json", b'{"msisdn": NaN}', 422, "msisdn", "must be a string"),
        ("application/json", b"[" * 100_000, 400, None, "There was an error parsing the body"),
        ("application/json", b" " * 300_000, 413, None, "the body is longer than 262144 octets"),
    ],
)
def test_bodies_that_are_none(
    play: Play, kind: str, body: bytes, status: int, field: str | None, detail: str
) -> None:
    async def scenario(bench: Bench) -> None:
        headers = {"content-type": kind}
        answer = await bench.ask("POST", "/registrations", raw=[body], headers=headers)
        assert answer.status == status
        assert answer.headers["content-type"] == "application/problem+json"
        if field is not None:
            assert field in answer.fields
            assert detail in {one["field"]: one["detail"] for one in answer.json["errors"]}[field]
        else:
            assert answer.json["detail"] == detail

    play(scenario)


def test_a_body_that_grows_past_the_bound(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        headers = JSON | {"content-length": "", "transfer-encoding": "chunked"}
        answer = await bench.ask("POST", "/messages", raw=[b" " * 65536] * 5, headers=headers)
        assert (answer.status, answer.headers["connection"]) == (413, "close")

    play(scenario)


def test_a_slow_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each request the time counts as a whole: a little now and then does not prolong it."""

    async def scenario() -> None:
        async def never() -> Any:
            await asyncio.Event().wait()

        with pytest.raises(bodies.ProblemError) as raised:
            await bodies.bounded(never, 10, patience=0.0)()
        assert raised.value.status_code == 408
        assert raised.value.detail == "the body did not come within 0 seconds"

    asyncio.run(scenario())


def test_the_database_can_not_be_used(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.key()
        await bench.database.__aexit__()
        answer = await bench.ask("GET", "/registrations")
        assert (answer.status, answer.json["type"]) == (503, "urn:smsgw:storage")
        assert answer.headers["retry-after"] == "5"

    play(scenario)

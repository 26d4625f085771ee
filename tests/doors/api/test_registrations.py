"""Registrations over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from doors.bench import Bench, T

from smsgw.service.message import Channel, Msisdn
from smsgw.service.partner import Scope
from smsgw.storage import stops
from smsgw.storage.database import transaction

Play = Callable[..., None]
NEW = {"msisdn": "359888123456", "customer_number": "300012345678"}
REGISTRATIONS = {Scope.REGISTRATIONS}


def test_it_is_made_once(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        key = await bench.key("easypay office", Channel.EASYPAY, REGISTRATIONS)
        made = await bench.ask("POST", "/registrations", NEW, key=key)
        assert made.status == 201
        assert made.json == {
            "id": 1,
            **NEW,
            "state": "pending",
            "carrier": "mtel",
            "script": "latin",
            "channel": "easypay",
            "requested_at": "2027-01-15T10:00:00+02:00",
            "activated_at": None,
            "ended_at": None,
            "suspect_at": None,
            "created": True,
            "changed": [],
            "confirmation": False,
        }
        assert bench.queued
        again = await bench.ask("POST", "/registrations", NEW, key=key)
        assert (again.status, again.json) == (200, {**made.json, "created": False})
        audit = await bench.database.run(
            lambda con: con.execute("SELECT change, channel, who FROM audit").fetchall()
        )
        assert audit == [("requested", "easypay", "easypay office")]

    play(scenario)


def test_one_that_is_there_takes_what_is_named(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask("POST", "/registrations", NEW)
        more = {"carrier": "telenor", "script": "cyrillic"}
        answer = await bench.ask("POST", "/registrations", NEW | more)
        assert answer.status == 200
        assert answer.json["changed"] == ["carrier", "script"]
        assert {name: answer.json[name] for name in more} == more

    play(scenario)


@pytest.mark.parametrize("phone", ["0888123456", "+359888123456", "00359888123456"])
def test_phones_as_programs_write_them(play: Play, phone: str) -> None:
    async def scenario(bench: Bench) -> None:
        answer = await bench.ask("POST", "/registrations", NEW | {"msisdn": phone})
        assert (answer.status, answer.json["msisdn"]) == (201, "359888123456")

    play(scenario)


@pytest.mark.parametrize(
    ("change", "status", "field", "detail"),
    [
        ({"msisdn": "306912345678"}, 422, "msisdn", "is not a Bulgarian phone number"),
        ({"msisdn": "0299912345"}, 422, "msisdn", "is not a phone number"),
        ({"msisdn": "0888 123 456"}, 422, "msisdn", "must be digits, as 359888123456 is"),
        ({"msisdn": 359888123456}, 422, "msisdn", "must be a string"),
        ({"msisdn": None}, 422, "msisdn", "must be a string"),
        ({"customer_number": "30001234567"}, 422, "customer_number", "a string of 12 digits"),
        ({"customer_number": "٣٠٠٠١٢٣٤٥٦٧٨"}, 422, "customer_number", "a string of 12 digits"),
        ({"customer_number": 300012345678}, 422, "customer_number", "a string of 12 digits"),
        ({"carrier": "nobody"}, 422, "carrier", "must be one of mtel, telenor, vivacom"),
        ({"script": "greek"}, 422, "script", "Input should be 'latin' or 'cyrillic'"),
        ({"channel": "web"}, 403, "channel", "registers by centre only"),
        ({"chanel": "centre"}, 422, "chanel", "Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong_is_named(
    play: Play, change: dict[str, Any], status: int, field: str, detail: str
) -> None:
    async def scenario(bench: Bench) -> None:
        answer = await bench.ask("POST", "/registrations", NEW | change)
        assert answer.status == status
        assert answer.headers["content-type"] == "application/problem+json"
        (error,) = answer.json["errors"]
        assert error["field"] == field
        assert detail in error["detail"]

    play(scenario)


def test_what_is_missing_is_named(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        assert (await bench.ask("POST", "/registrations", {})).fields == list(NEW)

    play(scenario)


@pytest.mark.parametrize(
    ("more", "before", "new", "word"),
    [
        ("subscriptions: {numbers_per_phone: 1}", NEW, {"customer_number": "300012345679"},
         "too_many_numbers"),
        ("subscriptions: {phones_per_number: 1}", NEW, {"msisdn": "359888123457"},
         "too_many_phones"),
        ("", NEW, {"customer_number": "359888123456"}, "looks_like_phone"),
    ],
)  # fmt: skip
def test_bounds(play: Play, more: str, before: Any, new: Any, word: str) -> None:
    async def scenario(bench: Bench) -> None:
        assert (await bench.ask("POST", "/registrations", before)).status == 201
        answer = await bench.ask("POST", "/registrations", NEW | new)
        assert (answer.status, answer.json["type"]) == (409, f"urn:smsgw:{word}")
        rows = await bench.database.run(
            lambda con: con.execute("SELECT operation, status, reason FROM request").fetchall()
        )
        assert rows == [("register", 201, ""), ("register", 409, word)]

    play(scenario, more + "\n")


def test_a_phone_that_said_stop(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        def stop(con: Any) -> None:
            with transaction(con):
                stops.enter(con, bench.office.policy.keyed, Msisdn(NEW["msisdn"]), T)

        await bench.database.run(stop)
        answer = await bench.ask("POST", "/registrations", NEW)
        assert (answer.status, answer.json["type"]) == (409, "urn:smsgw:stopped")

    play(scenario)


def test_who_sees_what(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        office = await bench.key("office", Channel.EASYPAY, REGISTRATIONS)
        site = await bench.key("site", Channel.WEB, REGISTRATIONS)
        clerk = await bench.key("clerk", Channel.CENTRE, REGISTRATIONS)
        await bench.ask("POST", "/registrations", NEW, key=office)
        await bench.ask("POST", "/registrations", NEW | {"msisdn": "359888123457"}, key=site)

        async def seen(key: str, query: str = "") -> list[int]:
            answer = await bench.ask("GET", f"/registrations{query}", key=key)
            return [one["id"] for one in answer.json["items"]]

        assert [await seen(key) for key in (office, site, clerk)] == [[1], [2], [1, 2]]
        assert await seen(clerk, "?msisdn=359888123457") == [2]
        assert await seen(clerk, "?customer_number=300012345678") == [1, 2]
        assert await seen(clerk, "?state=active") == []
        assert await seen(clerk, "?suspect=true") == []
        statuses = [
            (await bench.ask(method, "/registrations/1", key=key)).status
            for method in ("GET", "DELETE")
            for key in (site, office)
        ]
        assert statuses == [404, 200, 404, 204]
        assert await seen(office) == []
        assert await seen(office, "?state=ended") == [1]

    play(scenario)


def test_ending_one_that_has_ended_ends_no_other(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask("POST", "/registrations", NEW)
        await bench.ask("DELETE", "/registrations/1")
        await bench.ask("POST", "/registrations", NEW)
        assert (await bench.ask("DELETE", "/registrations/1")).status == 204
        answer = await bench.ask("GET", "/registrations/2")
        assert answer.json["state"] == "pending"

    play(scenario)


def test_page_by_page(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        for number in range(5):
            new = NEW | {"msisdn": f"35988812345{number}"}
            assert (await bench.ask("POST", "/registrations", new)).status == 201
        pages, after = [], 0
        while after is not None:
            answer = await bench.ask("GET", f"/registrations?limit=2&after={after}")
            pages.append([one["id"] for one in answer.json["items"]])
            after = answer.json["next"]
        assert pages == [[1, 2], [3, 4], [5]]

    play(scenario)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1000", "limit"),
        ("after=-1", "after"),
        ("after=99999999999999999999", "after"),
        ("state=asleep", "state"),
        ("msisdn=1", "msisdn"),
    ],
)
def test_wrong_queries(play: Play, query: str, field: str) -> None:
    async def scenario(bench: Bench) -> None:
        answer = await bench.ask("GET", f"/registrations?{query}")
        assert (answer.status, answer.fields) == (422, [field])

    play(scenario)

"""Look-ups over HTTP, and a person's data."""

from collections.abc import Callable

from doors.bench import Bench

from smsgw.service.message import Channel
from smsgw.service.partner import Scope

Play = Callable[..., None]
PHONE, NUMBER = "359888123456", "300012345678"


async def known(bench: Bench) -> None:
    """A phone that is registered, by one partner, and gets a message, by another."""
    site = await bench.key("site", Channel.WEB, {Scope.REGISTRATIONS})
    new = {"msisdn": PHONE, "customer_number": NUMBER}
    assert (await bench.ask("POST", "/registrations", new, key=site)).status == 201
    message = {"msisdn": PHONE, "text": "Obadete se na 0888123456"}
    assert (await bench.ask("POST", "/messages", message)).status == 201


def test_what_happened_is_told(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await known(bench)
        clerk = await bench.key("clerk", Channel.CENTRE, {Scope.LOOKUPS})
        told = (await bench.ask("GET", f"/timeline?msisdn={PHONE}", key=clerk)).json
        assert told["left_out"] == 0
        whats = [one["what"] for one in told["events"]]
        assert whats == ["registration", "request", "request", "message_out", "state"]
        request = told["events"][1]
        assert (request["partner"], request["operation"], request["status"]) == (
            "site", "register", 201,
        )  # fmt: skip
        assert {one["msisdn"] for one in told["events"]} == {"35988****456"}
        assert "123" not in told["events"][3]["text"]
        assert told["events"][4]["next"].startswith("goes out as soon as mtel has a place")

        path = f"/timeline?msisdn={PHONE}&full=true"
        assert (await bench.ask("GET", path, key=clerk)).status == 403
        assert (await bench.ask("GET", path)).json["events"][0]["msisdn"] == PHONE
        one = (await bench.ask("GET", f"/timeline?customer_number={NUMBER}&last=1")).json
        assert len(one["events"]) == 1
        neither = await bench.ask("GET", "/timeline")
        assert (neither.status, neither.fields) == (409, ["msisdn"])

    play(scenario)


def test_a_person_is_exported_and_erased(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await known(bench)
        path = f"/persons/{PHONE}"
        clerk = await bench.key("clerk", Channel.CENTRE, {Scope.LOOKUPS, Scope.REGISTRATIONS})
        for method in ("GET", "DELETE"):
            assert (await bench.ask(method, path, key=clerk)).status == 403
        export = (await bench.ask("GET", path)).json
        assert [one["customer_number"] for one in export["subscriptions"]] == [NUMBER]
        assert [one["operation"] for one in export["requests"]] == ["register", "send"]
        report = (await bench.ask("GET", "/reports")).json

        key = {"idempotency-key": "erase-1"}
        erased = await bench.ask("DELETE", path, headers=key)
        assert (erased.status, erased.json["registrations"], erased.json["messages_out"]) == (
            200, 1, 1,
        )  # fmt: skip
        assert (await bench.ask("DELETE", path, headers=key)).json == erased.json
        assert (await bench.ask("GET", path)).status == 404
        assert (await bench.ask("DELETE", path)).status == 404
        after = (await bench.ask("GET", "/reports")).json
        assert after["registrations"] == report["registrations"]
        assert after["active_registrations"] == report["active_registrations"]
        rows = await bench.database.run(
            lambda con: con.execute("SELECT change, channel, who FROM audit").fetchall()
        )
        assert rows[-1] == ("erased", "centre", "all")

    play(scenario)


def test_what_is_no_phone(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        for path in ("/persons/1", "/persons/..%2F..%2Fetc", "/timeline?msisdn=1"):
            answer = await bench.ask("GET", path)
            assert answer.status in (404, 422)
            assert answer.headers["content-type"] == "application/problem+json"

    play(scenario)

"""Runs of notices, announcements and reports over HTTP; each job in its own process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from doors.bench import Bench, T

from smsgw.service.message import Channel
from smsgw.service.partner import Scope
from smsgw.storage.feed import Feed, take_snapshot

Play = Callable[..., None]
NUMBERS = ("300012345678", "300012345679")
PHONES = ("359888123456", "359898123457")
FEED = """customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status
300012345678,1,2026-12-01,2027-01-05,2027-01-25,45.20,EUR,open
300012345679,2,2026-12-01,2027-01-05,2027-01-25,12.80,EUR,open
"""


async def fed(bench: Bench) -> None:
    """Two customers with bills that are overdue, each with a phone."""
    folder: Path = bench.settings.data_dir
    feed = folder / "feed.csv"
    feed.write_text(FEED, encoding="ascii")
    await bench.database.run(
        take_snapshot, folder, Feed(feed, T, True, bench.office.policy.keyed),
        max_shrink=1.0, now=T, progress=lambda *_: None,
    )  # fmt: skip
    await bench.database.look()
    for phone, number in zip(PHONES, NUMBERS, strict=True):
        new = {"msisdn": phone, "customer_number": number}
        made = await bench.ask("POST", "/registrations", new)
        assert (made.json["state"], made.json["confirmation"]) == ("active", True)


def test_a_run_is_planned_made_and_stopped(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await fed(bench)
        plan = (await bench.ask("GET", "/notices/plan?kind=overdue")).json
        assert (plan["notices"], plan["phones"], plan["refusal"]) == (2, 2, None)
        assert [one["msisdn"] for one in plan["samples"]] == ["35988****456", "35989****457"]

        made = await bench.ask("POST", "/notices/runs", {"kind": "overdue", "by": "ana"})
        assert (made.status, made.json["run"], made.json["state"]) == (201, 1, "running")
        assert bench.queued
        again = await bench.ask("POST", "/notices/runs", {"kind": "overdue"})
        assert (again.status, again.json["run"], again.json["left_out"]["noticed"]["count"]) == (
            200, None, 2,
        )  # fmt: skip

        seen = (await bench.ask("GET", "/notices/runs/1")).json
        assert (seen["left"], seen["changes"][-1]["who"]) == (2, "ana (all)")
        paused = await bench.ask("POST", "/notices/runs/1/pause", {"reason": "wait"})
        assert (paused.status, paused.json["state"]) == (200, "paused")
        twice = await bench.ask("POST", "/notices/runs/1/pause", {})
        assert (twice.status, twice.json["detail"]) == (409, "run 1 is paused, not running")
        assert (await bench.ask("POST", "/notices/runs/1/resume", {})).json["state"] == "running"
        cancelled = await bench.ask("POST", "/notices/runs/1/cancel", {})
        assert cancelled.json == {"run": 1, "not_sent": 2}
        (line,) = (await bench.ask("GET", "/notices/runs")).json["items"]
        assert (line["run"], line["state"], line["left"]) == (1, "cancelled", 0)

    play(scenario)


def test_a_held_run_needs_a_reason(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await fed(bench)
        made = await bench.ask("POST", "/notices/runs", {"kind": "overdue"})
        assert made.json["state"] == "held"
        bare = await bench.ask("POST", "/notices/runs/1/confirm", {})
        assert (bare.status, bare.fields) == (422, ["reason"])
        let_go = await bench.ask("POST", "/notices/runs/1/confirm", {"reason": "right"})
        assert let_go.json["state"] == "running"

    play(scenario, "notices: {max_per_run: 1}\n")


def test_the_same_run_asked_for_twice(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await fed(bench)
        key = {"idempotency-key": "run-of-today"}
        new = {"kind": "overdue"}
        first = await bench.ask("POST", "/notices/runs", new, headers=key)
        again = await bench.ask("POST", "/notices/runs", new, headers=key)
        assert (first.status, again.status, again.json) == (201, 201, first.json)

    play(scenario)


def test_an_announcement(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await fed(bench)
        body = {"text": "No power tomorrow.", "customer_numbers": [*NUMBERS, "300012345670"]}
        plan = await bench.ask("POST", "/announcements", body | {"plan": True})
        assert (plan.status, plan.json["run"], plan.json["notices"]) == (200, None, 2)
        made = await bench.ask("POST", "/announcements", body)
        assert (made.status, made.json["run"], made.json["notices"]) == (201, 1, 2)
        assert made.json["left_out"]["no_subscription"]["count"] == 1
        again = await bench.ask("POST", "/announcements", body)
        assert (again.status, again.json["run"]) == (200, None)
        refused = await bench.ask("POST", "/announcements", body | {"text": "a\u0007b"})
        assert (refused.status, refused.json["type"]) == (409, "urn:smsgw:refused")

    play(scenario)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("GET", "/notices/plan", None, 422, "kind"),
        ("GET", "/notices/plan?kind=announcement", None, 422, "kind"),
        ("GET", "/notices/plan?kind=overdue&date=2030-01-01", None, 409, "date"),
        ("GET", "/notices/plan?kind=overdue&date=today", None, 422, "date"),
        ("POST", "/notices/runs", {"kind": "overdue", "date": "2027-01-14"}, 409, "date"),
        ("POST", "/notices/runs", {"kind": "overdue", "force": True}, 409, "reason"),
        ("POST", "/notices/runs", {"kind": "overdue", "by": " "}, 422, "by"),
        ("POST", "/announcements", {"text": "x", "customer_numbers": []}, 422, "customer_numbers"),
        ("POST", "/announcements", {"text": "x", "customer_numbers": ["300012345678", "3"]}, 422,
         "customer_numbers.1"),
        ("GET", "/notices/runs?before=0", None, 422, "before"),
        ("GET", "/reports?from=2027-01-02&to=2027-01-01", None, 409, "to"),
        ("GET", "/reports?from=1990-01-02", None, 409, "from"),
        ("GET", "/reports?from=yesterday", None, 422, "from"),
        ("GET", "/reports?from=0", None, 422, "from"),
        ("GET", "/reports?from=2027-02-30", None, 422, "from"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(
    play: Play, method: str, path: str, body: Any, status: int, field: str
) -> None:
    async def scenario(bench: Bench) -> None:
        answer = await bench.ask(method, path, body)
        assert (answer.status, answer.fields) == (status, [field])

    play(scenario)


@pytest.mark.parametrize("order", ["confirm", "pause", "resume", "cancel"])
def test_there_is_no_such_run(play: Play, order: str) -> None:
    async def scenario(bench: Bench) -> None:
        for method, path in (("GET", "/notices/runs/7"), ("POST", f"/notices/runs/7/{order}")):
            body = {"reason": "x"} if method == "POST" else None
            answer = await bench.ask(method, path, body)
            assert (answer.status, answer.json["detail"]) == (404, "there is no run 7")

    play(scenario)


def test_a_report(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await fed(bench)
        key = await bench.key("figures", Channel.API, {Scope.REPORTS})
        answer = await bench.ask("GET", "/reports?from=2027-01-01&to=2027-01-31", key=key)
        assert answer.status == 200
        told = answer.json
        assert (told["from"], told["to"]) == ("2027-01-01", "2027-01-31")
        assert told["active_registrations"] == [
            {"day": "2027-01-15", "customer_numbers": 2, "phones": 2, "registrations": 2}
        ]
        assert told["registrations"] == [
            {"month": "2027-01", "channel": "centre", "new": 2, "ended": 0, "rejected": 0}
        ]
        assert {one["carrier"] for one in told["carriers"]} == {"mtel", "telenor"}
        assert (await bench.ask("GET", "/notices/runs", key=key)).status == 403

    play(scenario)

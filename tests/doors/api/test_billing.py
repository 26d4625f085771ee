"""Feeds, payments and bills over HTTP."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from doors.bench import Bench, Response, T

from smsgw.doors.api import gate
from smsgw.service.message import Channel
from smsgw.service.partner import Scope
from smsgw.storage.lock import hold

Play = Callable[..., None]
HEADER = b"customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status\n"
ONE = b"300012345678,A,2026-12-01,2027-01-05,,45.20,EUR,open\n"
TWO = b"300012345679,,,,,,,\n"
CSV = {"content-type": "text/csv; charset=utf-8"}


async def upload(
    bench: Bench, *lines: bytes, query: str = "kind=snapshot", **headers: str
) -> Response:
    path = f"/billing/feeds?{query}"
    sent = CSV | {name.replace("_", "-"): value for name, value in headers.items()}
    return await bench.ask("POST", path, raw=lines or (HEADER, ONE, TWO), headers=sent)


async def bill(bench: Bench) -> tuple[str, str]:
    answer = await bench.ask("GET", "/billing/customers/300012345678")
    (one,) = answer.json["bills"]
    return one["status"], one["amount"]


def test_a_snapshot_and_changes(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        answer = await upload(bench)
        assert (answer.status, answer.json) == (
            201,
            {
                "kind": "snapshot",
                "as_of": "2027-01-15T10:00:00+02:00",
                "customers": 2,
                "bills": 1,
                "customers_before": None,
                "bills_before": None,
            },
        )
        answer = await upload(
            bench, HEADER, ONE.replace(b"45.20", b"12.00"),
            query="kind=delta&as_of=2027-01-15T09:00:00%2B02:00",
        )  # fmt: skip
        assert (answer.status, answer.json["customers_before"]) == (201, 2)
        assert await bill(bench) == ("open", "12.00")
        status = (await bench.ask("GET", "/billing/status")).json
        assert (status["customers"], status["bills"], len(status["feeds"])) == (2, 1, 2)
        assert status["as_of"] == "2027-01-15T09:00:00+02:00"
        assert list((bench.settings.data_dir / "uploads").iterdir()) == []

    play(scenario)


def test_wrong_lines_are_named(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        answer = await upload(bench, HEADER, ONE, b"3,A,x,,,1,EUR,open\n", TWO, b"\xff\n")
        assert (answer.status, answer.fields) == (422, ["line 3", "line 5"])
        assert answer.json["detail"] == "2 lines are wrong"
        assert answer.json["type"] == "urn:smsgw:refused"
        assert "is not 12 digits" in answer.json["errors"][0]["detail"]
        assert (await bench.ask("GET", "/billing/status")).json["cache"] is None
        assert list((bench.settings.data_dir / "uploads").iterdir()) == []

    play(scenario)


@pytest.mark.parametrize(
    ("lines", "status", "detail"),
    [
        ([HEADER], 409, "has no customers; force=true takes it all the same"),
        ([HEADER, TWO], 409, "has 1 customer, the cache 2: that is 50.0% less"),
        ([b" "], 422, "1 line is wrong"),
    ],
)
def test_one_that_loses_customers(play: Play, lines: list[bytes], status: int, detail: str) -> None:
    async def scenario(bench: Bench) -> None:
        await upload(bench)
        answer = await upload(bench, *lines)
        assert answer.status == status
        assert answer.json["detail"].startswith(detail)
        assert str(bench.settings.data_dir) not in answer.body.decode()
        if status == 409:
            forced = await upload(bench, *lines, query="kind=snapshot&force=true")
            assert forced.status == 201

    play(scenario)


def test_changes_to_nothing(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        answer = await upload(bench, query="kind=delta")
        assert (answer.status, answer.json["type"]) == (409, "urn:smsgw:refused")
        assert "import a whole feed first" in answer.json["detail"]

    play(scenario)


@pytest.mark.parametrize(
    ("query", "headers", "status", "field"),
    [
        ("", {}, 422, "kind"),
        ("kind=all", {}, 422, "kind"),
        ("kind=snapshot&as_of=yesterday", {}, 422, "as_of"),
        ("kind=snapshot&as_of=2027-01-15T09:00:00", {}, 422, "as_of"),
        ("kind=snapshot&as_of=0", {}, 422, "as_of"),
        ("kind=snapshot&as_of=0001-01-01T00:00:00Z", {}, 409, "as_of"),
        ("kind=snapshot", {"content_type": "application/json"}, 415, "Content-Type"),
        ("kind=snapshot", {"content_type": "text/csv; charset=windows-1251"}, 415, "Content-Type"),
        ("kind=snapshot", {"content_encoding": "gzip"}, 415, "Content-Encoding"),
    ],
)
def test_what_is_wrong_is_named(
    play: Play, query: str, headers: dict[str, str], status: int, field: str
) -> None:
    async def scenario(bench: Bench) -> None:
        answer = await upload(bench, query=query, **headers)
        assert (answer.status, answer.fields) == (status, [field])

    play(scenario)


def test_one_that_is_too_long(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "FEED_OCTETS", 100)

    async def scenario(bench: Bench) -> None:
        for length in ("", str(len(HEADER + ONE + TWO))):
            answer = await upload(bench, content_length=length, transfer_encoding="chunked")
            assert answer.status == 413
            assert answer.json["detail"] == "the body is longer than 100 octets"
        assert list((bench.settings.data_dir / "uploads").iterdir()) == []

    play(scenario)


def test_another_import_is_under_way(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        with hold(bench.settings.data_dir, "import"):
            answer = await upload(bench)
        assert (answer.status, answer.json["type"]) == (409, "urn:smsgw:refused")
        assert answer.json["detail"].startswith("another import is under way")
        both = await asyncio.gather(upload(bench), upload(bench))
        assert sorted(one.status for one in both) == [201, 409]

    play(scenario)


def test_the_same_upload_again(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        first = await upload(bench, idempotency_key="night")
        again = await upload(bench, idempotency_key="night")
        assert (again.status, again.json) == (201, first.json)
        assert again.headers["idempotent-replayed"] == "true"
        other = await upload(bench, HEADER, TWO, idempotency_key="night")
        assert (other.status, other.json["type"]) == (409, "urn:smsgw:key_reused")
        assert len((await bench.ask("GET", "/billing/status")).json["feeds"]) == 1

    play(scenario)


def paid(**more: Any) -> dict[str, Any]:
    return {"payments": [{"customer_number": "300012345678", "bill_number": "A"} | more]}


def test_payments(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await upload(bench)
        answer = await bench.ask("POST", "/billing/payments", paid(remaining="5.2"))
        assert answer.json == {
            "paid": 0, "reduced": 1, "settled": 0, "cancelled": [], "unknown": [],
        }  # fmt: skip
        assert await bill(bench) == ("open", "5.20")
        assert (await bench.ask("POST", "/billing/payments", paid())).json["paid"] == 1
        assert (await bill(bench))[0] == "paid"
        some = [*paid()["payments"], *paid(bill_number="B")["payments"]]
        answer = await bench.ask("POST", "/billing/payments", {"payments": some})
        assert answer.json["settled"] == 1
        assert answer.json["unknown"] == [
            {"index": 1, "customer_number": "300012345678", "bill_number": "B"}
        ]
        older = "kind=snapshot&as_of=2027-01-15T06:00:00Z"
        assert (await upload(bench, query=older)).status == 201
        assert (await bill(bench))[0] == "paid", "the night's feed does not know it yet"

    play(scenario)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"payments": []}, 422, "payments"),
        (paid(remaining="-1"), 422, "payments.0.remaining"),
        (paid(remaining="1.234"), 422, "payments.0.remaining"),
        (paid(remaining=1.5), 422, "payments.0.remaining"),
        (paid(remaining="NaN"), 422, "payments.0.remaining"),
        (paid(bill_number=""), 422, "payments.0.bill_number"),
        (paid(customer_number="1"), 422, "payments.0.customer_number"),
        (paid(at="2027-01-15"), 422, "payments.0.at"),
        (paid(at="2028-01-15T00:00:00Z"), 409, "payments.0.at"),
        (paid(amount="1"), 422, "payments.0.amount"),
    ],
)
def test_wrong_payments(play: Play, body: Any, status: int, field: str) -> None:
    async def scenario(bench: Bench) -> None:
        answer = await bench.ask("POST", "/billing/payments", body)
        assert (answer.status, answer.fields) == (status, [field])

    play(scenario)


def test_who_may(play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await upload(bench)
        clerk = await bench.key("clerk", Channel.CENTRE, {Scope.LOOKUPS})
        path = "/billing/customers/300012345678"
        assert (await bench.ask("GET", path, key=clerk)).status == 200
        assert (await bench.ask("GET", "/billing/customers/300012345670", key=clerk)).status == 404
        assert (await bench.ask("GET", "/billing/customers/1", key=clerk)).status == 422
        assert (await bench.ask("POST", "/billing/payments", paid(), key=clerk)).status == 403
        assert (await bench.ask("GET", "/billing/status", key=clerk)).status == 403
        assert bench.clock.at == T

    play(scenario)

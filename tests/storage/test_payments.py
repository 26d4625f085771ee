"""Payments: in the cache at once, and in every cache made of an older state."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsgw.service.keyed import Keyed
from smsgw.storage import feed as feed_module
from smsgw.storage import payments
from smsgw.storage.database import current_snapshot, open_gateway
from smsgw.storage.feed import Feed, take_delta, take_snapshot
from smsgw.storage.payments import MARGIN, Outcome, Payment

T = 1_800_000_000.0
NUMBER = "300012345678"
HEADER = "customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status\n"
KEYED = Keyed(b"key")

Bills = dict[str, tuple[str, int]]  # status and amount, by number


class Desk:
    """Where feeds and payments are taken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.con = open_gateway(folder)
        self.now = T

    def feed(self, bills: Bills, as_of: float, kind: str = "snapshot") -> None:
        path = self.folder / "feed.csv"
        rows = [
            f"{NUMBER},{number},2026-11-20,2026-12-10,,{amount / 100:.2f},EUR,{status}\n"
            for number, (status, amount) in bills.items()
        ]
        path.write_text(HEADER + "".join(rows or [f"{NUMBER},,,,,,,\n"]), encoding="ascii")
        feed = Feed(path, as_of, forced=True, keyed=KEYED)
        if kind == "delta":
            take_delta(self.con, self.folder, feed, now=self.now, progress=lambda *_: None)
        else:
            take_snapshot(
                self.con, self.folder, feed, max_shrink=1.0, now=self.now,
                progress=lambda *_: None,
            )  # fmt: skip

    def pay(self, bill: str, remaining: int = 0, at: float = T) -> Outcome:
        one = Payment(NUMBER, bill, remaining, at)
        payments.note(self.con, [one], self.now)
        (outcome,) = payments.pay(self.con, self.folder, [one])
        return outcome

    def bills(self) -> Bills:
        name = current_snapshot(self.con)
        assert name is not None
        with closing(sqlite3.connect(self.folder / name)) as cache:
            rows = cache.execute("SELECT number, status, amount FROM bill ORDER BY number")
            return {number: (status, amount) for number, status, amount in rows}

    def noted(self) -> list[str]:
        return [bill for (bill,) in self.con.execute("SELECT bill_number FROM payment ORDER BY 1")]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    one = Desk(tmp_path)
    with closing(one.con):
        yield one


@pytest.mark.parametrize(
    ("before", "remaining", "outcome", "after"),
    [
        (("open", 4520), 0, Outcome.PAID, ("paid", 4520)),
        (("open", 4520), 1230, Outcome.REDUCED, ("open", 1230)),
        (("open", -500), 0, Outcome.PAID, ("paid", -500)),
        (("paid", 4520), 0, Outcome.SETTLED, ("paid", 4520)),
        (("paid", 4520), 100, Outcome.SETTLED, ("paid", 4520)),
        (("cancelled", 4520), 0, Outcome.CANCELLED, ("cancelled", 4520)),
    ],
)
def test_what_it_does_to_a_bill(
    desk: Desk, before: tuple[str, int], remaining: int, outcome: Outcome, after: tuple[str, int]
) -> None:
    desk.feed({"A": before, "B": ("open", 100)}, T - 10)
    assert desk.pay("A", remaining) is outcome
    assert desk.bills() == {"A": after, "B": ("open", 100)}
    again = outcome if outcome is not Outcome.PAID else Outcome.SETTLED
    assert desk.pay("A", remaining) is again
    assert desk.bills() == {"A": after, "B": ("open", 100)}


def test_a_bill_that_is_not_known_yet(desk: Desk) -> None:
    assert desk.pay("A") is Outcome.UNKNOWN, "there is no cache at all"
    desk.feed({"B": ("open", 1)}, T - 2 * MARGIN)
    assert desk.pay("A") is Outcome.UNKNOWN
    desk.feed({"A": ("open", 4520)}, T - MARGIN)
    assert desk.bills() == {"A": ("paid", 4520)}


@pytest.mark.parametrize("kind", ["snapshot", "delta"])
@pytest.mark.parametrize(
    ("as_of", "status"),
    [
        pytest.param(T - 3600, "paid", id="of before the payment"),
        pytest.param(T + MARGIN - 1, "paid", id="it may have been made of an older state"),
        pytest.param(T + MARGIN, "open", id="it knows better"),
    ],
)
def test_a_later_feed(desk: Desk, kind: str, as_of: float, status: str) -> None:
    desk.feed({"A": ("open", 4520)}, T - 7200)
    desk.pay("A")
    desk.feed({"A": ("open", 4520)}, as_of, kind)
    assert desk.bills() == {"A": (status, 4520)}


def test_what_a_whole_feed_knows_is_forgotten(desk: Desk) -> None:
    desk.feed({}, T)
    desk.pay("A", at=T)
    desk.pay("B", at=T + 2 * MARGIN)
    desk.feed({}, T + MARGIN, "delta")
    assert desk.noted() == ["A", "B"], "changes say nothing of all other bills"
    desk.feed({}, T + MARGIN)
    assert desk.noted() == ["A", "B"], "an older feed may follow"
    desk.now = T + payments.KNOWN_FOR + 1
    desk.feed({}, T + MARGIN)
    assert desk.noted() == ["B"]
    desk.now = T + payments.KEPT + 1
    desk.feed({}, T)
    assert desk.noted() == []


def test_of_two_the_later_counts(desk: Desk) -> None:
    desk.pay("A", 300, at=T)
    desk.pay("A", 900, at=T - 60)
    desk.pay("A", 200, at=T + 60)
    assert payments.since(desk.con, T) == [Payment(NUMBER, "A", 200, T + 60)]


def test_one_that_comes_while_a_snapshot_is_built(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.feed({"A": ("open", 4520), "B": ("open", 100)}, T - 7200)
    build, taken_over = feed_module.snapshot.build, payments.take_over_into

    def paid_meanwhile(*args: object) -> object:
        held = build(*args)  # type: ignore[arg-type]
        assert desk.pay("A") is Outcome.PAID
        return held

    def paid_after(path: Path, some: set[Payment]) -> None:
        taken_over(path, some)
        monkeypatch.setattr(payments, "take_over_into", taken_over)
        assert desk.pay("B") is Outcome.PAID

    monkeypatch.setattr(feed_module.snapshot, "build", paid_meanwhile)
    monkeypatch.setattr(payments, "take_over_into", paid_after)
    desk.feed({"A": ("open", 4520), "B": ("open", 100)}, T - 3600)
    assert desk.bills() == {"A": ("paid", 4520), "B": ("paid", 100)}


def test_a_crash_between_the_two_databases(desk: Desk) -> None:
    desk.feed({"A": ("open", 4520), "B": ("open", 100)}, T - 7200)
    payments.note(desk.con, [Payment(NUMBER, "A", 0, T)], T)
    assert desk.bills()["A"] == ("open", 4520)
    payments.catch_up(desk.con, desk.folder)
    payments.catch_up(desk.con, desk.folder)
    assert desk.bills() == {"A": ("paid", 4520), "B": ("open", 100)}


def test_a_delta_holds_the_cache(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.feed({"A": ("open", 4520)}, T - 7200)
    name = current_snapshot(desk.con)
    assert name is not None
    with closing(sqlite3.connect(desk.folder / name, isolation_level=None)) as cache:
        cache.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(payments, "PATIENCE", 0.01)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            desk.pay("A")
        assert desk.noted() == ["A"]
        cache.execute("ROLLBACK")
    assert desk.pay("A") is Outcome.PAID


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.sampled_from("AB"), st.sampled_from([0, 50]),
                  st.integers(0, 20)),
        st.tuples(st.sampled_from(["snapshot", "delta"]), st.sampled_from(["A", "B", "AB"]),
                  st.just(0), st.integers(0, 20)),
        st.tuples(st.just("crash"), st.sampled_from("AB"), st.just(0), st.integers(0, 20)),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=100)
@given(STEPS)
def test_no_bill_is_open_that_a_later_payment_settled(
    steps: list[tuple[str, str, int, int]],
) -> None:
    """Whatever comes in what order: a bill that was paid in full is not open in a cache whose last
    feed is of an earlier state. Hours stand for times."""
    with TemporaryDirectory() as name:
        desk = Desk(Path(name))
        with closing(desk.con):
            desk.feed({"A": ("open", 100), "B": ("open", 100)}, T)
            paid: dict[str, tuple[int, int]] = {}  # bill -> hour, remaining of the latest
            last = 0
            for what, bills, remaining, hour in steps:
                at = T + hour * 3600 + 1
                if what in ("pay", "crash"):
                    one = Payment(NUMBER, bills, remaining, at)
                    payments.note(desk.con, [one], T)
                    if what == "pay":
                        payments.pay(desk.con, desk.folder, [one])
                    else:
                        payments.catch_up(desk.con, desk.folder)
                    if hour >= paid.get(bills, (-1, 0))[0]:
                        paid[bills] = hour, remaining
                else:
                    desk.feed(dict.fromkeys(bills, ("open", 100)), T + hour * 3600, what)
                    last = hour
            found = desk.bills()
            for bill, (hour, remaining) in paid.items():
                if bill in found and not remaining and hour >= last:
                    assert found[bill][0] == "paid", (bill, hour, last)

"""To whom a notice is due, and what it says."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.service.calendar import Calendar
from smsgw.service.customer import Account, Bill
from smsgw.service.message import Script
from smsgw.service.notices import Due, LeftOut, NoticeKind, NoticeRules, Verdict, judge, text
from smsgw.service.replies import Company, Replies
from smsgw.text import gsm
from smsgw.text.segmentation import count_parts

NUMBER = "300012345678"
FRIDAY = date(2026, 12, 18)
OVERDUE, DISCONNECTION = NoticeKind.OVERDUE, NoticeKind.DISCONNECTION

# Monday to Friday but for Christmas and a bridge before the new year.
CHRISTMAS = {date(2026, 12, day) for day in (24, 25, 26, 28)} | {date(2027, 1, 1)}
WORKDAYS = Calendar(days="working", is_holiday=CHRISTMAS.__contains__)
RULES = NoticeRules(calendar=WORKDAYS)


def on(text: str) -> date:
    """`12-18` is in 2026; other years are written."""
    return date.fromisoformat(text if len(text) == 10 else f"2026-{text}")


def bill(
    number: str = "1",
    *,
    due: str | None = "12-10",
    cut_off: str | None = None,
    cents: int = 4520,
    currency: str = "EUR",
    issued: str | None = None,
) -> Bill:
    issued_on, due_on, cut_off_on = (
        None if day is None else on(day) for day in (issued, due, cut_off)
    )
    return Bill(number, issued_on, due_on, cut_off_on, cents, currency)


def judged(
    kind: NoticeKind, *bills: Bill, day: date = FRIDAY, rules: NoticeRules = RULES
) -> Verdict:
    return judge(kind, Account(NUMBER, bills), day, rules)


NONE: dict[str, LeftOut] = {}

OVERDUE_BILLS = {
    "past its term": ([bill(due="12-10")], ("1",), "45,20 EUR", "10.12.2026", NONE),
    "since yesterday": ([bill(due="12-17")], ("1",), "45,20 EUR", "17.12.2026", NONE),
    "today is not past its term": ([bill(due="12-18")], (), "", "", NONE),
    "not yet due": ([bill(due="12-24")], (), "", "", NONE),
    "nothing owed": ([], (), "", "", NONE),
    "several, and one that is not due yet": (
        [bill("3", due="12-17", cents=100), bill("1", due="11-10"), bill("2", due="12-18")],
        ("3", "1"),
        "46,20 EUR",
        "10.11.2026",
        NONE,
    ),
    "two currencies": (
        [bill("1"), bill("2", currency="BGN", due="2025-12-10", cents=8840)],
        ("1", "2"),
        "45,20 EUR + 88,40 BGN",
        "10.12.2025",
        NONE,
    ),
    "a credit goes to what falls due first": (
        [bill("1", due="12-17"), bill("2", due="12-10", cents=500), bill("3", cents=-600)],
        ("1",),
        "44,20 EUR",
        "17.12.2026",
        {"2": LeftOut.CREDIT, "3": LeftOut.CREDIT},
    ),
    "a credit without a date covers it": (
        [bill("1"), bill("2", cents=-4520, due=None)],
        (),
        "",
        "",
        {"1": LeftOut.CREDIT, "2": LeftOut.CREDIT},
    ),
    "a credit that falls due later covers it": (
        [bill("1"), bill("2", cents=-9000, due="2027-01-10")],
        (),
        "",
        "",
        {"1": LeftOut.CREDIT},
    ),
    "a credit in another currency does not": (
        [bill("1"), bill("2", cents=-4520, due="2027-01-10", currency="BGN")],
        ("1",),
        "45,20 EUR",
        "10.12.2026",
        NONE,
    ),
    "a credit is not used up by a bill of an impossible date": (
        [bill("1", due="1970-01-01"), bill("2"), bill("3", cents=-4520, due=None)],
        (),
        "",
        "",
        {"1": LeftOut.IMPLAUSIBLE_DATE, "2": LeftOut.CREDIT, "3": LeftOut.CREDIT},
    ),
    "a bill of nothing": ([bill(cents=0)], (), "", "", {"1": LeftOut.CREDIT}),
    "a negative amount": ([bill(cents=-1)], (), "", "", {"1": LeftOut.CREDIT}),
    "no due date": ([bill(due=None)], (), "", "", {"1": LeftOut.NO_DUE_DATE}),
    "one of two without a due date": (
        [bill("1", due=None), bill("2")],
        ("2",),
        "45,20 EUR",
        "10.12.2026",
        {"1": LeftOut.NO_DUE_DATE},
    ),
    "1970": ([bill(due="1970-01-01")], (), "", "", {"1": LeftOut.IMPLAUSIBLE_DATE}),
    "the first date there is": (
        [bill(due="0001-01-01")],
        (),
        "",
        "",
        {"1": LeftOut.IMPLAUSIBLE_DATE},
    ),
    "the last date there is": ([bill(due="9999-12-31")], (), "", "", NONE),
    "more than five years ago": (
        [bill(due="2021-12-17")],
        (),
        "",
        "",
        {"1": LeftOut.IMPLAUSIBLE_DATE},
    ),
    "five years ago": ([bill(due="2021-12-18")], ("1",), "45,20 EUR", "18.12.2021", NONE),
    "more than two years after it was issued": (
        [bill(issued="2024-12-09")],
        (),
        "",
        "",
        {"1": LeftOut.IMPLAUSIBLE_DATE},
    ),
    "two years after it was issued": (
        [bill(issued="2024-12-10")],
        ("1",),
        "45,20 EUR",
        "10.12.2026",
        NONE,
    ),
    "a date far ahead of its issue": (
        [bill(issued="12-01", due="2062-12-10")],
        (),
        "",
        "",
        {"1": LeftOut.IMPLAUSIBLE_DATE},
    ),
    "a currency that we don't know": (
        [bill(currency="USD")],
        (),
        "",
        "",
        {"1": LeftOut.UNKNOWN_CURRENCY},
    ),
    "a currency that we don't know beside one that we do": (
        [bill("1", currency="XXX"), bill("2")],
        ("2",),
        "45,20 EUR",
        "10.12.2026",
        {"1": LeftOut.UNKNOWN_CURRENCY},
    ),
    "a cut-off date in the past changes nothing": (
        [bill(cut_off="12-11")],
        ("1",),
        "45,20 EUR",
        "10.12.2026",
        NONE,
    ),
}


@pytest.mark.parametrize(
    ("bills", "numbers", "amount", "due", "left_out"), OVERDUE_BILLS.values(), ids=OVERDUE_BILLS
)
def test_overdue(
    bills: list[Bill],
    numbers: tuple[str, ...],
    amount: str,
    due: str,
    left_out: dict[str, LeftOut],
) -> None:
    verdict = judged(OVERDUE, *bills)
    assert verdict.left_out == left_out
    if numbers:
        assert verdict.due == Due(numbers, {"number": NUMBER, "amount": amount, "due": due})
    else:
        assert verdict.due is None


@pytest.mark.parametrize(
    ("days", "due", "noticed"),
    [
        (1, "12-17", True),
        (5, "12-14", False),
        (5, "12-13", True),
        pytest.param(0, "12-18", False, id="not on the due date itself"),
        pytest.param(0, "12-17", True, id="but on the day after it"),
    ],
)
def test_days_after_due(days: int, due: str, noticed: bool) -> None:
    verdict = judged(OVERDUE, bill(due=due), rules=NoticeRules(days_after_due=days))
    assert (verdict.due is not None) is noticed
    assert not verdict.left_out


# (cut-off date of the bill, day of the run) -> the date that the notice names, or why there is
# none. The days before and after: 17 Thu, 18 Fri, 19 Sat, 20 Sun, 21 Mon, 22 Tue, 23 Wed;
# Thu 24 to Mon 28 are holidays and a weekend, Fri 1 January is one.
CUT_OFFS = {
    "two days before": ("12-22", "12-18", "2026-12-22"),
    "on a Friday for a Tuesday: Sunday is closed": ("12-22", "12-17", None),
    "at once when that is past": ("12-22", "12-21", "2026-12-22"),
    "too early": ("12-22", "12-16", None),
    "on the cut-off day": ("12-22", "12-22", LeftOut.CUT_OFF_PASSED),
    "after it": ("12-22", "12-23", LeftOut.CUT_OFF_PASSED),
    "years after it": ("1970-01-01", "12-18", LeftOut.CUT_OFF_PASSED),
    "a Saturday moves to Monday": ("12-19", "12-18", "2026-12-21"),
    "and is noticed before the weekend": ("12-19", "12-17", None),
    "still after the day that the bill names": ("12-19", "12-20", "2026-12-21"),
    "a Friday moves to Monday": ("12-18", "12-18", "2026-12-21"),
    "the day before a holiday moves to after all of them": (
        "12-23",
        "12-29",
        LeftOut.CUT_OFF_PASSED,
    ),
    "the day after four closed ones": ("12-23", "12-23", "2026-12-29"),
    "is not noticed earlier than needed": ("12-23", "12-22", None),
    "the day before a holiday, moved over the new year": ("12-31", "12-31", "2027-01-04"),
    "far ahead": ("2028-12-22", "12-18", None),
    "the last date there is": ("9999-12-31", "12-18", None),
}


@pytest.mark.parametrize(("cut_off", "day", "expected"), CUT_OFFS.values(), ids=CUT_OFFS)
def test_disconnection(cut_off: str, day: str, expected: str | LeftOut | None) -> None:
    verdict = judged(DISCONNECTION, bill(cut_off=cut_off), day=on(day))
    if isinstance(expected, LeftOut):
        assert verdict == Verdict(None, {"1": expected})
    elif expected is None:
        assert verdict == Verdict(None, {})
    else:
        assert verdict.due is not None
        assert verdict.due.cut_off == on(expected)
        assert verdict.due.moved is (on(cut_off) != on(expected))
        year, month, of_month = expected.split("-")
        assert verdict.due.parameters == {
            "number": NUMBER,
            "amount": "45,20 EUR",
            "cut_off": f"{of_month}.{month}.{year}",
        }


DISCONNECTED = {
    "no cut-off date": ([bill()], (), NONE),
    "its term is not over": ([bill(due="12-21", cut_off="12-21")], ("1",), NONE),
    "no due date": ([bill(due=None, cut_off="12-21")], (), {"1": LeftOut.NO_DUE_DATE}),
    "no due date, and long to go": ([bill(due=None, cut_off="2027-02-17")], (), NONE),
    "due in 1970": (
        [bill(due="1970-01-01", cut_off="12-21")],
        (),
        {"1": LeftOut.IMPLAUSIBLE_DATE},
    ),
    "all of it in 1970": (
        [bill(due="1970-01-01", cut_off="1970-01-01")],
        (),
        {"1": LeftOut.IMPLAUSIBLE_DATE},
    ),
    "a currency that we don't know": (
        [bill(currency="USD", cut_off="12-21")],
        (),
        {"1": LeftOut.UNKNOWN_CURRENCY},
    ),
    "a negative amount": ([bill(cents=-1, cut_off="12-21")], (), {"1": LeftOut.CREDIT}),
    "covered by a credit": (
        [bill("1", cut_off="12-21"), bill("2", cents=-4520, due=None)],
        (),
        {"1": LeftOut.CREDIT},
    ),
    "only those whose time has come": (
        [bill("1", cut_off="12-21"), bill("2", cut_off="2027-01-12"), bill("3")],
        ("1",),
        NONE,
    ),
}


@pytest.mark.parametrize(("bills", "numbers", "left_out"), DISCONNECTED.values(), ids=DISCONNECTED)
def test_bills_of_a_disconnection(
    bills: list[Bill], numbers: tuple[str, ...], left_out: dict[str, LeftOut]
) -> None:
    verdict = judged(DISCONNECTION, *bills)
    assert (verdict.due.bills if verdict.due else ()) == numbers
    assert verdict.left_out == left_out


@pytest.mark.parametrize(
    ("cut_offs", "named", "moved"),
    [
        pytest.param(("12-22", "12-21"), "12-21", False, id="the first of two"),
        pytest.param(("12-19", "12-22"), "12-21", True, id="moved"),
        pytest.param(("12-19", "12-21"), "12-21", False, id="one moved to another's day"),
    ],
)
def test_several_cut_off_dates(cut_offs: tuple[str, str], named: str, moved: bool) -> None:
    bills = [bill(str(at), cut_off=cut_off) for at, cut_off in enumerate(cut_offs)]
    verdict = judged(DISCONNECTION, *bills)
    assert verdict.due is not None
    assert (verdict.due.cut_off, verdict.due.moved) == (on(named), moved)
    assert verdict.due.parameters["amount"] == "90,40 EUR"


@pytest.mark.parametrize(
    ("days", "first"),
    [
        (1, "12-21"),
        (2, "12-18"),
        (5, "12-17"),
        pytest.param(0, "12-21", id="the day before at the latest"),
    ],
)
def test_days_before_the_cut_off(days: int, first: str) -> None:
    rules = NoticeRules(calendar=WORKDAYS, days_before_cut_off=days)
    one = bill(cut_off="12-22")
    around = [FRIDAY + timedelta(days=days) for days in range(-9, 9)]
    noticed = [day for day in around if judged(DISCONNECTION, one, day=day, rules=rules).due]
    assert noticed == [day for day in around if on(first) <= day < on("12-22")]


def test_a_calendar_without_a_day_to_cut_supply() -> None:
    rules = NoticeRules(calendar=Calendar(is_holiday=lambda _: True))
    verdict = judged(DISCONNECTION, bill(cut_off="12-21"), rules=rules)
    assert verdict == Verdict(None, {"1": LeftOut.NO_CUT_OFF_DAY})


def test_a_customer_with_forty_bills_has_one_notice() -> None:
    bills = [bill(f"{at:010}", cents=100, cut_off="12-21") for at in range(40)]
    for kind in (OVERDUE, DISCONNECTION):
        verdict = judged(kind, *bills)
        assert verdict.due is not None
        assert verdict.due.bills == tuple(one.number for one in bills)
        assert verdict.due.parameters["amount"] == "40,00 EUR"


def test_an_announcement_is_not_judged() -> None:
    with pytest.raises(ValueError, match="announcement"):
        judged(NoticeKind.ANNOUNCEMENT, bill())


DATES = st.none() | st.dates(date(2026, 6, 1), date(2027, 6, 1)) | st.dates()
BILLS = st.lists(
    st.builds(
        Bill,
        st.uuids().map(str),
        DATES,
        DATES,
        DATES,
        st.integers(-10_000, 10_000),
        st.sampled_from(["EUR", "EUR", "BGN", "USD"]),
    ),
    max_size=8,
)


@given(
    BILLS, st.dates(date(2026, 11, 1), date(2027, 1, 31)), st.sampled_from([OVERDUE, DISCONNECTION])
)
def test_no_bill_is_both_noticed_and_left_out(
    bills: list[Bill], day: date, kind: NoticeKind
) -> None:
    due, left_out = judged(kind, *bills, day=day)
    noticed = set(due.bills) if due else set()
    assert noticed.isdisjoint(left_out)
    assert noticed | set(left_out) <= {one.number for one in bills}
    for one in bills:
        if one.number in noticed:
            assert one.amount > 0
            assert one.currency in ("EUR", "BGN")
            assert one.due_on is not None
            if kind is OVERDUE:
                assert one.due_on < day
    if due and kind is DISCONNECTION:
        assert due.cut_off is not None
        assert day < due.cut_off
        assert not WORKDAYS.is_rest(due.cut_off)
        assert not WORKDAYS.is_rest(due.cut_off + timedelta(days=1))


LONG = Company("CEZ Elektro Bulgaria", "0700 10 010", "info@cezelectro.bg", "www.cezelectro.bg")


def test_texts() -> None:
    rules = NoticeRules(calendar=WORKDAYS, replies=Replies(company=LONG))
    due = judged(OVERDUE, bill(), rules=rules).due
    cut = judged(DISCONNECTION, bill(cut_off="12-19"), rules=rules).due
    assert due is not None
    assert cut is not None
    assert text(OVERDUE, due, Script.LATIN, rules) == (
        "Prosrocheno zadalzhenie po 300012345678: 45,20 EUR, srok 10.12.2026. "
        "CEZ Elektro Bulgaria: 0700 10 010, www.cezelectro.bg"
    )
    assert text(DISCONNECTION, cut, Script.CYRILLIC, rules) == (
        "Дължите 45,20 EUR по 300012345678. При неплащане токът спира след 21.12.2026. "
        "CEZ Elektro Bulgaria: 0700 10 010, www.cezelectro.bg"
    )


@pytest.mark.parametrize("kind", [OVERDUE, DISCONNECTION])
def test_a_long_one_takes_one_part_in_latin_and_two_in_cyrillic(kind: NoticeKind) -> None:
    rules = NoticeRules(calendar=WORKDAYS, replies=Replies(company=LONG))
    due = judged(kind, bill(cents=12_345_678, cut_off="12-19"), rules=rules).due
    assert due is not None
    latin = text(kind, due, Script.LATIN, rules)
    assert "123456,78 EUR" in latin
    assert gsm.fits(latin)
    assert count_parts(latin) == 1
    assert count_parts(text(kind, due, Script.CYRILLIC, rules)) == 2

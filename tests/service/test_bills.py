"""What open bills come to, and the line that says so."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.service.bills import Urgency, balance, bill_line
from smsgw.service.customer import Account, Bill
from smsgw.service.message import Script
from smsgw.service.replies import Replies

TODAY = date(2026, 12, 18)
PAST, EARLIER, SOON, LATER = (
    date(2026, 12, 17),
    date(2026, 11, 20),
    date(2026, 12, 20),
    date(2027, 1, 20),
)
NUMBER = "300012345678"
TEXTS = Replies()[Script.LATIN]


def bill(amount: int, due: date | None = SOON, currency: str = "EUR") -> Bill:
    return Bill("0000123456", None, due, None, amount, currency)


LINES = {
    "no bill": ([], Urgency.NOTHING_OWED, "Nyamate zadalzhenia po 300012345678."),
    "a bill of nothing": ([bill(0, PAST)], Urgency.NOTHING_OWED, "Nyamate zadalzhenia po {n}."),
    "a bill": ([bill(4520)], Urgency.OWED, "Zadalzhenie po {n}: 45,20 EUR, srok 20.12.2026."),
    "due today is not past its term": (
        [bill(4520, TODAY)],
        Urgency.OWED,
        "Zadalzhenie po {n}: 45,20 EUR, srok 18.12.2026.",
    ),
    "due yesterday is": (
        [bill(4520, PAST)],
        Urgency.OVERDUE,
        "Prosrocheno zadalzhenie po {n}: 45,20 EUR, srok 17.12.2026.",
    ),
    "bills are summed, the earliest due date counts": (
        [bill(1000, LATER), bill(4520, SOON), bill(1, LATER)],
        Urgency.OWED,
        "Zadalzhenie po {n}: 55,21 EUR, srok 20.12.2026.",
    ),
    "how much is past its term": (
        [bill(1000, SOON), bill(4520, PAST), bill(80, EARLIER)],
        Urgency.OVERDUE,
        "Po {n}: 56,00 EUR, srok 20.11.2026, prosrocheni 46,00 EUR.",
    ),
    "no due date": ([bill(4520, None)], Urgency.OWED, "Zadalzhenie po {n}: 45,20 EUR."),
    "one of two due dates": (
        [bill(4520, None), bill(80, LATER)],
        Urgency.OWED,
        "Zadalzhenie po {n}: 46,00 EUR, srok 20.01.2027.",
    ),
    "summed by currency": (
        [bill(4520, SOON), bill(8840, PAST, "BGN"), bill(80, SOON)],
        Urgency.OVERDUE,
        "Po {n}: 46,00 EUR + 88,40 BGN, srok 17.12.2026, prosrocheni 88,40 BGN.",
    ),
    "two currencies past their term": (
        [bill(4520, PAST), bill(8840, EARLIER, "BGN")],
        Urgency.OVERDUE,
        "Prosrocheno zadalzhenie po {n}: 45,20 EUR + 88,40 BGN, srok 20.11.2026.",
    ),
    "a credit": (
        [bill(-1200, None)],
        Urgency.NOTHING_OWED,
        "Nyamate zadalzhenia po {n}. Nadvnesena suma: 12,00 EUR.",
    ),
    "credits in two currencies": (
        [bill(-1200), bill(-5, None, "BGN")],
        Urgency.NOTHING_OWED,
        "Nyamate zadalzhenia po {n}. Nadvnesena suma: 12,00 EUR + 0,05 BGN.",
    ),
    "a credit larger than the debt": (
        [bill(4520, PAST), bill(-4530)],
        Urgency.NOTHING_OWED,
        "Nyamate zadalzhenia po {n}. Nadvnesena suma: 0,10 EUR.",
    ),
    "a credit as large as the debt": (
        [bill(4520, PAST), bill(-4520)],
        Urgency.NOTHING_OWED,
        "Nyamate zadalzhenia po {n}.",
    ),
    "a credit is set against what fell due first": (
        [bill(1000, SOON), bill(-2000, LATER), bill(4520, PAST)],
        Urgency.OVERDUE,
        "Po {n}: 35,20 EUR, srok 17.12.2026, prosrocheni 25,20 EUR.",
    ),
    "and may settle all that was past its term": (
        [bill(-5000, None), bill(4520, PAST), bill(1000, SOON)],
        Urgency.OWED,
        "Zadalzhenie po {n}: 5,20 EUR, srok 20.12.2026.",
    ),
    "bills without a due date are settled last": (
        [bill(1000, None), bill(-1000), bill(500, LATER)],
        Urgency.OWED,
        "Zadalzhenie po {n}: 5,00 EUR.",
    ),
    "a credit in another currency settles nothing": (
        [bill(4520, SOON), bill(-8840, None, "BGN")],
        Urgency.OWED,
        "Zadalzhenie po {n}: 45,20 EUR, srok 20.12.2026. Nadvnesena suma: 88,40 BGN.",
    ),
}


@pytest.mark.parametrize(("bills", "urgency", "line"), LINES.values(), ids=LINES)
def test_bill_line(bills: list[Bill], urgency: Urgency, line: str) -> None:
    account = Account(NUMBER, tuple(bills))
    assert bill_line(NUMBER, account, TODAY, TEXTS) == (urgency, line.format(n=NUMBER))


def test_bill_line_without_an_account() -> None:
    assert bill_line(NUMBER, None, TODAY, TEXTS) == (
        Urgency.NO_BILLS,
        "V momenta nyamame danni za 300012345678.",
    )


@given(
    st.lists(
        st.builds(
            bill,
            st.integers(-10_000, 10_000),
            st.none() | st.dates(date(2026, 11, 1), date(2027, 1, 31)),
            st.sampled_from(["EUR", "BGN"]),
        ),
        max_size=6,
    )
)
def test_balance_adds_up(bills: list[Bill]) -> None:
    owed, overdue, due, credit = balance(bills, TODAY)
    for currency in ("EUR", "BGN"):
        total = sum([one.amount for one in bills if one.currency == currency])
        assert owed.get(currency, 0) - credit.get(currency, 0) == total
        assert not (currency in owed and currency in credit)
        assert 0 <= overdue.get(currency, 0) <= owed.get(currency, 0)
    assert all(cents > 0 for sums in (owed, overdue, credit) for cents in sums.values())
    assert bool(overdue) == (due is not None and due < TODAY)

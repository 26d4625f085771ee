"""What the open bills of one customer number come to, and the line that says so."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import IntEnum
from typing import NamedTuple

from smsgw.service.customer import Account, Bill
from smsgw.service.money import day, sums
from smsgw.service.replies import Wording


class Urgency(IntEnum):
    """The order of the lines in an answer."""

    OVERDUE = 0
    OWED = 1
    NOTHING_OWED = 2
    NO_BILLS = 3  # no data, or nothing that the sender may see


class Balance(NamedTuple):
    """Open bills in cents by currency, all above zero; no currency is both owed and credit."""

    owed: Mapping[str, int]
    overdue: Mapping[str, int]  # how much of `owed` is past its term
    due: date | None  # the earliest due date of what is owed, where a bill names one
    credit: Mapping[str, int]


def balance(bills: Sequence[Bill], today: date) -> Balance:
    """Sum `bills`. What was due before `today` is past its term.

    A credit is set against the bills of its currency that fall due first, so that no more is
    called past its term than is still owed.
    """
    owed: dict[str, int] = {}
    overdue: dict[str, int] = {}
    credit: dict[str, int] = {}
    earliest = None
    if any(bill.amount <= 0 for bill in bills):
        bills, credit = settled(bills)
    for bill in bills:
        owed[bill.currency] = owed.get(bill.currency, 0) + bill.amount
        due = bill.due_on
        if due is not None:
            if due < today:
                overdue[bill.currency] = overdue.get(bill.currency, 0) + bill.amount
            if earliest is None or due < earliest:
                earliest = due
    return Balance(owed, overdue, earliest, credit)


def settled(bills: Sequence[Bill]) -> tuple[list[Bill], dict[str, int]]:
    """What the credits among `bills` leave of the others, and what is left of the credits.

    A credit goes to the bills of its currency that fall due first.
    """
    credit: dict[str, int] = {}
    for bill in bills:
        if bill.amount < 0:
            credit[bill.currency] = credit.get(bill.currency, 0) - bill.amount
    left = []
    for bill in sorted(bills, key=lambda bill: bill.due_on or date.max):
        if bill.amount > 0:
            settled = min(bill.amount, credit.get(bill.currency, 0))
            if settled:
                credit[bill.currency] -= settled
            if settled < bill.amount:
                left.append(bill._replace(amount=bill.amount - settled))
    return left, {currency: cents for currency, cents in credit.items() if cents}


def bill_line(
    number: str, account: Account | None, today: date, texts: Wording
) -> tuple[Urgency, str]:
    """What is said of a customer number to those registered for it, and how soon.

    `account` is None where the billing cache does not know the number.
    """
    if account is None:
        return Urgency.NO_BILLS, texts["no_data"](number=number)
    owed, overdue, due, credit = balance(account.bills, today)
    if not owed:
        urgency, name = Urgency.NOTHING_OWED, "nothing_due"
    elif due is None:
        urgency, name = Urgency.OWED, "debt_without_due"
    elif not overdue:
        urgency, name = Urgency.OWED, "debt"
    elif overdue == owed:
        urgency, name = Urgency.OVERDUE, "overdue"
    else:
        urgency, name = Urgency.OVERDUE, "partly_overdue"
    line = texts[name](
        number=number, amount=sums(owed), due=due and day(due), overdue=sums(overdue)
    )
    if credit:
        line += " " + texts["credit"](credit=sums(credit))
    return urgency, line

"""Notices: to whom one is due, and what it says. Values and pure decisions.

A notice is one message to one phone about one customer number. It speaks of all the bills of the
number that it is due for, and is counted against each of them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from smsgw.service import money
from smsgw.service.bills import settled
from smsgw.service.calendar import LOOK_AHEAD, Calendar
from smsgw.service.customer import Account, Bill
from smsgw.service.message import Encoding, MessageKind, Msisdn, Script
from smsgw.service.replies import Replies


class NoticeKind(StrEnum):
    """What a notice says. In this order they go out."""

    DISCONNECTION = "disconnection"
    OVERDUE = "overdue"
    ANNOUNCEMENT = "announcement"

    @property
    def message_kind(self) -> MessageKind:
        announced = self is NoticeKind.ANNOUNCEMENT
        return MessageKind.ANNOUNCEMENT if announced else MessageKind.NOTICE


class RunState(StrEnum):
    """How far a run has come."""

    MAKING = "making"  # its notices are being written; left so, it was cut off and is made anew
    HELD = "held"  # until somebody confirms it
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"  # nothing of it is left to be sent


# Which state may follow which. Everything else is an error.
RUN_TRANSITIONS: Final[dict[RunState, frozenset[RunState]]] = {
    RunState.MAKING: frozenset({RunState.HELD, RunState.RUNNING, RunState.DONE}),
    RunState.HELD: frozenset({RunState.RUNNING, RunState.CANCELLED}),
    RunState.RUNNING: frozenset({RunState.PAUSED, RunState.CANCELLED, RunState.DONE}),
    RunState.PAUSED: frozenset({RunState.RUNNING, RunState.CANCELLED}),
    RunState.CANCELLED: frozenset(),
    RunState.DONE: frozenset(),
}


class NoticeState(StrEnum):
    """How far one notice has come. Of one that is sent, its message knows the rest."""

    PLANNED = "planned"
    SENT = "sent"  # there is a message: it is claimed, on its way, or has ended
    CANCELLED = "cancelled"  # its turn came, or its run ended, and it was not sent


class Cancelled(StrEnum):
    """Why a notice was not sent. Its bills may be noticed by another run then."""

    PAID = "paid"  # or no longer owed otherwise
    ENDED = "ended"  # the subscription
    TOO_LATE = "too_late"  # its turn came on the cut-off day, or after it
    UNREACHABLE = "unreachable"  # the subscription has no carrier any more that is enabled
    RUN = "run"  # its run was cancelled
    ERASED = "erased"
    NO_TEXT = "no_text"  # it can't be written as a message
    SPOKEN_OF = "spoken_of"  # an earlier one spoke of all its bills


class LeftOut(StrEnum):
    """Why a run has no notice for a bill, or for a subscription to a number that has one."""

    # Of a bill.
    NO_DUE_DATE = "no_due_date"
    IMPLAUSIBLE_DATE = "implausible_date"
    UNKNOWN_CURRENCY = "unknown_currency"
    CREDIT = "credit"  # it is one, or credits cover it
    CUT_OFF_PASSED = "cut_off_passed"
    NO_CUT_OFF_DAY = "no_cut_off_day"  # the calendar allows none
    # Of a customer number.
    NO_SUBSCRIPTION = "no_subscription"  # nobody is registered for it
    # Of a subscription.
    NO_CARRIER = "no_carrier"
    CARRIER_DISABLED = "carrier_disabled"
    NOTICED = "noticed"  # another run has the notice
    WAITS = "waits"  # the first attempt failed on this very day
    TRIED_TWICE = "tried_twice"


# A due date outside these is a mistake of the feed.
FIRST_YEAR: Final = 2000
OLDEST: Final = 5  # years before the day of the run
LONGEST_TERM: Final = 2  # years after the day of issue

# Currencies that an amount is written in. The lev was the country's until the end of 2025.
CURRENCIES: Final = frozenset({"EUR", "BGN"})


class Due(NamedTuple):
    """What a customer number is to be noticed of on one day."""

    bills: tuple[str, ...]  # numbers of the bills that it is due for, never empty
    parameters: Mapping[str, str]  # what fills the text
    cut_off: date | None = None  # after which supply is cut; of a disconnection notice
    moved: bool = False  # that day is not the one of the bill


class Verdict(NamedTuple):
    """What one customer number's bills come to for one kind of notice on one day."""

    due: Due | None
    left_out: Mapping[str, LeftOut] = {}  # bills that would be due but for this


@dataclass(frozen=True, slots=True)
class NoticeRules:
    """What the configuration says about notices."""

    calendar: Calendar = field(default_factory=Calendar)
    replies: Replies = field(default_factory=Replies)
    max_age: float = 0.0  # seconds of the billing cache; 0: any
    days_after_due: int = 1
    days_before_cut_off: int = 2
    max_per_run: int = 0  # 0: as many as there are
    prices: Mapping[str, float] = field(default_factory=dict)  # cents a part, by carrier
    encodings: Mapping[str, Encoding] = field(default_factory=dict)  # of carriers enabled


class Recipient(NamedTuple):
    """A phone that is registered for a customer number."""

    msisdn: Msisdn
    customer_number: str
    carrier: str | None
    script: Script


class Planned(NamedTuple):
    """One notice of a run that may be made."""

    recipient: Recipient  # with a carrier that is enabled
    due: Due
    attempts: tuple[int, ...]  # which attempt it is for each of `due.bills`


def judge(kind: NoticeKind, account: Account, day: date, rules: NoticeRules) -> Verdict:
    """What `account` is to be noticed of on `day`: overdue bills, or bills that supply is cut for.

    Raises ValueError for an announcement: that is for whom it was made.
    """
    if kind is NoticeKind.ANNOUNCEMENT:
        raise ValueError("an announcement depends on no bill")
    found = _overdue if kind is NoticeKind.OVERDUE else _disconnection
    named: dict[str, date] = {}  # bill -> the date that its notice names
    left_out: dict[str, LeftOut] = {}
    for bill in account.bills:
        what = found(bill, day, rules)
        if what is None:
            continue
        if bill.amount <= 0:
            left_out[bill.number] = LeftOut.CREDIT
        elif isinstance(what, LeftOut):
            left_out[bill.number] = what
        elif bill.currency not in CURRENCIES:
            left_out[bill.number] = LeftOut.UNKNOWN_CURRENCY
        else:
            named[bill.number] = what
    if not named:
        return Verdict(None, left_out)
    amounts = _owed(account, day)
    owed = [
        bill._replace(amount=amounts[bill.number])
        for bill in account.bills
        if bill.number in named and bill.number in amounts
    ]
    left_out |= {number: LeftOut.CREDIT for number in named if number not in amounts}
    if not owed:
        return Verdict(None, left_out)
    return Verdict(_due(kind, account.customer_number, owed, named), left_out)


def text(kind: NoticeKind, due: Due, script: Script, rules: NoticeRules) -> str:
    """What a notice of one of the kinds that are judged says."""
    return rules.replies[script][f"notice_{kind}"](**due.parameters)


def _due(kind: NoticeKind, number: str, owed: Sequence[Bill], named: Mapping[str, date]) -> Due:
    sums: Counter[str] = Counter()
    for bill in owed:
        sums[bill.currency] += bill.amount
    bills = tuple([bill.number for bill in owed])
    earliest = min([named[bill] for bill in bills])
    parameters = {"number": number, "amount": money.sums(sums)}
    if kind is NoticeKind.OVERDUE:
        return Due(bills, {**parameters, "due": money.day(earliest)})
    moved = earliest not in [bill.cut_off_on for bill in owed]
    return Due(bills, {**parameters, "cut_off": money.day(earliest)}, earliest, moved)


def _owed(account: Account, day: date) -> dict[str, int]:
    """Of each bill, what the account's credits leave of it, if they do: by its number, in cents.

    What has no due date, or none that can be right, is settled last.
    """
    bills = account.bills
    if any(bill.amount <= 0 for bill in bills):
        sound = [
            bill._replace(due_on=None) if isinstance(_due_date(bill, day), LeftOut) else bill
            for bill in bills
        ]
        bills = tuple(settled(sound)[0])
    return {bill.number: bill.amount for bill in bills}


def _overdue(bill: Bill, day: date, rules: NoticeRules) -> date | LeftOut | None:
    """The bill's due date; or why it is not to be relied on; or None: not yet.

    On its due date no bill is past its term, whatever the rules say.
    """
    due = _due_date(bill, day)
    if isinstance(due, LeftOut):
        return due
    return due if day - due >= timedelta(days=max(1, rules.days_after_due)) else None


def _disconnection(bill: Bill, day: date, rules: NoticeRules) -> date | LeftOut | None:
    """The date after which supply is cut; or why there is no notice of it; or None: not yet.

    On that date there is no notice any more, whatever the rules say: the last is on the day before.
    """
    before = timedelta(days=max(1, rules.days_before_cut_off))
    if bill.cut_off_on is None or bill.cut_off_on - day > before + LOOK_AHEAD:
        return None
    cut_off = rules.calendar.cut_off(bill.cut_off_on)
    if cut_off is not None and cut_off - day > before:
        begins = rules.calendar.last_open(cut_off - before)
        if begins is not None and begins > day:
            return None
    due = _due_date(bill, day)
    if isinstance(due, LeftOut):
        return due
    if cut_off is None:
        return LeftOut.NO_CUT_OFF_DAY
    return cut_off if day < cut_off else LeftOut.CUT_OFF_PASSED


def _due_date(bill: Bill, day: date) -> date | LeftOut:
    """The bill's due date, or why it can't be relied on."""
    due = bill.due_on
    if due is None:
        return LeftOut.NO_DUE_DATE
    too_old = due.year < FIRST_YEAR or _years_after(due, OLDEST) < _years_after(day, 0)
    issued = bill.issued_on
    if too_old or (issued and _years_after(issued, LONGEST_TERM) < _years_after(due, 0)):
        return LeftOut.IMPLAUSIBLE_DATE
    return due


def _years_after(day: date, years: int) -> tuple[int, int, int]:
    """Year, month and day; it need not be in the calendar."""
    return day.year + years, day.month, day.day

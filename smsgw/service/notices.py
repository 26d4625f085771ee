"""Notices: to whom one is due, and what it says. Values and pure decisions.

A notice is one message to one phone about one customer number. It speaks of all the bills of the
number that it is due for, and is counted against each of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from smsgw.service.calendar import Calendar
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


# Attempts of one notice: the second only after EXPIRED or UNDELIV, on another day.
ATTEMPTS: Final = 2

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

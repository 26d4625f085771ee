"""What a run of notices would hold: to whom, over which carrier, at what cost, and who is left out.

Nothing is stored here. The reads of one plan are of one moment.
"""

import math
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from json import dumps
from typing import Final, NamedTuple

from smsgw.service.calendar import LOOK_AHEAD
from smsgw.service.keyed import Keyed
from smsgw.service.message import SCRIPTS, Msisdn, Script
from smsgw.service.notices import (
    LONGEST_TERM,
    Due,
    LeftOut,
    NoticeKind,
    NoticeRules,
    Planned,
    Recipient,
    RunState,
    judge,
    text,
)
from smsgw.storage import billing
from smsgw.storage.database import CACHE_SCHEMA, one_moment
from smsgw.storage.notice_keys import claims, next_attempts
from smsgw.storage.subscriptions import LIVE

EXAMPLES: Final = 3  # of each reason for which somebody is left out
SAMPLES: Final = 2  # texts of each script
MONTH: Final = 30 * 86400.0  # seconds: how far back runs are compared
TOO_MANY: Final = 2  # times as many as in the month before

# A bill whose term is too long falls due later than in half of the longest, or was issued before.
_HALF_TERM: Final = timedelta(days=365 * LONGEST_TERM) / 2

_WRONG_DATES: Final = (LeftOut.NO_DUE_DATE, LeftOut.IMPLAUSIBLE_DATE)


class Example(NamedTuple):
    """One who is left out. What the reason does not concern is None."""

    customer_number: str
    bill: str | None = None
    msisdn: Msisdn | None = None


@dataclass(slots=True)
class Excluded:
    """Who is left out of a run and why."""

    counts: Counter[LeftOut] = field(default_factory=Counter)
    examples: defaultdict[LeftOut, list[Example]] = field(default_factory=lambda: defaultdict(list))

    def add(self, reason: LeftOut, example: Example) -> None:
        self.counts[reason] += 1
        if len(self.examples[reason]) < EXAMPLES:
            self.examples[reason].append(example)


class Total(NamedTuple):
    """What some notices come to; `cost` in cents of EUR."""

    notices: int = 0
    parts: int = 0
    cost: float = 0.0

    def plus(self, other: "Total") -> "Total":
        return Total(self.notices + other.notices, self.parts + other.parts, self.cost + other.cost)


class Sample(NamedTuple):
    """One of the notices, as its phone will read it."""

    recipient: Recipient
    text: str
    parts: int


class Plan(NamedTuple):
    """One run, as it would be made now."""

    kind: NoticeKind
    day: date
    notices: Sequence[Planned]
    excluded: Excluded
    moved: int = 0  # customer numbers whose cut-off day is not the one on the bill
    totals: Mapping[tuple[str, Script], Total] = {}  # by carrier and script
    samples: Sequence[Sample] = ()
    hold: str = ""  # why the run would wait to be confirmed; empty: it would not
    refusal: str = ""  # why there can be no run; empty: there can
    text: str | None = None  # of an announcement

    @property
    def total(self) -> Total:
        return summed(self.totals.values())


def summed(totals: Iterable[Total]) -> Total:
    whole = Total()
    for one in totals:
        whole = whole.plus(one)
    return whole


def plan(
    con: sqlite3.Connection,
    kind: NoticeKind,
    day: date,
    rules: NoticeRules,
    keyed: Keyed,
    now: float,
) -> Plan:
    """The run of a kind for a local day, by the billing cache that is attached to `con`.

    A notice speaks of all that is due, and counts against the bills of it that none has spoken of.
    """
    excluded = Excluded()
    with one_moment(con):
        if refusal := cache_refusal(con, rules, now) or closed_refusal(rules, day, now):
            return Plan(kind, day, (), excluded, refusal=refusal)
        dues, wrong = _dues(con, kind, day, rules, excluded)
        recipients = _recipients(con, dues, rules, excluded)
        planned = _not_noticed(con, kind, day, rules, keyed, recipients, dues, excluded)
        return summed_up(
            Plan(kind, day, planned, excluded, refusal=wrong),
            lambda one: text(kind, one.due, one.recipient.script, rules),
            rules,
            hold(con, kind, len(planned), rules, now),
        )


def cache_refusal(con: sqlite3.Connection, rules: NoticeRules, now: float) -> str:
    """Why nobody can be noticed by the billing cache as it is; empty: everybody can."""
    if not any(name == CACHE_SCHEMA for _, name, _ in con.execute("PRAGMA database_list")):
        return "there are no billing data: take a feed first, by smsgw billing import FILE"
    as_of = billing.cache_as_of(con)
    if as_of is None:
        return "the billing data have no date: take a feed first, by smsgw billing import FILE"
    if rules.max_age and now - as_of > rules.max_age:
        at = datetime.fromtimestamp(as_of, rules.calendar.timezone)
        return (
            f"the billing data are of {at:%Y-%m-%d %H:%M}, older than billing.max_age"
            f" ({rules.max_age / 3600:g} h): take a newer feed first"
        )
    return ""


def closed_refusal(rules: NoticeRules, day: date, now: float) -> str:
    """Why a run for `day` would never go out; empty: it would."""
    if rules.calendar.next_window(begins(rules, day, now)) is None:
        return (
            "notices.hours, days, holidays and min_validity leave no time to send in within a"
            " year: mend them"
        )
    return ""


def begins(rules: NoticeRules, day: date, now: float) -> float:
    """The moment from which a run for `day` may go out, as far as its day says."""
    return max(now, datetime.combine(day, time.min, rules.calendar.timezone).timestamp())


def _dues(
    con: sqlite3.Connection,
    kind: NoticeKind,
    day: date,
    rules: NoticeRules,
    excluded: Excluded,
) -> tuple[dict[str, Due], str]:
    """What each customer number is to be noticed of, and why that can't be right, if it can't."""
    dues: dict[str, Due] = {}
    bills = 0
    wrong: list[str] = []
    for account in billing.registered_accounts(con, *_candidates(kind, day, rules)):
        number = account.customer_number
        due, left_out = judge(kind, account, day, rules)
        if due is not None:
            dues[number] = due
            bills += len(due.bills)
        for bill, reason in left_out.items():
            excluded.add(reason, Example(number, bill))
            bills += 1
            if reason in _WRONG_DATES:
                wrong.append(bill)
    if 2 * len(wrong) > bills:
        return dues, (
            f"{len(wrong)} of {bills} bills have no due date, or one that can't be right"
            f" (bill {', '.join(wrong[:EXAMPLES])}{', …' if len(wrong) > EXAMPLES else ''}):"
            " look at the billing feed"
        )
    return dues, ""


def _candidates(kind: NoticeKind, day: date, rules: NoticeRules) -> tuple[str, dict[str, str]]:
    """Which bills may be due on `day`, as SQL and its values: all that `judge` may name."""
    if kind is NoticeKind.OVERDUE:
        late = day - timedelta(days=rules.days_after_due)
        return "(due_on IS NULL OR due_on <= :late OR due_on > :far OR issued_on < :old)", {
            "late": late.isoformat(),
            "far": (day + _HALF_TERM).isoformat(),
            "old": (day - _HALF_TERM).isoformat(),
        }
    # What is not due before the next open day is noticed of then, or later.
    following = day + timedelta(days=1)
    while rules.calendar.on(following) is None and following < day + LOOK_AHEAD:
        following += timedelta(days=1)
    before = following + timedelta(days=rules.days_before_cut_off)
    return "cut_off_on < :before", {"before": before.isoformat()}


def _recipients(
    con: sqlite3.Connection, dues: Mapping[str, Due], rules: NoticeRules, excluded: Excluded
) -> list[Recipient]:
    found = []
    for one in registered(con, list(dues)):
        if reason := unreachable(one, rules):
            excluded.add(reason, Example(one.customer_number, msisdn=one.msisdn))
        else:
            found.append(one)
    return found


def registered(con: sqlite3.Connection, numbers: Sequence[str]) -> list[Recipient]:
    """The phones with active subscriptions to the customer numbers, in the order of these."""
    rows = con.execute(
        "SELECT msisdn, customer_number, carrier, script"
        " FROM json_each(?) AS wanted JOIN main.subscription ON customer_number = wanted.value"
        f" WHERE {LIVE} AND state = 'active' ORDER BY wanted.key, subscription.id",
        (dumps(numbers),),
    )
    return [
        Recipient(Msisdn(msisdn), number, carrier, SCRIPTS[script])
        for msisdn, number, carrier, script in rows
    ]


def unreachable(one: Recipient, rules: NoticeRules) -> LeftOut | None:
    """Why nothing can be sent to it; None: something can."""
    if one.carrier is None:
        return LeftOut.NO_CARRIER
    return None if one.carrier in rules.encodings else LeftOut.CARRIER_DISABLED


def _not_noticed(
    con: sqlite3.Connection,
    kind: NoticeKind,
    day: date,
    rules: NoticeRules,
    keyed: Keyed,
    recipients: Sequence[Recipient],
    dues: Mapping[str, Due],
    excluded: Excluded,
) -> list[Planned]:
    """A notice to each who has not had one for all the bills, or may have a second."""
    whole = [Planned(one, dues[one.customer_number], ()) for one in recipients]
    wanted = [claim for one in whole for claim in claims(kind, one)]
    attempts = iter(next_attempts(con, keyed, kind, wanted, day, rules.calendar.day))
    planned = []
    for one in whole:
        theirs = [(bill, next(attempts)) for bill in one.due.bills]
        open_ = [(bill, attempt) for bill, attempt in theirs if isinstance(attempt, int)]
        if open_:
            bills, numbers = zip(*open_, strict=True)
            planned.append(Planned(one.recipient, one.due._replace(bills=bills), numbers))
        else:
            reasons = {reason for _, reason in theirs if isinstance(reason, LeftOut)}
            first = next(reason for reason in _BY_WEIGHT if reason in reasons)
            recipient = one.recipient
            excluded.add(first, Example(recipient.customer_number, msisdn=recipient.msisdn))
    return planned


# Of several bills that are left out for one phone, what is said of the phone.
_BY_WEIGHT: Final = (LeftOut.WAITS, LeftOut.NOTICED, LeftOut.TRIED_TWICE)


def summed_up(plan: Plan, written: Callable[[Planned], str], rules: NoticeRules, held: str) -> Plan:
    """`plan` with what its notices come to, as each of them is `written`."""
    totals: defaultdict[tuple[str, Script], Total] = defaultdict(Total)
    samples: defaultdict[Script, list[Sample]] = defaultdict(list)
    for one in plan.notices:
        recipient = one.recipient
        carrier, script = recipient.carrier or "", recipient.script
        says = written(one)
        parts = rules.encodings[carrier].count_parts(says)
        cost = parts * rules.prices.get(carrier, 0.0)
        totals[carrier, script] = totals[carrier, script].plus(Total(1, parts, cost))
        if len(samples[script]) < SAMPLES:
            samples[script].append(Sample(recipient, says, parts))
    return plan._replace(
        moved=len({one.recipient.customer_number for one in plan.notices if one.due.moved}),
        totals=dict(sorted(totals.items())),
        samples=[one for _, some in sorted(samples.items()) for one in some],
        hold=held,
    )


def hold(
    con: sqlite3.Connection, kind: NoticeKind, count: int, rules: NoticeRules, now: float
) -> str:
    """Why a run of `count` notices has to be confirmed; empty: it need not be."""
    if 0 < rules.max_per_run < count:
        return f"{count} notices are more than notices.max_per_run, which is {rules.max_per_run}"
    if kind is NoticeKind.ANNOUNCEMENT or not count:
        return ""
    before = _made(con, kind, now - 2 * MONTH, now - MONTH)
    # Also what was made in the future, before the clock was set back.
    lately = _made(con, kind, now - MONTH, math.inf) + count
    if before and lately > TOO_MANY * before:
        return (
            f"{lately} {kind} notices in 30 days, this run's {count} among them, are more than"
            f" twice the {before} of the 30 days before"
        )
    return ""


def _made(con: sqlite3.Connection, kind: NoticeKind, after: float, upto: float) -> int:
    """Notices of the runs that were made in a time; of one that was cancelled, those sent."""
    (count,) = con.execute(
        "SELECT ifnull(sum(CASE state WHEN :cancelled"
        "  THEN (SELECT count(*) FROM notice WHERE run = notice_run.id AND notice.state = 'sent')"
        "  ELSE notices END), 0)"
        " FROM notice_run WHERE kind = :kind AND made_at > :after AND made_at <= :upto",
        {
            "cancelled": RunState.CANCELLED.value,
            "kind": kind.value,
            "after": after,
            "upto": upto,
        },
    ).fetchone()
    return int(count)

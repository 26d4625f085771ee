"""The figures that are published, from counts. Pure.

A count says how many there were of one sort; a figure sums counts up. Amounts of money are whole
thousandths of a cent, so that sums are exact.
"""

from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from enum import StrEnum
from itertools import product
from typing import Final, NamedTuple, TypeVar

from smsgw.service.keyed import Keyed
from smsgw.service.keywords import Intent
from smsgw.service.message import FINAL, Channel, Encoding, MessageKind, MtState
from smsgw.service.notices import NoticeKind

Key = TypeVar("Key", bound=Hashable)

EUR: Final = 100_000  # thousandths of a cent


class Books(NamedTuple):
    """By what is counted: a day's bounds, what a part costs, and the key of digests."""

    keyed: Keyed
    timezone: tzinfo = UTC
    prices: Mapping[str, int] = {}  # of one part, in thousandths of a cent, by carrier
    encodings: Mapping[str, Encoding] = {}  # how many parts a payload has, by carrier

    def day(self, at: float) -> str:
        return datetime.fromtimestamp(at, self.timezone).date().isoformat()

    def ends(self, day: date) -> float:
        """When a day ends."""
        following = date.fromordinal(day.toordinal() + 1)
        return datetime.combine(following, time.min, self.timezone).timestamp()


class Customers(StrEnum):
    """What different customers of a month are counted for."""

    CHECKING = "checking"  # phones that asked for their bills
    REMINDED = "reminded"  # customer numbers with a reminder that a carrier took


class Happened(StrEnum):
    """What happens to registrations and is counted, by the names that the audit has for it."""

    REQUESTED = "requested"
    ACTIVATED = "activated"
    REJECTED = "rejected"
    ENDED = "ended"


BILL_CHECKS: Final = frozenset({Intent.BILL_CHECK, Intent.BILL_CHECK_FOR})
REMINDERS: Final = (NoticeKind.OVERDUE, NoticeKind.DISCONNECTION)


class Sent(NamedTuple):
    """A sort of messages to customers."""

    month: str  # 2026-11
    kind: MessageKind
    purpose: str  # the intent that it answers, the NoticeKind, or ''
    carrier: str
    state: MtState


class Amounts(NamedTuple):
    """How many messages of a sort there were, and what came of them."""

    messages: int = 0
    parts: int = 0  # that the carrier accepted
    cost: int = 0  # of these

    def plus(self, other: "Amounts") -> "Amounts":
        return Amounts(*[mine + theirs for mine, theirs in zip(self, other, strict=True)])


class Received(NamedTuple):
    """A sort of messages from customers."""

    month: str
    carrier: str
    intent: str


class Registered(NamedTuple):
    """A sort of changes to registrations."""

    month: str
    change: Happened
    channel: Channel


class Active(NamedTuple):
    """Active registrations at the end of a day."""

    day: date
    customer_numbers: int
    phones: int
    registrations: int  # pairs of the two


class Counts(NamedTuple):
    """All that is known of a period, both its days included."""

    first: date
    last: date
    sent: Mapping[Sent, Amounts]
    received: Mapping[Received, int]
    registered: Mapping[Registered, int]
    active: tuple[Active, ...]
    customers: Mapping[tuple[str, Customers], int]  # of whole months


def took(state: MtState, message_id: str | None, lost: int) -> bool:
    """Whether a carrier has certainly accepted a segment. One whose response was lost, and of which
    nothing more was learned, may or may not have been."""
    if state is MtState.UNCONFIRMED:
        return message_id is not None or not lost
    return state in (MtState.ACCEPTED, MtState.DELIVERED, MtState.UNDELIVERED)


def months(first: date, last: date) -> list[str]:
    """The months from one day to another, both included."""
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in numbers]


Value = str | int | Decimal | None


class Table(NamedTuple):
    """Figures that belong together. A row has a value for each column; None: there is none."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Value, ...]]


def tables(counts: Counts) -> list[Table]:
    """All figures of a period."""
    return [
        _active(counts),
        _registrations(counts),
        _kinds(counts),
        _reminders(counts),
        _bill_checks(counts),
        _carriers(counts),
        _messages(counts),
    ]


def _active(counts: Counts) -> Table:
    return Table(
        "active_registrations",
        "Active registrations at the end of a day",
        ("day", "customer_numbers", "phones", "registrations"),
        [(one.day.isoformat(), *one[1:]) for one in counts.active],
    )


def _registrations(counts: Counts) -> Table:
    rows: list[tuple[Value, ...]] = []
    for month, channel in product(months(counts.first, counts.last), Channel):
        row = [counts.registered.get(Registered(month, change, channel), 0) for change in _CHANGES]
        if any(row):
            rows.append((month, channel.value, *row))
    return Table(
        "registrations",
        "Registrations by month and channel",
        ("month", "channel", "new", "ended", "rejected"),
        rows,
    )


_CHANGES: Final = (Happened.ACTIVATED, Happened.ENDED, Happened.REJECTED)


def _kinds(counts: Counts) -> Table:
    sums = _sums(counts, lambda one: (one.kind, one.purpose))
    whole = sum(one.messages for one in sums.values())
    return Table(
        "messages_by_kind",
        "Messages to customers by kind, and what they answer or announce",
        ("kind", "purpose", "messages", "share", "parts", "cost_eur"),
        [
            (kind.name.lower(), purpose, one.messages, share(one.messages, whole), one.parts,
             euros(one.cost))
            for (kind, purpose), one in sorted(sums.items())
        ],
    )  # fmt: skip


def _reminders(counts: Counts) -> Table:
    sums = _sums(counts, lambda one: (one.month, one.purpose), _reminds)
    arrived = _sums(
        counts, lambda one: one.month, lambda one: _reminds(one) and one.state is MtState.DELIVERED
    )
    rows: list[tuple[Value, ...]] = []
    for month in months(counts.first, counts.last):
        by_kind = [sums.get((month, kind.value), Amounts()).messages for kind in REMINDERS]
        delivered = arrived.get(month, Amounts()).messages
        reminded = counts.customers.get((month, Customers.REMINDED), 0)
        rows.append((month, sum(by_kind), *by_kind, delivered, reminded))
    return Table(
        "reminders",
        "Reminders a month",
        ("month", "messages", *(kind.value for kind in REMINDERS), "delivered", "customer_numbers"),
        rows,
    )


def _reminds(one: Sent) -> bool:
    return one.purpose in REMINDERS


def _bill_checks(counts: Counts) -> Table:
    rows: list[tuple[Value, ...]] = []
    for month in months(counts.first, counts.last):
        checks = sum(
            count
            for one, count in counts.received.items()
            if one.month == month and one.intent in BILL_CHECKS
        )
        rows.append((month, checks, counts.customers.get((month, Customers.CHECKING), 0)))
    return Table(
        "bill_checks", "Bill checks a month", ("month", "messages", "different_phones"), rows
    )


# States of messages in the order in which they are shown; those that are not final are one.
_ENDS: Final = (
    MtState.DELIVERED, MtState.UNDELIVERED, MtState.REFUSED, MtState.EXPIRED, MtState.UNCONFIRMED,
    MtState.CANCELLED,
)  # fmt: skip


def _carriers(counts: Counts) -> Table:
    by_state = _sums(counts, lambda one: (one.carrier, one.state if one.state in FINAL else None))
    sums = _sums(counts, lambda one: one.carrier)
    rows: list[tuple[Value, ...]] = []
    for carrier, one in sorted(sums.items()):
        ends = [by_state.get((carrier, state), Amounts()).messages for state in _ENDS]
        on_the_way = by_state.get((carrier, None), Amounts()).messages
        tried = one.messages - on_the_way - ends[-1]  # all that ended, but for the cancelled
        rate = share(ends[0], tried)
        rows.append((carrier, one.messages, *ends, on_the_way, rate, one.parts, euros(one.cost)))
    return Table(
        "carriers",
        "Delivery and cost by carrier",
        (
            "carrier", "messages", *(state.value for state in _ENDS), "on_the_way",
            "delivery_rate", "parts", "cost_eur",
        ),
        rows,
    )  # fmt: skip


def _messages(counts: Counts) -> Table:
    sums = _sums(counts, lambda one: (one.month, one.kind, one.purpose, one.carrier))
    arrived = _sums(
        counts,
        lambda one: (one.month, one.kind, one.purpose, one.carrier),
        lambda one: one.state is MtState.DELIVERED,
    )
    return Table(
        "messages",
        "Messages to customers by month, kind and carrier",
        ("month", "kind", "purpose", "carrier", "messages", "delivered", "parts", "cost_eur"),
        [
            (month, kind.name.lower(), purpose, carrier, one.messages,
             arrived.get((month, kind, purpose, carrier), Amounts()).messages, one.parts,
             euros(one.cost))
            for (month, kind, purpose, carrier), one in sorted(sums.items())
        ],
    )  # fmt: skip


def _sums(
    counts: Counts, by: Callable[[Sent], Key], which: Callable[[Sent], bool] = lambda _: True
) -> dict[Key, Amounts]:
    """What the sorts of messages come to that `which` takes, by what `by` makes of each."""
    found: dict[Key, Amounts] = {}
    for one, amounts in counts.sent.items():
        if which(one):
            key = by(one)
            found[key] = found.get(key, Amounts()).plus(amounts)
    return found


def share(part: int, whole: int) -> Decimal | None:
    """How much of the whole a part is, to four places; None where there is no whole."""
    return (Decimal(part) / whole).quantize(Decimal("0.0001")) if whole else None


def euros(cost: int) -> Decimal:
    """Thousandths of a cent in euros, exactly."""
    return (Decimal(cost) / EUR).quantize(Decimal("0.00001"))

"""Whether the carriers were given what they should be: by what they wrote down and by what the
town knows, with nothing of the gateway's."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from notices.carrier import Other, Taken
from notices.saying import Message, Said, messages, read
from notices.town import DAY, FRAIL, SLOW, Owed, Phone, Town, rests
from notices.world import at, local

from smsgw.smpp.names import MessageState

SOON: Final = 3.0  # seconds from a notice's turn until it is at the carrier
VALID: Final = 2.0  # seconds that a validity_period may be off
MAX_AGE: Final = 36 * 3600.0
SLACK: Final = 8  # open days within which a slow carrier is through
FAILED: Final = (MessageState.UNDELIVERABLE, MessageState.EXPIRED)
KINDS: Final = ("overdue", "disconnection")

Key = tuple[str, str, str]  # kind, phone, bill


@dataclass
class Attempt:
    at: float
    failed: date | None  # the local day on which the gateway heard that it failed
    maybe: bool = False  # it may have been counted against another bill alone


class Named(NamedTuple):
    """Bills of a customer number that a notice is due for, with the date that it names."""

    bills: tuple[str, ...]
    cents: int
    named: date


def may_be_cut(day: date) -> bool:
    return not rests(day) and not rests(day + DAY)


def first(day: date, fits: Callable[[date], bool], step: int = 1) -> date:
    while not fits(day):
        day += step * DAY
    return day


def is_due(kind: str, one: Owed, day: date) -> date | None:
    """The date that a notice names on that day; None: there is none."""
    if kind == "overdue":
        return one.bill.due if one.bill.due < day else None
    if one.bill.cut_off is None:
        return None
    cut = first(one.bill.cut_off, may_be_cut)
    begins = first(cut - 2 * DAY, lambda day: not rests(day), -1)
    return cut if begins <= day < cut else None


class Judge:
    def __init__(self, town: Town, taken: Sequence[Taken], fed: Sequence[float]) -> None:
        self.violations: list[str] = []
        self.counts: Counter[str] = Counter()
        self._town = town
        self._taken = taken
        self._fed = fed
        self._attempts: dict[Key, list[Attempt]] = defaultdict(list)
        self._owed: dict[str, list[Owed]] = defaultdict(list)
        for one in town.bills:
            self._owed[one.bill.customer].append(one)

    def judge(self) -> None:
        notices = [one for one in self._taken if one.kind == "NOTE"]
        for one in notices:
            self._hours(one)
        for message in sorted(_messages(notices), key=lambda one: one.first.at):
            self._message(message)
        for phone in self._town.phones.values():
            for customer in phone.customers:
                for owed in self._owed[customer]:
                    for kind in KINDS:
                        self._whole(kind, phone, owed)

    def _wrong(self, one: Taken, what: str) -> None:
        self.violations.append(f"{local(one.at)} {one.carrier} {one.phone} {one.text!r}: {what}")

    def _hours(self, one: Taken) -> None:
        """Of each submit."""
        shown = local(one.at)
        opens, last, closes = (at(shown.date(), hour) for hour in (9, 18, 20))
        if rests(shown.date()) or not opens <= one.at <= last + SOON:
            self._wrong(one, "came outside the hours")
        if not abs(one.until - closes) <= VALID:
            self._wrong(one, f"is valid for {one.until - one.at:.0f} s")
        if not any(one.at - MAX_AGE - SOON <= fed <= one.at for fed in self._fed):
            self._wrong(one, "came by old billing data")

    # -- one message -----------------------------------------------------------------------

    def _message(self, message: Message) -> None:
        one = message.first
        said = read(message.text)
        phone = self._town.phones[one.phone]
        self.counts[f"{said.kind} messages"] += 1
        self.counts[f"messages that ended {one.fate.name}"] += 1
        if said.number not in phone.customers:
            self._wrong(one, "speaks of another's number")
            return
        if phone.ended is not None and phone.ended + SOON < one.at:
            self._wrong(one, "came after the subscription had ended")
        if one.carrier not in {_carrier(phone, one.at - ago) for ago in (0.0, SOON)}:
            self._wrong(one, "came over another carrier than the phone's")
        if said.kind == "disconnection":
            self._cut_off(one, said)
        due = next((due for due in self._due(said, one.at) if _fits(due, said)), None)
        if due is None:
            self._wrong(one, f"is not what was due: {list(self._due(said, one.at))}")
            return
        self._count(message, said.kind, due)

    def _cut_off(self, one: Taken, said: Said) -> None:
        assert said.named is not None
        if not may_be_cut(said.named):
            self._wrong(one, "names a day on which nothing may be cut")
        if local(one.at).date() >= said.named:
            self._wrong(one, "came too late")
        if said.named not in [owed.bill.cut_off for owed in self._owed[said.number]]:
            self.counts["disconnection messages that name a later day than the bill"] += 1

    def _due(self, said: Said, moment: float) -> Iterator[Named]:
        """What is due then; or was a moment before, when its turn came."""
        for turn in (moment, moment - SOON):
            found = [
                (owed.bill, named)
                for owed in self._owed[said.number]
                if owed.open(turn)
                and (named := is_due(said.kind, owed, local(moment).date())) is not None
            ]
            if found:
                yield Named(
                    tuple(bill.number for bill, _ in found),
                    sum(bill.cents for bill, _ in found),
                    min(named for _, named in found),
                )

    def _count(self, message: Message, kind: str, due: Named) -> None:
        """Against which bills it counts: it is the first of them, or the second of one whose first
        failed on another day."""
        one, day = message.first, local(message.first.at).date()
        theirs = [self._attempts[kind, one.phone, bill] for bill in due.bills]
        new = [some for some in theirs if not some]
        again = [
            some
            for some in theirs
            if len(some) == 1 and some[0].failed is not None and some[0].failed < day
        ]
        maybe = [some for some in theirs if some and some[-1].maybe]
        for some in [*new, *again]:
            some.append(Attempt(one.at, _failed(message), bool(some and new)))
        self.counts["second attempts"] += len(again)
        if not new and not again:
            if maybe:
                maybe[0][-1].maybe = False
                return
            self._wrong(one, f"is one too many: {theirs}")

    # -- one bill, kind and phone ----------------------------------------------------------

    def _whole(self, kind: str, phone: Phone, owed: Owed) -> None:
        """Whether a notice came on the first day on which it could, and a second one, too."""
        days = 0
        attempts = self._attempts[kind, phone.number, owed.bill.number]
        for day in self._town.open_days:
            days = days + 1 if self._all_day(kind, phone, owed, day) else 0
            if not days or not (self._prompt(phone, day) or days >= SLACK):
                continue
            before = [one for one in attempts if one.at <= at(day, 18) + SOON]
            failed = before[0].failed if len(before) == 1 else None
            if not before or (failed is not None and failed < day):
                self.violations.append(
                    f"{day}: no {kind} notice to {phone.number} for {owed} after {before}"
                )
                return
            self.counts["notices that had to come on a day"] += 1

    def _all_day(self, kind: str, phone: Phone, owed: Owed, day: date) -> bool:
        """Whether a notice is due on the day, from its opening on until its end."""
        opens, closes = at(day, 9), at(day, 18) + SOON
        still = phone.ended is None or phone.ended > closes
        return (
            still
            and bool(owed.known)
            and owed.open(opens)
            and owed.open(closes)
            and is_due(kind, owed, day) is not None
        )

    def _prompt(self, phone: Phone, day: date) -> bool:
        """Whether what is due on a day comes on it."""
        carrier, then = _carrier(phone, at(day, 9)), _carrier(phone, at(day, 18))
        down = FRAIL in (carrier, then) and day in self._town.outages
        stale = day == self._town.span.stale
        return carrier == then != SLOW and not down and not stale


def _fits(due: Named, said: Said) -> bool:
    return due.cents == said.cents and due.named == said.named


def _carrier(phone: Phone, moment: float) -> str:
    return [carrier for since, carrier in phone.carriers if since <= moment][-1]


def _failed(message: Message) -> date | None:
    """The day on which the gateway heard that a message failed, if it may be repeated."""
    one = message.first
    if one.fate is Other.BUSY:
        return local(one.at).date()  # given up when the hours were over
    told = [moment for same in message.parts for part in same for moment in part.told]
    if one.fate not in FAILED or len(told) < one.total:
        return None
    return local(max(told)).date()


def _messages(notices: Sequence[Taken]) -> Iterator[Message]:
    """Those that were tried all day long are one message a day."""
    tried: dict[tuple[str, str, datetime], list[Taken]] = defaultdict(list)
    rest = defaultdict(list)
    for one in notices:
        if one.fate is Other.BUSY:
            midnight = local(one.at).replace(hour=0, minute=0, second=0, microsecond=0)
            tried[one.phone, one.text, midnight].append(one)
        else:
            rest[one.carrier].append(one)
    for same in tried.values():
        yield Message(same[0].text, (tuple(same),))
    for some in rest.values():
        yield from messages(some)

"""What the service does with one message: the decision, and nothing but the decision.

Pure: all that is known comes in as values, all that is wanted goes out as values. The caller
looks up subscriptions and accounts, writes the changes and sends the replies, in one transaction.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from operator import itemgetter
from typing import Final, NamedTuple

from smsgw.service.answer import fitting, lines
from smsgw.service.bills import Urgency, bill_line
from smsgw.service.customer import Account, Subscription, SubscriptionState
from smsgw.service.keywords import Hint, Intent, Reading
from smsgw.service.message import MessageKind, Mo, Script
from smsgw.service.money import day
from smsgw.service.numbers import MSISDN
from smsgw.service.replies import Replies, Wording


class Known(NamedTuple):
    """What the stores know that bears on one message."""

    subscriptions: tuple[Subscription, ...]  # the sender's pending and active ones, oldest first
    accounts: Mapping[str, Account]  # those of needs() that the billing cache knows
    phones: Mapping[str, int]  # number of the message -> other phones pending or active for it
    cache_as_of: float | None  # seconds since 1970; None: there never was a feed


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says about conversations. A bound of 0 means none."""

    replies: Replies
    numbers_per_phone: int
    phones_per_number: int
    sms: bool  # whether a message can register
    max_age: float  # seconds
    max_parts: int
    timezone: tzinfo


class Subscribe(NamedTuple):
    """Register the sender for a customer number, or make the pending registration active."""

    customer_number: str
    state: SubscriptionState
    script: Script


class End(NamedTuple):
    """End the sender's subscription to a customer number."""

    customer_number: str


class Move(NamedTuple):
    """Take all of the sender's subscriptions to the carrier that the message came over."""

    carrier: str


Change = Subscribe | End | Move


class Reply(NamedTuple):
    """A text for a customer."""

    kind: MessageKind
    text: str
    script: Script


class Decision(NamedTuple):
    """What to write, in this order, and what to send."""

    changes: tuple[Change, ...]
    replies: tuple[Reply, ...]


def needs(reading: Reading, subscriptions: Iterable[Subscription]) -> tuple[str, ...]:
    """The customer numbers whose accounts `decide` will ask for, given the sender's subscriptions.

    One that the sender has no active registration for is among them only where the message asks
    for that registration.
    """
    active = [one.customer_number for one in subscriptions if one.state is SubscriptionState.ACTIVE]
    match reading.intent:
        case Intent.BILL_CHECK:
            return tuple(active)
        case Intent.BILL_CHECK_FOR:
            return tuple([number for number in reading.customer_numbers if number in active])
        case Intent.REGISTER:
            return tuple([number for number in reading.customer_numbers if number not in active])
        case _:
            return ()


def decide(mo: Mo, reading: Reading, known: Known, now: float, rules: Rules) -> Decision:
    """What to change and what to answer, by the service's rules for its six intents.

    `known` is what stands when the message's turn comes; `now` is in seconds since 1970. Every
    message has one reply, in the script it is written in; digits alone are answered in that of
    the phone's latest subscription, or in Latin.
    """
    subscriptions = known.subscriptions
    script = reading.script or (subscriptions[-1].script if subscriptions else Script.LATIN)
    held = {one.customer_number: one for one in subscriptions}
    turn = _Turn(reading, known, held, now, rules, rules.replies[script], script)
    changes, text = _ANSWERS[reading.intent](turn)
    if mo.carrier and any(one.carrier != mo.carrier for one in subscriptions):
        changes = (Move(mo.carrier), *changes)
    return Decision(changes, (Reply(MessageKind.ANSWER, text, script),))


def activated(customer_number: str, script: Script, rules: Rules) -> Reply:
    """The confirmation of a pending registration that a feed has made active."""
    texts = rules.replies[script]
    text = f"{texts['activated'](number=customer_number)} {texts['carrier_change']()}"
    return Reply(MessageKind.CONFIRMATION, fitting(lambda _: text, 0, rules.max_parts), script)


class _Turn(NamedTuple):
    """One message, and all that its answer depends on."""

    reading: Reading
    known: Known
    held: Mapping[str, Subscription]  # the sender's, by customer number
    now: float
    rules: Rules
    texts: Wording
    script: Script

    def say(self, closing: str, items: Sequence[tuple[str, str]] = ()) -> str:
        """A line for each of `items` (customer number, line), then `closing`."""
        return lines(items, closing, self.texts["more"], self.rules.max_parts)


_Outcome = tuple[tuple[Change, ...], str]


def _bill_check(turn: _Turn) -> _Outcome:
    if turn.held:
        return (), _bills(turn, turn.held)
    how = "send_your_number" if turn.rules.sms else "register_elsewhere"
    return (), turn.say(f"{turn.texts['not_registered']()} {turn.texts[how]()}")


def _bill_check_for(turn: _Turn) -> _Outcome:
    return (), _bills(turn, turn.reading.customer_numbers)


def _bills(turn: _Turn, numbers: Iterable[str]) -> str:
    """A line for each of `numbers`; a debt only where the sender's registration is active."""
    texts, rules = turn.texts, turn.rules
    today = datetime.fromtimestamp(turn.now, rules.timezone).date()
    said: list[tuple[Urgency, str, str]] = []
    states: set[SubscriptionState | None] = set()
    for number in numbers:
        subscription = turn.held.get(number)
        state = subscription.state if subscription else None
        states.add(state)
        if state is SubscriptionState.ACTIVE:
            account = turn.known.accounts.get(number)
            urgency, line = bill_line(number, account, today, texts)
        else:
            name = "pending" if subscription else "not_registered_for"
            urgency, line = Urgency.NO_BILLS, texts[name](number=number)
        said.append((urgency, number, line))
    said.sort(key=itemgetter(0))

    closing = []
    if SubscriptionState.ACTIVE in states and (as_of := _outdated(turn)):
        closing.append(texts["as_of"](day=as_of))
    if None in states:
        closing.append(texts["send_that_number" if rules.sms else "register_elsewhere"]())
    return turn.say(" ".join(closing), [(number, line) for _, number, line in said])


def _outdated(turn: _Turn) -> str | None:
    """The day of the cache's data where it is older than it should be."""
    as_of, rules = turn.known.cache_as_of, turn.rules
    if as_of is None or not 0 < rules.max_age < turn.now - as_of:
        return None
    return day(datetime.fromtimestamp(as_of, rules.timezone))


# What the answer to a registration ends with, where one of its lines says this.
_AFTER: Final = {
    "looks_like_phone": "number_on_bill",
    "registered": "carrier_change",
    "not_by_message": "register_elsewhere",
}


def _register(turn: _Turn) -> _Outcome:
    changes: list[Change] = []
    said: list[tuple[str, str]] = []
    names = set()
    bounds = {
        "too_many_numbers": turn.rules.numbers_per_phone,
        "too_many_phones": turn.rules.phones_per_number,
    }
    count = len(turn.held)
    for number in dict.fromkeys(turn.reading.customer_numbers):
        if number in turn.held:
            name, change = _registered_before(turn, turn.held[number])
        else:
            name, change = _registered_now(turn, number, count)
            count += change is not None
        if change is not None:
            changes.append(change)
        names.add(name)
        said.append((number, turn.texts[name](number=number, limit=bounds.get(name))))
    closing = [turn.texts[after]() for name, after in _AFTER.items() if name in names]
    return tuple(changes), turn.say(_joined(closing), said)


def _joined(sentences: Iterable[str]) -> str:
    """One behind the other, on a new line where one has no end of its own: a web address, say."""
    text = ""
    for sentence in sentences:
        text += (" " if text.endswith((".", "!", "?")) else "\n") + sentence
    return text.strip()


def _registered_before(turn: _Turn, subscription: Subscription) -> tuple[str, Change | None]:
    """The name of the line for a number that the sender is registered for, and what changes."""
    number = subscription.customer_number
    if subscription.state is SubscriptionState.ACTIVE:
        return "already_registered", None
    if number in turn.known.accounts:
        return "registered", Subscribe(number, SubscriptionState.ACTIVE, subscription.script)
    return "pending", None


def _registered_now(turn: _Turn, number: str, count: int) -> tuple[str, Change | None]:
    """The same for a number that is new to the sender, who is registered for `count` others."""
    known, rules = turn.known, turn.rules
    name, state = "accepted", SubscriptionState.PENDING
    if number in known.accounts:
        name, state = "registered", SubscriptionState.ACTIVE
    elif MSISDN.fullmatch(number):
        return "looks_like_phone", None
    if not rules.sms:
        return "not_by_message", None
    if 0 < rules.numbers_per_phone <= count:
        return "too_many_numbers", None
    if 0 < rules.phones_per_number <= known.phones.get(number, 0):
        return "too_many_phones", None
    return name, Subscribe(number, state, turn.script)


def _stop(turn: _Turn) -> _Outcome:
    texts, numbers = turn.texts, turn.reading.customer_numbers or tuple(turn.held)
    if not numbers:
        return (), turn.say(texts["nothing_to_stop"]())
    ended = [number for number in numbers if number in turn.held]
    others = [
        texts["nothing_to_stop_for"](number=number) for number in numbers if number not in turn.held
    ]

    def render(count: int) -> str:
        listed = ", ".join(ended[:count])
        if count < len(ended):
            listed += " " + texts["stopped_more"](count=len(ended) - count)
        return "\n".join([texts["stopped"](numbers=listed), *others] if ended else others)

    return tuple([End(number) for number in ended]), fitting(
        render, len(ended), turn.rules.max_parts
    )


def _help(turn: _Turn) -> _Outcome:
    return (), turn.say(turn.texts["help" if turn.rules.sms else "help_without_registration"]())


def _unknown(turn: _Turn) -> _Outcome:
    reading = turn.reading
    if turn.rules.sms or reading.keyword or reading.hint is Hint.KEYWORD_NOT_FIRST:
        name = f"hint_{reading.hint}" if reading.hint else "unknown"
    else:  # no number is asked for where it would only be refused
        name = "register_elsewhere" if reading.hint else "unknown_without_registration"
    return (), turn.say(turn.texts[name](digits=reading.digits))


_ANSWERS: Final[dict[Intent, Callable[[_Turn], _Outcome]]] = {
    Intent.BILL_CHECK: _bill_check,
    Intent.BILL_CHECK_FOR: _bill_check_for,
    Intent.REGISTER: _register,
    Intent.STOP: _stop,
    Intent.HELP: _help,
    Intent.UNKNOWN: _unknown,
}

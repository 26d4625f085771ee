"""What the service does with one message: the decision, and nothing but the decision.

Pure: all that is known comes in as values, all that is wanted goes out as values. The caller
looks up subscriptions and accounts, writes the changes and sends the replies, in one transaction.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from operator import itemgetter
from typing import Final

from smsgw.service import registering
from smsgw.service.answer import fitting
from smsgw.service.bills import Urgency, bill_line
from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.decision import Block, Decision, End, Known, Move, Reply, Rules, Said, Turn
from smsgw.service.keywords import Hint, Intent, Reading
from smsgw.service.message import MessageKind, Mo, Script
from smsgw.service.money import day
from smsgw.service.today import Silence, Used


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

    `known` is what stands when the message's turn comes; `now` is in seconds since 1970. A
    message has one reply, in the script it is written in; digits alone are answered in that of
    the phone's latest subscription, or in Latin. Where a daily bound is reached there is no
    reply; what the message asks for is done all the same.
    """
    subscriptions = known.subscriptions
    script = reading.script or (subscriptions[-1].script if subscriptions else Script.LATIN)
    held = {one.customer_number: one for one in subscriptions}
    texts = rules.replies[script]
    said = _ANSWERS[reading.intent](
        Turn(mo.source, reading, known, held, now, rules, texts, script, rules.room(mo.carrier))
    )
    changes = said.changes
    if mo.carrier and any(one.carrier != mo.carrier or one.suspect_at for one in subscriptions):
        changes = (Move(mo.carrier), *changes)
    silence = _silence(reading.intent, said, known.today, rules)
    return Decision(
        changes,
        () if silence else (Reply(MessageKind.ANSWER, said.text, script),),
        said.told,
        silence,
        _used(reading.intent, said, answered=silence is None),
        said.tried,
    )


def _silence(intent: Intent, said: Said, today: Used, rules: Rules) -> Silence | None:
    """Why there is to be no answer; the first stop of a day is always answered."""
    if 0 < rules.answers_per_day <= today.answers and (intent is not Intent.STOP or today.stops):
        return Silence.ANSWERS
    if intent is Intent.UNKNOWN and 0 < rules.hints_per_day <= today.hints:
        return Silence.HINTS
    if said.only_refused and today.refusals:
        return Silence.UNKNOWN_NUMBERS
    return None


def _used(intent: Intent, said: Said, answered: bool) -> Used:
    return Used(
        answers=answered,
        hints=answered and intent is Intent.UNKNOWN,
        refusals=answered and said.refused,
        stops=answered and intent is Intent.STOP,
        unknown_numbers=said.unknown_numbers,
    )


def _bill_check(turn: Turn) -> Said:
    if turn.held:
        return Said(_bills(turn, turn.held))
    how = "send_your_number" if turn.rules.sms else "register_elsewhere"
    return Said(turn.say(f"{turn.texts['not_registered']()} {turn.texts[how]()}"))


def _bill_check_for(turn: Turn) -> Said:
    return Said(_bills(turn, turn.reading.customer_numbers))


def _bills(turn: Turn, numbers: Iterable[str]) -> str:
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


def _outdated(turn: Turn) -> str | None:
    """The day of the cache's data where it is older than it should be."""
    as_of, rules = turn.known.cache_as_of, turn.rules
    if as_of is None or not 0 < rules.max_age < turn.now - as_of:
        return None
    return day(datetime.fromtimestamp(as_of, rules.timezone))


def _stop(turn: Turn) -> Said:
    texts, numbers = turn.texts, turn.reading.customer_numbers or tuple(turn.held)
    block = () if turn.reading.customer_numbers else (Block(turn.sender),)
    if not numbers:
        return Said(turn.say(texts["nothing_to_stop"]()), block)
    ended = [number for number in numbers if number in turn.held]
    others = [
        texts["nothing_to_stop_for"](number=number) for number in numbers if number not in turn.held
    ]

    def render(count: int) -> str:
        listed = ", ".join(ended[:count])
        if count < len(ended):
            listed += " " + texts["stopped_more"](count=len(ended) - count)
        return "\n".join([texts["stopped"](numbers=listed), *others] if ended else others)

    text = fitting(render, len(ended), turn.room)
    return Said(text, (*[End(number) for number in ended], *block))


def _help(turn: Turn) -> Said:
    return Said(turn.say(turn.texts["help" if turn.rules.sms else "help_without_registration"]()))


def _unknown(turn: Turn) -> Said:
    reading = turn.reading
    if turn.rules.sms or reading.keyword or reading.hint is Hint.KEYWORD_NOT_FIRST:
        name = f"hint_{reading.hint}" if reading.hint else "unknown"
    else:  # no number is asked for where it would only be refused
        name = "register_elsewhere" if reading.hint else "unknown_without_registration"
    return Said(turn.say(turn.texts[name](digits=reading.digits)))


_ANSWERS: Final[dict[Intent, Callable[[Turn], Said]]] = {
    Intent.BILL_CHECK: _bill_check,
    Intent.BILL_CHECK_FOR: _bill_check_for,
    Intent.REGISTER: registering.answer,
    Intent.STOP: _stop,
    Intent.HELP: _help,
    Intent.UNKNOWN: _unknown,
}

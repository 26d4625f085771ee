"""The answer to a registration: a line for each number, whatever the bounds and codes say of it."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from smsgw.service.answer import fitting
from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.decision import Reply, Rules, Said, Subscribe, Told, Turn
from smsgw.service.message import Channel, MessageKind, Msisdn, Script
from smsgw.service.numbers import MSISDN
from smsgw.service.today import CODE_TRIES

# What the answer to a registration ends with, where one of its lines says this.
_AFTER: Final = {
    "looks_like_phone": "number_on_bill",
    "registered": "carrier_change",
    "not_by_message": "register_elsewhere",
    "code_missing": "code_on_bill",
    "code_wrong": "code_on_bill",
}
REFUSAL: Final = "too_many_unknown"


class _Line(NamedTuple):
    """What is said of one number, by the name of the text, and what is done for it."""

    name: str
    change: Subscribe | None = None
    unknown: bool = False  # the cache doesn't know the number, and that is counted
    tried: bool = False  # with a wrong code


def answer(turn: Turn) -> Said:
    """Register the sender for each number as far as the rules let it, in the numbers' order."""
    rules = turn.rules
    bounds = {
        "too_many_numbers": rules.numbers_per_phone,
        "too_many_phones": rules.phones_per_number,
        REFUSAL: rules.unknown_numbers_per_day,
    }
    found: dict[str, _Line] = {}
    for number in dict.fromkeys(turn.reading.customer_numbers):
        found[number] = _line(turn, number, found.values())
    names = {line.name for line in found.values()}
    said = [
        (number, turn.texts[line.name](number=number, limit=bounds.get(line.name)))
        for number, line in found.items()
    ]
    closing = [turn.texts[after]() for name, after in _AFTER.items() if name in names]
    changes = tuple([line.change for line in found.values() if line.change is not None])
    return Said(
        turn.say(_joined(dict.fromkeys(closing)), said),
        changes,
        told=tuple([told for change in changes for told in _others_told(turn, change)]),
        unknown_numbers=sum(line.unknown for line in found.values()),
        refused=REFUSAL in names,
        only_refused=names == {REFUSAL},
        tried=tuple([number for number, line in found.items() if line.tried]),
    )


def further_phone(new: Msisdn, customer_number: str, to: Subscription, rules: Rules) -> Told:
    """What a phone is told when another one is registered for its customer number too."""
    text = rules.replies[to.script]["further_phone"](number=customer_number, digits=new.digits[-3:])
    fitted = fitting(lambda _: text, 0, rules.room(to.carrier))
    return Told(Reply(MessageKind.CONFIRMATION, fitted, to.script), to)


def activated(
    customer_number: str, script: Script, rules: Rules, carrier: str | None = None
) -> Reply:
    """The confirmation of a pending registration that a feed has made active."""
    texts = rules.replies[script]
    text = f"{texts['activated'](number=customer_number)} {texts['carrier_change']()}"
    fitted = fitting(lambda _: text, 0, rules.room(carrier))
    return Reply(MessageKind.CONFIRMATION, fitted, script)


def rejected(
    customer_number: str,
    script: Script,
    rules: Rules,
    carrier: str | None = None,
    *,
    known: bool = False,
) -> Reply:
    """What a phone is told whose registration no feed has made active in time.

    `known`: the cache has the customer number, but no invoice of it with that code.
    """
    name = "rejected_by_code" if known else "rejected"
    text = rules.replies[script][name](number=customer_number)
    fitted = fitting(lambda _: text, 0, rules.room(carrier))
    return Reply(MessageKind.CONFIRMATION, fitted, script)


def _line(turn: Turn, number: str, before: Iterable[_Line]) -> _Line:
    """The line for a number, after the lines of those that stand before it in the message."""
    held = turn.held.get(number)
    known = number in turn.known.accounts
    if held is not None and held.state is SubscriptionState.ACTIVE:
        return _Line("already_registered")
    if held is not None and not known:
        return _waiting(turn, held)
    bar = None if held else _bar(turn, number, known, before)
    return bar or _code(turn, number, known) or _taken(turn, number, known)


def _taken(turn: Turn, number: str, known: bool) -> _Line:
    """The line for a number that nothing bars: active if the cache knows it, and the code."""
    held, required = turn.held.get(number), turn.rules.require_code
    if known and (not required or number in turn.known.codes):
        script = turn.script if held is None else held.script
        return _Line("registered", Subscribe(number, SubscriptionState.ACTIVE, script))
    if held is not None:
        return _waiting(turn, held)
    code = turn.reading.code if required else None
    wanted = Subscribe(number, SubscriptionState.PENDING, turn.script, code)
    return _Line("accepted", wanted, unknown=not known)


def _waiting(turn: Turn, held: Subscription) -> _Line:
    """The line for a number that waits for a feed; a code that came now replaces the one before.

    Who asks for what an import has asked for before is told of the outcome.
    """
    number, code = held.customer_number, turn.reading.code
    if not turn.rules.require_code or _locked(turn, number):
        code = None
    if code is None and held.channel is not Channel.IMPORT:
        return _Line("pending")
    return _Line("pending", Subscribe(number, SubscriptionState.PENDING, held.script, code))


def _locked(turn: Turn, number: str) -> bool:
    """Whether so many wrong codes came for a number today that none is looked at any more."""
    return turn.known.tries.get(number, 0) >= CODE_TRIES


def _bar(turn: Turn, number: str, known: bool, before: Iterable[_Line]) -> _Line | None:
    """The line for a number that can't be registered; None if it can be."""
    rules = turn.rules
    before = list(before)
    made = sum(
        line.change is not None and line.change.customer_number not in turn.held for line in before
    )
    unknown = turn.known.today.unknown_numbers + sum(line.unknown for line in before)
    if not known and 0 < rules.unknown_numbers_per_day <= unknown:
        return _Line(REFUSAL)
    if not known and MSISDN.fullmatch(number):
        return _Line("looks_like_phone", unknown=True)
    if not rules.sms:
        return _Line("not_by_message")
    if 0 < rules.numbers_per_phone <= len(turn.held) + made:
        return _Line("too_many_numbers")
    if 0 < rules.phones_per_number <= len(turn.known.others.get(number, ())):
        return _Line("too_many_phones")
    return None


def _code(turn: Turn, number: str, known: bool) -> _Line | None:
    """The line for a number whose code is missing or wrong; None if nothing is wrong with it."""
    if not turn.rules.require_code:
        return None
    if _locked(turn, number):
        return _Line("code_locked")
    if turn.reading.code is None:
        return _Line("code_missing")
    if known and turn.known.codes.get(number) is False:
        return _Line("code_wrong", tried=True)
    return None


def _others_told(turn: Turn, change: Subscribe) -> list[Told]:
    if change.state is not SubscriptionState.ACTIVE:
        return []
    number = change.customer_number
    return [
        further_phone(turn.sender, number, other, turn.rules)
        for other in turn.known.others.get(number, ())
        if other.state is SubscriptionState.ACTIVE
    ]


def _joined(sentences: Iterable[str]) -> str:
    """One behind the other, on a new line where one has no end of its own: a web address, say."""
    text = ""
    for sentence in sentences:
        text += (" " if text.endswith((".", "!", "?")) else "\n") + sentence
    return text.strip()

"""Registering a phone by hand: the same rules as by message, for a clerk who does it."""

import sqlite3
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.decision import Rules
from smsgw.service.message import Channel, Encoding, Msisdn, Mt, Script
from smsgw.service.numbers import MSISDN
from smsgw.service.registering import activated
from smsgw.storage import billing, stops, subscriptions
from smsgw.storage.audit import Author, Change
from smsgw.storage.messages import enqueue
from smsgw.storage.pending import others_told
from smsgw.storage.telling import tell
from smsgw.text.counted import counted

_CHANGED: Final = {Change.MOVED: "carrier", Change.SCRIPT: "script"}


class Refusal(StrEnum):
    """Why a registration is not made."""

    STOPPED = "stopped"  # the phone said stop
    LOOKS_LIKE_PHONE = "looks_like_phone"  # the customer number, and no customer is known by it
    TOO_MANY_NUMBERS = "too_many_numbers"  # that the phone is registered for
    TOO_MANY_PHONES = "too_many_phones"  # that are registered for the customer number


class RegistrationRefusedError(Exception):
    """A registration that is not made; the message says why, and `reason` in a word."""

    def __init__(self, reason: Refusal, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Request(NamedTuple):
    """What a clerk asks for. What was not said is None."""

    msisdn: Msisdn
    customer_number: str
    carrier: str | None
    script: Script | None
    channel: Channel
    usual_carrier: str | None = None  # for a new subscription where nothing else says


class Registered(NamedTuple):
    subscription: Subscription  # as it stands now
    made: bool  # False: it was there before
    changed: tuple[str, ...]  # what of one that was there: carrier, script
    told: bool  # whether a confirmation is on its way


def register(
    con: sqlite3.Connection,
    cache: bool,
    request: Request,
    rules: Rules,
    encodings: Mapping[str, Encoding],
    author: Author,
) -> Registered:
    """Make a subscription, active if the cache knows the number, inside the caller's transaction.

    A phone that is registered already stays so, and takes the carrier and script that were
    named. The phone is told when its subscription is active, now or later, unless the channel is
    an import; `encodings` has the carriers that this can go out over. `cache` says whether a
    billing cache is attached. Raises RegistrationRefusedError.
    """
    number, now = request.customer_number, author.now
    theirs = subscriptions.of_phone(con, request.msisdn)
    before = next((one for one in theirs if one.customer_number == number), None)
    if before is not None:
        return _corrected(con, before, request, author)
    if stops.since(con, author.keyed, request.msisdn) is not None:
        raise RegistrationRefusedError(
            Refusal.STOPPED,
            f"{request.msisdn.digits} said stop: only a message of its own registers it again",
        )
    known = cache and number in billing.known(con, [number])
    _refuse(con, request, known, len(theirs), rules)
    state = SubscriptionState.ACTIVE if known else SubscriptionState.PENDING
    subscription = Subscription(
        request.msisdn,
        number,
        state,
        request.carrier or _carrier_of(theirs) or request.usual_carrier,
        request.script or Script.LATIN,
        request.channel,
        now,
    )
    notify = request.channel is not Channel.IMPORT
    subscriptions.add(con, subscription, notify, author)
    messages = []
    carrier = subscription.carrier
    if known and notify and carrier is not None and carrier in encodings:
        reply = activated(number, subscription.script, rules, carrier)
        messages.append(Mt(carrier, reply.kind, request.msisdn, reply.text, now))
    enqueue(con, messages, encodings, now)
    if known and notify:
        told = others_told(con, subscription, rules)
        enqueue(con, tell(told, encodings, rules, now), encodings, now)
    return Registered(subscription, made=True, changed=(), told=bool(messages))


def _carrier_of(theirs: Sequence[Subscription]) -> str | None:
    """Where the phone's messages go by what it is registered for already."""
    carriers = (one.carrier for one in reversed(theirs) if one.suspect_at is None)
    return next(filter(None, carriers), None)


def _corrected(
    con: sqlite3.Connection, before: Subscription, request: Request, author: Author
) -> Registered:
    """What is there takes what the clerk has named."""
    changes = subscriptions.correct(con, *request[:4], author)
    after = before._replace(
        carrier=request.carrier or before.carrier, script=request.script or before.script
    )
    changed = [_CHANGED[change] for change in changes]
    return Registered(after, made=False, changed=tuple(changed), told=False)


def _refuse(
    con: sqlite3.Connection, request: Request, known: bool, held: int, rules: Rules
) -> None:
    number = request.customer_number
    if not known and MSISDN.fullmatch(number):
        raise RegistrationRefusedError(
            Refusal.LOOKS_LIKE_PHONE,
            f"{number} looks like a phone number, and no customer is known by it",
        )
    if 0 < rules.numbers_per_phone <= held:
        raise RegistrationRefusedError(
            Refusal.TOO_MANY_NUMBERS,
            f"{request.msisdn.digits} is registered for {counted(held, 'customer number')}, and"
            f" subscriptions.numbers_per_phone is {rules.numbers_per_phone}",
        )
    phones = len(subscriptions.of_others(con, number, request.msisdn))
    if 0 < rules.phones_per_number <= phones:
        raise RegistrationRefusedError(
            Refusal.TOO_MANY_PHONES,
            f"{number} has {counted(phones, 'phone')}, and"
            f" subscriptions.phones_per_number is {rules.phones_per_number}",
        )

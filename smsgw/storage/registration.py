"""Registering a phone by hand: the same rules as by message, for a clerk who does it."""

import sqlite3
from collections.abc import Mapping
from typing import NamedTuple

from smsgw.service.conversation import MOBILE, Rules
from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.message import Channel, Encoding, Msisdn, Script
from smsgw.storage import billing, subscriptions
from smsgw.storage.database import transaction
from smsgw.storage.messages import enqueue


class RegistrationRefusedError(Exception):
    """A registration that is not made; the message says why."""


class Request(NamedTuple):
    """What a clerk asks for."""

    msisdn: Msisdn
    customer_number: str
    carrier: str | None
    script: Script
    channel: Channel


class Registered(NamedTuple):
    subscription: Subscription  # as it stands now
    made: bool  # False: it was there before
    told: bool  # whether a confirmation is on its way


def register(
    con: sqlite3.Connection,
    cache: bool,
    request: Request,
    rules: Rules,
    encodings: Mapping[str, Encoding],
    now: float,
) -> Registered:
    """Make a subscription, active if the cache knows the number, in one transaction.

    A phone that is registered already stays so, with nothing changed. The phone is told when
    its subscription is active, now or later, unless the channel is an import or no carrier is
    known. `cache` says whether a billing cache is attached. Raises RegistrationRefusedError.
    """
    number = request.customer_number
    with transaction(con):
        theirs = subscriptions.of_phone(con, request.msisdn)
        before = next((one for one in theirs if one.customer_number == number), None)
        if before is not None:
            return Registered(before, made=False, told=False)
        known = cache and number in billing.known(con, [number])
        _refuse(con, request, known, len(theirs), rules)
        state = SubscriptionState.ACTIVE if known else SubscriptionState.PENDING
        subscription = Subscription(
            request.msisdn,
            number,
            state,
            request.carrier,
            request.script,
            request.channel,
            now,
        )
        notify = request.channel is not Channel.IMPORT
        subscriptions.add(con, subscription, notify)
        messages = []
        if known and notify and request.carrier is not None:
            messages.append(
                subscriptions.confirmation(
                    request.msisdn, number, request.carrier, request.script, rules, now
                )
            )
        return Registered(
            subscription, made=True, told=bool(enqueue(con, messages, encodings, now))
        )


def _refuse(
    con: sqlite3.Connection, request: Request, known: bool, held: int, rules: Rules
) -> None:
    number = request.customer_number
    if not known and MOBILE.fullmatch(number):
        raise RegistrationRefusedError(
            f"{number} looks like a phone number, and no customer is known by it"
        )
    if 0 < rules.numbers_per_phone <= held:
        raise RegistrationRefusedError(
            f"{request.msisdn.digits} is registered for {held} customer numbers, and"
            f" subscriptions.numbers_per_phone is {rules.numbers_per_phone}"
        )
    phones = subscriptions.phones(con, number, request.msisdn)
    if 0 < rules.phones_per_number <= phones:
        raise RegistrationRefusedError(
            f"{phones} phones are registered for {number}, and"
            f" subscriptions.phones_per_number is {rules.phones_per_number}"
        )

"""Gathers what the stores know that bears on one message: the `Known` that it is decided on."""

import sqlite3

from smsgw.service.conversation import needs
from smsgw.service.decision import Known
from smsgw.service.keywords import Intent, Reading
from smsgw.service.message import Msisdn
from smsgw.storage import billing, subscriptions


def known(con: sqlite3.Connection, cache_attached: bool, msisdn: Msisdn, reading: Reading) -> Known:
    """What `conversation.decide` needs for a message of `msisdn` that was read as `reading`."""
    theirs = subscriptions.of_phone(con, msisdn)
    numbers = needs(reading, theirs) if cache_attached else ()
    return Known(
        subscriptions=theirs,
        accounts=billing.accounts(con, numbers) if numbers else {},
        others=(
            {
                number: subscriptions.of_others(con, number, msisdn)
                for number in reading.customer_numbers
            }
            if reading.intent is Intent.REGISTER
            else {}
        ),
        cache_as_of=billing.cache_as_of(con) if cache_attached else None,
    )

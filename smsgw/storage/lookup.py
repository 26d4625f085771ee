"""Gathers what the stores know that bears on one message: the `Known` that it is decided on."""

import sqlite3
from functools import cached_property

from smsgw.service.conversation import needs
from smsgw.service.decision import Known
from smsgw.service.keyed import Keyed
from smsgw.service.keywords import Intent, Reading
from smsgw.service.message import Msisdn
from smsgw.service.today import Page
from smsgw.storage import billing, subscriptions


class Lookup:
    """Asks the stores on behalf of the messages of one transaction.

    `codes_by` makes the digests that invoices' codes are known by; None: no code is asked for.
    """

    def __init__(
        self,
        con: sqlite3.Connection,
        cache_attached: bool,
        today: Page,
        codes_by: Keyed | None = None,
    ) -> None:
        self._con = con
        self._cache_attached = cache_attached
        self._today = today
        self._codes_by = codes_by

    def known(self, msisdn: Msisdn, reading: Reading) -> Known:
        """What `conversation.decide` needs for a message of `msisdn` that was read as `reading`."""
        con = self._con
        theirs = subscriptions.of_phone(con, msisdn)
        numbers = needs(reading, theirs) if self._cache_attached else ()
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
            cache_as_of=self._cache_as_of,
            today=self._today.used(msisdn),
            codes=(
                billing.codes(con, self._codes_by, numbers, reading.code)
                if numbers and self._codes_by is not None and reading.code is not None
                else {}
            ),
            tries={
                number: count
                for number in reading.customer_numbers
                if (count := self._today.tried(number))
            },
        )

    @cached_property
    def _cache_as_of(self) -> float | None:
        """Asked for once: within a transaction the cache stays as it is."""
        return billing.cache_as_of(self._con) if self._cache_attached else None

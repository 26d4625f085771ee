"""Trying a message: what it would be answered by what is stored, with nothing stored."""

import sqlite3
from typing import NamedTuple

from smsgw.service import numbers
from smsgw.service.conversation import decide
from smsgw.service.decision import Known
from smsgw.service.keywords import Intent, Reading, read
from smsgw.service.message import Encoding, Mo, Msisdn
from smsgw.service.today import Page
from smsgw.settings import derive
from smsgw.settings.model import Settings
from smsgw.storage.database import CacheReader
from smsgw.storage.keys import kept
from smsgw.storage.lookup import Lookup
from smsgw.text.segmentation import pieces


class TrialReply(NamedTuple):
    text: str
    encoding: str  # gsm7, ucs2
    parts: int


class Tried(NamedTuple):
    """What a message means and would be answered; `reply` is None where it never would be."""

    intent: Intent
    customer_numbers: tuple[str, ...]
    reply: TrialReply | None


class Trial:
    """Decides messages as the daemon would, each by itself.

    `con` is to `gateway.db` and `cache` its reader, None where there are none yet; `carrier` is
    what messages come over, None: that of the phone's subscriptions, else of its number range.
    Raises StorageError where codes are required and their key can't be read.
    """

    def __init__(
        self,
        settings: Settings,
        con: sqlite3.Connection | None,
        cache: CacheReader | None,
        carrier: str | None,
    ) -> None:
        self._con = con
        self._cache = cache
        self._carrier = carrier
        self._shortcode = settings.shortcode
        self._rules = derive.rules(settings)
        self._encodings = derive.encodings(settings)
        self._ranges = derive.number_ranges(settings)
        self._codes_by = None
        if self._rules.require_code:
            self._codes_by = kept(settings.data_dir, derive.secret(settings))

    def answer(self, sender: str, text: str, now: float) -> Tried:
        """Try `text` from `sender`, a phone as people type it.

        Raises ValueError if that is no phone number, StorageError and sqlite3.Error.
        """
        reading = read(text)
        try:
            msisdn = numbers.msisdn(sender)
        except numbers.ForeignNumberError:
            reply = None
        else:
            reply = self._reply(msisdn, text, reading, now)
        return Tried(reading.intent, reading.customer_numbers, reply)

    def _reply(self, msisdn: Msisdn, text: str, reading: Reading, now: float) -> TrialReply | None:
        stored = self._known(msisdn, reading)
        theirs = next((one.carrier for one in stored.subscriptions if one.carrier), None)
        carrier = self._carrier or theirs or self._ranges.carrier(msisdn) or ""
        mo = Mo(carrier, 0, now, msisdn, self._shortcode, 0, 0, b"", text)
        replies = decide(mo, reading, stored, now, self._rules).replies
        if not replies:
            return None
        encoding = self._encodings.get(carrier, Encoding())
        cut = pieces(replies[0].text, encoding.ref_bits, encoding.default_alphabet)
        return TrialReply(replies[0].text, cut.encoding, len(cut.parts))

    def _known(self, msisdn: Msisdn, reading: Reading) -> Known:
        if self._con is None or self._cache is None:
            return Known((), {}, {}, None)
        self._cache.follow()
        attached = self._cache.attached is not None
        return Lookup(self._con, attached, Page({}, {}), self._codes_by).known(msisdn, reading)

"""Announcements: one text to the phones of a list of customer numbers, by the machinery of notices.

A phone with several of the numbers gets it once. What it is counted by is the text and the local
day: a second call on the day holds only what is new.
"""

import sqlite3
from collections.abc import Iterable
from datetime import date
from hashlib import sha256
from typing import Final
from unicodedata import category

from smsgw.service.keyed import Keyed
from smsgw.service.message import Msisdn
from smsgw.service.notices import Due, LeftOut, NoticeKind, NoticeRules, Planned, Recipient
from smsgw.storage.database import one_moment
from smsgw.storage.notice_keys import claims, next_attempts
from smsgw.storage.planning import (
    Example,
    Excluded,
    Plan,
    closed_refusal,
    hold,
    registered,
    summed_up,
    unreachable,
)
from smsgw.text.counted import counted
from smsgw.text.segmentation import MAX_PARTS

KIND: Final = NoticeKind.ANNOUNCEMENT


def plan(
    con: sqlite3.Connection,
    numbers: Iterable[str],
    text: str,
    day: date,
    rules: NoticeRules,
    keyed: Keyed,
    now: float,
    max_parts: int = 0,
) -> Plan:
    """The announcement of `text` to whom the customer `numbers` have registered.

    It takes at most `max_parts`, 0: as many as a message can have. No billing data are needed.
    """
    excluded = Excluded()
    wanted = list(dict.fromkeys(numbers))
    with one_moment(con):
        if refusal := _refusal(text, rules, max_parts) or closed_refusal(rules, day, now):
            return Plan(KIND, day, (), excluded, refusal=refusal, text=text)
        found = registered(con, wanted)
        there = {one.customer_number for one in found}
        for number in wanted:
            if number not in there:
                excluded.add(LeftOut.NO_SUBSCRIPTION, Example(number))
        due = Due((_subject(text, day),), {})
        planned = [Planned(one, due, (1,)) for one in _phones(found, rules, excluded)]
        asked = [claim for one in planned for claim in claims(KIND, one)]
        attempts = next_attempts(con, keyed, KIND, asked, day, rules.calendar.day)
        new = []
        for one, attempt in zip(planned, attempts, strict=True):
            if isinstance(attempt, int):
                new.append(one)
            else:
                excluded.add(attempt, _example(one.recipient))
        return summed_up(
            Plan(KIND, day, new, excluded, text=text),
            lambda _: text,
            rules,
            hold(con, KIND, len(new), rules, now),
        )


def _refusal(text: str, rules: NoticeRules, max_parts: int) -> str:
    """Why the text can't be sent; empty: it can."""
    if not text.strip():
        return "there is no text"
    try:
        parts = max((one.count_parts(text) for one in rules.encodings.values()), default=0)
    except UnicodeEncodeError:
        return "the text holds octets that are no characters: is it written in UTF-8?"
    # It means nothing to a phone, and makes of a Latin text one of 70 characters a part.
    controls = (one for one in text if category(one) == "Cc" and one not in "\r\n")
    if control := next(controls, ""):
        return f"the text holds the control character U+{ord(control):04X}: take it out"
    if parts > MAX_PARTS:
        return f"the text takes {parts} parts, and a message has {MAX_PARTS} at most"
    if 0 < max_parts < parts:
        return (
            f"the text takes {counted(parts, 'part')}, and replies.max_parts is {max_parts}:"
            " shorten it"
        )
    return ""


def _subject(text: str, day: date) -> str:
    """What stands for the bill."""
    return sha256(f"{day.isoformat()}\n{text}".encode()).hexdigest()


def _phones(
    found: Iterable[Recipient], rules: NoticeRules, excluded: Excluded
) -> Iterable[Recipient]:
    """Each phone once: by the first of its numbers by which it can be reached."""
    reached: set[Msisdn] = set()
    missed: dict[Msisdn, tuple[LeftOut, Recipient]] = {}
    for one in found:
        if one.msisdn in reached:
            continue
        if reason := unreachable(one, rules):
            missed.setdefault(one.msisdn, (reason, one))
        else:
            reached.add(one.msisdn)
            yield one
    for msisdn, (reason, one) in missed.items():
        if msisdn not in reached:
            excluded.add(reason, _example(one))


def _example(one: Recipient) -> Example:
    return Example(one.customer_number, msisdn=one.msisdn)

"""Daily bounds, proof of the bill, and what other phones are told: a row for each sentence."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.service.conversation import decide, needs
from smsgw.service.customer import Account, Subscription, SubscriptionState
from smsgw.service.decision import Decision, End, Known, Move, Reply, Rules, Subscribe, Told
from smsgw.service.keywords import read
from smsgw.service.message import Channel, MessageKind, Mo, Msisdn, Script
from smsgw.service.registering import further_phone, rejected
from smsgw.service.replies import Company, Replies
from smsgw.service.today import CODE_TRIES, NOTHING, Day, Silence, Used

LATIN, CYRILLIC = Script.LATIN, Script.CYRILLIC
PENDING, ACTIVE = SubscriptionState.PENDING, SubscriptionState.ACTIVE
SOFIA = ZoneInfo("Europe/Sofia")
NOON = datetime(2026, 12, 18, 12, tzinfo=SOFIA).timestamp()
ANNA, BORIS = Msisdn("359888123456"), Msisdn("359888123789")
A, B, C = [f"30001234567{digit}" for digit in range(3)]
PHONE_LIKE = "359887654321"
RULES = Rules(
    replies=Replies(),
    numbers_per_phone=10,
    phones_per_number=5,
    sms=True,
    max_age=0.0,
    max_parts=4,
    timezone=SOFIA,
    unknown_numbers_per_day=5,
    hints_per_day=3,
    answers_per_day=20,
)
CODED = replace(RULES, require_code=True)
UNBOUND = replace(RULES, unknown_numbers_per_day=0, hints_per_day=0, answers_per_day=0)
ANSWERED = Used(answers=1)


def subscription(
    number: str = A,
    state: SubscriptionState = ACTIVE,
    msisdn: Msisdn = ANNA,
    script: Script = LATIN,
) -> Subscription:
    return Subscription(msisdn, number, state, "mtel", script, Channel.SMS, NOON - 3600)


class Row(NamedTuple):
    """A message, what is known, and what is decided."""

    text: str
    silence: Silence | None
    used: Used
    changes: tuple[object, ...] = ()
    today: Used = NOTHING
    held: tuple[Subscription, ...] = ()
    cached: tuple[str, ...] = ()
    rules: Rules = RULES
    codes: Mapping[str, bool] = {}
    tries: Mapping[str, int] = {}
    tried: tuple[str, ...] = ()
    says: str = ""
    carrier: str = "mtel"


def decided(row: Row, others: tuple[Subscription, ...] = ()) -> Decision:
    reading = read(row.text)
    accounts = {n: Account(n, ()) for n in row.cached if n in needs(reading, row.held)}
    by_number = dict.fromkeys(reading.customer_numbers, others)
    known = Known(row.held, accounts, by_number, NOON, row.today, row.codes, row.tries)
    mo = Mo(row.carrier, 1, NOON, ANNA, "170077", 0, 0, row.text.encode(), row.text)
    return decide(mo, reading, known, NOON, row.rules)


def active(number: str) -> Subscribe:
    return Subscribe(number, ACTIVE, LATIN)


def pending(number: str, code: str | None = None) -> Subscribe:
    return Subscribe(number, PENDING, LATIN, code)


FULL, HINTED = Used(answers=20, stops=0), Used(answers=3, hints=3)
FIVE = Used(answers=5, unknown_numbers=5)
REFUSED = Used(answers=6, unknown_numbers=5, refusals=1)

DAILY = {
    "an answer counts": Row("smetka", None, ANSWERED),
    "so does help": Row("help", None, ANSWERED),
    "the twentieth answer": Row("help", None, ANSWERED, today=Used(answers=19)),
    "and no more": Row("help", Silence.ANSWERS, NOTHING, today=FULL),
    "unless there is no bound": Row("help", None, ANSWERED, today=FULL, rules=UNBOUND),
    "the first stop of a day is answered": Row(
        f"stop {A}",
        None,
        Used(answers=1, stops=1),
        (End(A),),
        today=FULL,
        held=(subscription(),),
    ),
    "a second one is done, not answered": Row(
        f"stop {A}",
        Silence.ANSWERS,
        NOTHING,
        (End(A),),
        today=Used(answers=21, stops=1),
        held=(subscription(),),
    ),
    "a registration is made in silence": Row(
        A, Silence.ANSWERS, NOTHING, (active(A),), today=FULL, cached=(A,)
    ),
    "and a change of carrier seen": Row(
        "smetka",
        Silence.ANSWERS,
        NOTHING,
        (Move("telenor"),),
        today=FULL,
        held=(subscription(),),
        carrier="telenor",
    ),
    "a hint is an answer too": Row("dobar den", None, Used(answers=1, hints=1)),
    "the third hint": Row(
        "dobar den", None, Used(answers=1, hints=1), today=Used(answers=2, hints=2)
    ),
    "and no more hints": Row("dobar den", Silence.HINTS, NOTHING, today=HINTED),
    "whatever the hint is about": Row("12345", Silence.HINTS, NOTHING, today=HINTED),
    "other answers go on": Row("smetka", None, ANSWERED, today=HINTED),
    "hints without a bound": Row(
        "dobar den", None, Used(answers=1, hints=1), today=HINTED, rules=UNBOUND
    ),
}

UNKNOWN_NUMBERS = {
    "a number the cache doesn't know counts": Row(
        A, None, Used(answers=1, unknown_numbers=1), (pending(A),)
    ),
    "one that it knows doesn't": Row(A, None, ANSWERED, (active(A),), cached=(A,)),
    "a pending one was counted before": Row(A, None, ANSWERED, held=(subscription(A, PENDING),)),
    "what looks like a phone counts": Row(
        PHONE_LIKE, None, Used(answers=1, unknown_numbers=1), says="prilicha na telefon"
    ),
    "the fifth is taken, the sixth refused": Row(
        f"{A}, {B}",
        None,
        Used(answers=1, refusals=1, unknown_numbers=1),
        (pending(A),),
        today=Used(answers=4, unknown_numbers=4),
        says=f"{B}: otkaz, tvarde mnogo nepoznati nomera za dnes.",
    ),
    "one refusal": Row(
        A, None, Used(answers=1, refusals=1), today=FIVE, says=f"{A}: otkaz, tvarde mnogo"
    ),
    "then silence": Row(A, Silence.UNKNOWN_NUMBERS, NOTHING, today=REFUSED),
    "also on a phone's number": Row(PHONE_LIKE, Silence.UNKNOWN_NUMBERS, NOTHING, today=REFUSED),
    "a known number is registered and answered": Row(
        f"{A}, {B}",
        None,
        Used(answers=1, refusals=1),
        (active(B),),
        today=REFUSED,
        cached=(B,),
        says=f"{B} e registriran.",
    ),
    "a bill check is answered": Row("smetka", None, ANSWERED, today=REFUSED),
    "no bound": Row(
        A, None, Used(answers=1, unknown_numbers=1), (pending(A),), today=REFUSED, rules=UNBOUND
    ),
}

CODES = {
    "not required: ignored": Row(f"{A} XK42B7", None, ANSWERED, (active(A),), cached=(A,)),
    "right": Row(
        f"{A} XK42B7", None, ANSWERED, (active(A),), cached=(A,), rules=CODED, codes={A: True}
    ),
    "missing": Row(
        A,
        None,
        ANSWERED,
        cached=(A,),
        rules=CODED,
        says=f"{A}: dobavete koda sled nomera. Kodat (6 znaka) e vav fakturata.",
    ),
    "wrong": Row(
        f"{A} XK42B7",
        None,
        ANSWERED,
        cached=(A,),
        rules=CODED,
        codes={A: False},
        tried=(A,),
        says=f"{A}: greshen kod. Kodat (6 znaka) e vav fakturata.",
    ),
    "five wrong ones, and not even the right one is taken": Row(
        f"{A} XK42B7",
        None,
        ANSWERED,
        cached=(A,),
        rules=CODED,
        codes={A: True},
        tries={A: CODE_TRIES},
        says=f"{A}: tvarde mnogo greshni kodove, opitayte utre.",
    ),
    "the fifth try may be right": Row(
        f"{A} XK42B7",
        None,
        ANSWERED,
        (active(A),),
        cached=(A,),
        rules=CODED,
        codes={A: True},
        tries={A: CODE_TRIES - 1},
    ),
    "a number the cache doesn't know waits with its code": Row(
        f"{A} XK42B7",
        None,
        Used(answers=1, unknown_numbers=1),
        (pending(A, "XK42B7"),),
        rules=CODED,
    ),
    "and needs one too": Row(A, None, ANSWERED, rules=CODED, says="dobavete koda"),
    "invoices without a code prove nothing yet": Row(
        f"{A} XK42B7", None, ANSWERED, (pending(A, "XK42B7"),), cached=(A,), rules=CODED
    ),
    "a pending one becomes active by its code": Row(
        f"{A} XK42B7",
        None,
        ANSWERED,
        (active(A),),
        held=(subscription(A, PENDING),),
        cached=(A,),
        rules=CODED,
        codes={A: True},
    ),
    "a pending one the cache doesn't know takes another code": Row(
        f"{A} XK42B7",
        None,
        ANSWERED,
        (pending(A, "XK42B7"),),
        held=(subscription(A, PENDING),),
        rules=CODED,
        says="oshte se obrabotva",
    ),
    "as does one whose invoices have none yet": Row(
        f"{A} XK42B7",
        None,
        ANSWERED,
        (pending(A, "XK42B7"),),
        held=(subscription(A, PENDING),),
        cached=(A,),
        rules=CODED,
        says="oshte se obrabotva",
    ),
    "but not after five wrong ones": Row(
        f"{A} XK42B7",
        None,
        ANSWERED,
        held=(subscription(A, PENDING),),
        rules=CODED,
        tries={A: CODE_TRIES},
        says="oshte se obrabotva",
    ),
    "nor where none is required": Row(
        f"{A} XK42B7", None, ANSWERED, held=(subscription(A, PENDING),)
    ),
    "a pending one without a code is as it was": Row(
        A, None, ANSWERED, held=(subscription(A, PENDING),), rules=CODED
    ),
    "what is active needs none": Row(
        A, None, ANSWERED, held=(subscription(),), cached=(A,), rules=CODED, says="veche e"
    ),
    "of several numbers each needs its own message": Row(
        f"{A}, {B}", None, ANSWERED, cached=(A, B), rules=CODED, says="dobavete koda"
    ),
}

ROWS = {**DAILY, **UNKNOWN_NUMBERS, **CODES}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_what_is_decided(row: Row) -> None:
    decision = decided(row)
    assert (decision.changes, decision.silence, decision.used) == (
        row.changes,
        row.silence,
        row.used,
    )
    assert decision.tried == row.tried
    assert len(decision.replies) == (row.silence is None)
    assert row.says in "".join(reply.text for reply in decision.replies)


def test_the_other_phones_are_told() -> None:
    other = subscription(msisdn=BORIS, script=CYRILLIC)
    row = Row(f"{A}, {B}", None, Used(answers=1, unknown_numbers=1), cached=(A,))
    text = "Още един телефон (...456) е регистриран за 300012345670."
    assert decided(row, (other, subscription(state=PENDING, msisdn=BORIS))).told == (
        Told(Reply(MessageKind.CONFIRMATION, text, CYRILLIC), other),
    )


@pytest.mark.parametrize(
    ("text", "today"),
    [
        pytest.param(B, NOTHING, id="not of a pending one"),
        pytest.param("smetka", NOTHING, id="not of a bill check"),
        pytest.param(A, NOTHING, id="not of a registration that was there"),
    ],
)
def test_nothing_else_is_told(text: str, today: Used) -> None:
    row = Row(text, None, ANSWERED, today=today, held=(subscription(),), cached=(A,))
    assert decided(row, (subscription(msisdn=BORIS),)).told == ()


def test_the_others_are_told_in_silence_too() -> None:
    row = Row(A, Silence.ANSWERS, NOTHING, today=FULL, cached=(A,))
    assert len(decided(row, (subscription(msisdn=BORIS),)).told) == 1


def test_texts_to_phones_that_do_not_wait() -> None:
    rules = replace(RULES, replies=Replies(company=Company(phone="0700 10 010")))
    assert rejected(A, LATIN, rules).text == (
        f"Registratsiyata na {A} e otkazana: nyama takav klientski nomer. Kontakt: 0700 10 010"
    )
    assert rejected(A, LATIN, rules, known=True).text == (
        f"Registratsiyata na {A} e otkazana: kodat ne e potvarden. Kontakt: 0700 10 010"
    )
    assert further_phone(ANNA, A, subscription(msisdn=BORIS), rules).reply.text == (
        f"Oshte edin telefon (...456) e registriran za {A}. Kontakt: 0700 10 010"
    )


# The counts of a day.


def test_a_page_sees_what_it_counts_and_a_day_only_what_is_kept() -> None:
    day = Day()
    page = day.page(1)
    page.add(ANNA, ANSWERED, [A])
    page.add(ANNA, ANSWERED, [A])
    page.add(BORIS, NOTHING)
    assert (page.used(ANNA), page.used(BORIS), page.tried(A)) == (Used(answers=2), NOTHING, 2)
    assert (day.page(1).used(ANNA), day.page(1).tried(A)) == (NOTHING, 0)
    day.keep(page)
    assert (day.page(1).used(ANNA), day.page(1).tried(A)) == (Used(answers=2), 2)


def test_another_day_begins_anew() -> None:
    day = Day()
    page = day.page(1)
    page.add(ANNA, ANSWERED, [A])
    day.keep(page)
    assert (day.page(2).used(ANNA), day.page(2).tried(A)) == (NOTHING, 0)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=60), st.integers(1, 5))
def test_counts_are_bounded_and_add_up(turns: list[tuple[int, bool]], most: int) -> None:
    day = Day(most)
    expected: dict[str, int] = {}
    for phone, kept in turns:
        page = day.page(1)
        page.add(str(phone), ANSWERED, [str(phone)])
        if kept:
            day.keep(page)
            expected[str(phone)] = page.used(str(phone)).answers
            expected = dict(list(expected.items())[-most:])
        page = day.page(1)
        assert all(page.used(one).answers == count for one, count in expected.items())
        assert sum(page.used(str(one)).answers > 0 for one in range(10)) <= most

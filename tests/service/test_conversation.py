"""What the service decides: a row for each sentence of its description."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsgw.service.answer import SURE
from smsgw.service.conversation import decide, needs
from smsgw.service.customer import Account, Bill, Subscription, SubscriptionState
from smsgw.service.decision import (
    Block,
    Change,
    Decision,
    End,
    Known,
    Move,
    Reply,
    Rules,
    Subscribe,
)
from smsgw.service.keywords import Hint, Intent, Reading, read
from smsgw.service.message import Channel, MessageKind, Mo, Msisdn, Script
from smsgw.service.numbers import MSISDN
from smsgw.service.registering import activated
from smsgw.service.replies import Company, Replies
from smsgw.service.texts import TEXTS
from smsgw.text import gsm
from smsgw.text.segmentation import count_parts

LATIN, CYRILLIC = Script.LATIN, Script.CYRILLIC
PENDING, ACTIVE = SubscriptionState.PENDING, SubscriptionState.ACTIVE

SOFIA = ZoneInfo("Europe/Sofia")
NOON = datetime(2026, 12, 18, 12, tzinfo=SOFIA).timestamp()
HOUR = 3600.0
PHONE = Msisdn("359888123456")
A, B, C, D, E, F, G = [f"30001234567{digit}" for digit in range(7)]
PHONE_LIKE = "359888123456"

RULES = Rules(
    replies=Replies(),
    numbers_per_phone=10,
    phones_per_number=5,
    sms=True,
    max_age=36 * HOUR,
    max_parts=4,
    timezone=SOFIA,
)
CEZ = replace(RULES, replies=Replies(company=Company(phone="0700 10 010", web="www.cez.bg")))
CLOSED = replace(RULES, sms=False)


def bill(amount: int, due: date | None, currency: str = "EUR") -> Bill:
    return Bill("0000123456", None, due, None, amount, currency)


OWED, OVERDUE = bill(4520, date(2026, 12, 20)), bill(1000, date(2026, 12, 1))


def subscription(
    number: str,
    state: SubscriptionState = ACTIVE,
    carrier: str | None = "mtel",
    script: Script = LATIN,
) -> Subscription:
    return Subscription(PHONE, number, state, carrier, script, Channel.SMS, NOON - HOUR)


def message(text: str, carrier: str = "mtel") -> Mo:
    return Mo(carrier, 1, NOON, PHONE, "170077", 0, 0, text.encode(), text)


Bills = Mapping[str, tuple[Bill, ...]]


class Row(NamedTuple):
    """A message, what is known when it comes, and what becomes of it."""

    text: str
    subscriptions: tuple[Subscription, ...]
    bills: Bills
    answer: str
    changes: tuple[Change, ...] = ()
    rules: Rules = RULES
    phones: Mapping[str, int] = {}
    fed: float = HOUR  # before now
    carrier: str = "mtel"


def decided(row: Row, reading: Reading | None = None) -> Decision:
    """The decision, with no more accounts known than `needs` asks for."""
    reading = reading or read(row.text)
    wanted = needs(reading, row.subscriptions)
    accounts = {n: Account(n, bills) for n, bills in row.bills.items() if n in wanted}
    others = {
        number: (subscription(number)._replace(msisdn=Msisdn("359887000000")),) * count
        for number, count in row.phones.items()
    }
    known = Known(row.subscriptions, accounts, others, NOON - row.fed)
    return decide(message(row.text, row.carrier), reading, known, NOON, row.rules)


def active(*numbers: str) -> tuple[Subscription, ...]:
    return tuple([subscription(number) for number in numbers])


def pending(*numbers: str) -> tuple[Subscription, ...]:
    return tuple([subscription(number, PENDING) for number in numbers])


HOW = "Pratete klientskia si nomer (12 tsifri)."
ELSEWHERE = "Registratsia: onlayn, v tsentar za klienti ili ofis na EasyPay."
NOT_FOR_A = f"Nyamate registratsia za {A}. Registratsia: pratete samo nomera."
CARRIER_CHANGE = "Pri smyana na operatora ni uvedomete."
CONTACT = "Kontakt: 0700 10 010, www.cez.bg"

BILL_CHECK = {
    "the current debt": Row(
        "smetka", active(A), {A: (OWED,)}, f"Zadalzhenie po {A}: 45,20 EUR, srok 20.12.2026."
    ),
    "in Cyrillic": Row(
        "сметка", active(A), {A: (OWED,)}, f"Задължение по {A}: 45,20 EUR, срок 20.12.2026."
    ),
    "nothing due": Row("smetka", active(A), {A: ()}, f"Nyamate zadalzhenia po {A}."),
    "a credit is named": Row(
        "smetka",
        active(A),
        {A: (bill(-1200, None),)},
        f"Nyamate zadalzhenia po {A}. Nadvnesena suma: 12,00 EUR.",
    ),
    "how much is past its term": Row(
        "smetka",
        active(A),
        {A: (OWED, OVERDUE)},
        f"Po {A}: 55,20 EUR, srok 01.12.2026, prosrocheni 10,00 EUR.",
    ),
    "a line each, overdue first": Row(
        "smetka",
        active(A, B, C, D),
        {A: (), B: (OWED,), C: (OVERDUE,), D: (OVERDUE, OWED)},
        f"Prosrocheno zadalzhenie po {C}: 10,00 EUR, srok 01.12.2026.\n"
        f"Po {D}: 55,20 EUR, srok 01.12.2026, prosrocheni 10,00 EUR.\n"
        f"Zadalzhenie po {B}: 45,20 EUR, srok 20.12.2026.\n"
        f"Nyamate zadalzhenia po {A}.",
    ),
    "not registered: how to register": Row(
        "smetka", (), {A: (OWED,)}, f"Nyamate registratsia. {HOW}"
    ),
    "not registered, and none by message": Row(
        "smetka", (), {}, f"Nyamate registratsia. {ELSEWHERE}", rules=CLOSED
    ),
    "pending: says so": Row(
        "smetka", pending(A), {A: (OWED,)}, f"Registratsiyata na {A} oshte se obrabotva."
    ),
    "pending comes last": Row(
        "smetka",
        (*pending(A), *active(B, C)),
        {B: (), C: (OWED,)},
        f"Zadalzhenie po {C}: 45,20 EUR, srok 20.12.2026.\n"
        f"Nyamate zadalzhenia po {B}.\n"
        f"Registratsiyata na {A} oshte se obrabotva.",
    ),
    "gone from the cache": Row("smetka", active(A), {}, f"V momenta nyamame danni za {A}."),
    "old data is named by its date": Row(
        "smetka",
        active(A),
        {A: (OWED,)},
        f"Zadalzhenie po {A}: 45,20 EUR, srok 20.12.2026. Danni kam 16.12.2026.",
        fed=36 * HOUR + 1,
    ),
    "below the lines where there are several": Row(
        "smetka",
        active(A, B),
        {A: (), B: ()},
        f"Nyamate zadalzhenia po {A}.\nNyamate zadalzhenia po {B}.\nDanni kam 11.12.2026.",
        fed=7 * 24 * HOUR,
    ),
    "data at the limit of its age is not old": Row(
        "smetka", active(A), {A: ()}, f"Nyamate zadalzhenia po {A}.", fed=36 * HOUR
    ),
    "without a limit none is old": Row(
        "smetka",
        active(A),
        {A: ()},
        f"Nyamate zadalzhenia po {A}.",
        fed=1000 * HOUR,
        rules=replace(RULES, max_age=0),
    ),
    "a pending registration has no data to be old": Row(
        "smetka", pending(A), {}, f"Registratsiyata na {A} oshte se obrabotva.", fed=1000 * HOUR
    ),
    "what doesn't fit is counted": Row(
        "smetka",
        active(A, B, C, D),
        {A: (OWED,), B: (), C: (OWED,), D: ()},
        f"Zadalzhenie po {A}: 45,20 EUR, srok 20.12.2026.\n"
        f"Zadalzhenie po {C}: 45,20 EUR, srok 20.12.2026.\n"
        f"Oshte 2: pratete napr. smetka {B}.",
        rules=replace(RULES, max_parts=1),
    ),
    "old data is named in a full answer too": Row(
        "smetka",
        active(A, B, C, D),
        {A: (OWED,), B: (), C: (OWED,), D: (OVERDUE,)},
        f"Prosrocheno zadalzhenie po {D}: 10,00 EUR, srok 01.12.2026.\n"
        f"Oshte 3: pratete napr. smetka {A}.\n"
        "Danni kam 11.12.2026.",
        rules=replace(RULES, max_parts=1),
        fed=7 * 24 * HOUR,
    ),
    "no bound on the parts": Row(
        "smetka",
        active(*[f"{number:012}" for number in range(20)]),
        {},
        "\n".join([f"V momenta nyamame danni za {number:012}." for number in range(20)]),
        rules=replace(RULES, max_parts=0),
    ),
}

BILL_CHECK_FOR = {
    "registered for it": Row(f"smetka {B}", active(A, B), {B: ()}, f"Nyamate zadalzhenia po {B}."),
    "not registered at all": Row(f"smetka {A}", (), {A: (OWED,)}, NOT_FOR_A),
    "registered for another": Row(f"smetka {A}", active(B), {A: (OWED,)}, NOT_FOR_A),
    "not in the cache: the same answer": Row(f"smetka {A}", active(B), {}, NOT_FOR_A),
    "none by message": Row(
        f"smetka {A}", (), {}, f"Nyamate registratsia za {A}. {ELSEWHERE}", rules=CLOSED
    ),
    "pending: says so": Row(
        f"smetka {A}", pending(A), {A: (OWED,)}, f"Registratsiyata na {A} oshte se obrabotva."
    ),
    "gone from the cache": Row(f"smetka {A}", active(A), {}, f"V momenta nyamame danni za {A}."),
    "several, some of them a stranger's": Row(
        f"smetka {A}, {B}",
        active(B),
        {A: (OWED,), B: (OVERDUE,)},
        f"Prosrocheno zadalzhenie po {B}: 10,00 EUR, srok 01.12.2026.\n"
        f"Nyamate registratsia za {A}.\n"
        "Registratsia: pratete samo nomera.",
    ),
    "old data": Row(
        f"сметка {A}",
        active(A),
        {A: ()},
        f"Нямате задължения по {A}. Данни към 11.12.2026.",
        fed=7 * 24 * HOUR,
    ),
    "a stranger's answer tells no age": Row(
        f"smetka {A}", (), {A: (OWED,)}, NOT_FOR_A, fed=7 * 24 * HOUR
    ),
}

ACCEPTED = "Priehme zayavka za {}. Shte poluchite SMS s rezultata."
LIKE_A_PHONE = f"{PHONE_LIKE} prilicha na telefon. Klientskiyat nomer e vav fakturata."

REGISTER = {
    "in the cache: active at once": Row(
        A,
        (),
        {A: (OWED,)},
        f"{A} e registriran. {CARRIER_CHANGE}",
        (Subscribe(A, ACTIVE, LATIN),),
    ),
    "with the company's particulars": Row(
        A,
        (),
        {A: ()},
        f"{A} e registriran. {CARRIER_CHANGE} {CONTACT}",
        (Subscribe(A, ACTIVE, LATIN),),
        rules=CEZ,
    ),
    "not in the cache: pending": Row(
        A, (), {}, ACCEPTED.format(A), (Subscribe(A, PENDING, LATIN),)
    ),
    "already registered: changes nothing": Row(
        A, active(A), {A: (OWED,)}, f"{A} veche e registriran."
    ),
    "already registered, gone from the cache": Row(A, active(A), {}, f"{A} veche e registriran."),
    "already pending": Row(A, pending(A), {}, f"Registratsiyata na {A} oshte se obrabotva."),
    "pending, and now in the cache": Row(
        A,
        (subscription(A, PENDING, script=CYRILLIC),),
        {A: ()},
        f"{A} е регистриран. При смяна на оператора ни уведомете.",
        (Subscribe(A, ACTIVE, CYRILLIC),),
    ),
    "several: one answer, a line each": Row(
        f"{A}, {B}; {C}\n{D}",
        (*active(C), *pending(D)),
        {A: ()},
        f"{A} e registriran.\n"
        f"Priehme zayavka za {B}. Shte poluchite SMS s rezultata.\n"
        f"{C} veche e registriran.\n"
        f"Registratsiyata na {D} oshte se obrabotva.\n"
        f"{CARRIER_CHANGE}",
        (Subscribe(A, ACTIVE, LATIN), Subscribe(B, PENDING, LATIN)),
    ),
    "numbers a phone: the rest is refused by number": Row(
        f"{A}, {B}, {C}",
        (*active(D), *pending(E)),
        {A: (), B: (), C: ()},
        f"{A} e registriran.\n"
        f"{B}: otkaz, maks. broy nomera: 3.\n"
        f"{C}: otkaz, maks. broy nomera: 3.\n"
        f"{CARRIER_CHANGE}",
        (Subscribe(A, ACTIVE, LATIN),),
        rules=replace(RULES, numbers_per_phone=3),
    ),
    "pending ones count too": Row(
        f"{A}, {B}",
        (),
        {},
        f"{ACCEPTED.format(A)}\n{B}: otkaz, maks. broy nomera: 1.",
        (Subscribe(A, PENDING, LATIN),),
        rules=replace(RULES, numbers_per_phone=1),
    ),
    "at the bound, what is held already is not refused": Row(
        f"{A}, {B}, {C}",
        (*active(A), *pending(B)),
        {B: (), C: ()},
        f"{A} veche e registriran.\n"
        f"{B} e registriran.\n"
        f"{C}: otkaz, maks. broy nomera: 2.\n"
        f"{CARRIER_CHANGE}",
        (Subscribe(B, ACTIVE, LATIN),),
        rules=replace(RULES, numbers_per_phone=2),
    ),
    "phones a number": Row(
        f"{A}, {B}",
        (),
        {A: (), B: ()},
        f"{A}: otkaz, maks. broy telefoni: 5.\n{B} e registriran.\n{CARRIER_CHANGE}",
        (Subscribe(B, ACTIVE, LATIN),),
        phones={A: 5, B: 4},
    ),
    "phones a number, not in the cache": Row(
        A, (), {}, f"{A}: otkaz, maks. broy telefoni: 5.", phones={A: 6}
    ),
    "a full number is no bar to the phones it has": Row(
        A,
        pending(A),
        {A: ()},
        f"{A} e registriran. {CARRIER_CHANGE}",
        (Subscribe(A, ACTIVE, LATIN),),
        phones={A: 9},
    ),
    "bounds of 0 are none": Row(
        A,
        active(*[f"{number:012}" for number in range(30)]),
        {A: ()},
        f"{A} e registriran. {CARRIER_CHANGE}",
        (Subscribe(A, ACTIVE, LATIN),),
        rules=replace(RULES, numbers_per_phone=0, phones_per_number=0),
        phones={A: 100},
    ),
    "looks like a phone number": Row(PHONE_LIKE, (), {}, LIKE_A_PHONE),
    "looks like one, and none by message": Row(PHONE_LIKE, (), {}, LIKE_A_PHONE, rules=CLOSED),
    "looks like one, but the cache knows it": Row(
        PHONE_LIKE,
        (),
        {PHONE_LIKE: ()},
        f"{PHONE_LIKE} e registriran. {CARRIER_CHANGE}",
        (Subscribe(PHONE_LIKE, ACTIVE, LATIN),),
    ),
    "looks like one among others": Row(
        f"{PHONE_LIKE}, {A}",
        (),
        {A: ()},
        f"{PHONE_LIKE} prilicha na telefon.\n"
        f"{A} e registriran.\n"
        f"Klientskiyat nomer e vav fakturata. {CARRIER_CHANGE}",
        (Subscribe(A, ACTIVE, LATIN),),
    ),
    "looks like one among others, with the company's particulars": Row(
        f"{PHONE_LIKE}, {A}",
        (),
        {A: ()},
        f"{PHONE_LIKE} prilicha na telefon.\n"
        f"{A} e registriran.\n"
        f"Klientskiyat nomer e vav fakturata. {CARRIER_CHANGE} {CONTACT}",
        (Subscribe(A, ACTIVE, LATIN),),
        rules=CEZ,
    ),
    "no sentence runs on from a web address": Row(
        f"{A}, {B}",
        pending(A),
        {A: ()},
        f"{A} e registriran.\n"
        f"{B} ne se registrira sas SMS.\n"
        f"{CARRIER_CHANGE} {CONTACT}\n"
        f"{ELSEWHERE} {CONTACT}",
        (Subscribe(A, ACTIVE, LATIN),),
        rules=replace(CEZ, sms=False),
    ),
    "359, but no mobile number": Row(
        "359288123456",
        (),
        {},
        ACCEPTED.format("359288123456"),
        (Subscribe("359288123456", PENDING, LATIN),),
    ),
    "closed by message": Row(
        A, (), {A: ()}, f"{A} ne se registrira sas SMS. {ELSEWHERE}", rules=CLOSED
    ),
    "closed, with the company's particulars": Row(
        A,
        (),
        {},
        f"{A} ne se registrira sas SMS. {ELSEWHERE} {CONTACT}",
        rules=replace(CEZ, sms=False),
    ),
    "closed, but some are held": Row(
        f"{A}, {B}, {C}",
        (*active(A), *pending(B)),
        {B: (), C: ()},
        f"{A} veche e registriran.\n"
        f"{B} e registriran.\n"
        f"{C} ne se registrira sas SMS.\n"
        f"{CARRIER_CHANGE} {ELSEWHERE}",
        (Subscribe(B, ACTIVE, LATIN),),
        rules=CLOSED,
    ),
    "a code is ignored where none is required": Row(
        f"{A} AB12C3",
        (),
        {A: ()},
        f"{A} e registriran. {CARRIER_CHANGE}",
        (Subscribe(A, ACTIVE, LATIN),),
    ),
}

STOP = {
    "all": Row(
        "stop",
        (*active(A), *pending(B)),
        {},
        f"Spryahme uslugata za {A}, {B}.",
        (End(A), End(B), Block(PHONE)),
    ),
    "one": Row(f"stop {B}", active(A, B), {}, f"Spryahme uslugata za {B}.", (End(B),)),
    "with the company's particulars": Row(
        f"стоп {B}",
        active(B),
        {},
        f"Спряхме услугата за {B}. Контакт: 0700 10 010, www.cez.bg",
        (End(B),),
        rules=CEZ,
    ),
    "nothing to end": Row("stop", (), {}, "Nyamate registratsia za spirane.", (Block(PHONE),)),
    "not that one": Row(f"stop {A}", active(B), {}, f"Nyamate registratsia za {A}."),
    "one of two": Row(
        f"stop {A}, {B}",
        active(B),
        {},
        f"Spryahme uslugata za {B}.\nNyamate registratsia za {A}.",
        (End(B),),
    ),
    "more than the answer holds": Row(
        "stop",
        active(*[f"{number:012}" for number in range(30)]),
        {},
        "Spryahme uslugata za "
        + ", ".join([f"{number:012}" for number in range(9)])
        + " i oshte 21.",
        (*[End(f"{number:012}") for number in range(30)], Block(PHONE)),
        rules=replace(RULES, max_parts=1),
    ),
}

HELP = {
    "help": Row(
        "help",
        (),
        {},
        "Pratete: smetka - za zadalzhenieto; klientskia si nomer (12 tsifri) - za registratsia;"
        f" stop - za otkaz. {CONTACT}",
        rules=CEZ,
    ),
    "in Cyrillic": Row(
        "помощ",
        (),
        {},
        "Пратете: сметка - за задължението; клиентския си номер (12 цифри) - за регистрация;"
        " стоп - за отказ.",
    ),
    "without registration by message": Row(
        "help",
        active(A),
        {},
        f"Pratete: smetka - za zadalzhenieto; stop - za otkaz. {CONTACT}",
        rules=replace(CEZ, sms=False),
    ),
}

UNKNOWN = {
    "nothing to be said": Row(
        "dobar den", (), {}, "Ne razbrahme. Pratete smetka, klientski nomer, stop ili pomosht."
    ),
    "eleven digits": Row("30001234567", (), {}, "Klientskiyat nomer ima 12 tsifri, prateni sa 11."),
    "thirteen digits, in Cyrillic": Row(
        "номер 3000123456789", (), {}, "Клиентският номер има 12 цифри, пратени са 13."
    ),
    "a phone number": Row(
        "0888123456", (), {}, "Tova prilicha na telefon. Pratete klientskia si nomer (12 tsifri)."
    ),
    "a number in pieces": Row(
        "3000--12345678", (), {}, "Pratete 12-te tsifri na nomera slyato, bez drugi chisla."
    ),
    "more than the word": Row(
        "smetka za noemvri 2026", (), {}, "Pratete samo dumata, bez chisla: smetka ili stop."
    ),
    "nothing to be said, and none by message": Row(
        "dobar den", (), {}, "Ne razbrahme. Pratete smetka, stop ili pomosht.", rules=CLOSED
    ),
    "eleven digits, and none by message": Row("30001234567", (), {}, ELSEWHERE, rules=CLOSED),
    "a phone number, and none by message": Row("0888123456", (), {}, ELSEWHERE, rules=CLOSED),
    "stop with eleven digits, and none by message": Row(
        "stop 30001234567",
        (),
        {},
        "Klientskiyat nomer ima 12 tsifri, prateni sa 11.",
        rules=CLOSED,
    ),
    "keyword behind, and none by message": Row(
        "molya smetka",
        (),
        {},
        "Zapochnete saobshtenieto s dumata smetka, stop ili pomosht.",
        rules=CLOSED,
    ),
    "six numbers": Row(
        f"{A}, {B}, {C}, {D}, {E}, {F}", (), {}, "Pratete nay-mnogo 5 nomera v edno saobshtenie."
    ),
}

SCRIPT = {
    "digits alone take the subscription's": Row(
        A,
        (subscription(B, script=CYRILLIC),),
        {A: ()},
        f"{A} е регистриран. При смяна на оператора ни уведомете.",
        (Subscribe(A, ACTIVE, CYRILLIC),),
    ),
    "the latest of them": Row(
        A,
        (subscription(B, script=CYRILLIC), subscription(C, script=LATIN)),
        {A: ()},
        f"{A} e registriran. {CARRIER_CHANGE}",
        (Subscribe(A, ACTIVE, LATIN),),
    ),
    "words decide": Row(
        f"клиент {A}",
        active(B),
        {},
        f"Приехме заявка за {A}. Ще получите SMS с резултата.",
        (Subscribe(A, PENDING, CYRILLIC),),
    ),
    "a Latin message from a Cyrillic subscription": Row(
        "smetka",
        (subscription(A, script=CYRILLIC),),
        {A: ()},
        f"Nyamate zadalzhenia po {A}.",
    ),
    "a question mark has none": Row(
        "?",
        (subscription(A, script=CYRILLIC),),
        {},
        "Пратете: сметка - за задължението; клиентския си номер (12 цифри) - за регистрация;"
        " стоп - за отказ.",
    ),
}

MOVE = {
    "over another carrier": Row(
        "smetka",
        active(A),
        {A: ()},
        f"Nyamate zadalzhenia po {A}.",
        (Move("vivacom"),),
        carrier="vivacom",
    ),
    "one of several elsewhere": Row(
        "smetka",
        (subscription(A), subscription(B, PENDING, "telenor")),
        {A: ()},
        f"Nyamate zadalzhenia po {A}.\nRegistratsiyata na {B} oshte se obrabotva.",
        (Move("mtel"),),
    ),
    "no carrier yet": Row(
        "smetka",
        (subscription(A, carrier=None),),
        {A: ()},
        f"Nyamate zadalzhenia po {A}.",
        (Move("mtel"),),
    ),
    "with what else changes, first": Row(
        f"stop {A}",
        active(A, B),
        {},
        f"Spryahme uslugata za {A}.",
        (Move("telenor"), End(A)),
        carrier="telenor",
    ),
    "a message that is not understood": Row(
        "dobar den",
        active(A),
        {},
        "Ne razbrahme. Pratete smetka, klientski nomer, stop ili pomosht.",
        (Move("telenor"),),
        carrier="telenor",
    ),
    "a message of no carrier": Row(
        "smetka", active(A), {A: ()}, f"Nyamate zadalzhenia po {A}.", carrier=""
    ),
}

ROWS = {
    f"{section}: {sentence}": row
    for section, rows in {
        "bill check": BILL_CHECK,
        "bill check for": BILL_CHECK_FOR,
        "register": REGISTER,
        "stop": STOP,
        "help": HELP,
        "unknown": UNKNOWN,
        "script": SCRIPT,
        "move": MOVE,
    }.items()
    for sentence, row in rows.items()
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_decision(row: Row) -> None:
    decision = decided(row)
    (reply,) = decision.replies
    assert reply.text == row.answer
    assert decision.changes == row.changes
    assert reply.kind is MessageKind.ANSWER
    assert reply.script is (LATIN if reply.text.isascii() else CYRILLIC)


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("359871234567", True),
        ("359881234567", True),
        ("359891234567", True),
        ("359981234567", True),
        ("359996123456", True),
        ("359999123456", True),
        ("359992123456", False),
        ("359861234567", False),
        ("359288123456", False),
        ("359437123456", False),
        ("358881234567", False),
        ("3598812345678", False),
    ],
)
def test_twelve_digits_of_a_mobile_number(digits: str, expected: bool) -> None:
    assert bool(MSISDN.fullmatch(digits)) is expected


@pytest.mark.parametrize("hint", Hint)
@pytest.mark.parametrize("script", Script)
def test_every_hint_is_said_in_one_part(hint: Hint, script: Script) -> None:
    reading = Reading(Intent.UNKNOWN, hint=hint, script=script, digits=11)
    (reply,) = decided(Row("", (), {}, ""), reading).replies
    assert count_parts(reply.text) == 1
    assert reply.text != RULES.replies[script]["unknown"]()


def test_there_never_was_a_feed() -> None:
    reading = read("smetka")
    known = Known(active(A), {}, {}, None)
    (reply,) = decide(message("smetka"), reading, known, NOON, RULES).replies
    assert reply.text == f"V momenta nyamame danni za {A}."


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 12, 20, 23, 59, 59, tzinfo=SOFIA), "Zadalzhenie po"),
        (datetime(2026, 12, 21, 0, 0, 0, tzinfo=SOFIA), "Prosrocheno zadalzhenie po"),
    ],
    ids=["the due date's last second", "the next day's first, still the same day in UTC"],
)
def test_past_its_term_is_a_matter_of_the_local_day(at: datetime, expected: str) -> None:
    known = Known(active(A), {A: Account(A, (OWED,))}, {}, at.timestamp())
    (reply,) = decide(message("smetka"), read("smetka"), known, at.timestamp(), RULES).replies
    assert reply.text == f"{expected} {A}: 45,20 EUR, srok 20.12.2026."


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (LATIN, f"Registratsiyata na {A} e aktivna. {CARRIER_CHANGE} {CONTACT}"),
        (
            CYRILLIC,
            f"Регистрацията на {A} е активна. При смяна на оператора ни уведомете."
            " Контакт: 0700 10 010, www.cez.bg",
        ),
    ],
)
def test_activated(script: Script, expected: str) -> None:
    assert activated(A, script, CEZ) == Reply(MessageKind.CONFIRMATION, expected, script)


NEEDS = {
    "bill check: the active ones, oldest first": ("smetka", (C, A)),
    "bill check for: a registered one": (f"smetka {A}", (A,)),
    "bill check for: a pending one": (f"smetka {B}", ()),
    "bill check for: a stranger's": (f"smetka {D}", ()),
    "register: all but the active ones": (f"{A}, {B}, {D}", (B, D)),
    "stop": ("stop", ()),
    "stop one": (f"stop {A}", ()),
    "help": ("help", ()),
    "unknown": ("dobar den", ()),
}


@pytest.mark.parametrize(("text", "expected"), NEEDS.values(), ids=NEEDS)
def test_needs(text: str, expected: tuple[str, ...]) -> None:
    assert needs(read(text), (*active(C, A), *pending(B))) == expected


@pytest.mark.parametrize("script", Script)
@pytest.mark.parametrize("max_parts", [1, 2, 3, 4])
def test_as_many_lines_as_fit(script: Script, max_parts: int) -> None:
    numbers = [f"{number:012}" for number in range(40)]
    bills = dict.fromkeys(numbers, (OWED,))
    rules = replace(RULES, max_parts=max_parts)
    row = Row("smetka", active(*numbers), bills, "", rules=rules)
    (reply,) = decided(row, Reading(Intent.BILL_CHECK, script=script)).replies
    *lines, more = reply.text.split("\n")
    texts = RULES.replies[script]

    def line(number: str) -> str:
        return texts["debt"](number=number, amount="45,20 EUR", due="20.12.2026")

    assert lines == [line(number) for number in numbers[: len(lines)]]
    assert more == texts["more"](count=40 - len(lines), number=numbers[len(lines)])
    assert count_parts(reply.text) <= max_parts
    rest = texts["more"](count=39 - len(lines), number=numbers[len(lines) + 1])
    one_more = "\n".join([*lines, line(numbers[len(lines)]), rest])
    assert count_parts(one_more) > max_parts


@pytest.mark.parametrize("script", Script)
def test_five_numbers_get_a_line_each_whatever_becomes_of_them(script: Script) -> None:
    numbers = (A, B, C, D, E)
    row = Row(
        "",
        (),
        dict.fromkeys(numbers, ()),
        "",
        rules=replace(CEZ, numbers_per_phone=3),
        phones={A: 5, B: 5},
    )
    (reply,) = decided(row, Reading(Intent.REGISTER, numbers, script=script)).replies
    lines = reply.text.split("\n")
    assert [line[:12] for line in lines[:5]] == [*numbers]
    assert lines[5:] == [CEZ.replies[script]["carrier_change"]()]
    assert count_parts(reply.text) <= 4


USUAL = {
    "a debt": (Row("smetka", active(A), {A: (bill(14520, date(2026, 12, 20)),)}, ""), 1, 1),
    "overdue": (Row("smetka", active(A), {A: (bill(14520, date(2026, 12, 1)),)}, ""), 1, 1),
    "partly overdue": (Row("smetka", active(A), {A: (OWED, OVERDUE)}, ""), 1, 1),
    "nothing due": (Row("smetka", active(A), {A: ()}, ""), 1, 1),
    "not registered": (Row("smetka", (), {}, ""), 1, 1),
    "not registered for it": (Row(f"smetka {A}", (), {}, ""), 1, 1),
    "registered": (Row(A, (), {A: ()}, ""), 1, 2),
    "pending": (Row(A, (), {}, ""), 1, 1),
    "looks like a phone": (Row(PHONE_LIKE, (), {}, ""), 1, 1),
    "stop": (Row("stop", active(A), {}, ""), 1, 1),
    "help": (Row("help", (), {}, ""), 1, 2),
    "not understood": (Row("dobar den", (), {}, ""), 1, 1),
}


@pytest.mark.parametrize(("row", "latin", "cyrillic"), USUAL.values(), ids=USUAL)
def test_what_usual_answers_cost(row: Row, latin: int, cyrillic: int) -> None:
    for script, parts in ((LATIN, latin), (CYRILLIC, cyrillic)):
        reading = read(row.text)._replace(script=script)
        (reply,) = decided(row._replace(rules=CEZ), reading).replies
        assert count_parts(reply.text) == parts


def test_a_text_that_alone_takes_too_many_parts_ends_at_a_word() -> None:
    row = Row("помощ", (), {}, "", rules=replace(RULES, max_parts=1))
    (reply,) = decided(row).replies
    assert reply.text == "Пратете: сметка - за задължението; клиентския си номер (12 цифри) -"
    row = Row("help", (), {}, "", rules=replace(RULES, max_parts=1, replies=ONE_WORD))
    (reply,) = decided(row).replies
    assert reply.text == "a" * 160


@pytest.mark.parametrize("parts", [1, 2, 3, 4, 255])
@pytest.mark.parametrize("sign", ["a", "€", "я", "😀"])
def test_what_is_surely_short_enough_is(sign: str, parts: int) -> None:
    assert count_parts(sign * SURE * parts) <= parts


ONE_WORD = Replies({"help": {"latin": "a" * 500}})


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_every_placeholder_is_filled_in(row: Row) -> None:
    overrides = {
        name: dict.fromkeys(
            ("latin", "cyrillic"),
            " ".join([name, *[f"{{{key}}}" for key in (*text.needs, *text.may)]]),
        )
        for name, text in TEXTS.items()
    }
    (reply,) = decided(row._replace(rules=replace(row.rules, replies=Replies(overrides)))).replies
    assert reply.text
    assert "None" not in reply.text
    assert reply.text.split()[0] in TEXTS


NUMBERS = st.sampled_from([A, B, C, D, E, F, G, PHONE_LIKE])
BILLS = st.builds(
    bill,
    st.integers(-20_000_00, 20_000_00),
    st.none() | st.dates(date(2026, 10, 1), date(2027, 2, 28)),
    st.sampled_from(["EUR", "BGN"]),
)
SCRIPTS = st.none() | st.sampled_from(Script)
READINGS = st.builds(
    Reading,
    st.sampled_from([Intent.BILL_CHECK_FOR, Intent.REGISTER, Intent.STOP]),
    st.lists(NUMBERS, unique=True, min_size=1, max_size=5).map(tuple),
    script=SCRIPTS,
) | st.builds(
    Reading,
    st.sampled_from([Intent.BILL_CHECK, Intent.STOP, Intent.HELP, Intent.UNKNOWN]),
    st.just(()),
    hint=st.none() | st.sampled_from(Hint),
    script=SCRIPTS,
    digits=st.integers(0, 99),
)
SUBSCRIPTIONS = st.lists(
    st.builds(
        subscription,
        NUMBERS,
        st.sampled_from([PENDING, ACTIVE]),
        st.sampled_from([None, "mtel", "telenor"]),
        st.sampled_from(Script),
    ),
    unique_by=lambda one: one.customer_number,
).map(tuple)
KNOWN = st.builds(
    Known,
    SUBSCRIPTIONS,
    st.lists(st.builds(Account, NUMBERS, st.lists(BILLS, max_size=4).map(tuple))).map(
        lambda accounts: {account.customer_number: account for account in accounts}
    ),
    st.dictionaries(NUMBERS, SUBSCRIPTIONS),
    st.none() | st.floats(0, NOON),
)
ANY_RULES = st.builds(
    Rules,
    st.sampled_from([RULES.replies, CEZ.replies]),
    st.integers(0, 11),
    st.integers(0, 6),
    st.booleans(),
    st.sampled_from([0.0, 36 * HOUR]),
    st.integers(1, 5),
    st.just(SOFIA),
)


@settings(max_examples=300)
@given(READINGS, KNOWN, ANY_RULES, st.sampled_from(["mtel", "vivacom", ""]))
def test_whatever_is_known(reading: Reading, known: Known, rules: Rules, carrier: str) -> None:
    decision = decide(message("", carrier), reading, known, NOON, rules)
    (reply,) = decision.replies
    own = {one.customer_number: one for one in known.subscriptions}

    assert reply.text
    assert count_parts(reply.text) <= rules.max_parts
    if reply.script is LATIN:
        assert gsm.fits(reply.text)

    for number in {A, B, C, D, E, F, G, PHONE_LIKE} - {*own, *reading.customer_numbers}:
        assert number not in reply.text

    subscribed = [change for change in decision.changes if isinstance(change, Subscribe)]
    ended = [change for change in decision.changes if isinstance(change, End)]
    assert {change.customer_number for change in subscribed} <= {*reading.customer_numbers}
    assert {change.customer_number for change in ended} <= {*own}
    new = [change for change in subscribed if change.customer_number not in own]
    if rules.numbers_per_phone and new:
        assert len(own) + len(new) <= rules.numbers_per_phone
    assert all(
        (change.state is ACTIVE) == (change.customer_number in known.accounts)
        for change in subscribed
    )


@given(READINGS, KNOWN, ANY_RULES)
def test_a_strangers_account_changes_no_answer(
    reading: Reading, known: Known, rules: Rules
) -> None:
    """What the cache says of a number reaches only phones with an active registration for it."""
    own = {one.customer_number for one in known.subscriptions if one.state is ACTIVE}
    emptied = {
        number: account if number in own else Account(number, ())
        for number, account in known.accounts.items()
    }
    here = decide(message(""), reading, known, NOON, rules)
    assert here == decide(message(""), reading, known._replace(accounts=emptied), NOON, rules)


@given(st.text(), SUBSCRIPTIONS)
def test_any_text_is_answered(text: str, subscriptions: tuple[Subscription, ...]) -> None:
    known = Known(subscriptions, {}, {}, None)
    (reply,) = decide(message("", "mtel"), read(text), known, NOON, RULES).replies
    assert reply.text

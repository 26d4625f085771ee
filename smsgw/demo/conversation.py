"""What the demo's customers owe, what they write, and what they are to be answered.

Every date is told from today, so that the conversation is the same on every day. Numbers of
phones and of customers are invented.
"""

from datetime import date, timedelta
from typing import Final, NamedTuple

ANNA: Final = "359888123456"
BORIS: Final = "359898111222"
VERA: Final = "359878333444"
GEORGI: Final = "359888777666"


class Bill(NamedTuple):
    """A line of the billing feed; days are counted from today."""

    customer_number: str
    number: str = ""
    due_in: int = 0
    cut_off_in: int | None = None
    amount: str = ""


BILLS: Final = (
    Bill("300012345678", "0000123456", 18, None, "45.20"),
    Bill("300098765432", "0000123457", -12, 5, "61.35"),
    Bill("300098765432", "0000123458", 18, None, "58.10"),
    Bill("300098765433", "0000123459", -12, None, "12.80"),
    Bill("300055501234", "0000123460", 18, None, "-15.00"),
    Bill("300055501235"),
)


class Step(NamedTuple):
    """A customer's message, the carrier it comes over, and the answer it must have there."""

    carrier: str
    phone: str
    text: str
    expected: str  # a part of the answer; {in_18} is the day in 18 days, {ago_12} that 12 ago
    parts: int | None = None  # that it must have, where that matters


CONVERSATION: Final = (
    Step("mtel", ANNA, "smetka", "Nyamate registratsia."),
    Step("mtel", ANNA, "300012345678", "300012345678 e registriran."),
    Step("mtel", ANNA, "Smetka, molya!", "po 300012345678: 45,20 EUR, srok {in_18}."),
    Step("telenor", BORIS, "Клиентски номера: 300098765432, 3000-9876-5433", "433 е регистриран."),
    Step("telenor", BORIS, "СМЕТКА", "119,45 EUR, срок {ago_12}, просрочени 61,35 EUR.", parts=2),
    Step("telenor", BORIS, "сметка 300098765433", "по 300098765433: 12,80 EUR, срок {ago_12}."),
    Step("telenor", BORIS, "сметка 300012345678", "Нямате регистрация за 300012345678."),
    Step("vivacom", VERA, "помощ", "стоп - за отказ."),
    Step("vivacom", VERA, "30005550123", "ima 12 tsifri, prateni sa 11."),
    Step("vivacom", VERA, "kl. nomer 300055501234", "300055501234 e registriran."),
    Step("vivacom", VERA, "cметkа", "Надвнесена сума: 15,00 EUR."),  # c and k are Latin
    Step("vivacom", VERA, "Кога ще пуснете тока?", "Не разбрахме."),
    Step("mtel", GEORGI, "300077777777", "Priehme zayavka za 300077777777."),
    # Anna has changed her carrier.
    Step("vivacom", ANNA, "smetka", "po 300012345678: 45,20 EUR, srok {in_18}."),
    Step("vivacom", ANNA, "stop", "Spryahme uslugata za 300012345678."),
)


def expected(step: Step, today: date) -> str:
    """The part of the answer that must come, with its dates."""
    days = {"in_18": today + timedelta(18), "ago_12": today - timedelta(12)}
    return step.expected.format(**{name: f"{day:%d.%m.%Y}" for name, day in days.items()})


def feed(today: date) -> str:
    """The billing feed of that day, as CSV."""
    header = "customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status\n"
    return header + "".join(_line(bill, today) for bill in BILLS)


def _line(bill: Bill, today: date) -> str:
    if not bill.number:
        return f"{bill.customer_number},,,,,,,\n"
    due = today + timedelta(bill.due_in)
    cut_off = "" if bill.cut_off_in is None else today + timedelta(bill.cut_off_in)
    issued = due - timedelta(20)
    return f"{bill.customer_number},{bill.number},{issued},{due},{cut_off},{bill.amount},EUR,open\n"

"""The billing feed's rows: a CSV line in, checked values as the cache keeps them out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import BinaryIO, Final, NamedTuple

from smsgw.service.customer import BillStatus
from smsgw.service.keyed import Keyed
from smsgw.service.lines import LONGEST, LineError, Problems, columns, fields, numbered, wrong

COLUMNS: Final = (
    "customer_number",
    "bill_number",
    "issued_on",
    "due_on",
    "cut_off_on",
    "amount",
    "currency",
    "status",
)
OPTIONAL: Final = ("code",)
_ALL: Final = COLUMNS + OPTIONAL
_BILL: Final = _ALL[1:]
_DATES: Final = ("issued_on", "due_on", "cut_off_on")


class FeedRow(NamedTuple):
    """One line: a bill of a customer, or only the customer (`bill_number` is None)."""

    customer: int  # the customer number
    bill_number: str | None
    issued_on: str | None  # ISO dates
    due_on: str | None
    cut_off_on: str | None
    amount: int  # cents
    currency: str
    status: str
    code: bytes | None  # keyed digest of the invoice's code; None: the line has none
    line: int


# How nearly every field is written. A line of such fields is taken in one step; any other is
# looked at field by field, to be understood or to say what is wrong.
_DATE: Final = r"(?:\d{4}-\d\d-\d\d)?"
_USUAL: Final = {
    "customer_number": r"\d{12}",
    "bill_number": r"[0-9A-Za-z./-]{1,32}",
    "issued_on": _DATE,
    "due_on": _DATE,
    "cut_off_on": _DATE,
    "amount": r"-?\d{1,9}\.\d\d",
    "currency": r"[A-Z]{3}",
    "status": "|".join(BillStatus),
    "code": r"(?:(?=[A-Za-z]{0,5}\d)[0-9A-Za-z]{6})?",  # as customers can write it in a message
}
_EMPTY: Final = {"customer_number": _USUAL["customer_number"]} | dict.fromkeys(_BILL, "")

# What a field may be, and what is said of one that is something else.
_DAY: Final = (_DATE, "is not a date as in 2026-12-10")
_RIGHT: Final = {
    "customer_number": (r"\d{12}", "is not 12 digits"),
    "bill_number": (r".{1,40}", "is longer than 40 characters"),
    "issued_on": _DAY,
    "due_on": _DAY,
    "cut_off_on": _DAY,
    "amount": (r"-?\d{1,12}(\.\d{1,2})?", "is not an amount as in 45.20"),
    "currency": (r"[A-Z]{3}", "is not three capital letters as in EUR"),
    "status": ("|".join(BillStatus), f"is none of {', '.join(BillStatus)}"),
    "code": (_USUAL["code"], "is not six Latin letters or digits with a digit among them"),
}


def read(file: BinaryIO, problems: Problems, keyed: Keyed) -> Iterator[FeedRow]:
    """The rows of a feed one by one; what is wrong with lines goes to `problems`.

    Codes leave here as digests by `keyed`, and no problem says what one was.
    """
    lines = numbered(file)
    _, header = next(lines, (1, b""))
    try:
        names = columns(_ended(header), COLUMNS, OPTIONAL)
    except LineError as error:
        problems.add(1, str(error))
        return
    bill = _pattern(names, _USUAL)
    customer = _pattern(names, _EMPTY)
    for number, line in lines:
        text = line.decode(errors="replace")  # U+FFFD is in no usual field
        if (match := bill.fullmatch(text)) and all(map(_is_date, match.group(*_DATES))):
            yield _bill(match.group(*_ALL), number, keyed)
        elif match := customer.fullmatch(text):
            yield _customer(match["customer_number"], number)
        elif line.strip():
            try:
                yield _row(line, names, number, keyed)
            except LineError as error:
                problems.add(number, str(error))


def _ended(line: bytes) -> bytes:
    """The line, which must have its end: what has none is what is left of a longer file."""
    if not line:
        raise LineError("the file is empty")
    if not line.endswith(b"\n") and len(line) < LONGEST:
        raise LineError("no line end: the file is cut off")
    return line


def _pattern(names: list[str], kinds: Mapping[str, str]) -> re.Pattern[str]:
    given = ",".join(f"(?P<{name}>{kinds[name]})" for name in names)
    left_out = "".join(f"(?P<{name}>)" for name in OPTIONAL if name not in names)
    return re.compile(f"{given}{left_out}\r?\n", re.ASCII)


def _row(line: bytes, names: list[str], number: int, keyed: Keyed) -> FeedRow:
    """A line looked at field by field. Raises LineError with all that is wrong with it."""
    values = dict.fromkeys(OPTIONAL, "") | fields(_ended(line), names)
    empty = not any(values[name] for name in _BILL)
    reasons = [
        f"{name}: {instead}" if name in OPTIONAL else wrong(name, values[name], instead)
        for name, (pattern, instead) in _RIGHT.items()
        if not re.fullmatch(pattern, values[name], re.ASCII) and not (empty and name in _BILL)
    ]
    reasons += [
        wrong(name, values[name], "is not in the calendar")
        for name in _DATES
        if re.fullmatch(_DATE, values[name], re.ASCII) and not _is_date(values[name])
    ]
    if reasons:
        raise LineError("; ".join(reasons))
    if empty:
        return _customer(values["customer_number"], number)
    return _bill([values[name] for name in _ALL], number, keyed)


def _customer(number: str, line: int) -> FeedRow:
    return FeedRow(int(number), None, None, None, None, 0, "", "", None, line)


def _bill(values: Sequence[str], line: int, keyed: Keyed) -> FeedRow:
    number, bill_number, issued_on, due_on, cut_off_on, amount, currency, status, code = values
    return FeedRow(
        int(number),
        bill_number,
        issued_on or None,
        due_on or None,
        cut_off_on or None,
        _cents(amount),
        currency,
        status,
        keyed.code(number, code) if code else None,
        line,
    )


def _cents(amount: str) -> int:
    whole, _, hundredths = amount.partition(".")
    return int(whole + hundredths.ljust(2, "0"))


@lru_cache(maxsize=4096)  # eleven years of days
def _is_date(iso: str) -> bool:
    """Whether `iso`, digits written as a date, is in the calendar; empty is no date, and right."""
    try:
        return not iso or bool(date.fromisoformat(iso))
    except ValueError:
        return False

"""The subscribers file's rows: a CSV line in, a registration that someone asks for out."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import BinaryIO, Final, NamedTuple

from smsgw.service import numbers
from smsgw.service.lines import LineError, Problems, columns, fields, numbered, wrong
from smsgw.service.message import CHANNELS, SCRIPTS, Channel, Msisdn, Script

REQUIRED: Final = ("msisdn", "customer_number")
OPTIONAL: Final = ("carrier", "script", "channel", "code")
COLUMNS: Final = REQUIRED + OPTIONAL


class SubscriberRow(NamedTuple):
    """One line. What it doesn't name is None."""

    msisdn: Msisdn
    customer_number: str
    carrier: str | None
    script: Script | None
    channel: Channel | None


def read(file: BinaryIO, carriers: Collection[str], problems: Problems) -> Iterator[SubscriberRow]:
    """The rows of a subscribers file one by one; what is wrong with lines goes to `problems`.

    `carriers` are the ids that a row may name. Invoices' codes are passed over.
    """
    lines = numbered(file)
    _, header = next(lines, (1, b""))
    if not header:
        problems.add(1, "the file is empty")
        return
    try:
        names = columns(header, REQUIRED, OPTIONAL)
    except LineError as error:
        problems.add(1, str(error))
        return
    usual = _usual(names, carriers)
    for number, line in lines:
        if match := usual.fullmatch(line.decode(errors="replace")):
            yield _row(match.group(*COLUMNS))
        elif line.strip():
            try:
                yield _row(_checked(fields(line, names), carriers))
            except LineError as error:
                problems.add(number, str(error))


def _usual(names: Sequence[str], carriers: Iterable[str]) -> re.Pattern[str]:
    """What nearly every line looks like; any other is looked at field by field."""
    kinds = {
        "msisdn": numbers.MSISDN.pattern,
        "customer_number": r"\d{12}",
        "carrier": "|".join(["", *map(re.escape, carriers)]),
        "script": "|".join(["", *SCRIPTS]),
        "channel": "|".join(["", *CHANNELS]),
        "code": r"[0-9A-Za-z]{0,6}",
    }
    given = ",".join(f"(?P<{name}>{kinds[name]})" for name in names)
    left_out = "".join(f"(?P<{name}>)" for name in COLUMNS if name not in names)
    return re.compile(f"{given}{left_out}(?:\r?\n)?", re.ASCII)


def _row(values: Sequence[str]) -> SubscriberRow:
    msisdn, customer_number, carrier, script, channel, _ = values
    return SubscriberRow(
        Msisdn(msisdn),
        customer_number,
        carrier or None,
        SCRIPTS.get(script),
        CHANNELS.get(channel),
    )


def _checked(values: dict[str, str], carriers: Collection[str]) -> list[str]:
    """The fields in the order of COLUMNS, the phone number as digits.

    Raises LineError with all that is wrong.
    """
    reasons = []
    try:
        values["msisdn"] = numbers.msisdn(values["msisdn"]).digits
    except ValueError:
        reasons.append(wrong("msisdn", values["msisdn"], "is not a Bulgarian mobile number"))
    if not re.fullmatch(r"\d{12}", values["customer_number"], re.ASCII):
        reasons.append(wrong("customer_number", values["customer_number"], "is not 12 digits"))
    for name, choice in (("carrier", carriers), ("script", SCRIPTS), ("channel", CHANNELS)):
        value = values.get(name, "")
        if value and value not in choice:
            reasons.append(wrong(name, value, f"is none of {', '.join(choice)}"))
    if reasons:
        raise LineError("; ".join(reasons))
    return [values.get(name, "") for name in COLUMNS]

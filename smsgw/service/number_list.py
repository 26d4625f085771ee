"""A list of customer numbers: one a line, or the column customer_number of a CSV file."""

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from smsgw.service import numbers
from smsgw.service.lines import LineError, Problems, fields, numbered, split, wrong

COLUMN: Final = "customer_number"
_BOM: Final = b"\xef\xbb\xbf"
_USUAL: Final = re.compile(rb"(\d{12})\r?\n?")


def read(file: BinaryIO, problems: Problems) -> Iterator[str]:
    """The customer numbers of a file one by one; what is wrong with lines goes to `problems`.

    Where the first line names the column, there may be any others beside it.
    """
    taken: Callable[[bytes], str] = _alone
    for number, given in numbered(file):
        line = given.removeprefix(_BOM) if number == 1 else given
        try:
            if number == 1 and COLUMN.encode() in line:
                taken = _column(split(line))
            elif line.strip():
                yield taken(line)
        except LineError as error:
            problems.add(number, str(error))
            if number == 1 and COLUMN.encode() in line:
                return


def _alone(line: bytes) -> str:
    usual = _USUAL.fullmatch(line)
    if usual:
        return usual[1].decode()
    values = split(line)
    if len(values) != 1:
        raise LineError(f"{len(values)} fields, and no header that names {COLUMN}")
    return _number(values[0])


def _column(names: list[str]) -> Callable[[bytes], str]:
    if names.count(COLUMN) != 1:
        times = "twice" if names.count(COLUMN) else "missing"
        raise LineError(f"column {COLUMN} {times}; commas stand between columns")
    return lambda line: _number(fields(line, names)[COLUMN])


def _number(value: str) -> str:
    try:
        return numbers.customer_number(value)
    except ValueError:
        raise LineError(wrong(COLUMN, value, "is not 12 digits")) from None

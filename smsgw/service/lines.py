"""CSV files that people and other systems feed in, read line by line with a word on each wrong.

A row is one line: no field of ours can hold a line end. So each line is judged by itself, and a
stray quote spoils its own line and no other. The files are UTF-8 with a header, a byte order mark
is passed over, columns come in any order; LF or CRLF ends a line, blank lines don't count.
"""

import csv
from collections.abc import Iterator, Sequence
from functools import partial
from typing import BinaryIO, Final, NamedTuple

LONGEST: Final = 1000  # octets; the longest line that can be right has less than half of them
SHOWN: Final = 20  # wrong lines that are told one by one

_BOM: Final = b"\xef\xbb\xbf"
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


class LineError(ValueError):
    """What is wrong with a line, in words for whoever wrote it."""


class Problem(NamedTuple):
    line: int  # from 1, the header
    reason: str


class FileError(Exception):
    """A file that is refused, with its first wrong lines in order and the count of all."""

    def __init__(self, problems: Sequence[Problem], count: int) -> None:
        super().__init__(problems, count)
        self.problems = problems
        self.count = count


class Problems:
    """Collects the wrong lines of one file, however many there are."""

    def __init__(self) -> None:
        self._first: list[Problem] = []
        self._count = 0

    def add(self, line: int, reason: str) -> None:
        self._count += 1
        if len(self._first) < SHOWN:
            self._first.append(Problem(line, reason))

    def refuse(self) -> None:
        """Raise FileError if any line was wrong."""
        if self._count:
            raise FileError(sorted(self._first), self._count)


def numbered(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The lines with their numbers, each with its end; of one over LONGEST, only so much."""
    number = 0
    ended = True
    for line in iter(partial(file.readline, LONGEST), b""):
        if ended:
            number += 1
            yield number, line
        ended = line.endswith(b"\n")


def columns(header: bytes, required: Sequence[str], optional: Sequence[str] = ()) -> list[str]:
    """The names of the columns in the file's order, each once and all `required` among them.

    Raises LineError.
    """
    if header.startswith(_UTF_16):
        raise LineError("the file is UTF-16; save it as UTF-8")
    names = split(header.removeprefix(_BOM))
    if len(names) == 1 and ";" in names[0]:
        raise LineError("the columns stand apart by semicolons; write commas")
    known = (*required, *optional)
    if not set(names) & set(known):  # it is not repeated: it may have what nobody else may read
        raise LineError(f"this is no header; the header is {','.join(known)}")
    wrong = [f"no column {name}" for name in required if name not in names]
    wrong += [f"unknown column {_quoted(name)}" for name in names if name not in known]
    wrong += [f"column {name} twice" for name in known if names.count(name) > 1]
    if wrong:
        raise LineError(f"{', '.join(wrong)}; the header is {','.join(known)}")
    return names


def fields(line: bytes, names: Sequence[str]) -> dict[str, str]:
    """The line's fields by the names of their columns. Raises LineError."""
    values = split(line)
    if len(values) != len(names):
        raise LineError(f"{len(values)} fields instead of {len(names)}")
    return dict(zip(names, values, strict=True))


def split(line: bytes) -> list[str]:
    """The fields of a line, without blanks around them. Raises LineError."""
    if len(line) >= LONGEST:
        raise LineError(f"longer than {LONGEST} octets")
    try:
        text = line.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise LineError(f"octet {error.start + 1} is not UTF-8; save the file as UTF-8") from None
    if not text.isprintable():
        place = next(place for place, sign in enumerate(text) if not sign.isprintable())
        raise LineError(f"control character U+{ord(text[place]):04X} at {place + 1}")
    try:
        (row,) = csv.reader([text], strict=True)
    except csv.Error as error:
        raise LineError(f"quotes: {error}") from None
    return [value.strip() for value in row]


def wrong(column: str, value: str, instead: str) -> str:
    """What is said of a value: `due_on: '2026-02-30' is not …`."""
    return f"{column}: {_quoted(value)} {instead}" if value else f"{column}: empty"


def _quoted(value: str) -> str:
    return repr(value if len(value) <= 40 else f"{value[:40]}…")

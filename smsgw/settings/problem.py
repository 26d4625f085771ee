"""What can be wrong with a configuration, said so that an editor can jump to it."""

from typing import NamedTuple


class Problem(NamedTuple):
    """One thing wrong, at one place. Line and column count from 1; 0 is the file as a whole."""

    file: str | None  # None: there is none
    line: int
    column: int
    path: str  # the key's, as in carriers.mtel.port; empty where the trouble is with no key
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(part for part in (place, self.path, self.message) if part)


class ConfigError(Exception):
    """The configuration can't be used; `problems` is everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems

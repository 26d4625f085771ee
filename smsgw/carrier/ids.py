"""Ids for SMPP sessions."""


class SessionIds:
    """Ids for SMPP sessions, unique over restarts: microseconds since 1970, never the same twice.

    One for the whole process.
    """

    def __init__(self) -> None:
        self._last = 0

    def next(self, at: float) -> int:
        self._last = max(int(at * 1_000_000), self._last + 1)
        return self._last

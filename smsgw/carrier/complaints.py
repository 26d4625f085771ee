"""What is logged of a peer's faults: each sort once a session, without what customers wrote."""

from typing import Final

from structlog.typing import FilteringBoundLogger

from smsgw.smpp.session import Violation

MOST: Final = 20  # sorts of fault logged a session


class Complaints:
    """Of one session."""

    __slots__ = ("_log", "_made")

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._made: set[str] = set()

    def make(self, violation: Violation) -> None:
        if violation.reason not in self._made and len(self._made) < MOST:
            self._made.add(violation.reason)
            header = violation.octets[:16].hex()
            self._log.warning("link.violation", reason=violation.reason, header=header)

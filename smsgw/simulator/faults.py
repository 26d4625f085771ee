"""The faults that the simulator can be asked for, and the decision which event one strikes."""

import re
from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Final, Self

from smsgw.smpp.names import Status

_PICK: Final = re.compile(
    r"all|first:(?P<first>[1-9]\d*)|each:(?P<each>[1-9]\d*)|(?P<percent>(?!0+%)\d+(\.\d+)?)%",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Pick:
    """Which of a run of like events a fault strikes: the first few, each n-th, a share."""

    first: int = 0
    each: int = 0
    share: float = 0.0

    @classmethod
    def parse(cls, words: str) -> Self:
        """Read `all`, `first:5`, `each:3` or `10%`. Raises ValueError saying what is allowed."""
        read = _PICK.fullmatch(words.strip())
        if read is None or float(read["percent"] or 1) > 100:
            raise ValueError(f"{words!r}: write all, first:5, each:3 or 10%")
        if read["percent"]:
            return cls(share=float(read["percent"]) / 100)
        return cls(first=int(read["first"] or 0), each=int(read["each"] or not read["first"]))

    def strikes(self, number: int, random: Random) -> bool:
        """Whether it strikes event `number`, counted from 1."""
        if number <= self.first or (self.each and number % self.each == 0):
            return True
        return self.share > 0 and random.random() < self.share


NONE = Pick()


@dataclass(frozen=True, slots=True)
class Faults:
    """What the simulator does wrong; by default nothing."""

    drop_after: int = 0
    """Each connection is cut when this many PDUs have been read, the last of them unheard.
    enquire_link and unbind don't count. 0: never."""
    drop_by_reset: bool = False
    """Connections are cut by RST, which may also lose octets on their way; otherwise by FIN."""
    delay: float = 0.0
    """Seconds before each submit_sm_resp."""
    refuse: Pick = NONE
    """submit_sm answered with `refuse_status`."""
    refuse_status: int = Status.RSYSERR
    throttle: int = 0
    """submit_sm taken in any second; more are answered with ESME_RTHROTTLED. 0: no limit."""
    lose: Pick = NONE
    """submit_sm that are taken, and never answered."""
    refuse_binds: Pick = NONE
    """Binds answered with `refuse_bind_status`."""
    refuse_bind_status: int = Status.RBINDFAIL
    no_receipts: bool = False
    early_receipts: bool = False
    """Receipts go out before the submit_sm_resp that gives their id."""
    receipt_stat: str = "DELIVRD"
    """What receipts say."""
    receipt_err: str = "000"
    mute: bool = False
    """Connections are accepted, and nothing is read or said on them ever after."""


def status_of(words: str) -> int:
    """The command_status that `words` name: `RTHROTTLED`, `ESME_RTHROTTLED`, `0x58` or `88`.

    Raises ValueError if they name none.
    """
    name = words.strip().upper().removeprefix("ESME_")
    if name in Status.__members__:
        return Status[name]
    try:
        status = int(name, 0)
    except ValueError:
        status = -1
    if not 0 < status <= 0xFFFFFFFF:
        raise ValueError(f"{words!r}: write a status by its name or number, RTHROTTLED or 0x58")
    return status


class Mischief:
    """The faults at work: counts the events since they were asked for, and decides."""

    def __init__(self, faults: Faults, random: Random) -> None:
        self.faults = faults
        self._random = random
        self._binds = 0
        self._submits = 0
        self._responses = 0
        self._taken: deque[float] = deque()  # when the submits of the last second were taken

    def bind_status(self) -> int:
        """What to answer to a bind that is otherwise right."""
        self._binds += 1
        struck = self.faults.refuse_binds.strikes(self._binds, self._random)
        return self.faults.refuse_bind_status if struck else Status.ROK

    def submit_status(self, now: float) -> int:
        """What to answer to a submit_sm."""
        self._submits += 1
        if self.faults.throttle:
            while self._taken and self._taken[0] <= now - 1.0:
                self._taken.popleft()
            if len(self._taken) >= self.faults.throttle:
                return Status.RTHROTTLED
        if self.faults.refuse.strikes(self._submits, self._random):
            return self.faults.refuse_status
        if self.faults.throttle:
            self._taken.append(now)
        return Status.ROK

    def loses_response(self) -> bool:
        """Whether the answer to a submit_sm that was taken is lost."""
        self._responses += 1
        return self.faults.lose.strikes(self._responses, self._random)

    def drops(self, heard: int) -> bool:
        """Whether a connection is cut at its PDU number `heard`, counted from 1."""
        return 0 < self.faults.drop_after <= heard

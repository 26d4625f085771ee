"""The faults that the simulator can be asked for, and the decision which event one strikes."""

import re
from dataclasses import dataclass
from enum import StrEnum
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


class Sequences(StrEnum):
    """The sequence numbers of its requests."""

    PLAIN = "plain"
    ZERO = "zero"
    SAME = "same"  # 1 for all
    LARGE = "large"  # above 0x7FFFFFFF


class Bodies(StrEnum):
    """The bodies of its responses to messages."""

    PLAIN = "plain"
    NONE = "none"
    NUL = "nul"  # a single NUL: no message_id
    ALWAYS = "always"  # with an error status too


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
    """submit_sm taken a second; more are answered with ESME_RTHROTTLED. 0: no limit."""
    throttle_burst: int = 0
    """submit_sm taken at once after a rest. 0: as many as in a second."""
    queue: int = 0
    """Messages that wait for their delivery, which takes `receipt_delay`; more are refused with
    ESME_RMSGQFUL. 0: no limit."""
    freeze_after: int = 0
    """From this submit_sm of a session on none is taken or answered; enquire_link still is.
    0: never."""
    lose: Pick = NONE
    """submit_sm that are taken, and never answered."""
    refuse_binds: Pick = NONE
    """Binds answered with `refuse_bind_status`."""
    refuse_bind_status: int = Status.RBINDFAIL
    no_receipts: bool = False
    lose_receipts: Pick = NONE
    """Messages whose receipt never comes, though one is due."""
    no_queries: bool = False
    """query_sm is a command it doesn't know."""
    early_receipts: bool = False
    """Receipts go out before the submit_sm_resp that gives their id."""
    receipt_stat: str = "DELIVRD"
    """What receipts say."""
    receipt_err: str = "000"
    mute: bool = False
    """Connections are accepted, and nothing is read or said on them ever after."""
    no_enquire_link_resp: bool = False
    stop_reading: bool = False
    """Once bound, nothing is read any more; what there is to say is still said."""
    unbind_after: float = 0.0
    """Seconds after which it unbinds each session. 0: never."""
    sequences: Sequences = Sequences.PLAIN
    bodies: Bodies = Bodies.PLAIN
    malform: Pick = NONE
    """Messages before which a malformed PDU goes out, one that the session survives."""


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
        self._receipts = 0
        self._messages = 0
        self._tokens = float(self._burst)
        self._filled_at = 0.0

    def bind_status(self) -> int:
        """What to answer to a bind that is otherwise right."""
        self._binds += 1
        struck = self.faults.refuse_binds.strikes(self._binds, self._random)
        return self.faults.refuse_bind_status if struck else Status.ROK

    def submit_status(self, now: float, waiting: int) -> int:
        """What to answer to a submit_sm, while as many wait for their delivery."""
        self._submits += 1
        if self.faults.throttle:
            self._fill(now)
            if self._tokens < 1:
                return Status.RTHROTTLED
        if 0 < self.faults.queue <= waiting:
            return Status.RMSGQFUL
        if self.faults.refuse.strikes(self._submits, self._random):
            return self.faults.refuse_status
        self._tokens -= 1
        return Status.ROK

    def _fill(self, now: float) -> None:
        """Put into the token bucket what the time since the last look is worth."""
        earned = (now - self._filled_at) * self.faults.throttle
        self._tokens = min(self._tokens + earned, float(self._burst))
        self._filled_at = now

    @property
    def _burst(self) -> int:
        return self.faults.throttle_burst or self.faults.throttle

    def loses_response(self) -> bool:
        """Whether the answer to a submit_sm that was taken is lost."""
        self._responses += 1
        return self.faults.lose.strikes(self._responses, self._random)

    def loses_receipt(self) -> bool:
        """Whether the receipt of a message that was taken is lost."""
        self._receipts += 1
        return self.faults.lose_receipts.strikes(self._receipts, self._random)

    def drops(self, heard: int) -> bool:
        """Whether a connection is cut at its PDU number `heard`, counted from 1."""
        return 0 < self.faults.drop_after <= heard

    def freezes(self, submits: int) -> bool:
        """Whether a session's submit_sm number `submits`, counted from 1, is left lying."""
        return 0 < self.faults.freeze_after <= submits

    def malforms(self) -> bool:
        """Whether a malformed PDU goes out before the next message."""
        self._messages += 1
        return self.faults.malform.strikes(self._messages, self._random)

"""The timers of one session as a handful of alarms; the moment is always an argument.

SMPP 3.4 section 2.9 names them and gives no values. The response timer of the requests is the
window's (`window.py`), which has them in the order of their deadlines anyway.
"""

import math
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one session; times in seconds."""

    window: int = 50  # requests of ours unanswered at once
    enquire_link: float = 30.0  # nothing heard for so long: ask; 0: never ask
    response_timeout: float = 60.0
    bind_timeout: float = 30.0  # from the connection to the bind: session_init
    inactivity: float = 0.0  # no message either way for so long: unbind; 0: never
    pdu_limit: int = 70_000  # octets: over 66 KiB, so a full message_payload fits


class Alarm(StrEnum):
    """What a session has to do when a timer runs out."""

    NOT_BOUND = "no bind in time"
    ENQUIRE = "nothing heard: ask"
    SILENT = "nothing heard since an enquire_link"
    INACTIVE = "no messages: unbind"
    NOT_UNBOUND = "no unbind_resp in time"
    UNBOUND = "unbound by the peer"


class Timers:
    """Which alarms are set, and for when."""

    __slots__ = ("_alarms", "_limits")

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._alarms = {Alarm.NOT_BOUND: now + limits.bind_timeout}

    @property
    def deadline(self) -> float:
        return min(self._alarms.values(), default=math.inf)

    def due(self, now: float) -> Alarm | None:
        """The earliest alarm whose time has come, or None."""
        alarms = self._alarms
        if not alarms:
            return None
        alarm = min(alarms, key=alarms.__getitem__)
        return alarm if alarms[alarm] <= now else None

    def bound(self, now: float) -> None:
        """The session is bound: watch the peer and the traffic."""
        self._alarms.clear()
        if self._limits.enquire_link:
            self._alarms[Alarm.ENQUIRE] = now + self._limits.enquire_link
        if self._limits.inactivity:
            self._alarms[Alarm.INACTIVE] = now + self._limits.inactivity

    def heard(self, now: float) -> None:
        """Octets came: whatever they are, the peer lives."""
        alarms = self._alarms
        if alarms.pop(Alarm.SILENT, None) is not None or Alarm.ENQUIRE in alarms:
            alarms[Alarm.ENQUIRE] = now + self._limits.enquire_link

    def worked(self, now: float) -> None:
        """A message or its response went either way."""
        if Alarm.INACTIVE in self._alarms:
            self._alarms[Alarm.INACTIVE] = now + self._limits.inactivity

    def asked(self, now: float) -> None:
        """An enquire_link was sent."""
        del self._alarms[Alarm.ENQUIRE]
        self._alarms[Alarm.SILENT] = now + self._limits.response_timeout

    def unbinding(self, now: float) -> None:
        """Our unbind was sent: nothing else matters now."""
        self._alarms.clear()
        self._alarms[Alarm.NOT_UNBOUND] = now + self._limits.response_timeout

    def unbound(self, now: float) -> None:
        """The peer's unbind came while something was under way, which is answered first.

        The peer waits for us by a timer of its own, and closes if that is shorter.
        """
        self._alarms.clear()
        self._alarms[Alarm.UNBOUND] = now + self._limits.response_timeout

    def parted(self, now: float) -> None:
        """Nothing is under way any more: the unbind can be answered."""
        self._alarms[Alarm.UNBOUND] = now

    def closed(self) -> None:
        self._alarms.clear()

"""Refusals of submits that say that the link's settings are wrong, or this program is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from structlog.typing import FilteringBoundLogger

from smsgw.carrier.meter import Meter
from smsgw.carrier.translate import refusal
from smsgw.smpp.status import SETTINGS, Reaction, submit_reaction
from smsgw.smpp.tables import Status

# ESME_RINVSRCADR may be about one message; so many in a row, and none of another sort between
# them, are about the address that all have.
SOURCE_RUN: Final = 10


class SettingsAlarm:
    """One link's: raised by such a refusal, logged once a status and bind, and over as soon as
    a submit is accepted.

    A status that the settings give a meaning raises it only where that is the link's fault.
    """

    def __init__(
        self, statuses: Mapping[int, Reaction], log: FilteringBoundLogger, meter: Meter
    ) -> None:
        self._statuses = statuses
        self._log = log
        self._meter = meter
        self._said: set[int] = set()
        self._sources = 0  # ESME_RINVSRCADR in a row
        self._on = False

    def answered(self, statuses: Sequence[int]) -> None:
        """Take the command_status of each response to a submit, in their order."""
        on = self._on
        for status in statuses:
            self._sources = self._sources + 1 if status == Status.RINVSRCADR else 0
            if not status:
                on = False
            elif self._means_settings(status):
                on = True
                self._say(status)
        if on is not self._on:
            self._on = on
            self._meter.settings_alarm(on=on)
        if any(statuses):
            self._meter.refused(Counter(status for status in statuses if status))

    def bound(self) -> None:
        """There is a new session: what is still wrong is said again."""
        self._said.clear()

    def _means_settings(self, status: int) -> bool:
        if status in self._statuses:
            return self._statuses[status] is Reaction.LINK
        if status == Status.RINVSRCADR:
            return self._sources >= SOURCE_RUN
        return status in SETTINGS or submit_reaction(status) is Reaction.LINK

    def _say(self, status: int) -> None:
        if status not in self._said:
            self._said.add(status)
            self._log.error("link.settings_alarm", reason=refusal(status))

"""What a link says of itself on `/metrics`, counted once a batch."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from smsgw import metrics
from smsgw.carrier.questions import Reply
from smsgw.carrier.translate import Reason
from smsgw.service.ports import LinkStatus
from smsgw.smpp.tables import RESPONSE, command_name, status_name
from smsgw.smpp.timers import Alarm
from smsgw.smpp.traffic import Traffic

# Why bound sessions end, as label values; whatever else a transport says is "connection".
_DROPS: Final = {
    "unbound by the peer": "unbind",
    "stream lost": "stream",
    str(Alarm.SILENT): "silent",
}


class Meter:
    """The metrics of one carrier's link."""

    def __init__(self, carrier: str) -> None:
        self._carrier = carrier
        self._submit_seconds = metrics.SUBMIT_SECONDS.labels(carrier)
        self._throttled = metrics.THROTTLED.labels(carrier)
        self._settings_alarm = metrics.LINK_SETTINGS_ALARM.labels(carrier)
        self._malformed = metrics.MALFORMED_PDUS.labels(carrier)
        self._binds = metrics.BINDS_TRIED.labels(carrier)
        self._alarm = metrics.LINK_ALARM.labels(carrier)
        self._up = metrics.LINK_UP.labels(carrier)
        self._since = metrics.LINK_STATE_SINCE.labels(carrier)
        self._pdus: dict[tuple[str, str, str], Callable[[float], None]] = {}

    def watch(
        self,
        window: int,
        throughput: float,
        *,
        sessions: Callable[[], float],
        in_flight: Callable[[], float],
        tokens: Callable[[], float],
        pace: Callable[[], float],
    ) -> None:
        """Publish a link's bounds, and what it holds at the moment someone looks."""
        metrics.WINDOW_LIMIT.labels(self._carrier).set(window)
        metrics.THROUGHPUT_LIMIT.labels(self._carrier).set(throughput)
        metrics.LINK_SESSIONS.labels(self._carrier).set_function(sessions)
        metrics.WINDOW_IN_USE.labels(self._carrier).set_function(in_flight)
        metrics.THROUGHPUT_PACE.labels(self._carrier).set_function(pace)
        if throughput:
            metrics.THROUGHPUT_TOKENS.labels(self._carrier).set_function(tokens)

    def turned(self, status: LinkStatus, at: float) -> None:
        self._up.set(status is LinkStatus.BOUND)
        self._since.set(at)
        metrics.LINK_STATE_CHANGES.labels(self._carrier, str(status)).inc()

    def alarm(self, *, on: bool) -> None:
        self._alarm.set(on)

    def bind_tried(self) -> None:
        self._binds.inc()

    def bind_refused(self, status: int) -> None:
        name = metrics.bounded(status_name(status))
        metrics.BIND_REFUSALS.labels(self._carrier, name).inc()

    def dropped(self, reason: str) -> None:
        metrics.LINK_DROPS.labels(self._carrier, _DROPS.get(reason, "connection")).inc()

    def traffic(self, traffic: Traffic) -> None:
        for direction, counts in (("in", traffic.read), ("out", traffic.written)):
            for (command, status), count in counts.items():
                self._pdu(direction, command, status)(count)

    def _pdu(self, direction: str, command: int, status: int) -> Callable[[float], None]:
        name = metrics.bounded(command_name(command))
        outcome = metrics.bounded(status_name(status)) if command & RESPONSE else ""
        key = (name, direction, outcome)
        add = self._pdus.get(key)
        if add is None:
            add = self._pdus[key] = metrics.PDUS.labels(self._carrier, *key).inc
        return add

    def settings_alarm(self, *, on: bool) -> None:
        self._settings_alarm.set(on)

    def refused(self, statuses: Mapping[int, int]) -> None:
        """Count submits that were refused, by command_status."""
        for status, count in statuses.items():
            name = metrics.bounded(status_name(status))
            metrics.SUBMIT_REFUSALS.labels(self._carrier, name).inc(count)

    def replied(self, replies: Sequence[Reply]) -> None:
        """Count what the carrier said to questions."""
        states = Counter(each.receipt.state.value if each.receipt else "" for each in replies)
        for state, count in states.items():
            metrics.QUESTIONS.labels(self._carrier, state or "nothing").inc(count)

    def batch(self, seconds: Sequence[float], aside: Sequence[Reason], violations: int) -> None:
        """Count what one read brought: responses, messages set aside, faults of the peer's."""
        for each in seconds:
            self._submit_seconds.observe(each)
        for reason, count in Counter(aside).items():
            metrics.MOS_NOT_OURS.labels(self._carrier, str(reason)).inc(count)
        if violations:
            self._malformed.inc(violations)

    def throttled(self, count: int) -> None:
        self._throttled.inc(count)

"""What goes to the gateway: each message again and again until it is answered for good.

By deliver_sm, or by submit_sm where we are bound to the gateway as an ESME.

As SMSCs do: an answer that means "not now", no answer in time and the end of a session all put
a message back, and it goes out again after a while. Receipts go before customers' messages.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from smsgw.clock import Clock
from smsgw.simulator.connection import Connection
from smsgw.simulator.deliveries import NOT_NOW, Delivery, MoPart
from smsgw.simulator.happenings import Happening
from smsgw.simulator.settings import SmscSettings, Version

# How far the pace may fall behind its clock and catch up: timers come some milliseconds late.
CATCH_UP: Final = 0.05


class Outgoing:
    """The queue of an SMSC, over all connections to it."""

    def __init__(
        self,
        settings: SmscSettings,
        clock: Clock,
        connections: Iterable[Connection],
        tell: Callable[[Happening], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._connections = connections
        self._tell = tell
        self._receipts: deque[Delivery] = deque()
        self._mos: deque[Delivery] = deque()
        self._next_mo = 0.0  # by the monotonic clock, when there is a pace
        self._pacing = False

    @property
    def reachable(self) -> bool:
        """Whether a session is bound that messages can go over."""
        return any(each.receives for each in self._connections)

    def add(self, delivery: Delivery) -> None:
        (self._mos if isinstance(delivery, MoPart) else self._receipts).append(delivery)

    def send(self, delivery: Delivery) -> None:
        """Add it, and send it at once if there is a place for it."""
        self.add(delivery)
        self.pump()

    def pump(self) -> None:
        """Send what there are places for."""
        while self._receipts and (connection := self._free()) is not None:
            self._send(self._receipts.popleft(), connection)
        while self._mos and (connection := self._free()) is not None and self._in_pace():
            self._send(self._mos.popleft(), connection)

    def answered(self, delivery: Delivery, status: int) -> None:
        """Note the answer to a message."""
        not_now = status in NOT_NOW
        delivery.refusals += not_now
        again = not_now and delivery.refusals < self._settings.tries
        self._tell(delivery.answered(self._clock.now(), status, again=again))
        if again:
            self._try_later(delivery)

    def lost(self, delivery: Delivery, reason: str) -> None:
        """Note that there will be no answer to a message."""
        happening = delivery.lost(self._clock.now(), reason)
        if happening is not None:
            self._tell(happening)
        self._try_later(delivery)

    def _free(self) -> Connection | None:
        """The connection with the most places free, if one has any."""
        free = [each for each in self._connections if each.receives and each.window_free]
        return max(free, key=lambda each: each.window_free, default=None)

    def _in_pace(self) -> bool:
        if not self._settings.rate:
            return True
        now = self._clock.monotonic()
        if now < self._next_mo:
            if not self._pacing:
                self._pacing = True
                asyncio.get_running_loop().call_later(self._next_mo - now, self._go_on)
            return False
        self._next_mo = max(self._next_mo, now - CATCH_UP) + 1 / self._settings.rate
        return True

    def _go_on(self) -> None:
        self._pacing = False
        self.pump()

    def _send(self, delivery: Delivery, connection: Connection) -> None:
        fields, tlvs = delivery.wire
        known = tlvs if self._settings.version is Version.V3_4 else ()
        connection.request(connection.message, fields, known, delivery)
        delivery.attempts += 1
        self._tell(delivery.sent(self._clock.now(), connection.number))

    def _try_later(self, delivery: Delivery) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(self._settings.retry_interval, self.send, delivery)

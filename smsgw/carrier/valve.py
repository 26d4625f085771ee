"""Whether a connection reads: the place where pressure inside reaches the carrier's socket."""

import asyncio


class Valve:
    """Shut while more than `most` messages wait for their verdicts, or the peer doesn't read.

    Once full it opens again at half of `most`, so that it doesn't flutter.
    """

    __slots__ = ("_most", "_shut", "_transport", "blocked", "full")

    def __init__(self, most: int) -> None:
        self._most = most
        self._shut = False
        self._transport: asyncio.Transport | None = None
        self.full = False
        self.blocked = False  # the peer doesn't read what is sent to it

    def attach(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def turn(self, waiting: int) -> None:
        """See to it that reading goes on or rests as it should with `waiting` messages."""
        if waiting > self._most:
            self.full = True
        elif waiting <= self._most // 2:
            self.full = False
        shut = self.full or self.blocked
        if shut == self._shut or self._transport is None or self._transport.is_closing():
            return
        self._shut = shut
        if shut:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

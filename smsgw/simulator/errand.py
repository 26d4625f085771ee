"""Customers' messages to be sent by an SMSC that was started for it, and when it is done."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, Self, TextIO

from smsgw.simulator.happenings import (
    BindTaken,
    Happening,
    MoAnswered,
    MtReceived,
    ReceiptAnswered,
)
from smsgw.simulator.records import Mo, MoState
from smsgw.simulator.smsc import Smsc

PROGRESS: Final = (BindTaken, MoAnswered, MtReceived, ReceiptAnswered)


class Message(NamedTuple):
    """A customer's message to be."""

    source: str
    text: str

    @classmethod
    def parse(cls, line: str, separators: str = "\t;") -> Self:
        """Read `FROM<separator>TEXT`. Raises ValueError saying what is wrong."""
        cut = min((at for at in map(line.find, separators) if at >= 0), default=-1)
        source, text = line[:cut].strip(), line[cut + 1 :].strip()
        if cut < 0 or not source:
            wanted = " or ".join("a tab" if sign == "\t" else f"a {sign}" for sign in separators)
            raise ValueError(f"{line.strip()!r}: write the customer's number, {wanted}, the text")
        return cls(source, text)


@dataclass(frozen=True, slots=True)
class Errand:
    """What a simulator is started for."""

    messages: list[Message]
    lines: TextIO | None = None  # more of them, each sent as it comes
    once: bool = False  # end when all is done, instead of when told to
    answers: bool = True  # whether an answer to each belongs to that
    patience: float = 30.0  # seconds without any progress after which no more is expected


class Run:
    """An errand being run. `complain` is told of lines that can't be read."""

    def __init__(self, errand: Errand, complain: Callable[[str], None]) -> None:
        self.errand = errand
        self.unreadable = 0
        self._complain = complain
        self._progress = asyncio.Event()
        self._stopped = False
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()

    def note(self, happening: Happening) -> None:
        """Take notice of what the SMSC tells."""
        if isinstance(happening, PROGRESS):
            self._progress.set()

    def stop(self) -> None:
        """Have `run` come back."""
        self._stopped = True
        self._progress.set()
        self._lines.put_nowait(None)

    async def run(self, smsc: Smsc) -> None:
        """Send what there is to send, until it is done or `stop` is called."""
        for message in self.errand.messages:
            smsc.send(*message)
        if self.errand.lines is not None:
            await self._send_lines(smsc, self.errand.lines)
        patience = self.errand.patience if self.errand.once else None
        while not self._stopped and not (self.errand.once and self._done(smsc)):
            self._progress.clear()
            try:
                async with asyncio.timeout(patience):
                    await self._progress.wait()
            except TimeoutError:
                return

    async def _send_lines(self, smsc: Smsc, lines: TextIO) -> None:
        """Send each line as it comes, until there are no more.

        A thread that nobody waits for reads them: a read that blocks can't be called off.
        """
        loop = asyncio.get_running_loop()

        def read() -> None:
            for line in lines:
                loop.call_soon_threadsafe(self._lines.put_nowait, line)
            loop.call_soon_threadsafe(self._lines.put_nowait, None)

        threading.Thread(target=read, daemon=True).start()
        number = 0
        while (line := await self._lines.get()) is not None:
            number += 1
            try:
                if line.strip():
                    smsc.send(*Message.parse(line))
            except ValueError as error:
                self.unreadable += 1
                self._complain(f"line {number}: {error}")

    def _done(self, smsc: Smsc) -> bool:
        """Whether no more can come of the messages; receipts that are due are part of it."""
        hopeless = (MoState.REFUSED, MoState.GIVEN_UP)
        return all(mo.state in hopeless for mo in self.unserved(smsc)) and all(
            receipt.settled for receipt in smsc.receipts
        )

    def unserved(self, smsc: Smsc) -> list[Mo]:
        """The messages that are not acknowledged, or not answered where that is wanted.

        Of one customer's messages, the first are taken to be those that were answered.
        """
        answered = Counter(_international(mt.destination) for mt in smsc.mts)
        missing = []
        for mo in smsc.mos:
            if mo.state is MoState.ACKNOWLEDGED:
                customer = _international(mo.source)
                answered[customer] -= 1
                if answered[customer] >= 0 or not self.errand.answers:
                    continue
            missing.append(mo)
        return missing


def _international(number: str) -> str:
    """The digits with country code of a number as it may be written: `+359…`, `00359…`, `0888…`."""
    digits = number.removeprefix("+")
    if digits.startswith("00"):
        return digits[2:]
    return f"359{digits[1:]}" if digits.startswith("0") else digits

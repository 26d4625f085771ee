"""A process beside the daemon, in virtual time: a command, or the one that makes a daily run.

It runs in a thread, but never while anything else does: it stands still before and after each of
its transactions for as long as others need, and can be killed there.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Generic, TypeVar
from unittest.mock import patch

from virtual.loop import VirtualLoop

from smsgw.storage import notice_worker, runs
from smsgw.storage.database import transaction
from smsgw.storage.pace import Pace

T = TypeVar("T")

BATCH: Final = 7  # notices that are made in one transaction
BETWEEN: Final = (0.001, 0.3)  # seconds
PATIENCE: Final = 60.0  # real seconds that one step may take

_running = threading.local()


class _Killed(BaseException):
    """The process ends here."""


class Process(Generic[T]):
    """Does `work` once, when it is run."""

    def __init__(self, loop: VirtualLoop, work: Callable[[], T]) -> None:
        self._loop = loop
        self._work = work
        self._go = threading.Semaphore(0)
        self._stands = threading.Semaphore(0)
        self._killed = False
        self._ended = False
        self._result: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    async def run(self) -> T:
        """Raises what it fails with; of one that is killed there is never any word."""
        self._thread.start()
        self._step()
        while not self._ended:
            await asyncio.sleep(self._loop.random.uniform(*BETWEEN))
            if self._killed:
                await self._loop.create_future()
            self._step()
        if self._error is not None:
            raise self._error
        return self._result[0]

    def kill(self) -> None:
        """As by kill -9, where it stands."""
        if self._thread.is_alive() and not self._killed:
            self._killed = True
            self._step()

    def _step(self) -> None:
        """Let it go to its next stand."""
        self._go.release()
        if not self._stands.acquire(timeout=PATIENCE):
            raise TimeoutError("a process doesn't come to a stand")
        if self._ended:
            self._thread.join()

    def _run(self) -> None:
        self._go.acquire()
        _running.process = self
        try:
            self._result.append(self._work())
        except _Killed:
            pass
        except BaseException as error:
            self._error = error
        self._ended = True
        self._stands.release()

    def stand(self) -> None:
        """From within: let the others go on."""
        self._stands.release()
        self._go.acquire()
        if self._killed:
            raise _Killed


def _stand() -> None:
    process = getattr(_running, "process", None)
    if process is not None:
        process.stand()


@contextmanager
def _transaction(con: Any) -> Iterator[None]:
    _stand()
    with transaction(con):
        yield
    _stand()


class SmallPace(Pace):
    """Has many small transactions."""

    def __init__(self) -> None:
        super().__init__(sleep=lambda _: None)
        self.size = BATCH

    @contextmanager
    def turn(self) -> Iterator[None]:
        yield


@contextmanager
def side_by_side() -> Iterator[None]:
    """While this lasts, who makes runs stands still around each transaction."""
    with (
        patch.object(runs, "transaction", _transaction),
        patch.object(notice_worker, "Pace", SmallPace),
    ):
        yield

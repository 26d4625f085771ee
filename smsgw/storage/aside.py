"""A job in a process of its own, so that nobody waits for what it takes of a processor.

The process yields to the answers, and ends when the one that started it does, however that ends.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final, Generic, TypeVar

NICE: Final = 10  # customers are answered first

Task = TypeVar("Task")
Result = TypeVar("Result")


class AsideError(Exception):
    """The process could not be started, or ended before its job was done; the message says so."""


async def aside(function: Callable[[Task], Result], task: Task) -> Result:
    """What `function`, known by its name in a module, makes of `task`. It reports what it can't
    do in its result, and raises nothing.

    Raises AsideError. Cancelled, it is killed, and leaves what a kill leaves.
    """
    job = Job(function, task)
    try:
        await asyncio.to_thread(job.start)
    except OSError as error:  # the system has no room for another process
        raise AsideError(f"its process can't be started: {error.strerror or error}") from error
    try:
        return await asyncio.to_thread(job.result)
    except asyncio.CancelledError:
        job.kill()
        raise


class Job(Generic[Task, Result]):
    """One job and its process."""

    def __init__(self, function: Callable[[Task], Result], task: Task) -> None:
        context = multiprocessing.get_context("spawn")
        self._told, self._tells = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_work, args=(function, task, self._tells), daemon=True
        )

    def start(self) -> None:
        self._process.start()
        self._tells.close()

    def result(self) -> Result:
        """Wait for it."""
        with self._told:
            try:
                result: Result = self._told.recv()
            except EOFError:
                self._process.join()
                status = self._process.exitcode
                raise AsideError(f"the process that made it ended by itself ({status})") from None
            self._process.join()
            return result

    def kill(self) -> None:
        """End it once it was started; `result` returns, or raises, then."""
        self._process.kill()


def _work(function: Callable[[Task], Result], task: Task, told: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's, which means the daemon
    os.nice(NICE)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    told.send(function(task))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

"""Lock files in data_dir: at most one process at a time does what has a name."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from smsgw.storage.database import StorageError, make

DAEMON_LOCK: Final = "daemon"  # held by the running one

# What somebody is told to do about a lock that is held, by its name.
_ADVICE: Final = {
    "import": "wait until it has ended, smsgw billing status shows it",
    "notices": "wait until it has made its run",
}


@contextmanager
def hold(data_dir: Path, name: str) -> Iterator[None]:
    """Hold the lock `name` until the block ends, or the process does, however it ends.

    Raises StorageError that names the process which holds it now.
    """
    make(data_dir)
    path = data_dir / f"{name}.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StorageError(
                f"{data_dir} is in use by another smsgw {name} (process {_holder(descriptor)}): "
                f"{_ADVICE.get(name, 'stop that one first')}"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)


def holder(data_dir: Path, name: str) -> str | None:
    """The number of the process that holds the lock `name` now, "unknown" if it can't be told;
    None: nobody does."""
    try:
        descriptor = os.open(data_dir / f"{name}.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _holder(descriptor)
    finally:
        os.close(descriptor)
    return None


def _holder(descriptor: int) -> str:
    return os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"

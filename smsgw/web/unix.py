"""Unix sockets that only their owner can connect to, as the daemon's own in `data_dir`."""

import errno
import os
import socket
import stat
from pathlib import Path
from typing import Final

CONTROL: Final = "control.sock"  # in data_dir
MODE: Final = 0o600
LONGEST: Final = 107  # octets of a path: sun_path has 108 on Linux, the last of them NUL


def listening(path: Path, backlog: int) -> socket.socket:
    """A socket that listens on `path`; one that nobody listens on any more is replaced.

    The caller sees to it that nobody does, and calls `remove` at the end. Raises OSError.
    """
    _check(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        remove(path)
        os.fchmod(made.fileno(), MODE)  # what bind creates takes it: it never has another mode
        made.bind(os.fspath(path))
        made.listen(backlog)
    except OSError:
        made.close()
        raise
    return made


def connected(path: Path, timeout: float) -> socket.socket:
    """A socket connected to `path`, each step on it bounded by `timeout` seconds.

    Raises OSError: FileNotFoundError and ConnectionRefusedError where nobody listens.
    """
    _check(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(timeout)
        made.connect(os.fspath(path))
    except OSError:
        made.close()
        raise
    return made


def remove(path: Path) -> None:
    """Remove a socket, if there is one; anything else stays, and is in the way."""
    try:
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()
    except FileNotFoundError:
        pass


def _check(path: Path) -> None:
    octets = len(os.fsencode(path))
    if octets > LONGEST:
        reason = f"a socket's path has {LONGEST} octets at most, and this one {octets}"
        raise OSError(errno.ENAMETOOLONG, reason)

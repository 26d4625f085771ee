"""The key of all keyed digests, where the configuration names none: made once, kept beside the
databases, and never part of a backup."""

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from smsgw.service.keyed import Keyed
from smsgw.storage.database import GATEWAY, StorageError, explained, make
from smsgw.storage.disk import sync

KEY_FILE: Final = "secret.key"
OCTETS: Final = 32  # as long as the digests of HMAC-SHA-256


def kept(data_dir: Path, secret: str | None) -> Keyed | None:
    """The same for who may write nothing: None where no key was made yet, and so no digest."""
    if secret is None and not (data_dir / KEY_FILE).exists():
        return None
    return keyed(data_dir, secret)


def keyed(data_dir: Path, secret: str | None) -> Keyed:
    """Digests by `secret`, or by the key in `data_dir`, which is made if it isn't there.

    Raises StorageError where it can't be read or made, is not what was written once, or is gone
    though digests by it are there.
    """
    return Keyed(secret.encode() if secret is not None else _kept(data_dir))


def _kept(data_dir: Path) -> bytes:
    path = data_dir / KEY_FILE
    try:
        if not path.exists():
            make(data_dir)
            _refuse_lost(path)
            _make(path)
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error
    except ValueError:
        key = b""
    if len(key) != OCTETS:
        raise StorageError(
            f"{path} is damaged: put it back from where it is kept. Without it no digest made "
            "before is known again"
        )
    return key


def _refuse_lost(path: Path) -> None:
    """Raise StorageError if there are digests by a key that was here: no other stands for it."""
    gateway = path.with_name(GATEWAY)
    if not gateway.exists():
        return
    try:
        with closing(sqlite3.connect(f"{gateway.absolute().as_uri()}?mode=ro", uri=True)) as con:
            (there,) = con.execute(
                "SELECT EXISTS (SELECT 1 FROM audit) OR EXISTS (SELECT 1 FROM stop)"
            ).fetchone()
    except sqlite3.Error as error:
        if "no such table" in str(error):  # from before there were any
            return
        raise StorageError(f"{gateway}: {explained(error)}") from error
    if there and not path.exists():  # made and used by another process meanwhile
        raise StorageError(
            f"{path} is missing: put it back from where it is kept. Without it nobody knows which"
            " phones said stop. If it is lost for good, write 64 new hexadecimal digits there"
        )


def _make(path: Path) -> None:
    """Write a new key whole or not at all; of two processes that do it at once, one wins."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{secrets.token_hex(OCTETS)}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(new, path)  # unlike a rename, it replaces nothing
        except FileExistsError:
            return
        sync(path.parent)
    finally:
        new.unlink()

"""Partners' keys: made once, shown once, and known by their keyed digests ever after."""

import secrets
import sqlite3
from collections.abc import Collection
from typing import Final

from smsgw.service.keyed import Keyed
from smsgw.service.message import CHANNELS, Channel
from smsgw.service.partner import Partner, Scope
from smsgw.storage.database import transaction

PREFIX: Final = "smsgw_"  # so that scanners of leaked secrets, and people, know what it is
OCTETS: Final = 32
LONGEST: Final = 64  # characters of a key that is worth looking up, and of a name

_SELECT: Final = (
    "SELECT id, name, channel, scopes, rate, made_at, made_by, revoked_at, revoked_by FROM api_key"
)


class KeyRefusedError(Exception):
    """A key that is not made or revoked; the message says why."""


def add(
    con: sqlite3.Connection,
    keyed: Keyed,
    name: str,
    channel: Channel,
    scopes: Collection[Scope],
    rate: float | None,
    who: str,
    now: float,
) -> str:
    """Make a key and return it: it can't be read again. Raises KeyRefusedError."""
    key = PREFIX + secrets.token_urlsafe(OCTETS)
    with transaction(con):
        if _named(con, name) is not None:
            raise KeyRefusedError(f"there is a key {name!r} already: revoke it, or name another")
        con.execute(
            "INSERT INTO api_key (name, digest, channel, scopes, rate, made_at, made_by)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (name, _digest(keyed, key), channel.value, " ".join(sorted(scopes)), rate, now, who),
        )
    return key


def find(con: sqlite3.Connection, keyed: Keyed, key: str) -> Partner | None:
    """Whose key it is, also one that was revoked; None: nobody's."""
    if not key.startswith(PREFIX) or len(key) > LONGEST:
        return None
    row = con.execute(f"{_SELECT} WHERE digest = ?", (_digest(keyed, key),)).fetchone()
    return None if row is None else _partner(*row)


def listed(con: sqlite3.Connection) -> list[tuple[Partner, float | None]]:
    """All keys there ever were, oldest first, with when each last asked for a change."""
    return [
        (
            _partner(*row),
            con.execute("SELECT max(at) FROM request WHERE key = ?", row[:1]).fetchone()[0],
        )
        for row in con.execute(f"{_SELECT} ORDER BY id").fetchall()
    ]


def revoke(con: sqlite3.Connection, name: str, who: str, now: float) -> None:
    """Take a key back: it is good for nothing from now on. Raises KeyRefusedError."""
    with transaction(con):
        if _named(con, name) is None:
            raise KeyRefusedError(f"there is no key {name!r}, or it is revoked already")
        con.execute(
            "UPDATE api_key SET revoked_at = ?, revoked_by = ?"
            " WHERE name = ? AND revoked_at IS NULL",
            (now, who, name),
        )


def _named(con: sqlite3.Connection, name: str) -> int | None:
    row = con.execute(
        "SELECT id FROM api_key WHERE name = ? AND revoked_at IS NULL", (name,)
    ).fetchone()
    return None if row is None else int(row[0])


def _digest(keyed: Keyed, key: str) -> bytes:
    return keyed.digest("api.key", key)


def _partner(
    id_: int,
    name: str,
    channel: str,
    scopes: str,
    rate: float | None,
    made_at: float,
    made_by: str,
    revoked_at: float | None,
    revoked_by: str | None,
) -> Partner:
    allowed = frozenset(Scope(scope) for scope in scopes.split())
    return Partner(
        id_, name, CHANNELS[channel], allowed, rate, made_at, made_by, revoked_at, revoked_by
    )

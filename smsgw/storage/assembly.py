"""Storing long messages from customers, as far as their parts have come: one row of `assembly`
each, until none of these can come again."""

import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

from smsgw.service.message import Mo, Msisdn
from smsgw.storage.database import transaction
from smsgw.text.reassembly import Bounds, Piece, Place, place
from smsgw.text.userdata import UDHI, Part

# What one transaction closes at most for their time, so that it isn't long however many are due:
# at 100 µs a message, and 5 µs an octet of the text that takes longest to read, 0.15 s.
CLOSED_AT_ONCE: Final = 500
OCTETS_AT_ONCE: Final = 20_000

# Messages of one key that are looked at, the newest first: who sends ever other parts under the
# same reference must not make each cost more than the one before.
OF_ONE_KEY: Final = 50

FIND: Final = """
SELECT closed_at IS NULL, assembly.id, assembly.carrier, assembly.msisdn, assembly.destination,
       came, assembly.octets, mo.part, mo.data_coding, mo.octets, mo.esm_class
FROM assembly LEFT JOIN mo ON mo.assembly = assembly.id AND mo.part = ?
WHERE assembly.msisdn = ? AND assembly.reference = ? AND assembly.total = ?
      AND joining = ? AND assembly.carrier = ? AND assembly.destination = ?
ORDER BY assembly.id DESC LIMIT ?
"""

WAITING: Final = """
SELECT id, carrier, msisdn, destination, came, octets, opened_at FROM assembly
WHERE closed_at IS NULL ORDER BY opened_at, id LIMIT ?
"""


class Assembly(NamedTuple):
    """A long message that waits for parts."""

    id: int
    carrier: str
    source: Msisdn
    destination: str
    came: int  # parts
    octets: int  # of these


class Assemblies:
    """The long messages that wait for parts, within one transaction."""

    def __init__(self, con: sqlite3.Connection, bounds: Bounds, now: float) -> None:
        """Also forgets messages that were closed so long ago that no part of them comes again."""
        self._con = con
        self._bounds = bounds
        self._now = now
        # A time that lies too far ahead is of before the clock was set back.
        con.execute(
            "DELETE FROM assembly WHERE closed_at <= ? OR closed_at > ?",
            (now - bounds.wait, now + bounds.wait),
        )
        self._messages, self._octets, last = con.execute(
            "SELECT count(*), coalesce(sum(octets), 0), max(opened_at) FROM assembly"
            " WHERE closed_at IS NULL"
        ).fetchone()
        if last is not None and last > now:
            con.execute(
                "UPDATE assembly SET opened_at = ?1 WHERE closed_at IS NULL AND opened_at > ?1",
                (now,),
            )

    def overdue(self) -> list[Assembly]:
        """Those that have waited long enough, the oldest first: as many as are closed at once."""
        found = []
        octets = 0
        if self._messages:
            for *row, opened_at in self._con.execute(WAITING, (CLOSED_AT_ONCE,)):
                if opened_at + self._bounds.wait > self._now or octets > OCTETS_AT_ONCE:
                    break
                found.append(_assembly(row))
                octets += found[-1].octets
        return found

    def crowded_out(self) -> Assembly | None:
        """The oldest of those that wait, while they are more than the bounds allow."""
        if self._messages <= self._bounds.messages and self._octets <= self._bounds.octets:
            return None
        *row, _ = self._con.execute(WAITING, (1,)).fetchone()
        return _assembly(row)

    def place(self, mo: Mo, part: Part) -> tuple[Place, Assembly | None]:
        """Where the part `mo` belongs, and the message of its key that waits, if one does."""
        rows = self._con.execute(
            FIND,
            (
                part.number,
                mo.source.digits,
                part.reference,
                part.total,
                part.joining,
                mo.carrier,
                mo.destination,
                OF_ONE_KEY,
            ),
        ).fetchall()
        waiting: Assembly | None = None
        pieces: dict[bool, list[Piece]] = {True: [], False: []}
        for opened, *row in rows:
            if opened:
                waiting = _assembly(row[:6])
            if row[6] is not None:
                pieces[bool(opened)].append(_piece(*row[6:]))
        return place(piece_of(mo, part), pieces[True] if waiting else None, pieces[False]), waiting

    def begin(self, mo: Mo, part: Part) -> Assembly:
        """Wait for the parts of another message; `part` itself has yet to be added."""
        (number,) = self._con.execute(
            "INSERT INTO assembly (carrier, msisdn, destination, joining, reference, total,"
            " opened_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
            (
                mo.carrier,
                mo.source.digits,
                mo.destination,
                part.joining,
                part.reference,
                part.total,
                self._now,
            ),
        ).fetchone()
        self._messages += 1
        return Assembly(number, mo.carrier, mo.source, mo.destination, 0, 0)

    def add(self, assembly: Assembly, mo: Mo) -> Assembly:
        """Count a part of a message, which has been stored as such."""
        octets = len(mo.octets)
        self._con.execute(
            "UPDATE assembly SET came = came + 1, octets = octets + ? WHERE id = ?",
            (octets, assembly.id),
        )
        self._octets += octets
        return assembly._replace(came=assembly.came + 1, octets=assembly.octets + octets)

    def pieces(self, assembly: Assembly) -> tuple[int, list[Piece]]:
        """The parts of a message that came, and the id of the MO that was the last."""
        rows = self._con.execute(
            "SELECT id, part, data_coding, octets, esm_class FROM mo WHERE assembly = ?",
            (assembly.id,),
        ).fetchall()
        return max(row[0] for row in rows), [_piece(*row[1:]) for row in rows]

    def close(self, assembly: Assembly) -> None:
        """Wait no longer for parts of a message."""
        self._con.execute(
            "UPDATE assembly SET closed_at = ? WHERE id = ?", (self._now, assembly.id)
        )
        self._messages -= 1
        self._octets -= assembly.octets

    def wake_at(self) -> float | None:
        """When the next of them has waited long enough."""
        if not self._messages:
            return None
        (opened_at,) = self._con.execute(
            "SELECT min(opened_at) FROM assembly WHERE closed_at IS NULL"
        ).fetchone()
        return float(opened_at) + self._bounds.wait


def piece_of(mo: Mo, part: Part) -> Piece:
    return _piece(part.number, mo.data_coding, mo.octets, mo.esm_class)


def _piece(number: int, data_coding: int, octets: bytes, esm_class: int) -> Piece:
    return Piece(number, data_coding, octets, bool(esm_class & UDHI))


def _assembly(row: Sequence[int | str]) -> Assembly:
    number, carrier, msisdn, destination, came, octets = row
    return Assembly(
        int(number), str(carrier), Msisdn(msisdn), str(destination), int(came), int(octets)
    )


def resume(con: sqlite3.Connection, now: float) -> None:
    """Begin the wait anew at a start: while no daemon ran, no part could come."""
    with transaction(con):
        con.execute("UPDATE assembly SET opened_at = ? WHERE closed_at IS NULL", (now,))

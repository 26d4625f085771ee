"""The daemon's transactions on a database of its own, for the tests of what becomes of submits."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC
from pathlib import Path

import pytest

from smsgw.service.conversation import Rules
from smsgw.service.keyed import Keyed
from smsgw.service.message import (
    Acceptance,
    Encoding,
    MessageKind,
    Msisdn,
    Mt,
    Outcome,
    Receipt,
    Segment,
)
from smsgw.service.ports import Done, Work
from smsgw.service.replies import Company, Replies
from smsgw.service.retry import Losses, settle
from smsgw.service.today import Day
from smsgw.storage import exchange
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.messages import enqueue
from smsgw.storage.policy import Policy

T = 1_800_000_000.0
PHONE = Msisdn("359888123456")
LOSSES = Losses(900.0, frozenset({MessageKind.NOTICE}))
RULES = Rules(Replies({}, Company(None, None, None, None)), 0, 0, True, 0.0, 4, UTC)
POLICY = Policy(
    RULES, {"mtel": Encoding(), "silent": Encoding(receipts=False)}, Keyed(b"k" * 32), LOSSES
)


class Gateway:
    """The daemon's transactions, one at a time."""

    def __init__(self, con: sqlite3.Connection) -> None:
        self.con = con

    def commit(self, now: float = T, free: int = 0, carrier: str = "mtel", **work: object) -> Done:
        nothing = Work(now, (), (), (), (), (), (), {carrier: free} if free else {})
        return exchange.commit(self.con, nothing._replace(**work), False, POLICY, Day())  # type: ignore[arg-type]

    def send(
        self,
        kind: MessageKind,
        to: Msisdn = PHONE,
        now: float = T,
        text: str = "x",
        carrier: str = "mtel",
    ) -> list[Segment]:
        """The segments of a new message, as they went out."""
        with transaction(self.con):
            enqueue(self.con, [Mt(carrier, kind, to, text, now)], {}, now)
        return list(self.commit(now, free=10, carrier=carrier).claimed)

    def settled(
        self,
        *segments: Segment,
        acceptance: Acceptance = Acceptance.LOST,
        message_id: str = "",
        now: float = T + 1,
        late: bool = False,
        **work: object,
    ) -> Done:
        outcomes = [
            Outcome(one, acceptance, now, message_id, late=late, response_id=message_id)
            for one in segments
        ]
        settlements = [settle(outcome, LOSSES) for outcome in outcomes]
        return self.commit(now, settlements=settlements, **work)

    def accepted(self, one: Segment, message_id: str = "A", **more: object) -> Done:
        return self.settled(one, acceptance=Acceptance.ACCEPTED, message_id=message_id, **more)  # type: ignore[arg-type]

    def received(self, *receipts: Receipt, now: float | None = None) -> Done:
        return self.commit(receipts[-1].received_at if now is None else now, receipts=receipts)

    def states(self) -> list[str]:
        return [
            row[0] for row in self.con.execute("SELECT state FROM segment ORDER BY mt_id, part")
        ]

    def one(self, columns: str, mt: int = 1) -> tuple[object, ...]:
        row = self.con.execute(f"SELECT {columns} FROM segment WHERE mt_id = ?", (mt,)).fetchone()
        return tuple(row)

    def count(self, table: str) -> int:
        return int(self.con.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    """Carriers: mtel, and silent, which is asked for no receipts. Notices are sent once more."""
    with closing(open_gateway(tmp_path)) as con:
        yield Gateway(con)

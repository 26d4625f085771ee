"""The daemon's transactions on a database of its own, for the tests of what becomes of submits and
of phones that change their carrier."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, time
from pathlib import Path
from typing import Any

import pytest

from smsgw.service.customer import Subscription, SubscriptionState
from smsgw.service.decision import Rules
from smsgw.service.hours import Hours
from smsgw.service.keyed import Keyed
from smsgw.service.message import (
    Acceptance,
    Channel,
    Encoding,
    MessageKind,
    Msisdn,
    Mt,
    Outcome,
    Receipt,
    ReceiptState,
    Script,
    Segment,
)
from smsgw.service.ports import Done, Work
from smsgw.service.replies import Company, Replies
from smsgw.service.retry import Losses, settle
from smsgw.service.today import Day
from smsgw.storage import audit, exchange, subscriptions
from smsgw.storage.audit import Author, Origin
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.messages import enqueue
from smsgw.storage.policy import Policy

T = 1_800_000_000.0
PHONE = Msisdn("359888123456")
LOSSES = Losses(900.0, frozenset({MessageKind.NOTICE}))
RULES = Rules(Replies({}, Company(None, None, None, None)), 0, 0, True, 0.0, 4, UTC)
KEYED = Keyed(b"k" * 32)
POLICY = Policy(RULES, {"mtel": Encoding(), "silent": Encoding(receipts=False)}, KEYED, LOSSES)


class Gateway:
    """The daemon's transactions, one at a time."""

    def __init__(self, con: sqlite3.Connection) -> None:
        self.con = con

    def commit(self, now: float = T, free: int = 0, carrier: str = "mtel", **work: object) -> Done:
        places = {carrier: free} if free else {}
        nothing = Work(now, (), (), (), (), (), (), places, bulk=places)
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


NETWORK = Policy(
    Rules(
        Replies({}, Company(None, None, None, None)), 0, 0, True, 0.0, 4, UTC,
        hours=Hours(time(9), time(20)),
    ),
    {"mtel": Encoding(), "telenor": Encoding("latin1", "sar"), "vivacom": Encoding()},
    KEYED,
    find_carrier=True,
)  # fmt: skip


class Network:
    """The daemon's transactions with three carriers, each with free places; a phone that changes
    its carrier."""

    NUMBERS = ("300012345678", "300012345686")
    WORD = "0x0000000b ESME_RINVDSTADR"
    CLERK = Author(KEYED, Origin(Channel.CENTRE, "ana"), T)

    def __init__(self, con: sqlite3.Connection) -> None:
        self.con = con
        self.policy = NETWORK
        self.now = T

    def commit(self, **work: Any) -> Done:
        self.now += 1
        free = dict.fromkeys(self.policy.encodings, 10)
        nothing = Work(self.now, (), (), (), (), (), (), free, bulk=free)
        return exchange.commit(self.con, nothing._replace(**work), False, self.policy, Day())

    def register(self, carrier: str | None = "mtel", phone: Msisdn = PHONE) -> None:
        for number in self.NUMBERS:
            one = Subscription(
                phone, number, SubscriptionState.ACTIVE, carrier, Script.LATIN, Channel.CENTRE, T
            )
            with transaction(self.con):
                subscriptions.add(self.con, one, notify=True, author=self.CLERK)

    def send(self, text: str = "x", kind: MessageKind = MessageKind.MANUAL) -> list[Segment]:
        with transaction(self.con):
            mt = Mt("mtel", kind, PHONE, text, self.now)
            enqueue(self.con, [mt], self.policy.encodings, self.now)
        return list(self.commit().claimed)

    def settled(
        self, *segments: Segment, acceptance: Acceptance = Acceptance.PERMANENT, **given: Any
    ) -> Done:
        """Refused as no number of the carrier's, unless something else is said."""
        more: dict[str, Any] = {
            "error": self.WORD,
            "not_ours": acceptance is Acceptance.PERMANENT,
            **given,
        }
        outcomes = [Outcome(one, acceptance, self.now, **more) for one in segments]
        return self.commit(settlements=[settle(outcome) for outcome in outcomes])

    def accepted(self, *segments: Segment) -> None:
        for one in segments:
            self.settled(one, acceptance=Acceptance.ACCEPTED, error="", message_id=_id(one))

    def receipt(
        self, one: Segment, state: ReceiptState = ReceiptState.DELIVERED, *, not_ours: bool = False
    ) -> Receipt:
        error = "001" if not_ours else "000"
        return Receipt(one.carrier, self.now, _id(one), state, error, PHONE, "", not_ours)

    def delivered(self, *segments: Segment) -> Done:
        self.accepted(*segments)
        return self.commit(receipts=[self.receipt(one) for one in segments])

    def disowned(self, *segments: Segment) -> Done:
        """Accepted, and given up by a receipt for it is no number of the carrier's."""
        self.accepted(*segments)
        state = ReceiptState.UNDELIVERABLE
        return self.commit(receipts=[self.receipt(one, state, not_ours=True) for one in segments])

    def carriers(self, phone: Msisdn = PHONE) -> list[tuple[str | None, bool]]:
        """Of the phone's subscriptions: the carrier, and whether it is in doubt."""
        theirs = subscriptions.of_phone(self.con, phone)
        return [(one.carrier, one.suspect_at is not None) for one in theirs]

    def audit(self, number: str = NUMBERS[0]) -> list[tuple[str, str, str]]:
        return [
            (one.change, one.value, one.origin.who)
            for one in audit.of_number(self.con, number)
            if one.change is not audit.Change.ACTIVATED
        ]

    def messages(self) -> list[tuple[object, ...]]:
        return self.con.execute("SELECT carrier, found_from FROM mt ORDER BY id").fetchall()

    def searches(self) -> int:
        return int(self.con.execute("SELECT count(*) FROM search").fetchone()[0])


def _id(one: Segment) -> str:
    return f"{one.key.mt}-{one.key.part}"


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """Carriers: mtel, telenor and vivacom, all of which are tried for a phone. 08:00 UTC."""
    with closing(open_gateway(tmp_path)) as con:
        yield Network(con)
        assert audit.broken(con, KEYED) is None

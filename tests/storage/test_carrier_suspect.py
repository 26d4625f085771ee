"""A carrier says that a phone is not its own: marks, and the search for the carrier that it has."""

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
    Mo,
    Msisdn,
    Mt,
    MtState,
    Outcome,
    Receipt,
    ReceiptState,
    Script,
    Segment,
)
from smsgw.service.ports import Done, Work
from smsgw.service.replies import Company, Replies
from smsgw.service.retry import VALIDITY, settle
from smsgw.service.today import Day
from smsgw.storage import audit, exchange, subscriptions
from smsgw.storage.audit import Author, Origin
from smsgw.storage.database import open_gateway, transaction
from smsgw.storage.messages import enqueue
from smsgw.storage.policy import Policy
from smsgw.storage.tidy import tidy

T = 1_800_000_000.0  # 08:00 UTC
PHONE, OTHER = Msisdn("359888123456"), Msisdn("359888123457")
NUMBER, SECOND = "300012345678", "300012345686"
KEYED = Keyed(b"k" * 32)
CLERK = Author(KEYED, Origin(Channel.CENTRE, "ana"), T)
WORD = "0x0000000b ESME_RINVDSTADR"
POLICY = Policy(
    Rules(
        Replies({}, Company(None, None, None, None)), 0, 0, True, 0.0, 4, UTC,
        hours=Hours(time(9), time(20)),
    ),
    {"mtel": Encoding(), "telenor": Encoding("latin1", "sar"), "vivacom": Encoding()},
    KEYED,
    find_carrier=True,
)  # fmt: skip


class Network:
    """The daemon's transactions; every carrier has free places."""

    def __init__(self, con: sqlite3.Connection) -> None:
        self.con = con
        self.policy = POLICY
        self.now = T

    def commit(self, **work: Any) -> Done:
        self.now += 1
        free = dict.fromkeys(self.policy.encodings, 10)
        nothing = Work(self.now, (), (), (), (), (), (), free)
        return exchange.commit(self.con, nothing._replace(**work), False, self.policy, Day())

    def register(self, carrier: str | None = "mtel", phone: Msisdn = PHONE) -> None:
        for number in (NUMBER, SECOND):
            one = Subscription(
                phone, number, SubscriptionState.ACTIVE, carrier, Script.LATIN, Channel.CENTRE, T
            )
            with transaction(self.con):
                subscriptions.add(self.con, one, notify=True, author=CLERK)

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
            "error": WORD,
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

    def audit(self, number: str = NUMBER) -> list[tuple[str, str, str]]:
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
    with closing(open_gateway(tmp_path)) as con:
        yield Network(con)
        assert audit.broken(con, KEYED) is None


SUSPECT = ("suspect", f"mtel: {WORD}", "daemon")


# -- marks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("find", [False, True])
def test_a_refusal_marks_the_phones_subscriptions_with_that_carrier(
    network: Network, find: bool
) -> None:
    network.policy = POLICY._replace(find_carrier=find)
    network.register()
    network.register(phone=OTHER)
    network.settled(*network.send())
    assert network.carriers() == [("mtel", True), ("mtel", True)]
    assert network.carriers(OTHER) == [("mtel", False), ("mtel", False)]
    assert [network.audit(number) for number in (NUMBER, SECOND)] == [[SUSPECT], [SUSPECT]]
    assert network.searches() == find
    assert subscriptions.suspects(network.con) == 2


def test_a_receipts_error_marks_them(network: Network) -> None:
    network.register()
    network.disowned(*network.send())
    assert network.carriers() == [("mtel", True), ("mtel", True)]
    assert network.audit() == [("suspect", "mtel: 001", "daemon")]


@pytest.mark.parametrize(
    ("acceptance", "not_ours"),
    [
        pytest.param(Acceptance.PERMANENT, False, id="refused for something else"),
        pytest.param(Acceptance.TEMPORARY, True, id="to be tried again"),
    ],
)
def test_other_refusals_mark_nothing(
    network: Network, acceptance: Acceptance, not_ours: bool
) -> None:
    network.register()
    network.settled(*network.send(), acceptance=acceptance, not_ours=not_ours)
    assert network.carriers() == [("mtel", False), ("mtel", False)]
    assert len(network.messages()) == 1


def test_a_receipt_that_says_delivered_marks_nothing(network: Network) -> None:
    network.register()
    (one,) = network.send()
    network.accepted(one)
    network.commit(receipts=[network.receipt(one, not_ours=True)])
    assert network.carriers() == [("mtel", False), ("mtel", False)]


@pytest.mark.parametrize("carrier", ["telenor", None])
def test_subscriptions_elsewhere_are_not_marked(network: Network, carrier: str | None) -> None:
    network.register(carrier)
    network.settled(*network.send())
    assert network.carriers() == [(carrier, False), (carrier, False)]


def test_marked_once(network: Network) -> None:
    network.policy = POLICY._replace(find_carrier=False)
    network.register()
    network.settled(*network.send("ж" * 100))
    since = subscriptions.of_phone(network.con, PHONE)[0].suspect_at
    network.settled(*network.send())
    assert subscriptions.of_phone(network.con, PHONE)[0].suspect_at == since
    assert network.audit() == [SUSPECT]


def test_by_a_receipt_that_came_before_its_response(network: Network) -> None:
    network.register()
    (one,) = network.send()
    network.commit(receipts=[network.receipt(one, ReceiptState.REJECTED, not_ours=True)])
    assert network.carriers() == [("mtel", False), ("mtel", False)]
    network.accepted(one)
    assert network.carriers() == [("mtel", True), ("mtel", True)]


def test_by_the_reply_to_a_question(network: Network) -> None:
    network.register()
    (one,) = network.send()
    network.accepted(one)
    network.commit(learned=[network.receipt(one, ReceiptState.REJECTED, not_ours=True)])
    assert network.carriers() == [("mtel", True), ("mtel", True)]


def test_by_a_receipt_parked_for_a_submit_that_a_crash_left_claimed(network: Network) -> None:
    network.register()
    (one,) = network.send()
    network.commit(receipts=[network.receipt(one, ReceiptState.REJECTED, not_ours=True)])
    assert exchange.recover(network.con, network.now, network.policy) == {MtState.UNDELIVERED: 1}
    assert network.carriers() == [("mtel", True), ("mtel", True)]
    assert network.messages() == [("mtel", None), ("telenor", 1)]


def test_by_a_late_response(network: Network) -> None:
    network.register()
    (one,) = network.send()
    network.settled(one, acceptance=Acceptance.LOST, error="")
    network.settled(one, late=True)
    assert network.carriers() == [("mtel", True), ("mtel", True)]


def mo(carrier: str) -> Mo:
    return Mo(carrier, 1, T, PHONE, "170077", 0, 0, b"help", "help")


@pytest.mark.parametrize(
    ("carrier", "said"),
    [
        ("mtel", [("cleared", "", "customer")]),
        ("telenor", [("moved", "telenor", "customer"), ("cleared", "", "customer")]),
    ],
)
def test_a_message_of_the_phones_clears_the_mark(
    network: Network, carrier: str, said: list[tuple[str, str, str]]
) -> None:
    network.register()
    network.settled(*network.send())
    network.commit(mos=[mo(carrier)])
    assert network.carriers() == [(carrier, False), (carrier, False)]
    assert network.audit() == [SUSPECT, *said]
    network.commit(mos=[mo(carrier)])
    assert network.audit() == [SUSPECT, *said]
    assert subscriptions.suspects(network.con) == 0


@pytest.mark.parametrize(
    ("carrier", "moved", "said"),
    [
        ("mtel", 0, [("cleared", "", "ana")]),
        ("vivacom", 2, [("moved", "vivacom", "ana"), ("cleared", "", "ana")]),
    ],
)
def test_a_clerk_clears_the_mark(
    network: Network, carrier: str, moved: int, said: list[tuple[str, str, str]]
) -> None:
    network.register()
    network.settled(*network.send())
    with transaction(network.con):
        assert subscriptions.move(network.con, PHONE, carrier, CLERK) == moved
    assert network.carriers() == [(carrier, False), (carrier, False)]
    assert network.audit() == [SUSPECT, *said]


@pytest.mark.parametrize(
    ("carrier", "after", "said"),
    [
        pytest.param(None, ("mtel", True), [], id="none named"),
        pytest.param("mtel", ("mtel", True), [], id="a file that is as it was"),
        pytest.param(
            "telenor",
            ("telenor", False),
            [("moved", "telenor", "ana"), ("cleared", "", "ana")],
            id="another",
        ),
    ],
)
def test_a_correction_clears_the_mark_if_it_names_another_carrier(
    network: Network,
    carrier: str | None,
    after: tuple[str, bool],
    said: list[tuple[str, str, str]],
) -> None:
    network.register()
    network.settled(*network.send())
    with transaction(network.con):
        subscriptions.correct(network.con, PHONE, NUMBER, carrier, Script.LATIN, CLERK)
    assert network.carriers() == [after, ("mtel", True)]
    assert network.audit() == [SUSPECT, *said]


def test_only_those_in_doubt_are_listed(network: Network) -> None:
    network.register()
    network.register(phone=OTHER)
    network.settled(*network.send())
    with transaction(network.con):
        subscriptions.end(network.con, PHONE, SECOND, CLERK)
    listed = [one.subscription for one in subscriptions.records(network.con, suspect=True)]
    assert [(one.msisdn, one.customer_number) for one in listed] == [(PHONE, NUMBER)]
    assert listed[0].suspect_at == T + 2
    assert subscriptions.suspects(network.con) == 1


# -- the search ------------------------------------------------------------------------------


def test_the_carrier_that_delivers_becomes_the_phones(network: Network) -> None:
    network.register()
    done = network.settled(*network.send())
    assert [one.carrier for one in done.claimed] == ["telenor"]
    assert dict(done.tally.created) == {("telenor", MessageKind.MANUAL): 1}
    done = network.settled(*done.claimed, error="0x00000045 ESME_RSUBMITFAIL", not_ours=False)
    assert [one.carrier for one in done.claimed] == ["vivacom"]
    done = network.delivered(*done.claimed)
    assert network.carriers() == [("vivacom", False), ("vivacom", False)]
    assert network.audit() == [
        SUSPECT,
        ("moved", "vivacom", "daemon"),
        ("cleared", "", "daemon"),
    ]
    assert network.messages() == [("mtel", None), ("telenor", 1), ("vivacom", 2)]
    assert network.searches() == 0


def test_no_carrier_is_tried_twice(network: Network) -> None:
    network.register()
    done = network.settled(*network.send())
    done = network.disowned(*done.claimed)
    done = network.settled(*done.claimed)
    assert not done.claimed
    assert not network.commit().claimed
    assert network.carriers() == [("mtel", True), ("mtel", True)]
    assert network.audit() == [SUSPECT]
    assert [carrier for carrier, _ in network.messages()] == ["mtel", "telenor", "vivacom"]
    assert network.searches() == 0


def test_a_message_is_made_again_as_the_other_carrier_wants_it(network: Network) -> None:
    text = "дълъг текст " * 12
    sent = network.send(text)
    done = network.settled(*sent)
    assert [one.layout for one in done.claimed] == ["sar"] * 3
    ((again, created_at),) = network.con.execute(
        "SELECT text, created_at FROM mt WHERE carrier = 'telenor'"
    ).fetchall()
    assert (again, created_at) == (text, sent[0].created_at)


def test_an_answer_stays_the_answer_to_its_message(network: Network) -> None:
    done = network.commit(mos=[mo("mtel")])
    done = network.settled(*done.claimed)
    assert [(one.carrier, one.kind) for one in done.claimed] == [("telenor", MessageKind.ANSWER)]
    answers = network.con.execute("SELECT DISTINCT mo_id FROM mt").fetchall()
    assert answers == [(done.first_mo - 1,)]


def test_it_waits_until_every_part_is_settled(network: Network) -> None:
    first, second = network.send("x" * 300)
    network.accepted(second)
    assert not network.settled(first).claimed
    receipt = network.receipt(second, ReceiptState.UNDELIVERABLE)
    done = network.commit(receipts=[receipt])  # for whatever reason
    assert [one.carrier for one in done.claimed] == ["telenor", "telenor"]


def test_what_was_delivered_in_part_is_not_made_again(network: Network) -> None:
    network.register()
    first, second = network.send("x" * 300)
    network.accepted(second)
    network.settled(first)
    network.commit(receipts=[network.receipt(second)])
    assert not network.commit().claimed
    assert network.messages() == [("mtel", None)]
    assert network.carriers() == [("mtel", True), ("mtel", True)]
    assert network.searches() == 0


def test_the_search_goes_on_after_a_restart(network: Network) -> None:
    network.register()
    done = network.settled(*network.send(kind=MessageKind.ANSWER))
    (one,) = done.claimed
    assert one.carrier == "telenor"
    assert exchange.recover(network.con, network.now, network.policy) == {MtState.QUEUED: 1}
    (again,) = network.commit().claimed
    assert (again.key, again.carrier) == (one.key, "telenor")
    (third,) = network.settled(again).claimed
    assert third.carrier == "vivacom"
    network.delivered(third)
    assert network.carriers() == [("vivacom", False), ("vivacom", False)]


def test_only_within_its_validity(network: Network) -> None:
    (one,) = network.send(kind=MessageKind.CODE)
    network.now += VALIDITY[MessageKind.CODE] - 1
    network.settled(one)
    assert network.messages() == [("mtel", None)]
    assert network.searches() == 0


def test_only_over_carriers_that_are_enabled(network: Network) -> None:
    network.policy = POLICY._replace(encodings={"mtel": Encoding(), "vivacom": Encoding()})
    assert [one.carrier for one in network.settled(*network.send()).claimed] == ["vivacom"]


def test_without_the_key_nothing_is_tried(network: Network) -> None:
    network.policy = POLICY._replace(find_carrier=False)
    assert not network.settled(*network.send()).claimed
    assert network.messages() == [("mtel", None)]


@pytest.mark.parametrize(
    ("kind", "at", "waits"),
    [
        (MessageKind.ANSWER, 22.0, False),
        (MessageKind.MANUAL, 22.0, False),
        (MessageKind.CONFIRMATION, 22.0, True),
        (MessageKind.NOTICE, 22.0, True),
        (MessageKind.NOTICE, 10.0, False),
    ],
)
def test_what_nobody_waits_for_is_tried_inside_the_hours(
    network: Network, kind: MessageKind, at: float, waits: bool
) -> None:
    network.now = T + (at - 8) * 3600
    done = network.settled(*network.send(kind=kind))
    assert bool(done.claimed) is not waits
    if waits:
        network.now = T + 25 * 3600
        assert [one.carrier for one in network.commit().claimed] == ["telenor"]


def test_a_phone_that_wrote_in_the_meantime_stays_where_it_wrote(network: Network) -> None:
    network.register()
    done = network.settled(*network.send())
    network.commit(mos=[mo("vivacom")])
    network.delivered(*done.claimed)
    assert network.carriers() == [("vivacom", False), ("vivacom", False)]


def test_a_carrier_without_a_free_place_is_known_to_have_a_queue(network: Network) -> None:
    (one,) = network.send()
    work = Work(network.now, (), (), [settle(_refused(one, network.now))], (), (), (), {})
    assert exchange.commit(network.con, work, False, POLICY, Day()).backlog == {"telenor"}


def _refused(one: Segment, now: float) -> Outcome:
    return Outcome(one, Acceptance.PERMANENT, now, error=WORD, not_ours=True)


def test_a_carrier_that_is_asked_for_no_receipts_finds_nobody(network: Network) -> None:
    silent = {"mtel": Encoding(), "telenor": Encoding(receipts=False), "vivacom": Encoding()}
    network.policy = POLICY._replace(encodings=silent)
    network.register()
    done = network.settled(*network.send())
    network.accepted(*done.claimed)
    assert network.carriers() == [("mtel", True), ("mtel", True)]
    assert network.messages() == [("mtel", None), ("telenor", 1)]
    assert network.searches() == 0


def test_tidying_drops_searches_whose_message_has_ended(network: Network) -> None:
    network.settled(*network.send())
    assert network.searches() == 1
    tidy(network.con, network.now)
    assert network.searches() == 1
    network.con.execute("UPDATE segment SET state = 'expired' WHERE mt_id = 2")
    tidy(network.con, network.now)
    assert network.searches() == 0

"""The search for the carrier that a phone has, where one says that the phone is not its own."""

from typing import Any

import pytest

from smsgw.service.keyed import Keyed
from smsgw.service.message import (
    Acceptance,
    Encoding,
    MessageKind,
    Mo,
    Msisdn,
    MtState,
    Outcome,
    ReceiptState,
    Segment,
)
from smsgw.service.ports import Work
from smsgw.service.report import Books
from smsgw.service.retry import VALIDITY, settle
from smsgw.service.today import Day
from smsgw.storage import exchange, history, queue, timeline
from smsgw.storage.tidy import tidy

T = 1_800_000_000.0  # 08:00 UTC
PHONE = Msisdn("359888123456")
WORD = "0x0000000b ESME_RINVDSTADR"
SUSPECT = ("suspect", f"mtel: {WORD}", "daemon")


def mo(carrier: str) -> Mo:
    return Mo(carrier, 1, T, PHONE, "170077", 0, 0, b"help", "help")


def test_the_carrier_that_delivers_becomes_the_phones(network: Any) -> None:
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


def test_what_a_message_repeats_is_known_in_the_history_too(network: Any) -> None:
    network.register()
    network.delivered(*network.settled(*network.send()).claimed)
    before = queue.records(network.con, [1, 2])
    assert [one.repeat_of for one in before] == [None, 1]
    assert history.move_outgoing(network.con, 0, T + 7200.0, Books(Keyed(b"k"))).moved == 2
    assert [one.repeat_of for one in queue.records(network.con, [1, 2])] == [None, 1]
    told = [one.details for one in timeline.of(network.con, PHONE, None, None)]
    assert [one["repeat_of"] for one in told if "repeat_of" in one] == [None, 1]


def test_no_carrier_is_tried_twice(network: Any) -> None:
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


def test_a_message_is_made_again_as_the_other_carrier_wants_it(network: Any) -> None:
    text = "дълъг текст " * 12
    sent = network.send(text)
    done = network.settled(*sent)
    assert [one.layout for one in done.claimed] == ["sar"] * 3
    ((again, created_at),) = network.con.execute(
        "SELECT text, created_at FROM mt WHERE carrier = 'telenor'"
    ).fetchall()
    assert (again, created_at) == (text, sent[0].created_at)


def test_an_answer_stays_the_answer_to_its_message(network: Any) -> None:
    done = network.commit(mos=[mo("mtel")])
    done = network.settled(*done.claimed)
    assert [(one.carrier, one.kind) for one in done.claimed] == [("telenor", MessageKind.ANSWER)]
    answers = network.con.execute("SELECT DISTINCT mo_id FROM mt").fetchall()
    assert answers == [(done.first_mo - 1,)]


def test_it_waits_until_every_part_is_settled(network: Any) -> None:
    first, second = network.send("x" * 300)
    network.accepted(second)
    assert not network.settled(first).claimed
    receipt = network.receipt(second, ReceiptState.UNDELIVERABLE)
    done = network.commit(receipts=[receipt])  # for whatever reason
    assert [one.carrier for one in done.claimed] == ["telenor", "telenor"]


def test_what_was_delivered_in_part_is_not_made_again(network: Any) -> None:
    network.register()
    first, second = network.send("x" * 300)
    network.accepted(second)
    network.settled(first)
    network.commit(receipts=[network.receipt(second)])
    assert not network.commit().claimed
    assert network.messages() == [("mtel", None)]
    assert network.carriers() == [("mtel", True), ("mtel", True)]
    assert network.searches() == 0


def test_the_search_goes_on_after_a_restart(network: Any) -> None:
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


def test_only_within_its_validity(network: Any) -> None:
    (one,) = network.send(kind=MessageKind.CODE)
    network.now += VALIDITY[MessageKind.CODE] - 1
    network.settled(one)
    assert network.messages() == [("mtel", None)]
    assert network.searches() == 0


def test_only_over_carriers_that_are_enabled(network: Any) -> None:
    network.policy = network.policy._replace(encodings={"mtel": Encoding(), "vivacom": Encoding()})
    assert [one.carrier for one in network.settled(*network.send()).claimed] == ["vivacom"]


def repeat_waits(network: Any, why: Acceptance = Acceptance.NOT_SENT) -> None:
    """A message that mtel disowned waits for telenor, which has no place for it now."""
    (one,) = network.settled(*network.send()).claimed
    before, network.policy = network.policy, network.policy._replace(encodings={"mtel": Encoding()})
    network.settled(one, acceptance=why, error="")
    network.policy = before


def without(network: Any, *carriers: str) -> None:
    """Take up what is there without some carriers, as after a change of the configuration."""
    enabled = {one: how for one, how in network.policy.encodings.items() if one not in carriers}
    network.policy = network.policy._replace(encodings=enabled)
    exchange.recover(network.con, network.now, network.policy)


@pytest.mark.parametrize("waiting", [False, True])
def test_a_search_goes_round_a_carrier_that_is_enabled_no_more(network: Any, waiting: bool) -> None:
    network.register()
    repeat_waits(network, Acceptance.TEMPORARY if waiting else Acceptance.NOT_SENT)
    without(network, "telenor")
    assert network.messages() == [("mtel", None), ("telenor", 1), ("vivacom", 2)]
    without(network, "telenor")
    assert network.searches() == 1
    (again,) = network.commit().claimed
    assert again.carrier == "vivacom"
    network.delivered(again)
    assert network.carriers() == [("vivacom", False), ("vivacom", False)]
    assert queue.records(network.con, [2])[0].state is MtState.CANCELLED


def test_a_search_ends_where_no_carrier_is_left(network: Any) -> None:
    repeat_waits(network)
    without(network, "telenor", "vivacom")
    assert network.messages() == [("mtel", None), ("telenor", 1)]
    assert queue.records(network.con, [2])[0].state is MtState.CANCELLED
    assert network.searches() == 0


def test_a_part_that_waits_where_another_was_disowned_goes_round_too(network: Any) -> None:
    first, second = network.send("x" * 300)
    network.settled(first)
    network.settled(second, acceptance=Acceptance.TEMPORARY, error="")
    without(network, "mtel")
    assert network.messages() == [("mtel", None), ("telenor", 1)]


@pytest.mark.parametrize("acceptance", [Acceptance.LOST, Acceptance.ACCEPTED])
def test_what_may_have_been_delivered_stays_where_it_is(
    network: Any, acceptance: Acceptance
) -> None:
    (one,) = network.settled(*network.send()).claimed
    network.settled(one, acceptance=acceptance, error="", message_id="A")
    without(network, "telenor")
    assert network.messages() == [("mtel", None), ("telenor", 1)]
    assert network.searches() == 1


def test_without_the_key_nothing_is_tried(network: Any) -> None:
    network.policy = network.policy._replace(find_carrier=False)
    assert not network.settled(*network.send()).claimed
    assert network.messages() == [("mtel", None)]


@pytest.mark.parametrize(
    ("kind", "at", "waits"),
    [
        (MessageKind.ANSWER, 22.0, False),
        (MessageKind.MANUAL, 22.0, False),
        (MessageKind.CONFIRMATION, 22.0, True),
        (MessageKind.NOTICE, 22.0, False),  # it has hours of its own: here all day
    ],
)
def test_what_nobody_waits_for_is_tried_inside_the_hours(
    network: Any, kind: MessageKind, at: float, waits: bool
) -> None:
    network.now = T + (at - 8) * 3600
    done = network.settled(*network.send(kind=kind))
    assert bool(done.claimed) is not waits
    if waits:
        network.now = T + 25 * 3600
        assert [one.carrier for one in network.commit().claimed] == ["telenor"]


def test_a_phone_that_wrote_in_the_meantime_stays_where_it_wrote(network: Any) -> None:
    network.register()
    done = network.settled(*network.send())
    network.commit(mos=[mo("vivacom")])
    network.delivered(*done.claimed)
    assert network.carriers() == [("vivacom", False), ("vivacom", False)]


def test_a_carrier_without_a_free_place_is_known_to_have_a_queue(network: Any) -> None:
    (one,) = network.send()
    work = Work(network.now, (), (), [settle(_refused(one, network.now))], (), (), (), {})
    assert exchange.commit(network.con, work, False, network.policy, Day()).backlog == {"telenor"}


def _refused(one: Segment, now: float) -> Outcome:
    return Outcome(one, Acceptance.PERMANENT, now, error=WORD, not_ours=True)


def test_a_carrier_that_is_asked_for_no_receipts_finds_nobody(network: Any) -> None:
    silent = {"mtel": Encoding(), "telenor": Encoding(receipts=False), "vivacom": Encoding()}
    network.policy = network.policy._replace(encodings=silent)
    network.register()
    done = network.settled(*network.send())
    network.accepted(*done.claimed)
    assert network.carriers() == [("mtel", True), ("mtel", True)]
    assert network.messages() == [("mtel", None), ("telenor", 1)]
    assert network.searches() == 0


def test_tidying_drops_searches_whose_message_has_ended(network: Any) -> None:
    network.settled(*network.send())
    assert network.searches() == 1
    tidy(network.con, network.now)
    assert network.searches() == 1
    network.con.execute("UPDATE segment SET state = 'expired' WHERE mt_id = 2")
    tidy(network.con, network.now)
    assert network.searches() == 0

"""How much one transaction takes."""

import pytest

from smsgw.service.duplicates import LATE, Recent
from smsgw.service.inbox import BATCH, CHARACTERS, Inbox
from smsgw.service.message import Mo, Msisdn, Receipt, ReceiptState


def mo(text: str, carrier: str = "mtel") -> Mo:
    octets = text.encode("ascii")
    return Mo(carrier, 1, 0.0, Msisdn("359888123456"), "170077", 0, 0, octets, text)


RECEIPT = Receipt("mtel", 0.0, "1", ReceiptState.DELIVERED, "000", None)


@pytest.mark.parametrize(
    ("item", "taken"),
    [
        (mo("smetka"), BATCH // 10),
        (RECEIPT, BATCH // 10),
        (mo("a" * CHARACTERS), BATCH // 20),
        (mo("a" * (CHARACTERS * BATCH)), 1),
    ],
    ids=["short", "receipts", "long", "the longest"],
)
def test_a_batch_is_bounded_by_what_it_costs(item: Mo | Receipt, taken: int) -> None:
    """In reads of ten messages each."""
    inbox = Inbox(Recent(600.0, {}, 100_000))
    for _ in range(BATCH):
        inbox.add([(number, item) for number in range(10)], lambda verdicts: None)
    batch = inbox.take()
    assert len(batch.deliveries) == taken
    assert len(inbox) == (BATCH - taken) * 10


def test_carriers_take_turns_and_each_keeps_its_order() -> None:
    inbox = Inbox(Recent(600.0, {}, 100_000))
    for number in range(BATCH):
        inbox.add([(number, mo(f"flood {number}"))], lambda verdicts: None)
    for number in range(3):
        inbox.add([(number, mo(f"calm {number}", "vivacom"))], lambda verdicts: None)
    texts = [each.text for each in inbox.take().mos]
    assert texts[:6] == ["flood 0", "calm 0", "flood 1", "calm 1", "flood 2", "calm 2"]
    assert texts[6:] == [f"flood {number}" for number in range(3, BATCH - 3)]
    assert [each.text for each in inbox.take().mos] == [
        f"flood {number}" for number in range(BATCH - 3, BATCH)
    ]
    assert not inbox


def test_the_turns_go_on_in_the_next_batch() -> None:
    inbox = Inbox(Recent(600.0, {}, 100_000))
    dear = "a" * CHARACTERS * BATCH
    for carrier in ("mtel", "telenor", "vivacom"):
        for _ in range(2):
            inbox.add([(1, mo(dear, carrier))], lambda verdicts: None)
    turns = [inbox.take().mos[0].carrier for _ in range(6)]
    assert turns == ["mtel", "telenor", "vivacom"] * 2


def test_what_is_sent_again_while_the_store_stalls_is_one_message() -> None:
    """An SMSC that waits in vain sends again; all of it may be in one transaction."""
    inbox = Inbox(Recent(600.0, {"mtel": 60.0}, 100_000))
    for at in (0.0, LATE, 2 * LATE + 1, 3 * LATE + 2):
        inbox.add([(1, mo("smetka")._replace(received_at=at))], lambda verdicts: None)
    batch = inbox.take()

    assert [each.received_at for each in batch.mos] == [0.0, LATE]  # the first was not late yet
    assert [each.place for each in batch.redeliveries] == [0, 0]

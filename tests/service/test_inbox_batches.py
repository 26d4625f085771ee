"""How much one transaction takes."""

import pytest

from smsgw.service.duplicates import Recent
from smsgw.service.inbox import BATCH, CHARACTERS, Inbox
from smsgw.service.message import Mo, Msisdn, Receipt, ReceiptState


def mo(text: str) -> Mo:
    octets = text.encode("ascii")
    return Mo("mtel", 1, 0.0, Msisdn("359888123456"), "170077", 0, 0, octets, text)


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

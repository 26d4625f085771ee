"""Status by status: what to do after each answer, as the reference has it."""

import pytest

from smsgw.smpp.names import Status, status_name
from smsgw.smpp.status import (
    SUBMIT,
    BindReaction,
    Reaction,
    bind_reaction,
    submit_reaction,
)

SUBMITS = {
    Reaction.ACCEPTED: [0x00],
    Reaction.TEMPORARY: [0x08, 0x64],
    Reaction.QUEUE_FULL: [0x14],
    Reaction.FEW_TRIES: [0x45, 0xFE, 0xFF],
    Reaction.THROTTLED: [0x58],
    Reaction.LINK: [0x04, 0x05, 0x0D, 0x0E, 0x0F, 0x53],
    Reaction.PERMANENT: [
        *[0x01, 0x02, 0x03],
        *[0x06, 0x07],
        *[0x0A, 0x0B],
        *[0x0C, 0x11, 0x13, 0x67],
        *[0x15, 0x48, 0x49, 0x50, 0x51],
        *[0x33, 0x34, 0x40, 0x42, 0x43, 0x44, 0x54, 0x55, 0x63],
        *[0x61, 0x62],
        *[0x65, 0x66],
        *range(0x100, 0x113),
    ],
    Reaction.TLVS: [0xC0, 0xC1, 0xC2, 0xC3, 0xC4],
}
OTHERS = {
    0x09: "reserved",
    0x68: "reserved",
    0x113: "reserved",
    0x400: "first of the vendors'",
    0x4FF: "last of the vendors'",
    0xFFFFFFFF: "the highest",
}


@pytest.mark.parametrize(
    ("status", "reaction"),
    [(status, reaction) for reaction, statuses in SUBMITS.items() for status in statuses],
    ids=lambda value: status_name(value) if isinstance(value, int) else value.name,
)
def test_after_a_submit(status: int, reaction: Reaction) -> None:
    assert submit_reaction(status) is reaction


def test_every_named_status_has_its_row() -> None:
    assert set(SUBMIT) == set(Status)
    assert sum(map(len, SUBMITS.values())) == len(Status)


@pytest.mark.parametrize("status", OTHERS, ids=OTHERS.get)
def test_other_statuses_are_worth_a_few_tries(status: int) -> None:
    assert submit_reaction(status) is Reaction.FEW_TRIES


@pytest.mark.parametrize(
    ("status", "reaction"),
    [
        (0x0E, BindReaction.CREDENTIALS),
        (0x0F, BindReaction.CREDENTIALS),
        (0x53, BindReaction.CREDENTIALS),
        (0x05, BindReaction.ALREADY_BOUND),
        (0x0D, BindReaction.BACK_OFF),
        (0x08, BindReaction.BACK_OFF),
        (0x14, BindReaction.BACK_OFF),
        (0x58, BindReaction.BACK_OFF),
        (0x64, BindReaction.BACK_OFF),
        (0x03, BindReaction.VERSION),
        (0x04, BindReaction.BACK_OFF),
        (0x400, BindReaction.BACK_OFF),
    ],
    ids=lambda value: status_name(value) if isinstance(value, int) else value.name,
)
def test_after_a_bind(status: int, reaction: BindReaction) -> None:
    assert bind_reaction(status) is reaction

"""What refusals of submits become: by the table, by the carrier's own, and with or without TLVs."""

from typing import Any

import pytest

from smsgw.carrier.ends import ENDS
from smsgw.carrier.translate import Translator
from smsgw.service.message import Acceptance, Layout, MessageKind, Msisdn, Segment, SegmentKey
from smsgw.settings.carrier import CarrierSettings
from smsgw.smpp.codec import Pdu
from smsgw.smpp.session import Role
from smsgw.smpp.tables import Command

AT = 1_800_000_000.0
VENDORS = {"tlvs": {"0x1401": "01"}}
SEGMENT = Segment(
    SegmentKey(7, 1),
    "mtel",
    MessageKind.ANSWER,
    Msisdn("359888123456"),
    b"x",
    0,
    Layout.PLAIN,
    attempts=2,
    created_at=AT,
)


def translator(**keys: Any) -> Translator:
    login = {"id": "mtel", "host": "h", "port": 1, "system_id": "cez", "password": "secret"}
    return Translator(CarrierSettings.model_validate({**login, **keys}), "170077")


def acceptance(status: int, segment: Segment = SEGMENT, **keys: Any) -> Acceptance:
    both = {
        end.outcome(translator(**keys), segment, Pdu(command, status, 1), AT).acceptance
        for end, command in (
            (ENDS[Role.ESME], Command.SUBMIT_SM_RESP),
            (ENDS[Role.ESME], Command.GENERIC_NACK),
            (ENDS[Role.SMSC], Command.DELIVER_SM_RESP),
            (ENDS[Role.SMSC], Command.GENERIC_NACK),
        )
    }
    (one,) = both
    return one


@pytest.mark.parametrize(
    ("meaning", "expected"),
    [
        ("temporary", Acceptance.TEMPORARY),
        ("queue_full", Acceptance.QUEUE_FULL),
        ("few_tries", Acceptance.FEW_TRIES),
        ("throttled", Acceptance.THROTTLED),
        ("link", Acceptance.LINK),
        ("permanent", Acceptance.PERMANENT),
        ("tlvs", Acceptance.TLVS),
    ],
)
def test_a_status_means_what_the_settings_say(meaning: str, expected: Acceptance) -> None:
    statuses = {"RSUBMITFAIL": meaning, "0x0405": meaning}
    for status in (0x45, 0x405):
        assert acceptance(status, statuses=statuses, **VENDORS) is expected
    assert acceptance(0x406, statuses=statuses) is Acceptance.FEW_TRIES
    assert acceptance(0x0B, statuses=statuses) is Acceptance.PERMANENT


@pytest.mark.parametrize("status", [0xC0, 0xC1, 0xC2, 0xC3, 0xC4], ids=hex)
@pytest.mark.parametrize(
    ("segment", "keys", "expected"),
    [
        (SEGMENT, VENDORS, Acceptance.TLVS),
        (SEGMENT, {"kinds": {"answer": VENDORS}}, Acceptance.TLVS),
        (SEGMENT, {"kinds": {"notice": VENDORS}}, Acceptance.PERMANENT),
        (SEGMENT, {}, Acceptance.PERMANENT),
        (SEGMENT._replace(bare=True), VENDORS, Acceptance.PERMANENT),
    ],
    ids=["carrier's TLVs", "kind's TLVs", "another kind's", "none", "without them already"],
)
def test_a_tlv_is_at_fault_only_where_one_could_be_left_out(
    status: int, segment: Segment, keys: dict[str, Any], expected: Acceptance
) -> None:
    assert acceptance(status, segment, **keys) is expected


@pytest.mark.parametrize(
    ("role", "receipts", "name"),
    [
        (Role.ESME, True, ""),
        (Role.ESME, False, ""),
        (Role.SMSC, True, "7-1-2"),
        (Role.SMSC, False, ""),
    ],
    ids=["submit", "submit without receipts", "deliver", "deliver without receipts"],
)
def test_what_a_segment_is_called_when_its_response_is_lost(
    role: Role, receipts: bool, name: str
) -> None:
    assert ENDS[role].named(translator(receipts=receipts), SEGMENT) == name

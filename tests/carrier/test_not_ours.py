"""By what a carrier says that a number is not its own: statuses and errors of receipts."""

from typing import Any

import pytest

from smsgw.carrier.ends import ENDS
from smsgw.carrier.translate import Translator
from smsgw.service.message import (
    Inquiry,
    Layout,
    MessageKind,
    Msisdn,
    Outcome,
    Receipt,
    Segment,
    SegmentKey,
)
from smsgw.settings.carrier import CarrierSettings
from smsgw.smpp.codec import Pdu
from smsgw.smpp.session import Role
from smsgw.smpp.tables import Command, Status, Tlv

AT = 1_800_000_000.0
KEY, PHONE = SegmentKey(7, 1), Msisdn("359888123456")
SEGMENT = Segment(KEY, "mtel", MessageKind.ANSWER, PHONE, b"x", 0, Layout.PLAIN, 0, AT)


def translator(**not_ours: Any) -> Translator:
    login = {"id": "mtel", "host": "h", "port": 1, "system_id": "cez", "password": "secret"}
    return Translator(CarrierSettings.model_validate({**login, "not_ours": not_ours}), "170077")


def outcomes(status: int, **not_ours: Any) -> list[Outcome]:
    """What a refusal means in every form that it can have."""
    return [
        end.outcome(translator(**not_ours), SEGMENT, Pdu(command, status, 1), AT)
        for end, command in (
            (ENDS[Role.ESME], Command.SUBMIT_SM_RESP),
            (ENDS[Role.ESME], Command.GENERIC_NACK),
            (ENDS[Role.SMSC], Command.DELIVER_SM_RESP),
            (ENDS[Role.SMSC], Command.GENERIC_NACK),
        )
    ]


@pytest.mark.parametrize(
    ("status", "not_ours", "expected"),
    [
        (Status.RINVDSTADR, {}, True),
        (Status.RSUBMITFAIL, {}, False),
        (Status.RINVDSTADR, {"statuses": []}, False),
        (0x0401, {"statuses": ["0x401", "RSUBMITFAIL"]}, True),
        (Status.RSUBMITFAIL, {"statuses": ["0x401", "RSUBMITFAIL"]}, True),
    ],
)
def test_refusals(status: int, not_ours: dict[str, Any], expected: bool) -> None:
    assert {one.not_ours for one in outcomes(status, **not_ours)} == {expected}


@pytest.mark.parametrize("command", [Command.SUBMIT_SM_RESP, Command.DELIVER_SM_RESP])
def test_an_acceptance_says_nothing_of_it(command: int) -> None:
    role = Role.ESME if command == Command.SUBMIT_SM_RESP else Role.SMSC
    response = Pdu(command, 0, 1, {"message_id": "A"})
    assert not ENDS[role].outcome(translator(), SEGMENT, response, AT).not_ours


@pytest.mark.parametrize(
    ("errors", "text", "tlv", "expected"),
    [
        pytest.param(["001"], b"err:001", b"", True, id="as written"),
        pytest.param(["001"], b"err:1", b"", True, id="fewer zeros"),
        pytest.param(["1"], b"err:0001", b"", True, id="more zeros"),
        pytest.param(["001"], b"err:010", b"", False, id="another"),
        pytest.param(["001"], b"err:000", b"", False, id="none"),
        pytest.param(["001"], b"", b"", False, id="missing"),
        pytest.param([], b"err:001", b"", False, id="no table"),
        pytest.param(["0b", "EC:27"], b"err:0B", b"", True, id="hex, in capitals"),
        pytest.param(["0b", "EC:27"], b"err:ec:27", b"", True, id="letters"),
        pytest.param(["001"], b"", b"\x03\x00\x01", True, id="network_error_code"),
        pytest.param(["001"], b"", b"\x03\x01\x00", False, id="another network_error_code"),
    ],
)
def test_receipts(errors: list[str], text: bytes, tlv: bytes, expected: bool) -> None:
    pdu = Pdu(
        Command.DELIVER_SM,
        0,
        1,
        {
            "esm_class": 4,
            "source_addr": "359888123456",
            "source_addr_ton": 1,
            "short_message": b"id:1 stat:UNDELIV " + text,
        },
        ((int(Tlv.NETWORK_ERROR_CODE), tlv),) if tlv else (),
    )
    read = translator(errors=errors).incoming(pdu, 1, AT)
    assert isinstance(read, Receipt)
    assert read.not_ours is expected


@pytest.mark.parametrize(("error", "expected"), [(1, True), (2, False), (0, False)])
def test_replies_to_questions(error: int, expected: bool) -> None:
    inquiry = Inquiry(KEY, "mtel", MessageKind.ANSWER, PHONE, "A", "A")
    fields: dict[str, int | str] = {
        "message_id": "A",
        "message_state": 5,
        "error_code": error,
        "final_date": "",
    }
    reply = translator().reply(inquiry, Pdu(Command.QUERY_SM_RESP, 0, 1, fields), AT)
    assert reply.receipt is not None
    assert reply.receipt.not_ours is expected


def test_a_reply_that_says_nothing() -> None:
    inquiry = Inquiry(KEY, "mtel", MessageKind.ANSWER, PHONE, "A", "A")
    assert translator().reply(inquiry, Pdu(Command.QUERY_SM_RESP, 8, 1), AT).receipt is None

"""Long messages as they go out, read as a handset and its SMSC read them."""

import math
from datetime import UTC, datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsgw.carrier.ends import ENDS
from smsgw.carrier.translate import Translator
from smsgw.service.layout import lay_out
from smsgw.service.message import (
    Acceptance,
    Encoding,
    Layout,
    LongMessages,
    MessageKind,
    Msisdn,
    Segment,
    SegmentKey,
)
from smsgw.settings.carrier import CarrierSettings
from smsgw.simulator.wire import Reassembly, submitted
from smsgw.smpp.codec import EncodeError, Pdu, decode, encode
from smsgw.smpp.session import Role
from smsgw.smpp.tables import Command, Status, Tlv
from smsgw.text.alphabets import DefaultAlphabet

AT = datetime(2026, 12, 24, 12, tzinfo=UTC).timestamp()
SOFIA = ZoneInfo("Europe/Sofia")


def translator(**keys: Any) -> Translator:
    settings = CarrierSettings.model_validate(
        {
            "id": "mtel",
            "host": "127.0.0.1",
            "port": 2775,
            "system_id": "cez",
            "password": "secret",
            **keys,
        }
    )
    return Translator(settings, "170077", SOFIA)


def segments(
    text: str, form: LongMessages = "udh", alphabet: DefaultAlphabet = "gsm7", **changes: Any
) -> list[Segment]:
    out = lay_out(text, Encoding(alphabet, form), lambda: 0x1234)
    return [
        Segment(
            key=SegmentKey(1, part),
            carrier="mtel",
            kind=MessageKind.ANSWER,
            destination=Msisdn("359888123456"),
            octets=octets,
            data_coding=out.data_coding,
            layout=out.layout,
            attempts=0,
            created_at=AT,
            reference=out.reference,
            total=len(out.segments),
        )._replace(**changes)
        for part, octets in enumerate(out.segments, 1)
    ]


def read(segment: Segment, role: Role = Role.ESME, **keys: Any) -> Pdu:
    """What the peer reads, be it an SMSC or one that binds to us."""
    end = ENDS[role]
    form = end.form(translator(**keys), segment, AT, True)
    return decode(encode(Pdu(end.command, 0, 1, form.fields, form.tlvs)))


SAR = (Tlv.SAR_MSG_REF_NUM, Tlv.SAR_TOTAL_SEGMENTS, Tlv.SAR_SEGMENT_SEQNUM)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    ("form", "esm_class", "octets", "sar", "payload"),
    [
        ("udh", 0x40, b"\x05\x00\x03\x34\x02\x02" + b"x" * 47, (), None),
        ("udh16", 0x40, b"\x06\x08\x04\x12\x34\x02\x02" + b"x" * 48, (), None),
        ("sar", 0, b"x" * 48, (b"\x12\x34", b"\x02", b"\x02"), None),
        ("payload", 0, b"", (), b"x" * 200),
    ],
)
def test_the_last_segment_of_a_long_text(
    role: Role,
    form: LongMessages,
    esm_class: int,
    octets: bytes,
    sar: tuple[bytes, ...],
    payload: bytes | None,
) -> None:
    pdu = read(segments("x" * 200, form)[-1], role)
    assert pdu.number("esm_class") == esm_class
    assert pdu.octets("short_message") == octets
    assert tuple(value for tag, value in pdu.tlvs if tag in SAR) == sar
    assert pdu.tlv(Tlv.MESSAGE_PAYLOAD) == payload


@pytest.mark.parametrize("form", ["udh", "udh16", "sar", "payload"])
def test_what_one_short_message_holds_is_the_same_in_every_layout(form: LongMessages) -> None:
    pdu = read(*segments("x" * 160, form))
    assert (pdu.number("esm_class"), pdu.octets("short_message")) == (0, b"x" * 160)
    assert pdu.tlvs == []


TEXTS = st.one_of(
    st.text(max_size=500),
    st.text("abc€[]@ \n", min_size=150, max_size=1000),
    st.text("abé@ж😀", min_size=60, max_size=400),
    st.text("жщ😀a€", min_size=60, max_size=400),
).filter(lambda text: not text.startswith(("\ufeff", "\ufffe")))  # marks of the order of octets


@given(
    TEXTS,
    st.sampled_from(["udh", "udh16", "sar", "payload"]),
    st.sampled_from(["gsm7", "latin1", "ascii"]),
    st.sampled_from(Role),
    st.randoms(use_true_random=False),
)
def test_the_handset_reads_the_text(
    text: str, form: LongMessages, alphabet: DefaultAlphabet, role: Role, random: Any
) -> None:
    parts = segments(text, form, alphabet)
    random.shuffle(parts)
    handset, numbers = Reassembly(alphabet), count()
    came = [
        handset.add(submitted(read(part, role), AT, 1, 0, str(next(numbers)))) for part in parts
    ]
    assert [mt.text for mt in came if mt] == [text]
    assert came[-1] is not None
    assert came[-1].parts == len(parts)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    ("form", "size", "goes"),
    [
        ("udh", 200, True),
        ("udh16", 200, True),
        ("sar", 200, False),
        ("payload", 200, False),
        ("sar", 160, True),
        ("payload", 160, True),
    ],
)
def test_a_peer_of_version_3_3_gets_nothing_that_it_would_read_wrongly(
    role: Role, form: LongMessages, size: int, goes: bool
) -> None:
    def form_it() -> None:
        ENDS[role].form(translator(), segments("x" * size, form)[0], AT, False)

    if goes:
        form_it()
    else:
        with pytest.raises(EncodeError, match="needs TLVs"):
            form_it()


# -- how long they are valid -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("validity", "until", "written"),
    [
        ("relative", AT + 600, "000000001000000R"),
        ("relative", AT + 24 * 3600, "000001000000000R"),
        ("relative", AT + 90.9, "000000000130000R"),
        ("relative", AT + 59, "000000000100000R"),
        ("relative", AT - 5, "000000000100000R"),
        ("absolute", AT + 600, "261224141000008+"),
        ("absolute", AT + 59, "261224140100008+"),
        ("none", AT + 600, ""),
        ("relative", math.inf, ""),
        ("absolute", math.inf, ""),
    ],
)
def test_validity(validity: str, until: float, written: str) -> None:
    (segment,) = segments("x", valid_until=until)
    assert read(segment, validity=validity).text("validity_period") == written


def test_a_deliver_sm_has_no_validity() -> None:
    (segment,) = segments("x", valid_until=AT + 600)
    assert read(segment, Role.SMSC).text("validity_period") == ""


# -- how they are marked ---------------------------------------------------------------------------

OWN_WAYS: dict[str, Any] = {
    "service_type": "PAID",
    "source": {"address": "170078"},
    "tlvs": {"0x1400": "00"},
    "kinds": {
        kind.name.lower(): {
            "service_type": f"T{kind.value}",
            "source": {"address": f"17007{kind.value}", "ton": 3, "npi": 1},
            "tlvs": {"0x1401": f"0{kind.value}"},
        }
        for kind in MessageKind
    },
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", MessageKind, ids=lambda kind: kind.name)
def test_every_kind_can_be_marked(kind: MessageKind, role: Role) -> None:
    pdu = read(*segments("x", kind=kind), role, **OWN_WAYS)
    assert pdu.text("service_type") == f"T{kind.value}"
    assert pdu.text("source_addr") == f"17007{kind.value}"
    assert (pdu.number("source_addr_ton"), pdu.number("source_addr_npi")) == (3, 1)
    assert [tlv for tlv in pdu.tlvs if tlv[0] >= 0x1400] == [
        (0x1400, b"\0"),
        (0x1401, bytes([kind.value])),
    ]


@pytest.mark.parametrize("form", ["udh", "sar", "payload"])
def test_what_goes_bare_goes_without_the_vendor_s_tlvs_alone(form: LongMessages) -> None:
    (one, *_) = segments("x" * 200, form)
    dressed, bare = (read(one._replace(bare=each), Role.SMSC, **OWN_WAYS) for each in (False, True))
    assert bare.fields == dressed.fields
    assert bare.tlvs == [tlv for tlv in dressed.tlvs if tlv[0] < 0x1400]
    assert bare.tlv(Tlv.RECEIPTED_MESSAGE_ID) == b"1-1-0\0"


BY_KIND = {"kinds": {"notice": {"tlvs": {"0x1401": "01"}}}}
ANSWER, NOTICE = MessageKind.ANSWER, MessageKind.NOTICE


@pytest.mark.parametrize("status", [0xC0, 0xC1, 0xC2, 0xC3, 0xC4], ids=hex)
@pytest.mark.parametrize(
    ("kind", "form", "bare", "acceptance"),
    [
        (NOTICE, Layout.PLAIN, False, Acceptance.TLVS),
        (NOTICE, Layout.PLAIN, True, Acceptance.PERMANENT),
        (ANSWER, Layout.PLAIN, False, Acceptance.PERMANENT),
        (ANSWER, Layout.SAR, False, Acceptance.PERMANENT),
        (NOTICE, Layout.SAR, False, Acceptance.TLVS),
    ],
    ids=["had some", "without them already", "none", "only its place", "both"],
)
def test_a_refusal_for_the_tlvs(
    status: int, kind: MessageKind, form: Layout, bare: bool, acceptance: Acceptance
) -> None:
    (segment,) = segments("x", kind=kind, layout=form, bare=bare)
    speaks = translator(**BY_KIND)
    submit_sm_resp = Pdu(Command.SUBMIT_SM_RESP, status, 1)
    deliver_sm_resp = Pdu(Command.DELIVER_SM_RESP, status, 1)
    assert speaks.outcome(segment, submit_sm_resp, AT).acceptance is acceptance
    assert speaks.delivered(segment, deliver_sm_resp, AT).acceptance is acceptance


# -- over a link -----------------------------------------------------------------------------------


def test_the_vendor_s_tlvs_are_left_out_on_the_wire_and_that_is_said(play: Any, world: Any) -> None:
    async def scenario(bench: Any) -> None:
        await bench.bound()
        bench.smsc.submit_status = Status.ROPTPARNOTALLWD
        bench.link.submit([world.segment(number, bare=number > 2) for number in (1, 2, 3)])
        await bench.until(lambda: len(bench.diary.outcomes) == 3)
        assert [list(pdu.tlvs) for pdu in bench.smsc.peer.submits] == [
            [(0x1401, b"\1")],
            [(0x1401, b"\1")],
            [],
        ]
        assert bench.acceptances() == ["TLVS", "TLVS", "PERMANENT"]

    logs = play(scenario, tlvs={"0x1401": "01"})
    (said,) = [line for line in logs if line["event"] == "link.tlvs_refused"]
    assert said["log_level"] == "error"
    assert said["reason"] == "0x000000c1 ESME_ROPTPARNOTALLWD"


@pytest.mark.parametrize("version", [0x33, 0x34], ids=["3.3", "3.4"])
def test_a_part_by_tlvs_goes_to_whom_takes_them(play: Any, world: Any, version: int) -> None:
    takes = version == 0x34

    async def scenario(bench: Any) -> None:
        bench.smsc.version = version
        await bench.bound()
        parts = segments("x" * 200, "sar")
        bench.link.submit([*parts, world.segment(2)])
        await bench.until(lambda: len(bench.diary.outcomes) == 3)
        assert len(bench.smsc.peer.submits) == (3 if takes else 1)
        assert sorted(bench.acceptances()) == (
            ["ACCEPTED"] * 3 if takes else ["ACCEPTED", "PERMANENT", "PERMANENT"]
        )

    logs = play(scenario)
    assert len([line for line in logs if line["event"] == "link.segment_unfit"]) == (
        0 if takes else 2
    )

"""Between what people say and what SMPP says, as an SMSC sees it: deliver_sm out, submit_sm in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from smsgw.simulator.records import Mt, Submit
from smsgw.simulator.settings import LongMessages
from smsgw.smpp.codec import Pdu
from smsgw.smpp.names import MessageState, Tlv
from smsgw.text.alphabets import DefaultAlphabet, decode
from smsgw.text.segmentation import headed, pieces

Tlvs = tuple[tuple[int, bytes], ...]

UDHI: Final = 0x40
RECEIPT: Final = 0x04

# How a receipt's text says what its message_state says (SMPP 3.4, appendix B).
STATES: Final[Mapping[str, MessageState]] = {
    "ENROUTE": MessageState.ENROUTE,
    "DELIVRD": MessageState.DELIVERED,
    "EXPIRED": MessageState.EXPIRED,
    "DELETED": MessageState.DELETED,
    "UNDELIV": MessageState.UNDELIVERABLE,
    "ACCEPTD": MessageState.ACCEPTED,
    "UNKNOWN": MessageState.UNKNOWN,
    "REJECTD": MessageState.REJECTED,
}

# Parts that wait longer for the others are those of a message that will never be whole.
PATIENCE: Final = 300.0


class Wire(NamedTuple):
    """What of a deliver_sm differs from one to the next."""

    fields: dict[str, int | str | bytes]
    tlvs: Tlvs = ()


class Body(NamedTuple):
    """A message's octets and how to read them."""

    octets: bytes
    data_coding: int
    esm_class: int = 0
    tlvs: Tlvs = ()


def bodies(text: str, reference: int, alphabet: DefaultAlphabet, form: LongMessages) -> list[Body]:
    """`text` as one body, or as many as it takes in parts."""
    ref_bits = 16 if form is LongMessages.UDH16 else 8
    cut = pieces(text, ref_bits, alphabet)
    total = len(cut.parts)
    if total == 1 or form is LongMessages.PAYLOAD:
        return [Body(b"".join(cut.parts), cut.data_coding)]
    if form is LongMessages.SAR:  # as long as with a header: a handset put one there
        return [
            Body(part, cut.data_coding, tlvs=sar(reference, total, number))
            for number, part in enumerate(cut.parts, 1)
        ]
    parts = headed(cut, reference, ref_bits).parts
    return [Body(part, cut.data_coding, UDHI) for part in parts]


def sar(reference: int, total: int, number: int) -> Tlvs:
    """The TLVs of part `number` (SMPP 3.4, 5.3.2.22 to 24)."""
    return (
        (Tlv.SAR_MSG_REF_NUM, (reference & 0xFFFF).to_bytes(2)),
        (Tlv.SAR_TOTAL_SEGMENTS, bytes([total])),
        (Tlv.SAR_SEGMENT_SEQNUM, bytes([number])),
    )


def from_customer(source: str, destination: str, body: Body) -> Wire:
    """The deliver_sm of a customer's message; octets beyond short_message's 254 go in a TLV."""
    fields: dict[str, int | str | bytes] = {
        "source_addr_ton": 1,
        "source_addr_npi": 1,
        "source_addr": source,
        "dest_addr_ton": 3,
        "dest_addr_npi": 0,
        "destination_addr": destination,
        "esm_class": body.esm_class,
        "data_coding": body.data_coding,
    }
    if len(body.octets) > 254:
        return Wire(fields, (*body.tlvs, (Tlv.MESSAGE_PAYLOAD, body.octets)))
    return Wire({**fields, "short_message": body.octets}, body.tlvs)


def receipt(submit: Submit, message_id: str, stat: str, err: str, done: datetime) -> Wire:
    """The deliver_sm that says what became of `submit` (SMPP 3.4, appendix B and 5.2.12)."""
    delivered = "001" if stat == "DELIVRD" else "000"
    submitted = datetime.fromtimestamp(submit.at, done.tzinfo)
    text = (
        f"id:{message_id} sub:001 dlvrd:{delivered} submit date:{submitted:%y%m%d%H%M}"
        f" done date:{done:%y%m%d%H%M} stat:{stat} err:{err} text:"
    )
    _, said = part_of(submit)
    beginning = said[:20] if submit.data_coding == 0 else b""
    fields: dict[str, int | str | bytes] = {
        "source_addr_ton": 1,
        "source_addr_npi": 1,
        "source_addr": submit.destination,
        "dest_addr_ton": 3,
        "dest_addr_npi": 0,
        "destination_addr": submit.source,
        "esm_class": RECEIPT,
        "short_message": text.encode("ascii") + beginning,
    }
    state = STATES.get(stat, MessageState.UNKNOWN)
    return Wire(
        fields,
        (
            (Tlv.RECEIPTED_MESSAGE_ID, message_id.encode("latin-1") + b"\0"),
            (Tlv.MESSAGE_STATE, bytes([state])),
        ),
    )


def submitted(pdu: Pdu, at: float, session: int, status: int, message_id: str) -> Submit:
    """A submit_sm or data_sm for the record."""
    payload = pdu.tlv(Tlv.MESSAGE_PAYLOAD)
    return Submit(
        at,
        session,
        status,
        message_id,
        pdu.text("source_addr"),
        pdu.text("destination_addr"),
        pdu.number("esm_class"),
        pdu.number("data_coding"),
        pdu.number("registered_delivery"),
        pdu.octets("short_message") if payload is None else payload,
        tuple(pdu.tlvs),
        pdu.text("service_type"),
        pdu.text("validity_period"),
    )


class Part(NamedTuple):
    """Which part of which long message: of `total`, numbered from 1."""

    reference: tuple[str, int]  # the kind of header, and the number in it
    total: int
    number: int


def part_of(submit: Submit) -> tuple[Part | None, bytes]:
    """The part that `submit` is, or None, and its octets without a user data header.

    A header that makes no sense counts as none (3GPP TS 23.040, 9.2.3.24.1).
    """
    octets = submit.octets
    if not submit.esm_class & UDHI or not octets or octets[0] >= len(octets):
        return _sar(submit), octets
    header, rest = octets[1 : octets[0] + 1], octets[octets[0] + 1 :]
    part = None
    while len(header) >= 2:
        element, length, value = header[0], header[1], header[2 : header[1] + 2]
        if (element, length) in ((0x00, 3), (0x08, 4)) and len(value) == length:
            reference = int.from_bytes(value[:-2])
            part = _part(Part((f"udh{element:02x}", reference), value[-2], value[-1]))
        header = header[length + 2 :]
    return part, rest


def _sar(submit: Submit) -> Part | None:
    tlvs = dict(submit.tlvs)
    try:
        reference, total, number = (
            int.from_bytes(tlvs[tag])
            for tag in (Tlv.SAR_MSG_REF_NUM, Tlv.SAR_TOTAL_SEGMENTS, Tlv.SAR_SEGMENT_SEQNUM)
        )
    except KeyError:
        return None
    return _part(Part(("sar", reference), total, number))


def _part(part: Part) -> Part | None:
    return part if part.total > 1 and 1 <= part.number <= part.total else None


class Reassembly:
    """Puts long messages together, as a handset does."""

    def __init__(self, alphabet: DefaultAlphabet) -> None:
        self._alphabet = alphabet
        self._open: dict[tuple[object, ...], dict[int, tuple[Submit, bytes]]] = {}

    def add(self, submit: Submit) -> Mt | None:
        """The whole message, once `submit` completes it. A part that comes twice replaces."""
        part, octets = part_of(submit)
        if part is None:
            return self._whole([(submit, octets)])
        key = (submit.source, submit.destination, part.reference, part.total)
        parts = self._open.setdefault(key, {})
        for number in [n for n, (old, _) in parts.items() if old.at < submit.at - PATIENCE]:
            del parts[number]
        parts[part.number] = submit, octets
        if len(parts) < part.total:
            return None
        del self._open[key]
        return self._whole([parts[number] for number in sorted(parts)])

    def _whole(self, parts: list[tuple[Submit, bytes]]) -> Mt:
        last = max((submit for submit, _ in parts), key=lambda submit: submit.at)
        first = parts[0][0]
        octets = b"".join(octets for _, octets in parts)
        text = decode(octets, first.data_coding, self._alphabet)
        return Mt(
            last.at,
            last.session,
            first.source,
            first.destination,
            octets.hex() if text is None else text,
            len(parts),
            first.data_coding,
            tuple(submit.message_id for submit, _ in parts),
        )

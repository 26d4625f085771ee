"""What a PDU says, and what we make of the message in it.

For people and scripts: plain values under the names of SMPP and ours, ready for JSON.
"""

from typing import Any, Final, NamedTuple

from smsgw.carrier.translate import ID_FORMS, IdForms, content, receipt_state
from smsgw.settings.carrier import CarrierSettings
from smsgw.smpp import receipts
from smsgw.smpp.codec import Pdu, PduError, decode
from smsgw.smpp.describe import Description, describe, kind
from smsgw.text.alphabets import DefaultAlphabet, read_mo

_RECEIPTS: Final = {"receipt": False, "intermediate_notification": True}  # whether intermediate


class Ways(NamedTuple):
    """How a carrier writes its messages."""

    default_alphabet: DefaultAlphabet = "gsm7"
    ids: IdForms = ID_FORMS["as_is"]


def ways(settings: CarrierSettings) -> Ways:
    return Ways(settings.default_alphabet, ID_FORMS[settings.message_id])


def read(octets: bytes, how: Ways) -> Description:
    """What `octets`, meant to be one PDU, say to who knows how its carrier writes. Never raises.

    It is what `describe` gives and, after `kind`, what we make of the message: `text`, `read_as`
    (the encoding it was taken for if not that of data_coding), `concat` and `receipt`, each None
    where it doesn't apply.
    """
    whole: Description = {}
    for name, value in describe(octets).items():
        whole[name] = value
        if name == "kind":
            whole.update(_meaning(_whole(octets), how))
    return whole


def _whole(octets: bytes) -> Pdu | None:
    """The PDU as far as it could be read."""
    try:
        return decode(octets)
    except PduError as error:
        return error.read


def _meaning(pdu: Pdu | None, how: Ways) -> Description:
    sort = kind(pdu) if pdu else None
    if pdu is None or sort is None:
        return {"text": None, "read_as": None, "concat": None, "receipt": None}
    _, part, body = content(pdu)
    text, read_as = read_mo(body, pdu.number("data_coding"), how.default_alphabet)
    return {
        "text": text,
        "read_as": read_as or None,
        "concat": part and {"ref": part.reference, "total": part.total, "part": part.number},
        "receipt": _receipt(pdu, how, intermediate=_RECEIPTS[sort]) if sort in _RECEIPTS else None,
    }


def _receipt(pdu: Pdu, how: Ways, *, intermediate: bool) -> dict[str, Any]:
    """What a receipt says, as far as it says it; the id as those of responses are kept."""
    told = receipts.parse(pdu)
    state = receipt_state(told, intermediate=intermediate)
    return {
        "message_id": how.ids.receipt(told.message_id) or None,
        "state": state and state.value,
        "final": state and state.final,
        "error": told.error or None,
        "done_date": told.done_date or None,
    }

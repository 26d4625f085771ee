"""One table a PDU of SMPP 3.4, read at import from smpplib's classes (`params`, `params_order`).

Where those are wrong or silent, the corrections and additions below say what the specification
says; nothing else about the wire stands anywhere but here. Sections are those of SMPP 3.4,
issue 1.2.
"""

from enum import Enum
from typing import Any, Final, NamedTuple

from smpplib import command as library

from smsgw.smpp.names import (
    RESPONSE,
    Command,
    MessageState,
    Status,
    Tlv,
    command_name,
    status_name,
    tlv_name,
)

__all__ = [
    "COMMANDS",
    "RESPONSE",
    "Command",
    "CommandTable",
    "Field",
    "Kind",
    "MessageState",
    "Status",
    "Tlv",
    "TlvShape",
    "command_name",
    "status_name",
    "tlv_name",
]


class Kind(Enum):
    """How a field stands on the wire."""

    INTEGER = "integer"  # one octet
    TEXT = "text"  # C-octet string: its octets and a NUL
    TIME = "time"  # C-octet string of 16 characters or none (7.1.1)
    LENGTH = "length"  # one octet: how long the field after it is, or how many items it holds
    OCTETS = "octets"  # as many octets as the LENGTH before it says
    LIST = "list"  # as many items as the LENGTH before it says, of a form of their own


class Field(NamedTuple):
    """One mandatory field. `maximum` counts octets without a NUL, or a list's items.

    `fault` is the status that answers a request in which this field can't be read.
    """

    name: str
    kind: Kind
    maximum: int
    fault: Status


class TlvShape(NamedTuple):
    """How long a TLV's value may be, in octets. A `text` is to end in a NUL, counted here."""

    lengths: range
    text: bool


class CommandTable(NamedTuple):
    """One PDU: its mandatory fields in the order of the wire, and the TLVs it may carry."""

    command: Command
    name: str
    fields: tuple[Field, ...]
    tlvs: dict[int, TlvShape]


def _octets(fewest: int, most: int) -> TlvShape:
    return TlvShape(range(fewest, most + 1), text=False)


def _text(most: int) -> TlvShape:
    return TlvShape(range(1, most + 1), text=True)


# TLVs that smpplib gives a wrong type or size, in all PDUs or in some, or does not describe.
TLV_CORRECTIONS: Final = {
    "alert_on_message_delivery": _octets(0, 1),  # 5.3.2.41: no value; 5.0 gives it one octet
    "callback_num_atag": _octets(1, 65),  # 5.3.2.38: octets, not a C-octet string
    "delivery_failure_reason": _octets(1, 1),  # 5.3.2.33: an integer, not a C-octet string
    "dest_subaddress": _octets(2, 23),  # 5.3.2.16: octets, not a C-octet string
    "message_payload": _octets(0, 0xFFFF),  # 5.3.2.32: whatever its length can say
    "network_error_code": _octets(3, 3),  # 5.3.2.31: octets, not a C-octet string
    "set_dpf": _octets(1, 1),  # 5.3.2.29
    "source_addr_subunit": _octets(1, 1),  # 5.3.2.2
    "source_subaddress": _octets(2, 23),  # 5.3.2.15: octets, not a C-octet string
    "source_telematics_id": _octets(1, 1),  # 5.3.2.8
}

# Maxima of mandatory fields that are not smpplib's, by PDU. A password has 8 octets in 4.1.1, but
# some carriers give longer ones: how long one may be is left to the settings.
MAXIMUM_CORRECTIONS: Final = {
    Command.BIND_RECEIVER: {"password": 64},
    Command.BIND_TRANSMITTER: {"password": 64},
    Command.BIND_TRANSCEIVER: {"password": 64},
    Command.OUTBIND: {"password": 64},
    Command.DATA_SM: {"source_addr": 64, "destination_addr": 64},  # 4.7.1
    Command.ALERT_NOTIFICATION: {"source_addr": 64, "esme_addr": 64},  # 4.12.1
}

# Fields that smpplib does not have. 4.5.1 allows 254 destinations.
FIELD_ADDITIONS: Final = {
    "number_of_dests": (Kind.LENGTH, 255),
    "dest_address": (Kind.LIST, 254),
    "no_unsuccess": (Kind.LENGTH, 255),
    "unsuccess_sme": (Kind.LIST, 255),
}

# TLVs that smpplib's classes leave out.
TLV_ADDITIONS: Final = {Command.DATA_SM: ("set_dpf",)}  # 4.7.1


class Names(NamedTuple):
    """The mandatory fields and the TLVs of a PDU, by name."""

    fields: str
    tlvs: str = ""


# PDUs that smpplib does not have.
ADDITIONS: Final = {
    Command.OUTBIND: Names("system_id password"),  # 4.1.7
    Command.SUBMIT_MULTI: Names(  # 4.5.1
        """
        service_type source_addr_ton source_addr_npi source_addr number_of_dests dest_address
        esm_class protocol_id priority_flag schedule_delivery_time validity_period
        registered_delivery replace_if_present_flag data_coding sm_default_msg_id
        sm_length short_message
        """,
        """
        user_message_reference source_port source_addr_subunit destination_port
        dest_addr_subunit sar_msg_ref_num sar_total_segments sar_segment_seqnum payload_type
        message_payload privacy_indicator callback_num callback_num_pres_ind callback_num_atag
        source_subaddress dest_subaddress display_time sms_signal ms_validity
        ms_msg_wait_facilities alert_on_message_delivery language_indicator
        """,
    ),
    Command.SUBMIT_MULTI_RESP: Names("message_id no_unsuccess unsuccess_sme"),  # 4.5.2
    Command.CANCEL_SM: Names(  # 4.9.1
        """
        service_type message_id source_addr_ton source_addr_npi source_addr
        dest_addr_ton dest_addr_npi destination_addr
        """
    ),
    Command.CANCEL_SM_RESP: Names(""),  # 4.9.2
    Command.REPLACE_SM: Names(  # 4.10.1
        """
        message_id source_addr_ton source_addr_npi source_addr schedule_delivery_time
        validity_period registered_delivery sm_default_msg_id sm_length short_message
        """
    ),
    Command.REPLACE_SM_RESP: Names(""),  # 4.10.2
}

_TIMES = ("schedule_delivery_time", "validity_period", "final_date")
_FAULTS = {
    "source_addr": Status.RINVSRCADR,
    "destination_addr": Status.RINVDSTADR,
    "dest_address": Status.RINVDSTADR,
    "esme_addr": Status.RINVDSTADR,
    "short_message": Status.RINVMSGLEN,
}


def _field(name: str, kind: Kind, maximum: int) -> Field:
    return Field(name, kind, maximum, _FAULTS.get(name, Status.RSYSERR))


def _library_field(name: str, param: Any) -> Field:
    """A mandatory field from smpplib's Param, whose `max` of a C-octet string counts the NUL."""
    if param.type is int:
        return _field(name, Kind.LENGTH if name == "sm_length" else Kind.INTEGER, 255)
    if param.type is str:
        return _field(name, Kind.TIME if name in _TIMES else Kind.TEXT, param.max - 1)
    return _field(name, Kind.OCTETS, param.max)


def _library_tlv(param: Any) -> TlvShape:
    if param.type is int:
        return _octets(param.size, param.size)
    if param.type is str:
        return _text(param.max)
    return _octets(param.min, param.max)


def _tables() -> dict[int, CommandTable]:
    fields = {name: _field(name, kind, size) for name, (kind, size) in FIELD_ADDITIONS.items()}
    tlvs = dict(TLV_CORRECTIONS)
    rows = dict(ADDITIONS)
    for command in Command:
        if command in ADDITIONS:
            continue
        pdu = library.factory(command.name.lower(), sequence=0)
        mandatory = [name for name in pdu.params_order if not pdu.field_is_optional(name)]
        optional = [name for name in pdu.params_order if name not in mandatory]
        rows[command] = Names(" ".join(mandatory), " ".join(optional))
        for name in mandatory:
            fields.setdefault(name, _library_field(name, pdu.params[name]))
        for name in optional:
            if name not in tlvs:
                tlvs[name] = _library_tlv(pdu.params[name])

    def table(command: Command, names: Names) -> CommandTable:
        maxima = MAXIMUM_CORRECTIONS.get(command, {})
        mandatory = (fields[name] for name in names.fields.split())
        optional = (*names.tlvs.split(), *TLV_ADDITIONS.get(command, ()))
        return CommandTable(
            command,
            command.name.lower(),
            tuple(one._replace(maximum=maxima.get(one.name, one.maximum)) for one in mandatory),
            {Tlv[name.upper()].value: tlvs[name] for name in optional},
        )

    return {command.value: table(command, names) for command, names in rows.items()}


COMMANDS: Final = _tables()

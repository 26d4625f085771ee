"""The tables against smpplib's vocabulary, and against what SMPP 3.4 says where that is wrong."""

import pytest
from smpplib import command as library
from smpplib import command_codes, consts
from smpplib.ptypes import flag, ostr

from smsgw.smpp.tables import (
    ADDITIONS,
    COMMANDS,
    MAXIMUM_CORRECTIONS,
    TLV_ADDITIONS,
    TLV_CORRECTIONS,
    Command,
    Field,
    Kind,
    MessageState,
    Status,
    Tlv,
    command_name,
    status_name,
    tlv_name,
)


def field(command: Command, name: str) -> Field:
    return next(one for one in COMMANDS[command].fields if one.name == name)


def test_commands_are_those_of_smpplib() -> None:
    assert {command.name.lower(): command.value for command in Command} == command_codes.commands


def test_statuses_are_those_of_smpplib_and_of_smpp_5() -> None:
    known = {
        name.removeprefix("SMPP_ESME_"): value
        for name, value in vars(consts).items()
        if name.startswith("SMPP_ESME_")
    }
    ours = {status.name: status.value for status in Status if status < 0x100}
    assert ours == known
    assert [status.value for status in Status if status >= 0x100] == list(range(0x100, 0x113))


def test_tlvs_are_those_of_smpplib() -> None:
    assert {tlv.name.lower(): tlv.value for tlv in Tlv} == consts.OPTIONAL_PARAMS


def test_message_states_are_those_of_smpplib_and_of_smpp_5() -> None:
    known = {
        name.removeprefix("SMPP_MESSAGE_STATE_"): value
        for name, value in vars(consts).items()
        if name.startswith("SMPP_MESSAGE_STATE_")
    }
    ours = {state.name: state.value for state in MessageState}
    assert ours == known | {"SCHEDULED": 0, "SKIPPED": 9}


def test_every_command_has_a_table() -> None:
    assert set(COMMANDS) == set(Command)
    assert all(table.command == command for command, table in COMMANDS.items())
    assert all(table.name == table.command.name.lower() for table in COMMANDS.values())


@pytest.mark.parametrize("command", ADDITIONS, ids=command_name)
def test_additions_are_what_smpplib_lacks(command: Command) -> None:
    with pytest.raises(library.exceptions.UnknownCommandError):
        library.factory(command_name(command), sequence=0)


@pytest.mark.parametrize(
    "command", [command for command in Command if command not in ADDITIONS], ids=command_name
)
def test_the_other_tables_have_smpplibs_fields_in_its_order(command: Command) -> None:
    pdu = library.factory(command_name(command), sequence=0)
    table = COMMANDS[command]
    ours = [one.name for one in table.fields] + [tlv_name(tag) for tag in table.tlvs]
    assert ours == [*pdu.params_order, *TLV_ADDITIONS.get(command, ())]


SAID_BY_SMPPLIB: dict[str, tuple[Command, dict[str, object]]] = {
    "alert_on_message_delivery": (Command.SUBMIT_SM, {"type": flag}),
    "callback_num_atag": (Command.DATA_SM, {"type": str, "max": 65}),
    "delivery_failure_reason": (Command.DATA_SM_RESP, {"type": str, "max": 256}),
    "dest_subaddress": (Command.SUBMIT_SM, {"type": str, "min": 2, "max": 23}),
    "message_payload": (Command.SUBMIT_SM, {"type": ostr, "max": 260}),
    "network_error_code": (Command.DATA_SM_RESP, {"type": str, "max": 3}),
    "source_addr_subunit": (Command.SUBMIT_SM, {"type": int, "size": 2}),
    "source_subaddress": (Command.SUBMIT_SM, {"type": str, "min": 2, "max": 23}),
    "source_telematics_id": (Command.DATA_SM, {"type": int, "size": 2}),
}


@pytest.mark.parametrize("name", SAID_BY_SMPPLIB)
def test_a_correction_is_needed_as_long_as_smpplib_says_this(name: str) -> None:
    command, said = SAID_BY_SMPPLIB[name]
    param = library.factory(command_name(command), sequence=0).params[name]
    assert vars(param) == said


def test_every_other_correction_is_an_addition() -> None:
    added = {name for names in TLV_ADDITIONS.values() for name in names}
    assert set(TLV_CORRECTIONS) - set(SAID_BY_SMPPLIB) == added


@pytest.mark.parametrize(
    ("command", "name", "kind", "maximum"),
    [
        (Command.BIND_TRANSCEIVER, "system_id", Kind.TEXT, 15),
        (Command.BIND_TRANSCEIVER, "password", Kind.TEXT, 64),
        (Command.BIND_TRANSCEIVER, "system_type", Kind.TEXT, 12),
        (Command.BIND_TRANSCEIVER, "address_range", Kind.TEXT, 40),
        (Command.OUTBIND, "system_id", Kind.TEXT, 15),
        (Command.OUTBIND, "password", Kind.TEXT, 64),
        (Command.SUBMIT_SM, "service_type", Kind.TEXT, 5),
        (Command.SUBMIT_SM, "source_addr", Kind.TEXT, 20),
        (Command.SUBMIT_SM, "destination_addr", Kind.TEXT, 20),
        (Command.SUBMIT_SM, "schedule_delivery_time", Kind.TIME, 16),
        (Command.SUBMIT_SM, "validity_period", Kind.TIME, 16),
        (Command.SUBMIT_SM, "sm_length", Kind.LENGTH, 255),
        (Command.SUBMIT_SM, "short_message", Kind.OCTETS, 254),
        (Command.SUBMIT_SM_RESP, "message_id", Kind.TEXT, 64),
        (Command.DATA_SM, "source_addr", Kind.TEXT, 64),
        (Command.DATA_SM, "destination_addr", Kind.TEXT, 64),
        (Command.ALERT_NOTIFICATION, "source_addr", Kind.TEXT, 64),
        (Command.ALERT_NOTIFICATION, "esme_addr", Kind.TEXT, 64),
        (Command.QUERY_SM_RESP, "final_date", Kind.TIME, 16),
        (Command.QUERY_SM_RESP, "message_state", Kind.INTEGER, 255),
        (Command.CANCEL_SM, "destination_addr", Kind.TEXT, 20),
        (Command.REPLACE_SM, "short_message", Kind.OCTETS, 254),
        (Command.SUBMIT_MULTI, "dest_address", Kind.LIST, 254),
        (Command.SUBMIT_MULTI_RESP, "unsuccess_sme", Kind.LIST, 255),
    ],
)
def test_maxima(command: Command, name: str, kind: Kind, maximum: int) -> None:
    assert field(command, name)[1:3] == (kind, maximum)


def test_maxima_are_corrected_only_where_a_field_is() -> None:
    for command, maxima in MAXIMUM_CORRECTIONS.items():
        for name, maximum in maxima.items():
            assert field(command, name).maximum == maximum


@pytest.mark.parametrize(
    ("command", "tag", "lengths"),
    [
        (Command.SUBMIT_SM, Tlv.SOURCE_ADDR_SUBUNIT, range(1, 2)),
        (Command.SUBMIT_SM, Tlv.MESSAGE_PAYLOAD, range(65_536)),
        (Command.SUBMIT_SM, Tlv.SOURCE_SUBADDRESS, range(2, 24)),
        (Command.SUBMIT_SM, Tlv.CALLBACK_NUM, range(4, 20)),
        (Command.SUBMIT_SM, Tlv.ALERT_ON_MESSAGE_DELIVERY, range(2)),
        (Command.SUBMIT_SM, Tlv.SAR_MSG_REF_NUM, range(2, 3)),
        (Command.SUBMIT_MULTI, Tlv.SAR_TOTAL_SEGMENTS, range(1, 2)),
        (Command.DELIVER_SM, Tlv.RECEIPTED_MESSAGE_ID, range(1, 66)),
        (Command.DELIVER_SM, Tlv.NETWORK_ERROR_CODE, range(3, 4)),
        (Command.DELIVER_SM, Tlv.MESSAGE_STATE, range(1, 2)),
        (Command.DATA_SM, Tlv.QOS_TIME_TO_LIVE, range(4, 5)),
        (Command.DATA_SM, Tlv.SOURCE_TELEMATICS_ID, range(1, 2)),
        (Command.DATA_SM, Tlv.DEST_TELEMATICS_ID, range(2, 3)),
        (Command.DATA_SM, Tlv.CALLBACK_NUM_ATAG, range(1, 66)),
        (Command.DATA_SM, Tlv.SET_DPF, range(1, 2)),
        (Command.DATA_SM_RESP, Tlv.NETWORK_ERROR_CODE, range(3, 4)),
        (Command.DATA_SM_RESP, Tlv.DELIVERY_FAILURE_REASON, range(1, 2)),
        (Command.DATA_SM_RESP, Tlv.ADDITIONAL_STATUS_INFO_TEXT, range(1, 257)),
        (Command.BIND_RECEIVER_RESP, Tlv.SC_INTERFACE_VERSION, range(1, 2)),
    ],
)
def test_tlv_lengths(command: Command, tag: Tlv, lengths: range) -> None:
    assert COMMANDS[command].tlvs[tag].lengths == lengths


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (command_name(Command.DELIVER_SM), "deliver_sm"),
        (command_name(Command.GENERIC_NACK), "generic_nack"),
        (command_name(0xABCD), "0x0000abcd"),
        (status_name(0), "ESME_ROK"),
        (status_name(Status.RTHROTTLED), "ESME_RTHROTTLED"),
        (status_name(Status.RPROHIBITED), "ESME_RPROHIBITED"),
        (status_name(0x400), "0x00000400"),
        (tlv_name(Tlv.MESSAGE_PAYLOAD), "message_payload"),
        (tlv_name(0x1400), "0x1400"),
    ],
)
def test_names(name: str, expected: str) -> None:
    assert name == expected

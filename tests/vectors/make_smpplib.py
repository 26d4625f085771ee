"""Makes smpplib.json: SMPP PDUs as smpplib's own generator encodes them.

    pip install smpplib==2.2.4 && python make_smpplib.py > smpplib.json

What it encodes against SMPP 3.4 is left out: TLVs of a wrong type or size (source_telematics_id,
network_error_code, …), and the commands it lacks (outbind, cancel_sm, replace_sm, submit_multi).
"""

import json
from importlib.metadata import version
from typing import Any

from smpplib.smpp import make_pdu

ADDRESSES = {
    "source_addr_ton": 1,
    "source_addr_npi": 1,
    "source_addr": "359888123456",
    "dest_addr_ton": 3,
    "dest_addr_npi": 0,
    "destination_addr": "170077",
}
MESSAGE = {
    "service_type": "CMT",
    **ADDRESSES,
    "esm_class": 0,
    "protocol_id": 0,
    "priority_flag": 1,
    "schedule_delivery_time": "000001000000000R",
    "validity_period": "261224235959008+",
    "registered_delivery": 1,
    "replace_if_present_flag": 0,
    "data_coding": 0,
    "sm_default_msg_id": 0,
    "short_message": b"smetka",
}
BIND = {
    "system_id": "cez",
    "password": "secret08",
    "system_type": "SMS",
    "interface_version": 0x34,
    "addr_ton": 1,
    "addr_npi": 1,
    "address_range": "170077",
}
TLVS = {
    "user_message_reference": 0xBEEF,
    "source_port": 9200,
    "destination_port": 9201,
    "sar_msg_ref_num": 0x1234,
    "sar_total_segments": 3,
    "sar_segment_seqnum": 2,
    "user_response_code": 7,
    "privacy_indicator": 1,
    "payload_type": 1,
    "callback_num": b"\x01\x01\x01359",
    "language_indicator": 4,
    "its_session_info": 0x0102,
}
SUBMIT_TLVS = {
    **TLVS,
    "more_messages_to_send": 1,
    "dest_addr_subunit": 1,
    "callback_num_pres_ind": 1,
    "display_time": 1,
    "sms_signal": 0x0102,
    "ms_validity": 1,
    "ms_msg_wait_facilities": 1,
    "number_of_messages": 5,
    "its_reply_type": 1,
    "ussd_service_op": 1,
}
RECEIPT = (
    b"id:0123456789 sub:001 dlvrd:001 submit date:2611201505 done date:2611201506"
    b" stat:DELIVRD err:000 text:Zadalzhenie"
)

Made = tuple[str, str, dict[str, Any], dict[str, Any], int]


def made() -> list[Made]:
    """Name, command, fields, TLVs and status of each."""
    cyrillic = "сметка".encode("utf-16-be")
    long = {"message_payload": b"a" * 1000}
    rows: list[Made] = []
    for kind in ("receiver", "transmitter", "transceiver"):
        rows += [
            (f"bind_{kind}", f"bind_{kind}", BIND, {}, 0),
            (
                f"bind_{kind}_resp",
                f"bind_{kind}_resp",
                {"system_id": "smsc"},
                {"sc_interface_version": 0x34},
                0,
            ),
        ]
    rows += [
        (command, command, {}, {}, 0)
        for command in ("unbind", "unbind_resp", "enquire_link", "enquire_link_resp")
    ]
    rows.append(("generic_nack", "generic_nack", {}, {}, 3))
    for command, tlvs in (("submit_sm", SUBMIT_TLVS), ("deliver_sm", TLVS)):
        part = {"esm_class": 0x40, "short_message": b"\x05\x00\x03\x2a\x03\x02smetka"}
        rows += [
            (command, command, MESSAGE, {}, 0),
            (
                f"{command} in UCS-2",
                command,
                MESSAGE | {"data_coding": 8, "short_message": cyrillic},
                {},
                0,
            ),
            (f"{command} of 254 octets", command, MESSAGE | {"short_message": bytes(254)}, {}, 0),
            (f"{command} with TLVs", command, MESSAGE, tlvs, 0),
            (f"{command} as part 2 of 3", command, MESSAGE | part, {}, 0),
            (
                f"{command} with message_payload",
                command,
                MESSAGE | {"short_message": b""},
                long,
                0,
            ),
            (f"{command}_resp", f"{command}_resp", {"message_id": "7c1e5b0a-0001"}, {}, 0),
        ]
    rows += [
        (
            "a receipt",
            "deliver_sm",
            MESSAGE | {"esm_class": 4, "short_message": RECEIPT},
            {"message_state": 2, "receipted_message_id": "abc-123"},
            0,
        ),
        (
            "data_sm",
            "data_sm",
            {
                "service_type": "",
                **ADDRESSES,
                "esm_class": 0,
                "registered_delivery": 1,
                "data_coding": 0,
            },
            {"message_payload": b"smetka"},
            0,
        ),
        ("data_sm_resp", "data_sm_resp", {"message_id": "99"}, {}, 0),
        (
            "query_sm",
            "query_sm",
            {
                "message_id": "abc",
                "source_addr_ton": 1,
                "source_addr_npi": 1,
                "source_addr": "359888123456",
            },
            {},
            0,
        ),
        (
            "query_sm_resp",
            "query_sm_resp",
            {
                "message_id": "abc",
                "final_date": "261120150500008+",
                "message_state": 2,
                "error_code": 0,
            },
            {},
            0,
        ),
        (
            "alert_notification",
            "alert_notification",
            {
                "source_addr_ton": 1,
                "source_addr_npi": 1,
                "source_addr": "359888123456",
                "esme_addr_ton": 3,
                "esme_addr_npi": 0,
                "esme_addr": "170077",
            },
            {"ms_availability_status": 1},
            0,
        ),
    ]
    return rows


def plain(value: Any) -> Any:
    return {"hex": value.hex()} if isinstance(value, bytes) else value


class Client:
    """What smpplib asks for a sequence number."""

    sequence = 0

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence


def main() -> None:
    client = Client()
    vectors = []
    for name, command, fields, tlvs, status in made():
        pdu = make_pdu(command, client=client, **fields, **tlvs)
        pdu.status = status
        pdu.sequence = len(vectors) + 1
        # smpplib writes TLVs in the order of its own table.
        order = [each for each in pdu.params_order if each in tlvs]
        vectors.append(
            {
                "name": name,
                "hex": pdu.generate().hex(),
                "command": command,
                "status": status,
                "sequence": pdu.sequence,
                "fields": {key: plain(value) for key, value in fields.items()},
                "tlvs": [[key, plain(tlvs[key])] for key in order],
            }
        )
    lines = ",\n".join(json.dumps(vector) for vector in vectors)
    made_by = f"smpplib {version('smpplib')}, by make_smpplib.py"
    print(f'{{"made_by": "{made_by}", "vectors": [\n{lines}\n]}}')


if __name__ == "__main__":
    main()

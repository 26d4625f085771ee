"""PDUs made by foreign encoders, which share no mistake with ours."""

import json
from pathlib import Path
from typing import Any

import pytest

from smsgw.smpp.codec import DistributionList, SmeAddress, Unsuccessful, decode, encode
from smsgw.smpp.tables import COMMANDS, Command, tlv_name

FOLDER = Path(__file__).parent.parent / "vectors"
FILES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}
VECTORS = [
    pytest.param(vector, id=f"{file}: {vector['name']}")
    for file, content in FILES.items()
    for vector in content["vectors"]
]


def test_each_file_says_who_made_it() -> None:
    assert {file: content["made_by"] for file, content in FILES.items()} == {
        "npm-smpp": "npm smpp 0.5.1 (node-smpp), by make_npm_smpp.js",
        "smpplib": "smpplib 2.2.4, by make_smpplib.py",
    }


def test_every_command_is_there() -> None:
    assert {
        decode(bytes.fromhex(vector["hex"])).command for vector in FILES["npm-smpp"]["vectors"]
    } == set(Command)


def destination(one: dict[str, Any]) -> SmeAddress | DistributionList | Unsuccessful:
    if "dl_name" in one:
        return DistributionList(one["dl_name"])
    address = SmeAddress(one["dest_addr_ton"], one["dest_addr_npi"], one["destination_addr"])
    if "error_status_code" in one:
        return Unsuccessful(*address, one["error_status_code"])
    return address


def told(value: Any) -> Any:
    """What a maker put into a field, as we would have it."""
    if isinstance(value, list):
        return tuple(map(destination, value))
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value


def told_tlv(value: Any, octets: bytes) -> bytes:
    """The same for a TLV. What is told as a number may have one octet, two or four."""
    if isinstance(value, int):
        return value.to_bytes(len(octets))
    if isinstance(value, str):
        return value.encode() + b"\0"
    return bytes.fromhex(value["hex"])


@pytest.mark.parametrize("vector", VECTORS)
def test_what_others_encode_reads_as_they_meant_it(vector: dict[str, Any]) -> None:
    pdu = decode(bytes.fromhex(vector["hex"]))
    assert COMMANDS[pdu.command].name == vector["command"]
    assert (pdu.status, pdu.sequence) == (vector["status"], vector["sequence"])
    assert {name: pdu.fields[name] for name in vector["fields"]} == {
        name: told(value) for name, value in vector["fields"].items()
    }
    assert len(pdu.tlvs) == len(vector["tlvs"])
    for (tag, octets), (name, value) in zip(pdu.tlvs, vector["tlvs"], strict=True):
        assert tlv_name(tag) == name
        assert octets == told_tlv(value, octets)


@pytest.mark.parametrize("vector", VECTORS)
def test_what_others_encode_we_encode_the_same(vector: dict[str, Any]) -> None:
    octets = bytes.fromhex(vector["hex"])
    assert encode(decode(octets)) == octets

"""`smsgw pdu`."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from smsgw.cli import pdu as command
from smsgw.cli.main import app
from smsgw.smpp.codec import DistributionList, Pdu, SmeAddress, encode
from smsgw.smpp.tables import Command

ENQUIRE = "00000010000000150000000000000009"
DELIVER = encode(
    Pdu(
        Command.DELIVER_SM,
        fields={"source_addr": "359888123456", "short_message": b"smetka"},
    )
).hex(" ", 4)
# With control characters in its address, a message_payload and an unknown TLV.
LOADED = encode(
    Pdu(
        Command.DELIVER_SM,
        fields={"source_addr": "\x1b[J\x9b"},
        tlvs=[(0x0424, b"12"), (0x1401, b"")],
    )
).hex()
UNKNOWN = "00000010 00000099 00000000 00000009"


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["pdu", *arguments], input=stdin)


def answers(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(
    "arguments",
    [
        [ENQUIRE],
        [ENQUIRE.upper()],
        ["0x" + ENQUIRE],
        ["00000010 00000015 00000000 00000009"],
        ["00000010", "00000015", "00000000", "00000009"],
        ["00:00:00:10:00:00:00:15:00:00:00:00:00:00:00:09"],
        ["0x00000010, 0X00000015, 0x00000000, 0x00000009"],
        ["\n00000010\r\n\t00000015\n00000000 00000009\n"],
    ],
    ids=["plain", "capitals", "0x", "blanks", "arguments", "colons", "0x each", "lines"],
)
def test_hex_is_taken_however_it_is_written(arguments: list[str]) -> None:
    result = run("--json", *arguments)
    assert result.exit_code == 0
    (told,) = answers(result)
    assert told["command"] == "enquire_link"
    assert told["sequence_number"] == 9


def test_a_message_is_told() -> None:
    (told,) = answers(run("--json", DELIVER))
    assert told["command"] == "deliver_sm"
    assert told["source_addr"] == "359888123456"
    assert told["short_message"] == b"smetka".hex()
    assert told["tlvs"] == []
    assert told["kind"] == "mo"


def test_a_bad_pdu_is_an_answer() -> None:
    result = run("--json", UNKNOWN)
    assert result.exit_code == 0
    (told,) = answers(result)
    assert told["error"] == "unknown command_id"
    assert told["answer"]["command"] == "generic_nack"
    assert told["answer"]["command_status"] == 3


def test_each_line_of_stdin_has_one_answer_in_order() -> None:
    lines = [ENQUIRE, "zz", "", UNKNOWN, "123", DELIVER + "\r", "0x", "д"]
    result = run("--stdin", "--json", stdin="\n".join(lines))
    assert result.exit_code == 1
    told = answers(result)
    assert [each.get("command") for each in told] == [
        "enquire_link",
        None,
        None,
        "0x00000099",
        None,
        "deliver_sm",
        None,
        None,
    ]
    assert [each.get("error") for each in told] == [
        None,
        "not hex: 'z' is no hex digit",
        "no hex digits",
        "unknown command_id",
        "not hex: an odd number of digits",
        None,
        "no hex digits",
        "not hex: '\\ufffd' is no hex digit",
    ]


def test_a_line_without_bound_is_refused_and_the_next_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command, "LONGEST", 100)
    full = ENQUIRE + " " * (100 - len(ENQUIRE))
    lines = [ENQUIRE + "0" * 1000, full, full + " ", "0" * 250, ENQUIRE]
    result = run("--stdin", "--json", stdin="\n".join(lines))
    assert result.exit_code == 1
    told = answers(result)
    assert [each.get("command", each.get("error")) for each in told] == [
        "longer than 100 characters",
        "enquire_link",
        "longer than 100 characters",
        "longer than 100 characters",
        "enquire_link",
    ]


def test_people_get_a_table() -> None:
    result = run(LOADED)
    assert result.exit_code == 0
    rows = [line.split(maxsplit=1) for line in result.stdout.splitlines() if line]
    assert rows[0] == ["command", "deliver_sm"]
    assert ["source_addr", "\\x1b[J\\x9b"] in rows
    assert ["0x0424", "message_payload   3132"] in rows
    assert ["0x1401", "0x1401"] in rows
    assert rows[-2:] == [["kind", "mo"], ["text", "12"]]


def test_people_get_a_row_for_each_destination() -> None:
    people = (SmeAddress(1, 2, "359888123456"), DistributionList("debtors"))
    pdu = Pdu(Command.SUBMIT_MULTI, fields={"dest_address": people})
    rows = [line.split(maxsplit=2) for line in run(encode(pdu).hex()).stdout.splitlines() if line]
    phone = "dest_addr_ton 1, dest_addr_npi 2, destination_addr 359888123456"
    assert ["dest_address", "1", phone] in rows
    assert ["dest_address", "2", "dl_name debtors"] in rows


def test_people_get_the_error_and_the_answer() -> None:
    rows = [line.split(maxsplit=1) for line in run(UNKNOWN).stdout.splitlines() if line]
    assert ["error", "unknown command_id"] in rows
    assert rows[-1][0] == "answer"
    assert rows[-1][1].startswith("command generic_nack, command_status 3, sequence_number 9")


def test_people_get_what_is_no_hex_on_stderr() -> None:
    result = run("--stdin", stdin=f"{ENQUIRE}\nzz\n")
    assert result.exit_code == 1
    assert result.stderr == "2: not hex: 'z' is no hex digit\n"
    assert "enquire_link" in result.stdout
    assert run("zz").stderr == "not hex: 'z' is no hex digit\n"


@pytest.mark.parametrize("arguments", [["--stdin", ENQUIRE], ["--json"]], ids=["both", "neither"])
def test_one_source_of_pdus_is_needed(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


RECEIPT = encode(
    Pdu(
        Command.DELIVER_SM,
        fields={"esm_class": 4, "short_message": b"id:1F stat:DELIVRD err:000 text:"},
    )
).hex()
PART = encode(
    Pdu(Command.DELIVER_SM, fields={"esm_class": 0x40, "short_message": b"\5\0\3\x2a\2\1smet"})
).hex()
CONFIGURATION = """\
shortcode: "170077"
data_dir: data
carriers:
  mtel: {host: h, port: 1, system_id: s, password: p, message_id: hex_in_receipt}
"""


def test_what_is_made_of_the_message_is_told() -> None:
    (receipt, part, enquire) = answers(
        run("--json", "--stdin", stdin=f"{RECEIPT}\n{PART}\n{ENQUIRE}")
    )
    assert receipt["receipt"] == {
        "message_id": "1F",
        "state": "delivered",
        "final": True,
        "error": "000",
        "done_date": None,
    }
    assert (part["text"], part["concat"]) == ("smet", {"ref": 42, "total": 2, "part": 1})
    assert (enquire["text"], enquire["concat"], enquire["receipt"]) == (None, None, None)


def test_a_carrier_gives_its_form_of_ids(tmp_path: Path) -> None:
    file = tmp_path / "smsgw.yaml"
    file.write_text(CONFIGURATION)
    (told,) = answers(run("--json", "-c", str(file), "--carrier", "mtel", RECEIPT))
    assert told["receipt"]["message_id"] == "31"
    assert run("-c", str(file), "--carrier", "globul", RECEIPT).exit_code == 2


def test_people_get_rows_of_what_there_is() -> None:
    rows = [line.split(maxsplit=1) for line in run(RECEIPT).stdout.splitlines() if line]
    said = "message_id 1F, state delivered, final True, error 000, done_date none"
    assert rows[-1] == ["receipt", said]
    assert "concat" not in [row[0] for row in rows]

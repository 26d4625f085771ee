"""`smsgw try`: an answer for each line, with nothing stored."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from smsgw.cli.main import app

CONFIGURATION = """\
shortcode: "170077"
data_dir: data
carriers:
  mtel: {host: h, port: 1, system_id: s, password: p, number_ranges: ["35988"]}
  telenor: {host: h, port: 1, system_id: s, password: p, default_alphabet: ascii}
"""
FEED = """\
customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status
300000000001,B1,,,,45.20,EUR,open
"""
HOME = "300000000001"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a configuration and nothing else."""
    (tmp_path / "smsgw.yaml").write_text(CONFIGURATION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSGW_CONFIG", "smsgw.yaml")
    return tmp_path


@pytest.fixture
def registered(folder: Path) -> Path:
    """The same with a registration that is active."""
    (folder / "feed.csv").write_text(FEED)
    assert CliRunner().invoke(app, ["billing", "import", "feed.csv"]).exit_code == 0
    add = ["subscribers", "add", "0888000001", HOME]
    assert CliRunner().invoke(app, add).exit_code == 0
    return folder


def smsgw(*args: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["try", *args], input=stdin)


def tried(text: str, sender: str = "359888000001", *options: str) -> dict[str, Any]:
    result = smsgw("--json", "--from", sender, *options, text)
    assert (result.exit_code, result.stderr) == (0, "")
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.mark.parametrize(
    ("text", "intent", "numbers"),
    [
        ("smetka", "bill_check", []),
        (f"smetka {HOME}", "bill_check_for", [HOME]),
        (f"{HOME} 300000000002", "register", [HOME, "300000000002"]),
        ("stop", "stop", []),
        ("?", "help", []),
        ("good evening", "unknown", []),
        ("", "unknown", []),
    ],
)
def test_without_any_database(folder: Path, text: str, intent: str, numbers: list[str]) -> None:
    answer = tried(text)
    assert list(answer) == ["intent", "customer_numbers", "reply"]
    assert (answer["intent"], answer["customer_numbers"]) == (intent, numbers)
    assert list(answer["reply"]) == ["text", "encoding", "parts"]
    assert (answer["reply"]["encoding"], answer["reply"]["parts"]) == ("gsm7", 1)
    assert not (folder / "data").exists()


def test_by_what_is_stored(registered: Path) -> None:
    assert "45,20 EUR" in tried("smetka")["reply"]["text"]
    assert "45,20 EUR" in tried("smetka", "0888 000 001")["reply"]["text"]
    assert "45,20 EUR" not in tried("smetka", "359888000002")["reply"]["text"]


def test_codes_are_checked_and_nothing_is_counted(folder: Path) -> None:
    (folder / "smsgw.yaml").write_text(CONFIGURATION + "subscriptions: {require_code: true}\n")
    assert "Priehme zayavka" in tried(f"{HOME} XK42B7")["reply"]["text"]
    assert not (folder / "data").exists()
    coded = FEED.replace("status\n", "status,code\n").replace("open\n", "open,XK42B7\n")
    (folder / "feed.csv").write_text(coded)
    assert CliRunner().invoke(app, ["billing", "import", "feed.csv"]).exit_code == 0
    for _ in range(6):
        assert "greshen kod" in tried(f"{HOME} XK42B8")["reply"]["text"]
    assert "registriran" in tried(f"{HOME} xk42b7")["reply"]["text"]
    assert "dobavete koda" in tried(HOME)["reply"]["text"]


def test_nothing_is_stored(registered: Path) -> None:
    tried("stop")
    assert "45,20 EUR" in tried("smetka")["reply"]["text"]


def test_a_cyrillic_message_of_two_parts(folder: Path) -> None:
    reply = tried("помощ")["reply"]
    assert (reply["encoding"], reply["parts"]) == ("ucs2", -(-len(reply["text"]) // 67))


def test_a_foreign_sender_is_never_answered(folder: Path) -> None:
    answer = tried("smetka", "+40721123456")
    assert answer == {"intent": "bill_check", "customer_numbers": [], "reply": None}


def test_the_carriers_alphabet(folder: Path) -> None:
    configuration = CONFIGURATION + 'company: {email: "info@cezelectro.bg"}\n'
    (folder / "smsgw.yaml").write_text(configuration)
    by_range = tried("help")["reply"]
    assert (by_range["encoding"], "@" in by_range["text"]) == ("gsm7", True)
    assert (
        tried("help", "359888000001", "--carrier", "telenor")["reply"]["text"] == (by_range["text"])
    )


@pytest.mark.parametrize(("carrier", "longest"), [("mtel", 306), ("telenor", 304)])
def test_the_carrier_s_way_with_long_messages(folder: Path, carrier: str, longest: int) -> None:
    configuration = CONFIGURATION.replace("ascii", "ascii, long_messages: udh16")
    more = f"replies: {{max_parts: 2, texts: {{help: {{latin: {'x' * 306}}}}}}}\n"
    (folder / "smsgw.yaml").write_text(configuration + more)
    reply = tried("help", "359888000001", "--carrier", carrier)["reply"]
    assert (len(reply["text"]), reply["parts"]) == (longest, 2)


def test_words_need_no_quotes(folder: Path) -> None:
    result = smsgw("--json", "--from", "0888000001", "smetka", HOME)
    assert json.loads(result.stdout)["intent"] == "bill_check_for"


def test_for_people(registered: Path) -> None:
    result = smsgw("--from", "0888000001", f"smetka {HOME}")
    first, *answer, last = result.stdout.splitlines()
    assert first == f"bill_check_for {HOME}"
    assert answer
    assert all(line.startswith("  ") for line in answer)
    assert last == "  (gsm7, 1 part)"
    assert smsgw("--from", "+40721123456", "stop").stdout == "stop\n  no reply\n"


def test_lines_of_stdin_in_order(registered: Path) -> None:
    lines = [
        '{"from": "359888000001", "text": "smetka"}',
        '{"from": "0888000001", "text": "стоп", "more": 1}',
        '{"text": "help", "from": "359888000001"}',
    ]
    result = smsgw("--stdin", "--json", stdin="\n".join(lines))
    assert (result.exit_code, result.stderr) == (0, "")
    intents = [json.loads(line)["intent"] for line in result.stdout.splitlines()]
    assert intents == ["bill_check", "stop", "help"]


def test_what_surrounds_a_line_of_stdin_is_passed_over(folder: Path) -> None:
    line = '\ufeff\xa0 {"from": "359888000001", "text": "stop"}\u3000\r\n'
    result = smsgw("--stdin", "--json", stdin=line.encode())
    assert (result.exit_code, json.loads(result.stdout)["intent"]) == (0, "stop")


WRONG = [
    pytest.param(b"", id="empty"),
    pytest.param(b" \t\r", id="blank"),
    pytest.param('{"from": "359888000001", "text": "stop"}'.encode("utf-16-le"), id="UTF-16"),
    pytest.param(b"smetka", id="no JSON"),
    pytest.param(b"[1]", id="no object"),
    pytest.param(b'{"from": "359888000001"}', id="no text"),
    pytest.param(b'{"from": 359888000001, "text": "smetka"}', id="a number for a text"),
    pytest.param(b'{"from": "abc", "text": "smetka"}', id="no phone"),
    pytest.param(b'{"from": "\\ud800", "text": "smetka"}', id="half a character"),
    pytest.param(b'{"from": "359888000001", "text": "\xff"}', id="not UTF-8"),
    pytest.param(b"[" * 100_000, id="very deep"),
    pytest.param(b"1" * 10_000, id="a very long number"),
]


@pytest.mark.parametrize("line", WRONG)
def test_a_line_that_cant_be_read(folder: Path, line: bytes) -> None:
    good = b'{"from": "359888000001", "text": "\\ud83d stop"}'
    result = smsgw("--stdin", "--json", stdin=b"\n".join([good, line, good]) + b"\n")
    assert (result.exit_code, result.stderr) == (1, "")
    first, second, third = [json.loads(line) for line in result.stdout.splitlines()]
    assert first == third
    assert (list(second), bool(second["error"])) == (["error"], True)


def test_a_sender_that_cant_be_read(folder: Path) -> None:
    result = smsgw("--from", "abc", "--json", "smetka")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "error": "'abc' is not a phone number, as 0888 123 456 is one"
    }
    result = smsgw("--from", "abc", "smetka")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "'abc' is not a phone number, as 0888 123 456 is one\n"


@pytest.mark.parametrize(
    "args",
    [
        pytest.param([], id="nothing"),
        pytest.param(["smetka"], id="no sender"),
        pytest.param(["--from", "0888000001"], id="no text"),
        pytest.param(["--stdin", "smetka"], id="both"),
        pytest.param(["--stdin", "--carrier", "a1"], id="no such carrier"),
    ],
)
def test_a_wrong_command_line(folder: Path, args: list[str]) -> None:
    result = smsgw(*args, stdin="")
    assert (result.exit_code, result.stdout) == (2, "")

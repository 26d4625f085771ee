"""`smsgw simulate` as people start it: a process of its own, the stock client bound to it."""

import json
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from smpplib import consts
from smpplib.client import Client
from typer.testing import CliRunner

from smsgw.cli import simulate
from smsgw.cli.simulate import app
from smsgw.simulator import (
    Bodies,
    Connect,
    Faults,
    Outbind,
    Pick,
    Sequences,
    SmscSettings,
    TlsFiles,
    Version,
)
from smsgw.simulator.errand import Message

WITHIN = 10.0
ROK = int(consts.SMPP_ESME_ROK)


class Simulator:
    """The command in a process, with what it printed as JSON."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "smsgw", "simulate", "--port", "0", "--json", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,  # nothing is held where select can't see it
        )
        self.port: int = self.next("listening")["port"]

    def next(self, event: str) -> dict[str, Any]:
        """The next line about `event`; others are passed over."""
        assert self.process.stdout is not None
        while True:
            readable, _, _ = select.select([self.process.stdout], [], [], WITHIN)
            line = self.process.stdout.readline() if readable else b""
            assert line, f"no {event}: {self.process.poll()}"
            told: dict[str, Any] = json.loads(line)
            if told["event"] == event:
                return told

    def end(self) -> tuple[int, list[dict[str, Any]], str]:
        """Wait for its end: the exit status, what is left of stdout, stderr."""
        out, err = self.process.communicate(timeout=WITHIN)
        return (
            self.process.returncode,
            [json.loads(line) for line in out.splitlines()],
            err.decode(),
        )


@contextmanager
def simulator(*options: str) -> Iterator[Simulator]:
    running = Simulator(*options)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


@contextmanager
def bound(port: int, received: Callable[[Client, Any], int]) -> Iterator[Client]:
    """The stock client, bound; `received` gives the status for each deliver_sm."""
    client = Client("127.0.0.1", port, timeout=WITHIN, allow_unknown_opt_params=True)
    client.set_message_received_handler(lambda pdu: received(client, pdu))
    client.set_message_sent_handler(lambda pdu: None)
    client.connect()
    try:
        client.bind_transceiver(system_id="cez", password="secret")
        yield client
    finally:
        client.state = consts.SMPP_CLIENT_STATE_OPEN  # it is to go without a word
        client.disconnect()


def answer(client: Client, pdu: Any) -> int:
    """Take a message, and answer it with its own text; receipts are only taken."""
    if pdu.esm_class == 0:
        client.send_message(
            source_addr="170077",
            destination_addr=pdu.source_addr.decode(),
            short_message=b"you said " + pdu.short_message,
            registered_delivery=1,
        )
    return ROK


def test_it_ends_when_every_message_is_acknowledged_and_answered(tmp_path: Path) -> None:
    file = tmp_path / "messages"
    file.write_text("359888123457;сметка\n\n359888123458\tstop; now\n", encoding="utf-8")
    options = ("--once", "--mo", "359888123456:help: me", "--mo-file", str(file))
    with simulator(*options) as simulated:
        with bound(simulated.port, answer) as client:
            for _ in range(9):  # three messages, the responses to the answers, their receipts
                client.read_once(auto_send_enquire_link=False)
        status, told, errors = simulated.end()
    assert (status, errors) == (0, "")
    answered = [each for each in told if each["event"] == "mo_answered"]
    assert {(each["source"], each["text"], each["status"], each["state"]) for each in answered} == {
        ("359888123456", "help: me", ROK, "acknowledged"),
        ("359888123457", "сметка", ROK, "acknowledged"),
        ("359888123458", "stop; now", ROK, "acknowledged"),
    }
    mts = {each["destination"]: each["text"] for each in told if each["event"] == "mt"}
    assert mts["359888123458"] == "you said stop; now"
    assert told[-1] == {
        "event": "summary",
        "mos": 3,
        "acknowledged": 3,
        "refused": 0,
        "given_up": 0,
        "mts": 3,
        "unserved": [],
    }


def test_a_message_left_unacknowledged_is_sent_again_after_the_next_bind() -> None:
    options = ("--once", "--no-answers", "--mo", "359888123456:smetka", "--retry-interval", "0.01")
    with simulator(*options) as simulated:
        with bound(simulated.port, lambda *_: ROK) as client:
            assert client.read_pdu().short_message == b"smetka"
        assert simulated.next("mo_unanswered")["mo"] == 1
        with bound(simulated.port, lambda *_: ROK) as client:
            client.read_once(auto_send_enquire_link=False)
        status, told, _ = simulated.end()
    assert status == 0
    assert [each["attempt"] for each in told if each["event"] == "mo_sent"] == [2]


@pytest.mark.parametrize("source", ["+359888123456", "00359888123456", "0888123456"])
def test_an_answer_is_known_however_the_sender_was_written(source: str) -> None:
    def answer(client: Client, pdu: Any) -> int:
        client.send_message(
            source_addr="170077", destination_addr="359888123456", short_message=b"yes"
        )
        return ROK

    with simulator("--once", "--patience", "5", "--mo", f"{source}:smetka") as simulated:
        with bound(simulated.port, answer) as client:
            for _ in range(2):  # the message, the response to the answer
                client.read_once(auto_send_enquire_link=False)
        status, told, errors = simulated.end()
    assert (status, told[-1]["unserved"], errors) == (0, [], "")


@pytest.mark.parametrize(
    ("statuses", "unserved"),
    [
        ([consts.SMPP_ESME_RX_R_APPN], "MO 1  359888123456  smetka: refused\n"),
        ([ROK], "MO 1  359888123456  smetka: no answer\n"),
        ([consts.SMPP_ESME_RX_T_APPN] * 2, "MO 1  359888123456  smetka: given_up\n"),
    ],
    ids=["refused", "not answered", "given up"],
)
def test_it_says_what_was_not_served(statuses: list[int], unserved: str) -> None:
    options = ("--once", "--patience", "0.5", "--tries", "2", "--retry-interval", "0.01")
    given = iter(statuses)
    with simulator(*options, "--mo", "359888123456:smetka") as simulated:
        with bound(simulated.port, lambda *_: next(given)) as client:
            for _ in statuses:
                client.read_once(auto_send_enquire_link=False)
        status, told, errors = simulated.end()
    assert (status, errors, told[-1]["unserved"]) == (1, unserved, [1])


def test_lines_of_stdin_are_sent_as_they_come() -> None:
    with simulator("--once", "--mo-file", "-") as simulated:
        stdin = simulated.process.stdin
        assert stdin is not None
        with bound(simulated.port, answer) as client:
            for text in ("one", "two"):
                stdin.write(f"359888123456;{text}\n".encode())
                assert simulated.next("mo_sent")["text"] == text
                for _ in range(3):
                    client.read_once(auto_send_enquire_link=False)
            stdin.write(b"three\n")
        status, told, errors = simulated.end()
    assert (status, told[-1]["mos"]) == (1, 2)
    assert errors == "line 3: 'three': write the customer's number, a tab or a ;, the text\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("options", [(), ("--mo-file", "-"), ("--once", "--mo", "1:a")], ids=str)
def test_a_signal_ends_it(number: signal.Signals, options: tuple[str, ...]) -> None:
    with simulator(*options) as simulated:
        simulated.process.send_signal(number)
        assert simulated.next("summary")["acknowledged"] == 0
        assert simulated.process.wait(WITHIN) == ("--once" in options)


def test_the_fault_asked_for_strikes() -> None:
    faults = ("--refuse", "first:1", "--refuse-status", "RMSGQFUL")
    with simulator(*faults) as simulated, bound(simulated.port, answer) as client:
        client.send_message(source_addr="1", destination_addr="2", short_message=b"3")
        assert client.read_pdu().status == consts.SMPP_ESME_RMSGQFUL
        assert simulated.next("submit_refused")["status_name"] == "ESME_RMSGQFUL"


def test_people_are_told_who_may_bind() -> None:
    told = CliRunner().invoke(
        app,
        ["--port", "0", "--once", "--patience", "0.1", "--mo", "359888123456:smetka"],
    )
    assert told.exit_code == 1
    assert "; anyone may bind, with any password\n" in told.stdout
    assert told.stdout.endswith("customers' messages: 1 waiting; messages to customers: 0\n")
    assert told.stderr == "MO 1  359888123456  smetka: waiting\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--mo", "359888123456"], "write the customer's number, a :, the text"),
        (["--mo", ":smetka"], "write the customer's number, a :, the text"),
        (["--refuse", "5"], "write all, first:5, each:3 or 10%"),
        (["--lose", "1/2"], "write all, first:5, each:3 or 10%"),
        (["--refuse-status", "NONE"], "write a status by its name or number"),
        (["--refuse-bind-status", "0"], "write a status by its name or number"),
        (["--port", "65536"], "'--port': 65536 is too large: the most is 65535"),
        (["--port", "x"], "'--port': 'x' is not a whole number"),
        (["--window", "0"], "'--window': 0 is too small: the least is 1"),
        (["--rate", "-1"], "'--rate': -1 is too small: the least is 0"),
        (["--delay", "nan"], "'--delay': 'nan' is not a number"),
        (["--ids", "octal"], "'--ids': 'octal' is none of decimal, hex, hex_in_response"),
        (["--connect", "gateway"], "'gateway': write HOST:PORT"),
        (["--connect", "gateway:0"], "'gateway:0': write HOST:PORT"),
        (["--outbind", ":2775"], "':2775': write HOST:PORT"),
        (["--outbind", "a:1", "--connect", "a:1"], "--outbind or --connect, not both"),
        (["--tls-ca", __file__], "who listens has to show a certificate: --tls-cert"),
        (["--tls-cert", "/no/such"], "Invalid value for '--tls-cert'"),
        (["--version", "3.3", "--long-messages", "payload"], "payload takes TLVs: 3.3 knows none"),
        (["--version", "3.3", "--long-messages", "sar"], "sar takes TLVs: 3.3 knows none"),
        (["--parts", "1,,2"], "write numbers from 1 with commas"),
        (["--parts", "0,1"], "write numbers from 1 with commas"),
        (["--version", "5.0"], "'--version': '5.0' is none of 3.3, 3.4"),
        (["--sequences", "odd"], "'--sequences': 'odd' is none of plain, zero, same, large"),
        (["--malform", "some"], "write all, first:5, each:3 or 10%"),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value),
)
def test_a_wrong_command_line_is_refused(arguments: list[str], said: str) -> None:
    refused = CliRunner().invoke(app, ["--once", "--patience", "0.1", *arguments])
    assert refused.exit_code == 2
    assert said in " ".join(refused.stderr.split())


def test_its_help_has_no_types_of_a_programming_language() -> None:
    told = CliRunner().invoke(app, ["--help"])
    assert "--port PORT" in told.stdout
    assert "<" not in told.stdout


def test_every_wrong_line_of_a_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "messages"
    file.write_text("smetka\n359888123456;smetka\n;stop\n", encoding="utf-8")
    refused = CliRunner().invoke(app, ["--port", "0", "--mo-file", str(file)])
    assert refused.exit_code == 1
    assert refused.stderr == (
        f"{file}:1: 'smetka': write the customer's number, a tab or a ;, the text\n"
        f"{file}:3: ';stop': write the customer's number, a tab or a ;, the text\n"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file or directory"), (b"\xff", "can't decode byte 0xff")],
    ids=["missing", "not UTF-8"],
)
def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    file = tmp_path / "messages"
    if content is not None:
        file.write_bytes(content)
    refused = CliRunner().invoke(app, ["--port", "0", "--mo-file", str(file)])
    assert (refused.exit_code, said in refused.stderr) == (1, True)


def test_a_message_that_cannot_be_sent_is_refused() -> None:
    refused = CliRunner().invoke(app, ["--port", "0", "--mo", f"{'3' * 21}:smetka"])
    assert refused.exit_code == 1
    assert refused.stderr.startswith("a message can't be sent: source_addr ")


def test_a_port_in_use_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = CliRunner().invoke(app, ["--port", str(port)])
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"127.0.0.1:{port}: ")
    assert "in use" in refused.stderr


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("359888123456;smetka", Message("359888123456", "smetka")),
        ("359888123456\tsmetka; molya\n", Message("359888123456", "smetka; molya")),
        (" 359888123456 ; \tsmetka ", Message("359888123456", "smetka")),
        ("359888123456;", Message("359888123456", "")),
    ],
    ids=["semicolon", "tab first", "blanks", "no text"],
)
def test_a_line_is_read(line: str, message: Message) -> None:
    assert Message.parse(line) == message


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[SmscSettings, Faults]]:
    """What the simulator is started with, instead of its start."""
    seen: list[tuple[SmscSettings, Faults]] = []

    async def serve(settings: SmscSettings, faults: Faults, *_: Any, **__: Any) -> int:
        seen.append((settings, faults))
        return 0

    monkeypatch.setattr(simulate, "_serve", serve)
    return seen


@pytest.mark.parametrize(
    ("arguments", "faults"),
    [
        ("", Faults()),
        ("--throttle 30 --throttle-burst 5", Faults(throttle=30, throttle_burst=5)),
        ("--queue 100", Faults(queue=100)),
        ("--freeze-after 3", Faults(freeze_after=3)),
        ("--no-enquire-link-resp", Faults(no_enquire_link_resp=True)),
        ("--stop-reading", Faults(stop_reading=True)),
        ("--unbind-after 2.5", Faults(unbind_after=2.5)),
        ("--sequences large", Faults(sequences=Sequences.LARGE)),
        ("--bodies nul", Faults(bodies=Bodies.NUL)),
        ("--malform each:3", Faults(malform=Pick(each=3))),
        (
            "--lose-receipts 10% --no-queries",
            Faults(lose_receipts=Pick(share=0.1), no_queries=True),
        ),
        ("--mute --reset --drop-after 4", Faults(mute=True, drop_by_reset=True, drop_after=4)),
    ],
)
def test_faults_are_asked_for(
    asked: list[tuple[SmscSettings, Faults]], arguments: str, faults: Faults
) -> None:
    assert CliRunner().invoke(app, ["--once", *arguments.split()]).exit_code == 0
    assert asked[0][1] == faults


FILE = Path(__file__)


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        (f"--tls-cert {FILE}", {"tls": TlsFiles(cert=FILE)}),
        (
            f"--tls-cert {FILE} --tls-key {FILE} --tls-ca {FILE}",
            {"tls": TlsFiles(FILE, FILE, FILE)},
        ),
        ("--version 3.3", {"version": Version.V3_3}),
        ("--long-messages sar --parts 3,1,1", {"parts": (3, 1, 1)}),
        ("--connect h:1 --redial 2", {"dials": Connect("h", 1), "redial": 2.0}),
        (
            "--connect [::1]:9 --system-id us --password p",
            {"dials": Connect("::1", 9, "us", "p"), "system_id": "us", "password": "p"},
        ),
        (f"--connect h:1 --tls-ca {FILE}", {"dials": Connect("h", 1), "tls": TlsFiles(ca=FILE)}),
        (
            "--outbind h:1 --outbind-system-id us --outbind-password p --system-id cez",
            {"dials": Outbind("h", 1, "us", "p"), "system_id": "cez"},
        ),
    ],
)
def test_an_smsc_of_another_sort_is_asked_for(
    asked: list[tuple[SmscSettings, Faults]], arguments: str, changed: dict[str, Any]
) -> None:
    assert CliRunner().invoke(app, ["--once", *arguments.split()]).exit_code == 0
    assert {name: getattr(asked[0][0], name) for name in changed} == changed


@pytest.mark.parametrize("as_json", [False, True], ids=["people", "programs"])
def test_it_says_whom_it_dials(as_json: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        options = ["--connect", f"127.0.0.1:{port}", "--once", "--patience", "0.1", "--mo", "1:a"]
        told = CliRunner().invoke(app, options + ["--json"] * as_json)
    assert told.exit_code == 1
    first = told.stdout.splitlines()[0]
    if as_json:
        assert json.loads(first) == {"event": "dialling", "host": "127.0.0.1", "port": port}
    else:
        assert first == f"dialling 127.0.0.1:{port}"


@pytest.mark.parametrize(
    "options",
    [
        ["--port", "0", "--tls-cert", str(FILE)],
        ["--connect", "127.0.0.1:1", "--tls-ca", str(FILE)],
    ],
    ids=["listening", "dialling"],
)
def test_a_tls_file_that_is_none_is_an_error(options: list[str]) -> None:
    refused = CliRunner().invoke(app, options)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert f"{FILE} is of no use: " in refused.stderr

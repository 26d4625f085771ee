"""The carrier of a phone's registrations, through the real daemon: by what it is known, how it
changes, and what happens where a carrier says that a number is not its own."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 60.0  # seconds: machines are shared
PHONE, NUMBER = "359888123456", "300012345678"
FEED = f"""\
customer_number,bill_number,issued_on,due_on,cut_off_on,amount,currency,status
{NUMBER},,,,,,,
"""
CARRIER = "{{host: 127.0.0.1, port: {port}, system_id: cez, password: secret, {more}}}"


class Gateway:
    """A configuration, the real command, and what it stores."""

    def __init__(self, folder: Path, ports: Mapping[str, int]) -> None:
        self._folder = folder
        self._ports = ports
        self.config = folder / "smsgw.yaml"
        (folder / "bills.csv").write_text(FEED, encoding="utf-8")

    def configure(self, *, find_carrier: bool = False, **more: str | None) -> None:
        """Write the configuration: a carrier's further keys by its name, None for one that is
        gone from it."""
        carriers = [
            f"  {name}: " + CARRIER.format(port=port, more=more.get(name) or "")
            for name, port in self._ports.items()
            if more.get(name, "") is not None
        ]
        lines = [
            'shortcode: "170077"',
            f"data_dir: {self._folder / 'data'}",
            "carriers:",
            *carriers,
            f"subscriptions: {{find_carrier: {json.dumps(find_carrier)}}}",
            'http: {listen: "127.0.0.1:0"}',
        ]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "smsgw", "-c", str(self.config), *arguments]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=PATIENCE
        )

    def done(self, *arguments: str) -> str:
        done = self(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def register(self, *options: str) -> None:
        """By a file's channel: the phone isn't told."""
        self.done("subscribers", "add", PHONE, NUMBER, "--channel", "import", *options)

    def carrier(self, phone: str = PHONE) -> tuple[str | None, bool]:
        """Of the phone's registration, and whether it is in doubt."""
        (record,) = json.loads(self.done("subscribers", "show", phone, "--json"))
        return record["carrier"], record["suspect_at"] is not None

    def wait_for_carrier(self, carrier: str | None, *, suspect: bool) -> None:
        end = time.monotonic() + PATIENCE
        while (found := self.carrier()) != (carrier, suspect):
            assert time.monotonic() < end, found

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._folder / "data" / "gateway.db")) as con:
            return con.execute(query).fetchall()

    def audit(self) -> list[tuple[str, str, str]]:
        return self.rows("SELECT change, value, who FROM audit WHERE id > 1 ORDER BY id")


Start = Callable[..., Any]


@pytest.fixture
def gateway(tmp_path: Path) -> Callable[..., Gateway]:
    """A gateway for the given simulated carriers, whose cache knows NUMBER."""

    def made(**carriers: Any) -> Gateway:
        ports = {name: one.wait_for("listening")["port"] for name, one in carriers.items()}
        gateway = Gateway(tmp_path, ports)
        gateway.configure()
        gateway.done("billing", "import", str(tmp_path / "bills.csv"))
        return gateway

    return made


@pytest.mark.parametrize(
    ("ranges", "options", "carrier"),
    [
        pytest.param(True, ("--carrier", "telenor"), "telenor", id="as the clerk names it"),
        pytest.param(True, (), "mtel", id="by the number range"),
        pytest.param(False, (), None, id="by nothing yet"),
    ],
)
def test_where_it_comes_from_until_the_phone_writes(
    gateway: Callable[..., Gateway],
    simulate: Start,
    run: Start,
    ranges: bool,
    options: tuple[str, ...],
    carrier: str | None,
) -> None:
    mtel, telenor, vivacom = (simulate("--mo-file", "-") for _ in range(3))
    smsgw = gateway(mtel=mtel, telenor=telenor, vivacom=vivacom)
    smsgw.configure(mtel='number_ranges: ["35988"]' if ranges else "")
    smsgw.register(*options)
    assert smsgw.carrier() == (carrier, False)
    sent = smsgw("send", PHONE, "by hand")
    if carrier is None:
        assert (sent.returncode, sent.stdout) == (1, "")
        assert "name one with --carrier" in sent.stderr

    daemon = run(smsgw.config)
    if carrier is not None:
        assert {"mtel": mtel, "telenor": telenor}[carrier].wait_for("mt")["text"] == "by hand"
    vivacom.wait_for("bound")
    vivacom.tell(f"{PHONE}\tsmetka")
    assert NUMBER in vivacom.wait_for("mt")["text"]
    assert smsgw.carrier() == ("vivacom", False)
    assert smsgw.audit() == [("moved", "vivacom", "customer")]
    assert daemon.terminate() == 0


def test_by_the_link_of_its_message_also_when_that_carrier_goes(
    gateway: Callable[..., Gateway], simulate: Start, run: Start
) -> None:
    mtel, telenor = (simulate("--mo-file", "-") for _ in range(2))
    smsgw = gateway(mtel=mtel, telenor=telenor)
    smsgw.configure(telenor='number_ranges: ["35988"]')
    daemon = run(smsgw.config)
    mtel.wait_for("bound")
    mtel.tell(f"{PHONE}\t{NUMBER}")
    assert NUMBER in mtel.wait_for("mt")["text"]
    assert smsgw.carrier() == ("mtel", False)
    assert daemon.terminate() == 0

    for gone, words in (("enabled: false", "is with mtel, which is not enabled"), (None, "mtel")):
        smsgw.configure(mtel=gone)
        refused = smsgw("send", PHONE, "by hand")
        assert (refused.returncode, words in refused.stderr) == (1, True)
        assert smsgw.carrier() == ("mtel", False)

    daemon = run(smsgw.config)
    telenor.wait_for("bound")
    telenor.tell(f"{PHONE}\tsmetka")
    assert NUMBER in telenor.wait_for("mt")["text"]
    assert smsgw.carrier() == ("telenor", False)
    assert smsgw.audit() == [("moved", "telenor", "customer")]
    assert daemon.terminate() == 0


WORD = "0x0000000b ESME_RINVDSTADR"


def test_marked_and_cleared(gateway: Callable[..., Gateway], simulate: Start, run: Start) -> None:
    mtel = simulate("--mo-file", "-", "--refuse", "first:1", "--refuse-status", "RINVDSTADR")
    telenor = simulate()
    smsgw = gateway(mtel=mtel, telenor=telenor)
    smsgw.register("--carrier", "mtel")
    daemon = run(smsgw.config)
    smsgw.done("send", PHONE, "by hand")
    smsgw.wait_for_carrier("mtel", suspect=True)
    (listed,) = json.loads(smsgw.done("subscribers", "list", "--suspect", "--json"))
    assert listed["msisdn"] == PHONE

    mtel.tell(f"{PHONE}\tsmetka")
    assert NUMBER in mtel.wait_for("mt")["text"]
    assert smsgw.carrier() == ("mtel", False)
    assert smsgw.done("subscribers", "list", "--suspect", "--json") == "[]\n"
    assert smsgw.audit() == [("suspect", f"mtel: {WORD}", "daemon"), ("cleared", "", "customer")]
    assert daemon.terminate() == 0
    assert not telenor.of("mt")  # find_carrier is off


def test_found_over_the_third_carrier_after_a_kill(
    gateway: Callable[..., Gateway], simulate: Start, run: Start
) -> None:
    """The first refuses the number, the second gives up by a receipt, the third delivers; the
    daemon dies while it waits for the third."""
    mtel = simulate("--refuse", "all", "--refuse-status", "RINVDSTADR")
    telenor = simulate("--receipt-stat", "UNDELIV", "--receipt-err", "001")
    vivacom = simulate()
    smsgw = gateway(mtel=mtel, telenor=telenor, vivacom=vivacom)
    smsgw.configure(find_carrier=True)
    smsgw.register("--carrier", "mtel")
    daemon = run(smsgw.config)
    vivacom.wait_for("bound")
    smsgw.done("carriers", "drain", "vivacom")
    text = " ".join(["дълго съобщение"] * 8)
    smsgw.done("send", PHONE, text)
    telenor.wait_for("receipt_answered", 2)
    end = time.monotonic() + PATIENCE
    while not smsgw.rows("SELECT 1 FROM mt WHERE carrier = 'vivacom'"):
        assert time.monotonic() < end
    assert smsgw.carrier() == ("mtel", True)
    daemon.kill()

    daemon = run(smsgw.config)
    smsgw.wait_for_carrier("vivacom", suspect=False)
    assert smsgw.rows("SELECT carrier, found_from FROM mt ORDER BY id") == [
        ("mtel", None),
        ("telenor", 1),
        ("vivacom", 2),
    ]
    assert [[mt["text"] for mt in one.of("mt")] for one in (mtel, telenor, vivacom)] == [
        [],
        [text],
        [text],
    ]
    assert smsgw.audit() == [
        ("suspect", f"mtel: {WORD}", "daemon"),
        ("moved", "vivacom", "daemon"),
        ("cleared", "", "daemon"),
    ]
    assert daemon.terminate() == 0

"""The real daemon and `smsgw simulate`, by each way in which they can come to be connected."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

CERTIFICATES = Path(__file__).parents[1] / "carrier" / "certificates"
AUTHORITY, SERVER, CLIENT = (
    CERTIFICATES / f"{name}.pem" for name in ("authority", "server", "client")
)

CONFIG = """\
shortcode: "170077"
data_dir: {data_dir}
carriers:
  mtel: {{{carrier}}}
http: {{listen: "127.0.0.1:0"}}
"""
LISTEN = '{listen: "127.0.0.1:0", system_id: mtel, password: theirs}'
TLS = f"tls: {{ca_file: {AUTHORITY}, cert_file: {SERVER}}}"
SHOWN = ("--tls-ca", str(AUTHORITY), "--tls-cert", str(CLIENT))
MO = ("--mo", "359888123456:help")

Start = Callable[..., Any]


def write_config(folder: Path, carrier: str) -> Path:
    config = folder / "smsgw.yaml"
    config.write_text(CONFIG.format(data_dir=folder / "data", carrier=carrier), encoding="utf-8")
    return config


def check(simulator: Any, daemon: Any, folder: Path) -> None:
    """A message was acknowledged and answered, and the receipt of the answer taken."""
    assert simulator.wait_for("mo_answered")["status"] == 0
    assert simulator.wait_for("mt")["destination"] == "359888123456"
    assert simulator.wait_for("receipt_answered")["status"] == 0
    assert daemon.terminate() == 0
    with closing(sqlite3.connect(folder / "data" / "gateway.db")) as con:
        assert con.execute("SELECT DISTINCT state FROM segment").fetchall() == [("delivered",)]


ACCEPT = f"accept: {LISTEN}"
OUTBIND = f"outbind: {LISTEN}, system_id: cez, password: ours"
CONNECTING = ("--connect", "{}", "--system-id", "mtel", "--password", "theirs")
SENDING_OUTBIND = (
    *("--outbind", "{}", "--outbind-system-id", "mtel", "--outbind-password", "theirs"),
    *("--system-id", "cez", "--password", "ours"),
)


@pytest.mark.parametrize(
    ("carrier", "options"),
    [
        (ACCEPT, CONNECTING),
        (f"{ACCEPT}, {TLS}", (*CONNECTING, *SHOWN)),
        (OUTBIND, SENDING_OUTBIND),
        (f"{OUTBIND}, {TLS}", (*SENDING_OUTBIND, *SHOWN)),
    ],
    ids=["accept", "accept, TLS", "outbind", "outbind, TLS"],
)
def test_the_carrier_dials(
    tmp_path: Path, run: Start, simulate: Start, carrier: str, options: tuple[str, ...]
) -> None:
    daemon = run(write_config(tmp_path, carrier))
    address = daemon.wait_for("link.listening")["listen"]
    simulator = simulate(*(option.format(address) for option in options), *MO)
    assert simulator.wait_for("dialling")["port"] == int(address.rpartition(":")[2])
    check(simulator, daemon, tmp_path)


@pytest.mark.parametrize(
    ("carrier", "options"),
    [
        ("", ()),
        (
            f", tls: {{ca_file: {AUTHORITY}, cert_file: {CLIENT}}}",
            ("--tls-cert", str(SERVER), "--tls-ca", str(AUTHORITY)),
        ),
        ("", ("--version", "3.3")),
        ("", ("--sequences", "zero", "--malform", "all", "--bodies", "always")),
    ],
    ids=["plain", "TLS", "3.3", "odd"],
)
def test_the_gateway_dials(
    tmp_path: Path, run: Start, simulate: Start, carrier: str, options: tuple[str, ...]
) -> None:
    simulator = simulate(*options, *MO)
    port = simulator.wait_for("listening")["port"]
    settings = f"host: 127.0.0.1, port: {port}, system_id: cez, password: ours"
    daemon = run(write_config(tmp_path, settings + carrier))
    check(simulator, daemon, tmp_path)


def test_who_shows_no_certificate_is_not_let_in(
    tmp_path: Path, run: Start, simulate: Start
) -> None:
    simulator = simulate("--tls-cert", str(SERVER), "--tls-ca", str(AUTHORITY))
    port = simulator.wait_for("listening")["port"]
    settings = f"host: 127.0.0.1, port: {port}, system_id: cez, password: ours"
    daemon = run(write_config(tmp_path, f"{settings}, tls: {{ca_file: {AUTHORITY}}}"))
    daemon.wait_for("link.unreachable")
    assert not simulator.of("bound")

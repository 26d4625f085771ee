"""Encrypted connections, dialled and listened for; the certificates say how they were made."""

import asyncio
import os
import shutil
import ssl
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from structlog.testing import capture_logs

from smsgw.carrier import tls
from smsgw.carrier.ids import SessionIds
from smsgw.carrier.link import Link
from smsgw.log import get_logger
from smsgw.service.ports import LinkStatus
from smsgw.settings.transport import Tls
from smsgw.smpp.session import Limits, Role, Session
from smsgw.smpp.tables import Command

CERTIFICATES = Path(__file__).with_name("certificates")


def pem(name: str) -> Path:
    return CERTIFICATES / f"{name}.pem"


def server(name: str = "server", client_ca: str | None = None) -> ssl.SSLContext:
    """The SMSC's side."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem(name))
    if client_ca:
        context.load_verify_locations(pem(client_ca))
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client(certificate: str | None = None) -> ssl.SSLContext:
    """The side of a carrier that dials us."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(pem("authority"))
    if certificate:
        context.load_cert_chain(pem(certificate))
    return context


class Bench:
    """A link, and the SMSC of the world with TLS before it."""

    def __init__(self, world: Any, **keys: Any) -> None:
        self.world = world
        self.link = Link(
            world.settings(**keys),
            "170077",
            world.diary,
            world.clock,
            ids=SessionIds(),
            random=Random(1),
        )
        self.running = asyncio.ensure_future(self.link.run())

    async def tried(self) -> str:
        """Why the first try failed; empty: it did not."""
        await self.world.until(lambda: self.link.state().last_error or self.link.capacity())
        return self.link.state().last_error

    async def stop(self) -> None:
        await self.link.stop(0)
        await self.running


Play = Callable[..., None]


@pytest.fixture
def play(world: Any) -> Play:
    """Runs a scenario with a link that is stopped after it; `context`: of the SMSC."""

    def run(scenario: Any, context: ssl.SSLContext | None, **keys: Any) -> None:
        async def whole() -> None:
            await world.smsc.close()
            await world.smsc.open(ssl=context)
            bench = Bench(world, **keys)
            try:
                await scenario(bench)
            finally:
                await bench.stop()

        world.run(whole)

    return run


REFUSED = "the certificate is refused: "


@pytest.mark.parametrize(
    ("context", "keys", "expected"),
    [
        pytest.param(server(), {"ca_file": pem("authority")}, "", id="all is well"),
        pytest.param(
            server(),
            {"ca_file": pem("authority"), "server_name": "smsc.example"},
            "",
            id="another name",
        ),
        pytest.param(
            server(),
            {"ca_file": pem("authority"), "server_name": "other.example"},
            f"{REFUSED}Hostname mismatch, certificate is not valid for 'other.example'.",
            id="the wrong name",
        ),
        pytest.param(
            server("elsewhere"),
            {"ca_file": pem("authority")},
            f"{REFUSED}IP address mismatch, certificate is not valid for '127.0.0.1'.",
            id="a certificate without the address",
        ),
        pytest.param(
            server("strangers-server"),
            {"ca_file": pem("authority")},
            f"{REFUSED}unable to get local issuer certificate",
            id="the wrong authority",
        ),
        pytest.param(
            server(),
            {},
            f"{REFUSED}unable to get local issuer certificate",
            id="an authority that the system does not know",
        ),
        pytest.param(
            server(client_ca="authority"),
            {"ca_file": pem("authority"), "cert_file": pem("client")},
            "",
            id="our own certificate",
        ),
    ],
)
def test_dialling(play: Play, context: ssl.SSLContext, keys: Any, expected: str) -> None:
    async def scenario(bench: Bench) -> None:
        assert await bench.tried() == expected

    play(scenario, context, tls=keys)


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("keys", [{}, {"cert_file": pem("strangers-client")}])
def test_an_smsc_that_wants_another_certificate_of_ours(
    world: Any, play: Play, newest: ssl.TLSVersion, keys: Any
) -> None:
    context = server(client_ca="authority")
    context.maximum_version = newest

    async def scenario(bench: Bench) -> None:
        assert await bench.tried()
        assert world.smsc.binds == []

    play(scenario, context, tls={"ca_file": pem("authority"), **keys})


def test_a_conversation_over_tls(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.tried()
        peer = world.smsc.peer
        assert peer.transport.get_extra_info("cipher")
        peer.deliver([world.mo() for _ in range(100)])
        bench.link.submit([world.segment(number) for number in range(50)])
        await world.until(lambda: len(peer.answers) == 100 and len(world.diary.outcomes) == 50)

    play(scenario, server(), tls={"ca_file": pem("authority")})


def test_an_smsc_without_tls_is_not_talked_to_in_clear(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        assert await bench.tried()
        assert world.smsc.binds == []

    play(scenario, None, tls=True)


@pytest.mark.parametrize(
    ("make", "verifies", "checks_name"),
    [(tls.dialling, ssl.CERT_REQUIRED, True), (tls.listening, ssl.CERT_REQUIRED, False)],
)
def test_what_every_context_insists_on(
    make: Callable[[Tls], ssl.SSLContext], verifies: ssl.VerifyMode, checks_name: bool
) -> None:
    context = make(Tls(ca_file=pem("authority"), cert_file=pem("server")))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert (context.verify_mode, context.check_hostname) == (verifies, checks_name)


def test_the_systems_authorities_are_the_default() -> None:
    context = tls.dialling(Tls())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


# -- listening -------------------------------------------------------------------------------

ACCEPT = {"listen": "127.0.0.1:0", "system_id": "mtel", "password": "hush"}


class Caller(asyncio.Protocol):
    """A carrier that binds to us, and no more."""

    def __init__(self) -> None:
        self.session = Session(Role.ESME, Limits(), asyncio.get_running_loop().time())
        self.lost: list[Exception | None] = []
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.session.bind(Command.BIND_TRANSCEIVER, 0, system_id="mtel", password="hush")
        transport.write(self.session.take_output())

    def data_received(self, data: bytes) -> None:
        self.session.receive(data, 0)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)


async def call(bench: Bench, context: ssl.SSLContext | None) -> Caller:
    await bench.world.until(lambda: bench.link.listens_on)
    host, port = bench.link.listens_on[0]
    loop = asyncio.get_running_loop()
    _, caller = await loop.create_connection(Caller, host, port, ssl=context)
    return caller


@pytest.mark.parametrize(
    ("ca_file", "certificate", "let_in"),
    [
        (None, None, True),
        (None, "strangers-client", True),
        ("authority", "client", True),
        ("authority", None, False),
        ("authority", "strangers-client", False),
    ],
)
def test_listening(
    world: Any, play: Play, ca_file: str | None, certificate: str | None, let_in: bool
) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await call(bench, client(certificate))
        await world.until(lambda: bench.link.capacity() or caller.lost)
        assert bool(bench.link.capacity()) is let_in
        caller.transport.abort()
        await world.until(lambda: caller.lost)

    keys = {"cert_file": pem("server"), "ca_file": ca_file and pem(ca_file)}
    with capture_logs() as logs:
        play(scenario, None, tls=keys, accept=ACCEPT)
    assert [each["why"] for each in logs if "why" in each] == ([] if let_in else ["tls"])


def test_who_talks_clear_text_to_a_listener_with_tls_is_cut(world: Any, play: Play) -> None:
    async def scenario(bench: Bench) -> None:
        caller = await call(bench, None)
        await world.until(lambda: caller.lost)
        assert bench.link.state().status is LinkStatus.WAITING

    play(scenario, None, tls={"cert_file": pem("server")}, accept=ACCEPT)


def test_a_handshake_that_does_not_go_on_holds_a_place_for_a_bounded_time(
    world: Any, play: Play
) -> None:
    class Silent(asyncio.Protocol):
        lost_at: float | None = None

        def connection_lost(self, exc: Exception | None) -> None:
            self.lost_at = asyncio.get_running_loop().time()

    async def scenario(bench: Bench) -> None:
        await world.until(lambda: bench.link.listens_on)
        loop = asyncio.get_running_loop()
        host, port = bench.link.listens_on[0]
        _, first = await loop.create_connection(Silent, host, port)
        _, second = await loop.create_connection(Silent, host, port)
        await world.until(lambda: second.lost_at is not None)
        assert first.lost_at is None
        await world.until(lambda: first.lost_at is not None)
        assert first.lost_at == pytest.approx(10, abs=0.5)

    listener = {**ACCEPT, "connections": 1}
    play(scenario, None, tls={"cert_file": pem("server")}, accept=listener)


# -- renewal ---------------------------------------------------------------------------------


def put(name: str, path: Path, moment: int) -> None:
    """A file as it would be written at `moment`: two within one tick of a disk differ too."""
    shutil.copy(pem(name), path)
    os.utime(path, ns=(moment, moment))


def serial(caller: Caller) -> str:
    certificate = caller.transport.get_extra_info("peercert")
    return str(certificate["serialNumber"])


def test_a_renewed_certificate_is_shown_to_the_next_who_dials(
    world: Any, play: Play, tmp_path: Path
) -> None:
    path = tmp_path / "shown.pem"
    put("server", path, 1)

    async def scenario(bench: Bench) -> None:
        before = await call(bench, client())
        await world.until(bench.link.capacity)
        put("renewed", path, 2)
        after = await call(bench, client())
        assert serial(before) != serial(after)
        assert not before.lost
        path.write_text("no certificate")
        broken = await call(bench, client())
        assert serial(broken) == serial(after)
        for each in (before, after, broken):
            each.transport.abort()
        await world.until(lambda: before.lost and after.lost and broken.lost)

    with capture_logs() as logs:
        play(scenario, None, tls={"cert_file": path}, accept=ACCEPT)
    assert [each["event"] for each in logs if each["log_level"] == "error"] == ["tls.files_unfit"]


def test_a_renewed_authority_is_believed_at_the_next_dial(
    world: Any, play: Play, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    put("stranger", path, 1)

    async def scenario(bench: Bench) -> None:
        assert await bench.tried() == f"{REFUSED}unable to get local issuer certificate"
        put("authority", path, 2)
        await world.until(bench.link.capacity)

    play(scenario, server(), tls={"ca_file": path})


def contexts(path: Path) -> tls.Contexts:
    return tls.Contexts(tls.listening, Tls(cert_file=path), get_logger())


def test_the_same_files_are_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.pem"
    put("server", path, 1)
    made = contexts(path)
    first = made.current()
    assert made.current() is first
    put("server", path, 2)
    assert made.current() is not first


def test_a_broken_file_keeps_the_old_and_is_complained_of_once(tmp_path: Path) -> None:
    path = tmp_path / "a.pem"
    put("server", path, 1)
    made = contexts(path)
    first = made.current()
    with capture_logs() as logs:
        put("authority", path, 2)  # a certificate without its key
        assert made.current() is made.current() is first
        path.unlink()
        assert made.current() is made.current() is first
        put("renewed", path, 3)
        assert made.current() is not first
    assert [(each["event"], each.get("kept")) for each in logs if each["log_level"] == "error"] == [
        ("tls.files_unfit", True),
        ("tls.files_unfit", True),
    ]


@pytest.mark.parametrize("content", ["authority", "client"])
def test_files_that_never_were_any_good(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.pem"
    put("authority", path, 1)
    made = contexts(path)
    for _ in range(2):
        with pytest.raises(OSError, match="is of no use"):
            made.current()
    put("server", path, 2)
    assert made.current()


def test_a_listener_with_files_that_are_no_good_waits_for_better_ones(
    world: Any, play: Play, tmp_path: Path
) -> None:
    path = tmp_path / "a.pem"
    put("authority", path, 1)

    async def scenario(bench: Bench) -> None:
        await world.until(lambda: bench.link.state().last_error)
        assert bench.link.state().last_error == (
            f"{path} is of no use: not in PEM, or of another key"
        )
        assert bench.link.listens_on == ()
        put("server", path, 2)
        caller = await call(bench, client())
        await world.until(bench.link.capacity)
        caller.transport.abort()
        await world.until(lambda: caller.lost)

    play(scenario, None, tls={"cert_file": path}, accept=ACCEPT)

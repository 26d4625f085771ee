"""The daemon's control socket: the commands' client at one end, a fleet of links at the other."""

import asyncio
import os
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from smsgw.service.ports import LinkState, LinkStatus
from smsgw.web import control, unix
from smsgw.web.client import Control, ControlError
from smsgw.web.control import create_control
from smsgw.web.server import ListenError, serve_unix

ENOUGH = 5.0  # seconds after which a test gives up


class Fleet:
    """Two links, and what was asked of them; a drain ends when `drained` is set."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.statuses = {"mtel": LinkStatus.BOUND, "telenor": LinkStatus.WAITING}
        self.drained = asyncio.Event()

    def links(self) -> list[LinkState]:
        return [
            LinkState(each, each.title(), status, 1_800_000_000.0, 1, 3, 50, 30.0, "lost", 12.5)
            for each, status in self.statuses.items()
        ]

    async def drain(self, carrier: str) -> None:
        self.asked.append(f"drain {carrier}")
        await self.drained.wait()
        self.statuses[carrier] = LinkStatus.DRAINED

    def resume(self, carrier: str) -> None:
        self.asked.append(f"resume {carrier}")
        self.statuses[carrier] = LinkStatus.CONNECTING


class Broken(Fleet):
    def links(self) -> list[LinkState]:
        raise RuntimeError("the digits 359888123456 stay here")


MTEL = {
    "id": "mtel",
    "name": "Mtel",
    "status": "bound",
    "since": "2027-01-15T08:00:00Z",
    "sessions": 1,
    "in_flight": 3,
    "window": 50,
    "throughput": 30.0,
    "pace": 12.5,
    "last_error": "lost",
}

Ask = Callable[[str, str], Awaitable[Any]]


def served(app: ASGIApp | Fleet, folder: Path, test: Callable[[Ask], Awaitable[None]]) -> None:
    """Run `test` with a way to ask `app` over its socket in `folder`."""

    async def ask(method: str, path: str) -> Any:
        return await asyncio.to_thread(Control(folder).ask, method, path)

    async def scenario() -> None:
        ready = asyncio.Event()
        asgi = create_control(app) if isinstance(app, Fleet) else app
        serving = asyncio.create_task(serve_unix(asgi, folder / unix.CONTROL, ready.set))
        try:
            async with asyncio.timeout(ENOUGH):
                await ready.wait()
                await test(ask)
        finally:
            serving.cancel()
            await asyncio.wait({serving})

    asyncio.run(scenario())


# -- what it does ----------------------------------------------------------------------------


def test_the_links_are_listed(tmp_path: Path) -> None:
    async def test(ask: Ask) -> None:
        mtel, telenor = await ask("GET", "/carriers")
        assert mtel == MTEL
        assert (telenor["id"], telenor["status"]) == ("telenor", "waiting")

    served(Fleet(), tmp_path, test)


def test_a_drain_is_waited_for(tmp_path: Path) -> None:
    fleet = Fleet()

    async def test(ask: Ask) -> None:
        asking = asyncio.ensure_future(ask("POST", "/carriers/mtel/drain"))
        done, _ = await asyncio.wait({asking}, timeout=0.05)
        assert not done
        fleet.drained.set()
        assert await asking == MTEL | {"status": "drained"}

    served(fleet, tmp_path, test)
    assert fleet.asked == ["drain mtel"]


def test_a_drain_that_takes_long_goes_on_without_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "PATIENCE", 0.01)

    async def test(ask: Ask) -> None:
        assert await ask("POST", "/carriers/mtel/drain") == MTEL

    served(Fleet(), tmp_path, test)


def test_a_link_is_resumed(tmp_path: Path) -> None:
    fleet = Fleet()

    async def test(ask: Ask) -> None:
        assert (await ask("POST", "/carriers/telenor/resume"))["status"] == "connecting"

    served(fleet, tmp_path, test)
    assert fleet.asked == ["resume telenor"]


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        (
            "POST",
            "/carriers/vivacom/drain",
            r"^no carrier 'vivacom' is enabled; there are: mtel, telenor$",
        ),
        ("POST", "/carriers/vivacom/resume", r"^no carrier 'vivacom' is enabled"),
        ("POST", "/carriers/a%2Fb/resume", r"^no carrier 'a/b' is enabled"),
        ("GET", "/carriers/mtel/drain", r"^Method Not Allowed$"),
        ("GET", "/readyz", r"^Not Found$"),
    ],
)
def test_what_it_refuses(tmp_path: Path, method: str, path: str, said: str) -> None:
    fleet = Fleet()

    async def test(ask: Ask) -> None:
        with pytest.raises(ControlError, match=said):
            await ask(method, path)

    served(fleet, tmp_path, test)
    assert not fleet.asked


def test_an_error_of_ours_stays_in_the_log(tmp_path: Path) -> None:
    async def test(ask: Ask) -> None:
        with pytest.raises(ControlError, match=r"^Internal Server Error$"):
            await ask("GET", "/carriers")

    served(Broken(), tmp_path, test)


def test_an_answer_that_is_none_is_an_error(tmp_path: Path) -> None:
    async def test(ask: Ask) -> None:
        with pytest.raises(ControlError, match="broke off its answer"):
            await ask("GET", "/carriers")

    served(PlainTextResponse("{"), tmp_path, test)


# -- the socket ------------------------------------------------------------------------------


def test_it_is_its_owners_only_and_gone_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / unix.CONTROL

    async def test(ask: Ask) -> None:
        await ask("GET", "/carriers")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    before = os.umask(0)
    try:
        served(Fleet(), tmp_path, test)
    finally:
        os.umask(before)
    assert not path.exists()


def test_it_is_never_open_wider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []

    class Watched(socket.socket):
        def bind(self, address: Any) -> None:
            super().bind(address)
            modes.append(stat.S_IMODE(Path(address).stat().st_mode))

    monkeypatch.setattr(socket, "socket", Watched)
    before = os.umask(0)
    try:
        unix.listening(tmp_path / "s", 1).close()
    finally:
        os.umask(before)
    assert modes == [0o600]


def test_one_left_over_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / unix.CONTROL))

    async def test(ask: Ask) -> None:
        assert len(await ask("GET", "/carriers")) == 2

    served(Fleet(), tmp_path, test)


def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / unix.CONTROL
    path.write_text("mine")
    with pytest.raises(ListenError, match="Address already in use"):
        asyncio.run(serve_unix(create_control(Broken()), path, lambda: None))
    assert path.read_text() == "mine"


def deep(folder: Path) -> Path:
    """A folder in which the socket's path has one octet too many."""
    room = unix.LONGEST + 1 - len(os.fsencode(folder)) - len(f"//{unix.CONTROL}")
    (folder / ("d" * room)).mkdir()
    return folder / ("d" * room)


def test_a_path_that_is_too_long_is_said(tmp_path: Path) -> None:
    folder = deep(tmp_path)
    said = "a socket's path has 107 octets at most, and this one 108"
    with pytest.raises(ListenError, match=said):
        asyncio.run(serve_unix(create_control(Broken()), folder / unix.CONTROL, lambda: None))
    with pytest.raises(ControlError, match=said):
        Control(folder).ask("GET", "/carriers")


def test_without_a_daemon_it_says_so(tmp_path: Path) -> None:
    said = f"no daemon runs on {tmp_path}: start it with `smsgw run`"
    with pytest.raises(ControlError, match=said):
        Control(tmp_path).ask("GET", "/carriers")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / unix.CONTROL))
    with pytest.raises(ControlError, match=said):
        Control(tmp_path).ask("GET", "/carriers")

"""`smsgw carriers`, with the socket of a daemon whose links are invented."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from smsgw.cli.main import app
from smsgw.service.ports import LinkState, LinkStatus
from smsgw.web import control, unix
from smsgw.web.control import create_control
from smsgw.web.server import serve_unix

CONFIGURATION = """\
shortcode: "170077"
data_dir: data
carriers:
  mtel: {host: h, port: 1, system_id: s, password: p}
"""
AT = 1_800_000_000.0  # 2027-01-15 10:00 in Sofia

MTEL = LinkState("mtel", "M-Tel", LinkStatus.BOUND, AT, 2, 3, 100, 30.0, "")
TELENOR = LinkState("telenor", "Telenor", LinkStatus.WAITING, AT, 0, 0, 50, 0.0, "refused", 28.56)
VIVACOM = LinkState("vivacom", "Vivacom", LinkStatus.BOUND, AT, 1, 7, 50, 0.0, "")


class Fleet:
    """Links that are drained at once; `vivacom` still waits, and `away` is resumed meanwhile."""

    def __init__(self, *links: LinkState) -> None:
        self._links = {link.carrier: link for link in links}

    def links(self) -> list[LinkState]:
        return list(self._links.values())

    async def drain(self, carrier: str) -> None:
        link = self._links[carrier]
        self._links[carrier] = link._replace(status=LinkStatus.DRAINED)
        if carrier == "vivacom":
            await asyncio.Event().wait()
        self._links[carrier] = link._replace(status=LinkStatus.DRAINED, sessions=0)
        if carrier == "away":
            self.resume(carrier)

    def resume(self, carrier: str) -> None:
        link = self._links[carrier]
        self._links[carrier] = link._replace(status=LinkStatus.CONNECTING)


class Daemon:
    """Serves a fleet's control socket, from a thread of its own, until it is left."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        path = Path("data") / unix.CONTROL
        serving = asyncio.create_task(
            serve_unix(create_control(self._fleet), path, self._ready.set)
        )
        await self._stop.wait()
        serving.cancel()
        await asyncio.wait({serving})

    def __enter__(self) -> None:
        self._thread.start()
        assert self._ready.wait(5.0)

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "smsgw.yaml").write_text(CONFIGURATION)
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSGW_CONFIG", "smsgw.yaml")
    monkeypatch.setattr(control, "PATIENCE", 0.01)


@pytest.fixture
def daemon() -> Iterator[None]:
    with Daemon(Fleet(MTEL, TELENOR, VIVACOM, VIVACOM._replace(carrier="away"))):
        yield


def smsgw(*args: str) -> Result:
    return CliRunner().invoke(app, ["carriers", *args])


@pytest.mark.usefixtures("daemon")
def test_the_links_are_shown() -> None:
    result = smsgw()
    assert (result.exit_code, result.stderr) == (0, "")
    rows = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "carrier name status since sessions window a second slowed to last error" in rows
    assert "mtel M-Tel bound 2027-01-15 10:00:00 2 3/100 30 -" in rows
    assert "telenor Telenor waiting 2027-01-15 10:00:00 0 0/50 no limit 28.6 refused" in rows


@pytest.mark.usefixtures("daemon")
def test_the_links_are_shown_as_json() -> None:
    mtel, telenor, *_ = json.loads(smsgw("--json").stdout)
    assert mtel == {
        "id": "mtel",
        "name": "M-Tel",
        "status": "bound",
        "since": "2027-01-15T08:00:00Z",
        "sessions": 2,
        "in_flight": 3,
        "window": 100,
        "throughput": 30.0,
        "pace": 0.0,
        "last_error": "",
    }
    assert telenor["last_error"] == "refused"


def test_no_links_are_shown() -> None:
    with Daemon(Fleet()):
        assert smsgw().stdout == "no carrier is enabled\n"


@pytest.mark.usefixtures("daemon")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["drain", "mtel"], "mtel is drained\n"),
        (["drain", "vivacom"], "vivacom is being drained: 7 submits still wait for an answer\n"),
        (["drain", "away"], "away was resumed meanwhile: connecting\n"),
        (["resume", "telenor"], "telenor is resumed: connecting\n"),
    ],
    ids=["drained", "draining", "resumed meanwhile", "resumed"],
)
def test_a_link_is_taken_out_and_back(arguments: list[str], said: str) -> None:
    result = smsgw(*arguments)
    assert (result.exit_code, result.stdout, result.stderr) == (0, said, "")


@pytest.mark.usefixtures("daemon")
@pytest.mark.parametrize(
    ("verb", "status"), [("drain", "drained"), ("resume", "connecting")], ids=["drain", "resume"]
)
def test_what_became_of_it_as_json(verb: str, status: str) -> None:
    assert json.loads(smsgw(verb, "mtel", "--json").stdout)["status"] == status


@pytest.mark.usefixtures("daemon")
@pytest.mark.parametrize("verb", ["drain", "resume"])
@pytest.mark.parametrize("carrier", ["a1", "no/such id?"])
def test_an_unknown_carrier_is_refused(verb: str, carrier: str) -> None:
    result = smsgw(verb, carrier)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"no carrier {carrier!r} is enabled; there are: mtel, telenor, vivacom, away\n"
    )


@pytest.mark.parametrize("arguments", [[], ["drain", "mtel"], ["resume", "mtel"]], ids=" ".join)
def test_without_a_daemon_it_says_so(arguments: list[str]) -> None:
    result = smsgw(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    folder = Path("data").absolute()
    assert result.stderr == f"no daemon runs on {folder}: start it with `smsgw run`\n"


@pytest.mark.usefixtures("daemon")
def test_the_configuration_is_named_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMSGW_CONFIG")
    for arguments in (
        ["-c", "smsgw.yaml", "carriers", "drain", "mtel"],
        ["carriers", "-c", "smsgw.yaml", "drain", "mtel"],
        ["carriers", "drain", "mtel", "-c", "smsgw.yaml"],
    ):
        assert CliRunner().invoke(app, arguments).exit_code == 0

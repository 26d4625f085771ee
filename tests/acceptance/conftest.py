"""The real commands as processes: a daemon and simulated carriers, with all that they print."""

import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import pytest

SMSGW = (sys.executable, "-m", "smsgw")
FOREIGN = Path(__file__).parents[1] / "foreign"
PATIENCE = 60  # seconds: machines are shared

Event = dict[str, Any]


class Program:
    """A process that prints JSON lines."""

    def __init__(self, *command: str, on: str, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            command,
            text=True,
            env=os.environ | (env or {}),
            stdin=subprocess.PIPE,
            **{on: subprocess.PIPE},  # type: ignore[call-overload]
        )
        self.events: list[Event] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=(getattr(self.process, on),))
        self._reader.start()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                with self._news:
                    self.events.append(json.loads(line))
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def of(self, event: str) -> list[Event]:
        return [each for each in self.events if each["event"] == event]

    def wait_for(self, event: str, count: int = 1) -> Event:
        """The event number `count` of its sort; there may be more by now."""
        with self._news:
            seen = self._news.wait_for(lambda: len(self.of(event)) >= count, timeout=PATIENCE)
            assert seen, (event, count, self.events[-5:])
            return self.of(event)[count - 1]

    def tell(self, line: str) -> None:
        """Write a line to its stdin."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> int:
        """Wait for its end, and for the last of what it printed."""
        code = self.process.wait(timeout=PATIENCE)
        self._reader.join(timeout=PATIENCE)
        return code

    def terminate(self) -> int:
        self.process.terminate()
        return self.end()

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.end()
        if self.process.stdin is not None:
            self.process.stdin.close()


class Daemon(Program):
    """`smsgw run`."""

    def __init__(self, config: Path, env: dict[str, str]) -> None:
        super().__init__(*SMSGW, "run", "-c", str(config), on="stderr", env=env)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page."""
        address = self.wait_for("daemon.started")["http"]
        try:
            with urllib.request.urlopen(f"http://{address}{path}", timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture
def simulate() -> Iterator[Callable[..., Program]]:
    """Starts `smsgw simulate` on a free port, with further arguments."""
    with ExitStack() as stack:

        def start(*arguments: str) -> Program:
            options = ("--port", "0", "--json", *arguments)
            program = Program(*SMSGW, "simulate", *options, on="stdout")
            stack.callback(program.kill)
            return program

        yield start


@pytest.fixture
def noon_zone() -> str:
    """A zone where it is some time past noon now: the day doesn't end meanwhile, and the hours for
    messages that nobody waits for last."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"


@pytest.fixture
def foreign() -> Iterator[Program]:
    """An SMSC that isn't ours, on a free port; `.ci/run` installs what it needs."""
    node = shutil.which("node")
    if node is None or not (FOREIGN / "node_modules" / "smpp").is_dir():
        pytest.skip(f"no foreign SMSC: install node, then `npm ci` in {FOREIGN}")
    program = Program(node, str(FOREIGN / "smsc.js"), on="stdout")
    yield program
    program.kill()


@pytest.fixture
def run() -> Iterator[Callable[..., Daemon]]:
    """Starts `smsgw run` with a configuration file."""
    with ExitStack() as stack:

        def start(config: Path, **env: str) -> Daemon:
            daemon = Daemon(config, env)
            stack.callback(daemon.kill)
            return daemon

        yield start

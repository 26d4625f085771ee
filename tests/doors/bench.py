"""The API over its ASGI application, with real databases and a clock of our own."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from smsgw import settings
from smsgw.doors.api.app import api
from smsgw.doors.office import Office
from smsgw.service.keyed import Keyed
from smsgw.service.message import Channel
from smsgw.service.partner import Scope
from smsgw.settings import derive
from smsgw.settings.model import Settings
from smsgw.storage import partners
from smsgw.storage.policy import Policy
from smsgw.storage.sqlite import Database
from smsgw.web.app import create_app
from smsgw.web.health import FeedHealth, State, StorageHealth

T = 1_800_000_000.0  # 2027-01-15 10:00 in Sofia
ALL = frozenset(Scope)

CONFIG = """
shortcode: "170077"
data_dir: data
secret: a secret
carriers:
  mtel: {host: 127.0.0.1, port: 2775, system_id: cez, password: x, number_ranges: ["35988"]}
  telenor: {host: 127.0.0.1, port: 2776, system_id: cez, password: x, number_ranges: ["35989"]}
  vivacom: {enabled: false, host: 127.0.0.1, port: 2777, system_id: cez, password: x}
"""


@dataclass
class Clock:
    at: float = T

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def fields(self) -> list[str]:
        """Of a problem: the fields that it names."""
        return [one["field"] for one in self.json.get("errors", [])]


class _Health:
    def state(self) -> State:
        return State(T, StorageHealth(True), (), FeedHealth(T, 0.0))


@dataclass
class Bench:
    """A gateway without carriers, whose API is asked."""

    settings: Settings
    database: Database
    office: Office
    app: FastAPI
    clock: Clock
    queued: list[float] = field(default_factory=list)
    paused: list[float] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)

    async def key(
        self,
        name: str = "all",
        channel: Channel = Channel.CENTRE,
        scopes: Iterable[Scope] = ALL,
        rate: float | None = 0.0,
    ) -> str:
        """A key of that name, made when it is first asked for."""
        if name not in self.keys:
            self.keys[name] = await self.database.run(
                partners.add, self.office.policy.keyed, name, channel, frozenset(scopes), rate,
                "ana", self.clock.now(),
            )  # fmt: skip
        return self.keys[name]

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        headers: dict[str, str] | None = None,
        raw: Iterable[bytes] | None = None,
    ) -> Response:
        """What the API answers. `raw` is a body that is no JSON, a chunk each."""
        sent: dict[str, str] = {"host": "localhost"}
        chunks = list(raw) if raw is not None else []
        if body is not None:
            chunks = [json.dumps(body).encode()]
            sent["content-type"] = "application/json"
        if chunks:
            sent["content-length"] = str(sum(map(len, chunks)))
        sent["authorization"] = f"Bearer {key or await self.key()}"
        sent |= headers or {}
        answered: list[Any] = []
        waiting = [
            {"type": "http.request", "body": chunk, "more_body": place < len(chunks) - 1}
            for place, chunk in enumerate(chunks)
        ] or [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            answered.append(message)

        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": f"/api/v1{path}",
            "raw_path": f"/api/v1{path}".encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items() if value],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        await self.app(scope, receive, send)
        return Response(
            answered[0]["status"],
            {name.decode(): value.decode() for name, value in answered[0]["headers"]},
            b"".join(message.get("body", b"") for message in answered[1:]),
        )


@asynccontextmanager
async def bench(folder: Path, more: str = "") -> AsyncIterator[Bench]:
    """A gateway in `folder`, with the lines of `more` in its configuration."""
    config = folder / "smsgw.yaml"
    config.write_text(CONFIG + more, encoding="utf-8")
    loaded = settings.load(config)
    policy = Policy(
        derive.rules(loaded),
        derive.encodings(loaded),
        Keyed(b"a secret"),
        notices=derive.notice_rules(loaded),
    )
    clock, queued, paused = Clock(), list[float](), list[float]()

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    async with Database(loaded.data_dir, policy) as database:
        office = Office(loaded, database, policy, clock, lambda: queued.append(clock.now()))
        app = create_app(_Health(), api(office, pause))
        yield Bench(loaded, database, office, app, clock, queued, paused)

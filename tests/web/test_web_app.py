"""The pages, asked through the ASGI application itself."""

import asyncio
import base64
import hashlib
import json
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any

import pytest
from starlette.types import Message

from smsgw import metrics
from smsgw.web.app import create_app
from smsgw.web.health import FeedHealth, LinkHealth, State, StorageHealth

WELL = State(
    now=1_800_000_000.0,
    storage=StorageHealth(writes=True),
    links=(LinkHealth("mtel", enabled=True, bound=True, state="bound", since=1_799_999_000.0),),
    feed=FeedHealth(as_of=1_799_999_000.0, max_age=36 * 3600.0),
)
NO_DISK = StorageHealth(writes=False, reason="database or disk is full")


@dataclass
class Daemon:
    """A `Health` that says what it is told to."""

    said: State

    def state(self) -> State:
        return self.said


class Ill:
    def state(self) -> State:
        raise RuntimeError("the digits 359888123456 stay here")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    path: str, health: Daemon | Ill | None = None, method: str = "GET", accept: str = "*/*"
) -> Answer:
    """What the application answers. An error it raises after its answer is the server's to log."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    async def exchange() -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"localhost"), (b"accept", accept.encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        await create_app(health or Daemon(WELL))(scope, receive, send)

    try:
        asyncio.run(exchange())
    except RuntimeError:
        assert isinstance(health, Ill)
    return Answer(
        sent[0]["status"],
        {name.decode(): value.decode() for name, value in sent[0]["headers"]},
        b"".join(message.get("body", b"") for message in sent[1:]),
    )


def test_healthz() -> None:
    answer = ask("/healthz", Ill())
    assert (answer.status, answer.json) == (200, {"status": "ok"})


class TestReadyz:
    def test_ready(self) -> None:
        answer = ask("/readyz")
        assert answer.status == 200
        assert answer.json == {
            "status": "ok",
            "components": {"storage": "ok", "links": "ok", "billing": "ok"},
            "reasons": [],
        }

    def test_not_ready(self) -> None:
        unbound = replace(WELL.links[0], bound=False, state="connecting")
        answer = ask("/readyz", Daemon(replace(WELL, storage=NO_DISK, links=(unbound,))))
        assert answer.status == 503
        assert answer.headers["content-type"] == "application/json"
        assert answer.json == {
            "status": "down",
            "components": {"storage": "down", "links": "down", "billing": "ok"},
            "reasons": [
                {"component": "storage", "reason": "database or disk is full", "carrier": None},
                {
                    "component": "links",
                    "reason": "not bound: connecting since 2027-01-15T07:43:20Z",
                    "carrier": "mtel",
                },
            ],
        }

    def test_degraded_is_not_ready_either(self) -> None:
        answer = ask("/readyz", Daemon(replace(WELL, feed=FeedHealth(None, 1.0))))
        assert (answer.status, answer.json["status"]) == (503, "degraded")

    def test_says_nothing_of_an_error_of_ours(self) -> None:
        answer = ask("/readyz", Ill())
        assert answer.status == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json == {
            "type": "about:blank",
            "title": "Internal Server Error",
            "status": 500,
        }


class TestMetrics:
    @pytest.mark.parametrize(
        ("accept", "media_type"),
        [
            ("*/*", "text/plain; version=0.0.4"),
            ("application/openmetrics-text;version=1.0.0", "application/openmetrics-text"),
        ],
        ids=["text", "openmetrics"],
    )
    def test_shows_our_registry(self, accept: str, media_type: str) -> None:
        metrics.MTS.labels("a-carrier-of-the-page", "answer").inc(3)
        answer = ask("/metrics", accept=accept)
        metrics.MTS.remove("a-carrier-of-the-page", "answer")
        assert answer.status == 200
        assert answer.headers["content-type"].startswith(media_type)
        assert b'smsgw_mts_total{carrier="a-carrier-of-the-page",kind="answer"} 3.0' in answer.body

    def test_does_not_need_a_healthy_daemon(self) -> None:
        assert ask("/metrics", Ill()).status == 200


class Page(HTMLParser):
    """What of a page matters here: its elements, and everything it refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.style = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "style" and not self.style:
            self.style = data

    def references(self) -> list[str]:
        return [
            value
            for _, attributes in self.elements
            for name, value in attributes.items()
            if name in ("href", "src", "action") and value
        ]


class TestIndex:
    def page(self) -> Page:
        answer = ask("/")
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return Page(answer.body.decode())

    def test_every_link_answers(self) -> None:
        references = self.page().references()
        assert {"/healthz", "/readyz", "/metrics"} <= set(references)
        assert [ask(path).status for path in references] == [200] * len(references)

    def test_needs_no_script_and_nothing_from_elsewhere(self) -> None:
        page = self.page()
        tags = {tag for tag, _ in page.elements}
        assert not tags & {"script", "link", "img", "iframe", "form", "object"}
        assert all(reference.startswith("/") for reference in page.references())
        assert not any(name.startswith("on") for _, each in page.elements for name in each)

    def test_can_be_read_aloud(self) -> None:
        elements = self.page().elements
        tags = [tag for tag, _ in elements]
        assert ("html", {"lang": "en"}) in elements
        assert tags.count("title") == tags.count("main") == tags.count("h1") == 1

    def test_the_policy_lets_through_its_own_style_and_nothing_else(self) -> None:
        digest = hashlib.sha256(self.page().style.encode()).digest()
        policy = ask("/").headers["content-security-policy"].split("; ")
        assert policy == [
            "default-src 'none'",
            f"style-src 'sha256-{base64.b64encode(digest).decode()}'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]


@pytest.mark.parametrize(
    "path", ["/", "/healthz", "/readyz", "/metrics", "/nowhere", "/api/v1/openapi.json"]
)
def test_every_answer_is_kept_from_browsers_mistakes(path: str) -> None:
    headers = ask(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_errors_are_too() -> None:
    assert ask("/readyz", Ill()).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/nowhere", "/docs", "/redoc", "/openapi.json", "/healthz/"])
def test_what_is_not_there_is_a_problem(path: str) -> None:
    answer = ask(path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json == {"type": "about:blank", "title": "Not Found", "status": 404}


def test_a_method_that_is_not_there_is_a_problem() -> None:
    answer = ask("/healthz", method="POST")
    assert (answer.status, answer.json["title"]) == (405, "Method Not Allowed")
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/healthz", 200), ("/readyz", 503)], ids=str
)
def test_head_answers_as_get(path: str, status: int) -> None:
    assert ask(path, Daemon(replace(WELL, storage=NO_DISK)), method="HEAD").status == status


def test_openapi_describes_both_answers_of_readyz() -> None:
    document = ask("/api/v1/openapi.json").json
    assert set(document["paths"]) == {"/healthz", "/readyz"}
    assert set(document["paths"]["/readyz"]["get"]["responses"]) == {"200", "503"}

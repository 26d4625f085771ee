"""What reaches a log: masked, one line an event, safe to print."""

import io
import json
import logging
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from smsgw import log
from smsgw.service.message import Channel, MessageKind, Msisdn

NUMBER = "359888123456"
MASKED = "35988****456"
RAW_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e\ud800-\udfff]")


class Stream(io.StringIO):
    """A place for log lines that is a terminal, or isn't."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def lines(self) -> list[str]:
        return self.getvalue().splitlines()

    def event(self) -> dict[str, Any]:
        (line,) = self.lines()
        event: dict[str, Any] = json.loads(line)
        return event


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Puts back what `configure` changes for the whole process."""
    root = logging.getLogger()
    handlers, level, settings = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**settings)


def json_stream(level: log.Level = "info") -> Stream:
    stream = Stream(terminal=False)
    log.configure("json", level, stream)
    return stream


def console_stream(level: log.Level = "info", terminal: bool = False) -> Stream:
    stream = Stream(terminal)
    log.configure("console", level, stream)
    return stream


class TestFormats:
    @pytest.mark.parametrize(
        ("log_format", "terminal", "is_json"),
        [
            ("auto", True, False),
            ("auto", False, True),
            ("json", True, True),
            ("console", False, False),
        ],
        ids=["auto-terminal", "auto-pipe", "json-terminal", "console-pipe"],
    )
    def test_follows_the_stream(
        self, log_format: log.Format, terminal: bool, is_json: bool
    ) -> None:
        stream = Stream(terminal)
        log.configure(log_format, "info", stream)
        log.get_logger().info("bound")
        assert stream.getvalue().startswith("{") is is_json

    def test_json_line(self) -> None:
        stream = json_stream()
        log.get_logger().info("bound", carrier="mtel", session=3, up=True, rate=0.5, why=None)
        event = stream.event()
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event.pop("timestamp"))
        assert event == {
            "level": "info",
            "event": "bound",
            "carrier": "mtel",
            "session": 3,
            "up": True,
            "rate": 0.5,
            "why": None,
        }

    def test_json_is_ascii_whatever_the_terminal_can_show(self) -> None:
        stream = json_stream()
        log.get_logger().info("reply", text="Абонатен номер")
        assert stream.getvalue().isascii()
        assert stream.event()["text"] == "Абонатен номер"

    def test_console_line_reads_in_order(self) -> None:
        stream = console_stream()
        log.get_logger().warning("link lost", carrier="mtel", after=3)
        assert re.fullmatch(
            r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[warning  \] link lost +carrier=mtel after=3\n",
            stream.getvalue(),
        )

    @pytest.mark.parametrize(
        ("terminal", "no_color", "coloured"),
        [(True, "", True), (True, "1", False), (False, "", False)],
        ids=["terminal", "NO_COLOR", "pipe"],
    )
    def test_colours(
        self, terminal: bool, no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_COLOR", no_color)
        stream = console_stream(terminal=terminal)
        log.get_logger().info("bound")
        assert ("\x1b[" in stream.getvalue()) is coloured

    def test_level(self) -> None:
        stream = json_stream("warning")
        logger = log.get_logger()
        logger.debug("one")
        logger.info("two")
        logger.warning("three")
        logging.getLogger("elsewhere").info("four")
        assert stream.event()["event"] == "three"

    def test_configuring_again_replaces_the_stream(self) -> None:
        first, second = json_stream(), json_stream()
        log.get_logger().info("once")
        assert first.getvalue() == ""
        assert second.event()["event"] == "once"

    def test_names_a_logger_that_has_a_name(self) -> None:
        stream = json_stream()
        log.get_logger("smsgw.carrier").info("bound")
        assert stream.event()["logger"] == "smsgw.carrier"

    def test_before_configuring_warnings_are_said_masked_on_standard_error(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        structlog.configure(**log.BEFORE_CONFIGURING)
        log.get_logger().info("quiet")
        log.get_logger().warning("heard", msisdn=Msisdn(NUMBER))
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "quiet" not in captured.err
        assert f"msisdn={MASKED}" in captured.err


class Colour(Enum):
    RED = "r"


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Msisdn(NUMBER), MASKED),
        (NUMBER, MASKED),
        (f"+{NUMBER}", f"+{MASKED}"),
        (f"00{NUMBER}", MASKED),
        ("35921234567", "35921****567"),
        ("359 88 812-3456", MASKED),
        (f"from {NUMBER} to {NUMBER}", f"from {MASKED} to {MASKED}"),
        (f"tel:{NUMBER};x", f"tel:{MASKED};x"),
        (int(NUMBER), MASKED),
        (NUMBER.encode(), "3335393838****343536"),
        (b"\x00" + NUMBER.encode() + b"\x00", "003335393838****34353600"),
        (NUMBER.encode().hex(), "3335393838****343536"),
        ("300012345678", "300012345678"),
        ("1359888123456", "1359888123456"),
        ("3598881234567890", "3598881234567890"),
        ("3591234567", "3591234567"),
        (1795357540, 1795357540),
        ([Msisdn(NUMBER)], [MASKED]),
        ((Msisdn(NUMBER), 1), [MASKED, 1]),
        ({"to": {Msisdn(NUMBER): Msisdn(NUMBER)}}, {"to": {MASKED: MASKED}}),
        (ValueError(f"bad {NUMBER}"), f"ValueError: bad {MASKED}"),
        (Channel.SMS, "sms"),
        (MessageKind.ANSWER, "ANSWER"),
        (Colour.RED, "RED"),
        (True, True),
        (float("nan"), "nan"),
        (Path("/var/lib"), "/var/lib"),
        pytest.param(Broken(), "<unprintable Broken>", id="unprintable"),
        ("a\r\nb", r"a\r\nb"),
        ("\x1b[2J\x9b\x00", r"\x1b[2J\x9b\x00"),
        ("\u202egpj.exe\u2028", r"\u202egpj.exe\u2028"),
        ("\udc80", r"\udc80"),
        ("x" * 3000, "x" * 2000 + "… (3000 characters)"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_clean(value: object, written: object) -> None:
    assert log.clean(value) == written


def test_a_value_that_holds_itself_ends() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert "..." in str(log.clean(endless))


@pytest.mark.parametrize(
    ("key", "hidden"),
    [
        ("password", True),
        ("system_password", True),
        ("Secret", True),
        ("api_token", True),
        ("api-key", True),
        ("Authorization", True),
        ("ready_tokens", False),
        ("passwords_tried", False),
    ],
)
def test_secrets(key: str, hidden: bool) -> None:
    stream = json_stream()
    log.get_logger().info("read", **{key: "hunter2"}, settings={key: "hunter2"})
    assert ("hunter2" not in stream.getvalue()) is hidden
    assert (stream.event()["settings"] == {key: "***"}) is hidden


@given(st.text() | st.binary().map(lambda octets: octets.decode("latin-1")))
def test_no_text_breaks_out_of_its_line(text: str) -> None:
    for fresh_stream in (console_stream, json_stream):
        stream = fresh_stream()
        log.get_logger().info(text, field=text, nested=[text, {text: text}])
        written = stream.getvalue()
        assert written.count("\n") == 1
        assert not RAW_CONTROL.search(written)
        written.encode()


@given(st.from_regex(r"359[0-9]{8,9}", fullmatch=True), st.text(alphabet="ab +:,[]{}\n\"'"))
def test_no_number_is_written(number: str, around: str) -> None:
    for fresh_stream in (console_stream, json_stream):
        stream = fresh_stream()
        log.get_logger().info(
            f"{around}{number}{around}", field=f"{around}{number}", own=Msisdn(number)
        )
        assert number[:5] in stream.getvalue()
        assert number not in stream.getvalue()


class TestExceptions:
    def raise_and_log(self) -> None:
        try:
            try:
                int(f"{NUMBER} costs")
            except ValueError as error:
                raise LookupError("first\n2020-01-01 [info] forged\x1b[2J") from error
        except LookupError:
            log.get_logger().exception("failed", carrier="mtel")

    def test_json(self) -> None:
        stream = json_stream()
        self.raise_and_log()
        event = stream.event()
        assert event["level"] == "error"
        assert event["exception"][0] == "Traceback (most recent call last):"
        assert (
            f"ValueError: invalid literal for int() with base 10: '{MASKED} costs'"
            in (event["exception"])
        )
        assert event["exception"][-1] == r"2020-01-01 [info] forged\x1b[2J"

    def test_console_keeps_every_line_but_the_first_indented(self) -> None:
        stream = console_stream()
        self.raise_and_log()
        first, *others = stream.lines()
        assert first.endswith("carrier=mtel")
        assert "    LookupError: first" in others
        assert all(line.startswith("    ") for line in others)
        assert "\x1b" not in stream.getvalue()
        assert NUMBER not in stream.getvalue()

    def test_without_the_values_of_variables(self) -> None:
        stream = json_stream()
        hidden = "a-value-in-a-variable"
        try:
            raise OSError(str(len(hidden)))
        except OSError:
            log.get_logger().exception("failed")
        assert hidden not in stream.getvalue()


class TestOthersLines:
    def test_pass_the_same_chain(self) -> None:
        stream = json_stream()
        logging.getLogger("asyncio").error("slow: %s\n%s", NUMBER, "\x1b[2J")
        event = stream.event()
        assert event["event"] == rf"slow: {MASKED}\n\x1b[2J"
        assert event["level"] == "error"
        assert event["logger"] == "asyncio"

    def test_with_an_exception(self) -> None:
        stream = json_stream()
        try:
            raise RuntimeError(NUMBER)
        except RuntimeError:
            logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
        assert stream.event()["exception"][-1] == f"RuntimeError: {MASKED}"

    @pytest.mark.parametrize("name", ["aiosqlite", "asyncio", "uvicorn.error"])
    def test_chatter_stays_out_even_when_debugging(self, name: str) -> None:
        stream = json_stream("debug")
        logging.getLogger(name).debug("chatter")
        logging.getLogger(name).info("chatter")
        assert stream.getvalue() == ""

    def test_access_log_is_off(self) -> None:
        stream = json_stream("debug")
        logging.getLogger("uvicorn.access").info("GET /")
        assert stream.getvalue() == ""

    def test_a_line_that_does_not_fit_its_format_says_only_where_it_is(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        logging.getLogger().handlers.clear()  # the test runner's own would raise
        stream = json_stream()
        logging.getLogger("elsewhere").warning("%d", NUMBER)
        log.get_logger().info("still here")
        assert stream.event()["event"] == "still here"
        assert re.fullmatch(r"can't log a line of \S+test_log\.py:\d+\n", capsys.readouterr().err)

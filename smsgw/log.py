"""What the program says of itself: coloured lines on a terminal, JSON lines everywhere else.

Every line, whoever wrote it (this program, uvicorn, asyncio, aiosqlite), passes one chain that
masks phone numbers and secrets and leaves no control character raw, so that nothing a customer or
a carrier sends can forge a line, drive a terminal or be read as a number.
"""

import logging
import math
import os
import re
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

Format = Literal["auto", "console", "json"]
Level = Literal["debug", "info", "warning", "error"]

LONGEST_VALUE: Final = 2_000  # characters; the hex of a whole PDU could take 140,000
DEEPEST_VALUE: Final = 12

_OWN_NAME: Final = "smsgw"
_FIRST: Final = ("timestamp", "level", "event")

# These say nothing below a warning that this program does not say itself; aiosqlite would say
# every statement with its values.
_QUIET: Final = ("aiosqlite", "asyncio", "uvicorn.error")
_SILENT: Final = ("uvicorn.access",)

_MSISDN: Final = re.compile(r"(?<!\d)(?:00)?(359(?:[ -]?\d){8,9})(?!\d)", re.ASCII)
_HEX_MSISDN: Final = re.compile(r"(333539(?:3\d){2})(?:3\d){3,4}((?:3\d){3})", re.ASCII)
_MSISDN_NUMBERS: Final = range(359_0000_0000, 359_999_999_999 + 1)  # 8 or 9 digits after 359
_SECRET: Final = re.compile(
    r"(?:^|[_.-])(?:password|secret|token|api[_-]?key|authorization)$", re.I
)
_UNPRINTABLE: Final = re.compile(  # C0, C1, marks and overrides of direction, line ends, surrogates
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def configure(log_format: Format, level: Level, stream: TextIO | None = None) -> None:
    """Send every log line at or above `level` to `stream`, standard error if None.

    "auto" is "console" on a terminal and "json" elsewhere. May be called again; loggers bound
    before keep their level.
    """
    out = sys.stderr if stream is None else stream
    terminal = out.isatty()
    if log_format == "console" or (log_format == "auto" and terminal):
        rendering = _console(colours=terminal and not os.environ.get("NO_COLOR"))
    else:
        rendering = _json()
    number = logging.getLevelNamesMapping()[level.upper()]
    handler = _Handler(out)
    handler.set_name(_OWN_NAME)
    handler.setFormatter(
        ProcessorFormatter(
            processors=[
                _add_origin,
                ProcessorFormatter.remove_processors_meta,
                *rendering,
            ]
        )
    )
    root = logging.getLogger()
    for former in [each for each in root.handlers if each.get_name() == _OWN_NAME]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(number)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    for name in _SILENT:
        logging.getLogger(name).disabled = True
    structlog.configure(
        processors=[ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def get_logger(name: str = _OWN_NAME) -> FilteringBoundLogger:
    """A logger of events with fields: `get_logger().info("bound", carrier="mtel", session=3)`.

    Where a line may be said often, keep what `.bind(carrier=…)` returns: it costs nothing below
    the level, while a logger that was never bound is put together at every call.
    """
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger


def clean(value: object, depth: int = 0) -> object:
    """`value` as it may stand in a log: plain types, masked, bounded, without control characters.

    A subclass of str is written as its own `__str__` says: a JSON encoder would write the digits
    of a masked number.
    """
    match value:
        case None | bool():
            plain: object = value
        case str():
            plain = _text(str(value))
        case Enum():
            plain = _text(value.name)
        case int():
            plain = _text(str(value)) if value in _MSISDN_NUMBERS else value
        case float():
            plain = value if math.isfinite(value) else str(value)
        case bytes() | bytearray() | memoryview():
            plain = _text(value.hex())
        case BaseException():
            plain = _text(f"{type(value).__name__}: {_printed(value)}")
        case Mapping() if depth < DEEPEST_VALUE:
            plain = _fields(value, depth + 1)
        case list() | tuple() | set() | frozenset() if depth < DEEPEST_VALUE:
            plain = [clean(item, depth + 1) for item in value]
        case _:
            plain = _text(_printed(value))
    return plain


def _fields(fields: Mapping[Any, object], depth: int) -> dict[str, object]:
    return {
        key: "***" if _SECRET.search(key) and value is not None else clean(value, depth)
        for key, value in ((_text(_printed(name)), value) for name, value in fields.items())
    }


def _printed(value: object) -> str:
    try:
        return str(value)
    except Exception:  # a value that can't be printed must not cost the line it stands in
        return f"<unprintable {type(value).__name__}>"


def _text(text: str) -> str:
    text = _UNPRINTABLE.sub(_escaped, _masked(text))
    if len(text) > LONGEST_VALUE:
        return f"{text[:LONGEST_VALUE]}… ({len(text)} characters)"
    return text


def _masked(text: str) -> str:
    return _HEX_MSISDN.sub(r"\1****\2", _MSISDN.sub(_masked_number, text))


def _masked_number(number: re.Match[str]) -> str:
    digits = number[1].replace(" ", "").replace("-", "")
    return f"{digits[:5]}****{digits[-3:]}"


def _escaped(character: re.Match[str]) -> str:
    return character[0].encode("unicode_escape").decode("ascii")


def _add_origin(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    origin = event["_record"].name
    if origin != _OWN_NAME:
        event["logger"] = origin
    return event


def _clean_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    exc_info = event.pop("exc_info", None)
    cleaned: EventDict = {name: clean(event.pop(name)) for name in _FIRST if name in event}
    cleaned.update(_fields(event, 0))
    if exc_info:
        cleaned["exc_info"] = exc_info
    return cleaned


def _add_traceback(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The exception as lines of text, without the values of variables."""
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()
    if isinstance(raised, tuple):
        raised = raised[1]
    if isinstance(raised, BaseException):
        lines = "".join(traceback.format_exception(raised)).rstrip("\n").split("\n")
        event["exception"] = [_text(line) for line in lines]
    return event


def _indent_traceback(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """No line of a message that an exception carries can pass for a line of the log."""
    match event.get("exception"):
        case [*lines]:
            event["exception"] = "\n".join(f"    {line}" for line in lines)
    return event


def _console(colours: bool) -> list[Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper("%Y-%m-%d %H:%M:%S", utc=False),
        _clean_event,
        _add_traceback,
        _indent_traceback,
        structlog.dev.ConsoleRenderer(colors=colours, sort_keys=False),
    ]


def _json() -> list[Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper("iso", utc=True),
        _clean_event,
        _add_traceback,
        structlog.processors.JSONRenderer(),
    ]


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Says where the line came from; logging itself would print it as it was, unmasked."""
        with suppress(OSError, ValueError):  # of a stream that is full, gone or closed
            sys.stderr.write(f"can't log a line of {record.pathname}:{record.lineno}\n")


def _standard_error(*_names: object) -> structlog.PrintLogger:
    return structlog.PrintLogger(sys.stderr)


# Until `configure` is called, as in a command that prints its own output: warnings, on stderr.
BEFORE_CONFIGURING: Final[dict[str, Any]] = {
    "processors": _console(colours=False),
    "wrapper_class": structlog.make_filtering_bound_logger(logging.WARNING),
    "logger_factory": _standard_error,
}
structlog.configure(**BEFORE_CONFIGURING)

"""What comes in with a request, within bounds of size and time."""

import asyncio
from email.message import EmailMessage
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from smsgw.web.problem import FieldError, ProblemError

PATIENCE: Final = 15.0  # seconds for the whole of a body, of which little is expected

CLOSE: Final = {"Connection": "close"}  # nobody reads the rest


def expected(scope: Scope) -> bool:
    """Whether a body comes with the request."""
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def refuse_long(scope: Scope, limit: int) -> None:
    """Raise a 413 for a body that says of itself that it is longer than `limit` octets."""
    length = Headers(scope=scope).get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise _too_long(limit)


def refuse_other(scope: Scope, kind: str) -> None:
    """Raise a 415 for a body that is not of this media type, or not in UTF-8, or packed."""
    headers = Headers(scope=scope)
    if (packed := headers.get("content-encoding", "identity")) != "identity":
        raise _unsupported(f"send the body as it is: {packed} is not read", "Content-Encoding")
    header = EmailMessage()
    header["Content-Type"] = headers.get("content-type", "")
    charset = header.get_content_charset("utf-8")
    if header.get_content_type() != kind:
        raise _unsupported(f"send the body as {kind}, and say so in Content-Type")
    if charset.replace("_", "-") not in ("utf-8", "utf8", "us-ascii"):
        raise _unsupported(f"send the body in UTF-8: {charset} is not read")


def bounded(receive: Receive, limit: int, patience: float = PATIENCE) -> Receive:
    """`receive` that raises a 413 past `limit` octets, and a 408 past `patience` seconds.

    The time counts from now.
    """
    came = 0
    ended = False
    ends = asyncio.get_running_loop().time() + patience

    async def receive_within_bounds() -> Message:
        nonlocal came, ended
        if ended:  # what is waited for now is that the client goes
            return await receive()
        try:
            async with asyncio.timeout_at(ends):
                message = await receive()
        except TimeoutError:
            late = f"the body did not come within {patience:.0f} seconds"
            raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, late, headers=CLOSE) from None
        came += len(message.get("body", b""))
        ended = not message.get("more_body", False)
        if came > limit:
            raise _too_long(limit)
        return message

    return receive_within_bounds


def _unsupported(detail: str, field: str = "Content-Type") -> ProblemError:
    errors = [FieldError(field=field, detail=detail)]
    return ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail, word="body", errors=errors)


def _too_long(limit: int) -> ProblemError:
    too_long = f"the body is longer than {limit} octets"
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_long, headers=CLOSE)

"""What commands with --stdin read: lines, each of which is answered by one line."""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO


def lines(stream: BinaryIO, longest: int) -> Iterator[bytes]:
    """The lines of a stream without their ends, of each no more than tells that it is over
    `longest` octets."""
    while line := stream.readline(longest + 2):
        while not line.endswith(b"\n") and (rest := stream.readline(longest)):
            line = line[: longest + 1] + rest[-1:]
        yield line.rstrip(b"\r\n")


def complaint(number: int, given: object, error: ValueError) -> str:
    """What is wrong with an input; lines, which are octets, are found by their number."""
    return f"{number}: {error}" if isinstance(given, bytes) else str(error)


def parsed(line: bytes) -> Any:
    """The JSON in a line. Raises ValueError, with words for whoever wrote it."""
    try:
        written = line.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: {error}") from None
    if not written:
        raise ValueError("an empty line")
    try:
        return json.loads(written)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from None

"""Files that partners send: written to the disk as they come, and gone once they were looked at."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple
from uuid import uuid4

from starlette.requests import ClientDisconnect, Request

from smsgw.service.ports import StorageUnavailableError
from smsgw.web.problem import ProblemError

FOLDER: Final = "uploads"  # in data_dir
AT_ONCE: Final = 1 << 20  # octets that are written in one go


class Upload(NamedTuple):
    """A file that came whole."""

    path: Path
    digest: str  # of its octets


class Uploads:
    """One file at a time."""

    def __init__(self, data_dir: Path) -> None:
        """What a daemon that died has left there is deleted."""
        self._folder = data_dir / FOLDER
        self._under_way = False
        if self._folder.is_dir():
            for left in self._folder.iterdir():
                left.unlink()

    @asynccontextmanager
    async def received(self, request: Request) -> AsyncIterator[Upload]:
        """The body of a request, in a file that is there until the block ends.

        Raises ProblemError, and StorageUnavailableError where it can't be written.
        """
        if self._under_way:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                "another upload is under way: try again when it has ended",
                word="under_way",
            )
        self._under_way = True
        path = self._folder / f"{uuid4().hex}.csv"
        try:
            digest = await _written(request, path)
            yield Upload(path, digest)
        except ClientDisconnect:
            raise ProblemError(HTTPStatus.BAD_REQUEST, "the body did not come whole") from None
        finally:
            self._under_way = False
            path.unlink(missing_ok=True)


async def _written(request: Request, path: Path) -> str:
    digest = hashlib.sha256()
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with path.open("xb") as file:
            waiting = bytearray()
            async for chunk in request.stream():
                digest.update(chunk)
                waiting += chunk
                if len(waiting) >= AT_ONCE:
                    await asyncio.to_thread(file.write, bytes(waiting))
                    waiting.clear()
            await asyncio.to_thread(file.write, bytes(waiting))
    except OSError as error:
        raise StorageUnavailableError(f"{path.parent}: {error.strerror}") from error
    return digest.hexdigest()

"""The other end of the daemon's control socket, for commands."""

import json
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

from smsgw.web import unix

TIMEOUT: Final = 60.0  # seconds: longer than the daemon takes for its slowest answer


class ControlError(Exception):
    """The daemon isn't there, or refuses; the message says why and what to do."""


class Control:
    """Asks the daemon of one `data_dir`, a connection a request."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / unix.CONTROL

    def ask(self, method: str, path: str) -> Any:
        """The JSON that the daemon answers. Raises ControlError."""
        connection = HTTPConnection("localhost", timeout=TIMEOUT)
        try:
            connection.sock = unix.connected(self._path, TIMEOUT)
            connection.request(method, path)
            response = connection.getresponse()
            body = json.loads(response.read())
        except (FileNotFoundError, ConnectionRefusedError):
            folder = self._path.parent
            raise ControlError(f"no daemon runs on {folder}: start it with `smsgw run`") from None
        except PermissionError:
            raise ControlError(f"{self._path}: only the daemon's user may ask it") from None
        except OSError as error:
            raise ControlError(f"{self._path}: {error.strerror or error}") from error
        except (HTTPException, ValueError) as error:
            raise ControlError(f"{self._path}: the daemon broke off its answer") from error
        finally:
            connection.close()
        if response.status >= 400:
            raise ControlError(body.get("detail") or body.get("title"))
        return body

"""TLS contexts made from a carrier's files, and made anew when a file has changed.

Version 1.2 or later, always. Who dials verifies the other's certificate and name; who is dialled
shows its own, and asks for one where a CA is named for that.
"""

import ssl
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from smsgw.carrier.wording import said, tls_reason
from smsgw.settings.transport import Tls

Stamp = tuple[tuple[int, int, int] | None, ...]


class Contexts:
    """One carrier's context for new connections: `dialling` or `listening` makes it.

    Sessions that exist keep the one they began with.
    """

    def __init__(
        self,
        make: Callable[[Tls], ssl.SSLContext],
        settings: Tls,
        log: FilteringBoundLogger,
    ) -> None:
        self._make = make
        self.settings = settings
        self._log = log
        self._files = _files(settings)
        self._stamp: Stamp | None = None
        self._context: ssl.SSLContext | None = None
        self._error = ""

    def current(self) -> ssl.SSLContext:
        """The context of the files as they are; of new ones that are broken, as they were.

        Raises OSError where they never were any good.
        """
        stamp = _stamp(self._files)
        if stamp != self._stamp:
            # As it was before the files were read: one that changes meanwhile is read again.
            self._stamp = stamp
            self._take_up()
        if self._context is None:
            raise OSError(self._error)
        return self._context

    def _take_up(self) -> None:
        try:
            context = self._make(self.settings)
        except OSError as error:
            self._error = said(error)
            self._log.error("tls.files_unfit", reason=self._error, kept=self._context is not None)
            return
        if self._context is not None:
            self._log.info("tls.files_taken_up")
        self._context = context


def contexts(
    make: Callable[[Tls], ssl.SSLContext], settings: Tls | None, log: FilteringBoundLogger
) -> Contexts | None:
    """None where connections are not encrypted."""
    return None if settings is None else Contexts(make, settings, log)


def options(contexts: Contexts | None, host: str) -> dict[str, Any]:
    """What asyncio's `create_connection` is to be told of encryption. Raises OSError."""
    if contexts is None:
        return {}
    return {"ssl": contexts.current(), "server_hostname": contexts.settings.server_name or host}


def dialling(settings: Tls) -> ssl.SSLContext:
    """For connections that we make: CA and name are verified. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        _load(settings.ca_file, context.load_verify_locations)
    _show_certificate(context, settings)
    return context


def listening(settings: Tls) -> ssl.SSLContext:
    """For connections made to us; with a `ca_file` a client must have its certificate from there.

    Raises OSError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.ca_file is not None:
        _load(settings.ca_file, context.load_verify_locations)
        context.verify_mode = ssl.CERT_REQUIRED
    _show_certificate(context, settings)
    return context


def _show_certificate(context: ssl.SSLContext, settings: Tls) -> None:
    if settings.cert_file is not None:
        # Without a password of ours OpenSSL would ask for an encrypted key's at the terminal.
        load = partial(context.load_cert_chain, keyfile=settings.key_file, password=lambda: "")
        _load(settings.cert_file, load)


def _load(path: Path, load: Callable[[Path], None]) -> None:
    try:
        load(path)
    except OSError as error:
        reason = tls_reason(error) if isinstance(error, ssl.SSLError) else said(error)
        raise OSError(f"{path} is of no use: {reason}") from error


def _files(settings: Tls) -> Sequence[Path]:
    system = ssl.get_default_verify_paths().cafile
    named = (settings.ca_file or (system and Path(system)), settings.cert_file, settings.key_file)
    return [path for path in named if path]


def _stamp(files: Sequence[Path]) -> Stamp:
    return tuple(_look(path) for path in files)


def _look(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino

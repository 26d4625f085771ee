"""TLS contexts made from a carrier's files, and made anew when a file has changed.

Version 1.2 or later, always. Who dials verifies the other's certificate and name; who is dialled
shows its own, and asks for one where a CA is named for that.
"""

import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from structlog.typing import FilteringBoundLogger

from smsgw.settings.transport import Tls

HANDSHAKE_SECONDS: Final = 10.0

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
        self._settings = settings
        self._log = log
        self._files = _files(settings)
        self._stamp: Stamp | None = None
        self._context: ssl.SSLContext | None = None
        self._error: OSError | None = None

    def current(self) -> ssl.SSLContext:
        """The context of the files as they are; of new ones that are broken, as they were.

        Raises OSError (ssl.SSLError is one) where they never were any good.
        """
        stamp = _stamp(self._files)
        if stamp != self._stamp:
            # As it was before the files were read: one that changes meanwhile is read again.
            self._stamp = stamp
            self._take_up()
        if self._context is None:
            assert self._error is not None
            raise self._error
        return self._context

    def _take_up(self) -> None:
        try:
            context = self._make(self._settings)
        except OSError as error:
            self._error = error
            self._log.error("tls.files_unfit", reason=said(error), kept=self._context is not None)
            return
        if self._context is not None:
            self._log.info("tls.files_taken_up")
        self._context = context


def dialling(settings: Tls) -> ssl.SSLContext:
    """For connections that we make: CA and name are verified. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(settings.ca_file)
    _show_certificate(context, settings)
    return context


def listening(settings: Tls) -> ssl.SSLContext:
    """For connections made to us; with a `ca_file` a client must have its certificate from there.

    Raises OSError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.ca_file is not None:
        context.load_verify_locations(settings.ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    _show_certificate(context, settings)
    return context


def said(error: OSError) -> str:
    """What is wrong with files, a certificate or a handshake, without OpenSSL's own places."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or 'unknown').lower().replace('_', ' ')}"
    return str(error)


def _show_certificate(context: ssl.SSLContext, settings: Tls) -> None:
    if settings.cert_file is not None:
        # Without a password of ours OpenSSL would ask for an encrypted key's at the terminal.
        context.load_cert_chain(settings.cert_file, settings.key_file, password=lambda: "")


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

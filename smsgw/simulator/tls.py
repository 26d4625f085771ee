"""TLS as a simulated SMSC wants it, at the listening end and at the dialling one."""

import ssl
from pathlib import Path

from smsgw.simulator.settings import TlsFiles


def listening(files: TlsFiles) -> ssl.SSLContext:
    """With `files.ca` who connects has to show a certificate. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if files.ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return _filled(context, files)


def dialling(files: TlsFiles) -> ssl.SSLContext:
    """Without `files.ca` the system's authorities are believed. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if files.ca is None:
        context.load_default_certs()
    return _filled(context, files)


def _filled(context: ssl.SSLContext, files: TlsFiles) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    path: Path | None = files.ca
    try:
        if files.ca is not None:
            context.load_verify_locations(files.ca)
        path = files.cert
        if files.cert is not None:
            context.load_cert_chain(files.cert, files.key)
    except ssl.SSLError as error:
        raise OSError(f"{path} is of no use: {error.reason or error}") from error
    return context

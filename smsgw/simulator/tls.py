"""TLS as a simulated SMSC wants it, at the listening end and at the dialling one."""

import ssl

from smsgw.simulator.settings import TlsFiles


def listening(files: TlsFiles) -> ssl.SSLContext:
    """With `files.ca` who connects has to show a certificate. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if files.ca is not None:
        context.load_verify_locations(files.ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return _shown(context, files)


def dialling(files: TlsFiles) -> ssl.SSLContext:
    """Without `files.ca` the system's authorities are trusted. Raises OSError."""
    return _shown(ssl.create_default_context(cafile=files.ca), files)


def _shown(context: ssl.SSLContext, files: TlsFiles) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.cert is not None:
        context.load_cert_chain(files.cert, files.key)
    return context

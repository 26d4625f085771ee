"""What went wrong with a connection or its files, in words and without addresses or places."""

import os
import socket
import ssl


def said(error: Exception) -> str:
    """The system's words, or ours for what OpenSSL and asyncio say too tersely."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {tls_reason(error)}"
    if isinstance(error, OSError) and error.errno and not isinstance(error, socket.gaierror):
        return os.strerror(error.errno)
    return str(error) or "connection closed by the peer"  # so asyncio, in a handshake


def tls_reason(error: ssl.SSLError) -> str:
    """OpenSSL gives no reason for a file that is no PEM, and for a key of another certificate."""
    reason = (error.reason or "").replace("_", " ").lower()
    return reason or "not in PEM, or of another key"

"""TLS for clients that dial only `wss:`: given files, or a local authority made for this run."""

from __future__ import annotations

import ssl
from pathlib import Path

from recorder.errors import RecorderError

AUTHORITY = "recorder-authority.pem"


def from_files(cert: Path, key: Path | None) -> ssl.SSLContext:
    """A server context from PEM files (the key may be in the certificate's file)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise RecorderError(
            f"cannot use {cert} for TLS: {error}; give PEM files with --tls-cert and --tls-key"
        ) from None
    return context


def self_signed(host: str, folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server context signed by a new local authority, and the path of its certificate.

    The authority's key is never written; clients trust the certificate (for Node.js:
    NODE_EXTRA_CA_CERTS).
    """
    import trustme

    authority = trustme.CA()
    names = dict.fromkeys((host, "localhost", "127.0.0.1", "::1"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    path = folder.resolve() / AUTHORITY
    try:
        authority.cert_pem.write_to_path(path)
    except OSError as error:
        raise RecorderError(f"cannot write {path}: {error.strerror}") from None
    return context, path

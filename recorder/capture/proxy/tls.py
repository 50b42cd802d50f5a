"""TLS for clients that dial only `wss:`: given files, or a local authority made for this run."""

from __future__ import annotations

import ssl
from pathlib import Path

from recorder.errors import RecorderError

AUTHORITY = "recorder-authority.pem"


def from_files(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """A server context from PEM files (the key may be in the certificate's file); None without
    any. RecorderError for files that cannot be used."""
    if cert is None:
        if key:
            raise RecorderError("--tls-key needs --tls-cert: give the PEM certificate too")
        return None
    for option, path in (("--tls-cert", cert), ("--tls-key", key)):
        if path and not path.is_file():
            raise RecorderError(f"{option} {path}: there is no such file; name a PEM file")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except ssl.SSLError as error:
        names = f"{cert} and {key} are not" if key else f"{cert} does not hold"
        raise RecorderError(
            f"{names} a PEM certificate with its key: name such files with --tls-cert and "
            f"--tls-key ({error.reason or 'not PEM'})"
        ) from None
    except OSError as error:
        raise RecorderError(
            f"cannot read {error.filename or cert}: {error.strerror}; name PEM files that can be "
            "read with --tls-cert and --tls-key"
        ) from None
    return context


def _no_password() -> str:
    raise RecorderError("the key of --tls-key has a password: give one without")


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

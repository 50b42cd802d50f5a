"""Whether a delivery is signed with a secret that is known.

Vapi sends a secret as it is (`X-Vapi-Secret`, or a bearer token under a header of choice), or an
HMAC over a text that has the body in it, after a time (`{timestamp}.{body}`, the default) and a
message id in the manner of Svix (`{id}.{timestamp}.{body}`), in hex or base64, with a prefix or
without. Header names are the user's choice (Vapi's documentation, server authentication), so that
any header may hold the signature.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterator

from recorder.heads import Headers, header
from recorder.providers.base import Signature
from recorder.redact.secrets import MARKER

_TIMES = ("x-timestamp", "webhook-timestamp", "svix-timestamp", "x-vapi-timestamp")
_IDS = ("webhook-id", "svix-id", "x-message-id")
_DIGESTS = {64: "sha256", 128: "sha512", 40: "sha1"}  # hex digits
_SIGNED = "signature"
_SVIX = ("webhook-signature", "svix-signature")
_MARKER = re.compile(MARKER.pattern.decode())
_SECONDS_DIGITS = 10


def signature(headers: Headers, body: bytes, secret: str) -> Signature:
    """`ok` if one header has the secret, or signs the exact bytes with it; `bad` if a header is
    there to do so and does not; else `missing`."""
    suspect = ""
    for name, value in headers:
        lower = name.lower()
        if hmac.compare_digest(_bare(value).encode(), secret.encode()):
            return Signature("ok", lower)
        if _SIGNED in lower:
            algorithm = _signs(headers, value, body, secret.encode())
            if algorithm:
                return Signature("ok", f"{lower} {algorithm}")
        if _SIGNED in lower or lower in ("x-vapi-secret", "authorization"):
            suspect = suspect or lower
    return Signature("bad", suspect) if suspect else Signature("missing")


def signed(headers: Headers, body: bytes, secret: str, wall_ns: int) -> Headers:
    """The headers of a delivery, whose secrets were taken out, signed anew with `secret` as of
    `wall_ns` (since 1970).

    A header with `signature` in its name gets the HMAC with SHA-256 of the exact bytes: in hex, or
    as Svix writes it where it has the name that Svix gives it. It is made over the headers' time
    and message id too, where they have one. Any other header that had a secret has this one.
    """
    if any(_SIGNED in name.lower() for name, _ in headers):
        headers = tuple((name, _stamped(name, value, wall_ns)) for name, value in headers)
    *_, payload = _payloads(headers, body)
    return tuple((name, _resigned(name, value, payload, secret)) for name, value in headers)


def _stamped(name: str, value: str, wall_ns: int) -> str:
    """A time as of now, in seconds or ms as it was."""
    if name.lower() not in _TIMES or not value.isdigit():
        return value
    return str(wall_ns // (10**9 if len(value) <= _SECONDS_DIGITS else 10**6))


def _resigned(name: str, value: str, payload: bytes, secret: str) -> str:
    if _SIGNED not in name.lower():
        return _MARKER.sub(lambda _: secret, value)
    if name.lower() not in _SVIX:
        return hmac.digest(secret.encode(), payload, "sha256").hex()
    key = next(_decoded_key(secret.encode()), b"") or secret.encode()
    return "v1," + base64.b64encode(hmac.digest(key, payload, "sha256")).decode()


def _bare(value: str) -> str:
    """A token without its scheme."""
    scheme, found, token = value.partition(" ")
    return token.strip() if found and scheme.lower() == "bearer" else value.strip()


def _signs(headers: Headers, value: str, body: bytes, secret: bytes) -> str:
    """The algorithm by which one of the signatures in a header is right, or ``""``."""
    for digest in _digests(value):
        algorithm = _DIGESTS.get(len(digest) * 2, "")
        for key in (secret, *_decoded_key(secret)):
            for payload in _payloads(headers, body):
                if algorithm and hmac.compare_digest(hmac.digest(key, payload, algorithm), digest):
                    return algorithm
    return ""


def _digests(value: str) -> Iterator[bytes]:
    """`sha256=<hex>`, `v1,<base64>`, `t=1,v1=<hex>` and the bare thing: what may be a digest."""
    for word in value.replace(",", " ").split():
        for piece in {word, word.partition("=")[2], word.rpartition(":")[2]}:
            try:
                yield bytes.fromhex(piece)
            except ValueError:
                yield from _from_base64(piece)


def _from_base64(text: str) -> Iterator[bytes]:
    try:
        yield base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return  # not a digest then


def _decoded_key(secret: bytes) -> Iterator[bytes]:
    """The key of a secret in the manner of Svix: `whsec_` and base64."""
    yield from _from_base64(secret.removeprefix(b"whsec_").decode("latin-1"))


def _payloads(headers: Headers, body: bytes) -> Iterator[bytes]:
    yield body
    for time_name in _TIMES:
        time = header(headers, time_name)
        if time is None:
            continue
        stamped = b"%s.%s" % (time.encode(), body)
        yield stamped
        for id_name in _IDS:
            name = header(headers, id_name)
            if name is not None:
                yield b"%s.%s" % (name.encode(), stamped)

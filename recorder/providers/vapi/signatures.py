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
from itertools import islice

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
_MOST_DIGESTS = 16
_MOST_PAYLOADS = 6  # Svix's three headers come under two sets of names at once


def signature(headers: Headers, body: bytes, secret: str) -> Signature:
    """`ok` if one header has the secret, or signs the exact bytes with it; `bad` if a header is
    there to do so and does not; else `missing`.

    The work is bounded, whoever sent the headers: of all that may be a digest the first 16 are
    looked at, and each HMAC is made once.
    """
    suspect = ""
    for name, value in headers:
        lower = name.lower()
        if hmac.compare_digest(_raw(_bare(value)), secret.encode()):
            return Signature("ok", lower)
        if _SIGNED in lower or lower in ("x-vapi-secret", "authorization"):
            suspect = suspect or lower
    by = _signer(headers, body, secret.encode())
    if by:
        return Signature("ok", by)
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


def _raw(text: str) -> bytes:
    """A header's value as it came: bytes that are not UTF-8 stand in it as surrogates."""
    return text.encode("utf-8", "surrogateescape")


def _signer(headers: Headers, body: bytes, secret: bytes) -> str:
    """The header whose signature is right and its algorithm, or ``""``."""
    found: dict[str, dict[bytes, str]] = {}
    given = ((name.lower(), value) for name, value in headers if _SIGNED in name.lower())
    digests = ((name, digest) for name, value in given for digest in _digests(value))
    for name, digest in islice(digests, _MOST_DIGESTS):
        found.setdefault(_DIGESTS[len(digest) * 2], {}).setdefault(digest, name)
    keys = dict.fromkeys((secret, *_decoded_key(secret)))
    for payload in islice(_payloads(headers, body), _MOST_PAYLOADS) if found else ():
        for algorithm, named in found.items():
            for key in keys:
                made = hmac.digest(key, payload, algorithm)
                for digest, name in named.items():
                    if hmac.compare_digest(made, digest):
                        return f"{name} {algorithm}"
    return ""


def _digests(value: str) -> Iterator[bytes]:
    """`sha256=<hex>`, `v1,<base64>`, `t=1,v1=<hex>` and the bare thing: what has the length of a
    digest."""
    for word in value.replace(",", " ").split():
        for piece in dict.fromkeys((word, word.partition("=")[2], word.rpartition(":")[2])):
            try:
                found = [bytes.fromhex(piece)]
            except ValueError:
                found = list(_from_base64(piece))
            yield from (digest for digest in found if len(digest) * 2 in _DIGESTS)


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
        stamped = b"%s.%s" % (_raw(time), body)
        yield stamped
        for id_name in _IDS:
            name = header(headers, id_name)
            if name is not None:
                yield b"%s.%s" % (_raw(name), stamped)

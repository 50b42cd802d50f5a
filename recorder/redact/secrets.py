"""What is secret from the start, and the marker that stands where a secret stood."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from hmac import digest
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from recorder.redact.names import is_secret_query, is_secret_variable

SHORTEST_KNOWN = 8  # characters; anything shorter would hit ordinary words
LONGEST_KNOWN = 4096

MARKER = re.compile(rb"\[redacted(?::[0-9a-f]{12})?\]")
PIECE = b"[redacted]"  # stands for a part of a secret whose whole is not known yet

_PATH = re.compile(
    r"(?:~|\.{1,2})[/\\]|[A-Za-z]:[\\/]"
    r"|/(?:app|bin|dev|etc|home|lib|media|mnt|opt|private|proc|root|run|srv|sys|tmp|usr|var"
    r"|workspace|work|Users|Volumes)(?:/|$)"
    r"|[\w./-]+\.(?:pem|key|crt|cer|json|p12|pfx|txt|ya?ml|sock)$"
)
_WORDS = frozenset(
    {
        "anonymous",
        "changeme",
        "default",
        "development",
        "disabled",
        "enabled",
        "example",
        "localhost",
        "optional",
        "password",
        "postgres",
        "postgresql",
        "production",
        "redacted",
        "required",
        "testtest",
        "undefined",
        "username",
    }
)


class Secrets(NamedTuple):
    """Made once per store and run.

    `key` makes the markers (any length, kept with the store so that they stay the same);
    `known` are values to be removed wherever they stand, longest first. `personal`: telephone
    numbers and the words of conversations are removed, too.
    """

    key: bytes
    known: tuple[str, ...] = ()
    personal: bool = False


def marker(secrets: Secrets, value: str) -> str:
    """`[redacted:<12 hex digits>]`, the same for the same value and key (HMAC-SHA256)."""
    return mark(secrets, to_bytes(value)).decode()


def mark(secrets: Secrets, value: bytes) -> bytes:
    """`marker` over bytes; no value at all gives the marker of a piece."""
    if not value:
        return PIECE
    return b"[redacted:%s]" % digest(secrets.key, value, sha256).hex()[:12].encode()


def to_bytes(text: str) -> bytes:
    """UTF-8, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")


def known_secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables with a credential-like name, and the passwords in URLs.

    Left out is what is too short (under 8 characters) or too ordinary to be told from other
    text: words such as `password`, numbers, paths, URLs as a whole.
    """
    found: set[str] = set()
    for name, text in environ.items():
        value = text.strip()
        if "://" in value:
            found.update(_url_secrets(value))
        elif is_secret_variable(name):
            found.add(value)
    kept = (value[:LONGEST_KNOWN] for value in found if not _is_trivial(value))
    return tuple(sorted(set(kept), key=lambda value: (-len(value), value)))


def _url_secrets(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:  # not a URL after all: an unbalanced bracket
        return
    if password:
        yield password
        yield unquote(password)
    for name, value in parse_qsl(parts.query):
        if is_secret_query(name):
            yield value


def _is_trivial(value: str) -> bool:
    return (
        len(value) < SHORTEST_KNOWN
        or value.lower() in _WORDS
        or len(set(value)) < 3
        or (value.isdigit() and len(value) < 16)
        or _PATH.match(value) is not None
    )

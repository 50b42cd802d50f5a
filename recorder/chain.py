"""The digest chain over the events of a session.

Each link is made of the SHA-256 over the previous link, the event's head and its wire bytes (after
redaction, audio put back), so that it does not depend on how a store keeps them. How is told by
the session's `scheme`; a change of this rule gets a new one:

| scheme | a link is |
|---|---|
| `sha256/1` | the SHA-256, 32 bytes |
| `sha256/2` | its first 16 bytes: 128 bits find every change, and each row is shorter |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final

from recorder.errors import RecorderError
from recorder.events import Kind, Sender

SCHEME: Final = "sha256/2"  # that of new tapes
LINK_BYTES: Final[Mapping[str, int]] = {"sha256/1": 32, "sha256/2": 16}
_SHORT: Final = 4096  # bytes of a body that cost less to copy than a second call does


class UnknownScheme(RecorderError):
    """A tape whose chain this program can neither check nor go on with."""

    def __init__(self, session: str, scheme: str) -> None:
        super().__init__(
            f"the digest chain of session {session} is of scheme {scheme!r}, which this program "
            "does not know: use the version that recorded it"
        )


def genesis(scheme: str, session: str, provider: str, wall_ns: int) -> bytes:
    """The link before the first event; UnknownScheme if it cannot be told."""
    size = LINK_BYTES.get(scheme)
    if size is None:
        raise UnknownScheme(session, scheme)
    return sha256(f"{scheme}\n{session}\n{provider}\n{wall_ns}".encode()).digest()[:size]


def link(
    previous: bytes,
    seq: int,
    at_ns: int,
    channel: int,
    sender: Sender,
    kind: Kind,
    type_: str,
    body: bytes,
) -> bytes:
    """The link of an event (the fields of `Event` after its session), given the link of the event
    before it, whose length it has."""
    size = len(body)  # %a below: a column may hold anything after tampering
    shared = _shared(channel, sender, kind, type_)
    if size <= _SHORT:
        whole = b"%b%a\n%a\n%b%d\n%b" % (previous, seq, at_ns, shared, size, body)
        return sha256(whole).digest()[: len(previous)]
    state = sha256(b"%b%a\n%a\n%b%d\n" % (previous, seq, at_ns, shared, size))
    state.update(body)  # without a copy of it
    return state.digest()[: len(previous)]


def links(
    previous: bytes,
    seq: int,
    moments: Sequence[int],
    channel: int,
    sender: Sender,
    kind: Kind,
    type_: str,
    bodies: Sequence[bytes],
) -> list[bytes]:
    """The links of events from `seq` on that differ in nothing but their moments and bodies."""
    size = len(previous)
    shared = _shared(channel, sender, kind, type_)
    made = []
    for number, (at_ns, body) in enumerate(zip(moments, bodies, strict=True), seq):
        whole = b"%b%d\n%d\n%b%d\n%b" % (previous, number, at_ns, shared, len(body), body)
        previous = sha256(whole).digest()[:size]
        made.append(previous)
    return made


@lru_cache(maxsize=1024)
def _shared(channel: int, sender: Sender, kind: Kind, type_: str) -> bytes:
    """What the heads of many events have in common."""
    return f"{channel}\n{sender}\n{kind}\n{type_}\n".encode()

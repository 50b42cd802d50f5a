"""The digest chain over the events of a session.

Each link is the SHA-256 over the previous link, the event's head and its wire bytes (after
redaction, audio put back), so that it does not depend on how a store keeps them. A change of
this rule gets a new `SCHEME`.
"""

from __future__ import annotations

from hashlib import sha256

from recorder.events import Event

SCHEME = "sha256/1"


def genesis(session: str, provider: str, wall_ns: int) -> bytes:
    """The link before the first event (32 bytes)."""
    return sha256(f"{SCHEME}\n{session}\n{provider}\n{wall_ns}".encode()).digest()


def link(previous: bytes, event: Event) -> bytes:
    """The link of `event` (32 bytes), given the link of the event before it."""
    _, seq, at_ns, channel, sender, kind, type_, body = event
    state = sha256(
        previous + f"{seq}\n{at_ns}\n{channel}\n{sender}\n{kind}\n{type_}\n{len(body)}\n".encode()
    )
    state.update(body)
    return state.digest()

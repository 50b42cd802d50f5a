"""What the close of a WebSocket means, of whatever provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from recorder.events import Event
from recorder.heads import Close
from recorder.providers.neutral import Ended, Fault, Neutral

_IN_ORDER: Final = (1000, 1001, 1005)  # normal, going away, no code (RFC 6455, section 7.4.1)


def closed(event: Event) -> Sequence[Neutral]:
    """The end of a conversation, and what failed if it was not in order."""
    close = Close.decode(event.body)
    by: Literal["client", "provider"] = "client" if event.sender == "client" else "provider"
    ended = Ended(f"{close.code} {close.reason}".strip(), by)
    if close.code in _IN_ORDER:
        return (ended,)
    text = close.reason or "the connection broke off"
    return (Fault("transport", by, str(close.code), text, True), ended)

"""The events of a tape as checks name them: messages, and HTTP bodies joined from their pieces."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from recorder.events import Event, Sender
from recorder.heads import Close


@dataclass(frozen=True)
class Occurrence:
    """A message, or an HTTP request or answer, named by the request. `text` is its body without
    audio."""

    seq: int
    at_ns: int
    sender: Sender
    type: str
    text: bytes

    @cached_property
    def value(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None


class Closed(NamedTuple):
    """The end of a socket: 1005 is a close without a code, 1006 a lost connection."""

    seq: int
    code: int


class Occurrences:
    """Collects the events of one tape, in order. Each socket counts its first close."""

    def __init__(self) -> None:
        self.closes: dict[int, Closed] = {}  # by channel
        self._found: list[Occurrence] = []
        self._heads: dict[tuple[int, Sender], Event] = {}
        self._names: dict[int, str] = {}
        self._bodies: dict[tuple[int, Sender], list[bytes]] = {}

    def take(self, event: Event) -> None:
        """The next event."""
        key = event.channel, event.sender
        if event.kind in ("ws.text", "ws.binary"):
            text = event.body if event.kind == "ws.text" else b""
            self._found.append(Occurrence(event.seq, event.at_ns, event.sender, event.type, text))
        elif event.kind in ("http.request", "webhook.request"):
            self._heads[key] = event
            self._names[event.channel] = event.type
        elif event.kind in ("http.response", "webhook.response"):
            self._heads[key] = event
        elif event.kind == "http.chunk":
            self._bodies.setdefault(key, []).append(event.body)
        elif event.kind == "ws.close" and event.channel not in self.closes:
            self.closes[event.channel] = Closed(event.seq, Close.decode(event.body).code)

    def all(self) -> list[Occurrence]:
        """All of them, in the order in which they began."""
        found = list(self._found)
        for (channel, sender), head in self._heads.items():
            name = self._names.get(channel, head.type)
            text = b"".join(self._bodies.get((channel, sender), []))
            found.append(Occurrence(head.seq, head.at_ns, sender, name, text))
        return sorted(found, key=lambda each: each.seq)

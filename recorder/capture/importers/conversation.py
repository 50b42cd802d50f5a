"""What an importer makes of a file: conversations that have yet to be numbered and stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from recorder.events import Kind, Sender
from recorder.providers.base import Provider
from recorder.store.base import ChannelKind


class Take(NamedTuple):
    """One event as a file tells it; `at_ns` is the offset from the conversation's start."""

    at_ns: int
    channel: int
    sender: Sender
    kind: Kind
    type: str
    body: bytes


class Line(NamedTuple):
    """A channel: its kind and its path, without secrets or not (they are removed later)."""

    kind: ChannelKind
    target: str


@dataclass
class Conversation:
    """One session to be. `takes` are in the order of reading; channels are numbered from 1.

    `wall_ns` is None where the file does not tell when it was; `timed` says whether the offsets
    are real. `facts` are those known beside the events (model, external_id).
    """

    channels: list[Line] = field(default_factory=list)
    takes: list[Take] = field(default_factory=list)
    wall_ns: int | None = None
    timed: bool = True
    facts: Mapping[str, str] = field(default_factory=dict)

    def channel(self, kind: ChannelKind, target: str) -> int:
        """Add a channel and return its number."""
        self.channels.append(Line(kind, target))
        return len(self.channels)


@dataclass(frozen=True)
class Source:
    """A file to import: its name for messages, its bytes, and the files that lie beside it."""

    name: str
    data: bytes
    beside: Callable[[str], bytes]


class Importer(Protocol):
    """A format of recordings."""

    NAME: str
    TITLE: str

    def read(self, source: Source, provider: Provider) -> Sequence[Conversation]:
        """The conversations of a file; ImportFailed names what cannot be read, and where."""
        ...

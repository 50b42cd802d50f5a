"""What a provider is: one module that satisfies `Provider`. Nothing here assumes turns or items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from recorder.events import Kind, Sender
from recorder.heads import RequestHead, ResponseHead
from recorder.spans import AudioField


class Insight(NamedTuple):
    """What a tracker saw in one event, without judging it."""

    type: str
    audio: Sequence[AudioField] = ()
    ended: Sequence[str] = ()  # streams of this sender whose audio is complete
    facts: Mapping[str, str] | None = None  # newly learnt: external_id, model


class Tracker(Protocol):
    """Follows one session's events in order, at capture; never raises on what it does not know."""

    def inspect(self, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes) -> Insight:
        """Name the event and find its audio. `type_` is the name the shell gave, or ``""``."""
        ...


Cue = Literal["capture", "play", "stop"]


class Listener(Protocol):
    """Follows one session's events in order and tells what they mean for what is heard."""

    def cue(self, sender: Sender, type_: str, body: bytes) -> Cue | None:
        """`capture`: its audio is the client's, as taken up; `play`: its audio is queued for
        playing; `stop`: what is queued and not yet played is dropped. `body` as stored, that is
        without its audio; what is not known is None."""
        ...


class Route(NamedTuple):
    """Where an exchange belongs: `conversation` opens a session of its own, `call` belongs to the
    session known by `key` (created when nobody knows it), `control` is the run's REST traffic."""

    place: Literal["conversation", "call", "control"]
    key: str | None = None
    model: str | None = None


class Rules(NamedTuple):
    """What may differ between two runs of one conversation.

    A place is a dotted JSON path from the message's root: `*` stands for any key or index, `**`
    for any number of them, and `TYPE:PATH` holds for messages of one type only.
    """

    ids: Mapping[str, str]
    """Place -> kind of id. Ids are bound at first sight, per kind, and then used consistently."""
    volatile: Sequence[str]
    """Places whose values are not compared. An id that is volatile too may be absent or extra."""
    optional: frozenset[str]
    """Provider types that may be absent or extra."""
    ungated: frozenset[str]
    """Client types (streamed audio) that never hold a provider message back."""
    deltas: Mapping[str, str]
    """Type of a piece of a stream -> place of the piece; streams are compared joined."""
    heard: frozenset[str] = frozenset()
    """Provider types that streamed audio causes: they wait for as much of it as on the tape."""
    unprompted: frozenset[str] = frozenset()
    """Provider types that nothing of the client causes."""
    tolerated: frozenset[str] = frozenset()
    """Client types that depend on timing: one may be missing or extra, and is then reported."""
    unordered: frozenset[str] = frozenset()
    """Types whose place among the other messages of their sender depends on timing."""
    parallel: Mapping[str, str] = {}
    """Client type -> place; messages of the type that have it may change places with each other."""
    explicit_nulls: Sequence[str] = ()
    """Places where null means something else than absent."""
    constants: frozenset[str] = frozenset()
    """Values at places of ids that are no ids."""
    cuts: frozenset[str] = frozenset()
    """Client types that end a run of streamed audio."""
    embedded: Mapping[str, str] = {}
    """Provider type -> place of a text in which ids stand."""


class Provider(Protocol):
    """A provider module."""

    NAME: str
    TITLE: str
    PREFIX: str
    UPSTREAM: str
    RULES: Rules

    def route(self, head: RequestHead) -> Route:
        """Where a request or upgrade belongs, from its head alone."""
        ...

    def correlate(self, request: RequestHead, response: ResponseHead) -> str | None:
        """The key (as in `Route`) that an answer reveals, such as a call's id in `Location`."""
        ...

    def tracker(self) -> Tracker:
        """A fresh tracker for one session."""
        ...

    def listener(self) -> Listener:
        """A fresh listener for one session."""
        ...

    def describe(self, type_: str, message: Mapping[str, Any]) -> str:
        """What a JSON message says, in a few words, for a timeline."""
        ...

    def error_event(
        self, code: str, message: str, *, event_id: str | None = None, by_client: bool = False
    ) -> bytes:
        """An error as this provider would word it, for clients to show.

        `by_client`: the client's message is to blame; `event_id` is the id it gave that message.
        """
        ...

    def minted_ns(self, name: str) -> int | None:
        """When an id of the provider was made (ns since 1970), for recordings without times; None
        if it does not tell."""
        ...

    def sdk_hints(self, base_url: str) -> Sequence[str]:
        """How to point each client at the proxy: one line each."""
        ...

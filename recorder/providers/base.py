"""What a provider is: one module that satisfies `Provider`. Nothing here assumes turns or items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from recorder.events import Kind, Sender
from recorder.heads import Headers, RequestHead, ResponseHead
from recorder.providers.neutral import Decoder
from recorder.providers.usage import UsageReader
from recorder.redact import Personal
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

    def cue(self, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes) -> Cue | None:
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
    """Client types, and types of requests (`GET *` for all of a method), that depend on timing: one
    may be missing or extra, and is then reported."""
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
    ends: Mapping[str, str] = {}
    """Client type that ends the conversation, whenever it comes -> provider type that says so."""
    nested: Mapping[str, str] = {}
    """Provider type -> place of the type of the event that it carries."""
    embedded: Mapping[str, str] = {}
    """Provider type -> place of a text in which ids stand."""
    key_prefix: str = "key_"
    """How the keys begin that the provider issues to be given away."""
    is_paced: bool = False
    """Whether the provider speaks in real time: all that it sends waits for the sound that came
    before it, where some is new, as if it were `heard`."""
    awaited: frozenset[str] = frozenset()
    """Types of webhooks whose answer decides what the provider does next."""
    commands: frozenset[str] = frozenset()
    """Types of requests that decide what is said on a socket that is open."""
    links: Mapping[str, str] = {}
    """Place of a URL that leads to the provider, in the object that it belongs to -> the URL's
    scheme without TLS and its path, where `{id}` stands for the object's own: `ws:/{id}/listen`."""


class ToolWebhook(NamedTuple):
    """The webhook that calls functions: its type; the place of the list of calls, and in one of
    them the places of its id and of the function's name and arguments. The answer is an object
    with a list `results` of objects with `answer_id` and `answer_result`, or `answer_error` where
    the function failed."""

    type: str
    calls: str
    id: str
    name: str
    arguments: str
    results: str
    answer_id: str
    answer_result: str
    answer_error: str


class Conduct(NamedTuple):
    """How a client acts, beyond what the neutral messages tell: for playing its side anew.

    Places are plain dotted paths from the message's root.
    """

    asks: frozenset[str] = frozenset()
    """Client types that ask for a reply, beside those that are `Asked`."""
    heard: tuple[str, str] | None = None
    """In the message that tells how much of an item was heard: places of the item and of the ms."""
    result: tuple[str, str] | None = None
    """In the message with a function's result: places of the call's id and of the output."""
    answer: bytes = b""
    """Such a message, without the two."""
    more: bytes = b""
    """What asks for the reply to results; empty where the provider goes on by itself."""
    acks: frozenset[str] = frozenset()
    """Provider types that tell that a message of the client was taken, and nothing else."""
    benign: frozenset[str] = frozenset()
    """Codes of errors that depend on timing alone."""
    media: tuple[str, ...] = ()
    """How the paths end by which audio goes past the tape (WebRTC, SIP)."""
    tools: ToolWebhook | None = None


class Edit(NamedTuple):
    """`body[start:end]` of a JSON text is to be replaced by `text`; `place` is its place in it
    (`$.server.url`), `was` the value that stood there, if one did."""

    start: int
    end: int
    text: bytes
    place: str
    was: str | None = None


class Link(NamedTuple):
    """A URL that a client would follow around the recorder: `body[start:end]` is the content of
    its JSON string, the value of `name` in the object at `place`."""

    start: int
    end: int
    place: str
    name: str
    url: str


class Links(Protocol):
    """The URLs of other servers that a provider's answers send a client to."""

    def within(self, request: RequestHead) -> bool:
        """Whether the answer to a request may have them, so that it is looked at whole."""
        ...

    def find(self, body: bytes) -> Sequence[Link]:
        """Those of a JSON answer, in order."""
        ...

    def leads_to(self, host: str) -> bool:
        """Whether a host (a name without a port) is the provider's."""
        ...


class Delivery(NamedTuple):
    """A webhook: its type, and the key (as in `Route`) of the call that it is about."""

    type: str
    key: str | None = None


class Signature(NamedTuple):
    """Whether a delivery is signed with a secret, and by what means (a header, an algorithm)."""

    verdict: Literal["ok", "bad", "missing"]
    by: str = ""


class Webhooks(Protocol):
    """What a provider posts to the application's server."""

    def read(self, body: bytes) -> Delivery:
        """What a delivery is; a body that is none has the type ``""``."""
        ...

    def acknowledgement(self, delivery: Delivery) -> bytes:
        """The JSON that stands for an application without an opinion."""
        ...

    def signature(self, headers: Headers, body: bytes, secret: str) -> Signature:
        """Whether the exact bytes are signed with `secret`."""
        ...

    def signed(self, headers: Headers, body: bytes, secret: str, wall_ns: int) -> Headers:
        """The headers of a delivery whose secrets were taken out, signed anew with `secret` at
        `wall_ns` (since 1970)."""
        ...

    def addressed(self, request: RequestHead, body: bytes, url: str) -> Sequence[Edit]:
        """What has to change in a request so that deliveries come to `url`."""
        ...


class Endings(Protocol):
    """How a provider says that a response did not end well."""

    TYPES: frozenset[str]
    STATUSES: Mapping[str, Sequence[str]]

    def reworded(self, body: bytes, status: str, reason: str) -> bytes:
        """A message of one of `TYPES`, as if its response had ended with one of `STATUSES`, for one
        of the reasons there; by default (``""``) the first."""
        ...


class Provider(Protocol):
    """A provider module. `ENDINGS`, `LINKS` and `WEBHOOKS` are None where it has no such thing."""

    NAME: str
    TITLE: str
    PREFIX: str
    UPSTREAM: str
    RULES: Rules
    PERSONAL: Personal
    CONDUCT: Conduct
    ENDINGS: Endings | None
    LINKS: Links | None
    WEBHOOKS: Webhooks | None

    def route(self, head: RequestHead) -> Route:
        """Where a request or upgrade belongs, from its head alone."""
        ...

    def correlate(
        self, request: RequestHead, response: ResponseHead, body: bytes = b""
    ) -> str | None:
        """The key (as in `Route`) that an answer reveals: a call's id in `Location`, or in the
        body, which is given where it is looked at whole (see `Links.within`). On the socket of a
        call without a key, each message of the provider is such a body until one tells it."""
        ...

    def tracker(self) -> Tracker:
        """A fresh tracker for one session."""
        ...

    def listener(self) -> Listener:
        """A fresh listener for one session."""
        ...

    def decoder(self) -> Decoder:
        """A fresh decoder for one session."""
        ...

    def usage(self) -> UsageReader:
        """A fresh reader of what one session used."""
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

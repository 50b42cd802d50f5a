"""Neutral messages: what a provider's events mean, in words that all providers share.

A `Decoder` reads the events of one session in order; one event gives any number of messages, and
none where it means nothing here. A provider without items, responses or turns leaves those
messages out; nobody may need them. Ids are the provider's own, None where it has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, Protocol, runtime_checkable

from recorder.events import Event

Role = Literal["user", "assistant", "system"]
Side = Literal["client", "provider", "upstream"]
Class = Literal[
    "auth", "rate_limit", "model", "transcriber", "voice", "transport", "tool", "client", "other"
]


class Ready(NamedTuple):
    """The session can be talked to."""


class Placed(NamedTuple):
    """The client asked for a conversation by REST (`asked`), and got it (`done`)."""

    edge: Literal["asked", "done"]


class Configured(NamedTuple):
    """The client sent settings (`asked`), or the provider says that they hold (`done`)."""

    edge: Literal["asked", "done"]


class UserSpeech(NamedTuple):
    """The user's speech began or ended: the provider says so, or (`is_derived`) a rule of the
    decoder finds it. `media_ms` counts the audio it was sent; `stamp_ms` is its own clock (Unix
    time); `speech` is the decoder's name for it, where the provider has no items. `was_ns`: when it
    was on the clock of the tape, where a rule finds it only later."""

    edge: Literal["started", "stopped"]
    item: str | None = None
    media_ms: float | None = None
    stamp_ms: float | None = None
    speech: str | None = None
    is_derived: bool = False
    was_ns: int | None = None


class Stamped(NamedTuple):
    """When, by the provider's own clock (Unix time), something was that it told without that."""

    what: Literal["user stopped", "agent started"]
    ms: float


class HandedOver(NamedTuple):
    """The client ends the user's spoken input itself."""


class Committed(NamedTuple):
    """The user's audio was handed to the model as one input."""

    item: str | None = None


class Asked(NamedTuple):
    """The client asked for a response."""


class Words(NamedTuple):
    """Words of one side. `form`: `piece` is added to those before it, `draft` replaces the draft
    before it, `final` is the whole. `via`: spoken (a transcript) or written. `start_ms`, `end_ms`:
    where in the session the provider places them. `speech`: the `UserSpeech` that they are of;
    words of one that began no turn are an aside in the turn under way."""

    role: Role
    text: str
    form: Literal["piece", "draft", "final"]
    via: Literal["speech", "text"]
    item: str | None = None
    response: str | None = None
    start_ms: float | None = None
    end_ms: float | None = None
    speech: str | None = None


class ItemSeen(NamedTuple):
    """The provider holds an item of the conversation."""

    item: str
    kind: str
    role: str | None = None
    response: str | None = None


class ResponseStarted(NamedTuple):
    """The model, or the voice, began an answer. `is_backend`: a model that works behind the voice
    did, so that it is not the turn's answer."""

    response: str
    stamp_ms: float | None = None
    is_backend: bool = False


class ResponseEnded(NamedTuple):
    """An answer is over."""

    response: str
    status: Literal["completed", "cancelled", "incomplete", "failed"]
    reason: str | None = None


class Voiced(NamedTuple):
    """This event carries audio of the agent."""

    item: str | None = None
    response: str | None = None


class ToolCalled(NamedTuple):
    """A function was called; `arguments` is JSON text."""

    call: str
    name: str
    arguments: str
    response: str | None = None


class ToolAnswered(NamedTuple):
    """The result of a function came back; `output` is text."""

    call: str
    output: str
    failed: bool = False


class Interrupted(NamedTuple):
    """The answer under way was cut off: the provider says so, or the client makes it so, or a rule
    of the decoder finds that the voice fell silent (`is_derived`), `was_ns` on the clock of the
    tape."""

    by: Literal["client", "provider"]
    response: str | None = None
    is_derived: bool = False
    was_ns: int | None = None


class HeardUntil(NamedTuple):
    """The client tells how much of an item was heard."""

    item: str
    ms: float


class Stalled(NamedTuple):
    """The provider says that its answer is late."""


class VendorLatency(NamedTuple):
    """A latency that the provider measured itself: its name for it, of its turn `turn` (from 1)."""

    name: str
    ms: float
    turn: int


class Fault(NamedTuple):
    """Something failed. `side` is whose fault it is, None where it is not known."""

    class_: Class
    side: Side | None
    code: str
    text: str
    is_fatal: bool = False


class Ended(NamedTuple):
    """The conversation is over, with the provider's reason."""

    reason: str
    by: Literal["client", "provider"] | None = None


class Unknown(NamedTuple):
    """A type of message that nobody here knows."""

    type: str


Neutral = (
    Ready
    | Placed
    | Configured
    | UserSpeech
    | Stamped
    | HandedOver
    | Committed
    | Asked
    | Words
    | ItemSeen
    | ResponseStarted
    | ResponseEnded
    | Voiced
    | ToolCalled
    | ToolAnswered
    | Interrupted
    | HeardUntil
    | Stalled
    | VendorLatency
    | Fault
    | Ended
    | Unknown
)


class Decoder(Protocol):
    """Follows one session's events in order; never raises on what it does not know."""

    def decode(self, event: Event) -> Sequence[Neutral]:
        """What an event means. Its body is as stored, that is, without its audio."""
        ...


LEVEL_MS: Final = 20
"""The step of `HearingDecoder.hear`'s levels."""


@runtime_checkable
class HearingDecoder(Decoder, Protocol):
    """A decoder of a provider that tells little: rules of its own find turns in the sound."""

    @property
    def rule(self) -> str:
        """The rule's name, version and parameters, in one line."""
        ...

    def end(self) -> Sequence[Neutral]:
        """What was held back until the tape ended, however that was."""
        ...

    def hear(self, event: Event, ms: float, levels: Sequence[float]) -> Sequence[Neutral]:
        """`decode`, of an event with `ms` of sound: its level in each step of 20 ms, as RMS about
        the mean, where full scale is 32768. The last step may be shorter."""
        ...

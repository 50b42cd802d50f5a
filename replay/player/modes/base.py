"""What a mode decides, and what it may ask."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol, get_args

from replay.player.ear import Ear
from replay.script import DeliveryScript, Expected, Planned, SocketScript

ModeName = Literal["causal", "strict", "timed", "step"]
MODES: tuple[ModeName, ...] = get_args(ModeName)


class Ahead(NamedTuple):
    """What came too early: the step that it is (0: streamed audio), and what should have been
    before it."""

    seq: int
    what: str
    before: str


class Lane(Protocol):
    """A connection, as modes know it. Times are monotonic ns."""

    script: SocketScript
    clock: int
    """When its last message was to go out."""

    @property
    def ear(self) -> Ear:
        """What its client has streamed."""
        ...

    @property
    def told_ns(self) -> int:
        """When on the tape its last message went out."""
        ...

    def opened(self, step: Planned) -> int | None:
        """When all had happened that caused a message; None if something has not."""
        ...

    def next_step(self) -> Planned | None:
        """The provider's next message."""
        ...

    def awaited(self) -> Expected | None:
        """The client message that is waited for now."""
        ...

    def released(self, seq: int) -> int | None:
        """When what is not of this connection had come that a step needs; None if it has not."""
        ...


class World(Protocol):
    """The whole tape, as modes know it."""

    def pending(self, seq: int) -> str | None:
        """What was before a step on the tape and has not happened yet; None if all has."""
        ...

    def latest_ns(self) -> int:
        """When the last thing happened, streamed audio aside."""
        ...

    def first_open(self) -> int | None:
        """The first step, in the order of the tape, whose causes have all happened."""
        ...

    def begun_before(self, seq: int) -> tuple[int, int] | None:
        """The last connection, request or webhook before a step: when it came, and when on the
        tape; None if there is none."""
        ...


class Mode(Protocol):
    """Decides when the provider's messages go out."""

    waits: bool
    """Whether the provider waits for the client."""
    in_order: bool
    """Whether everything has to come in the recorded order."""
    follows: bool
    """Whether a message without a cause of its own goes its recorded gap after the one before."""

    def when(self, lane: Lane, step: Planned) -> int | None:
        """When the next message of a connection goes out; None: not before something happens."""
        ...

    def when_posted(self, script: DeliveryScript, opened_ns: int | None) -> int | None:
        """When a webhook goes out, whose causes had all happened at `opened_ns`."""
        ...

    def is_held(self, lane: Lane, step: Planned) -> bool:
        """Whether the next message waits for something that its client cannot do."""
        ...

    def ahead(self, seq: int, what: str) -> Ahead | None:
        """What is wrong with the client's doing step `seq` now; None if nothing is."""
        ...

    def ahead_audio(self, lane: Lane) -> Ahead | None:
        """What is wrong with how far the client's audio has come."""
        ...

    def heard(self, lane: Lane) -> int:
        """How often audio has come so far that something could go out."""
        ...

    def went(self, step: Planned | DeliveryScript, body: bytes) -> None:
        """A message, or a webhook, went out."""
        ...

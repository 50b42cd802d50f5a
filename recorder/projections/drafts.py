"""Rows in the making: what a fold knows of a turn, an answer, an item, a call so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from recorder.providers.neutral import Words


class Moment(NamedTuple):
    """When something was, and the event that tells it."""

    at_ns: int
    seq: int


class Stamp(NamedTuple):
    """When something was by the provider's own clock (Unix time), and the event that tells it."""

    ms: float
    seq: int


@dataclass
class Spanned:
    """Something that rests on events."""

    first_seq: int
    last_seq: int

    def touch(self, seq: int) -> None:
        """It rests on event `seq`, too."""
        self.first_seq = min(self.first_seq, seq)
        self.last_seq = max(self.last_seq, seq)

    @property
    def seqs(self) -> dict[str, int]:
        """The event of each moment and stamp of it, by name."""
        told = vars(self).items()
        return {name: value.seq for name, value in told if isinstance(value, Moment | Stamp)}


@dataclass
class Sounding(Spanned):
    """Something of the agent that is written and heard."""

    first_text: Moment | None = None
    first_audio: Moment | None = None
    last_audio: Moment | None = None
    audio_ms: float = 0.0

    def written(self, at: Moment) -> None:
        """Words came."""
        self.first_text = self.first_text or at

    def voiced(self, at: Moment, ms: float) -> None:
        """`ms` of audio came."""
        self.first_audio = self.first_audio or at
        self.last_audio = at
        self.audio_ms += ms


@dataclass
class Outline(Spanned):
    """See `OutlineRow`."""

    placed: Moment | None = None
    placed_done: Moment | None = None
    connected: Moment | None = None
    opened: Moment | None = None
    ready: Moment | None = None
    configure: Moment | None = None
    configured: Moment | None = None
    ended: Moment | None = None
    end_reason: str | None = None
    ended_by: str | None = None
    stalls: int = 0


@dataclass
class Turn(Sounding):
    """See `TurnRow`."""

    number: int = 0
    origin: str = "agent"
    user_started: Moment | None = None
    user_stopped: Moment | None = None
    committed: Moment | None = None
    asked: Moment | None = None
    response: Moment | None = None
    ended: Moment | None = None
    responses: int = 0
    tool_calls: int = 0
    was_interrupted: bool = False
    user_stopped_stamp: Stamp | None = None
    response_stamp: Stamp | None = None

    @property
    def is_answered(self) -> bool:
        """Whether the agent has begun to do something in it."""
        began = self.response or self.first_text or self.first_audio
        return self.tool_calls > 0 or began is not None


@dataclass
class Response(Sounding):
    """See `ResponseRow`."""

    response: str = ""
    turn: int = 0
    status: str | None = None
    reason: str | None = None
    started: Moment | None = None
    ended: Moment | None = None
    is_backend: bool = False  # of a model behind the voice

    def had_begun(self, by: Moment) -> bool:
        """Whether it had begun by then; one of which nobody tells the beginning had."""
        return self.started is None or by.at_ns >= self.started.at_ns


@dataclass
class Item(Spanned):
    """See `ItemRow`."""

    item: str = ""
    kind: str = ""
    role: str | None = None
    response: str | None = None
    turn: int | None = None
    audio_ms: float = 0.0
    heard_ms: float | None = None


@dataclass
class ToolCall(Spanned):
    """See `ToolCallRow`."""

    name: str
    arguments: str
    call: str
    turn: int
    response: str | None
    called: Moment
    output: str | None = None
    answered: Moment | None = None
    failed: bool | None = None


@dataclass
class Transcript(Spanned):
    """See `TranscriptRow`."""

    words: Words
    turn: int
    first: Moment
    text: str = ""
    final: Moment | None = None
    start_ms: float | None = None
    end_ms: float | None = None

    def add(self, words: Words, at: Moment) -> None:
        """Take the next piece, a new draft, or the whole."""
        self.text = self.text + words.text if words.form == "piece" else words.text
        if self.start_ms is None:
            self.start_ms = words.start_ms
        self.end_ms = words.end_ms if words.end_ms is not None else self.end_ms
        if words.form == "final":
            self.final = at


@dataclass
class Interruption(Spanned):
    """See `InterruptionRow`."""

    turn: int
    by: str
    response: str | None = None
    item: str | None = None
    detected: Moment | None = None
    acted: Moment | None = None
    heard: dict[str, float] = field(default_factory=dict)

    @property
    def heard_ms(self) -> float | None:
        """How much of it was heard, as far as the client said."""
        return sum(self.heard.values()) if self.heard else None

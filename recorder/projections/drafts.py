"""Rows in the making: what a fold knows of a turn, an answer, an item, a call so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from recorder.providers.neutral import Words


@dataclass
class Spanned:
    """Something that rests on events."""

    first_seq: int
    last_seq: int

    def touch(self, seq: int) -> None:
        """It rests on event `seq`, too."""
        self.first_seq = min(self.first_seq, seq)
        self.last_seq = max(self.last_seq, seq)


@dataclass
class Sounding(Spanned):
    """Something of the agent that is written and heard."""

    first_text_ns: int | None = None
    first_audio_ns: int | None = None
    last_audio_ns: int | None = None
    audio_ms: float = 0.0

    def written(self, at_ns: int) -> None:
        """Words came."""
        if self.first_text_ns is None:
            self.first_text_ns = at_ns

    def voiced(self, at_ns: int, ms: float) -> None:
        """`ms` of audio came."""
        if self.first_audio_ns is None:
            self.first_audio_ns = at_ns
        self.last_audio_ns = at_ns
        self.audio_ms += ms


@dataclass
class Turn(Sounding):
    """See `TurnRow`."""

    number: int = 0
    origin: str = "agent"
    user_started_ns: int | None = None
    user_stopped_ns: int | None = None
    committed_ns: int | None = None
    asked_ns: int | None = None
    response_ns: int | None = None
    ended_ns: int | None = None
    responses: int = 0
    tool_calls: int = 0
    was_interrupted: bool = False
    user_stopped_stamp_ms: float | None = None
    response_stamp_ms: float | None = None

    @property
    def is_answered(self) -> bool:
        """Whether the agent has begun to do something in it."""
        began = (self.response_ns, self.first_text_ns, self.first_audio_ns)
        return self.tool_calls > 0 or any(at is not None for at in began)


@dataclass
class Response(Sounding):
    """See `ResponseRow`."""

    name: str = ""
    turn: int = 0
    status: str | None = None
    reason: str | None = None
    started_ns: int | None = None
    ended_ns: int | None = None


@dataclass
class Item(Spanned):
    """See `ItemRow`."""

    name: str = ""
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
    called_ns: int
    output: str | None = None
    answered_ns: int | None = None
    failed: bool | None = None


@dataclass
class Transcript(Spanned):
    """See `TranscriptRow`."""

    words: Words
    turn: int
    first_ns: int
    text: str = ""
    final_ns: int | None = None
    start_ms: float | None = None
    end_ms: float | None = None

    def add(self, words: Words, at_ns: int) -> None:
        """Take the next piece, a new draft, or the whole."""
        self.text = self.text + words.text if words.form == "piece" else words.text
        if self.start_ms is None:
            self.start_ms = words.start_ms
        self.end_ms = words.end_ms if words.end_ms is not None else self.end_ms
        if words.form == "final":
            self.final_ns = at_ns


@dataclass
class Interruption(Spanned):
    """See `InterruptionRow`."""

    turn: int
    by: str
    response: str | None = None
    item: str | None = None
    detected_ns: int | None = None
    acted_ns: int | None = None
    heard: dict[str, float] = field(default_factory=dict)

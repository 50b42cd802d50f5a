"""What can be chosen about the simulated service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from recorder.errors import RecorderError


@dataclass(frozen=True)
class Options:
    """How the service behaves; the defaults are those of recorded sessions where they are known.

    `transcripts` are what successive spoken turns say, `replies` what the voice says to successive
    turns; both fall back to generated text when they run out. `cues` maps phrases of the user to
    names of functions. A turn of the user is over after `silence_ms`, and the voice begins
    `latency_ms` later, or up to `jitter_ms` after that; it falls silent `yield_ms` after the user
    has begun to talk over it. `session_s` is a session's longest life.
    """

    transcripts: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    cues: Mapping[str, str] = field(default_factory=dict)
    latency_ms: int = 250
    jitter_ms: int = 100
    silence_ms: int = 500
    yield_ms: int = 800
    session_s: int = 7200

    def __post_init__(self) -> None:
        """RecorderError for a number that cannot be."""
        for name in ("silence_ms", "yield_ms", "session_s"):
            if getattr(self, name) <= 0:
                raise RecorderError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("latency_ms", "jitter_ms"):
            if getattr(self, name) < 0:
                raise RecorderError(f"{name} must not be negative, not {getattr(self, name)}")

"""What can be chosen about the simulated service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from recorder.errors import RecorderError


@dataclass(frozen=True)
class Options:
    """How the service behaves; the defaults are those of the live one where they are known.

    `transcripts` are what successive spoken turns say, `replies` what successive responses in
    words say; both fall back to generated text when they run out. `speech` maps reply texts to
    recordings (mono PCM16 at 24 kHz) used in place of the synthetic voice; `cues` maps phrases
    of the user to names of functions. `pace` is how many seconds of audio are generated in one
    second. An empty set of `keys` or `models` accepts all.
    """

    transcripts: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    speech: Mapping[str, bytes] = field(default_factory=dict)
    cues: Mapping[str, str] = field(default_factory=dict)
    model: str = "gpt-realtime"
    pace: float = 4.0
    latency_ms: int = 250
    jitter_ms: int = 100
    session_s: int = 3600
    context_tokens: int = 28_672
    tokens_per_minute: int = 15_000_000
    null_predecessor: bool = True
    keys: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    serves_beta: bool = True
    has_credit: bool = True

    def __post_init__(self) -> None:
        """RecorderError for a number that cannot be."""
        for name in ("pace", "session_s", "context_tokens", "tokens_per_minute"):
            if getattr(self, name) <= 0:
                raise RecorderError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("latency_ms", "jitter_ms"):
            if getattr(self, name) < 0:
                raise RecorderError(f"{name} must not be negative, not {getattr(self, name)}")

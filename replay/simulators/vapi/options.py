"""What can be chosen about the simulated service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from recorder.errors import RecorderError

_FAILURES = frozenset(status.value for status in HTTPStatus if status >= 400)


@dataclass(frozen=True)
class Options:
    """How the service behaves; the defaults are those of the live one where they are known.

    `transcripts` are what successive spoken turns of each call say, `replies` what successive
    answers in words say; both fall back to generated text when they run out. `cues` maps phrases
    of the caller to names of tools. `speech` maps texts to recordings (mono PCM16 at 24 kHz) used
    in place of the synthetic voice. `model_ms` and `voice_ms` are the times to the first word and
    from it to the first audio, `jitter_ms` how much each varies. `webhook_ms` is how long a
    delivery takes to leave, `settle_ms` how long after its report a call's costs are complete,
    `log_ms` how long its log takes to appear.

    An empty set of `keys` accepts all. `server` is the organisation's server, which an
    `assistant-request` goes to. `tls` says that the simulator is reached by https and wss.
    `rate_limit` requests are served in each window of `rate_window_s`, those beyond get 429, with
    Retry-After if `retry_after`. `faults` maps the ordinal of a REST request (from 1) to the
    status that it is refused with, or to 0 for a connection that breaks. `history` is how many
    finished calls exist at the start.
    """

    transcripts: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    cues: Mapping[str, str] = field(default_factory=dict)
    speech: Mapping[str, bytes] = field(default_factory=dict)
    model_ms: int = 500
    voice_ms: int = 300
    jitter_ms: int = 100
    webhook_ms: int = 55
    settle_ms: int = 8000
    log_ms: int = 60_000
    keys: frozenset[str] = frozenset()
    server: Mapping[str, object] | None = None
    tls: bool = False
    concurrency: int = 10
    rate_limit: int | None = None
    rate_window_s: float = 21.0
    retry_after: bool = True
    faults: Mapping[int, int] = field(default_factory=dict)
    string_arguments: bool = False
    history: int = 0

    def __post_init__(self) -> None:
        """RecorderError for a number that cannot be."""
        for name in ("concurrency", "rate_window_s"):
            if getattr(self, name) <= 0:
                raise RecorderError(f"{name} must be above 0, not {getattr(self, name)}")
        delays = ("model_ms", "voice_ms", "jitter_ms", "webhook_ms", "settle_ms", "log_ms")
        for name in (*delays, "history"):
            if getattr(self, name) < 0:
                raise RecorderError(f"{name} must not be negative, not {getattr(self, name)}")
        if self.server is not None and not self.server.get("url"):
            raise RecorderError("server needs a url, such as {'url': 'http://127.0.0.1:8000/hook'}")
        for status in self.faults.values():
            if status != 0 and status not in _FAILURES:
                raise RecorderError(f"a fault is 0 or an HTTP status from 400, not {status}")
        if self.rate_limit is not None and self.rate_limit < 1:
            raise RecorderError(f"rate_limit must be above 0, not {self.rate_limit}")

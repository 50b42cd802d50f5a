"""What a response costs in tokens, what the cache spares, and the rate limit.

Rules seen in recorded sessions: user audio counts floor(ms / 100) tokens, the assistant's audio
one per 50 ms, then and in later inputs; totals are sums; cache hits come in steps of 64 tokens
per modality over the common prefix of the context; `reset_seconds` is the used share of the
limit times 60, cut to milliseconds. The count of text tokens is this simulator's own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from replay.simulators.common.words import pieces
from replay.simulators.openai import errors
from replay.simulators.openai.conversation import Item
from replay.simulators.openai.errors import Json

_ITEM_OVERHEAD = 4
_IMAGE_TOKENS = {"low": 85, "high": 765, "auto": 765}
_CACHE_STEP = 64
USER_MS_PER_TOKEN = 100
VOICE_MS_PER_TOKEN = 50


class Tokens(NamedTuple):
    """Tokens by modality."""

    text: int = 0
    audio: int = 0
    image: int = 0

    @property
    def total(self) -> int:
        return sum(self)

    def plus(self, other: Tokens) -> Tokens:
        return Tokens(self.text + other.text, self.audio + other.audio, self.image + other.image)

    def stepped(self) -> Tokens:
        """Whole cache steps of each modality."""
        return Tokens(*(count // _CACHE_STEP * _CACHE_STEP for count in self))

    def details(self) -> Json:
        return {"text_tokens": self.text, "audio_tokens": self.audio, "image_tokens": self.image}


class Segment(NamedTuple):
    """A part of the model's context; equal keys mean equal content."""

    key: str
    tokens: Tokens


def of_item(item: Item) -> Segment:
    """The weight of an item in a later input."""
    body = item.body
    if body["type"] != "message":
        written = " ".join(str(body.get(name, "")) for name in ("name", "arguments", "output"))
        tokens = Tokens(text=_ITEM_OVERHEAD + len(pieces(written)))
        return Segment(f"{item.id} {written}", tokens)
    parts = body["content"]
    written = " ".join(part["text"] for part in parts if "text" in part)
    images = sum(
        _IMAGE_TOKENS[part.get("detail") or "auto"]
        for part in parts
        if part["type"] == "input_image"
    )
    per_token = USER_MS_PER_TOKEN if body["role"] == "user" else VOICE_MS_PER_TOKEN
    audio = item.ms // per_token if body["role"] == "user" else -(-item.ms // per_token)
    text = len(pieces(written)) + (0 if item.audio else _ITEM_OVERHEAD)
    return Segment(f"{item.id} {item.ms} {written}", Tokens(text, audio, images))


def context(
    instructions: str, tools: Sequence[Json], items: Sequence[Item], limit: int, truncation: object
) -> list[Segment]:
    """The segments that fit into `limit` tokens, oldest items dropped first.

    With truncation `disabled` an overflow is an error; a retention ratio drops down to that
    share of the limit.
    """
    described = json.dumps(list(tools)) if tools else ""
    head = [Segment(text, Tokens(len(pieces(text)))) for text in (instructions, described)]
    tail = [of_item(item) for item in items]
    total = sum(segment.tokens.total for segment in (*head, *tail))
    if total <= limit:
        return [*head, *tail]
    if truncation == "disabled":
        raise errors.context_too_long(total, limit)
    ratio = truncation.get("retention_ratio", 1.0) if isinstance(truncation, dict) else 1.0
    while len(tail) > 1 and total > limit * ratio:
        total -= tail.pop(0).tokens.total
    return [*head, *tail]


class PromptCache:
    """Remembers the last context of a session; what begins alike is cached."""

    def __init__(self) -> None:
        self._last: list[Segment] = []

    def hit(self, segments: list[Segment]) -> Tokens:
        """Cached tokens for this context, which becomes the one remembered."""
        common = Tokens()
        for before, now in zip(self._last, segments, strict=False):
            if before != now:
                break
            common = common.plus(now.tokens)
        self._last = segments
        return common.stepped()


def report(segments: Sequence[Segment], cached: Tokens, output: Tokens) -> Json:
    """The `usage` of a `response.done`."""
    given = Tokens()
    for segment in segments:
        given = given.plus(segment.tokens)
    return {
        "total_tokens": given.total + output.total,
        "input_tokens": given.total,
        "output_tokens": output.total,
        "input_token_details": {
            **given.details(),
            "cached_tokens": cached.total,
            "cached_tokens_details": cached.details(),
        },
        "output_token_details": {"text_tokens": output.text, "audio_tokens": output.audio},
    }


def of_transcription(model: str, ms: int, transcript: str) -> Json:
    """The `usage` of a completed transcription: by token for the gpt-4o models, else by time."""
    if not model.startswith("gpt-4o"):
        return {"type": "duration", "seconds": -(-ms // 1000)}
    heard, written = ms // USER_MS_PER_TOKEN, len(pieces(transcript)) + 2
    return {
        "type": "tokens",
        "total_tokens": heard + written,
        "input_tokens": heard,
        "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
        "output_tokens": written,
    }


class RateLimit:
    """A bucket of tokens for the whole simulated account that refills within a minute."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._used = 0.0
        self._at: int | None = None

    def allows(self, tokens: int, now: int) -> bool:
        """Whether `tokens` remain at `now` (ns)."""
        self._refill(now)
        return self._used + tokens <= self.limit

    def charge(self, tokens: int, now: int) -> None:
        """Take `tokens` at `now` (ns), at most what remains."""
        self._refill(now)
        self._used = min(float(self.limit), self._used + tokens)

    def _refill(self, now: int) -> None:
        elapsed = 0 if self._at is None else max(0, now - self._at)
        self._used = max(0.0, self._used - self.limit / 60 * elapsed / 1e9)
        self._at = now if self._at is None else max(self._at, now)

    def wire(self, now: int) -> list[Json]:
        """The `rate_limits` of a `rate_limits.updated`."""
        self._refill(now)
        remaining = self.limit - round(self._used)
        reset_ms = (self.limit - remaining) * 60_000 // self.limit
        return [
            {
                "name": "tokens",
                "limit": self.limit,
                "remaining": remaining,
                "reset_seconds": reset_ms / 1000,
            }
        ]

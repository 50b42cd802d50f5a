"""Projecting takes without a store: events as their readers see them, and the models they give."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tapes import Take

from recorder.audio.sizes import duration_ms
from recorder.events import Event
from recorder.projections import Seen, project
from recorder.projections.rows import Models
from recorder.providers import PROVIDERS
from recorder.spans import lift

MS = 1_000_000


def seen(takes: Iterable[Take], provider: str = "openai") -> list[Seen]:
    """The events that recording `takes` gives."""
    tracker, made = PROVIDERS[provider].tracker(), []
    for seq, (at_ms, channel, sender, kind, type_, body) in enumerate(takes, 1):
        insight = tracker.inspect(channel, sender, kind, type_, body)
        lifted, audio = lift(body, insight.audio)
        ms = sum(duration_ms(len(span.data), place.codec, place.rate) for place, span in audio)
        name = insight.type or type_
        event = Event("tape", seq, int(at_ms * MS), channel, sender, kind, name, lifted)
        made.append(Seen(event, ms))
    return made


def models(takes: Iterable[Take], provider: str = "openai") -> Models:
    """The read models of `takes`."""
    return project("tape", seen(takes, provider), PROVIDERS[provider])


def frame(at_ms: float, sender: Any, type_: str, **fields: Any) -> Take:
    """One text frame on channel 1."""
    return Take(at_ms, 1, sender, "ws.text", "", json.dumps({"type": type_, **fields}).encode())


def hook(at_ms: float, channel: int, type_: str, answer: Any = None, **fields: Any) -> list[Take]:
    """A webhook of Vapi and, after 5 ms, the application's answer."""
    from recorder.heads import RequestHead, ResponseHead

    body = json.dumps({"message": {"type": type_, "call": {"id": "c"}, **fields}}).encode()
    head = RequestHead("POST", "/webhooks/vapi").encode()
    parts = [("provider", "webhook.request", head), ("provider", "http.chunk", body)]
    parts.append(("provider", "http.chunk", b""))
    told = [Take(at_ms, channel, sender, kind, type_, data) for sender, kind, data in parts]  # type: ignore[arg-type]
    status = 200 if answer is not None else 500
    ok = ResponseHead(status, "OK" if status == 200 else "Internal Server Error").encode()
    told.append(Take(at_ms + 5, channel, "client", "webhook.response", str(status), ok))
    for data in (json.dumps(answer or {}).encode(), b""):
        told.append(Take(at_ms + 5, channel, "client", "http.chunk", type_, data))
    return told

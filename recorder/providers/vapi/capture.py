"""What the recorder must see of a call: names, audio and its format, which call and model it is.

Binary frames are raw samples without a header, in the format of the call's
`transport.audioFormat`, both ways (Vapi's documentation, WebSocket transport). What a listening
socket carries is not documented; it is kept as mono PCM at 16 kHz, the format that was inferred
for it, and is byte for byte the same whatever it turns out to be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from recorder.events import Kind, Sender
from recorder.heads import RequestHead, ResponseHead, header
from recorder.providers.base import Insight
from recorder.providers.fields import at
from recorder.providers.vapi.routing import template
from recorder.providers.vapi.webhooks import unwrapped
from recorder.providers.wav_files import WavFiles
from recorder.spans import AudioField, Codec, is_rate

AUDIO = "audio"
LISTEN_AUDIO = "listen.audio"
_VOICE = "voice-request"
_HEAD = re.compile(rb'\s*\{\s*"type"\s*:\s*"([A-Za-z0-9_.-]+)"')
_FORMAT = re.compile(rb'"audioFormat"\s*:\s*(\{[^{}]*\})')
_CREATES = ("POST /call", "POST /call/web", "POST /call/phone")
_ONE_CALL = (*_CREATES, "GET /call/{id}", "PATCH /call/{id}")
_MODELS = (
    ("assistant", "model", "model"),
    ("call", "assistant", "model", "model"),
)


class Format(NamedTuple):
    """How the audio of a call is coded."""

    codec: Codec = "pcm16"
    rate: int = 16_000


class VapiTracker:
    """Follows one session: the format of its audio, its call and model."""

    def __init__(self) -> None:
        self._format = Format()
        self._listening: set[int] = set()
        self._webhooks: set[int] = set()
        self._failed: set[int] = set()  # exchanges whose answer is an error: it names no call
        self._spoken: dict[int, int] = {}  # channel of a voice request -> rate of its answer
        self._files = WavFiles()
        self._wanted = {"external_id", "model"}

    def inspect(self, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes) -> Insight:
        if kind == "ws.binary":
            return self._binary(channel, type_, body)
        if kind == "ws.text":
            return Insight(event_type(body))
        if kind == "http.chunk":
            return self._chunk(channel, sender, type_, body)
        if kind == "webhook.request":
            self._webhooks.add(channel)
        elif kind == "webhook.response":
            self._answered(channel, body)
        elif kind == "http.response" and not 200 <= ResponseHead.decode(body).status < 300:
            self._failed.add(channel)
        elif kind == "ws.open" and sender == "client" and _path(body).endswith("/listen"):
            self._listening.add(channel)
        return Insight(template(type_))

    def _binary(self, channel: int, type_: str, body: bytes) -> Insight:
        if channel in self._listening or type_ == LISTEN_AUDIO:
            audio = AudioField(0, len(body), "raw", "listen", *Format())
            return Insight(LISTEN_AUDIO, (audio,) if body else ())
        audio = AudioField(0, len(body), "raw", "", *self._format)
        return Insight(AUDIO, (audio,) if body else ())

    def _chunk(self, channel: int, sender: Sender, type_: str, body: bytes) -> Insight:
        name = template(type_)
        is_webhook = channel in self._webhooks
        if is_webhook and sender == "client":
            return Insight(name, self._voice(channel, body))
        if sender == "provider" and self._files.has(channel, body):
            return self._files.piece(channel, name, body)
        if not body or not (is_webhook or name in _ONE_CALL):
            return Insight(name)
        self._learn_format(body)
        if is_webhook and type_ == _VOICE:
            rate = unwrapped(body).get("sampleRate")
            if is_rate(rate):
                self._spoken[channel] = rate
        if sender == "provider" and channel in self._failed:
            return Insight(name)
        return Insight(name, facts=self._facts(sender, name, body, is_webhook))

    def _learn_format(self, body: bytes) -> None:
        found = _FORMAT.search(body)
        if found is None:
            return
        try:
            told = json.loads(found[1])
        except ValueError:
            return
        is_mulaw = told.get("format") == "mulaw"
        rate = told.get("sampleRate")
        if not is_rate(rate):
            rate = 8_000 if is_mulaw else 16_000
        self._format = Format("pcmu" if is_mulaw else "pcm16", rate)

    def _facts(
        self, sender: Sender, name: str, body: bytes, is_webhook: bool
    ) -> dict[str, str] | None:
        """The id and model of the call, once each."""
        if not self._wanted:
            return None
        message = unwrapped(body)
        ids = [at(message, "call", "id")] if is_webhook else []
        if name in _CREATES and sender == "provider":
            ids = [at(message, "id")]
        found = {"external_id": next(iter(ids), None), "model": _model(message)}
        facts = {
            key: text.lower() if key == "external_id" else text
            for key, text in found.items()
            if key in self._wanted and isinstance(text, str) and text
        }
        self._wanted -= set(facts)
        return facts or None

    def _answered(self, channel: int, body: bytes) -> None:
        """An answer that is not sound (an error in JSON) is not taken for it."""
        head = ResponseHead.decode(body)
        kind = (header(head.headers, "content-type") or "").lower()
        if head.status != 200 or "json" in kind or kind.startswith("text/"):
            self._spoken.pop(channel, None)

    def _voice(self, channel: int, body: bytes) -> tuple[AudioField, ...]:
        rate = self._spoken.get(channel)
        if not rate or not body:
            return ()
        return (AudioField(0, len(body), "raw", "voice", "pcm16", rate),)


def event_type(body: bytes) -> str:
    """The `type` of a JSON message; ``""`` where it is no name."""
    match = _HEAD.match(body)
    if match:
        return match[1].decode()
    try:
        found = at(json.loads(body), "type")
    except (ValueError, RecursionError):
        return ""
    return found if isinstance(found, str) and found.isprintable() else ""


def _path(body: bytes) -> str:
    return RequestHead.decode(body).path


def _model(message: Mapping[str, Any]) -> str | None:
    found = (at(message, *path) for path in _MODELS)
    return next((name for name in found if isinstance(name, str)), None)

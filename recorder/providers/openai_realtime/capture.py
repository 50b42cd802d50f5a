"""What the recorder must see in a Realtime event: its type, its audio, what ends, who it is.

Audio-bearing messages have few shapes, so the text is searched, not parsed; an unescaped
`"audio":"` can only be a key. Event names and places of audio: the types of openai-python
(`types/realtime`, `types/beta/realtime`).
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from recorder.events import Kind, Sender
from recorder.providers.base import Insight
from recorder.spans import AudioField, Codec, is_rate

# The key that holds base64 audio, by event type (GA, beta and translation names).
AUDIO_KEYS: dict[str, bytes] = {
    "input_audio_buffer.append": b'"audio"',
    "session.input_audio_buffer.append": b'"audio"',
    "conversation.item.create": b'"audio"',
    "conversation.item.retrieved": b'"audio"',
    "response.create": b'"audio"',
    "response.content_part.added": b'"audio"',
    "response.content_part.done": b'"audio"',
    "response.output_audio.delta": b'"delta"',
    "response.audio.delta": b'"delta"',
    "session.output_audio.delta": b'"delta"',
}
_OUTPUT_DONE = frozenset({"response.output_audio.done", "response.audio.done"})
_INPUT_DONE = frozenset({"input_audio_buffer.commit", "input_audio_buffer.clear"})
_SESSION = frozenset(
    {
        "session.created",
        "session.updated",
        "transcription_session.created",
        "transcription_session.updated",
    }
)
_RESPONSE_FORMATS = 64  # answers whose own output format is remembered
_SHORTEST = 8  # shorter strings under an audio key are words, not audio

_HEAD = re.compile(
    rb'\s*\{\s*(?:"event_id"\s*:\s*"[^"\\]*"\s*,\s*)?"type"\s*:\s*"([A-Za-z0-9_.]+)"'
)
_VALUE = re.compile(rb'\s*:\s*"')
_NAME = len('{"type":"') + 1  # the quote that ends a type, of a character at least, is not before
_LONGEST = 100  # bytes of a message's beginning up to the end of its type
_MOST_TYPES = 256  # beginnings that are remembered


class Format(NamedTuple):
    """How audio is coded on one direction of a connection."""

    codec: Codec = "pcm16"
    rate: int = 24_000


_NAMED: dict[str, Format] = {
    "audio/pcm": Format(),
    "audio/pcmu": Format("pcmu", 8_000),
    "audio/pcma": Format("pcma", 8_000),
    "pcm16": Format(),
    "g711_ulaw": Format("pcmu", 8_000),
    "g711_alaw": Format("pcma", 8_000),
}


def event_type(body: bytes) -> str:
    """The value of the top-level `type` of a JSON message; ``""`` where it is no name."""
    match = _HEAD.match(body)
    if match:
        return match[1].decode()
    message = parse(body)
    found = message.get("type") if isinstance(message, dict) else None
    return found if isinstance(found, str) and found.isprintable() else ""


def parse(body: bytes) -> Any:
    """The JSON of a message, or None if it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def string_place(body: bytes, key: bytes, start: int = 0) -> tuple[int, int] | None:
    """Where the first string value of `key` (quotes included in the key) stands in `body`."""
    at = body.find(key, start)
    after = at + len(key)
    if at >= 0 and body[after : after + 2] == b':"':  # as compact writers put it
        closed = body.find(b'"', after + 2)
        return None if closed < 0 else (after + 2, closed)
    while at >= 0:
        opened = _VALUE.match(body, at + len(key))
        if opened:
            closed = body.find(b'"', opened.end())
            return None if closed < 0 else (opened.end(), closed)
        at = body.find(key, at + 1)
    return None


def _text(body: bytes, key: bytes) -> str:
    found = string_place(body, key)
    return body[found[0] : found[1]].decode(errors="replace") if found else ""


def named_format(value: object) -> Format | None:
    """GA `{"type": "audio/pcm", "rate": 24000}` or beta `"pcm16"`."""
    if isinstance(value, str):
        return _NAMED.get(value)
    if not isinstance(value, dict):
        return None
    named = _NAMED.get(str(value.get("type")))
    rate = value.get("rate")
    if named and is_rate(rate):
        return Format(named.codec, rate)
    return named


def _at(value: object, *path: str) -> object:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


class PlainTypes:
    """What there is to see in messages of which only the type matters: known by how they begin, so
    that most need neither a parser nor an object of their own."""

    def __init__(self) -> None:
        self._known: dict[bytes, Insight] = {}
        self._last: tuple[bytes, Insight | None] = (b"\0", None)  # which begins no message

    def seen(self, body: bytes) -> Insight | None:
        """What a message shows that begins as another did; None if none did."""
        beginning, insight = self._last
        if body.startswith(beginning):
            return insight
        beginning = body[: body.find(b'"', _NAME, _LONGEST) + 1]
        insight = self._known.get(beginning)
        if insight is not None:
            self._last = (beginning, insight)
        return insight

    def see(self, type_: str, body: bytes) -> Insight:
        """What a message of this type shows, of which only that matters."""
        insight = Insight(type_)
        beginning = body[: body.find(b'"', _NAME, _LONGEST) + 1]
        if _HEAD.fullmatch(beginning) and len(self._known) < _MOST_TYPES:
            self._known[beginning] = insight
        return insight


class RealtimeTracker:
    """Follows one session: the formats in force on each channel, the ids it shows."""

    def __init__(self) -> None:
        self._plain = PlainTypes()
        self._formats: dict[tuple[int, Sender], Format] = {}
        self._responses: dict[str, Format] = {}

    def inspect(self, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes) -> Insight:
        if kind != "ws.text":
            return Insight(type_)
        return self._plain.seen(body) or self._look(channel, sender, body)

    def _look(self, channel: int, sender: Sender, body: bytes) -> Insight:
        found = event_type(body)
        key = AUDIO_KEYS.get(found)
        if key:
            return Insight(found, self._audio(channel, sender, found, key, body))
        if found in _OUTPUT_DONE:
            return Insight(found, ended=(_stream(body),))
        if found in _INPUT_DONE:
            return Insight(found, ended=("",))
        if found in _SESSION:
            return Insight(found, facts=self._session(channel, parse(body)))
        if found == "response.created":
            self._response(parse(body))
            return Insight(found)
        return self._plain.see(found, body)

    def _audio(
        self, channel: int, sender: Sender, found: str, key: bytes, body: bytes
    ) -> list[AudioField]:
        stream = "" if key == b'"audio"' and sender == "client" else _stream(body)
        codec, rate = self._format_of(channel, sender, body)
        fields: list[AudioField] = []
        place = string_place(body, key)
        while place:
            start, end = place
            if end - start >= _SHORTEST:
                fields.append(AudioField(start, end, "base64", stream, codec, rate))
            place = string_place(body, key, end) if len(body) - end > len(key) else None
        return fields

    def _format_of(self, channel: int, sender: Sender, body: bytes) -> Format:
        if self._responses and sender == "provider":
            own = self._responses.get(_text(body, b'"response_id"'))
            if own:
                return own
        return self._formats.get((channel, sender), Format())

    def _session(self, channel: int, message: object) -> dict[str, str]:
        session = _at(message, "session")
        heard = named_format(_at(session, "audio", "input", "format"))
        heard = heard or named_format(_at(session, "input_audio_format"))
        rate = _at(session, "input_audio_sampling_rate")
        if heard and heard.codec == "pcm16" and is_rate(rate):
            heard = Format("pcm16", rate)
        spoken = named_format(_at(session, "audio", "output", "format"))
        spoken = spoken or named_format(_at(session, "output_audio_format"))
        if heard:
            self._formats[channel, "client"] = heard
        if spoken:
            self._formats[channel, "provider"] = spoken
        facts = {"external_id": _at(session, "id"), "model": _at(session, "model")}
        return {name: text for name, text in facts.items() if isinstance(text, str) and text}

    def _response(self, message: object) -> None:
        response = _at(message, "response")
        own = named_format(_at(response, "audio", "output", "format"))
        name = _at(response, "id")
        if own and isinstance(name, str):
            self._responses[name] = own
            while len(self._responses) > _RESPONSE_FORMATS:
                del self._responses[next(iter(self._responses))]


def _stream(body: bytes) -> str:
    """The item that audio belongs to, with its content part where that is not the first."""
    item = _text(body, b'"item_id"') or _text(body, b'"id"')
    if b'"content_index":0' in body or b'"content_index"' not in body:
        return item
    index = _at(parse(body), "content_index")
    return f"{item}/{index}" if index else item

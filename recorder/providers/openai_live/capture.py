"""What the recorder must see in a GPT-Live event: its type, its audio, which session it is.

The session's format holds for both directions of the primary socket; sidebands and fixtures carry
PCM16 at 24 kHz whatever it is (openai-python, `types/live`). Nothing tells that audio ends: it
never pauses, so that its segments end by their size or with the connection.
"""

from __future__ import annotations

from recorder.events import Kind, Sender
from recorder.heads import RequestHead
from recorder.providers.base import Insight
from recorder.providers.fields import at, text_at
from recorder.providers.openai_live.routing import is_sideband, template
from recorder.providers.openai_live.sides import APPEND, OUTPUT, START
from recorder.providers.openai_realtime.capture import (
    Format,
    PlainTypes,
    event_type,
    named_format,
    parse,
    string_place,
)
from recorder.providers.wav_files import WavFiles
from recorder.spans import AudioField

FIXTURE = "session.output_audio.fixture.play"
_KEYS = {APPEND: b'"audio"', FIXTURE: b'"audio"', OUTPUT: b'"delta"'}
_SESSION = frozenset({START, "session.started"})


class LiveTracker:
    """Follows one session: the formats of its channels, its id and model."""

    def __init__(self) -> None:
        self._plain = PlainTypes()
        self._formats: dict[int, Format] = {}
        self._sidebands: set[int] = set()
        self._files = WavFiles()

    def inspect(self, channel: int, sender: Sender, kind: Kind, type_: str, body: bytes) -> Insight:
        if kind == "ws.open" and sender == "client":
            if is_sideband(RequestHead.decode(body).path):
                self._sidebands.add(channel)
            return Insight(template(type_))
        if kind == "http.chunk":
            return self._chunk(channel, sender, template(type_), body)
        if kind != "ws.text":
            return Insight(template(type_))
        return self._plain.seen(body) or self._look(channel, sender, body)

    def _look(self, channel: int, sender: Sender, body: bytes) -> Insight:
        found = event_type(body)
        key = _KEYS.get(found)
        if key:
            return Insight(found, self._audio(channel, sender, found, key, body))
        if found in _SESSION:
            return Insight(found, facts=self._session(channel, parse(body)))
        return self._plain.see(found, body)

    def _audio(
        self, channel: int, sender: Sender, found: str, key: bytes, body: bytes
    ) -> tuple[AudioField, ...]:
        place = string_place(body, key)
        if place is None or place[0] == place[1]:
            return ()
        is_own = found != FIXTURE and channel not in self._sidebands
        codec, rate = self._formats.get(channel, Format()) if is_own else Format()
        stream = "fixture" if found == FIXTURE else ""
        if found == APPEND and sender == "provider":
            stream = "input"
        return (AudioField(*place, "base64", stream, codec, rate),)

    def _session(self, channel: int, message: object) -> dict[str, str]:
        session = at(message, "session")
        told = named_format(at(session, "audio", "format"))
        if told:
            self._formats[channel] = told
        facts = {"external_id": text_at(session, "id"), "model": text_at(session, "model")}
        return {name: text for name, text in facts.items() if text}

    def _chunk(self, channel: int, sender: Sender, name: str, body: bytes) -> Insight:
        if sender == "provider" and self._files.has(channel, body):
            return self._files.piece(channel, name, body)
        if name.startswith("POST ") and body[:1] == b"{":  # asks by the model, is told the id
            return Insight(name, facts=self._session(channel, parse(body)))
        return Insight(name)

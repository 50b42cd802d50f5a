"""What passes, as it is understood on a tape and in a run alike: names, sound, meaning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from recorder.audio.silence import form_of
from recorder.events import Event, Kind, Sender
from recorder.providers.base import Cue, Provider
from recorder.providers.neutral import HearingDecoder, Neutral, UserSpeech, Voiced
from recorder.spans import AudioField, decoded, lift

_NS = 1_000_000_000


class Heard(NamedTuple):
    """Audio of one message: `data` (wire bytes) as `field` describes it, and how long it lasts."""

    field: AudioField
    data: bytes
    length_ns: int


class Seen(NamedTuple):
    """A message: its type, what it means, its audio, and what that means for what is played.
    `body` is without its audio; empty where it is one more piece of a stream."""

    type: str
    told: Sequence[Neutral]
    heard: tuple[Heard, ...]
    cue: Cue | None
    body: bytes


class _Stream(NamedTuple):
    """A stream of audio, known by a piece of it: most others differ in their sound only, and in one
    id of their own that means nothing. What stands `before` that id or, if there is none, the
    sound; what stands `between` the two; and what comes `after`."""

    kind: Kind
    before: bytes
    between: bytes
    after: bytes
    piece: Seen

    def next(self, body: bytes) -> Seen | None:
        """What another piece means; None if it is something else."""
        _, before, between, after, (type_, told, (known,), cue, _) = self
        if not (body.startswith(before) and body.endswith(after)):
            return None
        start, end = len(before), len(body) - len(after)
        if between:
            start = body.find(b'"', start)
            if not body.startswith(between, start):
                return None
            start += len(between)
        field, size, length_ns = known.field, len(known.data), known.length_ns
        if start != field.start or end != field.end:
            field = AudioField(start, end, *field[2:])
        data = body[start:end] if field.encoding == "raw" else decoded(body[start:end])
        if not data:
            return None
        heard = Heard(field, data, length_ns) if len(data) == size else _heard(field, data)
        return Seen(type_, told, (heard,), cue, b"")


class Perception:
    """Follows all channels of one session in order."""

    def __init__(self, provider: Provider) -> None:
        self._tracker = provider.tracker()
        self._decoder = provider.decoder()
        self._is_deaf = isinstance(self._decoder, HearingDecoder)
        self._listener = provider.listener()
        plain = [place for place in provider.RULES.volatile if place.isidentifier()]
        self._own = [b'"%b":"' % place.encode() for place in plain]
        self._said: dict[bytes, tuple[int, Sequence[Neutral]]] = {}
        self._streams: dict[tuple[int, Sender], _Stream] = {}

    def take(
        self, channel: int, sender: Sender, kind: Kind, body: bytes, now: int, type_: str = ""
    ) -> Seen:
        """The next thing that passes."""
        stream = self._streams.get((channel, sender))
        seen = stream.next(body) if stream is not None and stream.kind == kind else None
        return seen or self._look(channel, sender, kind, body, now, type_)

    def _look(
        self, channel: int, sender: Sender, kind: Kind, body: bytes, now: int, type_: str
    ) -> Seen:
        insight = self._tracker.inspect(channel, sender, kind, type_, body)
        lifted, found = lift(body, insight.audio) if insight.audio else (body, ())
        event = Event("", 0, now, channel, sender, kind, insight.type, lifted)
        told = self._decoder.decode(event)
        if self._is_deaf:  # when the user speaks is not on the wire, and nothing is heard here
            told = [each for each in told if not isinstance(each, UserSpeech)]
        if sender == "provider" and kind == "ws.text" and not found:
            told = self._alike(channel, lifted, told)
        heard = tuple(_heard(field, span.data) for field, span in found)
        cue = self._listener.cue(channel, sender, kind, insight.type, lifted)
        seen = Seen(insight.type, told, heard, cue, lifted)
        stream = self._stream(kind, body, seen)
        if stream is None:
            self._streams.clear()  # what it says may change what audio means
        else:
            self._streams[channel, sender] = stream
        return seen

    def _alike(self, channel: int, body: bytes, told: Sequence[Neutral]) -> Sequence[Neutral]:
        """What is said word for word on two sockets means the same on both, also to a decoder that
        counts it once."""
        if told:
            self._said[body] = channel, told
            return told
        first, known = self._said.get(body, (channel, told))
        return told if first == channel else known

    def _stream(self, kind: Kind, body: bytes, seen: Seen) -> _Stream | None:
        """The stream that a message is a piece of; None if it says more than that it sounds."""
        is_piece = seen.cue in ("capture", "play") and len(seen.heard) == 1
        if not is_piece or any(type(told) is not Voiced for told in seen.told):
            return None
        start, end = seen.heard[0].field[:2]
        before = body[:start]
        own = next((key for key in self._own if key in before), b"")
        if not own:
            return _Stream(kind, before, b"", body[end:], seen)
        known, _, rest = before.partition(own)
        return _Stream(kind, known + own, rest[rest.find(b'"') :], body[end:], seen)


def _heard(field: AudioField, data: bytes) -> Heard:
    return Heard(field, data, len(data) * _NS // form_of(field).byte_rate)

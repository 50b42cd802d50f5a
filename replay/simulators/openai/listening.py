"""The input audio buffer and its turn detector.

All times are milliseconds of audio appended since the connection began, never of the wall clock.
The detector works in steps of 32 ms: `audio_start_ms` plus the prefix padding and `audio_end_ms`
are multiples of 32 in recorded sessions, and `audio_end_ms` includes the silence that ended the
turn (API reference, `input_audio_buffer.speech_stopped`).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from recorder.audio.vad import EnergyVad
from replay.simulators.openai import errors
from replay.simulators.openai.errors import Json
from replay.simulators.openai.sound import bytes_per_ms, decode, rate

FRAME_MS = 32
_KEPT_MS = 30_000  # how much silence a listening buffer keeps for a manual commit
_LEAST_COMMIT_MS = 100
_SEMANTIC_SILENCE_MS = {"high": 320, "auto": 640, "medium": 640, "low": 1280}
_SEMANTIC_PREFIX_MS = 300


class Turn(NamedTuple):
    """`start` and `stop` of speech, or `idle`: nobody spoke for too long."""

    kind: Literal["start", "stop", "idle"]
    start_ms: int
    end_ms: int


class Cut(NamedTuple):
    """A piece of the buffer."""

    start_ms: int
    end_ms: int
    audio: bytes


def threshold_dbfs(threshold: float) -> float:
    """The level at which a frame counts as speech: −40 dBFS for the default of 0.5."""
    return -60.0 + 40.0 * threshold


class Ear:
    """Appended audio since the last commit, with turn detection if it is on."""

    def __init__(self, form: Json, detection: Json | None) -> None:
        self._held = bytearray()
        self._held_from = 0.0  # ms
        self._partial = b""
        self._vad_from = 0.0  # ms at which the detector was made
        self._floor = 0.0  # ms before which no turn may reach
        self._onset: int | None = None
        self._idle_from: int | None = None
        self.form, self.detection = form, detection
        self._vad = self._detector()

    def configure(self, form: Json, detection: Json | None) -> None:
        """Take new settings; a changed format or detector starts afresh from here."""
        if (form, detection) == (self.form, self.detection):
            return
        here = self.now_ms
        if form != self.form:
            self._held.clear()
            self._held_from, self._floor, self._partial = here, here, b""
        self.form, self.detection = form, detection
        self._vad_from, self._onset, self._idle_from = here, None, None
        self._vad = self._detector()

    def _detector(self) -> EnergyVad | None:
        if self.detection is None:
            return None
        return EnergyVad(
            rate(self.form),
            threshold_dbfs=threshold_dbfs(self.detection.get("threshold", 0.5)),
            frame_ms=FRAME_MS,
            start_ms=FRAME_MS,
            stop_ms=max(FRAME_MS, self._silence_ms),
        )

    @property
    def _silence_ms(self) -> int:
        detection = self.detection or {}
        if detection.get("type") == "semantic_vad":
            return _SEMANTIC_SILENCE_MS[detection["eagerness"]]
        return int(detection.get("silence_duration_ms", 0))

    @property
    def _prefix_ms(self) -> int:
        return int((self.detection or {}).get("prefix_padding_ms", _SEMANTIC_PREFIX_MS))

    @property
    def now_ms(self) -> float:
        """How much audio has been appended."""
        return self._held_from + len(self._held) / bytes_per_ms(self.form)

    @property
    def speaking(self) -> bool:
        return self._onset is not None

    def append(self, data: bytes) -> list[Turn]:
        """Take audio cut anywhere, even inside a sample; return what it settles, in order."""
        data = self._partial + data
        whole = len(data) - len(data) % (2 if self.form["type"] == "audio/pcm" else 1)
        data, self._partial = data[:whole], data[whole:]
        if self._vad is None:
            self._held += data
            return []
        self._trim()
        self._held += data
        turns = [
            self._turn(edge.kind, self._vad_from + edge.at_ms)
            for edge in self._vad.feed(decode(data, self.form))
        ]
        return [*turns, *self._idle()]

    def _turn(self, kind: Literal["start", "stop"], at_ms: float) -> Turn:
        self._idle_from = None
        if kind == "start":
            self._onset = int(max(self._floor, at_ms - self._prefix_ms))
            return Turn("start", self._onset, self._onset)
        onset, self._onset = self._onset or 0, None
        waited = -(-max(FRAME_MS, self._silence_ms) // FRAME_MS) * FRAME_MS
        self._floor = at_ms + waited
        return Turn("stop", onset, int(self._floor))

    def await_speech(self, after_ms: float) -> None:
        """Start the idle timer `after_ms` from now: a reply has that long yet to play."""
        self._idle_from = int(self.now_ms + after_ms)

    def _idle(self) -> list[Turn]:
        limit = (self.detection or {}).get("idle_timeout_ms")
        if limit is None or self._idle_from is None or self.speaking:
            return []
        if self.now_ms < self._idle_from + limit:
            return []
        start, self._idle_from = self._idle_from, None
        self._floor = float(start + limit)
        return [Turn("idle", start, start + limit)]

    def _trim(self) -> None:
        """While nobody speaks, forget what no turn can reach."""
        if self.speaking:
            return
        excess = len(self._held) - _KEPT_MS * bytes_per_ms(self.form)
        if excess > 0:
            self._drop(excess // bytes_per_ms(self.form) * bytes_per_ms(self.form))

    def _drop(self, size: int) -> None:
        del self._held[:size]
        self._held_from += size / bytes_per_ms(self.form)

    def take(self, start_ms: int, end_ms: int) -> bytes:
        """The audio between two times, which leaves the buffer with all before it."""
        per_ms = bytes_per_ms(self.form)
        first = max(0, round((start_ms - self._held_from) * per_ms))
        last = max(first, round((end_ms - self._held_from) * per_ms))
        taken = bytes(self._held[first:last])
        self._drop(min(last, len(self._held)))
        return taken

    def commit(self) -> Cut:
        """All that the buffer holds, by the client's wish; at least 100 ms."""
        held_ms = len(self._held) / bytes_per_ms(self.form)
        if held_ms < _LEAST_COMMIT_MS:
            raise errors.buffer_too_small(held_ms)
        start, end = int(self._held_from), int(self.now_ms)
        cut = Cut(start, end, bytes(self._held))
        self.clear()
        return cut

    def clear(self) -> None:
        """Empty the buffer; the count of milliseconds goes on."""
        self._drop(len(self._held))
        self._partial = b""
        self._vad_from = self._floor = self.now_ms
        self._onset = None
        self._vad = self._detector()

"""A tape's audio as samples: how loud it is, and what was said and heard on one clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recorder.audio.g711 import decode_alaw, decode_ulaw
from recorder.audio.lanes import Piece, Playout, capture_lane, stereo
from recorder.audio.pcm import FLOOR_DBFS, duration_ms, resample, rms_dbfs, samples
from recorder.providers.base import Listener
from recorder.recording import Moment, Sound
from recorder.store.base import SegmentRow

DEFAULT_RATE = 24_000


def decode(data: bytes, segment: SegmentRow) -> NDArray[np.int16]:
    """Mono samples of whole frames of a segment's codec; more channels are averaged."""
    if segment.codec == "pcmu":
        found = decode_ulaw(data)
    elif segment.codec == "pcma":
        found = decode_alaw(data)
    else:
        found = samples(data)
    if segment.channels == 1:
        return found
    mean: NDArray[np.int16] = np.rint(found.reshape(-1, segment.channels).mean(axis=1)).astype(
        np.int16
    )
    return mean


def frame_bytes(segment: SegmentRow) -> int:
    """Bytes of one sample of every channel."""
    return segment.channels * (2 if segment.codec == "pcm16" else 1)


class Frames:
    """Decodes a tape's sounds in order. A frame cut by two events belongs to the later one."""

    def __init__(self) -> None:
        self._rest: dict[int, bytes] = {}  # segment -> bytes of a frame that is not whole yet

    def decode(self, sound: Sound) -> NDArray[np.int16]:
        """The frames that `sound` completes."""
        segment = sound.segment
        data = self._rest.pop(segment.number, b"") + sound.data
        cut = len(data) % frame_bytes(segment)
        if cut:
            self._rest[segment.number] = data[-cut:]
        return decode(data[: len(data) - cut], segment)


@dataclass
class Loudness:
    """Duration and level of a run of audio, fed piece by piece."""

    ms: float = 0.0
    _power: float = 0.0
    _frames: int = 0

    def add(self, sound: Sound, frames: NDArray[np.int16]) -> None:
        """Count a sound and the frames it completed."""
        row = sound.segment
        self.ms += duration_ms(len(sound.data), row.codec, row.rate, row.channels)
        self._power += frames.size * 10 ** (rms_dbfs(frames) / 10)
        self._frames += frames.size

    def join(self, later: Loudness) -> None:
        """Count what another one counted."""
        self.ms += later.ms
        self._power += later._power
        self._frames += later._frames

    @property
    def dbfs(self) -> float:
        """Root mean square in dB below full scale; -120 for silence."""
        if not self._frames or not self._power:
            return FLOOR_DBFS
        return float(10 * np.log10(self._power / self._frames))


class _Heard(NamedTuple):
    at_ns: int
    frames: NDArray[np.int16]
    rate: int


class _Lanes:
    """Sorts a tape's audio into what the client took up and what it played."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._decoder = Frames()
        self._silenced: set[str] = set()
        self._playing: set[str] = set()
        self.captured: list[Piece] = []
        self.played: list[_Heard | int] = []  # what was queued, or when the queue was dropped
        self.end_ns = 0

    def take(self, moment: Moment) -> None:
        """The next event. After a stop, what still arrives of the same streams is not heard."""
        row = moment.row
        self.end_ns = row.at_ns
        cue = self._listener.cue(row.sender, row.type, moment.lifted)
        if cue == "stop":
            self.played.append(row.at_ns)
            self._silenced |= self._playing - {""}
            self._playing.clear()
        if cue not in ("capture", "play"):
            return
        for sound in moment.sounds:
            frames, segment = self._decoder.decode(sound), sound.segment
            if cue == "capture":
                self.captured.append(Piece(row.at_ns, frames, segment.rate))
            elif segment.stream not in self._silenced:
                self._playing.add(segment.stream)
                self.played.append(_Heard(row.at_ns, frames, segment.rate))

    def playout(self, rate: int) -> Playout:
        """The played lane's model, at the one rate it had, or at `rate` if it had several."""
        rates = {heard.rate for heard in self.played if isinstance(heard, _Heard)}
        own = rates.pop() if len(rates) == 1 else rate
        model = Playout(own)
        for heard in self.played:
            if isinstance(heard, int):
                model.drop(heard)
            else:
                model.add(heard.at_ns, resample(heard.frames, heard.rate, own))
        return model


def two_sides(moments: Iterable[Moment], listener: Listener, rate: int) -> NDArray[np.int16]:
    """What the client took up (left) and what it played (right), frames of shape (n, 2) at
    `rate` on the recorded clock: from the session's start to its last event, and on until the
    queue of the player is empty. Shape (0, 2) if there was no audio at all."""
    lanes = _Lanes(listener)
    for moment in moments:
        lanes.take(moment)
    if not lanes.captured and not any(isinstance(one, _Heard) for one in lanes.played):
        return np.zeros((0, 2), dtype=np.int16)
    model = lanes.playout(rate)
    end_ns = max(lanes.end_ns, model.end_ns)
    return stereo(capture_lane(lanes.captured, rate), model.render(rate, end_ns))

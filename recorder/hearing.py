"""What was said and heard in a tape: its audio, sorted into the client's lane and the agent's.

The client's lane is what its microphone took up. The agent's is what the listener heard, by a
playout model without a pre-buffer: see `audio/lanes.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recorder.audio.codec import decode as decode_codec
from recorder.audio.lanes import Piece, Playout, capture_lane
from recorder.audio.levels import levels
from recorder.audio.pcm import resample
from recorder.audio.sizes import frame_bytes
from recorder.events import Sender
from recorder.providers.base import Listener
from recorder.providers.neutral import LEVEL_MS
from recorder.recording import Moment, Sound
from recorder.store.base import SegmentRow

_SILENCE = bytes(1 << 15)  # longer than a piece of PCM16; one that is not is decoded
_ZEROS = np.zeros(len(_SILENCE) // 2, dtype=np.int16)
_ZEROS.flags.writeable = False
_SAME_STOP_NS = 500_000_000  # the client tells so late at most that it stopped when it was told to


def decode(data: bytes, segment: SegmentRow) -> NDArray[np.int16]:
    """Mono samples of whole frames of a segment's codec; more channels are averaged."""
    found = decode_codec(data, segment.codec)
    if segment.channels == 1:
        return found
    mean: NDArray[np.int16] = np.rint(found.reshape(-1, segment.channels).mean(axis=1)).astype(
        np.int16
    )
    return mean


class Frames:
    """Decodes a tape's sounds in order. A frame cut by two events belongs to the later one."""

    def __init__(self) -> None:
        self._rest: dict[int, bytes] = {}  # segment -> bytes of a frame that is not whole yet

    def decode(self, sound: Sound) -> NDArray[np.int16]:
        """The frames that `sound` completes; not to be written to."""
        count = self.silence(sound)
        if count is not None:
            return _ZEROS[:count]
        segment = sound.segment
        data = self._rest.pop(segment.number, b"") + sound.data
        cut = len(data) % frame_bytes(segment.codec, segment.channels)
        if cut:
            self._rest[segment.number] = data[-cut:]
        return decode(data[: len(data) - cut], segment)

    def silence(self, sound: Sound) -> int | None:
        """How many frames a sound is, if it is digital silence of whole frames, which is seen
        without decoding it; else None. Only PCM16 is looked at."""
        segment, data = sound.segment, sound.data
        if segment.codec != "pcm16" or segment.number in self._rest:
            return None
        size = frame_bytes("pcm16", segment.channels)
        return None if len(data) % size or data != _SILENCE[: len(data)] else len(data) // size


class Ear:
    """Tells how loud each event of a tape is, in order, for a decoder that hears."""

    def __init__(self) -> None:
        self._frames = Frames()

    def levels(self, moment: Moment) -> tuple[float, ...]:
        """The levels of an event's sounds, see `HearingDecoder`."""
        found: list[float] = []
        for sound in moment.sounds:
            silent = self._frames.silence(sound)
            if silent is not None:
                found += (0.0,) * -(-silent // (sound.segment.rate * LEVEL_MS // 1000))
                continue
            samples = self._frames.decode(sound)
            found += levels(samples, sound.segment.rate, LEVEL_MS)
        return tuple(found)


class Heard(NamedTuple):
    """A piece of the agent's audio that was queued for playing."""

    seq: int
    at_ns: int
    frames: NDArray[np.int16]
    rate: int
    stream: str


class Stop(NamedTuple):
    """What was queued was dropped."""

    seq: int
    at_ns: int
    sender: Sender


@dataclass
class Lanes:
    """Both lanes of a tape, in pieces. `played` is in order: what was queued, and when the queue
    was dropped; `captured_seqs` are the events of `captured`."""

    captured: list[Piece]
    captured_seqs: list[int]
    played: list[Heard | Stop]
    unheard: list[Heard]  # what came after the listener had stopped playing its stream
    end_ns: int = 0

    def playout(self, rate: int) -> Playout:
        """The agent's lane as a model, at the one rate it had, or at `rate` if it had several."""
        rates = {heard.rate for heard in self.played if isinstance(heard, Heard)}
        own = rates.pop() if len(rates) == 1 else rate
        model = Playout(own)
        for heard in self.played:
            if isinstance(heard, Stop):
                model.drop(heard.at_ns)
            else:
                is_own = heard.rate == own
                frames = heard.frames if is_own else resample(heard.frames, heard.rate, own)
                model.add(heard.at_ns, frames)
        return model

    def sides(self, rate: int) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """What the client took up and what it played, at `rate` on the recorded clock: from the
        session's start to its last event, and on until the queue of the player is empty."""
        model = self.playout(rate)
        end_ns = max(self.end_ns, model.end_ns)
        return capture_lane(self.captured, rate), model.render(rate, end_ns)

    @property
    def is_silent(self) -> bool:
        """Whether there was no audio at all."""
        return not self.captured and not any(isinstance(one, Heard) for one in self.played)


class Sorter:
    """Sorts a tape's audio, event by event, into `lanes`."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._decoder = Frames()
        self._silenced: set[str] = set()
        self._playing: set[str] = set()
        self.lanes = Lanes([], [], [], [])

    def take(self, moment: Moment) -> None:
        """The next event. After a stop, what still arrives of the same streams is not heard."""
        row = moment.row
        self.lanes.end_ns = row.at_ns
        cue = self._listener.cue(row.channel, row.sender, row.kind, row.type, moment.lifted)
        if cue == "stop":
            self._stop(Stop(row.seq, row.at_ns, row.sender))
        elif cue == "capture":
            for sound in moment.sounds:
                frames, rate = self._decoder.decode(sound), sound.segment.rate
                self.lanes.captured.append(Piece(row.at_ns, frames, rate))
                self.lanes.captured_seqs.append(row.seq)
        elif cue == "play":
            for sound in moment.sounds:
                self._queue(moment, sound)

    def _stop(self, stop: Stop) -> None:
        """A client that says what was heard, just after the provider told it to stop, stopped
        then: one stop, at the client's time."""
        played = self.lanes.played
        last = played[-1] if played else None
        if (
            isinstance(last, Stop)
            and (last.sender, stop.sender) == ("provider", "client")
            and stop.at_ns - last.at_ns <= _SAME_STOP_NS
        ):
            played.pop()
        played.append(stop)
        self._silenced |= self._playing - {""}
        self._playing.clear()

    def _queue(self, moment: Moment, sound: Sound) -> None:
        row, stream = moment.row, sound.segment.stream
        frames = self._decoder.decode(sound)
        heard = Heard(row.seq, row.at_ns, frames, sound.segment.rate, stream)
        if stream in self._silenced:
            self.lanes.unheard.append(heard)
        else:
            self._playing.add(stream)
            self.lanes.played.append(heard)

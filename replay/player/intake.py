"""What a client streams on one WebSocket: heard as a gate, compared, and cheap where it is just
what was recorded."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from recorder.events import Kind, Message
from recorder.spans import AudioField
from replay.match.hearing import AudioMode
from replay.match.sound import Sound, measure
from replay.match.stretch import Stretch
from replay.match.voice import Voice
from replay.player.ear import Ear
from replay.script import SocketScript


class Intake:
    """Takes the streamed audio of one connection.

    While each message is, byte for byte, the next one of the tape, none is decoded: what is in it
    is known, and is counted where a gate may open, and compared when one is another. Another way
    of cutting the same audio into messages only costs the decoding. `is_counted`: each message
    matters to somebody as it comes.
    """

    def __init__(self, script: SocketScript, mode: AudioMode, *, is_counted: bool) -> None:
        self._ear = Ear(script)
        self._voice = Voice(script.stretches, mode)
        self._chunks = script.chunks
        self._stretches: Sequence[Stretch] = script.stretches or (Stretch(),)
        self._ends = list(accumulate(len(stretch.starts) for stretch in self._stretches))
        self._stretch = 0  # the one that the client is in
        self._at = 0  # chunks that came, or were replaced by others
        self._counted = self._compared = 0  # chunks that the ear and the voice know of
        self._is_counted = is_counted
        self._is_same = True  # whether the stretch has come as it is on the tape so far
        self._sizes, self._louds = script.sums
        self._until = self._gate()  # before this chunk nothing can happen

    # What comes

    def repeats(self, message: Message) -> bool:
        """Take a message if it is the next one of the tape, and nothing can come of it."""
        at = self._at
        if at >= self._until:
            return False
        chunk = self._chunks[at]
        if chunk.body != message.body or chunk.kind != message.kind:
            return False
        self._at = at + 1
        return True

    def repeats_at_gate(self, kind: Kind, body: bytes, now: int) -> bool:
        """Take a message if it is the next one of the tape, also where it may open a gate."""
        at = self._at
        if not self._is_same or at >= self._ends[self._stretch]:
            return False
        chunk = self._chunks[at]
        if chunk.body != body or chunk.kind != kind:
            return False
        self._count()
        self._ear.take(Sound(chunk.size, chunk.loud, chunk.tail), now)
        self._at = self._counted = at + 1
        self._until = self._gate()
        return True

    def take(self, body: bytes, fields: Sequence[AudioField], place: str | None, now: int) -> bool:
        """Take any message, as `measure` does; False if its audio is another than on the tape."""
        self._count()
        self._compare()
        self._is_same, self._until = False, 0
        sound = measure(body, fields, self._voice.form, place)
        self._ear.take(sound, now)
        return self._voice.take(sound)

    def cut(self) -> bool:
        """A stretch ends; False if some of its audio did not come."""
        self._count()
        fits = self.voice.cut()
        end = self._ends[self._stretch]
        self._stretch = min(self._stretch + 1, len(self._ends) - 1)
        self._at = self._counted = self._compared = end
        self._is_same = True
        self._until = self._gate()
        return fits

    # What follows from it

    @property
    def ear(self) -> Ear:
        """The gate, with all that came."""
        self._count()
        return self._ear

    @property
    def voice(self) -> Voice:
        """The comparison, with all that came. Nothing but a cut or the end may follow."""
        if self._is_same and self._at == self._ends[self._stretch] and self._compared < self._at:
            self._voice.same()
            self._compared = self._at
        self._compare()
        return self._voice

    def _count(self) -> None:
        """Let the ear hear of what was not counted; it opens no gate."""
        done, at = self._counted, self._at
        if at > done:
            sizes, louds = self._sizes, self._louds
            self._ear.count(sizes[at] - sizes[done], louds[at] - louds[done])
            self._counted = at

    def _compare(self) -> None:
        """Let the voice take what was not compared: it is what was recorded."""
        if self._at == self._compared:
            return
        stretch = self._stretches[self._stretch]
        base = self._ends[self._stretch] - len(stretch.starts)
        starts = (*stretch.starts, len(stretch.audio))
        data = stretch.audio[starts[self._compared - base] : starts[self._at - base]]
        self._voice.take(Sound(len(data), data=data, form=stretch.form))
        self._compared = self._at

    def _gate(self) -> int:
        """The first chunk that may open a gate, or the end of the stretch. All is counted."""
        loud, heard = self._ear.wanted()
        at, end = self._at, self._ends[self._stretch]
        if self._is_counted:
            return at
        if loud is not None:
            end = min(end, _reaching(self._louds, loud - self._ear.loud + self._louds[at]))
        if heard is not None:
            end = min(end, _reaching(self._sizes, heard - self._ear.heard + self._sizes[at]))
        return max(at, end)


def _reaching(sums: Sequence[int], wanted: int) -> int:
    """The chunk with which a sum reaches `wanted`."""
    return max(0, bisect_left(sums, wanted) - 1)

"""What the client of one channel streams, compared with the tape stretch by stretch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from recorder.audio.silence import Form
from replay.match.hearing import AudioMode, Heard, Hearing, hearing
from replay.match.sound import Sound
from replay.match.stretch import Stretch


class AudioDifference(NamedTuple):
    """The first difference: the step of the tape, a text, and both sides."""

    seq: int
    text: str
    expected: str
    got: str


class Voice:
    """Follows the stretches of a channel. `found` is the first difference, after which nothing
    more is compared."""

    def __init__(self, stretches: Sequence[Stretch], mode: AudioMode) -> None:
        self.found: AudioDifference | None = None
        self.mode = mode
        self._rest = list(stretches) or [Stretch()]
        self._hearing: Hearing | None = None
        self._is_same = False

    @property
    def form(self) -> Form | None:
        """How the audio of this stretch is coded on the tape; None if it has none."""
        return self._rest[0].form

    def take(self, sound: Sound) -> bool:
        """Take audio; False if it is another than that of the tape."""
        if self.found or sound.form is None:
            return self.found is None
        return self._judge(self._matcher(sound.form).take(sound.data))

    def same(self) -> None:
        """The whole stretch came just as it is on the tape: there is nothing to compare."""
        self._is_same = True

    def cut(self) -> bool:
        """A stretch ends; False if some of it did not come."""
        fits = self.end()
        if fits and len(self._rest) > 1:
            del self._rest[0]
            self._hearing, self._is_same = None, False
        return fits

    def end(self) -> bool:
        """Nothing more comes on this stretch; False if some of it did not come."""
        if self.found is None and self._rest[0].form is not None and not self._is_same:
            self._judge(self._matcher(self._rest[0].form).end())
        return self.found is None

    def _matcher(self, form: Form) -> Hearing:
        if self._hearing is None:
            stretch = self._rest[0]
            self._hearing = hearing(self.mode, stretch, stretch.form or form)
        return self._hearing

    def _judge(self, heard: Heard | None) -> bool:
        if heard:
            seq = self._rest[0].seq(heard.place)
            self.found = AudioDifference(seq, heard.text, heard.expected, heard.got)
        return heard is None

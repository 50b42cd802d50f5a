"""What the user says, as pieces of a transcript.

Each turn takes the next scripted text, or words made up from the seed, one for each 350 ms. A word
belongs to the step of 200 ms in which it falls; a step with words becomes one piece, 300 ms of
audio after its end (recorded: 200 to 500 ms).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import NamedTuple

from replay.simulators.common.words import MS_PER_WORD, utterance
from replay.simulators.openai_live.stage import STEP_MS

_LATE_MS = 300
NOISE_MS = 300
"""What is shorter is a cough, and no speech."""


class Piece(NamedTuple):
    """Words of one step."""

    start_ms: int
    text: str

    @property
    def end_ms(self) -> int:
        """Where the step ends."""
        return self.start_ms + STEP_MS


class Scribe:
    """Follows the turns of the user; times in ms of audio."""

    def __init__(self, seed: str, script: Sequence[str]) -> None:
        self._seed, self._script = seed, script
        self._turn = 0
        self._onset: float | None = None
        self._words: list[str] = []
        self._placed = 0  # words that are in `_pending`, or were told
        self._pending: list[Piece] = []

    def begin(self, onset_ms: float) -> None:
        """Speech begins."""
        self._onset, self._placed = onset_ms, 0
        self._words = self._scripted() or []

    def end(self, end_ms: float) -> str:
        """Speech has ended; all that was said. What is left of the words falls into its end."""
        onset = end_ms if self._onset is None else self._onset
        if self._scripted() is None:
            self._words = self._made_up(end_ms - onset)
        self._place(len(self._words), end_ms)
        self._onset, self._turn = None, self._turn + 1
        return " ".join(self._words)

    def drop(self) -> None:
        """What was heard was no speech."""
        self._onset = None

    def told(self, heard_ms: float, loud_ms: float) -> list[Piece]:
        """The pieces that are due; `loud_ms` is where the last sound was."""
        if self._onset is not None and loud_ms - self._onset >= NOISE_MS:
            spoken = int(max(0.0, heard_ms - _LATE_MS - STEP_MS - self._onset) // MS_PER_WORD) + 1
            if self._scripted() is None:
                self._words = self._made_up(spoken * MS_PER_WORD)
            if heard_ms - _LATE_MS - STEP_MS >= self._onset:
                self._place(min(spoken, len(self._words)), heard_ms)
        due = [piece for piece in self._pending if piece.end_ms + _LATE_MS <= heard_ms]
        self._pending = self._pending[len(due) :]
        return due

    def _place(self, count: int, latest_ms: float) -> None:
        """Put words into steps, none of which begins after `latest_ms`."""
        onset = latest_ms if self._onset is None else self._onset
        for number in range(self._placed, count):
            at = min(onset + number * MS_PER_WORD, max(onset, latest_ms - 1))
            start = int(at // STEP_MS) * STEP_MS
            text = f" {self._words[number]}" if number else self._words[number]
            if self._pending and self._pending[-1].start_ms >= start:
                last = self._pending.pop()
                start, text = last.start_ms, last.text + text
            self._pending.append(Piece(start, text))
        self._placed = max(self._placed, count)

    def _scripted(self) -> list[str] | None:
        if self._turn >= len(self._script):
            return None
        return self._script[self._turn].split()

    def _made_up(self, ms: float) -> list[str]:
        chance = random.Random(f"{self._seed}/turn/{self._turn}")
        count = max(1, int(ms) // MS_PER_WORD)
        return list(itertools.islice(utterance(chance), count))

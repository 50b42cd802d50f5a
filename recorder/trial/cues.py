"""When a turn of a scenario begins: anchors, heard by the ear and told by the tool doubles."""

from __future__ import annotations

from typing import NamedTuple

from recorder.trial.doubles import Doubles
from recorder.trial.ear import Ear
from recorder.trial.steps import Cue

_MS = 1_000_000
_FILLER_NS = 1_000_000_000


class Moment(NamedTuple):
    """A cue that was given: `at_ns` on the client's clock, by its `anchor` or by its `timeout`."""

    cue: Cue
    at_ns: int
    trigger: str


class Cues:
    """Knows the anchors of one conversation that is ready at `ready`. All times in ns.

    `began` and `over` are when the caller's last turn began and ended to be audible.
    """

    def __init__(self, ear: Ear, doubles: Doubles, ready: int) -> None:
        self.ear, self._doubles, self._ready = ear, doubles, ready
        self._began = self._over = ready
        self._awaits_answer = True

    def spoke(self, cue: Cue, began: int, now: int) -> None:
        """The caller's turn is over."""
        self._began, self._over = began, now
        self._awaits_answer = cue.mode != "ignore"

    def gives_up(self, cue: Cue) -> int:
        """When a cue is given without its anchor."""
        return self._over + cue.timeout_ms * _MS

    def at(self, cue: Cue, now: int) -> int | None:
        """When a cue is to be given, as far as that is known by `now`; its delay counts from the
        sound, not from when it was recognised."""
        self.ear.listen(now)
        head, _, tail = cue.after.partition(":")
        if head == "session_ready":
            anchor: int | None = self._ready
        elif head == "prev_turn_end":
            anchor = self._over
        elif head == "agent_speech_start":
            anchor = self._onset()
        elif head == "agent_quiet":
            anchor = self._quiet(int(tail) * _MS, now)
        elif head == "tool_call":
            anchor = self._doubles.called(tail, self._began)
        else:
            anchor = self._end(now)
        return None if anchor is None else anchor + cue.delay_ms * _MS

    def _onset(self) -> int | None:
        """The agent begins to speak after the turn, or speaks on after something it may ignore."""
        if not self._awaits_answer and self.ear.is_hearing:
            return max(self.ear.stretches[-1][0], self._over)
        return next((on for on, _ in self.ear.stretches if on >= self._over), None)

    def _end(self, now: int) -> int | None:
        """The agent has answered and is silent, and no tool's answer is still to be told.

        What was said before a tool had answered is filler, unless it goes on for a second: then the
        answer followed it without a pause.
        """
        if self.ear.is_hearing or self._doubles.is_awaited(now) or not self.ear.stretches:
            return None
        on, off = self.ear.stretches[-1]
        if off is None or on < (self._began if self._awaits_answer else self._ready):
            return None
        answered = self._doubles.last_answer(now)
        if answered is not None and on < answered and off < answered + _FILLER_NS:
            return None
        return max(off, self._over)

    def _quiet(self, length: int, now: int) -> int | None:
        if self.ear.is_hearing:
            return None
        offs = [off for _, off in self.ear.stretches if off is not None]
        since = max([self._over, *offs])
        return since + length if now >= since + length else None

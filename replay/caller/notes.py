"""What a run came to: its outcome, how far it went, and what was not as on the tape."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, NamedTuple

Outcome = Literal["pass", "fail", "inconclusive"]


class Note(NamedTuple):
    """Something that was not as on the tape. `turn` counts what the caller said, from 1; 0 is what
    belongs to none."""

    turn: int
    text: str

    def __str__(self) -> str:
        return f"turn {self.turn}: {self.text}" if self.turn else self.text


@dataclass
class Notes:
    """Gathers them while a run goes on."""

    notes: list[Note] = field(default_factory=list)
    failures: list[Note] = field(default_factory=list)
    stop: Note | None = None  # why it could not go on, which is nobody's failure
    done: set[int] = field(default_factory=set)  # events of the tape that were played
    audio_ns: int = 0
    doubled: set[str] = field(default_factory=set)  # functions that a double answered

    def note(self, turn: int, text: str) -> None:
        """A difference."""
        self.notes.append(Note(turn, text))

    def fail(self, turn: int, text: str) -> None:
        """The provider refused, failed, or hung up."""
        self.failures.append(Note(turn, text))

    def give_up(self, turn: int, text: str) -> None:
        """It cannot go on; the first reason counts."""
        if self.stop is None:
            self.stop = Note(turn, text)


class Verdict(NamedTuple):
    """How a run ended. `reason` is empty for a pass; unknown costs are None."""

    outcome: Outcome
    reason: str
    steps: int
    total: int
    audio_s: float
    usd: Decimal | None
    notes: tuple[Note, ...]

    def __str__(self) -> str:
        parts = [
            f"{self.outcome.upper()} steps={self.steps}/{self.total} audio={self.audio_s:.1f}s"
        ]
        if self.usd is not None:
            parts.append(f"cost=${self.usd:.4f}")
        return " ".join(parts) + (f": {self.reason}" if self.reason else "")


def verdict(
    notes: Notes, total: int, usd: Decimal | None, doubles: Collection[str] = ()
) -> Verdict:
    """The end of a run: a failure counts before what stopped it. `doubles` are the functions that
    have one."""
    outcome: Outcome = "pass"
    reason = ""
    if notes.failures:
        outcome, reason = "fail", str(notes.failures[0])
    elif notes.stop:
        outcome, reason = "inconclusive", str(notes.stop)
    others = list(notes.failures[1:])
    if notes.failures and notes.stop:
        others.append(notes.stop)
    idle = (name for name in doubles if name not in notes.doubled)
    others += (Note(0, f"double never used: {name}") for name in idle)
    told = tuple(sorted((*notes.notes, *others), key=lambda note: note.turn))
    return Verdict(outcome, reason, len(notes.done), total, notes.audio_ns / 1e9, usd, told)

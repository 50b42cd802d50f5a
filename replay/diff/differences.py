"""What two tapes differ in: each difference with its kind and its grade."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from recorder.events import Sender
from replay.match.hearing import AudioMode

Grade = Literal["low", "medium", "high"]
GRADES: tuple[Grade, ...] = get_args(Grade)
"""Added is low, changed is medium, removed or of another type is high."""

Kind = Literal["text", "tool", "order", "timing", "usage", "structure", "audio", "value"]
What = Literal["added", "removed", "changed", "retyped", "moved", "later", "sooner"]


class Span(NamedTuple):
    """The events that something rests on, by `seq`; a stream that was joined has several."""

    first: int
    last: int


class Difference(NamedTuple):
    """One difference.

    `path` is the place in the message, `$` for a whole one. `a` and `b` are what is there, as text;
    None where a side has nothing. `also` are other places that differ in the very same way. `rules`
    would accept it, one at each place; empty if no rule can.
    """

    turn: int  # of the first tape, 0 before the first one
    channel: str
    sender: Sender
    type: str
    path: str
    kind: Kind
    grade: Grade
    what: What
    a: str | None
    b: str | None
    a_seq: Span | None
    b_seq: Span | None
    rules: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    def is_at_least(self, grade: Grade) -> bool:
        """Whether it is of `grade` or a higher one."""
        return GRADES.index(self.grade) >= GRADES.index(grade)


class Diff(NamedTuple):
    """All differences, in the order of the conversation. `messages` are how many of the first and
    of the second tape were compared, streams joined; `turns` is what the user said in each turn
    of the first tape; `unused` are the user's rules that held nowhere; `audio` is how sound was
    compared."""

    differences: tuple[Difference, ...]
    messages: tuple[int, int]
    turns: tuple[str, ...]
    unused: tuple[str, ...]
    audio: AudioMode = "exact"

    def at_least(self, grade: Grade) -> int:
        """How many differences are of `grade` or a higher one."""
        return sum(each.is_at_least(grade) for each in self.differences)

"""What the parts of a run share, and what a part can do at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from recorder.events import Kind, Message
from recorder.providers.base import Conduct
from replay.caller.names import Names
from replay.caller.notes import Notes
from replay.caller.perception import Seen
from replay.caller.scene import Scene
from replay.match.rulebook import Rulebook

LATE = 1 << 61
"""The place of what is not on the tape: after the acts of its moment."""
Perceive = Callable[[int, Kind, bytes, int], Seen]


class Kit(NamedTuple):
    """What the sockets of a run share. `perceive` looks at what the client sends; `refuses` tells
    why a turn is not to be begun, or None; `scenes` are those of all."""

    conduct: Conduct
    book: Rulebook
    names: Names
    notes: Notes
    perceive: Perceive
    refuses: Callable[[int], str | None]
    patience_ns: int
    scenes: list[Scene]


class Ready(NamedTuple):
    """Something that can be done at `when` (ns); of equal times the lowest `seq` is done first."""

    when: int
    seq: int
    run: Callable[[int], list[Message]]
